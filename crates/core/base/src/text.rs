/// A short text of a fixed alphabet, as the grammar of a protocol bounds it: checked when made and when read back.
macro_rules! bounded_text {
    ($(#[$doc:meta])* $name:ident, $length:expr, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// `None` where the grammar does not allow it.
            pub fn new(text: &str) -> Option<Self> {
                let allowed: fn(u8) -> bool = $allowed;
                let fits = $length.contains(&text.len()) && text.bytes().all(allowed);
                fits.then(|| $name(text.into()))
            }

            /// As the wire has it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = crate::text::Unfit;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                let text = zeroize::Zeroizing::new(text);
                $name::new(&text).ok_or(crate::text::Unfit(stringify!($name)))
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.as_str().to_owned()
            }
        }
    };
}

/// The same, shown by `Debug` and `Display`.
macro_rules! open_text {
    ($(#[$doc:meta])* $name:ident, $length:expr, $allowed:expr) => {
        crate::text::bounded_text!($(#[$doc])* $name, $length, $allowed);

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use {bounded_text, open_text};

/// What was read back is none of these.
#[derive(Debug, thiserror::Error)]
#[error("not fit for {0}")]
pub struct Unfit(pub(crate) &'static str);

/// `ice-char` (RFC 8839 §5.1), which base64 also has.
pub(crate) const fn is_ice_char(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/')
}

/// `token-char` (RFC 8866 §9).
pub(crate) const fn is_token_char(octet: u8) -> bool {
    matches!(octet, 0x21 | 0x23..=0x27 | 0x2a..=0x2b | 0x2d..=0x2e | 0x30..=0x39 | 0x41..=0x5a | 0x5e..=0x7e)
}

/// `LEN` characters of 6 random bits each, of the alphabet of base64.
pub(crate) fn draw<const LEN: usize>(entropy: &mut impl crate::Entropy) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut octets = zeroize::Zeroizing::new([0; LEN]);
    entropy.fill(octets.as_mut_slice());
    let char = |octet: &u8| ALPHABET.get(usize::from(octet & 63)).map(|c| char::from(*c));
    octets.iter().filter_map(char).collect()
}
