use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// How SRTP protects packets: the crypto-suites of RFC 4568 §6.2, RFC 6188 §4 and RFC 7714 §14.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SrtpSuite {
    /// AES-128 in counter mode, HMAC-SHA1 cut to 80 bits (RFC 4568 §6.2.1): what everybody has.
    AesCm128HmacSha1_80,
    /// The same with 32 bits on RTP; RTCP keeps 80 (RFC 4568 §6.2.2).
    AesCm128HmacSha1_32,
    /// AES-192 (RFC 6188).
    AesCm192HmacSha1_80,
    /// AES-192 with 32 bits on RTP (RFC 6188).
    AesCm192HmacSha1_32,
    /// AES-256 (RFC 6188).
    AesCm256HmacSha1_80,
    /// AES-256 with 32 bits on RTP (RFC 6188).
    AesCm256HmacSha1_32,
    /// AES-128 in Galois/counter mode, tag of 128 bits (RFC 7714).
    AeadAes128Gcm,
    /// AES-256 in Galois/counter mode (RFC 7714).
    AeadAes256Gcm,
}

impl SrtpSuite {
    /// All of them, weakest last.
    pub const ALL: [SrtpSuite; 8] = [
        SrtpSuite::AeadAes256Gcm,
        SrtpSuite::AeadAes128Gcm,
        SrtpSuite::AesCm256HmacSha1_80,
        SrtpSuite::AesCm192HmacSha1_80,
        SrtpSuite::AesCm128HmacSha1_80,
        SrtpSuite::AesCm256HmacSha1_32,
        SrtpSuite::AesCm192HmacSha1_32,
        SrtpSuite::AesCm128HmacSha1_32,
    ];

    /// The name in `a=crypto`.
    pub const fn name(self) -> &'static str {
        match self {
            SrtpSuite::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            SrtpSuite::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
            SrtpSuite::AesCm192HmacSha1_80 => "AES_192_CM_HMAC_SHA1_80",
            SrtpSuite::AesCm192HmacSha1_32 => "AES_192_CM_HMAC_SHA1_32",
            SrtpSuite::AesCm256HmacSha1_80 => "AES_256_CM_HMAC_SHA1_80",
            SrtpSuite::AesCm256HmacSha1_32 => "AES_256_CM_HMAC_SHA1_32",
            SrtpSuite::AeadAes128Gcm => "AEAD_AES_128_GCM",
            SrtpSuite::AeadAes256Gcm => "AEAD_AES_256_GCM",
        }
    }

    /// By the name in `a=crypto`, in whatever case; `None` for what is not served.
    pub fn from_name(name: &str) -> Option<Self> {
        SrtpSuite::ALL.into_iter().find(|suite| suite.name().eq_ignore_ascii_case(name))
    }

    /// Octets of the master key: 16, 24 or 32.
    pub const fn key_len(self) -> usize {
        match self {
            SrtpSuite::AesCm128HmacSha1_80 | SrtpSuite::AesCm128HmacSha1_32 | SrtpSuite::AeadAes128Gcm => 16,
            SrtpSuite::AesCm192HmacSha1_80 | SrtpSuite::AesCm192HmacSha1_32 => 24,
            SrtpSuite::AesCm256HmacSha1_80 | SrtpSuite::AesCm256HmacSha1_32 | SrtpSuite::AeadAes256Gcm => 32,
        }
    }

    /// Octets of the master salt: 14, or 12 with GCM.
    pub const fn salt_len(self) -> usize {
        if self.is_aead() { 12 } else { 14 }
    }

    /// Octets of key and salt together, as `inline:` carries them.
    pub const fn master_len(self) -> usize {
        self.key_len() + self.salt_len()
    }

    /// Octets of the authentication tag on RTP: 10, 4 or 16.
    pub const fn rtp_tag_len(self) -> usize {
        match self {
            SrtpSuite::AesCm128HmacSha1_32
            | SrtpSuite::AesCm192HmacSha1_32
            | SrtpSuite::AesCm256HmacSha1_32 => 4,
            _ => self.rtcp_tag_len(),
        }
    }

    /// Octets of the authentication tag on RTCP: 10 or 16.
    pub const fn rtcp_tag_len(self) -> usize {
        if self.is_aead() { 16 } else { 10 }
    }

    /// Does one algorithm encrypt and authenticate (GCM)?
    pub const fn is_aead(self) -> bool {
        matches!(self, SrtpSuite::AeadAes128Gcm | SrtpSuite::AeadAes256Gcm)
    }
}

