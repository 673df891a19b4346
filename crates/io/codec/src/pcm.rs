//! Between float samples and the 16-bit integers that telephone codecs are defined on.

/// 1.5 · 2^23: added to a float of less than 2^22, it leaves the rounded integer in the low bits.
const ROUND: f32 = 12_582_912.0;

/// The nearest 16-bit sample, saturated, as two's complement bits. Unlike `round()` it vectorises.
#[inline]
#[expect(clippy::manual_clamp, reason = "max and min turn a NaN into a number; clamp would keep it")]
pub(crate) fn sample_bits(x: f32) -> u16 {
    let scaled = (x * 32_768.0).max(-32_768.0).min(32_767.0);
    ((scaled + ROUND).to_bits() & 0xffff) as u16
}

/// The nearest 16-bit sample, saturated.
#[inline]
pub(crate) fn to_i16(x: f32) -> i16 {
    sample_bits(x).cast_signed()
}

/// Full scale ±1.0.
#[inline]
pub(crate) fn from_i16(sample: i16) -> f32 {
    f32::from(sample) * (1.0 / 32_768.0)
}
