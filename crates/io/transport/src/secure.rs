//! DTLS-SRTP (RFC 5764) over ICE, or straight between two ports: the transport of browsers and of phones that agree on
//! keys in the media path.
//!
//! It is put together from an ICE agent (crate `is`) and a DTLS association (crate `dimpl`), the two that str0m is
//! made of, and from this crate's own SRTP. A whole `str0m::Rtc` would do the same and more: it keeps RTP streams,
//! a send queue with pacing and RTCP of its own, all of which a leg has already, and it copies and allocates for every
//! packet. Here a packet of media is looked up, decrypted into the caller's buffer and handed on, without an allocation.
//!
//! What falls short: peers whose certificate is RSA are refused ([`DtlsFailure::Certificate`] where they begin the
//! handshake, [`DtlsFailure::Protocol`] where we do), for `dimpl` has ECDSA alone.

mod direct;

use std::sync::Arc;
use std::time::Duration;

use tandem_base::{
    Candidate, Dtls, DtlsRole, DtlsTransport, IceCredentials, IceSide, Sink, SrtpSuite, Ssrc, Time,
};

use self::direct::{DirectPath, Hears};
use crate::clock::Clock;
use crate::dtls::{Association, DtlsFailure, DtlsOutput, Identity};
use crate::ice::{IceOutput, IcePath};
use crate::stun::DatagramKind;
use crate::{Datagram, Route, SrtpContext, SrtpError};

/// Handshakes without ICE that may break before the peer is given up: whoever sends nonsense from anywhere costs one.
const ATTEMPTS: u32 = 5;
/// How long after the first of them the peer has to begin another.
const SECOND_CHANCE: Duration = Duration::from_secs(10);

/// What a [`SecureTransport`] gives out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecureOutput {
    /// To be sent.
    Datagram(Datagram),
    /// To be told.
    Event(SecureEvent),
}

/// What became of the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecureEvent {
    /// The peer has proved to be there: its datagrams are this leg's ([`crate::Demux::learn`]).
    Proved(Route),
    /// Media go this way from now on.
    Path(Route),
    /// The peer no longer consents to be sent anything (RFC 7675): it is gone, or its network is. It may come back,
    /// which a [`SecureEvent::Path`] tells.
    Lost,
    /// Keys are agreed on, and the peer is who it said.
    Secured(SrtpSuite),
    /// There will be no keys.
    Failed(DtlsFailure),
    /// The peer ended the association.
    Closed,
}

/// What a datagram was good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// Taken, or dropped and counted.
    Nothing,
    /// An RTP packet of so many octets is in the buffer.
    Rtp(usize),
    /// An RTCP compound of so many octets is in the buffer.
    Rtcp(usize),
}

/// Datagrams that were dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecureDrops {
    /// Media before there were keys.
    pub early: u64,
    /// Media, or STUN, that somebody forged or that is under another key.
    pub unauthentic: u64,
    /// Came before.
    pub replayed: u64,
    /// Neither.
    pub malformed: u64,
    /// From where the peer is not.
    pub strangers: u64,
}

/// One leg's transport: all media of its BUNDLE group.
#[derive(Debug)]
pub struct SecureTransport {
    clock: Clock,
    identity: Arc<Identity>,
    path: Path,
    agreed: Option<Dtls>,
    association: Option<Association>,
    attempts: u32,
    // Why the last handshake broke, and when that is the end of it.
    broken: Option<(DtlsFailure, Time)>,
    failed: bool,
    srtp: SrtpContext,
    drops: SecureDrops,
}

/// How the peer is reached.
#[derive(Debug)]
enum Path {
    Ice(Box<IcePath>),
    Direct(Box<DirectPath>),
}

impl SecureTransport {
    /// With ICE: `side` is what our description says. `tie_breaker` is random (RFC 8445 §7.3.1.1). Checks that come before
    /// the peer's description are answered once it is there.
    pub fn with_ice(identity: Arc<Identity>, side: &IceSide, tie_breaker: u64) -> Self {
        let clock = Clock::new();
        SecureTransport::new(identity, clock, Path::Ice(Box::new(IcePath::new(side, tie_breaker, clock))))
    }

    /// Without ICE: `local` is our socket's address; the peer's comes with [`SecureTransport::announce`].
    pub fn direct(identity: Arc<Identity>, local: std::net::SocketAddr) -> Self {
        SecureTransport::new(identity, Clock::new(), Path::Direct(Box::new(DirectPath::new(local))))
    }

