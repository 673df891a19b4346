//! One sub-band: adaptive predictor and scale factor (ITU-T G.722 clause 3.6, blocks 1 to 4).

use super::quantiser::{LOG2, LOG4, Scale, VALUE2, VALUE4, VALUE6, quantise2, quantise6};

#[derive(Clone)]
pub(super) struct Band {
    scale: &'static Scale,
    nb: i32,
    det: i32,
    /// The prediction S, and the part of it that the zeros make, SZ.
    prediction: i32,
    zeros: i32,
    /// Poles: coefficients A1 and A2, reconstructed samples R, and partial ones P, newest first.
    a: [i32; 2],
    r: [i32; 2],
    p: [i32; 2],
    /// Zeros: coefficients B1 to B6 and quantised differences D, newest first.
    b: [i32; 6],
    d: [i32; 6],
}

#[inline]
fn saturate(x: i32) -> i32 {
    x.clamp(-32_768, 32_767)
}

/// The limit on what leaves a band (LIMIT, blocks 6L and 6H): 15 bits.
#[inline]
fn limit(x: i32) -> i32 {
    x.clamp(-16_384, 16_383)
}

impl Band {
    pub(super) fn new(scale: &'static Scale) -> Self {
        Band {
            scale,
            nb: 0,
            det: scale.initial,
            prediction: 0,
            zeros: 0,
            a: [0; 2],
            r: [0; 2],
            p: [0; 2],
            b: [0; 6],
            d: [0; 6],
        }
    }

    #[cfg(test)]
    pub(super) fn begin_with(&mut self, det: i32) {
        self.det = det;
    }

    #[inline]
    pub(super) fn encode_low(&mut self, x: i32) -> u8 {
        let code = quantise6(saturate(x - self.prediction), self.det);
        self.adapt_low(code);
        code
    }

    #[inline]
    pub(super) fn encode_high(&mut self, x: i32) -> u8 {
        let code = quantise2(saturate(x - self.prediction), self.det);
        self.adapt_high(code);
        code
    }

    /// A 6-bit code; the low band's sample.
    #[inline]
    pub(super) fn decode_low(&mut self, code: u8) -> i32 {
        let difference = (self.det * VALUE6[usize::from(code & 63)]) >> 15;
        let sample = limit(self.prediction + difference);
        self.adapt_low(code);
        sample
    }

    /// A 2-bit code; the high band's sample.
    #[inline]
    pub(super) fn decode_high(&mut self, code: u8) -> i32 {
        let difference = (self.det * VALUE2[usize::from(code & 3)]) >> 15;
        let sample = limit(self.prediction + difference);
        self.adapt_high(code);
        sample
    }

    #[inline]
    fn adapt_low(&mut self, code: u8) {
        let upper = usize::from(code >> 2 & 15);
        self.adapt(VALUE4[upper], LOG4[upper]);
    }

    #[inline]
    fn adapt_high(&mut self, code: u8) {
        let code = usize::from(code & 3);
        self.adapt(VALUE2[code], LOG2[code]);
    }

    #[inline]
    fn adapt(&mut self, value: i32, log_step: i32) {
        let difference = (self.det * value) >> 15;
        self.nb = self.scale.adapt(self.nb, log_step);
        self.det = self.scale.linear(self.nb);
        self.update_poles(saturate(self.zeros + difference));
        self.update_zeros(difference);
        self.predict(saturate(self.prediction + difference), difference);
    }

    /// PARREC, UPPOL2, UPPOL1: `partial` is the reconstruction without the poles' part.
    #[inline]
    fn update_poles(&mut self, partial: i32) {
        let same = |old: i32| (partial ^ old) >= 0;
        let lean = saturate(self.a[0] << 2);
        let lean = saturate(if same(self.p[0]) { -lean } else { lean });
        let step = if same(self.p[1]) { 128 } else { -128 };
        let a2 = ((lean >> 7) + step + ((self.a[1] * 32_512) >> 15)).clamp(-12_288, 12_288);
        let step = if same(self.p[0]) { 192 } else { -192 };
        let bound = saturate(15_360 - a2);
        let a1 = saturate(step + ((self.a[0] * 32_640) >> 15)).min(bound).max(-bound);
        self.a = [a1, a2];
        self.p = [partial, self.p[0]];
    }

    /// UPZERO.
    #[inline]
    fn update_zeros(&mut self, difference: i32) {
        let step = if difference == 0 { 0 } else { 128 };
        for (b, d) in self.b.iter_mut().zip(&self.d) {
            let signed = if (d ^ difference) >= 0 { step } else { -step };
            *b = saturate(signed + ((*b * 32_640) >> 15));
        }
    }

    /// DELAYA, FILTEP, FILTEZ, PREDIC.
    #[inline]
    fn predict(&mut self, reconstructed: i32, difference: i32) {
        self.d = [difference, self.d[0], self.d[1], self.d[2], self.d[3], self.d[4]];
        self.r = [reconstructed, self.r[0]];
        let term = |c: i32, x: i32| (c * saturate(x + x)) >> 15;
        let poles = saturate(term(self.a[0], self.r[0]) + term(self.a[1], self.r[1]));
        self.zeros = saturate(self.b.iter().zip(&self.d).map(|(b, d)| term(*b, *d)).sum());
        self.prediction = saturate(poles + self.zeros);
    }
}
