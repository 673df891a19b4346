//! What has to be known of a datagram before anybody's key is: its protocol (RFC 7983), and whom a STUN message
//! (RFC 8489) is for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Octets of a STUN header.
const HEADER: usize = 20;
/// RFC 8489 §5.
pub(crate) const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
/// Octets of the longest STUN message that is read: beyond the path MTU none is sane.
const LONGEST: usize = 1_280;
/// Attributes of a message that are looked at.
const ATTRIBUTES: usize = 32;
/// Octets of the longest username (RFC 8489 §14.3).
const USERNAME_MAX: usize = 508;

const MAPPED_ADDRESS: u16 = 0x0001;
const USERNAME: u16 = 0x0006;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;

/// What the first octet says a datagram is (RFC 7983 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DatagramKind {
    /// 0 to 3.
    Stun,
    /// 20 to 63.
    Dtls,
    /// 128 to 191: RTP or RTCP.
    Media,
    /// ZRTP, TURN channels, anything else, or nothing at all.
    Other,
}

impl DatagramKind {
    /// Of this datagram.
    pub fn of(datagram: &[u8]) -> Self {
        match datagram.first() {
            Some(0..=3) => DatagramKind::Stun,
            Some(20..=63) => DatagramKind::Dtls,
            Some(128..=191) => DatagramKind::Media,
            _ => DatagramKind::Other,
        }
    }
}

/// The class of a STUN message (RFC 8489 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StunClass {
    /// Asks.
    Request,
    /// Asks for nothing.
    Indication,
    /// Answers.
    Success,
    /// Answers with an error.
    Error,
}

/// The outline of a Binding message: read, not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StunOutline<'a> {
    /// Its class.
    pub class: StunClass,
    /// Its transaction.
    pub transaction: [u8; 12],
    /// Who is asked and who asks, as `theirs:ours` of the sender.
    pub username: Option<&'a str>,
    /// As whom the answerer sees the asker.
    pub mapped: Option<SocketAddr>,
}

impl<'a> StunOutline<'a> {
    /// Reads a Binding message; `None` for anything else, and for what is malformed or too long.
    pub fn parse(datagram: &'a [u8]) -> Option<Self> {
        let (header, mut rest) = datagram.split_first_chunk::<HEADER>()?;
        let [t0, t1, l0, l1, c0, c1, c2, c3, transaction @ ..] = *header;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let sound = datagram.len() <= LONGEST && length.is_multiple_of(4) && length == rest.len();
        if !sound || [c0, c1, c2, c3] != COOKIE {
            return None;
        }
        let class = class(u16::from_be_bytes([t0, t1]))?;
        let mut outline = StunOutline { class, transaction, username: None, mapped: None };
        for _ in 0..ATTRIBUTES {
            if rest.is_empty() {
                return Some(outline);
            }
            rest = outline.attribute(rest)?;
        }
        rest.is_empty().then_some(outline)
    }

    /// The user name fragment that the receiver gave itself (RFC 8445 §7.2.2).
    pub fn local_ufrag(&self) -> Option<&'a str> {
        self.username?.split_once(':').map(|(local, _)| local)
    }

    fn attribute(&mut self, at: &'a [u8]) -> Option<&'a [u8]> {
        let ([t0, t1, l0, l1], rest) = at.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        let (padded, rest) = rest.split_at_checked(length.next_multiple_of(4))?;
        let value = padded.get(..length)?;
        match u16::from_be_bytes([*t0, *t1]) {
            USERNAME if self.username.is_none() => self.username = Some(username(value)?),
            XOR_MAPPED_ADDRESS => self.mapped = Some(address(value, &mask(self.transaction))?),
            MAPPED_ADDRESS => self.mapped = self.mapped.or(Some(address(value, &[0; 16])?)),
            _ => {}
        }
        Some(rest)
    }
}

/// Of a Binding message.
fn class(of: u16) -> Option<StunClass> {
    match of {
        0x0001 => Some(StunClass::Request),
        0x0011 => Some(StunClass::Indication),
        0x0101 => Some(StunClass::Success),
        0x0111 => Some(StunClass::Error),
        _ => None,
    }
}

fn username(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value.get(..value.len().min(USERNAME_MAX + 1))?)
        .ok()
        .filter(|name| name.len() <= USERNAME_MAX)
}

/// What the address is hidden with from meddling NATs (RFC 8489 §14.2).
fn mask(transaction: [u8; 12]) -> [u8; 16] {
    let mut mask = [0; 16];
    for (to, from) in mask.iter_mut().zip(COOKIE.iter().chain(&transaction)) {
        *to = *from;
    }
    mask
}

fn address(value: &[u8], mask: &[u8; 16]) -> Option<SocketAddr> {
    let ([_, family, p0, p1], ip) = value.split_first_chunk::<4>()?;
    let [m0, m1, ..] = *mask;
    let port = u16::from_be_bytes([p0 ^ m0, p1 ^ m1]);
    let ip: IpAddr = match family {
        1 => Ipv4Addr::from(unmask::<4>(ip, mask)?).into(),
        2 => Ipv6Addr::from(unmask::<16>(ip, mask)?).into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

fn unmask<const N: usize>(octets: &[u8], mask: &[u8; 16]) -> Option<[u8; N]> {
    let mut octets = *octets.first_chunk::<N>()?;
    octets.iter_mut().zip(mask).for_each(|(octet, mask)| *octet ^= mask);
    Some(octets)
}

/// A Binding request without credentials, to a STUN server (RFC 8489 §6).
pub(crate) fn binding_request(transaction: [u8; 12]) -> [u8; HEADER] {
    let mut request = [0; HEADER];
    let header = [0, 1, 0, 0];
    let octets = header.iter().chain(&COOKIE).chain(&transaction);
    request.iter_mut().zip(octets).for_each(|(to, from)| *to = *from);
    request
}