    fn new(identity: Arc<Identity>, clock: Clock, path: Path) -> Self {
        SecureTransport {
            clock,
            identity,
            path,
            agreed: None,
            association: None,
            attempts: 0,
            broken: None,
            failed: false,
            srtp: SrtpContext::new(),
            drops: SecureDrops::default(),
        }
    }

    /// What our description says of our certificate.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Without ICE: where the peer says that it is, by offer or answer. Under ICE this means nothing.
    pub fn announce(&mut self, remote: std::net::SocketAddr, now: Time) {
        if let Path::Direct(path) = &mut self.path {
            path.announce(remote, now);
        }
    }

    /// Takes what offer and answer settled. Keys stay as long as [`Dtls::association`] does; old ones are in force until new
    /// ones are there.
    pub fn negotiate(&mut self, agreed: &DtlsTransport, now: Time, out: &mut impl Sink<SecureOutput>) {
        let same = self.agreed.as_ref().is_some_and(|known| known.association == agreed.dtls.association);
        self.agreed = Some(agreed.dtls.clone());
        if !same {
            self.association = None;
            self.attempts = 0;
            self.broken = None;
            self.failed = false;
        }
        if let (Path::Ice(path), Some(ice)) = (&mut self.path, &agreed.ice) {
            let mut outputs = Vec::new();
            path.negotiate(ice, now, &mut outputs);
            self.tell_ice(outputs, now, out);
        }
        self.begin(now, out);
    }

    /// An ICE restart of ours, as our next offer announces it.
    pub fn restart(&mut self, credentials: &IceCredentials) {
        if let Path::Ice(path) = &mut self.path {
            path.restart(credentials);
        }
    }

    /// More candidates of our own, which the peer is told of.
    pub fn add_local(&mut self, candidates: &[Candidate]) {
        if let Path::Ice(path) = &mut self.path {
            path.add_local(candidates);
        }
    }

    /// Candidates of the peer's that came after its description (RFC 8838).
    pub fn add_remote(&mut self, candidates: &[Candidate], now: Time, out: &mut impl Sink<SecureOutput>) {
        if let Path::Ice(path) = &mut self.path {
            let mut outputs = Vec::new();
            path.add_remote(candidates, now, &mut outputs);
            self.tell_ice(outputs, now, out);
        }
    }

    /// Takes a datagram. What is media and authentic is decrypted into `plain`, which is of no use otherwise.
    pub fn receive(
        &mut self,
        route: Route,
        datagram: &[u8],
        plain: &mut [u8],
        now: Time,
        out: &mut impl Sink<SecureOutput>,
    ) -> Opened {
        match DatagramKind::of(datagram) {
            DatagramKind::Media => return self.open(route, datagram, plain, now),
            DatagramKind::Stun => self.receive_stun(route, datagram, now, out),
            DatagramKind::Dtls => self.receive_dtls(route, datagram, now, out),
            DatagramKind::Other => self.drops.malformed += 1,
        }
        Opened::Nothing
    }

    fn open(&mut self, route: Route, datagram: &[u8], plain: &mut [u8], now: Time) -> Opened {
        if !self.srtp.is_on() {
            self.drops.early += 1;
            return Opened::Nothing;
        }
        if let Path::Ice(path) = &self.path
            && !path.knows(route)
        {
            self.drops.strangers += 1;
            return Opened::Nothing;
        }
        // RFC 5761 §4.
        let rtcp = matches!(datagram.get(1), Some(192..=223));
        let opened = if rtcp {
            self.srtp.unprotect_rtcp(datagram, plain, now)
        } else {
            self.srtp.unprotect_rtp(datagram, plain, now)
        };
        match opened {
            Ok(_) if !self.accepts(route, rtcp, plain, now) => {
                self.drops.strangers += 1;
                Opened::Nothing
            }
            Ok(len) if rtcp => Opened::Rtcp(len),
            Ok(len) => Opened::Rtp(len),
            Err(error) => self.count(error),
        }
    }

