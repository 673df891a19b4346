use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tandem_base::{
    Candidate, Dtls, DtlsRole, DtlsTransport, Fingerprint, Ice, IceCredentials, IceSide, Sink, Time,
};
use tandem_testkit::{Conditions, Network, Seeded};

use crate::*;

/// One of ours with everything that it gave out.
pub struct Peer {
    pub transport: SecureTransport,
    pub address: SocketAddr,
    pub events: Vec<SecureEvent>,
    /// Decrypted RTP.
    pub heard: Vec<Vec<u8>>,
    pub side: IceSide,
    sequence: u16,
}

pub fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub fn side(seed: u64, candidates: Vec<Candidate>, lite: bool) -> IceSide {
    let credentials = IceCredentials::draw(&mut Seeded::new(seed)).unwrap();
    IceSide { credentials, candidates, lite, trickle: true, complete: false }
}

pub fn identity(seed: u64) -> Arc<Identity> {
    Arc::new(Identity::generate(&mut Seeded::new(seed), Time::ZERO).unwrap())
}

pub fn rtp(ssrc: u32, sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 111];
    packet.extend(sequence.to_be_bytes());
    packet.extend(u32::from(sequence).wrapping_mul(960).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend([0x5a; 80]);
    packet
}

impl Peer {
    pub fn ice(seed: u64, at: &str, lite: bool) -> Peer {
        let at = address(at);
        let side = side(seed, local_candidates(&[at], &[]), lite);
        let transport = SecureTransport::with_ice(identity(seed), &side, seed);
        Peer::new(transport, at, side)
    }

    pub fn direct(seed: u64, at: &str) -> Peer {
        let at = address(at);
        Peer::new(SecureTransport::direct(identity(seed), at), at, side(seed, vec![], false))
    }

    fn new(transport: SecureTransport, address: SocketAddr, side: IceSide) -> Peer {
        Peer { transport, address, events: vec![], heard: vec![], side, sequence: 0 }
    }

    pub fn fingerprints(&self) -> Vec<Fingerprint> {
        self.transport.identity().fingerprints().to_vec()
    }

    pub fn saw(&self, wanted: impl Fn(&SecureEvent) -> bool) -> bool {
        self.events.iter().any(wanted)
    }

    pub fn is_ready(&self) -> bool {
        self.transport.destination().is_some()
    }
}

/// What both sides have settled, as the one sees it that begins the handshake where `client`.
pub fn agreement(
    ice: Option<(&IceSide, &IceSide)>,
    remote: Vec<Fingerprint>,
    client: bool,
    controlling: bool,
) -> DtlsTransport {
    let role = if client { DtlsRole::Client } else { DtlsRole::Server };
    let ice = ice.map(|(local, remote)| Ice {
        local: local.clone(),
        remote: remote.clone(),
        controlling,
        generation: 0,
    });
    DtlsTransport {
        dtls: Dtls { role, local: vec![], remote, association: 0, local_id: None, remote_id: None },
        ice,
        mid: None,
        bundle: vec![],
        rtcp_rsize: false,
        remote_ssrcs: vec![],
    }
}

/// Two peers, the path each way, and one clock.
pub struct Rig {
    pub now: Time,
    pub peers: [Peer; 2],
    paths: [Network<Datagram>; 2],
    /// The first peer's packets come from here, once it has moved.
    pub moved: Option<SocketAddr>,
    /// Datagrams that were meant for nobody here.
    pub astray: usize,
}

struct Outputs<'a> {
    path: &'a mut Network<Datagram>,
    events: &'a mut Vec<SecureEvent>,
    now: Time,
}

impl Sink<SecureOutput> for Outputs<'_> {
    fn emit(&mut self, output: SecureOutput) {
        match output {
            SecureOutput::Datagram(datagram) => self.path.send(datagram, self.now),
            SecureOutput::Event(event) => self.events.push(event),
        }
    }
}

impl Rig {
    pub fn new(peers: [Peer; 2], conditions: Conditions) -> Rig {
        let paths = [Network::new(conditions, 11), Network::new(conditions, 12)];
        Rig { now: Time::from_millis(1_000), peers, paths, moved: None, astray: 0 }
    }

    pub fn set_conditions(&mut self, conditions: Conditions) {
        self.paths.iter_mut().for_each(|path| path.set_conditions(conditions));
    }

    /// Acts on one peer, with its way out.
    pub fn with(
        &mut self,
        n: usize,
        act: impl FnOnce(&mut SecureTransport, Time, &mut dyn FnMut(SecureOutput)),
    ) {
        let Peer { transport, events, .. } = &mut self.peers[n];
        let mut out = Outputs { path: &mut self.paths[n], events, now: self.now };
        act(transport, self.now, &mut |output| out.emit(output));
    }

