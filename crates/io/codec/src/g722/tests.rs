//! Against another implementation, bit by bit.

use ezk_g722::libg722::{Bitrate, decoder, encoder};
use tandem_base::Entropy;
use tandem_testkit::{Seeded, sine};

use super::*;

fn floats(pcm: &[i16]) -> Vec<f32> {
    pcm.iter().map(|x| from_i16(*x)).collect()
}

/// Tones, noise, full-scale square waves, silence.
fn signals() -> Vec<i16> {
    let mut pcm = Vec::new();
    for (hz, level) in [(200.0, -3.0), (1_004.0, -16.0), (3_900.0, -6.0), (5_500.0, -10.0), (7_000.0, -30.0)]
    {
        pcm.extend(sine(hz, level, 16_000, 0, 8_000));
    }
    let mut random = Seeded::new(722);
    pcm.extend((0..32_000).map(|_| (random.next_u32() & 0xffff) as u16 as i16));
    pcm.extend((0..32_000).map(|_| (random.next_u32() & 0x1ff) as i16 - 256));
    pcm.extend((0..16_000).map(|i| if i / 37 % 2 == 0 { i16::MAX } else { i16::MIN }));
    pcm.extend([0; 16_000]);
    pcm
}

fn ours(mut encoder: G722Encoder, pcm: &[i16]) -> Vec<u8> {
    let mut all = Vec::new();
    for frame in floats(pcm).chunks(320) {
        let mut payload = [0; 160];
        let n = encoder.encode(frame, &mut payload).unwrap();
        all.extend_from_slice(&payload[..n]);
    }
    all
}

/// The oracle begins with a scale factor of zero where the recommendation (clause 6.2.1) has 32 and 8.
fn like_the_oracle(mut low: Band, mut high: Band) -> (Band, Band) {
    low.begin_with(0);
    high.begin_with(0);
    (low, high)
}

fn first_difference<T: PartialEq>(ours: &[T], theirs: &[T]) -> Option<usize> {
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).position(|(a, b)| a != b)
}

#[test]
fn the_encoder_is_bit_exact() {
    let pcm = signals();
    let theirs = encoder::Encoder::new(Bitrate::Mode1_64000, false, false).encode(&pcm);
    let (low, high) = like_the_oracle(Band::new(&LOW), Band::new(&HIGH));
    let ours = ours(G722Encoder { low, high, ..G722Encoder::new() }, &pcm);
    assert_eq!(first_difference(&ours, &theirs), None);
}

fn decode_both(payloads: &[u8]) -> (Vec<f32>, Vec<f32>) {
    let theirs = decoder::Decoder::new(Bitrate::Mode1_64000, false, false).decode(payloads);
    let (low, high) = like_the_oracle(Band::new(&LOW), Band::new(&HIGH));
    let mut decoder = G722Decoder { low, high, ..G722Decoder::new() };
    let mut pcm = Vec::new();
    for payload in payloads.chunks(160) {
        let mut out = [0.0; 320];
        let n = decoder.decode(payload, &mut out).unwrap();
        pcm.extend_from_slice(&out[..n]);
    }
    (pcm, floats(&theirs))
}

#[test]
fn the_decoder_is_bit_exact() {
    let (ours, theirs) = decode_both(&ours(G722Encoder::new(), &signals()));
    assert_eq!(first_difference(&ours, &theirs), None);
}

#[test]
fn any_octets_decode_alike() {
    let mut payloads = vec![0; 40_000];
    Seeded::new(1).fill(&mut payloads);
    let (ours, theirs) = decode_both(&payloads);
    assert_eq!(first_difference(&ours, &theirs), None);
}
