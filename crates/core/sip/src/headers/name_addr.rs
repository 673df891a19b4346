use std::fmt;

use serde::{Deserialize, Serialize};

use crate::token::{is_lws, quote, split_at_byte, trim, unquote};
use crate::{Params, Uri};

/// `"Display" <uri>;param=value`: the value of From, To, Contact, Route and others (RFC 3261 §20.10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameAddr {
    /// The display name, without quotes and escapes.
    pub display: Option<String>,
    /// The address.
    pub uri: Uri,
    /// The header's parameters (not the URI's).
    pub params: Params,
}

impl NameAddr {
    /// `<uri>` alone.
    pub const fn new(uri: Uri) -> Self {
        NameAddr { display: None, uri, params: Params::new() }
    }

    /// The same with a tag.
    pub fn with_tag(mut self, tag: &str) -> Self {
        self.params.set("tag", Some(tag));
        self
    }

    /// The `tag` parameter (RFC 3261 §19.3).
    pub fn tag(&self) -> Option<&str> {
        self.params.get("tag")
    }

    /// Reads one value; `None` when it breaks the grammar.
    pub fn parse(text: &str) -> Option<NameAddr> {
        let text = trim(text);
        match find_bracket(text) {
            Some(open) => parse_bracketed(text, open),
            None => parse_bare(text),
        }
    }
}

/// Where the `<` stands that is not in the quoted display name.
fn find_bracket(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (i, b) in text.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'<' if !quoted => return Some(i),
            _ => {}
        }
    }
    None
}

fn parse_bracketed(text: &str, open: usize) -> Option<NameAddr> {
    let (display, rest) = (trim(text.get(..open)?), text.get(open + 1..)?);
    let (uri, params) = split_at_byte(rest, b'>')?;
    Some(NameAddr {
        display: parse_display(display)?,
        uri: Uri::parse(trim(uri))?,
        params: parse_trailer(params)?,
    })
}

/// A quoted string, or tokens (read liberally: any text without a quote in it).
fn parse_display(text: &str) -> Option<Option<String>> {
    if text.is_empty() {
        return Some(None);
    }
    let quoted = text.len() >= 2 && text.starts_with('"') && text.ends_with('"');
    (quoted || !text.contains('"')).then(|| Some(unquote(text)))
}

/// Without brackets every parameter is the header's (RFC 3261 §20).
fn parse_bare(text: &str) -> Option<NameAddr> {
    let (uri, params) = match text.find(';') {
        Some(i) => (text.get(..i)?.trim_end_matches(is_lws), text.get(i..)?),
        None => (text, ""),
    };
    // RFC 3261 §20: a URI with a comma or a question mark must stand in brackets.
    if uri.contains(['?', ',']) {
        return None;
    }
    Some(NameAddr { display: None, uri: Uri::parse(uri)?, params: parse_trailer(params)? })
}

fn parse_trailer(text: &str) -> Option<Params> {
    let text = trim(text);
    match text.strip_prefix(';') {
        Some(params) => Params::parse(params),
        None => text.is_empty().then(Params::new),
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            write!(f, "{} ", quote(display))?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}
