//! The notation of `messages/`: text with lines that end in LF here and in CRLF on the wire, and three marks.

/// Turns a message as written into what goes on the wire.
///
/// - `<hex>0D0A</hex>` stands for these octets (RFC 4475 §2.2);
/// - `<repeat count=3>ab</repeat>` for `ababab` (RFC 4475 §2.3);
/// - `<length/>` for the number of octets behind the first empty line; in the second message of a file, for those
///   behind its own.
///
/// # Panics
/// A mark is malformed.
pub fn octets(text: &str) -> Vec<u8> {
    // Two messages in one datagram stand apart by two empty lines.
    let messages: Vec<&str> = text.split("\n\n\n").collect();
    let last = messages.len() - 1;
    let mut out = Vec::new();
    for (i, message) in messages.into_iter().enumerate() {
        let whole = if i < last { format!("{message}\n\n") } else { message.to_owned() };
        out.extend(one(&whole));
    }
    out
}

fn one(text: &str) -> Vec<u8> {
    let (head, body) = text.split_once("\n\n").expect("a message has an empty line");
    let body = expand(body);
    let mut out = expand(&format!("{head}\n\n").replace("<length/>", &body.len().to_string()));
    out.extend(body);
    out
}

fn expand(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((plain, mark)) = next_mark(rest) {
        out.extend(lines(plain));
        rest = match mark.strip_prefix("<hex>") {
            Some(mark) => {
                let (digits, behind) = mark.split_once("</hex>").expect("</hex>");
                out.extend(digits.as_bytes().chunks(2).map(octet));
                behind
            }
            None => {
                let mark = mark.strip_prefix("<repeat count=").expect("a known mark");
                let (count, mark) = mark.split_once('>').expect("a count");
                let (what, behind) = mark.split_once("</repeat>").expect("</repeat>");
                out.extend(what.repeat(count.parse().expect("a number")).bytes());
                behind
            }
        };
    }
    out.extend(lines(rest));
    out
}

fn next_mark(text: &str) -> Option<(&str, &str)> {
    let at = [text.find("<hex>"), text.find("<repeat ")].into_iter().flatten().min()?;
    Some(text.split_at(at))
}

fn lines(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

fn octet(digits: &[u8]) -> u8 {
    u8::from_str_radix(std::str::from_utf8(digits).expect("ASCII"), 16).expect("two hexadecimal digits")
}

#[cfg(test)]
mod tests {
    use super::octets;

    #[test]
    fn marks_are_expanded() {
        let text = "A: <length/>\nB: <repeat count=2>ab</repeat><hex>00ff</hex>\n\nxy\n\n";
        assert_eq!(octets(text), b"A: 6\r\nB: abab\x00\xff\r\n\r\nxy\r\n\r\n");
    }

    #[test]
    fn two_messages_have_two_lengths() {
        assert_eq!(octets("l: <length/>\n\n\nl: <length/>\n\nxyz"), b"l: 0\r\n\r\nl: 3\r\n\r\nxyz");
    }
}
