use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::{Unfit, draw, is_token_char, open_text};
use crate::{Entropy, Ice, Srtp, Ssrc};

/// What a certificate is hashed with (RFC 8122 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum HashFunction {
    /// For old phones alone.
    Sha1,
    /// SHA-224.
    Sha224,
    /// What everybody has.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashFunction {
    /// All of them, weakest first; MD2 and MD5 must not be used (RFC 8122 §5).
    pub const ALL: [HashFunction; 5] = [
        HashFunction::Sha1,
        HashFunction::Sha224,
        HashFunction::Sha256,
        HashFunction::Sha384,
        HashFunction::Sha512,
    ];

    /// As `a=fingerprint` has it.
    pub const fn name(self) -> &'static str {
        match self {
            HashFunction::Sha1 => "sha-1",
            HashFunction::Sha224 => "sha-224",
            HashFunction::Sha256 => "sha-256",
            HashFunction::Sha384 => "sha-384",
            HashFunction::Sha512 => "sha-512",
        }
    }

    /// In whatever case; `None` for what is not served.
    pub fn from_name(name: &str) -> Option<Self> {
        HashFunction::ALL.into_iter().find(|hash| hash.name().eq_ignore_ascii_case(name))
    }

    /// Octets of its result.
    pub const fn digest_len(self) -> usize {
        match self {
            HashFunction::Sha1 => 20,
            HashFunction::Sha224 => 28,
            HashFunction::Sha256 => 32,
            HashFunction::Sha384 => 48,
            HashFunction::Sha512 => 64,
        }
    }
}

/// The hash of a certificate, by which one side knows the other's (RFC 8122 §5).
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "(HashFunction, Vec<u8>)", into = "(HashFunction, Vec<u8>)")]
pub struct Fingerprint {
    hash: HashFunction,
    digest: Box<[u8]>,
}

impl Fingerprint {
    /// Most of one side that are looked at.
    pub const MAX: usize = 8;

    /// `None` where the digest is not [`HashFunction::digest_len`] long.
    pub fn new(hash: HashFunction, digest: &[u8]) -> Option<Self> {
        (digest.len() == hash.digest_len()).then(|| Fingerprint { hash, digest: digest.into() })
    }

    /// How.
    pub const fn hash(&self) -> HashFunction {
        self.hash
    }

    /// The result.
    pub const fn digest(&self) -> &[u8] {
        &self.digest
    }
}

impl TryFrom<(HashFunction, Vec<u8>)> for Fingerprint {
    type Error = Unfit;

    fn try_from((hash, digest): (HashFunction, Vec<u8>)) -> Result<Self, Unfit> {
        Fingerprint::new(hash, &digest).ok_or(Unfit("Fingerprint"))
    }
}

impl From<Fingerprint> for (HashFunction, Vec<u8>) {
    fn from(fingerprint: Fingerprint) -> Self {
        (fingerprint.hash, fingerprint.digest.into_vec())
    }
}

/// As `a=fingerprint` has it: `sha-256 4A:AD:…`.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hash.name())?;
        for (n, octet) in self.digest.iter().enumerate() {
            write!(f, "{}{octet:02X}", if n == 0 { ' ' } else { ':' })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Who begins the DTLS handshake, as one description says it (RFC 4145 §4, RFC 8842 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DtlsSetup {
    /// Offers leave the choice to the answer.
    ActPass,
    /// Who says so.
    Active,
    /// The other side.
    Passive,
}

impl DtlsSetup {
    /// As `a=setup` has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            DtlsSetup::ActPass => "actpass",
            DtlsSetup::Active => "active",
            DtlsSetup::Passive => "passive",
        }
    }
}

/// Our part in the handshake, once settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DtlsRole {
    /// We send the ClientHello.
    Client,
    /// We wait for it.
    Server,
}

open_text!(
    /// Names one DTLS association, 20 to 255 characters (RFC 8842 §4).
    TlsId, (20..=255), |octet| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'-' | b'_')
);

impl TlsId {
    /// A new one, of 144 random bits (RFC 8842 §4 wants 120).
    ///
    /// `None` cannot happen: the length fits.
    pub fn draw(entropy: &mut impl Entropy) -> Option<Self> {
        TlsId::new(&draw::<24>(entropy))
    }
}

open_text!(
    /// The name of an m-line, 1 to 64 characters (RFC 5888 §4).
    Mid, (1..=64), is_token_char
);

/// DTLS-SRTP as offer and answer settled it (RFC 5763, RFC 8842).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dtls {
    /// Our part in the handshake.
    pub role: DtlsRole,
    /// Ours, as our description has them.
    pub local: Vec<Fingerprint>,
    /// The peer's certificate must have one of the strongest kind among these (RFC 8122 §5); never empty, at most
    /// [`Fingerprint::MAX`], strongest first.
    pub remote: Vec<Fingerprint>,
    /// Grows when a new handshake is due (RFC 8842 §3.1); the same number means that keys stay as they are.
    pub association: u32,
    /// Ours; `None` where the peer knows of none.
    pub local_id: Option<TlsId>,
    /// The peer's.
    pub remote_id: Option<TlsId>,
}

/// The transport of a DTLS leg: one for all media of its BUNDLE group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DtlsTransport {
    /// The keys' origin.
    pub dtls: Dtls,
    /// `None`: straight between the ports of both descriptions.
    pub ice: Option<Ice>,
    /// The audio m-line's name.
    pub mid: Option<Mid>,
    /// All m-lines that share this transport, the tagged one first (RFC 9143 §7.3); empty without BUNDLE.
    pub bundle: Vec<Mid>,
    /// RTCP may be of reduced size (RFC 5506).
    pub rtcp_rsize: bool,
    /// What the peer says that it sends under, its own order, at most [`DtlsTransport::MAX_SSRCS`]; often empty.
    pub remote_ssrcs: Vec<Ssrc>,
}

impl DtlsTransport {
    /// Most sources of a peer that are looked at.
    pub const MAX_SSRCS: usize = 16;
}

/// How a leg's media travel, and where their keys come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MediaTransport {
    /// In the clear.
    Plain,
    /// SRTP with keys from the description (RFC 4568).
    Sdes(Srtp),
    /// SRTP with keys from a DTLS handshake (RFC 5764), with or without ICE.
    Dtls(Box<DtlsTransport>),
}
