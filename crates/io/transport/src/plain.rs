use std::net::SocketAddr;
use std::time::Duration;

use tandem_base::{Ssrc, Time};

/// Consecutive packets that an unannounced address must send before it counts as the peer's.
const PROBATION: u8 = 2;

/// How long the peer's address must be silent before its stream may go on from another one.
const SILENCE: Duration = Duration::from_millis(300);

/// How long the address that is latched on to may be silent and still be the only one that is listened to: less than
/// what it takes for another to take over.
const SETTLED: Duration = Duration::from_millis(200);

/// How far the sequence number may have run on meanwhile, per second of silence: 100 packets (10 ms each), and some.
const SEQUENCE_PER_SECOND: u64 = 120;

/// How long after a negotiation that left the address alone a silent peer may come back with another SSRC.
const REOPENED: Duration = Duration::from_secs(10);

/// Which of a leg's two sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Component {
    /// The even port: RTP, and RTCP under rtcp-mux.
    Rtp,
    /// The odd port.
    Rtcp,
}

/// Whose packets are the peer's, and where ours go: symmetric RTP (RFC 4961) with a guard against hijacking.
///
/// The address that the peer announced is believed at once. Behind a NAT packets come from another one: it is
/// latched on to after two consecutive packets, unless the announced address has spoken. From then on everybody
/// else is a stranger, except a source that continues the very same stream (SSRC and sequence number) after the
/// old address fell silent, or one that comes after a new negotiation.
#[derive(Clone, Debug)]
pub struct PlainTransport {
    remote: Option<Remote>,
    source: Option<Source>,
    candidate: Option<Candidate>,
    rtcp_source: Option<SocketAddr>,
    reopened_until: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Remote {
    rtp: SocketAddr,
    rtcp: SocketAddr,
    mux: bool,
}

/// Who is latched on to.
#[derive(Clone, Copy, Debug)]
struct Source {
    address: SocketAddr,
    ssrc: Ssrc,
    sequence: u16,
    heard: Time,
}

/// Who may become the source.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    address: SocketAddr,
    ssrc: Ssrc,
    sequence: u16,
    seen: u8,
}

impl Default for PlainTransport {
    fn default() -> Self {
        PlainTransport::new()
    }
}

impl PlainTransport {
    /// Before any negotiation: nobody is the peer, nothing is sent.
    pub const fn new() -> Self {
        PlainTransport {
            remote: None,
            source: None,
            candidate: None,
            rtcp_source: None,
            reopened_until: Time::ZERO,
        }
    }

    /// Takes what offer and answer say of the peer's addresses. A changed RTP address starts latching anew; an unchanged
    /// one keeps the source, which loses its claim if it is silent.
    pub fn negotiate(&mut self, rtp: SocketAddr, rtcp: SocketAddr, mux: bool, now: Time) {
        let (rtp, rtcp) = (canonical(rtp), canonical(rtcp));
        let moved = self.remote.is_some_and(|r| r.rtp != rtp && !is_nowhere(rtp) && !is_nowhere(r.rtp));
        if moved {
            self.source = None;
            self.rtcp_source = None;
        }
        if self.remote.is_some() {
            self.reopened_until = now + REOPENED;
        }
        self.candidate = None;
        self.remote = Some(Remote { rtp, rtcp, mux });
    }

    /// May this RTP packet be taken for the peer's? The caller has checked that it is well-formed and of a payload type
    /// that was agreed.
    pub fn accept_rtp(&mut self, from: SocketAddr, ssrc: Ssrc, sequence: u16, now: Time) -> bool {
        let from = canonical(from);
        let packet = Candidate { address: from, ssrc, sequence, seen: 1 };
        match self.source {
            Some(source) if source.address == from => self.latch(packet, now),
            Some(source) if !self.may_take_over(source, packet, now) => false,
            None if self.is_announced(from) => self.latch(packet, now),
            _ => self.probe(packet) && self.latch(packet, now),
        }
    }

