//! What a conference in which everybody talks costs over its codecs alone: the same sound goes through a conference of so
//! many legs and through one bare decode and one bare encode a leg, tick by tick in turn, so that whatever else the
//! machine does hits both.
//!
//! `cargo bench -p tandem-worker --bench everybody [-- LEGS SECONDS FORMAT]`, FORMAT: opus, PCMU or G722

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a measurement")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tandem_audio::{AudioDecoder, AudioEncoder, MAX_PACKET_SAMPLES};
use tandem_base::{
    AudioFormat, AudioStream, Direction, HeaderExtensions, OpusParams, PayloadType, ReceiveFormat, RoomAudio,
    SendFormat, Ssrc,
};
use tandem_codec::{EncoderSettings, decoder, encoder};
use tandem_rtp::Header;
use tandem_testkit::Seeded;
use tandem_worker::Rehearsal;

/// A voice that glides and hisses, never silent for long; each leg has its own.
struct Voice {
    random: Seeded,
    phase: f64,
    t: f64,
    rate: f64,
    pitch: f64,
}

impl Voice {
    fn fill(&mut self, out: &mut [f32]) {
        for x in out {
            self.t += 1.0 / self.rate;
            let syllable = (std::f64::consts::TAU * 2.3 * self.t + self.pitch).sin();
            let pitch = self.pitch * (1.0 + 0.2 * (4.0 * self.t).sin());
            self.phase = (self.phase + pitch / self.rate) % 1.0;
            let noise = self.random.fraction() * 2.0 - 1.0;
            // A saw tooth, softened: all harmonics, as of vocal folds.
            let buzz = (1.0 - 2.0 * self.phase) * (1.0 - self.phase);
            let sound =
                if syllable < -0.6 { noise * 0.05 } else { buzz * (0.7 + 0.3 * syllable) + noise * 0.003 };
            *x = (0.1 * sound) as f32;
        }
    }
}

/// The codecs alone.
struct Bare {
    decoder: Box<dyn AudioDecoder>,
    encoder: Box<dyn AudioEncoder>,
    pcm: Vec<f32>,
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|a| !a.starts_with("--"));
    let mut number = |default: usize| arguments.next().and_then(|a| a.parse().ok()).unwrap_or(default);
    let (legs, seconds) = (number(20), number(20));
    let format = match arguments.next().as_deref() {
        Some("PCMU") => AudioFormat::Pcmu,
        Some("G722") => AudioFormat::G722,
        _ => AudioFormat::Opus(OpusParams { inband_fec: true, ..OpusParams::default() }),
    };
    let (conference, bare) = measure(legs, seconds * 50, format);
    let per_leg = |d: Duration| d.as_secs_f64() * 1e6 / (legs * seconds) as f64;
    println!(
        "{legs} legs in {format}, all talking: {:.0} µs a leg and second; one decode and one encode: {:.0} µs; ratio {:.3}",
        per_leg(conference),
        per_leg(bare),
        conference.as_secs_f64() / bare.as_secs_f64()
    );
}

fn stream(format: AudioFormat, at: SocketAddr) -> AudioStream {
    let payload_type = PayloadType::new(96).expect("a payload type");
    AudioStream {
        direction: Direction::SendRecv,
        send: SendFormat { payload_type, format, ptime_ms: 20 },
        receive: vec![ReceiveFormat { payload_type, format }],
        telephone_events: Vec::new(),
        remote_rtp: at,
        remote_rtcp: at,
        rtcp_mux: true,
        srtp: None,
        extensions: HeaderExtensions::default(),
        redundancy: None,
    }
}

fn address(n: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 4_000 + 2 * n as u16))
}

/// Time that the conference and that bare codecs took for so many ticks.
fn measure(legs: usize, ticks: usize, format: AudioFormat) -> (Duration, Duration) {
    let audio = RoomAudio { loudest: 0, ..RoomAudio::default() };
    let mut room = Rehearsal::new(audio);
    let rate = format.sample_rate();
    let frame = rate.ticks_in_ms(20) as usize;
    let codec = || encoder(format, EncoderSettings::default()).expect("an encoder");
    let mut bare = Vec::new();
    let mut phones = Vec::new();
    for n in 0..legs {
        let random = Seeded::new(n as u64);
        room.join(stream(format, address(n))).expect("a leg");
        let voice =
            Voice { random, phase: 0.0, t: 0.0, rate: f64::from(rate.hz()), pitch: 90.0 + 9.0 * n as f64 };
        phones.push((codec(), voice));
        let decoder = decoder(format).expect("a decoder");
        bare.push(Bare { decoder, encoder: codec(), pcm: vec![0.0; MAX_PACKET_SAMPLES] });
    }
    let (mut in_room, mut in_codecs) = (Duration::ZERO, Duration::ZERO);
    let mut pcm = vec![0.0; frame];
    let mut datagrams = vec![Vec::new(); legs];
    let mut total = vec![0.0; frame];
    let mut payload = [0; 1_276];
    // The first second is for settling in.
    for tick in 0..ticks + 50 {
        for (n, ((encoder, voice), datagram)) in phones.iter_mut().zip(&mut datagrams).enumerate() {
            voice.fill(&mut pcm);
            let length = encoder.encode(&pcm, &mut payload).expect("a packet");
            *datagram = packet(n, tick, format, &payload[..length]);
        }
        let began = Instant::now();
        for (n, datagram) in datagrams.iter().enumerate() {
            room.arrive(n, address(n), datagram);
        }
        room.tick();
        let between = Instant::now();
        for (codecs, datagram) in bare.iter_mut().zip(&datagrams) {
            codecs.decoder.decode(&datagram[Header::LEN..], &mut codecs.pcm).expect("sound");
        }
        let ended = Instant::now();
        // What it encodes is what the conference's encoders get; adding that up is not counted.
        total.fill(0.0);
        for codecs in &bare {
            total.iter_mut().zip(&codecs.pcm).for_each(|(sum, x)| *sum += x);
        }
        let mut encoding = Duration::ZERO;
        for codecs in &mut bare {
            for ((out, sum), own) in pcm.iter_mut().zip(&total).zip(&codecs.pcm) {
                *out = sum - own;
            }
            let began = Instant::now();
            codecs.encoder.encode(&pcm, &mut payload).expect("a packet");
            encoding += began.elapsed();
        }
        if tick >= 50 {
            in_room += between - began;
            in_codecs += ended - between + encoding;
        }
    }
    assert!(room.packets_out() >= (legs * ticks) as u64, "everybody gets what the others say");
    (in_room, in_codecs)
}

fn packet(n: usize, tick: usize, format: AudioFormat, payload: &[u8]) -> Vec<u8> {
    let ticks = format.clock_rate().ticks_in_ms(20);
    let header = Header {
        marker: tick == 0,
        payload_type: PayloadType::new(96).expect("a payload type"),
        sequence: tick as u16,
        timestamp: ticks.wrapping_mul(tick as u32),
        ssrc: Ssrc(1_000 + n as u32),
    };
    let mut out = vec![0; Header::LEN + payload.len()];
    header.write(&[], &mut out).expect("room");
    out[Header::LEN..].copy_from_slice(payload);
    out
}
