//! How much is read from a socket in one tick.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use tandem_base::{
    Attachment, AudioFormat, ConferenceId, Epoch, LegId, MediaEvent, PayloadType, RoomAudio, Time,
};
use tandem_rtp::telephone_event::Key;
use tandem_testkit::Seeded;
use tandem_transport::PortPool;

use super::phone::{Phone, event_payload_type, stream};
use super::stage::{FOR_EVER, OPUS, conference};
use crate::codecs::Codecs;
use crate::group::Member;
use crate::leg::{Configuration, Leg, MAX_DATAGRAM};
use crate::phase::Phase;
use crate::sockets::Sockets;
use crate::surroundings::{Surroundings, Tally};
use crate::sys::{Clock, Intake, StampOffset, enable_timestamps};

use AudioFormat::Pcmu;

#[test]
fn after_the_next_packet_no_other_is_looked_for() {
    for format in [Pcmu, OPUS] {
        let mut stage = conference();
        let n = stage.join(format, 20, None);
        let (address, first) = (stage.phones[n].address, stage.phones[n].speak());
        let at = stage.now - Duration::from_millis(7);
        assert!(!stage.arrive_at(n, address, &first, at), "nothing is known yet");
        for _ in 0..20 {
            stage.tick();
            stage.now += Duration::from_millis(20);
            let (packet, at) = (stage.phones[n].speak(), stage.now - Duration::from_millis(7));
            assert!(stage.arrive_at(n, address, &packet, at));
        }
    }
}

#[test]
fn after_anything_else_there_may_be_more() {
    let mut stage = conference();
    let n = stage.join(Pcmu, 20, None);
    stage.run(20);
    let address = stage.phones[n].address;
    let [one, two] = [0, 1].map(|_| stage.phones[n].speak());
    assert!(!stage.arrive(n, address, &two), "one overtook another");
    assert!(!stage.arrive(n, address, &one), "late");
    assert!(!stage.arrive(n, address, &one), "twice");
    let key = stage.phones[n].packet(event_payload_type(), &[1, 10, 0, 160]);
    assert!(!stage.arrive(n, address, &key), "a key");
    let half = stage.phones[n].packet(PayloadType::PCMU, &[0xff; 80]);
    assert!(!stage.arrive(n, address, &half), "10 ms");
    let stranger: SocketAddr = "192.0.2.77:9".parse().unwrap();
    let packet = stage.phones[n].speak();
    assert!(!stage.arrive(n, stranger, &packet), "a stranger");
    assert!(!stage.arrive(n, address, &[0x80]), "malformed");
    assert!(!stage.arrive(n, address, &[0x80, 201, 0, 1, 0, 0, 0, 1]), "a report");
}

/// A phase with its sockets, as a worker runs it.
struct Desk {
    phase: Phase,
    pool: PortPool,
    clock: Clock,
    intake: Intake,
    tally: Tally,
    events: Vec<MediaEvent>,
    keys: Vec<Key>,
    datagram: Box<[u8; MAX_DATAGRAM]>,
}

/// The peer of a leg.
struct Peer {
    socket: UdpSocket,
    phone: Phone,
}

impl Peer {
    fn speak(&mut self, packets: usize) {
        for _ in 0..packets {
            self.socket.send(&self.phone.speak()).unwrap();
        }
    }
}

impl Desk {
    fn new(ports: &str) -> Self {
        Desk::bound(Ipv4Addr::LOCALHOST, ports)
    }

    fn bound(to: Ipv4Addr, ports: &str) -> Self {
        Desk {
            phase: Phase::new().unwrap(),
            pool: PortPool::new(to.into(), Some(Ipv4Addr::LOCALHOST.into()), ports.parse().unwrap(), 0)
                .unwrap(),
            clock: Clock::new(),
            intake: Intake::new(),
            tally: Tally::default(),
            events: Vec::new(),
            keys: Vec::new(),
            datagram: Box::new([0; MAX_DATAGRAM]),
        }
    }

    /// A leg in a conference of its own.
    fn join(&mut self, n: u16) -> Peer {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let ports = self.pool.open().unwrap();
        enable_timestamps(&ports.rtp).unwrap();
        socket.connect(ports.local().rtp).unwrap();
        let stream = stream(Pcmu, 20, socket.local_addr().unwrap());
        let codecs = Codecs::new(&stream).unwrap();
        let configuration = Configuration { epoch: Epoch(1), stream, codecs, audio: RoomAudio::default() };
        let id = LegId(n.into());
        let entropy = &mut Seeded::new(n.into());
        let leg = Leg::new(id, FOR_EVER, String::from("leg"), configuration, entropy, self.clock.now());
        let attachment = Attachment::Conference(ConferenceId(n.into()));
        assert!(
            self.phase
                .insert(Box::new(Member { leg, outlet: Sockets::new(ports) }), attachment, None)
                .is_ok()
        );
        Peer { socket, phone: Phone::new(n, Pcmu, 20, None) }
    }

    fn tick(&mut self) {
        let stamps = StampOffset::measure(self.clock);
        let mut around = Surroundings {
            wall: stamps.wall_clock(),
            tally: &mut self.tally,
            events: &mut self.events,
            keys: &mut self.keys,
            datagram: &mut self.datagram,
        };
        self.phase.tick(stamps.now(), 0, stamps, &mut self.intake, &mut around);
    }
}

