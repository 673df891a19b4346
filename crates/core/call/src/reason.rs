use std::fmt;

/// Longest value that is looked at, bytes.
const MAX_VALUE: usize = 2_048;
/// Longest text that is kept, characters.
const MAX_TEXT: usize = 128;

/// One reason of a Reason header field (RFC 3326 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What the cause counts in.
    pub protocol: Protocol,
    /// Q.850 cause or SIP status.
    pub cause: u16,
    /// In words; empty for none. At most 128 visible characters and blanks where it came from outside.
    pub text: String,
}

/// The registered protocols of RFC 3326 §2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// ITU-T Q.850.
    Q850,
    /// SIP.
    Sip,
}

impl Reason {
    /// A Q.850 cause in words.
    pub fn q850(cause: u8, text: impl Into<String>) -> Self {
        Reason { protocol: Protocol::Q850, cause: cause.into(), text: text.into() }
    }

    /// The reasons in a header field's value. What is not understood is left out, and what is beyond the bounds is
    /// not looked at.
    pub fn parse(value: &str) -> Vec<Reason> {
        let value = value.get(..value.floor_char_boundary(MAX_VALUE)).unwrap_or_default();
        split(value, ',').into_iter().take(8).filter_map(Reason::parse_one).collect()
    }

    fn parse_one(value: &str) -> Option<Reason> {
        let mut parts = split(value, ';').into_iter().map(str::trim);
        let protocol = match parts.next()? {
            name if name.eq_ignore_ascii_case("Q.850") => Protocol::Q850,
            name if name.eq_ignore_ascii_case("SIP") => Protocol::Sip,
            _ => return None,
        };
        let (mut cause, mut text) = (None, String::new());
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name.trim().to_ascii_lowercase().as_str() {
                "cause" => cause = value.trim().parse().ok(),
                "text" => text = unquote(value.trim()),
                _ => {}
            }
        }
        Some(Reason { protocol, cause: cause?, text })
    }
}

impl fmt::Display for Reason {
    /// As a header field's value: `Q.850;cause=16;text="…"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Q850 => "Q.850",
            Protocol::Sip => "SIP",
        };
        write!(f, "{protocol};cause={}", self.cause)?;
        let text: String =
            self.text.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\')).collect();
        if text.is_empty() { Ok(()) } else { write!(f, ";text=\"{text}\"") }
    }
}

/// Splits where the separator stands outside of quotes.
fn split(value: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    value
        .split(|c| {
            let separates = c == separator && !quoted;
            quoted ^= c == '"' && !escaped;
            escaped = quoted && c == '\\' && !escaped;
            separates
        })
        .collect()
}

fn unquote(text: &str) -> String {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let mut escaped = false;
    let plain = inner.chars().filter(|c| {
        escaped = *c == '\\' && !escaped;
        !escaped
    });
    visible(plain)
}

/// Fit for a record: bounded, one line.
pub(crate) fn visible(text: impl Iterator<Item = char>) -> String {
    text.filter(|c| !c.is_control()).take(MAX_TEXT).collect()
}
