//! The smallest pieces of the grammar (RFC 3261 §25.1).

pub(crate) const fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(b, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Linear white space within one unfolded line.
pub(crate) const fn is_lws(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

pub(crate) fn trim(text: &str) -> &str {
    match text.as_bytes() {
        // Mostly there is nothing to do.
        [first, .., last] if !is_lws_byte(*first) && !is_lws_byte(*last) => text,
        _ => text.trim_matches(is_lws),
    }
}

const fn is_lws_byte(b: u8) -> bool {
    matches!(b, b' ' | b'\t')
}

pub(crate) fn trim_bytes(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// Digits only: `str::parse` would take a sign too.
pub(crate) fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// What stands before and behind the first `byte`, which is ASCII.
pub(crate) fn split_at_byte(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = memchr::memchr(byte, text.as_bytes())?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Splits at `separator`, but not within quotes (backslash escapes heeded) nor angle brackets; parts are trimmed.
/// `None` when a quote or bracket stays open.
pub(crate) fn split_outside(text: &str, separator: u8) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    if memchr::memchr3(b'"', b'<', b'>', text.as_bytes()).is_none() {
        let mut rest = text;
        while let Some((part, behind)) = split_at_byte(rest, separator) {
            parts.push(trim(part));
            rest = behind;
        }
        parts.push(trim(rest));
        return Some(parts);
    }
    let (mut start, mut quoted, mut escaped, mut bracketed) = (0, false, false, false);
    for (i, b) in text.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if !bracketed => quoted = !quoted,
            _ if quoted => {}
            b'<' => bracketed = true,
            b'>' => bracketed = false,
            _ if b == separator && !bracketed => {
                parts.push(trim(text.get(start..i)?));
                start = i + 1;
            }
            _ => {}
        }
    }
    if quoted || bracketed {
        return None;
    }
    parts.push(trim(text.get(start..)?));
    Some(parts)
}

/// The text of a quoted string, escapes resolved (RFC 3261 §25.1); other text as it stands.
pub(crate) fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}

/// A quoted string that [`unquote`] gives back. CR and LF cannot be written and become spaces.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '\r' | '\n' => out.push(' '),
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_ascii_control() && c != '\t' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
