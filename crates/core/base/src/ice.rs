use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::Entropy;
use crate::text::{bounded_text, draw, is_ice_char, open_text};

open_text!(
    /// The name of an ICE agent's side, 4 to 256 characters (RFC 8839 §5.4).
    IceUfrag, (4..=256), is_ice_char
);

bounded_text!(
    /// What an ICE agent's STUN messages are signed with, 22 to 256 characters (RFC 8839 §5.4). Never shown by `Debug`,
    /// and wiped from memory when dropped.
    IcePassword, (22..=256), is_ice_char
);

open_text!(
    /// What candidates of one kind, base and server have in common, 1 to 32 characters (RFC 8445 §5.1.1.3).
    Foundation, (1..=32), is_ice_char
);

open_text!(
    /// A host name, 1 to 253 characters: what a browser puts in the place of its own address (`….local`, multicast DNS).
    HostName, (1..=253), |octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_')
);

impl Drop for IcePassword {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for IcePassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// One side's ICE credentials. Others mean an ICE restart (RFC 8839 §4.4.1.1.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceCredentials {
    /// Who.
    pub ufrag: IceUfrag,
    /// The secret.
    pub password: IcePassword,
}

impl IceCredentials {
    /// New ones, of 48 and 144 random bits (RFC 8839 §5.4 wants 24 and 128).
    ///
    /// `None` cannot happen: the lengths fit.
    pub fn draw(entropy: &mut impl Entropy) -> Option<Self> {
        let ufrag = IceUfrag::new(&draw::<8>(entropy))?;
        let password = IcePassword::try_from(draw::<24>(entropy)).ok()?;
        Some(IceCredentials { ufrag, password })
    }

    /// Did the other side restart (RFC 8839 §4.4.1.1.1: both change)? One alone is taken for a restart as well.
    pub fn differ_from(&self, before: &IceCredentials) -> bool {
        self != before
    }
}

/// Who opens the connection of a TCP candidate (RFC 6544 §4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TcpType {
    /// The candidate's owner; its port says nothing (9).
    Active,
    /// The other side.
    Passive,
    /// Both at once.
    SimultaneousOpen,
}

impl TcpType {
    /// As `tcptype` has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            TcpType::Active => "active",
            TcpType::Passive => "passive",
            TcpType::SimultaneousOpen => "so",
        }
    }
}

/// What carries a candidate's packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CandidateTransport {
    /// UDP.
    Udp,
    /// TCP with the framing of RFC 4571.
    Tcp(TcpType),
}

/// How a candidate was found (RFC 8445 §5.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CandidateKind {
    /// On an interface.
    Host,
    /// As a STUN server saw it.
    ServerReflexive,
    /// As the peer saw it.
    PeerReflexive,
    /// On a TURN server.
    Relayed,
}

impl CandidateKind {
    /// As `typ` has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            CandidateKind::Host => "host",
            CandidateKind::ServerReflexive => "srflx",
            CandidateKind::PeerReflexive => "prflx",
            CandidateKind::Relayed => "relay",
        }
    }
}

/// Where a candidate is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CandidateAddress {
    /// An address of one host.
    Ip(IpAddr),
    /// A name, which we do not look up: such a peer is found by its own checks (peer-reflexive).
    Name(HostName),
}

/// A place that an ICE agent may be reached at (RFC 8839 §5.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Candidate {
    /// Groups candidates.
    pub foundation: Foundation,
    /// 1 is RTP, and RTCP with it under rtcp-mux; 2 is RTCP.
    pub component: u8,
    /// UDP or TCP.
    pub transport: CandidateTransport,
    /// 1 to 2³¹ − 1, higher first.
    pub priority: u32,
    /// Where.
    pub address: CandidateAddress,
    /// Never 0.
    pub port: u16,
    /// How it was found.
    pub kind: CandidateKind,
    /// What it was found from (`raddr`, `rport`): of use in diagnosis alone.
    pub related: Option<SocketAddr>,
}

impl Candidate {
    /// Most of one side that are looked at.
    pub const MAX: usize = 64;

    /// Where checks may be sent; `None` under a name.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match self.address {
            CandidateAddress::Ip(ip) => Some(SocketAddr::new(ip, self.port)),
            CandidateAddress::Name(_) => None,
        }
    }
}

/// What one side says of its ICE agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceSide {
    /// Its credentials.
    pub credentials: IceCredentials,
    /// In the order of the description, at most [`Candidate::MAX`]; all of component 1.
    pub candidates: Vec<Candidate>,
    /// It answers checks and makes none (RFC 8445 §2.5).
    pub lite: bool,
    /// It takes and gives candidates later on (RFC 8838 §4, `a=ice-options:trickle`).
    pub trickle: bool,
    /// There will be no more candidates (RFC 8838, RFC 8840). Who does not trickle has given all there are.
    pub complete: bool,
}

/// ICE as offer and answer settled it. All media of the leg share one component (rtcp-mux).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ice {
    /// Ours.
    pub local: IceSide,
    /// The peer's.
    pub remote: IceSide,
    /// Do we nominate (RFC 8445 §6.1.1)?
    pub controlling: bool,
    /// Grows with every ICE restart of either side; the same number means that checks and pairs go on.
    pub generation: u32,
}
