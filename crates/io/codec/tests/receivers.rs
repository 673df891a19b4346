//! What an Opus encoder makes of how its receiver fares, read from the bitstream.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by it")]

use std::f64::consts::TAU;

use opus::Bandwidth;
use tandem_audio::{AudioEncoder, MAX_PACKET_SAMPLES};
use tandem_base::{AudioFormat, Bitrate, ClockRate, LossClass, OpusParams};
use tandem_codec::{EncoderSettings, decoder, encoder};
use tandem_testkit::Seeded;

const FEC: OpusParams = OpusParams {
    max_playback_rate: 48_000,
    max_average_bitrate: None,
    stereo: false,
    inband_fec: true,
    dtx: false,
    cbr: false,
};

/// Something like speech, at 48 kHz: a voice that glides through three formants, hisses in between, and pauses.
fn speech(seconds: usize) -> Vec<f32> {
    let mut random = Seeded::new(11);
    let mut phase = 0.0;
    (0..seconds * 48_000)
        .map(|i| {
            let t = i as f64 / 48_000.0;
            let syllable = (TAU * 2.1 * t).sin();
            let noise = random.fraction() * 2.0 - 1.0;
            if syllable < -0.85 {
                return 0.0;
            }
            if syllable < -0.5 {
                return (noise * 0.04) as f32;
            }
            let pitch = 120.0 + 30.0 * (TAU * 0.7 * t).sin();
            phase = (phase + pitch / 48_000.0) % 1.0;
            let harmonics = (1..30).map(|n| {
                let hz = pitch * f64::from(n);
                let peak = |at: f64, width: f64| (-((hz - at) / width).powi(2)).exp();
                let formants =
                    peak(600.0 + 200.0 * (TAU * 1.3 * t).sin(), 150.0) + 0.5 * peak(1_500.0, 300.0);
                (formants + 0.2 * peak(2_700.0, 400.0)) * (TAU * phase * f64::from(n)).sin()
            });
            (0.12 * (syllable + 0.6) * harmonics.sum::<f64>() + noise * 0.001) as f32
        })
        .collect()
}

fn encode(encoder: &mut dyn AudioEncoder, pcm: &[f32]) -> Vec<Vec<u8>> {
    let mut payload = [0; 1_275];
    pcm.chunks_exact(960)
        .map(|frame| {
            let n = encoder.encode(frame, &mut payload).unwrap();
            payload[..n].to_vec()
        })
        .collect()
}

fn with(params: OpusParams, settings: EncoderSettings) -> Box<dyn AudioEncoder> {
    encoder(AudioFormat::Opus(params), settings).unwrap()
}

/// What packets say: share with a copy of the one before, kbit/s, the widest band.
#[derive(Debug)]
struct Stream {
    fec: f64,
    kbps: f64,
    widest: Bandwidth,
}

fn look(packets: &[Vec<u8>]) -> Stream {
    let packets = &packets[50..];
    let mut out = [0.0; MAX_PACKET_SAMPLES];
    let mut decoder = decoder(AudioFormat::Opus(FEC)).unwrap();
    let copies = packets.iter().filter(|p| decoder.recover(p, &mut out).is_some()).count();
    let octets: usize = packets.iter().map(Vec::len).sum();
    let bands = packets.iter().map(|p| opus::packet::get_bandwidth(p).unwrap());
    Stream {
        fec: copies as f64 / packets.len() as f64,
        kbps: octets as f64 * 8.0 / (packets.len() as f64 * 20.0),
        widest: bands.max_by_key(|b| *b as i32).unwrap(),
    }
}

#[test]
fn fec_is_sent_where_it_is_worth_it() {
    let pcm = speech(5);
    let stream = |class| {
        let mut encoder = with(FEC, EncoderSettings::default());
        encoder.set_loss(class);
        look(&encode(&mut *encoder, &pcm))
    };
    let [clean, lossy, heavy] = LossClass::ALL.map(stream);
    assert_eq!(clean.fec, 0.0);
    assert!(lossy.fec > 0.6 && heavy.fec > 0.6, "{lossy:?} {heavy:?}");
    assert!((20.0..26.0).contains(&clean.kbps), "{clean:?}");
    assert!(heavy.kbps < clean.kbps && lossy.kbps < 32.0, "{heavy:?}");
    assert!(lossy.widest as i32 >= Bandwidth::Wideband as i32);
}

#[test]
fn who_cannot_use_fec_gets_none() {
    let mut encoder = with(OpusParams { inband_fec: false, ..FEC }, EncoderSettings::default());
    encoder.set_loss(LossClass::Heavy);
    assert_eq!(look(&encode(&mut *encoder, &speech(3))).fec, 0.0);
}