    /// May this RTCP packet be taken for the peer's? `ssrc` is its sender's.
    pub fn accept_rtcp(&mut self, from: SocketAddr, ssrc: Ssrc) -> bool {
        let from = canonical(from);
        let Some(remote) = self.remote else { return false };
        let announced = from == remote.rtcp || from == remote.rtp;
        let accepted = match self.source {
            // A latched address speaks for its host: RTCP leaves from another port of it (RFC 4961 §4).
            Some(source) => {
                from == source.address || (from.ip() == source.address.ip() && source.ssrc == ssrc)
            }
            None => false,
        } || announced;
        if accepted && !remote.mux {
            self.rtcp_source = Some(from);
        }
        accepted
    }

    /// Where RTP goes; `None` before a negotiation and while the peer's address says "nowhere".
    pub fn rtp_destination(&self) -> Option<SocketAddr> {
        let remote = self.remote.filter(|r| !is_nowhere(r.rtp))?;
        Some(self.source.map_or(remote.rtp, |s| s.address))
    }

    /// Where RTCP goes and from which of our sockets; `None` as for RTP.
    pub fn rtcp_destination(&self) -> Option<(Component, SocketAddr)> {
        let remote = self.remote?;
        if remote.mux {
            return self.rtp_destination().map(|to| (Component::Rtp, to));
        }
        let to = self.rtcp_source.unwrap_or(remote.rtcp);
        if is_nowhere(to) { None } else { Some((Component::Rtcp, to)) }
    }

    /// The address that RTP comes from and goes to, as long as nobody else's would be taken anyhow: it is the announced
    /// one, and is heard at present. The socket may be connected to it.
    pub fn settled(&self, now: Time) -> Option<SocketAddr> {
        let source = self.source.filter(|s| self.is_announced(s.address))?;
        (now.since(source.heard) < SETTLED).then_some(source.address)
    }

    /// The address latched on to.
    pub fn source(&self) -> Option<SocketAddr> {
        self.source.map(|s| s.address)
    }

    fn is_announced(&self, from: SocketAddr) -> bool {
        self.remote.is_some_and(|r| r.rtp == from)
    }

    fn latch(&mut self, packet: Candidate, now: Time) -> bool {
        let Candidate { address, ssrc, sequence, .. } = packet;
        self.source = Some(Source { address, ssrc, sequence, heard: now });
        // Another address may be half-way through its probation; what the source sends does not end that.
        self.candidate = self.candidate.filter(|c| c.address != address);
        true
    }

    /// Counts consecutive packets of one stranger; true when there are enough.
    fn probe(&mut self, packet: Candidate) -> bool {
        let seen = match self.candidate {
            Some(c)
                if c.address == packet.address
                    && c.ssrc == packet.ssrc
                    && c.sequence.wrapping_add(1) == packet.sequence =>
            {
                c.seen + 1
            }
            _ => 1,
        };
        self.candidate = Some(Candidate { seen, ..packet });
        seen >= PROBATION
    }

    /// Whether somebody else than the source may go on to probation.
    fn may_take_over(&self, source: Source, packet: Candidate, now: Time) -> bool {
        if self.is_announced(packet.address) && !self.is_announced(source.address) {
            return true;
        }
        let silence = now.since(source.heard);
        if silence < SILENCE {
            return false;
        }
        continues(source, packet, silence) || now < self.reopened_until
    }
}

/// Is it the same stream, as far ahead as the silence allows?
fn continues(source: Source, packet: Candidate, silence: Duration) -> bool {
    let ahead = u128::from(packet.sequence.wrapping_sub(source.sequence));
    let allowed =
        silence.as_millis() * u128::from(SEQUENCE_PER_SECOND) / 1_000 + u128::from(SEQUENCE_PER_SECOND);
    packet.ssrc == source.ssrc && (1..=allowed.min(0x7fff)).contains(&ahead)
}

/// An unspecified address or port 0: the old way to hold (RFC 3264 §8.4), or a refused stream.
fn is_nowhere(address: SocketAddr) -> bool {
    address.ip().is_unspecified() || address.port() == 0
}

/// Without the IPv4-mapped form that dual-stack sockets report, and without scope and flow label.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
