use std::net::SocketAddr;
use std::time::Duration;

use tandem_base::{Ssrc, Time};

use crate::{PlainTransport, Route};

/// How long somebody who began a handshake has before another may: whoever keeps on beginning must not keep the peer out.
const PATIENCE: Duration = Duration::from_secs(2);

/// The way to a peer without ICE: where it says that it is, or where it shakes hands from.
#[derive(Debug)]
pub struct DirectPath {
    local: SocketAddr,
    plain: PlainTransport,
    announced: Option<SocketAddr>,
    latched: Option<Latched>,
}

/// Who shakes hands.
#[derive(Clone, Copy, Debug)]
struct Latched {
    address: SocketAddr,
    since: Time,
    proved: bool,
}

/// Whose a DTLS datagram is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hears {
    /// As far as one can tell.
    Peer,
    /// Of somebody else than the one before, who begins: so does the handshake.
    Another,
    /// Nobody's.
    Stranger,
}

impl DirectPath {
    pub const fn new(local: SocketAddr) -> Self {
        DirectPath { local, plain: PlainTransport::new(), announced: None, latched: None }
    }

    pub fn announce(&mut self, remote: SocketAddr, now: Time) {
        self.plain.negotiate(remote, remote, true, now);
        if self.announced.is_some_and(|known| known != remote) {
            self.latched = None;
        }
        self.announced = self.plain.rtp_destination().map(|_| remote);
    }

    /// May this DTLS datagram be the peer's? It is where it was announced or where it began; and from anywhere it may
    /// begin, unless somebody just has.
    pub fn hears(&mut self, route: Route, datagram: &[u8], now: Time) -> Hears {
        let address = route.remote;
        let announced = self.announced == Some(address);
        let fits = match self.latched {
            Some(latched) if latched.address == address => return Hears::Peer,
            Some(latched) if latched.proved => return self.hears_moved(address),
            Some(latched) if now.since(latched.since) < PATIENCE => announced && is_hello(datagram),
            Some(_) => is_hello(datagram),
            None => announced || is_hello(datagram),
        };
        if !fits {
            return Hears::Stranger;
        }
        let before = self.latched.replace(Latched { address, since: now, proved: false });
        if before.is_some() { Hears::Another } else { Hears::Peer }
    }

    fn hears_moved(&self, address: SocketAddr) -> Hears {
        if self.plain.source() == Some(address) { Hears::Peer } else { Hears::Stranger }
    }

    /// The one who shook hands is the peer.
    pub fn settle(&mut self) -> Option<Route> {
        match &mut self.latched {
            Some(latched) => latched.proved = true,
            None => {
                let address = self.announced?;
                self.latched = Some(Latched { address, since: Time::ZERO, proved: true });
            }
        }
        self.peer()
    }

    /// Does whoever shakes hands do so from where the peer was announced?
    pub fn is_announced(&self) -> bool {
        self.announced.is_some() && self.latched.is_none_or(|latched| self.announced == Some(latched.address))
    }

    /// The one who shook hands is not.
    pub const fn unlatch(&mut self) {
        self.latched = None;
    }

    /// Where to send: where media come from, else where the handshake did, else where the peer said.
    pub fn peer(&self) -> Option<Route> {
        let latched = self.latched.map(|latched| latched.address);
        let remote = self.plain.source().or(latched).or(self.announced)?;
        Some(Route { local: self.local, remote })
    }

    /// May this authentic packet be taken? `sequence`: of RTP.
    pub fn accepts(&mut self, from: SocketAddr, ssrc: Ssrc, sequence: Option<u16>, now: Time) -> bool {
        let proved = self.latched.is_some_and(|latched| latched.proved && latched.address == from);
        match sequence {
            Some(sequence) if proved && self.plain.source().is_none() => {
                // Who has shaken hands need not be probed.
                self.plain.accept_rtp(from, ssrc, sequence, now);
                true
            }
            Some(sequence) => self.plain.accept_rtp(from, ssrc, sequence, now),
            None => proved || self.plain.accept_rtcp(from, ssrc),
        }
    }
}

/// The beginning of a ClientHello (RFC 6347 §4.3.2): from anybody else nothing can begin.
fn is_hello(datagram: &[u8]) -> bool {
    datagram.first() == Some(&22) && datagram.get(13) == Some(&1)
}
