//! G.711 (ITU-T G.711), both laws: one octet a sample, by table.

use tandem_audio::{AudioDecoder, AudioEncoder, Concealer, DecodeError, EncodeError};
use tandem_base::ClockRate;

use crate::pcm::sample_bits;

/// Which of the two companding laws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Law {
    Mu,
    A,
}

static MU_TO_PCM: [f32; 256] = decode_table(Law::Mu);
static A_TO_PCM: [f32; 256] = decode_table(Law::A);
/// By the upper 14 bits of a 16-bit sample: all that the µ-law looks at.
static PCM_TO_MU: [u8; 16_384] = mu_encode_table();
/// By the upper 13 bits.
static PCM_TO_A: [u8; 8_192] = a_encode_table();

/// ITU-T G.711 tables 2a and 2b (µ) and 1a and 1b (A), as 16-bit linear values.
const fn expand(law: Law, code: u8) -> i16 {
    let magnitude = match law {
        Law::Mu => {
            let (segment, step) = ((!code >> 4) & 7, (!code & 15) as i16);
            (((2 * step + 33) << segment) - 33) << 2
        }
        Law::A => {
            let code = code ^ 0x55;
            let (segment, step) = ((code >> 4) & 7, (code & 15) as i16);
            let linear = if segment == 0 { 2 * step + 1 } else { (2 * step + 33) << (segment - 1) };
            linear << 3
        }
    };
    if code & 0x80 == 0 { -magnitude } else { magnitude }
}

const fn decode_table(law: Law) -> [f32; 256] {
    let mut table = [0.0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = expand(law, code as u8) as f32 / 32_768.0;
        code += 1;
    }
    table
}

/// The segment of a magnitude whose top bit is the segment's own.
const fn segment(magnitude: i32, lowest: u32) -> u32 {
    (31 - magnitude.leading_zeros()).saturating_sub(lowest)
}

const fn mu_encode_table() -> [u8; 16_384] {
    let mut table = [0; 16_384];
    let mut index = 0;
    while index < 16_384 {
        let linear = ((index as i32) << 18) >> 18;
        let magnitude = if linear < 0 { !linear } else { linear };
        let biased = if magnitude + 33 > 8_191 { 8_191 } else { magnitude + 33 };
        let segment = segment(biased, 5);
        let code = (segment << 4) as u8 | ((biased >> (segment + 1)) & 15) as u8;
        table[index] = if linear < 0 { !code & 0x7f } else { !code };
        index += 1;
    }
    table
}

const fn a_encode_table() -> [u8; 8_192] {
    let mut table = [0; 8_192];
    let mut index = 0;
    while index < 8_192 {
        let linear = ((index as i32) << 19) >> 19;
        let magnitude = if linear < 0 { !linear } else { linear };
        let code = if magnitude < 32 {
            (magnitude >> 1) as u8
        } else {
            let segment = segment(magnitude, 4);
            (segment << 4) as u8 | ((magnitude >> segment) & 15) as u8
        };
        table[index] = (if linear < 0 { code } else { code | 0x80 }) ^ 0x55;
        index += 1;
    }
    table
}

/// Squares of the values, halved six times: 80 of them fit into 32 bits.
static MU_SQUARES: [u32; 256] = squares(Law::Mu);
static A_SQUARES: [u32; 256] = squares(Law::A);
/// 1.0 squared as such a square.
const ONE_SQUARED: f32 = (1 << 24) as f32;

const fn squares(law: Law) -> [u32; 256] {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        let value = expand(law, code as u8).unsigned_abs() as u32;
        table[code] = (value * value) >> 6;
        code += 1;
    }
    table
}

/// The largest magnitude that the codes stand for.
fn peak(law: Law, codes: &[u8]) -> u16 {
    // Magnitudes grow with the code's low bits, inverted in the µ-law and half so in the A-law.
    let flip = if law == Law::Mu { 0x7f } else { 0x55 };
    let largest = codes.iter().fold(0, |largest: u8, code| largest.max((code ^ flip) & 0x7f));
    expand(law, largest ^ flip).unsigned_abs()
}

/// Power (mean square; a full-scale sine is 0.5) of the loudest 10 ms: exact above `quiet`, and somewhere below it
/// where even the peaks are below.
pub(crate) fn power(law: Law, codes: &[u8], quiet: f32) -> f32 {
    let peak = f32::from(peak(law, codes)) / 32_768.0;
    if peak * peak <= quiet {
        return peak * peak;
    }
    let table = if law == Law::Mu { &MU_SQUARES } else { &A_SQUARES };
    let sum = |block: &[u8]| {
        block.iter().map(|code| table[usize::from(*code)]).sum::<u32>() as f32 / block.len() as f32
    };
    codes.chunks(80).map(sum).fold(0.0, f32::max) / ONE_SQUARED
}

/// Decoder of either law, with concealment of our own.
pub(crate) struct G711Decoder {
    table: &'static [f32; 256],
    concealer: Concealer,
}

impl G711Decoder {
    pub(crate) fn new(law: Law) -> Self {
        let table = match law {
            Law::Mu => &MU_TO_PCM,
            Law::A => &A_TO_PCM,
        };
        G711Decoder { table, concealer: Concealer::new(ClockRate::HZ_8000) }
    }
}

impl AudioDecoder for G711Decoder {
    fn sample_rate(&self) -> ClockRate {
        ClockRate::HZ_8000
    }

    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, DecodeError> {
        if payload.is_empty() {
            return Err(DecodeError::Malformed);
        }
        let out = out.get_mut(..payload.len()).ok_or(DecodeError::TooLong)?;
        for (x, code) in out.iter_mut().zip(payload) {
            *x = self.table[usize::from(*code)];
        }
        self.concealer.received(out);
        Ok(payload.len())
    }

