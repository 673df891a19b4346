//! The 24-tap quadrature mirror filters (ITU-T G.722 clauses 3.1 and 4.4).

/// Half of the symmetric filter (table 4), scaled by 2^13.
const TAPS: [i16; 12] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];
const REVERSED: [i16; 12] = [-11, 53, -156, 362, -805, 3876, 951, -210, 32, 12, -11, 3];
const ORDER: usize = 12;
/// Samples kept before the history is moved to the front again.
const SPAN: usize = 256;

/// The newest 12 samples of one polyphase branch, in one piece, without moving them for each.
#[derive(Clone)]
struct Line {
    samples: [i16; SPAN],
    end: usize,
}

impl Default for Line {
    fn default() -> Self {
        Line { samples: [0; SPAN], end: ORDER }
    }
}

impl Line {
    #[inline]
    fn push(&mut self, sample: i16) -> &[i16; ORDER] {
        if self.end >= SPAN {
            self.samples.copy_within(SPAN - ORDER.., 0);
            self.end = ORDER;
        }
        self.samples[self.end] = sample;
        self.end += 1;
        let window = &self.samples[self.end - ORDER..self.end];
        // The slice above has that length: the default is never used.
        window.as_array().unwrap_or(&[0; ORDER])
    }
}

#[inline]
fn dot(window: &[i16; ORDER], taps: &[i16; ORDER]) -> i32 {
    window.iter().zip(taps).map(|(x, t)| i32::from(*x) * i32::from(*t)).sum()
}

/// The encoder's filter: 16 kHz in, two bands at 8 kHz out.
#[derive(Clone, Default)]
pub(super) struct Analysis {
    first: Line,
    second: Line,
}

impl Analysis {
    /// Two samples in, one of each band out (15 bits and sign less).
    #[inline]
    pub(super) fn split(&mut self, [first, second]: [i16; 2]) -> (i32, i32) {
        let a = dot(self.first.push(first), &TAPS);
        let b = dot(self.second.push(second), &REVERSED);
        ((b + a) >> 14, (b - a) >> 14)
    }
}

/// The decoder's filter.
#[derive(Clone, Default)]
pub(super) struct Synthesis {
    difference: Line,
    sum: Line,
}

impl Synthesis {
    /// One sample of each band in, two out. The bands are limited to 15 bits, so that sums fit 16.
    #[inline]
    pub(super) fn join(&mut self, low: i32, high: i32) -> [i16; 2] {
        let first = dot(self.difference.push(saturate16(low - high)), &REVERSED);
        let second = dot(self.sum.push(saturate16(low + high)), &TAPS);
        [saturate16(first >> 11), saturate16(second >> 11)]
    }
}

#[inline]
fn saturate16(x: i32) -> i16 {
    x.clamp(-32_768, 32_767) as i16
}
