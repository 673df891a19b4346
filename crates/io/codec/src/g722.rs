//! G.722 at 64 kbit/s (ITU-T G.722 mode 1): two sub-bands of ADPCM behind a quadrature mirror filter.
//!
//! The names of the blocks (QUANTL, LOGSCL, UPPOL2 …) are those of the recommendation's clause 6, whose
//! 16-bit arithmetic is followed bit by bit.

mod band;
mod qmf;
mod quantiser;

use std::any::Any;

use tandem_audio::{AudioDecoder, AudioEncoder, Concealer, DecodeError, EncodeError};
use tandem_base::ClockRate;

use crate::pcm::{from_i16, to_i16};
use band::Band;
use qmf::{Analysis, Synthesis};
use quantiser::{HIGH, LOW};

/// Decoder with concealment of our own.
pub(crate) struct G722Decoder {
    low: Band,
    high: Band,
    qmf: Synthesis,
    concealer: Concealer,
}

impl G722Decoder {
    pub(crate) fn new() -> Self {
        G722Decoder {
            low: Band::new(&LOW),
            high: Band::new(&HIGH),
            qmf: Synthesis::default(),
            concealer: Concealer::new(ClockRate::HZ_16000),
        }
    }
}

impl AudioDecoder for G722Decoder {
    fn sample_rate(&self) -> ClockRate {
        ClockRate::HZ_16000
    }

    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, DecodeError> {
        if payload.is_empty() {
            return Err(DecodeError::Malformed);
        }
        let out = out.get_mut(..payload.len() * 2).ok_or(DecodeError::TooLong)?;
        for (pair, octet) in out.as_chunks_mut::<2>().0.iter_mut().zip(payload) {
            let low = self.low.decode_low(octet & 0x3f);
            let high = self.high.decode_high(octet >> 6);
            *pair = self.qmf.join(low, high).map(from_i16);
        }
        self.concealer.received(out);
        Ok(payload.len() * 2)
    }

    fn samples_in(&self, payload: &[u8]) -> Option<usize> {
        (!payload.is_empty()).then_some(payload.len() * 2)
    }

    fn recover(&mut self, _following: &[u8], _out: &mut [f32]) -> Option<usize> {
        None
    }

    fn conceal(&mut self, out: &mut [f32]) {
        self.concealer.conceal(out);
    }

    fn reset(&mut self) {
        self.low = Band::new(&LOW);
        self.high = Band::new(&HIGH);
        self.qmf = Synthesis::default();
        self.concealer.reset();
    }
}

/// Encoder.
#[derive(Clone)]
pub(crate) struct G722Encoder {
    low: Band,
    high: Band,
    qmf: Analysis,
}

impl G722Encoder {
    pub(crate) fn new() -> Self {
        G722Encoder { low: Band::new(&LOW), high: Band::new(&HIGH), qmf: Analysis::default() }
    }
}

impl AudioEncoder for G722Encoder {
    fn sample_rate(&self) -> ClockRate {
        ClockRate::HZ_16000
    }

    fn encode(&mut self, pcm: &[f32], out: &mut [u8]) -> Result<usize, EncodeError> {
        let (pairs, odd) = pcm.as_chunks::<2>();
        if !odd.is_empty() {
            return Err(EncodeError::Duration);
        }
        let out = out.get_mut(..pairs.len()).ok_or(EncodeError::BufferTooShort)?;
        for (octet, pair) in out.iter_mut().zip(pairs) {
            let (low, high) = self.qmf.split(pair.map(to_i16));
            *octet = self.low.encode_low(low) | self.high.encode_high(high) << 6;
        }
        Ok(pairs.len())
    }

    fn reset(&mut self) {
        *self = G722Encoder::new();
    }

    fn take_over(&mut self, other: &dyn AudioEncoder) -> bool {
        let other = other.as_any().and_then(<dyn Any>::downcast_ref::<G722Encoder>);
        other.map(|other| *self = other.clone()).is_some()
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

#[cfg(test)]
mod tests;
