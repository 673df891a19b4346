//! What a conference costs the media thread: CPU per leg and second, over real sockets on loopback; and what a bare
//! loop of PCMU costs in the same run, so that figures of different machines can be compared.
//!
//! ```text
//! cargo bench -p tandem-worker --bench conference [-- LEGS TALKERS SECONDS] [PCMU|G722|opus]
//! cargo bench -p tandem-worker --bench conference -- mixed [SECONDS]    three codecs in one room, and each alone
//! cargo bench -p tandem-worker --bench conference -- codec              what libopus alone takes for a leg that talks
//! cargo bench -p tandem-worker --bench conference -- against LEGS TALKERS SECONDS PID PORT
//! ```
//!
//! `against` measures another mixer under the same load: process PID, which takes leg n's PCMU at PORT + 4n and sends
//! to the port after it.

#![allow(clippy::expect_used, clippy::print_stdout)]

mod floor;

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use tandem_audio::MAX_PACKET_SAMPLES;
use tandem_base::{
    Attachment, AudioFormat, AudioStream, ConferenceId, Direction, Epoch, HeaderExtensions, LegId,
    MediaTimeouts, OpusParams, PayloadType, ReceiveFormat, RoomAudio, SendFormat, Ssrc,
};
use tandem_codec::{EncoderSettings, decoder, encoder};
use tandem_rtp::Header;
use tandem_testkit::sine;
use tandem_worker::{WorkerMetrics, WorkerOptions, Workers};

use self::floor::Floor;

const FOR_EVER: MediaTimeouts =
    MediaTimeouts { setup: Duration::ZERO, talk: Duration::ZERO, hold: Duration::ZERO };

/// A phone that plays packets encoded beforehand.
struct Peer {
    socket: UdpSocket,
    to: SocketAddr,
    // Packets that came back.
    heard: u64,
    packets: Vec<Vec<u8>>,
    sent: usize,
    ticks: u32,
    payload_type: PayloadType,
    ssrc: Ssrc,
}

impl Peer {
    fn send(&mut self) {
        let n = self.sent as u32;
        let header = Header {
            marker: false,
            payload_type: self.payload_type,
            sequence: n as u16,
            timestamp: n.wrapping_mul(self.ticks),
            ssrc: self.ssrc,
        };
        let mut out = [0; 1_500];
        let len = header.write(&[], &mut out).expect("there is room");
        // Round and round in the second half: the beginning would be heard as a click.
        let half = self.packets.len() / 2;
        let payload = &self.packets[if self.sent < half { self.sent } else { half + self.sent % half }];
        out[len..len + payload.len()].copy_from_slice(payload);
        let sent = self.socket.send_to(&out[..len + payload.len()], self.to);
        // A mixer that broke down refuses: it is seen by what comes back.
        self.sent += usize::from(sent.is_ok());
        let mut buffer = [0; 2_048];
        while self.socket.recv(&mut buffer).is_ok() {
            self.heard += 1;
        }
    }
}

fn stream(format: AudioFormat, payload_type: PayloadType, remote: SocketAddr) -> AudioStream {
    AudioStream {
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
    }
}

/// Two seconds of a tone, or of coded silence.
fn packets(format: AudioFormat, hz: Option<f64>) -> Vec<Vec<u8>> {
    let rate = format.sample_rate().hz();
    let n = rate as usize / 50;
    let mut encoder = encoder(format, EncoderSettings::default()).expect("there is an encoder");
    (0..100)
        .map(|i| {
            let tone = hz.map_or(vec![0; n], |hz| sine(hz, -18.0, rate, i * n, n));
            let pcm: Vec<f32> = tone.iter().map(|s| f32::from(*s) / 32_768.0).collect();
            let mut out = [0; 1_300];
            let len = encoder.encode(&pcm, &mut out).expect("20 ms can be encoded");
            out[..len].to_vec()
        })
        .collect()
}

fn any_port(_: usize) -> u16 {
    0
}

