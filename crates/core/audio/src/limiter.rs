use tandem_base::ClockRate;

use crate::level::peak;

/// Above this the gain goes down (−0.9 dBFS); below it nothing is touched.
const CEILING: f32 = 0.9;
/// How long the gain stays down before it rises again, in blocks of 1 ms.
const HOLD_BLOCKS: u32 = 15;
/// Share of the way back to unity in one block: a time constant of 80 ms.
const RELEASE: f32 = 1.0 / 80.0;
/// No faster than this in one block: 0.1 dB. From far down a share of the way would be a leap that one hears.
const FASTEST: f32 = 1.0116;
/// Nearer to unity than this is unity.
const SETTLED: f32 = 0.999;

/// Keeps one output within ±1.0 without adding delay: a gain that moves smoothly, in ramps of 1 ms.
///
/// Peaks up to −0.9 dBFS pass bit-exact while it is at rest. The frame at hand is all the look-ahead there
/// is; an onset in its first millisecond is rounded off softly instead.
#[derive(Clone, Debug)]
pub struct Limiter {
    block: usize,
    gain: f32,
    hold: u32,
}

impl Limiter {
    /// For samples at `rate`.
    pub fn new(rate: ClockRate) -> Self {
        let block = usize::try_from(rate.ticks_in_ms(1)).unwrap_or(8).max(1);
        Limiter { block, gain: 1.0, hold: 0 }
    }

    /// Brings a frame (of any length) within ±1.0, in place.
    pub fn process(&mut self, pcm: &mut [f32]) {
        if self.gain == 1.0 && peak(pcm) <= CEILING {
            return;
        }
        let mut rest = pcm;
        let mut wanted = gain_for(rest, self.block);
        while !rest.is_empty() {
            let (block, after) = rest.split_at_mut(self.block.min(rest.len()));
            let next = if after.is_empty() { wanted } else { gain_for(after, self.block) };
            let end = self.end_gain(wanted.min(next));
            ramp(block, self.gain, end);
            self.gain = end;
            wanted = next;
            rest = after;
        }
    }

    /// The gain at the end of a block: at once down to `allowed`, slowly up.
    fn end_gain(&mut self, allowed: f32) -> f32 {
        if allowed < self.gain {
            self.hold = HOLD_BLOCKS;
            return allowed;
        }
        if self.hold > 0 {
            self.hold -= 1;
            return self.gain;
        }
        let risen = (self.gain + (1.0 - self.gain) * RELEASE).min(self.gain * FASTEST);
        if risen > SETTLED && allowed >= 1.0 { 1.0 } else { risen.min(allowed) }
    }

    /// The gain at present, 0.0 to 1.0.
    pub fn gain(&self) -> f32 {
        self.gain
    }
}

fn gain_for(pcm: &[f32], block: usize) -> f32 {
    let peak = peak(pcm.get(..block).unwrap_or(pcm));
    if peak > CEILING { CEILING / peak } else { 1.0 }
}

fn ramp(block: &mut [f32], from: f32, to: f32) {
    let step = (to - from) / block.len().max(1) as f32;
    for (i, x) in block.iter_mut().enumerate() {
        *x = round_off(*x * (from + step * (i + 1) as f32));
    }
}

/// The identity up to the ceiling, then a curve that nears ±1.0 and never reaches past it.
fn round_off(x: f32) -> f32 {
    let over = (x.abs() - CEILING).max(0.0);
    let knee = 1.0 - CEILING;
    let magnitude = x.abs().min(CEILING) + knee * over / (over + knee);
    magnitude.copysign(x)
}
