//! CPU of a conference's tick without its system calls: what legs cost that listen, and that talk; what joining costs.
//!
//! Each figure is that of one tick of the whole room, its packets taken in and sent. `scripts/instructions` counts the
//! instructions of the same ticks.

#![allow(clippy::expect_used, clippy::print_stdout, missing_docs, reason = "a benchmark")]

use std::env;
use std::net::SocketAddr;

use criterion::{Criterion, criterion_group};
use tandem_base::{
    AudioFormat, AudioStream, Direction, HeaderExtensions, OpusParams, PayloadType, ReceiveFormat, RoomAudio,
    SendFormat, Ssrc,
};
use tandem_codec::{EncoderSettings, encoder};
use tandem_rtp::Header;
use tandem_testkit::sine;
use tandem_worker::Rehearsal;

/// A tone or coded silence, a second of it, over and over.
struct Phone {
    address: SocketAddr,
    payload_type: PayloadType,
    ticks: u32,
    packets: Vec<Vec<u8>>,
    sent: u32,
}

fn opus() -> AudioFormat {
    AudioFormat::Opus(OpusParams { inband_fec: true, ..OpusParams::default() })
}

fn payload_type(format: AudioFormat) -> PayloadType {
    match format {
        AudioFormat::Pcmu => PayloadType::PCMU,
        AudioFormat::Pcma => PayloadType::PCMA,
        AudioFormat::G722 => PayloadType::G722,
        AudioFormat::Opus(_) => PayloadType::new(96).expect("below 128"),
    }
}

impl Phone {
    fn new(n: u16, format: AudioFormat, talks: bool) -> Self {
        let rate = format.sample_rate().hz();
        let samples = rate as usize / 50;
        let mut encoder = encoder(format, EncoderSettings::default()).expect("an encoder");
        let packets = (0..50).map(|i| {
            let hz = 400.0 + 50.0 * f64::from(n % 40);
            let pcm: Vec<f32> = match talks {
                true => sine(hz, -18.0, rate, i * samples, samples)
                    .iter()
                    .map(|s| f32::from(*s) / 32_768.0)
                    .collect(),
                false => vec![0.0; samples],
            };
            let mut payload = [0; 1_275];
            let len = encoder.encode(&pcm, &mut payload).expect("a packet");
            payload[..len].to_vec()
        });
        Phone {
            address: SocketAddr::from(([192, 0, 2, 1], 4_000 + 2 * n)),
            payload_type: payload_type(format),
            ticks: format.clock_rate().ticks_in_ms(20),
            packets: packets.collect(),
            sent: 0,
        }
    }

    fn stream(&self, format: AudioFormat) -> AudioStream {
        AudioStream {
            direction: Direction::SendRecv,
            send: SendFormat { payload_type: self.payload_type, format, ptime_ms: 20 },
            receive: vec![ReceiveFormat { payload_type: self.payload_type, format }],
            telephone_events: Vec::new(),
            remote_rtp: self.address,
            remote_rtcp: self.address,
            rtcp_mux: true,
            srtp: None,
            extensions: HeaderExtensions::default(),
            redundancy: None,
        }
    }

    fn packet(&mut self, out: &mut [u8]) -> usize {
        let header = Header {
            marker: false,
            payload_type: self.payload_type,
            sequence: self.sent as u16,
            timestamp: self.sent.wrapping_mul(self.ticks),
            ssrc: Ssrc(u32::from(self.address.port())),
        };
        let len = header.write(&[], out).expect("there is room");
        let payload = &self.packets[self.sent as usize % self.packets.len()];
        out[len..len + payload.len()].copy_from_slice(payload);
        self.sent += 1;
        len + payload.len()
    }
}

struct Room {
    rehearsal: Rehearsal,
    phones: Vec<Phone>,
}

impl Room {
    fn new(format: AudioFormat, listeners: u16, talkers: u16) -> Self {
        let audio = RoomAudio { loudest: 0, ..RoomAudio::default() };
        let mut room = Room { rehearsal: Rehearsal::new(audio), phones: Vec::new() };
        for n in 0..listeners + talkers {
            let phone = Phone::new(n, format, n < talkers);
            room.rehearsal.join(phone.stream(format)).expect("codecs");
            room.phones.push(phone);
        }
        for _ in 0..100 {
            room.rehearse();
        }
        room
    }

    /// A tick that does not count.
    fn rehearse(&mut self) {
        let packets = self.packets();
        for (seat, (phone, packet)) in self.phones.iter().zip(&packets).enumerate() {
            self.rehearsal.arrive(seat, phone.address, packet);
        }
        self.rehearsal.tick();
    }

    fn packets(&mut self) -> Vec<Vec<u8>> {
        let packet = |phone: &mut Phone| {
            let mut packet = vec![0; 1_500];
            let len = phone.packet(&mut packet);
            packet.truncate(len);
            packet
        };
        self.phones.iter_mut().map(packet).collect()
    }

    fn tick(&mut self) {
        let packets = self.packets();
        counted_tick(&mut self.rehearsal, &self.phones, &packets);
    }
}

/// By this name the instructions are counted.
#[inline(never)]
fn counted_tick(rehearsal: &mut Rehearsal, phones: &[Phone], packets: &[Vec<u8>]) {
    for (seat, (phone, packet)) in phones.iter().zip(packets).enumerate() {
        rehearsal.arrive(seat, phone.address, packet);
    }
    rehearsal.tick();
}

/// Format, listeners and talkers.
fn cases() -> [(&'static str, AudioFormat, u16, u16); 6] {
    let pcmu = AudioFormat::Pcmu;
    [
        ("pcmu-listen", pcmu, 100, 0),
        ("pcmu-usual", pcmu, 97, 3),
        ("pcmu-talk", pcmu, 0, 10),
        ("opus-listen", opus(), 100, 0),
        ("opus-usual", opus(), 97, 3),
        ("opus-talk", opus(), 0, 10),
    ]
}

fn ticks(c: &mut Criterion) {
    for (name, format, listeners, talkers) in cases() {
        let mut room = Room::new(format, listeners, talkers);
        c.bench_function(&format!("tick {name}: {listeners} listen, {talkers} talk"), |b| {
            b.iter(|| room.tick())
        });
    }
}

fn joining(c: &mut Criterion) {
    for legs in [10, 1_000] {
        let mut room = Room::new(AudioFormat::Pcmu, legs, 0);
        let phone = Phone::new(legs, AudioFormat::Pcmu, false);
        c.bench_function(&format!("join and leave a room of {legs}"), |b| {
            b.iter(|| {
                let seat = room.rehearsal.join(phone.stream(AudioFormat::Pcmu)).expect("codecs");
                room.rehearsal.leave(seat);
            })
        });
    }
}

/// Fifty ticks of a case, and how many legs' ticks that are.
fn count(wanted: &str) {
    let found = cases().into_iter().find(|(name, ..)| *name == wanted);
    let (_, format, listeners, talkers) = found.expect("a case");
    let mut room = Room::new(format, listeners, talkers);
    let sent = room.rehearsal.packets_out();
    for _ in 0..50 {
        room.tick();
    }
    println!("{} packets", room.rehearsal.packets_out() - sent);
}

criterion_group!(benches, ticks, joining);

fn main() {
    match env::args().skip_while(|a| a != "count").nth(1) {
        Some(case) => count(&case),
        None => benches(),
    }
}
