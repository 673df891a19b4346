use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// The host of a URI or a Via (RFC 3261 §25.1). Names compare without case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Host {
    /// A domain name, as written.
    Name(String),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address, written in brackets.
    V6(Ipv6Addr),
}

impl Host {
    /// `None` when it is neither an address nor a possible domain name.
    pub fn parse(text: &str) -> Option<Host> {
        if let Some(inner) = text.strip_prefix('[') {
            return parse_v6(inner.strip_suffix(']')?).map(Host::V6);
        }
        if let Ok(v4) = text.parse() {
            return Some(Host::V4(v4));
        }
        // The underscore is not in the grammar, but in the field.
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        let possible = !text.is_empty() && text.len() <= 255 && text.bytes().all(fits);
        (possible && !text.starts_with('.')).then(|| Host::Name(text.to_owned()))
    }

    /// The address, where it is one.
    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Host::Name(_) => None,
            Host::V4(v4) => Some(IpAddr::V4(*v4)),
            Host::V6(v6) => Some(IpAddr::V6(*v6)),
        }
    }
}

/// RFC 5118 §4.10: the grammar of RFC 3261 calls for `:::` before an embedded IPv4 address where it means `::`, and
/// both must be borne with. Written right.
fn parse_v6(text: &str) -> Option<Ipv6Addr> {
    if let Ok(v6) = text.parse() {
        return Some(v6);
    }
    let (head, v4) = text.split_once(":::")?;
    let v4: Ipv4Addr = v4.parse().ok()?;
    format!("{head}::{v4}").parse().ok()
}

impl From<IpAddr> for Host {
    fn from(ip: IpAddr) -> Host {
        match ip {
            IpAddr::V4(v4) => Host::V4(v4),
            IpAddr::V6(v6) => Host::V6(v6),
        }
    }
}

impl PartialEq for Host {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Host::Name(a), Host::Name(b)) => a.eq_ignore_ascii_case(b),
            _ => self.ip().is_some() && self.ip() == other.ip(),
        }
    }
}

impl Eq for Host {}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::V4(v4) => v4.fmt(f),
            Host::V6(v6) => write!(f, "[{v6}]"),
        }
    }
}
