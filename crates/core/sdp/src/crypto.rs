//! `a=crypto`: keys for SRTP in the description (RFC 4568).

use std::fmt;

use sdp_types::{Attribute, Session};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use tandem_base::{Mki, SrtpKeying, SrtpMaster, SrtpSuite};
use zeroize::{Zeroize, Zeroizing};

use crate::base64;
use crate::explanation::quotable;

/// `a=crypto` attributes of one m-line that are looked at.
const MAX_CRYPTO: usize = 32;
/// Master keys that one attribute may bring.
const MAX_KEYS: usize = 4;
/// Digits of a tag (RFC 4568 §9.1).
const MAX_TAG_DIGITS: usize = 9;
/// Packets that the suites allow a key for (RFC 3711 §9.2).
const MAX_LIFETIME: u64 = 1 << 48;

/// A crypto attribute that we can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Crypto {
    pub(crate) tag: u32,
    pub(crate) suite: SrtpSuite,
    /// At least one.
    pub(crate) keys: Vec<SrtpKeying>,
}

/// Why a crypto attribute cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Not of the form that RFC 4568 §9.1 wants.
    Syntax,
    /// A suite that is not served.
    Suite(String),
    /// Not a key of the suite's length in base64.
    Key,
    /// A lifetime of nothing or of more than the suite allows.
    Lifetime,
    /// Several keys of which not each has an MKI of its own, or an MKI too long (RFC 4568 §6.1).
    Mki,
    /// A session parameter that we do not keep to (RFC 4568 §6.3).
    Parameter(String),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flaw::Syntax => f.write_str("it cannot be read"),
            Flaw::Suite(name) => write!(f, "the suite {name} is not served"),
            Flaw::Key => f.write_str("its key does not fit its suite"),
            Flaw::Lifetime => f.write_str("no key lives that long"),
            Flaw::Mki => f.write_str("its keys cannot be told apart by their MKI"),
            Flaw::Parameter(name) => write!(f, "the session parameter {name} is not served"),
        }
    }
}

/// Reads the values of an m-line's crypto attributes, the offerer's favourite first.
pub(crate) fn attributes<'a>(values: impl Iterator<Item = &'a str>) -> Vec<Result<Crypto, Flaw>> {
    values.take(MAX_CRYPTO).map(attribute).collect()
}

/// `tag suite inline:key|lifetime|MKI:length;inline:… parameter parameter`
fn attribute(value: &str) -> Result<Crypto, Flaw> {
    let mut fields = value.split_ascii_whitespace();
    let (Some(tag), Some(suite), Some(keys)) = (fields.next(), fields.next(), fields.next()) else {
        return Err(Flaw::Syntax);
    };
    let digits = tag.len() <= MAX_TAG_DIGITS && tag.bytes().all(|b| b.is_ascii_digit());
    let tag = tag.parse().ok().filter(|_| digits).ok_or(Flaw::Syntax)?;
    let suite = SrtpSuite::from_name(suite).ok_or_else(|| Flaw::Suite(quotable(suite)))?;
    if let Some(unknown) = fields.find(|field| !is_harmless(field)) {
        return Err(Flaw::Parameter(quotable(unknown)));
    }
    Ok(Crypto { tag, suite, keys: keyings(suite, keys)? })
}

/// What may be there without our doing anything about it: the peer's replay window (RFC 4568 §6.3.6), and what says
/// itself that it may be ignored (§6.3.7). All else would have to be kept to.
fn is_harmless(parameter: &str) -> bool {
    let name = parameter.split('=').next().unwrap_or_default();
    parameter.starts_with('-') || name.eq_ignore_ascii_case("WSH")
}

fn keyings(suite: SrtpSuite, text: &str) -> Result<Vec<SrtpKeying>, Flaw> {
    let keys: Vec<SrtpKeying> =
        text.split(';').take(MAX_KEYS + 1).map(|key| keying(suite, key)).collect::<Result<_, _>>()?;
    let several = keys.len() > 1;
    let distinct = |(n, key): (usize, &SrtpKeying)| {
        let others = keys.iter().take(n);
        let len = key.mki.map(|mki| mki.len);
        key.mki.is_some() && others.into_iter().all(|o| o.mki != key.mki && o.mki.map(|mki| mki.len) == len)
    };
    if keys.len() > MAX_KEYS || several && !keys.iter().enumerate().all(distinct) {
        return Err(Flaw::Mki);
    }
    Ok(keys)
}

