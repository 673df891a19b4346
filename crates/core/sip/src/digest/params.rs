//! `auth-param` lists (RFC 3261 §25.1, RFC 7235 §2.1).

use std::borrow::Cow;

use super::DigestError;
use crate::token::{is_lws, is_token, quote, split_outside, trim, unquote};

/// Most parameters of one challenge that are read.
const MOST_PARAMS: usize = 32;
/// Most challenges of one header line that are read.
const MOST_SCHEMES: usize = 16;
/// Longest value in octets.
const LONGEST_VALUE: usize = 1_024;

/// What stands behind a scheme's name.
#[derive(Debug)]
pub(super) struct AuthParams<'a> {
    scheme: &'a str,
    all: Vec<(&'a str, &'a str)>,
    broken: bool,
}

impl<'a> AuthParams<'a> {
    /// The schemes of a line. RFC 3261 §7.3.1 wants one in each, RFC 7235 §4.1 lets them stand in a row.
    pub fn read(line: &'a str) -> Result<Vec<Self>, DigestError> {
        let parts = split_outside(line, b',').ok_or(DigestError::Malformed)?;
        let mut schemes: Vec<AuthParams<'a>> = Vec::new();
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            let (scheme, param) = cut_scheme(part);
            if let Some(scheme) = scheme {
                schemes.push(AuthParams { scheme, all: Vec::new(), broken: false });
            }
            if schemes.len() > MOST_SCHEMES {
                return Err(DigestError::Malformed);
            }
            schemes.last_mut().ok_or(DigestError::Malformed)?.add(param);
        }
        Ok(schemes)
    }

    fn add(&mut self, param: &'a str) {
        if param.is_empty() {
            return;
        }
        let read = param.split_once('=').map(|(name, value)| (trim(name), trim(value)));
        match read.filter(|(name, value)| is_token(name) && is_value(value)) {
            // RFC 7235 §2.1: a name occurs once.
            Some((name, value)) if self.raw(name).is_none() && self.all.len() < MOST_PARAMS => {
                self.all.push((name, value));
            }
            _ => self.broken = true,
        }
    }

    /// Is it a Digest that can be read?
    pub fn check(&self) -> Result<(), DigestError> {
        match self.scheme.eq_ignore_ascii_case("Digest") {
            true if self.broken => Err(DigestError::Malformed),
            true => Ok(()),
            false => Err(DigestError::Unsupported("scheme")),
        }
    }

    fn raw(&self, name: &str) -> Option<&'a str> {
        self.all.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// A value without quotes and escapes; many write quotes where none belong, and the other way round.
    pub fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        let raw = self.raw(name)?;
        Some(if raw.starts_with('"') { Cow::Owned(unquote(raw)) } else { Cow::Borrowed(raw) })
    }

    /// Is it there, and `true`?
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The value of one that must be there.
    pub fn require(&self, name: &'static str) -> Result<String, DigestError> {
        self.get(name).map(Cow::into_owned).ok_or(DigestError::Missing(name))
    }
}

/// `Digest realm="…"` starts a scheme, `nonce="…"` goes on with it.
fn cut_scheme(part: &str) -> (Option<&str>, &str) {
    let head = part.split(['=', '"']).next().unwrap_or(part);
    let is_bare = head.len() == part.len();
    match trim(head).find(is_lws).and_then(|at| part.split_at_checked(at)) {
        Some((scheme, rest)) => (Some(scheme), trim(rest)),
        None if is_bare => (Some(part), ""),
        None => (None, part),
    }
}

fn is_value(value: &str) -> bool {
    let is_quoted = value.len() >= 2 && value.starts_with('"') && value.ends_with('"');
    let is_plain = !value.is_empty() && !value.contains(['"', ' ', '\t']);
    value.len() <= LONGEST_VALUE && (is_quoted || is_plain)
}

/// Writes a list, commas between.
#[derive(Debug)]
pub(super) struct Writer(String);

impl Writer {
    /// `Digest` and what follows.
    pub fn digest() -> Self {
        Writer("Digest".to_owned())
    }

    /// `name=value`; `value` must be a token.
    pub fn token(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        let separator = if self.0.contains('=') { ", " } else { " " };
        self.0.push_str(&format!("{separator}{name}={value}"));
        self
    }

    /// `name="value"`.
    pub fn quoted(self, name: &str, value: &str) -> Self {
        self.token(name, quote(value))
    }

    pub fn finish(self) -> String {
        self.0
    }
}
