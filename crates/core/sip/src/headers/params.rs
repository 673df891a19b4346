use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::MAX_PARAMS;
use crate::token::{is_token_byte, quote, split_at_byte, split_outside, trim, unquote};

/// Parameters `;name=value;flag` of a header or a URI: order and case kept, names compared without case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params(Vec<Param>);

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Param {
    /// As written.
    pub name: String,
    /// As written, with quotes and escapes; `None` for a flag.
    pub value: Option<String>,
}

impl Params {
    /// None.
    pub const fn new() -> Self {
        Params(Vec::new())
    }

    /// Reads header parameters: the text behind the first `;`. `None` when it breaks the grammar or a limit.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = split_outside(text, b';')?;
        // A stray `;` at the end is common and harmless.
        if parts.last().is_some_and(|last| last.is_empty()) {
            parts.pop();
        }
        if parts.len() > MAX_PARAMS {
            return None;
        }
        parts.into_iter().map(Param::parse).collect::<Option<_>>().map(Params)
    }

    /// The same, what breaks the grammar left out.
    pub(crate) fn salvage(text: &str) -> Self {
        let parts = split_outside(text, b';').into_iter().flatten();
        Params(parts.filter_map(Param::parse).take(MAX_PARAMS).collect())
    }

    pub(crate) fn push_raw(&mut self, name: String, value: Option<String>) {
        self.0.push(Param { name, value });
    }

    /// Is it there, with a value or without?
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The value as written; `None` when absent or a flag.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.find(name)?.value.as_deref()
    }

    /// The value without quotes and escapes.
    pub fn get_unquoted(&self, name: &str) -> Option<String> {
        self.get(name).map(unquote)
    }

    /// The parameter of this name.
    pub fn find(&self, name: &str) -> Option<&Param> {
        self.0.iter().find(|p| p.name.eq_ignore_ascii_case(name))
    }

    /// Sets a parameter in its place, or appends it. A value that is neither token nor host is quoted.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        let value = value.map(|v| if Param::is_plain(v) { v.to_owned() } else { quote(v) });
        match self.0.iter_mut().find(|p| p.name.eq_ignore_ascii_case(name)) {
            Some(param) => param.value = value,
            None => self.0.push(Param { name: name.to_owned(), value }),
        }
    }

    /// Takes a parameter away.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|p| !p.name.eq_ignore_ascii_case(name));
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Param> {
        self.0.iter()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Param {
    fn parse(text: &str) -> Option<Param> {
        let (name, value) = match split_at_byte(text, b'=') {
            Some((name, value)) => (trim(name), Some(trim(value))),
            None => (text, None),
        };
        let fits = !name.is_empty() && name.bytes().all(is_token_byte) && value.is_none_or(Param::is_value);
        fits.then(|| Param { name: name.to_owned(), value: value.map(str::to_owned) })
    }

    /// RFC 3261 §25.1 `gen-value`: token, host or quoted string. Read liberally: `uri`s and `=` occur.
    fn is_value(value: &str) -> bool {
        let quoted = value.len() >= 2 && value.starts_with('"') && value.ends_with('"');
        quoted || !value.bytes().any(|b| b == b'"' || b.is_ascii_whitespace() || b.is_ascii_control())
    }

    fn is_plain(value: &str) -> bool {
        !value.is_empty() && value.bytes().all(|b| is_token_byte(b) || matches!(b, b'[' | b']' | b':'))
    }
}

impl fmt::Display for Params {
    /// With a `;` before each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Param { name, value } in &self.0 {
            match value {
                Some(value) => write!(f, ";{name}={value}")?,
                None => write!(f, ";{name}")?,
            }
        }
        Ok(())
    }
}