    fn samples_in(&self, payload: &[u8]) -> Option<usize> {
        (!payload.is_empty()).then_some(payload.len())
    }

    fn recover(&mut self, _following: &[u8], _out: &mut [f32]) -> Option<usize> {
        None
    }

    fn conceal(&mut self, out: &mut [f32]) {
        self.concealer.conceal(out);
    }

    fn reset(&mut self) {
        self.concealer.reset();
    }
}

/// Encoder of either law; it has no state.
pub(crate) struct G711Encoder {
    law: Law,
}

impl G711Encoder {
    pub(crate) fn new(law: Law) -> Self {
        G711Encoder { law }
    }
}

impl AudioEncoder for G711Encoder {
    fn sample_rate(&self) -> ClockRate {
        ClockRate::HZ_8000
    }

    fn encode(&mut self, pcm: &[f32], out: &mut [u8]) -> Result<usize, EncodeError> {
        let out = out.get_mut(..pcm.len()).ok_or(EncodeError::BufferTooShort)?;
        match self.law {
            Law::Mu => {
                for (code, x) in out.iter_mut().zip(pcm) {
                    *code = PCM_TO_MU[usize::from(sample_bits(*x) >> 2)];
                }
            }
            Law::A => {
                for (code, x) in out.iter_mut().zip(pcm) {
                    *code = PCM_TO_A[usize::from(sample_bits(*x) >> 3)];
                }
            }
        }
        Ok(pcm.len())
    }

    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The companding formula as ITU-T G.191 words it, on 16-bit samples.
    fn mu_formula(sample: i16) -> u8 {
        let magnitude = (i32::from(if sample < 0 { !sample } else { sample }) >> 2) + 33;
        let magnitude = magnitude.min(0x1fff);
        let mut segment = 1;
        let mut rest = magnitude >> 6;
        while rest != 0 {
            segment += 1;
            rest >>= 1;
        }
        let high = 8 - segment;
        let low = 15 - ((magnitude >> segment) & 15);
        let code = (high << 4) | low;
        u8::try_from(if sample >= 0 { code | 0x80 } else { code }).unwrap()
    }

    fn a_formula(sample: i16) -> u8 {
        let mut ix = i32::from(if sample < 0 { !sample } else { sample }) >> 4;
        if ix > 15 {
            let mut exponent = 1;
            while ix > 16 + 15 {
                ix >>= 1;
                exponent += 1;
            }
            ix = (ix - 16) + (exponent << 4);
        }
        let code = if sample >= 0 { ix | 0x80 } else { ix };
        u8::try_from(code ^ 0x55).unwrap()
    }

    fn encode_one(law: Law, x: f32) -> u8 {
        let mut code = [0];
        G711Encoder::new(law).encode(&[x], &mut code).unwrap();
        code[0]
    }

    #[test]
    fn every_sample_encodes_as_the_formula_says() {
        for sample in i16::MIN..=i16::MAX {
            let x = f32::from(sample) / 32_768.0;
            assert_eq!(encode_one(Law::Mu, x), mu_formula(sample), "mu {sample}");
            assert_eq!(encode_one(Law::A, x), a_formula(sample), "A {sample}");
        }
    }

    #[test]
    fn every_code_survives_decoding_and_encoding() {
        for code in 0..=255u8 {
            let again = |law| encode_one(law, f32::from(expand(law, code)) / 32_768.0);
            assert_eq!(again(Law::A), code);
            // The µ-law has two codes for zero; the encoder uses the positive one.
            assert_eq!(again(Law::Mu), if code == 0x7f { 0xff } else { code });
        }
    }

    #[test]
    fn known_codes_have_the_recommendation_s_values() {
        assert_eq!(
            [expand(Law::Mu, 0x80), expand(Law::Mu, 0x00), expand(Law::Mu, 0xff)],
            [32_124, -32_124, 0]
        );
        assert_eq!([expand(Law::A, 0xaa), expand(Law::A, 0x2a), expand(Law::A, 0xd5)], [32_256, -32_256, 8]);
    }

    #[test]
    fn power_is_that_of_what_is_decoded() {
        for (law, scale) in [Law::Mu, Law::A].into_iter().flat_map(|l| [0.001, 0.01, 0.3].map(|s| (l, s))) {
            let pcm: Vec<f32> =
                (0..240).map(|i| scale * if i < 160 { 0.3 } else { 1.0 } * (0.3 * i as f32).sin()).collect();
            let mut codes = [0; 240];
            G711Encoder::new(law).encode(&pcm, &mut codes).unwrap();
            let decoded = codes.map(|code| f32::from(expand(law, code)) / 32_768.0);
            let expected = decoded[160..].iter().map(|x| x * x).sum::<f32>() / 80.0;
            let found = power(law, &codes, 1e-9);
            assert!((found / expected - 1.0).abs() < 0.02, "{law:?} {scale}: {found} for {expected}");
            let peak = decoded.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
            assert_eq!(power(law, &codes, 1.0), peak * peak, "{law:?} {scale}");
        }
        assert_eq!(power(Law::Mu, &[0xff; 160], 0.0), 0.0);
    }

    #[test]
    fn what_exceeds_full_scale_saturates() {
        for (x, mu, a) in [(1.5, 0x80, 0xaa), (-1.5, 0x00, 0x2a), (f32::INFINITY, 0x80, 0xaa)] {
            assert_eq!((encode_one(Law::Mu, x), encode_one(Law::A, x)), (mu, a));
        }
    }
}