impl fmt::Display for SrtpSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Are media encrypted?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SrtpPolicy {
    /// Never: an offer of RTP/SAVP is refused.
    Off,
    /// Where the peer can (RFC 8643 where it offers RTP/AVP with keys).
    #[default]
    Optional,
    /// Always: a peer that cannot is refused.
    Required,
}

impl SrtpPolicy {
    /// As the configuration writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            SrtpPolicy::Off => "off",
            SrtpPolicy::Optional => "optional",
            SrtpPolicy::Required => "required",
        }
    }
}

/// A master key with its salt, 28 to 46 octets, key first. Never shown by `Debug`, and wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct SrtpMaster(Zeroizing<Box<[u8]>>);

impl SrtpMaster {
    /// Octets of the longest: AES-256 in counter mode.
    pub const MAX: usize = 46;

    /// Key and salt of `suite`, in this order; `None` where the length is not [`SrtpSuite::master_len`].
    pub fn new(suite: SrtpSuite, key_and_salt: &[u8]) -> Option<Self> {
        (key_and_salt.len() == suite.master_len()).then(|| SrtpMaster(Zeroizing::new(key_and_salt.into())))
    }

    /// Key and salt.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SrtpMaster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SrtpMaster(…)")
    }
}

impl Serialize for SrtpMaster {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_bytes().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SrtpMaster {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Zeroizing::new(Vec::<u8>::deserialize(deserializer)?);
        if bytes.len() > SrtpMaster::MAX {
            return Err(D::Error::custom("too long for an SRTP master key"));
        }
        Ok(SrtpMaster(Zeroizing::new(bytes.as_slice().into())))
    }
}

/// The master key identifier that packets carry in front of their tag (RFC 3711 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mki {
    /// Its value, big-endian on the wire.
    pub value: u64,
    /// Its octets on the wire: 1 to 128; those that `value` does not fill are zero.
    pub len: u8,
}

/// A master key and what goes with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SrtpKeying {
    /// Key and salt.
    pub master: SrtpMaster,
    /// `None`: packets carry none.
    pub mki: Option<Mki>,
    /// Packets of RTP, and of RTCP, that may be protected with it, by its sender's word (RFC 4568 §6.1); `None` is the
    /// suite's own limit, 2⁴⁸ of RTP and 2³¹ of RTCP (RFC 3711 §9.2).
    pub lifetime: Option<u64>,
}

/// How a stream is encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Srtp {
    /// Both ways.
    pub suite: SrtpSuite,
    /// What we protect with.
    pub send: SrtpKeying,
    /// What the peer protects with: one, or several of which each has a different [`Mki`] of equal length.
    pub receive: Vec<SrtpKeying>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_suites() {
        for suite in SrtpSuite::ALL {
            assert_eq!(SrtpSuite::from_name(&suite.name().to_ascii_lowercase()), Some(suite));
            assert!(suite.master_len() <= SrtpMaster::MAX);
        }
        assert_eq!(SrtpSuite::from_name("F8_128_HMAC_SHA1_80"), None);
    }

    #[test]
    fn keys_have_the_length_of_their_suite_and_are_never_shown() {
        let suite = SrtpSuite::AesCm128HmacSha1_80;
        assert_eq!(SrtpMaster::new(suite, &[0x5a; 29]), None);
        let master = SrtpMaster::new(suite, &[0x5a; 30]).unwrap();
        let keying = SrtpKeying { master, mki: Some(Mki { value: 7, len: 4 }), lifetime: None };
        let shown = format!("{:?}", Srtp { suite, send: keying.clone(), receive: vec![keying] });
        assert!(!shown.contains("90") && !shown.to_lowercase().contains("5a"), "{shown}");
    }
}