/// CPU time so far of a process's threads whose names begin with `name`.
fn cpu(process: &str, name: &str) -> Duration {
    // A process that ended has none any more.
    let Ok(tasks) = fs::read_dir(format!("/proc/{process}/task")) else { return Duration::ZERO };
    let named = tasks
        .flatten()
        .filter(|t| fs::read_to_string(t.path().join("comm")).is_ok_and(|comm| comm.starts_with(name)));
    let nanos = named.filter_map(|t| {
        let stat = fs::read_to_string(t.path().join("schedstat")).ok()?;
        stat.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

/// A format under its payload type.
type Kind = (AudioFormat, PayloadType);

/// What was measured.
struct Run {
    /// Microseconds of CPU a leg and second.
    per_leg: f64,
    /// Packets a leg and second that came back.
    heard: f64,
    before: WorkerMetrics,
    after: WorkerMetrics,
}

/// What is measured.
#[derive(Clone, Copy)]
struct Case<'a> {
    // Legs take turns.
    kinds: &'a [Kind],
    legs: usize,
    talkers: usize,
    seconds: u64,
}

impl Case<'_> {
    fn kind(self, n: usize) -> Kind {
        self.kinds[n % self.kinds.len()]
    }

    /// Phones at free ports, or `at` these, that call the addresses of `local`.
    fn peers(self, at: impl Fn(usize) -> u16, local: impl Fn(usize, SocketAddr) -> SocketAddr) -> Vec<Peer> {
        let silence: Vec<_> = self.kinds.iter().map(|(format, _)| packets(*format, None)).collect();
        let peer = |n| {
            let (format, payload_type) = self.kind(n);
            let ticks = format.clock_rate().ticks_in_ms(20);
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, at(n))).expect("the port is free");
            socket.set_nonblocking(true).expect("a flag");
            let to = local(n, socket.local_addr().expect("bound"));
            let speaks = n < self.talkers;
            let packets = if speaks {
                packets(format, Some(400.0 + 137.0 * n as f64))
            } else {
                silence[n % silence.len()].clone()
            };
            Peer { socket, to, heard: 0, packets, sent: 0, ticks, payload_type, ssrc: Ssrc(n as u32 + 1) }
        };
        (0..self.legs).map(peer).collect()
    }

    /// Microseconds of CPU a leg and second of a process's threads called `name`, and packets a leg and second that came
    /// back, while `peers` talk.
    fn converse(self, peers: &mut [Peer], (process, name): (&str, &str), ready: impl FnOnce()) -> (f64, f64) {
        let run = |peers: &mut [Peer], seconds: u64| {
            let began = Instant::now();
            let spacing = Duration::from_millis(20) / self.legs as u32;
            for n in 0..seconds as usize * 50 * self.legs {
                let due = began + spacing * n as u32;
                thread::sleep(due.saturating_duration_since(Instant::now()));
                peers[n % self.legs].send();
            }
        };
        run(peers, 2);
        ready();
        let heard = |peers: &[Peer]| peers.iter().map(|p| p.heard).sum::<u64>();
        let before = (cpu(process, name), heard(peers));
        run(peers, self.seconds);
        let each = |sum: f64| sum / self.legs as f64 / self.seconds as f64;
        let busy = cpu(process, name).saturating_sub(before.0);
        (each(busy.as_secs_f64() * 1e6), each((heard(peers) - before.1) as f64))
    }

    fn floor(self) -> f64 {
        let floor = Floor::start(self.legs, self.talkers);
        self.converse(&mut self.peers(any_port, |n, _| floor.addresses[n]), ("self", "floor"), || ()).0
    }

    fn run(self) -> Run {
        let (events, _told) = crossbeam_channel::unbounded();
        let options = WorkerOptions { threads: 1, ..Default::default() };
        let workers = Workers::start(options, events).expect("media threads start");
        let audio = RoomAudio { loudest: 0, ..Default::default() };
        let mut peers = self.peers(any_port, |n, peer| {
            let leg = LegId(n as u64);
            let local = workers.open(leg, FOR_EVER).expect("ports are free");
            let (format, payload_type) = self.kind(n);
            let stream = stream(format, payload_type, peer);
            workers
                .configure(leg, Epoch(1), stream, Attachment::Conference(ConferenceId(1)), audio)
                .expect("codecs are there");
            local.rtp
        });
        let mut before = WorkerMetrics::default();
        let (per_leg, heard) = self.converse(&mut peers, ("self", "media-"), || before = workers.metrics());
        Run { per_leg, heard, before, after: workers.metrics() }
    }

    fn measure(self, floor: f64) {
        let Case { legs, talkers, seconds, .. } = self;
        let (format, _) = self.kind(0);
        let Run { per_leg, before, after, .. } = self.run();
        println!(
            "{format}: {legs} legs, {talkers} talkers: {per_leg:.0} us CPU per leg and second, {:.2} of the bare loop; \
             {} encodes/s, {} packets/s out, {} missed ticks, lateness p99 {:?}",
            per_leg / floor,
            (after.encodes - before.encodes) / seconds,
            (after.packets_out - before.packets_out) / seconds,
            after.missed - before.missed,
            after.lateness.p99,
        );
    }
}

