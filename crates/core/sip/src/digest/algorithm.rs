use std::fmt;

use md5::Md5;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256, Sha512_256};

/// A hash function, the weakest first (RFC 8760 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Hash {
    /// For those who know nothing else (RFC 3261 §22.4).
    Md5,
    /// RFC 7616 §3.9.1.
    Sha256,
    /// SHA-512/256, as RFC 7616 §3.9.2 has it.
    Sha512Half,
}

/// The `algorithm` parameter (RFC 7616 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Algorithm {
    /// What is computed.
    pub hash: Hash,
    /// `-sess`: the key depends on the nonces too.
    pub session: bool,
}

/// An output of a [`Hash`]; those of MD5 fill the first half.
pub(super) type Output = [u8; 32];

impl Hash {
    const ALL: [Hash; 3] = [Hash::Md5, Hash::Sha256, Hash::Sha512Half];

    /// Octets of its output.
    pub const fn size(self) -> usize {
        match self {
            Hash::Md5 => 16,
            Hash::Sha256 | Hash::Sha512Half => 32,
        }
    }

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Hash::Md5 => "MD5",
            Hash::Sha256 => "SHA-256",
            Hash::Sha512Half => "SHA-512-256",
        }
    }

    /// Of the parts with colons between them.
    pub(super) fn of(self, parts: &[&str]) -> Output {
        self.of_bytes(parts.join(":").as_bytes())
    }

    /// Of a whole body.
    pub(super) fn of_bytes(self, bytes: &[u8]) -> Output {
        let mut output = [0; 32];
        match self {
            Hash::Md5 => {
                for (to, from) in output.iter_mut().zip(Md5::digest(bytes)) {
                    *to = from;
                }
            }
            Hash::Sha256 => output = Sha256::digest(bytes).into(),
            Hash::Sha512Half => output = Sha512_256::digest(bytes).into(),
        }
        output
    }

    /// In hexadecimal, as it goes into further hashes and on the wire.
    pub(super) fn hex(self, output: &Output) -> String {
        hex(output.get(..self.size()).unwrap_or(output))
    }

    /// The reverse, for any case of letters.
    pub(super) fn read_hex(self, text: &str) -> Option<Output> {
        let mut output = [0; 32];
        from_hex(text, output.get_mut(..self.size())?)?;
        Some(output)
    }
}

impl Algorithm {
    /// Without `-sess`.
    pub const fn new(hash: Hash) -> Self {
        Algorithm { hash, session: false }
    }

    /// Read without case; `None` for one that is not known.
    pub fn parse(text: &str) -> Option<Self> {
        Hash::ALL.into_iter().find_map(|hash| {
            let (name, rest) = text.split_at_checked(hash.name().len())?;
            let session = rest.eq_ignore_ascii_case("-sess");
            let fits = name.eq_ignore_ascii_case(hash.name()) && (rest.is_empty() || session);
            fits.then_some(Algorithm { hash, session })
        })
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hash.name())?;
        f.write_str(if self.session { "-sess" } else { "" })
    }
}

/// In lower case.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).filter_map(|n| char::from_digit(n.into(), 16)).collect()
}

/// Fills `out` exactly.
pub(super) fn from_hex(text: &str, out: &mut [u8]) -> Option<()> {
    if text.len() != out.len() * 2 {
        return None;
    }
    let mut digits = text.chars();
    let mut next = || u8::try_from(digits.next()?.to_digit(16)?).ok();
    for byte in out {
        *byte = next()? << 4 | next()?;
    }
    Some(())
}

/// Takes as long wherever the two differ.
pub(super) fn same(a: &Output, b: &Output) -> bool {
    let difference = a.iter().zip(b).fold(0, |all, (a, b)| std::hint::black_box(all | (a ^ b)));
    std::hint::black_box(difference) == 0
}