    pub fn negotiate(&mut self, n: usize, agreed: &DtlsTransport) {
        self.with(n, |transport, now, out| transport.negotiate(agreed, now, &mut Closure(out)));
    }

    /// Offer and answer with ICE: the first offers and is the DTLS server.
    pub fn agree(&mut self) {
        let [a, b] = &self.peers;
        let first = agreement(Some((&a.side, &b.side)), b.fingerprints(), false, !a.side.lite);
        let second = agreement(Some((&b.side, &a.side)), a.fingerprints(), true, a.side.lite);
        self.negotiate(0, &first);
        self.negotiate(1, &second);
    }

    /// Delivers what is due now, whatever it is.
    fn deliver(&mut self) {
        for from in [0, 1] {
            while let Some((_, mut datagram)) = self.paths[from].receive(self.now) {
                let to = 1 - from;
                if from == 0
                    && let Some(moved) = self.moved
                {
                    datagram.from = moved;
                }
                let old = to == 0 && self.moved.is_some() && datagram.to == self.peers[0].address;
                if old || (datagram.to != self.peers[to].address && Some(datagram.to) != self.moved) {
                    self.astray += 1;
                    continue;
                }
                let local = self.peers[to].address;
                self.inject(to, Route { local, remote: datagram.from }, &datagram.octets);
            }
        }
    }

    pub fn inject(&mut self, to: usize, route: Route, octets: &[u8]) -> Opened {
        let mut plain = [0; 2_048];
        let mut opened = Opened::Nothing;
        self.with(to, |transport, now, out| {
            opened = transport.receive(route, octets, &mut plain, now, &mut Closure(out));
        });
        if let Opened::Rtp(len) = opened {
            self.peers[to].heard.push(plain[..len].to_vec());
        }
        opened
    }

    /// Sends a packet of media, where there is a way to.
    pub fn say(&mut self, n: usize) -> bool {
        let Some(route) = self.peers[n].transport.destination() else { return false };
        let peer = &mut self.peers[n];
        peer.sequence += 1;
        let mut packet = rtp(n as u32 + 1, peer.sequence);
        let len = packet.len();
        packet.resize(len + SRTP_TRAILER, 0);
        let len = peer.transport.srtp().protect_rtp(&mut packet, len).unwrap();
        packet.truncate(len);
        self.paths[n].send(Datagram { from: route.local, to: route.remote, octets: packet }, self.now);
        true
    }

    /// Goes on until `done` or for so long; true where it was done.
    pub fn run(&mut self, limit: Duration, done: impl Fn(&Rig) -> bool) -> bool {
        let end = self.now + limit;
        loop {
            self.deliver();
            for n in [0, 1] {
                if self.peers[n].transport.deadline().is_some_and(|deadline| deadline <= self.now) {
                    self.with(n, |transport, now, out| transport.handle_timeout(now, &mut Closure(out)));
                }
            }
            if done(self) {
                return true;
            }
            let due = self.peers.iter().filter_map(|peer| peer.transport.deadline());
            let next = due.chain(self.paths.iter().filter_map(Network::deadline)).min().unwrap_or(end);
            // Whoever is due now has had its turn: time has to go on.
            let next = next.max(self.now + Duration::from_millis(1));
            if next > end {
                self.now = end;
                return false;
            }
            self.now = next;
        }
    }

    pub fn run_until_ready(&mut self, limit: Duration) -> bool {
        self.run(limit, |rig| rig.peers.iter().all(Peer::is_ready))
    }

    /// Both say something, and hear each other.
    pub fn talk(&mut self) {
        self.peers.iter_mut().for_each(|peer| peer.heard.clear());
        for _ in 0..10 {
            assert!(self.say(0) && self.say(1), "there is a way");
            self.run(Duration::from_millis(20), |_| false);
        }
        self.run(Duration::from_millis(300), |_| false);
        for (n, peer) in self.peers.iter().enumerate() {
            assert_eq!(peer.heard.len(), 10, "peer {n} heard all");
            assert!(peer.heard.iter().all(|packet| packet.ends_with(&[0x5a; 80])));
        }
    }
}

/// A closure as a sink.
pub struct Closure<'a>(pub &'a mut dyn FnMut(SecureOutput));

impl Sink<SecureOutput> for Closure<'_> {
    fn emit(&mut self, output: SecureOutput) {
        (self.0)(output);
    }
}