/// Thirty legs of each codec, one of them talking: in a room for each codec, and in one together.
fn mixed(kinds: &[Kind], seconds: u64) {
    let mut parts = 0.0;
    for kind in kinds {
        let case = Case { kinds: std::slice::from_ref(kind), legs: 30, talkers: 1, seconds };
        let per_leg = case.run().per_leg;
        println!("{}: 30 legs, 1 talker: {per_leg:.0} us CPU per leg and second", kind.0);
        parts += per_leg * 30.0;
    }
    let case = Case { kinds, legs: 30 * kinds.len(), talkers: kinds.len(), seconds };
    let per_leg = case.run().per_leg;
    let of_parts = per_leg * case.legs as f64 / parts;
    println!(
        "mixed: {} legs, {} talkers: {per_leg:.0} us CPU per leg and second, {of_parts:.2} of the sum",
        case.legs, case.talkers
    );
}

/// One encode of twenty tones and one decode of one, fifty times a second.
fn codec(format: AudioFormat) {
    let rate = format.sample_rate().hz();
    let n = rate as usize / 50;
    let settings = EncoderSettings::default();
    let mut encoder = encoder(format, settings).expect("there is an encoder");
    let mut decoder = decoder(format).expect("there is a decoder");
    let frames: Vec<Vec<f32>> = (0..100)
        .map(|i| {
            let mut sum = vec![0.0; n];
            for tone in 0..19 {
                let pcm = sine(400.0 + 137.0 * f64::from(tone), -32.0, rate, i * n, n);
                sum.iter_mut().zip(pcm).for_each(|(s, x)| *s += f32::from(x) / 32_768.0);
            }
            sum
        })
        .collect();
    let heard = packets(format, Some(400.0));
    let mut payload = [0; 1_300];
    let mut pcm = vec![0.0; MAX_PACKET_SAMPLES];
    // This thread bears the program's name.
    let before = cpu("self", "conference");
    for _ in 0..5 {
        for (frame, packet) in frames.iter().zip(&heard) {
            encoder.encode(frame, &mut payload).expect("20 ms can be encoded");
            decoder.decode(packet, &mut pcm).expect("it is whole");
        }
    }
    let each = (cpu("self", "conference") - before).as_secs_f64() * 1e6 / 500.0;
    println!("{format}: one encode and one decode: {each:.1} us, {:.0} us a leg and second", each * 50.0);
}

/// Another mixer and Tandem under the same load.
fn against(case: Case<'_>, process: u64, base: u16) {
    let port = |n: usize| base + 4 * n as u16;
    let mut peers = case.peers(|n| port(n) + 1, |n, _| (Ipv4Addr::LOCALHOST, port(n)).into());
    let (per_leg, heard) = case.converse(&mut peers, (&process.to_string(), ""), || ());
    println!("another {per_leg:.0} {heard:.1} (us CPU and packets back, a leg and second)");
    let Run { per_leg, heard, .. } = case.run();
    println!("Tandem {per_leg:.0} {heard:.1} (its media thread)");
}

fn main() {
    let numbers: Vec<usize> = env::args().filter_map(|a| a.parse().ok()).collect();
    let number = |i: usize, usual| numbers.get(i).copied().unwrap_or(usual);
    let opus = AudioFormat::Opus(OpusParams { inband_fec: true, ..Default::default() });
    let kinds = [
        (AudioFormat::Pcmu, PayloadType::PCMU),
        (AudioFormat::G722, PayloadType::G722),
        (opus, PayloadType::new(96).expect("below 128")),
    ];
    let named = |name: &str| env::args().any(|a| a == name);
    if named("codec") {
        return codec(opus);
    }
    if named("mixed") {
        return mixed(&kinds, number(0, 5) as u64);
    }
    let (legs, talkers, seconds) = (number(0, 100), number(1, 3), number(2, 5) as u64);
    let bare = Case { kinds: &kinds[..1], legs, talkers, seconds };
    if named("against") {
        return against(bare, number(3, 0) as u64, number(4, 46_000) as u16);
    }
    let floor = bare.floor();
    println!("bare loop: {legs} legs, {talkers} talkers: {floor:.0} us CPU per leg and second");
    let all = !kinds.iter().any(|(format, _)| named(format.name()));
    for kind in &kinds {
        if all || named(kind.0.name()) {
            Case { kinds: std::slice::from_ref(kind), ..bare }.measure(floor);
        }
    }
}