    /// Without ICE the peer is followed where its authentic packets come from; with it, this path is alive.
    fn accepts(&mut self, route: Route, rtcp: bool, plain: &[u8], now: Time) -> bool {
        let path = match &mut self.path {
            Path::Ice(path) => {
                path.hear(route, now);
                return true;
            }
            Path::Direct(path) => path,
        };
        let at = if rtcp { 4..8 } else { 8..12 };
        let (Some(ssrc), Some([_, _, high, low])) =
            (plain.get(at).and_then(|octets| octets.first_chunk::<4>()), plain.first_chunk::<4>())
        else {
            return false;
        };
        let ssrc = Ssrc(u32::from_be_bytes(*ssrc));
        path.accepts(route.remote, ssrc, (!rtcp).then_some(u16::from_be_bytes([*high, *low])), now)
    }

    fn count(&mut self, error: SrtpError) -> Opened {
        *match error {
            SrtpError::Replayed => &mut self.drops.replayed,
            SrtpError::Malformed | SrtpError::NoRoom => &mut self.drops.malformed,
            _ => &mut self.drops.unauthentic,
        } += 1;
        Opened::Nothing
    }

    fn receive_stun(&mut self, route: Route, datagram: &[u8], now: Time, out: &mut impl Sink<SecureOutput>) {
        let Path::Ice(path) = &mut self.path else {
            self.drops.strangers += 1;
            return;
        };
        let mut outputs = Vec::new();
        if !path.receive(route, datagram, now, &mut outputs) {
            self.drops.unauthentic += 1;
        }
        self.tell_ice(outputs, now, out);
    }

    fn receive_dtls(&mut self, route: Route, datagram: &[u8], now: Time, out: &mut impl Sink<SecureOutput>) {
        let hears = match &mut self.path {
            Path::Ice(path) if path.knows(route) => Hears::Peer,
            Path::Ice(_) => Hears::Stranger,
            Path::Direct(path) => path.hears(route, datagram, now),
        };
        match hears {
            Hears::Peer => {}
            Hears::Another => self.association = None,
            Hears::Stranger => {
                self.drops.strangers += 1;
                return;
            }
        }
        self.begin(now, out);
        let Some(association) = &mut self.association else {
            self.drops.early += 1;
            return;
        };
        let mut outputs = Vec::new();
        association.receive(datagram, now, &mut |output| outputs.push(output));
        self.tell_dtls(Some(route), outputs, now, out);
    }

    /// The handshake begins once we know who the peer is and, as its client, where.
    fn begin(&mut self, now: Time, out: &mut impl Sink<SecureOutput>) {
        let Some(agreed) = self.agreed.as_ref().filter(|_| self.association.is_none() && !self.failed) else {
            return;
        };
        if agreed.role == DtlsRole::Client && self.peer().is_none() {
            return;
        }
        let cookie = matches!(self.path, Path::Direct(_));
        let association =
            Association::new(&self.identity, agreed.role, &agreed.remote, cookie, self.clock, now);
        self.association = Some(association);
        self.step_dtls(now, out);
    }

    fn step_dtls(&mut self, now: Time, out: &mut impl Sink<SecureOutput>) {
        let Some(association) = &mut self.association else { return };
        if association.deadline().is_some_and(|deadline| now >= deadline) {
            let mut outputs = Vec::new();
            association.handle_timeout(now, &mut |output| outputs.push(output));
            self.tell_dtls(None, outputs, now, out);
        }
    }

    /// `asked`: where the packet came from that is answered, which is as good as a path under way.
    fn tell_dtls(
        &mut self,
        asked: Option<Route>,
        outputs: Vec<DtlsOutput>,
        now: Time,
        out: &mut impl Sink<SecureOutput>,
    ) {
        for output in outputs {
            match output {
                DtlsOutput::Datagram(octets) => {
                    if let Some(Route { local, remote }) = asked.or(self.peer()) {
                        out.emit(SecureOutput::Datagram(Datagram { from: local, to: remote, octets }));
                    }
                }
                DtlsOutput::Keys(srtp) => {
                    self.broken = None;
                    // Another association, other streams: their counters begin anew (RFC 5764 §5.1).
                    self.srtp = SrtpContext::new();
                    if self.srtp.negotiate(Some(&srtp), now).is_err() {
                        self.fail(DtlsFailure::Own, now, out);
                        continue;
                    }
                    out.emit(SecureOutput::Event(SecureEvent::Secured(srtp.suite)));
                    self.settle(out);
                }
                DtlsOutput::Closed => out.emit(SecureOutput::Event(SecureEvent::Closed)),
                DtlsOutput::Failed(failure) => self.fail(failure, now, out),
            }
        }
    }

