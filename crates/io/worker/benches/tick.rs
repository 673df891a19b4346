//! CPU of a conference's tick without its system calls: what legs cost that listen, and that talk; what joining costs.
//!
//! Each figure is that of one tick of the whole room, its packets taken in and sent.

#![allow(clippy::expect_used, missing_docs, reason = "a benchmark")]

use std::net::SocketAddr;

use criterion::{Criterion, criterion_group, criterion_main};
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
            room.tick();
        }
        room
    }

    fn tick(&mut self) {
        let mut packet = [0; 1_500];
        for (seat, phone) in self.phones.iter_mut().enumerate() {
            let len = phone.packet(&mut packet);
            self.rehearsal.arrive(seat, phone.address, &packet[..len]);
        }
        self.rehearsal.tick();
    }
}

fn ticks(c: &mut Criterion) {
    for format in [AudioFormat::Pcmu, opus()] {
        for (name, listeners, talkers) in
            [("100 listen, nobody talks", 100, 0), ("100 listen, 3 talk", 97, 3), ("10 talk", 0, 10)]
        {
            let mut room = Room::new(format, listeners, talkers);
            c.bench_function(&format!("tick {format}: {name}"), |b| b.iter(|| room.tick()));
        }
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

criterion_group!(benches, ticks, joining);
criterion_main!(benches);
