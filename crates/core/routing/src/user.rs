use std::borrow::Cow;

/// Undoes percent-escapes in the user part of a URI (RFC 3261 §19.1.2, §19.1.4).
///
/// `None` where an escape is not two hex digits or the result is not UTF-8: nobody has such a name.
pub(crate) fn unescape(user: &str) -> Option<Cow<'_, str>> {
    if !user.contains('%') {
        return Some(Cow::Borrowed(user));
    }
    let mut plain = Vec::with_capacity(user.len());
    let mut bytes = user.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = hex(bytes.next()?)?;
            let low = hex(bytes.next()?)?;
            plain.push(high << 4 | low);
        } else {
            plain.push(byte);
        }
    }
    String::from_utf8(plain).ok().map(Cow::Owned)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
