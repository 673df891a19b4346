use tandem_base::ClockRate;

use crate::level::{dbfs_of, mean_square};

/// Above −57 dBFS a leg begins to contribute (mean square; a full-scale sine is 0.5).
const OPENS: f32 = 1.0e-6;
/// Below −62 dBFS it may stop.
const CLOSES: f32 = 3.15e-7;
/// How long it must stay below before it does, ms.
const HANG_OVER_MS: u32 = 400;
/// Length of the ramps in and out, ms.
const RAMP_MS: u32 = 3;

/// What a leg does for the mix in this tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contribution {
    /// Nothing: leave it out of the sum; the frame is silence now.
    None,
    /// Add the frame.
    Speaks,
}

/// Does a leg contribute to the mix? An energy gate with hysteresis, 400 ms of hang-over and soft edges.
///
/// Silence and noise below about −60 dBFS do not contribute. It opens in the very frame that is loud enough.
#[derive(Clone, Debug)]
pub struct Activity {
    rate: ClockRate,
    ramp: usize,
    open: bool,
    quiet: u32,
    power: f32,
}

impl Activity {
    /// For frames at `rate`, of any length.
    pub fn new(rate: ClockRate) -> Self {
        let ramp = usize::try_from(rate.ticks_in_ms(RAMP_MS)).unwrap_or(1).max(1);
        Activity { rate, ramp, open: false, quiet: 0, power: 0.0 }
    }

    /// Judges a frame and, where the gate opens or closes with it, ramps it in place.
    pub fn process(&mut self, pcm: &mut [f32]) -> Contribution {
        let power = mean_square(pcm);
        self.power = power;
        match (self.open, power) {
            (false, p) if p > OPENS => {
                self.open = true;
                self.quiet = 0;
                fade_in(pcm, self.ramp);
                Contribution::Speaks
            }
            (false, _) => {
                pcm.fill(0.0);
                Contribution::None
            }
            (true, p) if p > CLOSES => {
                self.quiet = 0;
                Contribution::Speaks
            }
            (true, _) => {
                self.hang(pcm);
                Contribution::Speaks
            }
        }
    }

    fn hang(&mut self, pcm: &mut [f32]) {
        self.quiet = self.quiet.saturating_add(u32::try_from(pcm.len()).unwrap_or(u32::MAX));
        if self.quiet >= self.rate.ticks_in_ms(HANG_OVER_MS) {
            self.open = false;
            fade_out(pcm, self.ramp);
        }
    }

    /// How loud the last frame was, before any ramp, dBFS.
    pub fn level(&self) -> f32 {
        dbfs_of(self.power)
    }

    /// Is the leg part of the mix at present?
    pub fn is_open(&self) -> bool {
        self.open
    }
}

fn fade_in(pcm: &mut [f32], ramp: usize) {
    for (i, x) in pcm.iter_mut().take(ramp).enumerate() {
        *x *= i as f32 / ramp as f32;
    }
}

/// The ramp is at the frame's start and the rest is silence: what follows is silence in any case.
fn fade_out(pcm: &mut [f32], ramp: usize) {
    for (i, x) in pcm.iter_mut().enumerate() {
        *x *= 1.0 - (i.min(ramp) as f32 / ramp as f32);
    }
}