    /// Whoever was answered until now is the peer.
    fn settle(&mut self, out: &mut impl Sink<SecureOutput>) {
        if let Path::Direct(path) = &mut self.path
            && let Some(route) = path.settle()
        {
            out.emit(SecureOutput::Event(SecureEvent::Proved(route)));
            out.emit(SecureOutput::Event(SecureEvent::Path(route)));
        }
    }

    /// Without ICE anybody may have begun the handshake that broke, unless it came from where the peer was announced: the
    /// peer may begin another. Where we began it, the other side would take no second one.
    fn fail(&mut self, failure: DtlsFailure, now: Time, out: &mut impl Sink<SecureOutput>) {
        self.association = None;
        self.attempts += 1;
        let server = self.agreed.as_ref().is_some_and(|agreed| agreed.role == DtlsRole::Server);
        if let Path::Direct(path) = &mut self.path
            && server
            && self.attempts < ATTEMPTS
            && failure != DtlsFailure::Timeout
            && !path.is_announced()
        {
            path.unlatch();
            let until = self.broken.map_or(now + SECOND_CHANCE, |(_, until)| until);
            self.broken = Some((failure, until));
            return;
        }
        self.give_up(failure, out);
    }

    fn give_up(&mut self, failure: DtlsFailure, out: &mut impl Sink<SecureOutput>) {
        self.association = None;
        self.broken = None;
        self.failed = true;
        out.emit(SecureOutput::Event(SecureEvent::Failed(failure)));
    }

    fn tell_ice(&mut self, outputs: Vec<IceOutput>, now: Time, out: &mut impl Sink<SecureOutput>) {
        for output in outputs {
            match output {
                IceOutput::Datagram(datagram) => out.emit(SecureOutput::Datagram(datagram)),
                IceOutput::Proved(route) => out.emit(SecureOutput::Event(SecureEvent::Proved(route))),
                IceOutput::Selected(route) => {
                    out.emit(SecureOutput::Event(SecureEvent::Path(route)));
                    self.begin(now, out);
                }
                IceOutput::Lost => out.emit(SecureOutput::Event(SecureEvent::Lost)),
            }
        }
    }

    /// When [`SecureTransport::handle_timeout`] is due.
    pub fn deadline(&self) -> Option<Time> {
        let ice = if let Path::Ice(path) = &self.path { path.deadline() } else { None };
        let dtls = self.association.as_ref().and_then(Association::deadline);
        let broken = self.broken.map(|(_, until)| until);
        ice.into_iter().chain(dtls).chain(broken).min()
    }

    /// Checks, repeats, gives up.
    pub fn handle_timeout(&mut self, now: Time, out: &mut impl Sink<SecureOutput>) {
        if let Path::Ice(path) = &mut self.path {
            let mut outputs = Vec::new();
            path.handle_timeout(now, &mut outputs);
            self.tell_ice(outputs, now, out);
        }
        if let Some((failure, until)) = self.broken
            && now >= until
        {
            self.give_up(failure, out);
        }
        self.begin(now, out);
        self.step_dtls(now, out);
    }

    fn peer(&self) -> Option<Route> {
        match &self.path {
            Path::Ice(path) => path.selected(),
            Path::Direct(path) => path.peer(),
        }
    }

    /// Where media go; `None` while there is no key, no path, or no consent.
    pub fn destination(&self) -> Option<Route> {
        self.peer().filter(|_| self.srtp.is_on())
    }

    /// Are there keys?
    pub fn is_secured(&self) -> bool {
        self.srtp.is_on()
    }

    /// Encrypts and decrypts: [`SrtpContext::protect_rtp`] and its kind.
    pub const fn srtp(&mut self) -> &mut SrtpContext {
        &mut self.srtp
    }

    /// What was dropped so far.
    pub const fn drops(&self) -> SecureDrops {
        self.drops
    }

    /// Do we nominate, as things stand? `None` without ICE.
    pub fn is_controlling(&self) -> Option<bool> {
        if let Path::Ice(path) = &self.path { Some(path.is_controlling()) } else { None }
    }

    /// Says good-bye to the peer (RFC 8842 §5.5).
    pub fn close(&mut self, now: Time, out: &mut impl Sink<SecureOutput>) {
        let mut outputs = Vec::new();
        if let Some(association) = &mut self.association {
            association.close(&mut |output| outputs.push(output));
        }
        self.tell_dtls(None, outputs, now, out);
    }
}

#[cfg(test)]
mod tests;
