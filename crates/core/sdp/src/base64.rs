//! Base64 (RFC 4648 §4), for keys: short, and not worth a dependency.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// With padding.
pub(crate) fn encode(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len().div_ceil(3) * 4);
    for chunk in octets.chunks(3) {
        let word = chunk.iter().chain(&[0; 3]).take(3).fold(0u32, |word, b| word << 8 | u32::from(*b));
        for place in 0..4usize {
            let digit = usize::try_from(word >> (18 - 6 * place) & 63).ok().and_then(|d| ALPHABET.get(d));
            let padded = place > chunk.len();
            text.push(digit.filter(|_| !padded).map_or('=', |d| char::from(*d)));
        }
    }
    text
}

/// At most `most` octets; padding may be missing, as some peers leave it out. `None` for anything else.
pub(crate) fn decode(text: &str, most: usize) -> Option<Vec<u8>> {
    let digits = text.strip_suffix("==").or(text.strip_suffix('=')).unwrap_or(text);
    let whole = digits.len() == text.len() || text.len().is_multiple_of(4);
    if !whole || digits.len() % 4 == 1 || digits.len() * 3 / 4 > most {
        return None;
    }
    let mut octets = Vec::with_capacity(most);
    for chunk in digits.as_bytes().chunks(4) {
        let mut word = 0u32;
        for digit in chunk {
            word = word << 6 | u32::try_from(ALPHABET.iter().position(|d| d == digit)?).ok()?;
        }
        let missing = 4 - chunk.len();
        let [_, bytes @ ..] = (word << (6 * missing)).to_be_bytes();
        octets.extend(bytes.iter().take(3 - missing));
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rfc_4648_10() {
        for (plain, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(text, 10).unwrap(), plain.as_bytes());
            assert_eq!(decode(text.trim_end_matches('='), 10).unwrap(), plain.as_bytes());
        }
        for odd in ["Z", "Zm9vY", "Zm9=v", "Z===", "Zg=", "Zm 9v", "Zm9v\n", "Zm-_", "="] {
            assert_eq!(decode(odd, 10), None, "{odd:?}");
        }
        assert_eq!(decode("Zm9vYmFy", 5), None);
    }

    proptest! {
        #[test]
        fn there_and_back(octets in prop::collection::vec(any::<u8>(), 0..60)) {
            prop_assert_eq!(decode(&encode(&octets), 60), Some(octets));
        }

        #[test]
        fn text_of_any_kind_does_no_harm(text in "\\PC{0,90}") {
            prop_assert!(decode(&text, 46).is_none_or(|octets| octets.len() <= 46));
        }
    }
}
