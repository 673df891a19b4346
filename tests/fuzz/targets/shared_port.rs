//! Datagrams on the port that secure legs share: none breaks the demultiplexer, STUN, ICE or DTLS, none is taken for
//! media, each is somebody's or counted, and what is answered and kept stays bounded.
#![no_main]

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use tandem_base::{Dtls, DtlsRole, DtlsTransport, Ice, IceCredentials, IcePassword, IceSide, IceUfrag, Time};
use tandem_testkit::Seeded;
use tandem_transport::{
    Demux, Destination, Identity, Opened, ReflexiveAddress, Route, SecureOutput, SecureTransport,
    StunOutline, local_candidates,
};

// Each datagram comes after an octet that says from where, and one that says how long it is, in units of four.
fuzz_target!(|input: &[u8]| {
    let mut port = Port::new();
    let mut rest = input;
    while let [from, units, tail @ ..] = rest {
        let (datagram, tail) = tail.split_at(tail.len().min(usize::from(*units) * 4));
        port.take(*from, datagram);
        rest = tail;
    }
});

/// Two legs: one with ICE, one without.
struct Port {
    demux: Demux<usize>,
    legs: [SecureTransport; 2],
    reflexive: ReflexiveAddress,
    now: Time,
    taken: u64,
    routed: u64,
}

fn ours() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 4_000))
}

fn theirs(port: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 2], 5_000 + u16::from(port % 4)))
}

fn identity() -> Arc<Identity> {
    static IDENTITY: OnceLock<Arc<Identity>> = OnceLock::new();
    let make = || Arc::new(Identity::generate(&mut Seeded::new(1), Time::ZERO).expect("a certificate"));
    IDENTITY.get_or_init(make).clone()
}

fn side(ufrag: &str, at: SocketAddr) -> IceSide {
    let ufrag = IceUfrag::new(ufrag).expect("fits");
    let credentials = IceCredentials { ufrag, password: IcePassword::new(&"p".repeat(24)).expect("fits") };
    let candidates = local_candidates(&[at], &[]);
    IceSide { credentials, candidates, lite: false, trickle: true, complete: true }
}

fn agreed(ice: Option<Ice>) -> DtlsTransport {
    let remote = identity().fingerprints().to_vec();
    let role = DtlsRole::Server;
    DtlsTransport {
        dtls: Dtls { role, local: vec![], remote, association: 0, local_id: None, remote_id: None },
        ice,
        mid: None,
        bundle: vec![],
        rtcp_rsize: false,
        remote_ssrcs: vec![],
    }
}

impl Port {
    fn new() -> Self {
        let (local, remote) = (side("ours", ours()), side("them", theirs(0)));
        let mut legs =
            [SecureTransport::with_ice(identity(), &local, 1), SecureTransport::direct(identity(), ours())];
        let now = Time::from_millis(1);
        let ice = Ice { local, remote, controlling: false, generation: 0 };
        let mut outputs: Vec<SecureOutput> = Vec::new();
        legs[0].negotiate(&agreed(Some(ice)), now, &mut outputs);
        legs[1].announce(theirs(1), now);
        legs[1].negotiate(&agreed(None), now, &mut outputs);
        let mut demux = Demux::new();
        assert!(demux.name(0, "ours") && demux.name(1, "none"));
        demux.expect(0, Route { local: ours(), remote: theirs(0) });
        demux.learn(1, Route { local: ours(), remote: theirs(1) });
        let mut reflexive = ReflexiveAddress::new(ours(), theirs(2));
        reflexive.handle_timeout(&mut Seeded::new(2), now, &mut Vec::new());
        Port { demux, legs, reflexive, now, taken: 0, routed: 0 }
    }

    fn take(&mut self, from: u8, datagram: &[u8]) {
        self.now += std::time::Duration::from_millis(u64::from(from));
        self.taken += 1;
        let route = Route { local: ours(), remote: theirs(from) };
        let _ = StunOutline::parse(datagram);
        assert!(!self.reflexive.receive(theirs(2), datagram, self.now), "nobody knows the transaction");
        if let Destination::Leg(leg, _) = self.demux.route(route, datagram) {
            self.routed += 1;
            self.give(leg, route, datagram);
        }
        let strangers = self.demux.strangers();
        let counted = strangers.stun + strangers.dtls + strangers.media + strangers.other;
        assert_eq!(counted + self.routed, self.taken);
        assert!(self.demux.routes() <= 64);
    }

    fn give(&mut self, leg: usize, route: Route, datagram: &[u8]) {
        let mut outputs = Vec::new();
        let mut plain = [0; 2_048];
        let transport = &mut self.legs[leg];
        let opened = transport.receive(route, datagram, &mut plain, self.now, &mut outputs);
        assert_eq!(opened, Opened::Nothing, "there are no keys");
        if transport.deadline().is_some_and(|deadline| deadline <= self.now) {
            transport.handle_timeout(self.now, &mut outputs);
        }
        assert!(outputs.len() <= 64, "{} outputs for one datagram", outputs.len());
        assert!(!transport.is_secured());
        for output in outputs {
            if let SecureOutput::Event(tandem_transport::SecureEvent::Proved(route)) = output {
                self.demux.learn(leg, route);
            }
        }
    }
}