/// `inline:base64|lifetime|MKI:length`, the last two in this order and each optional (RFC 4568 §6.1).
fn keying(suite: SrtpSuite, text: &str) -> Result<SrtpKeying, Flaw> {
    let (method, info) = text.split_once(':').ok_or(Flaw::Syntax)?;
    if !method.eq_ignore_ascii_case("inline") {
        return Err(Flaw::Syntax);
    }
    let mut parts = info.split('|');
    let octets = parts.next().and_then(|key| base64::decode(key, SrtpMaster::MAX)).map(Zeroizing::new);
    let master = octets.and_then(|octets| SrtpMaster::new(suite, &octets));
    let mut keying = SrtpKeying { master: master.ok_or(Flaw::Key)?, mki: None, lifetime: None };
    for (place, part) in parts.enumerate() {
        match part.split_once(':') {
            Some((value, len)) if keying.mki.is_none() => keying.mki = Some(mki(value, len)?),
            None if place == 0 => keying.lifetime = Some(lifetime(part)?),
            _ => return Err(Flaw::Syntax),
        }
    }
    Ok(keying)
}

fn mki(value: &str, len: &str) -> Result<Mki, Flaw> {
    let value: u64 = value.parse().map_err(|_| Flaw::Mki)?;
    let len: u8 = len.parse().ok().filter(|len| (1..=128).contains(len)).ok_or(Flaw::Mki)?;
    let bits = u64::BITS - value.leading_zeros();
    if bits > u32::from(len) * 8 { Err(Flaw::Mki) } else { Ok(Mki { value, len }) }
}

/// A number of packets, or a power of two.
fn lifetime(text: &str) -> Result<u64, Flaw> {
    let packets = match text.split_once('^') {
        Some(("2", exponent)) => exponent.parse().ok().and_then(|e| 1u64.checked_shl(e)),
        Some(_) => None,
        None => text.parse().ok(),
    };
    packets.filter(|n| (1..=MAX_LIFETIME).contains(n)).ok_or(Flaw::Lifetime)
}

/// A crypto attribute of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OurCrypto {
    pub(crate) tag: u32,
    pub(crate) suite: SrtpSuite,
    pub(crate) key: SrtpMaster,
}

impl OurCrypto {
    /// Its value. The lifetime is the suite's own, and there is one key, which needs no MKI.
    pub(crate) fn value(&self) -> String {
        let key = Zeroizing::new(base64::encode(self.key.as_bytes()));
        format!("{} {} inline:{}", self.tag, self.suite, *key)
    }

    /// As the media side takes it.
    pub(crate) fn keying(&self) -> SrtpKeying {
        SrtpKeying { master: self.key.clone(), mki: None, lifetime: None }
    }
}

/// Wipes the keys of a description that was read or is written.
pub(crate) fn wipe(session: &mut Session) {
    let of_media = session.medias.iter_mut().flat_map(|media| &mut media.attributes);
    let is_secret = |a: &&mut Attribute| {
        ["crypto", "ice-pwd"].iter().any(|name| a.attribute.trim().eq_ignore_ascii_case(name))
    };
    for attribute in of_media.chain(&mut session.attributes).filter(is_secret) {
        attribute.value.zeroize();
    }
}

/// Octets of one suite's place.
const SLOT: usize = SrtpMaster::MAX;

/// Our master keys for one call, one for each suite, so that no key ever serves two suites.
///
/// They stay the same for as long as the call lives: descriptions that change nothing else keep the keys too.
/// Neither `Debug` nor anything else shows them, and they are wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnKeys(Zeroizing<Box<[u8]>>);

impl OwnKeys {
    /// Random octets that they are made of.
    pub const LEN: usize = SLOT * SrtpSuite::ALL.len();

    /// From cryptographically strong random octets, drawn for this call alone.
    pub fn new(random: [u8; OwnKeys::LEN]) -> Self {
        OwnKeys(Zeroizing::new(Zeroizing::new(random).as_slice().into()))
    }

    /// The key for a suite; `None` cannot happen, since each suite has its place.
    pub(crate) fn of(&self, suite: SrtpSuite) -> Option<SrtpMaster> {
        let place = SrtpSuite::ALL.iter().position(|known| *known == suite)?;
        let octets = self.0.chunks(SLOT).nth(place)?;
        SrtpMaster::new(suite, octets.get(..suite.master_len())?)
    }
}

impl fmt::Debug for OwnKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnKeys(…)")
    }
}

impl Serialize for OwnKeys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for OwnKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let octets = Zeroizing::new(Vec::<u8>::deserialize(deserializer)?);
        let octets = octets.first_chunk().filter(|_| octets.len() == OwnKeys::LEN);
        octets.map(|octets| OwnKeys::new(*octets)).ok_or_else(|| D::Error::custom("keys of another length"))
    }
}