/// The kernel begins to stamp packets some time after it was first asked to; before, they are stamped when read.
fn await_stamps() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    enable_timestamps(&socket).unwrap();
    let (clock, mut intake) = (Clock::new(), Intake::new());
    loop {
        socket.send_to(&[0], socket.local_addr().unwrap()).unwrap();
        let between = StampOffset::measure(clock);
        let stamp = intake.receive(&socket).and_then(|d| d.stamp);
        if stamp.is_some() && StampOffset::measure(clock).time(stamp) < between.now() {
            return;
        }
        assert!(clock.now() < Time::from_millis(10_000), "packets are not stamped");
    }
}

#[test]
fn what_piled_up_is_read_with_the_next_tick_at_the_latest() {
    let mut desk = Desk::new("42400-42409");
    let mut peer = desk.join(1);
    await_stamps();
    for packets in [5, 10, 13] {
        peer.speak(packets - usize::try_from(desk.tally.packets_in).unwrap());
        desk.tick();
        desk.tick();
        assert_eq!(desk.tally.packets_in, packets as u64);
    }
}

/// Has the socket of a leg stopped taking what others send?
fn is_deaf_to_strangers(desk: &mut Desk, peer: &Peer) -> bool {
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let before = desk.tally.strangers;
    let packet = Phone::new(99, Pcmu, 20, None).speak();
    stranger.send_to(&packet, peer.socket.peer_addr().unwrap()).unwrap();
    desk.tick();
    desk.tally.strangers == before
}

#[test]
fn the_kernel_drops_what_strangers_send_while_the_peer_is_heard() {
    let mut desk = Desk::new("42420-42429");
    let mut peer = desk.join(1);
    assert!(!is_deaf_to_strangers(&mut desk, &peer));
    for n in 1..=3 {
        peer.speak(1);
        desk.tick();
        assert_eq!(desk.tally.packets_in, n);
    }
    assert!(is_deaf_to_strangers(&mut desk, &peer));
    assert!(peer.socket.recv(&mut [0; 2_048]).is_ok(), "the peer hears us");
    // It falls silent, and somebody may take over.
    while is_deaf_to_strangers(&mut desk, &peer) {
        assert!(desk.clock.now() < Time::from_millis(10_000));
    }
    peer.speak(1);
    desk.tick();
    assert_eq!(desk.tally.packets_in, 4, "and it may come back");
    assert!(is_deaf_to_strangers(&mut desk, &peer));
}

#[test]
fn a_peer_that_refuses_what_we_send_is_sent_to_all_the_same() {
    let mut desk = Desk::new("42430-42439");
    let mut peer = desk.join(1);
    peer.speak(1);
    desk.tick();
    let (ours, theirs) = (peer.socket.peer_addr().unwrap(), peer.socket.local_addr().unwrap());
    drop(peer.socket);
    desk.tick();
    desk.tick();
    let socket = UdpSocket::bind(theirs).unwrap();
    desk.tick();
    assert_eq!((desk.tally.packets_out, desk.tally.send_errors), (4, 0));
    assert!(socket.recv(&mut [0; 2_048]).is_ok());
    socket.connect(ours).unwrap();
    let mut peer = Peer { socket, phone: peer.phone };
    peer.speak(2);
    desk.tick();
    desk.tick();
    assert_eq!(desk.tally.packets_in, 3);
}

#[test]
fn a_peer_may_know_us_by_any_of_our_addresses() {
    for (address, connects) in [(Ipv4Addr::LOCALHOST, true), (Ipv4Addr::new(127, 0, 0, 2), false)] {
        let mut desk = Desk::bound(Ipv4Addr::UNSPECIFIED, "42440-42449");
        let mut peer = desk.join(1);
        let port = peer.socket.peer_addr().unwrap().port();
        peer.socket.connect((address, port)).unwrap();
        for n in 1..=5 {
            peer.speak(1);
            desk.tick();
            assert_eq!(desk.tally.packets_in, n, "{address}");
        }
        assert_eq!(is_deaf_to_strangers(&mut desk, &peer), connects, "{address}");
    }
}

#[test]
fn a_tick_over_sockets_allocates_nothing() {
    let mut desk = Desk::new("42450-42459");
    let mut peers = [1, 2].map(|n| desk.join(n));
    let mut tick = |measure: &dyn Fn(&mut dyn FnMut())| {
        for peer in &mut peers {
            peer.speak(1);
        }
        measure(&mut || desk.tick());
    };
    for _ in 0..5 {
        tick(&|step| step());
    }
    for _ in 0..50 {
        tick(&|step| assert_eq!(allocation_counter::measure(step).count_total, 0));
    }
    assert_eq!((desk.tally.packets_in, desk.tally.packets_out), (110, 110));
}

#[test]
fn a_flood_costs_bounded_time() {
    let mut desk = Desk::new("42410-42419");
    let flooded = desk.join(1);
    let mut other = desk.join(2);
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = flooded.socket.peer_addr().unwrap();
    for _ in 0..500 {
        stranger.send_to(&[0x80; 172], to).unwrap();
    }
    other.speak(1);
    desk.tick();
    assert_eq!(desk.tally.malformed + desk.tally.strangers, 64);
    assert_eq!(desk.tally.packets_in, 1);
}
