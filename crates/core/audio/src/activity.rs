use tandem_base::ClockRate;

use crate::Gain;
use crate::level::{dbfs_of, mean_square};
use crate::wave::{Spans, search};

/// Above −57 dBFS a leg begins to contribute (mean square; a full-scale sine is 0.5).
const OPENS: f32 = 1.0e-6;
/// Below −62 dBFS it may stop.
const CLOSES: f32 = 3.15e-7;
/// How long it must stay below before it does, ms.
const HANG_OVER_MS: u32 = 400;
/// Length of the ramp in, ms.
const RAMP_MS: u32 = 3;

/// The loudest that passes for background noise: −35 dBFS.
const LOUDEST_NOISE: f32 = 1.58e-4;
/// What is louder than the noise by 6 dB opens the gate …
const OVER_NOISE: f32 = 4.0;
/// … and what is not louder by 3 dB lets it close.
const NEAR_NOISE: f32 = 2.0;
/// Sound is steady where its loudest frame has no more than this times the power of its quietest: 6 dB.
const STEADY: f32 = 4.0;
/// So far, before that can be told of 640 ms: 3 dB.
const STEADY_YET: f32 = 2.0;
/// Steady sound is noise after so many frames: two seconds in frames of 20 ms.
const NOISE_FRAMES: u32 = 100;
/// Sound that resembles itself so much is a tone, not noise.
const TONAL: f32 = 0.8;
/// How fast the noise floor follows what is heard below the gate.
const FOLLOW: f32 = 0.05;

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
/// Silence and noise below about −60 dBFS do not contribute, nor does louder noise, up to −35 dBFS, once it has been
/// steady for two seconds: from then on the gate opens 6 dB above it. A steady tone is no noise. The gate opens in the
/// very frame that is loud enough.
#[derive(Clone, Debug)]
pub struct Activity {
    rate: ClockRate,
    spans: Spans,
    ramp: usize,
    open: bool,
    quiet: u32,
    power: f32,
    /// Power of the background noise; zero while there is none.
    floor: f32,
    spread: Spread,
}

impl Activity {
    /// For frames at `rate`, of any length up to 60 ms; the times above are for frames of 20 ms.
    pub fn new(rate: ClockRate) -> Self {
        let ramp = usize::try_from(rate.ticks_in_ms(RAMP_MS)).unwrap_or(1).max(1);
        Activity {
            rate,
            spans: Spans::new(rate),
            ramp,
            open: false,
            quiet: 0,
            power: 0.0,
            floor: 0.0,
            spread: Spread::default(),
        }
    }

    /// Judges a frame and, where the gate opens or closes with it, ramps it in place.
    pub fn process(&mut self, pcm: &mut [f32]) -> Contribution {
        self.power = mean_square(pcm);
        if self.open {
            self.stay(pcm);
            return Contribution::Speaks;
        }
        if self.power > self.opens_above() {
            self.open = true;
            self.quiet = 0;
            self.spread = Spread::default();
            fade_in(pcm, self.ramp);
            return Contribution::Speaks;
        }
        self.note_quiet(self.power);
        pcm.fill(0.0);
        Contribution::None
    }

    /// A frame of this power (mean square) was left out unheard: it is not above [`Activity::opens_above`].
    pub fn note_quiet(&mut self, power: f32) {
        self.floor += (power.min(LOUDEST_NOISE) - self.floor) * FOLLOW;
    }

    /// Frames up to this power (mean square) leave the gate closed.
    pub fn opens_above(&self) -> f32 {
        OPENS.max(self.floor * OVER_NOISE)
    }

    fn stay(&mut self, pcm: &mut [f32]) {
        self.spread.note(self.power);
        if self.spread.frames >= NOISE_FRAMES && self.power < LOUDEST_NOISE {
            self.spread = Spread::default();
            if !is_tonal(pcm, self.spans) {
                self.floor = self.power;
            }
        }
        if self.power > CLOSES.max(self.floor * NEAR_NOISE) {
            self.quiet = 0;
            return;
        }
        self.quiet = self.quiet.saturating_add(u32::try_from(pcm.len()).unwrap_or(u32::MAX));
        if self.quiet >= self.rate.ticks_in_ms(HANG_OVER_MS) {
            self.open = false;
            Gain { from: 1.0, to: 0.0 }.apply(pcm);
        }
    }

    /// How loud the last frame was, before any ramp, dBFS.
    pub fn level(&self) -> f32 {
        dbfs_of(self.power)
    }

    /// Does the sound keep its level, within 6 dB over 640 ms, or 3 dB since it began, as no voice does?
    pub fn is_steady(&self) -> bool {
        self.spread.frames > 0
    }

    /// Is the leg part of the mix at present?
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Is it so only since the sound before has not faded yet?
    pub fn is_hanging(&self) -> bool {
        self.quiet > 0
    }
}

fn fade_in(pcm: &mut [f32], ramp: usize) {
    for (i, x) in pcm.iter_mut().take(ramp).enumerate() {
        *x *= i as f32 / ramp as f32;
    }
}

