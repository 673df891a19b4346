use std::str::FromStr;

use super::escape::{escapes_are_whole, is_unreserved, is_user_unreserved};
use super::{Host, OtherUri, SipUri, TelUri, Uri, UriError};
use crate::Params;
use crate::limits::MAX_PARAMS;
use crate::token::{number, split_at_byte};

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Uri, UriError> {
        Uri::parse(text).ok_or(UriError)
    }
}

impl Uri {
    /// `None` when it breaks its scheme's grammar, or that of URIs (no white space, `<`, `>`, `"`).
    pub fn parse(text: &str) -> Option<Uri> {
        let (scheme, rest) = split_at_byte(text, b':')?;
        let (first, others) = scheme.as_bytes().split_first()?;
        let is_scheme = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
        if !first.is_ascii_alphabetic() || !others.iter().all(is_scheme) || !is_visible(rest) {
            return None;
        }
        let is = |known: &str| scheme.eq_ignore_ascii_case(known);
        match scheme {
            _ if is("sip") => parse_sip(rest, false).map(Uri::Sip),
            _ if is("sips") => parse_sip(rest, true).map(Uri::Sip),
            _ if is("tel") => parse_tel(rest).map(Uri::Tel),
            _ if rest.is_empty() => None,
            _ => Some(Uri::Other(OtherUri { scheme: scheme.to_ascii_lowercase(), rest: rest.to_owned() })),
        }
    }
}

fn is_visible(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"'))
}

fn parse_sip(rest: &str, secure: bool) -> Option<SipUri> {
    if !escapes_are_whole(rest) {
        return None;
    }
    // `@` may stand nowhere else unescaped, while `;` and `?` may stand in the user part (RFC 3261 §25.1).
    let (userinfo, rest) = match split_at_byte(rest, b'@') {
        Some((userinfo, rest)) => (Some(userinfo), rest),
        None => (None, rest),
    };
    let (user, password) = userinfo.map_or(Some((None, None)), parse_userinfo)?;
    let (rest, headers) = match split_at_byte(rest, b'?') {
        Some((rest, headers)) => (rest, Some(headers.to_owned())),
        None => (rest, None),
    };
    let (host_port, params) = split_at_byte(rest, b';').unwrap_or((rest, ""));
    let (host, port) = parse_host_port(host_port)?;
    Some(SipUri { secure, user, password, host, port, params: parse_params(params)?, headers })
}

fn parse_userinfo(text: &str) -> Option<(Option<String>, Option<String>)> {
    let (user, password) = match split_at_byte(text, b':') {
        Some((user, password)) => (user, Some(password)),
        None => (text, None),
    };
    let fits = |b: u8| is_unreserved(b) || is_user_unreserved(b) || b == b'%' || b == b'#';
    let all_fit = !user.is_empty() && user.bytes().all(fits) && password.unwrap_or("").bytes().all(fits);
    all_fit.then(|| (Some(user.to_owned()), password.map(str::to_owned)))
}

/// `host [":" port]`, the host possibly an IPv6 reference.
pub(crate) fn parse_host_port(text: &str) -> Option<(Host, Option<u16>)> {
    let end = text.find(']').map_or(0, |i| i + 1);
    let colon = text.get(end..)?.find(':').map(|i| i + end);
    let Some(colon) = colon else {
        return Some((Host::parse(text)?, None));
    };
    let host = text.get(..colon)?.trim_end_matches([' ', '\t']);
    let port = text.get(colon + 1..)?.trim_start_matches([' ', '\t']);
    Some((Host::parse(host)?, Some(number(port)?)))
}

/// URI parameters know no quotes (RFC 3261 §25.1 `uri-parameters`).
fn parse_params(text: &str) -> Option<Params> {
    let mut params = Params::new();
    for (n, part) in text.split(';').filter(|part| !part.is_empty()).enumerate() {
        let (name, value) = match split_at_byte(part, b'=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (part, None),
        };
        if name.is_empty() || n >= MAX_PARAMS {
            return None;
        }
        params.push_raw(name.to_owned(), value);
    }
    Some(params)
}

fn parse_tel(rest: &str) -> Option<TelUri> {
    let (number, params) = rest.split_once(';').unwrap_or((rest, ""));
    let digits = number.strip_prefix('+').unwrap_or(number);
    let fits = |b: u8| b.is_ascii_hexdigit() || matches!(b, b'*' | b'#' | b'-' | b'.' | b'(' | b')');
    let is_number =
        digits.bytes().any(|b| b.is_ascii_hexdigit() || matches!(b, b'*' | b'#')) && digits.bytes().all(fits);
    if !is_number {
        return None;
    }
    Some(TelUri { number: number.to_owned(), params: parse_params(params)? })
}