#[test]
fn the_limits_of_the_receiver_hold_in_every_class() {
    let pcm = speech(3);
    for class in LossClass::ALL {
        let params = OpusParams { max_average_bitrate: Some(14_000), max_playback_rate: 16_000, ..FEC };
        let mut encoder = with(params, EncoderSettings { bitrate: Bitrate::kbps(40), ..Default::default() });
        encoder.set_loss(class);
        let stream = look(&encode(&mut *encoder, &pcm));
        assert!(stream.kbps < 16.0 && stream.widest as i32 <= Bandwidth::Wideband as i32, "{stream:?}");
    }
}

#[test]
fn what_was_sampled_slowly_is_not_encoded_wide() {
    let pcm = speech(3);
    for (rate, widest) in [
        (ClockRate::HZ_8000, Bandwidth::Narrowband),
        (ClockRate::HZ_16000, Bandwidth::Wideband),
        (ClockRate::HZ_48000, Bandwidth::Fullband),
    ] {
        let mut encoder = with(FEC, EncoderSettings { bitrate: Bitrate::kbps(40), ..Default::default() });
        encoder.set_source_rate(rate);
        assert_eq!(look(&encode(&mut *encoder, &pcm)).widest, widest);
    }
}

fn decode(packets: &[Vec<u8>]) -> Vec<f32> {
    let mut decoder = decoder(AudioFormat::Opus(FEC)).unwrap();
    let mut out = [0.0; MAX_PACKET_SAMPLES];
    let mut pcm = Vec::new();
    for packet in packets {
        let n = decoder.decode(packet, &mut out).unwrap();
        pcm.extend_from_slice(&out[..n]);
    }
    pcm
}

/// Level of the difference, dBFS.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    let diff: Vec<f32> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    tandem_audio::level::rms_dbfs(&diff)
}

fn tone() -> Vec<f32> {
    (0..48_000 * 3).map(|i| (0.2 * (TAU * 400.0 * f64::from(i) / 48_000.0).sin()) as f32).collect()
}

#[test]
fn an_encoder_that_takes_over_makes_the_very_same_packets() {
    let pcm = speech(3);
    let (first, second) = pcm.split_at(960 * 77);
    let mut original = with(FEC, EncoderSettings::default());
    encode(&mut *original, first);
    let mut successor = with(FEC, EncoderSettings::default());
    encode(&mut *successor, &tone());
    assert!(successor.take_over(&*original));
    assert_eq!(encode(&mut *successor, second), encode(&mut *original, second));
}

#[test]
fn a_successor_of_another_class_goes_on_in_that_class() {
    let pcm = speech(4);
    let (first, second) = pcm.split_at(960 * 77);
    let mut before = with(FEC, EncoderSettings::default());
    encode(&mut *before, first);
    for class in LossClass::ALL {
        let mut after = with(FEC, EncoderSettings::default());
        after.set_loss(class);
        assert!(after.take_over(&*before));
        let stream = look(&encode(&mut *after, second));
        assert_eq!(stream.fec > 0.5, class != LossClass::Clean, "{class:?}: {stream:?}");
    }
}

/// How far apart, dBFS, what is heard after a change to another encoder of the same sound is from what those hear who
/// heard that one before: the worst of ten packets.
fn unlike(pcm: &[f32], other: &[f32], at: usize, independent: bool) -> f32 {
    let mut own = with(FEC, EncoderSettings::default());
    let mut moved = encode(&mut *own, &pcm[..960 * at]);
    let mut shared = with(FEC, EncoderSettings::default());
    // The other heard something else until half a second ago.
    encode(&mut *shared, other);
    let mut theirs = encode(&mut *shared, &pcm[960 * (at - 25)..960 * at]);
    shared.set_independent(independent);
    let mut after = encode(&mut *shared, &pcm[960 * at..960 * (at + 1)]);
    shared.set_independent(false);
    after.extend(encode(&mut *shared, &pcm[960 * (at + 1)..960 * (at + 10)]));
    theirs.extend(after.clone());
    moved.extend(after);
    let (moved, theirs) = (decode(&moved), decode(&theirs));
    let frames = moved[960 * at..].chunks(960).zip(theirs[960 * 25..].chunks(960));
    frames.map(|(a, b)| difference(a, b)).fold(f32::MIN, f32::max)
}

#[test]
fn joining_another_encoder_costs_little_where_its_packet_is_independent() {
    let other = speech(1);
    for (name, pcm, bound) in [("tone", tone(), -40.0), ("speech", speech(3), -34.0)] {
        let worst = |independent| {
            (60..130).step_by(23).map(|at| unlike(&pcm, &other, at, independent)).fold(f32::MIN, f32::max)
        };
        let (independent, as_it_comes) = (worst(true), worst(false));
        assert!(independent < bound, "{name}: {independent}");
        assert!(independent < as_it_comes - 5.0, "{name}: {independent}, otherwise {as_it_comes}");
    }
}
