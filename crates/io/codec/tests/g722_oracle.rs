//! G.722 against another implementation, bit by bit.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use ezk_g722::libg722::{Bitrate, decoder, encoder as oracle};
use tandem_base::{AudioFormat, Entropy};
use tandem_codec::{EncoderSettings, decoder as our_decoder, encoder as our_encoder};
use tandem_testkit::{Seeded, sine};

fn floats(pcm: &[i16]) -> Vec<f32> {
    pcm.iter().map(|x| f32::from(*x) / 32_768.0).collect()
}

/// Tones, noise and full-scale square waves, behind a second of noise.
///
/// The oracle begins with the wrong scale factor (zero instead of the recommendation's 32 and 8), which the
/// noise lets it forget.
fn signals() -> Vec<i16> {
    let mut random = Seeded::new(722);
    let mut pcm: Vec<i16> = (0..16_000).map(|_| (random.next_u32() >> 21) as i16 - 1_024).collect();
    for (hz, level) in [(200.0, -3.0), (1_004.0, -16.0), (3_900.0, -6.0), (5_500.0, -10.0), (7_000.0, -30.0)]
    {
        pcm.extend(sine(hz, level, 16_000, 0, 8_000));
    }
    pcm.extend((0..32_000).map(|_| (random.next_u32() >> 16) as u16 as i16));
    pcm.extend((0..32_000).map(|_| (random.next_u32() >> 23) as i16 - 256));
    pcm.extend((0..16_000).map(|i| if i / 37 % 2 == 0 { i16::MAX } else { i16::MIN }));
    pcm
}

/// Where, after the beginning, the two part.
fn first_difference<T: PartialEq>(ours: &[T], theirs: &[T], beginning: usize) -> Option<usize> {
    ours.iter().zip(theirs).skip(beginning).position(|(a, b)| a != b)
}

fn ours(pcm: &[i16]) -> Vec<u8> {
    let mut encoder = our_encoder(AudioFormat::G722, EncoderSettings::default()).unwrap();
    let mut all = Vec::new();
    for frame in floats(pcm).chunks(320) {
        let mut payload = [0; 160];
        let n = encoder.encode(frame, &mut payload).unwrap();
        all.extend_from_slice(&payload[..n]);
    }
    all
}

#[test]
fn the_encoder_is_bit_exact() {
    let pcm = signals();
    let theirs = oracle::Encoder::new(Bitrate::Mode1_64000, false, false).encode(&pcm);
    let ours = ours(&pcm);
    assert_eq!(ours.len(), theirs.len());
    assert_eq!(first_difference(&ours, &theirs, 8_000), None);
}

#[test]
fn the_decoder_is_bit_exact() {
    let payloads = ours(&signals());
    let theirs = decoder::Decoder::new(Bitrate::Mode1_64000, false, false).decode(&payloads);
    let mut decoder = our_decoder(AudioFormat::G722).unwrap();
    let mut pcm = Vec::new();
    for payload in payloads.chunks(160) {
        let mut out = [0.0; 5_760];
        let n = decoder.decode(payload, &mut out).unwrap();
        pcm.extend_from_slice(&out[..n]);
    }
    assert_eq!(pcm.len(), theirs.len());
    assert_eq!(first_difference(&pcm, &floats(&theirs), 16_000), None);
}

#[test]
fn any_octets_decode_alike() {
    let mut random = Seeded::new(1);
    let mut payloads = vec![0; 40_000];
    random.fill(&mut payloads);
    // Equal beginnings: silence as the encoder would code it.
    let silence = ours(&[0; 16_000]);
    payloads[..silence.len()].copy_from_slice(&silence);
    let theirs = decoder::Decoder::new(Bitrate::Mode1_64000, false, false).decode(&payloads);
    let mut decoder = our_decoder(AudioFormat::G722).unwrap();
    let mut out = vec![0.0; 80_000];
    assert_eq!(decoder.decode(&payloads, &mut out), Ok(80_000));
    assert_eq!(first_difference(&out, &floats(&theirs), 16_000), None);
}