/// Does the end of the frame look like what was a few milliseconds before, by whatever period?
fn is_tonal(pcm: &[f32], spans: Spans) -> bool {
    let Some(before) = pcm.len().checked_sub(spans.window) else { return false };
    let (past, end) = pcm.split_at(before);
    past.len() > end.len() && search(end, past, spans).similarity > TONAL
}

/// How much the power of frames varies.
#[derive(Clone, Copy, Debug)]
struct Spread {
    /// Least and greatest power in each of the last spans of four frames.
    spans: [(f32, f32); 8],
    at: usize,
    in_span: u32,
    /// Frames that were noted.
    seen: u32,
    /// Frames since it has been steady over all spans.
    frames: u32,
}

impl Default for Spread {
    fn default() -> Self {
        Spread { spans: [(f32::MAX, 0.0); 8], at: 0, in_span: 0, seen: 0, frames: 0 }
    }
}

impl Spread {
    fn note(&mut self, power: f32) {
        self.frames += u32::from(self.frames > 0);
        self.seen = self.seen.saturating_add(1);
        // An onset is not part of what it leads to.
        if self.seen == 1 {
            return;
        }
        let Some(span) = self.spans.get_mut(self.at) else { return };
        let before = if self.in_span == 0 { (power, power) } else { *span };
        *span = (before.0.min(power), before.1.max(power));
        self.in_span += 1;
        if self.in_span < 4 {
            return;
        }
        self.in_span = 0;
        self.at = (self.at + 1) % self.spans.len();
        let least = self.spans.iter().fold(f32::MAX, |least, s| least.min(s.0));
        let greatest = self.spans.iter().fold(0.0f32, |greatest, s| greatest.max(s.1));
        let filled = self.seen as usize > self.spans.len() * 4;
        let steady = greatest <= least * if filled { STEADY } else { STEADY_YET };
        self.frames = if steady { self.frames.max(1) } else { 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tones::Tone;

    const RATE: ClockRate = ClockRate::HZ_8000;

    fn noise(seed: &mut u32, dbfs: f32) -> [f32; 160] {
        let amplitude = 10f32.powf(dbfs / 20.0) * 1.5f32.sqrt();
        std::array::from_fn(|_| {
            *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((*seed >> 16) as f32 / 32_768.0 - 1.0) * amplitude
        })
    }

    /// Frames until the gate closes.
    fn closes(activity: &mut Activity, mut next: impl FnMut() -> [f32; 160]) -> Option<usize> {
        (0..1_000).find(|_| activity.process(&mut next()) == Contribution::None)
    }

    #[test]
    fn steady_noise_is_left_out_after_a_while_and_what_is_louder_is_in_at_once() {
        for level in [-40.0, -50.0] {
            let (mut activity, mut seed) = (Activity::new(RATE), 1);
            let closed = closes(&mut activity, || noise(&mut seed, level)).unwrap();
            assert!((120..200).contains(&closed), "{level}: after {closed} frames");
            for _ in 0..500 {
                assert_eq!(activity.process(&mut noise(&mut seed, level)), Contribution::None);
            }
            let mut word = noise(&mut seed, level + 10.0);
            assert_eq!(activity.process(&mut word), Contribution::Speaks);
            let closed = closes(&mut activity, || noise(&mut seed, level)).unwrap();
            assert!((18..25).contains(&closed), "{level}: after {closed} frames");
        }
    }

    #[test]
    fn loud_noise_and_steady_tones_are_kept() {
        let (mut activity, mut seed) = (Activity::new(RATE), 1);
        assert_eq!(closes(&mut activity, || noise(&mut seed, -25.0)), None);
        assert!(activity.is_steady());
        for hz in [100.0, 440.0, 2_100.0] {
            let (mut activity, mut tone) = (Activity::new(RATE), Tone::new(hz, -42.0, RATE));
            let mut next = || {
                let mut pcm = [0.0; 160];
                tone.fill(&mut pcm);
                pcm
            };
            assert_eq!(closes(&mut activity, &mut next), None, "{hz} Hz");
        }
    }

    #[test]
    fn what_varies_is_not_steady() {
        let (mut activity, mut seed) = (Activity::new(RATE), 1);
        for i in 0..400 {
            activity.process(&mut noise(&mut seed, if i / 10 % 2 == 0 { -40.0 } else { -50.0 }));
            assert!(i < 40 || !activity.is_steady());
        }
        assert!(activity.is_open());
    }

    #[test]
    fn the_noise_floor_follows_the_noise() {
        let (mut activity, mut seed) = (Activity::new(RATE), 1);
        closes(&mut activity, || noise(&mut seed, -40.0)).unwrap();
        for _ in 0..200 {
            activity.process(&mut noise(&mut seed, -60.0));
        }
        assert_eq!(activity.process(&mut noise(&mut seed, -50.0)), Contribution::Speaks);
    }
}
