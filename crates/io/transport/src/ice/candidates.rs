use std::net::{IpAddr, SocketAddr};

use is::Protocol;
use tandem_base::{Candidate, CandidateAddress, CandidateKind, CandidateTransport, Foundation};

/// Candidates for the description, preferred first: every address that one of our sockets is reached at, and those
/// that a STUN server has seen of them (mapped address, then base). Behind a one-to-one NAT the
/// advertised address stands in the place of the socket's own everywhere.
pub fn local_candidates(hosts: &[SocketAddr], reflexive: &[(SocketAddr, SocketAddr)]) -> Vec<Candidate> {
    let hosts = hosts.iter().map(|host| (*host, None));
    let reflexive = reflexive.iter().map(|(mapped, base)| (*mapped, Some(*base)));
    let mut all: Vec<Candidate> = Vec::new();
    for (n, (address, base)) in hosts.chain(reflexive).take(Candidate::MAX).enumerate() {
        let known = all.iter().any(|candidate| candidate.socket_addr() == Some(address));
        if !known && is_unicast(address) {
            all.extend(candidate(n, address, base));
        }
    }
    all
}

fn candidate(n: usize, address: SocketAddr, base: Option<SocketAddr>) -> Option<Candidate> {
    let kind = if base.is_some() { CandidateKind::ServerReflexive } else { CandidateKind::Host };
    let n = u32::try_from(n).ok()?;
    // RFC 8445 §5.1.2.1; its recommended type preferences are 126 and 100.
    let preference: u32 = if base.is_some() { 100 } else { 126 };
    Some(Candidate {
        // Each has a base of its own kind: what RFC 8445 §5.1.1.3 has share one, ours do not.
        foundation: Foundation::new(&(n + 1).to_string())?,
        component: 1,
        transport: CandidateTransport::Udp,
        priority: (preference << 24) | (0xffff_u32.saturating_sub(n) << 8) | 255,
        address: CandidateAddress::Ip(address.ip()),
        port: address.port(),
        kind,
        related: base,
    })
}

/// One of ours for the agent; `None` for what it does not have: relays, TCP.
pub fn local(candidate: &Candidate) -> Option<is::Candidate> {
    let address = udp(candidate)?;
    match (candidate.kind, candidate.related) {
        (CandidateKind::Host, _) => is::Candidate::host(address, Protocol::Udp).ok(),
        (CandidateKind::ServerReflexive, Some(base)) => {
            is::Candidate::server_reflexive(address, base, Protocol::Udp).ok()
        }
        _ => None,
    }
}

/// One of the peer's for the agent; `None` for what cannot be checked.
pub fn remote(candidate: &Candidate) -> Option<is::Candidate> {
    let address = udp(candidate)?;
    let kind = match candidate.kind {
        CandidateKind::Host => is::CandidateKind::Host,
        CandidateKind::ServerReflexive => is::CandidateKind::ServerReflexive,
        CandidateKind::PeerReflexive => is::CandidateKind::PeerReflexive,
        CandidateKind::Relayed => is::CandidateKind::Relayed,
    };
    let foundation = candidate.foundation.as_str().to_owned();
    Some(is::Candidate::from_parts(
        foundation,
        1,
        Protocol::Udp,
        candidate.priority,
        address,
        kind,
        candidate.related,
        None,
        None,
    ))
}

fn udp(candidate: &Candidate) -> Option<SocketAddr> {
    let usable = candidate.component == 1 && candidate.transport == CandidateTransport::Udp;
    candidate.socket_addr().filter(|address| usable && is_unicast(*address))
}

/// Somebody's own address. What only reaches many, or nobody, is not to be sent checks.
fn is_unicast(address: SocketAddr) -> bool {
    let broadcast = matches!(address.ip(), IpAddr::V4(ip) if ip.is_broadcast());
    !address.ip().is_unspecified() && !address.ip().is_multicast() && !broadcast && address.port() != 0
}
