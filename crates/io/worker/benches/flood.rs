//! What a flood at one leg's port does to another room on the same media thread: 100,000 packets a second over loopback,
//! from a stranger before and after the peer is heard, and from the peer itself.
//!
//! `cargo bench -p tandem-worker --bench flood [-- SECONDS]` fails where a tick of 100 is 5 ms late or one was missed.
//! It wants two cores that nobody else uses: one is the flood's.

#![allow(clippy::expect_used, clippy::print_stdout)]

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

use tandem_base::{
    Attachment, AudioFormat, AudioStream, ConferenceId, Direction, Epoch, HeaderExtensions, LegId,
    MediaTimeouts, PayloadType, ReceiveFormat, RoomAudio, SendFormat, Ssrc,
};
use tandem_rtp::Header;
use tandem_worker::{WorkerOptions, Workers};

const FOR_EVER: MediaTimeouts =
    MediaTimeouts { setup: Duration::ZERO, talk: Duration::ZERO, hold: Duration::ZERO };

/// Packets of the flood in one millisecond.
const FLOOD: usize = 100;

const BOUND: Duration = Duration::from_millis(5);

/// Who floods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flood {
    Nobody,
    /// Somebody else, at a leg whose peer has yet to be heard.
    EarlyStranger,
    /// Somebody else, at a leg whose peer talks.
    Stranger,
    /// The peer itself, with packets that make sense.
    Peer,
}

struct Caller {
    socket: UdpSocket,
    sent: u16,
}

impl Caller {
    fn call(workers: &Workers, n: u64, room: u64) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
        socket.set_nonblocking(true).expect("a flag");
        let local = workers.open(LegId(n), FOR_EVER).expect("ports are free");
        let (payload_type, format) = (PayloadType::PCMU, AudioFormat::Pcmu);
        let remote = socket.local_addr().expect("bound");
        let stream = AudioStream {
            direction: Direction::SendRecv,
            send: SendFormat { payload_type, format, ptime_ms: 20 },
            receive: vec![ReceiveFormat { payload_type, format }],
            telephone_events: Vec::new(),
            remote_rtp: remote,
            remote_rtcp: remote,
            rtcp_mux: true,
            srtp: None,
            extensions: HeaderExtensions::default(),
            redundancy: None,
        };
        let room = Attachment::Conference(ConferenceId(room));
        workers.configure(LegId(n), Epoch(1), stream, room, RoomAudio::default()).expect("there are codecs");
        socket.connect(local.rtp).expect("loopback");
        Caller { socket, sent: 0 }
    }

    fn speak(&mut self) {
        let header = Header {
            marker: false,
            payload_type: PayloadType::PCMU,
            sequence: self.sent,
            timestamp: u32::from(self.sent) * 160,
            ssrc: Ssrc(1),
        };
        let mut packet = [0xff; 172];
        header.write(&[], &mut packet).expect("there is room");
        // What does not fit into the socket is lost, as it would be anywhere.
        let _ = self.socket.send(&packet);
        self.sent = self.sent.wrapping_add(1);
    }

    fn hear(&self) -> usize {
        let mut buffer = [0; 2_048];
        std::iter::from_fn(|| self.socket.recv(&mut buffer).ok()).count()
    }
}

/// Sends [`FLOOD`] packets a millisecond; gives how many it were in a second.
fn flood(mut caller: Caller, stop: &AtomicBool) -> u128 {
    let (began, mut sent) = (Instant::now(), 0u128);
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..FLOOD {
            caller.speak();
        }
        sent += FLOOD as u128;
        let due = Duration::from_micros(u64::try_from(sent * 1_000 / FLOOD as u128).expect("not for ages"));
        thread::sleep(due.saturating_sub(began.elapsed()));
    }
    sent * 1_000 / began.elapsed().as_millis().max(1)
}

fn measure(kind: Flood, seconds: u64) -> bool {
    let (events, _told) = crossbeam_channel::unbounded();
    let workers =
        Workers::start(WorkerOptions { threads: 1, ..Default::default() }, events).expect("a thread");
    let mut callers: Vec<Caller> = (1..=20).map(|n| Caller::call(&workers, n, 1)).collect();
    let mut victim = Caller::call(&workers, 21, 2);
    let attacker = match kind {
        Flood::Peer => Caller { socket: victim.socket.try_clone().expect("a descriptor"), sent: 0 },
        _ => {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
            socket.connect(victim.socket.peer_addr().expect("connected")).expect("loopback");
            Caller { socket, sent: 0 }
        }
    };
    let stop = AtomicBool::new(kind == Flood::Nobody);
    let (mut heard, began) = (0, Instant::now());
    let rate = thread::scope(|scope| {
        let flood = scope.spawn(|| flood(attacker, &stop));
        for n in 1..=seconds * 50 {
            if kind == Flood::Stranger {
                victim.speak();
            }
            for caller in &mut callers {
                caller.speak();
                heard += caller.hear();
            }
            victim.hear();
            thread::sleep((began + Duration::from_millis(20 * n)).saturating_duration_since(Instant::now()));
        }
        stop.store(true, Ordering::Relaxed);
        flood.join().expect("it only sends")
    });
    let m = workers.metrics();
    println!(
        "{kind:?}: {rate} packets/s; lateness p50 {:?}, p99 {:?}, max {:?}, {} of {} ticks missed; the other room heard \
         {heard} of {} packets; {} taken, {} strangers",
        m.lateness.p50,
        m.lateness.p99,
        m.lateness.max,
        m.missed,
        m.ticks + m.missed,
        seconds * 50 * 20,
        m.packets_in,
        m.strangers,
    );
    m.lateness.p99 < BOUND && m.missed == 0
}

fn main() {
    let seconds = env::args().find_map(|a| a.parse().ok()).unwrap_or(5);
    let kinds = [Flood::Nobody, Flood::EarlyStranger, Flood::Stranger, Flood::Peer];
    let good = kinds.map(|kind| measure(kind, seconds));
    assert_eq!(good, [true; 4], "ticks were late");
}
