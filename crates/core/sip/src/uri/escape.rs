use std::fmt::Write;

use crate::token::split_at_byte;

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Splits off the first byte, an escape `%hh` resolved; a `%` that is no escape stands for itself.
const fn first_byte(text: &[u8]) -> Option<(u8, &[u8])> {
    match text {
        [b'%', high, low, rest @ ..] => match (hex(*high), hex(*low)) {
            (Some(h), Some(l)) => Some((h * 16 + l, rest)),
            _ => split_plain(text),
        },
        _ => split_plain(text),
    }
}

const fn split_plain(text: &[u8]) -> Option<(u8, &[u8])> {
    match text {
        [byte, rest @ ..] => Some((*byte, rest)),
        [] => None,
    }
}

/// Resolves `%hh` escapes (RFC 3261 §19.1.2).
pub fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = first_byte(rest) {
        out.push(byte);
        rest = tail;
    }
    out
}

/// Is every `%` followed by two hexadecimal digits?
pub(super) fn escapes_are_whole(text: &str) -> bool {
    let Some((_, behind)) = split_at_byte(text, b'%') else { return true };
    let mut parts = behind.split('%');
    parts.all(|part| matches!(part.as_bytes(), [h, l, ..] if hex(*h).is_some() && hex(*l).is_some()))
}

/// RFC 3261 §25.1 `mark` and alphanumerics.
pub(super) const fn is_unreserved(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')')
}

/// RFC 3261 §25.1 `user-unreserved`.
pub(super) const fn is_user_unreserved(b: u8) -> bool {
    matches!(b, b'&' | b'=' | b'+' | b'$' | b',' | b';' | b'?' | b'/')
}

/// RFC 3261 §25.1 `param-unreserved`.
const fn is_param_unreserved(b: u8) -> bool {
    matches!(b, b'[' | b']' | b'/' | b':' | b'&' | b'+' | b'$')
}

/// Makes any text fit for a SIP URI's user part.
pub fn escape_user(text: &str) -> String {
    escape(text, is_user_unreserved)
}

/// Makes any text fit for the value of a URI parameter.
pub(super) fn escape_param(text: &str) -> String {
    escape(text, is_param_unreserved)
}

fn escape(text: &str, also: fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if is_unreserved(b) || also(b) {
            out.push(char::from(b));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{b:02X}");
        }
    }
    out
}
