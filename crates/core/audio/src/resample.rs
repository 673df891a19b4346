use std::f64::consts::{PI, TAU};
use std::sync::OnceLock;
use std::time::Duration;

use tandem_base::ClockRate;

use crate::wave::dot;

/// Taps at the lower rate: the filter spans 28 of its samples, whatever the ratio.
const SPAN: usize = 28;
/// Kaiser's shape parameter for 68 dB: the pass band ends and the stop band begins 15 % off the lower Nyquist.
const BETA: f64 = 6.53;
/// What is worked on at once: 10 ms at 48 kHz.
const BLOCK: usize = 480;

/// Two rates that no [`Resampler`] connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no resampler from {} Hz to {} Hz", from.hz(), to.hz())]
pub struct UnsupportedRates {
    /// Of the input.
    pub from: ClockRate,
    /// Of the output.
    pub to: ClockRate,
}

/// Changes the rate of one stream between 8, 16 and 48 kHz with less than 2 ms of delay.
///
/// A linear-phase polyphase filter: flat to 0.85 of the lower Nyquist frequency, images and aliases of that
/// band 60 dB down. The coefficients are shared by all of one ratio; a resampler itself holds about 3 KiB.
#[derive(Clone, Debug)]
pub struct Resampler {
    from: ClockRate,
    to: ClockRate,
    direction: Direction,
    /// The last samples of the block before, then room for a block.
    window: Vec<f32>,
    history: usize,
}

#[derive(Clone, Copy, Debug)]
enum Direction {
    Same,
    /// By a factor; for each input of the span the coefficients of all output phases.
    Up(usize, &'static [f32]),
    /// By a factor.
    Down(usize, &'static [f32]),
}

impl Direction {
    fn between(from: ClockRate, to: ClockRate) -> Option<Self> {
        let supported = |rate: ClockRate| matches!(rate.hz(), 8_000 | 16_000 | 48_000);
        if !supported(from) || !supported(to) {
            return None;
        }
        let (low, high) = (from.min(to).hz(), from.max(to).hz());
        let factor = usize::try_from(high / low).ok()?;
        Some(match from.cmp(&to) {
            std::cmp::Ordering::Equal => Direction::Same,
            std::cmp::Ordering::Less => Direction::Up(factor, interpolator(factor)?),
            std::cmp::Ordering::Greater => Direction::Down(factor, decimator(factor)?),
        })
    }

    /// Samples of the past that the next output needs.
    fn history(self) -> usize {
        match self {
            Direction::Same => 0,
            Direction::Up(..) => SPAN - 1,
            Direction::Down(factor, _) => (SPAN - 1) * factor,
        }
    }
}

impl Resampler {
    /// From one rate to another (or to the same: then it copies).
    ///
    /// # Errors
    /// [`UnsupportedRates`] where either is not 8, 16 or 48 kHz.
    pub fn new(from: ClockRate, to: ClockRate) -> Result<Self, UnsupportedRates> {
        let direction = Direction::between(from, to).ok_or(UnsupportedRates { from, to })?;
        let history = direction.history();
        Ok(Resampler { from, to, direction, window: vec![0.0; history + BLOCK], history })
    }

    /// Resamples a block and gives the samples written: [`output_len`](Resampler::output_len).
    ///
    /// The block is a multiple of the ratio (any multiple of 10 ms is; what exceeds it is ignored). What does
    /// not fit `output` is lost.
    pub fn process(&mut self, input: &[f32], output: &mut [f32]) -> usize {
        match self.direction {
            Direction::Same => {
                let n = input.len().min(output.len());
                output[..n].copy_from_slice(&input[..n]);
                n
            }
            Direction::Up(factor, taps) => self.blocks(input, output, 1, |window, out| match factor {
                2 => interpolate::<2>(window, taps, out),
                3 => interpolate::<3>(window, taps, out),
                _ => interpolate::<6>(window, taps, out),
            }),
            Direction::Down(factor, taps) => self.blocks(input, output, factor, |window, out| {
                for (y, window) in out.iter_mut().zip(window.windows(taps.len()).step_by(factor)) {
                    *y = dot(window, taps);
                }
            }),
        }
    }

    /// Runs `filter` over history and block, a block at a time; `unit` input samples belong together.
    fn blocks(
        &mut self,
        input: &[f32],
        output: &mut [f32],
        unit: usize,
        filter: impl Fn(&[f32], &mut [f32]),
    ) -> usize {
        let mut written = 0;
        for block in input.chunks(BLOCK) {
            let block = &block[..block.len() - block.len() % unit];
            let end = self.history + block.len();
            self.window[self.history..end].copy_from_slice(block);
            let room = output.len() - written;
            let n = self.output_len(block.len()).min(room);
            filter(&self.window[..end], &mut output[written..written + n]);
            written += n;
            self.window.copy_within(block.len()..end, 0);
        }
        written
    }

    /// Samples that `input` samples become.
    pub fn output_len(&self, input: usize) -> usize {
        match self.direction {
            Direction::Same => input,
            Direction::Up(factor, _) => input * factor,
            Direction::Down(factor, _) => input / factor,
        }
    }

    /// How much later sound comes out than it went in.
    pub fn latency(&self) -> Duration {
        let (factor, high) = match self.direction {
            Direction::Same => return Duration::ZERO,
            Direction::Up(factor, _) => (factor, self.to),
            Direction::Down(factor, _) => (factor, self.from),
        };
        // The middle of a symmetric filter of SPAN · factor taps.
        Duration::from_secs_f64((SPAN * factor - 1) as f64 / 2.0 / f64::from(high.hz()))
    }

    /// Forgets the stream.
    pub fn reset(&mut self) {
        self.window.fill(0.0);
    }
}

/// Inputs that are worked on side by side.
const SIDE: usize = 8;

/// `F` outputs for each input: [`SIDE`] inputs side by side, so that sums need not be taken across lanes.
fn interpolate<const F: usize>(window: &[f32], taps: &[f32], out: &mut [f32]) {
    let taps = taps.as_chunks::<F>().0;
    let (sides, rest) = out.as_chunks_mut::<F>().0.as_chunks_mut::<SIDE>();
    let done = sides.len() * SIDE;
    for (groups, window) in sides.iter_mut().zip(window.windows(SPAN + SIDE - 1).step_by(SIDE)) {
        let mut sums = [[0.0f32; SIDE]; F];
        for (x, taps) in window.array_windows::<SIDE>().zip(taps) {
            for (sum, tap) in sums.iter_mut().zip(taps) {
                for (sum, x) in sum.iter_mut().zip(x) {
                    *sum += x * tap;
                }
            }
        }
        for (i, group) in groups.iter_mut().enumerate() {
            for (y, sum) in group.iter_mut().zip(&sums) {
                *y = sum[i];
            }
        }
    }
    for (group, window) in rest.iter_mut().zip(window[done..].array_windows::<SPAN>()) {
        *group = [0.0; F];
        for (x, taps) in window.iter().zip(taps) {
            for (y, tap) in group.iter_mut().zip(taps) {
                *y += x * tap;
            }
        }
    }
}

/// Shared by all interpolators of a ratio: for each input of the span, oldest first, the taps of all output phases, gain
/// `factor`.
fn interpolator(factor: usize) -> Option<&'static [f32]> {
    static TABLES: [OnceLock<Vec<f32>>; 3] = [const { OnceLock::new() }; 3];
    let table = TABLES.get(index(factor)?)?;
    Some(table.get_or_init(|| {
        let prototype = prototype(factor);
        let tap = |phase: usize, k: usize| prototype[(SPAN - 1 - k) * factor + phase];
        let phases = (0..SPAN).flat_map(|k| (0..factor).map(move |phase| (phase, k)));
        phases.map(|(phase, k)| (tap(phase, k) * factor as f64) as f32).collect()
    }))
}

/// Shared by all decimators of a ratio: the taps, which are symmetric.
fn decimator(factor: usize) -> Option<&'static [f32]> {
    static TABLES: [OnceLock<Vec<f32>>; 3] = [const { OnceLock::new() }; 3];
    let table = TABLES.get(index(factor)?)?;
    Some(table.get_or_init(|| prototype(factor).iter().map(|h| *h as f32).collect()))
}

fn index(factor: usize) -> Option<usize> {
    [2, 3, 6].iter().position(|f| *f == factor)
}

/// The low pass at the higher rate, cut off at the lower Nyquist frequency: a Kaiser-windowed sinc, gain 1.
fn prototype(factor: usize) -> Vec<f64> {
    let n = SPAN * factor;
    let middle = (n - 1) as f64 / 2.0;
    let taps: Vec<f64> = (0..n)
        .map(|i| {
            let t = i as f64 - middle;
            let sinc = if t == 0.0 { 1.0 } else { (PI * t / factor as f64).sin() / (PI * t / factor as f64) };
            let edge = t / (middle + 0.5);
            sinc * bessel(BETA * (1.0 - edge * edge).max(0.0).sqrt())
        })
        .collect();
    let sum: f64 = taps.iter().sum();
    taps.iter().map(|t| t / sum).collect()
}

/// Modified Bessel function of the first kind, order zero, by its integral.
fn bessel(x: f64) -> f64 {
    const STEPS: u32 = 64;
    let angle = |i| TAU * f64::from(i) / f64::from(STEPS);
    (0..STEPS).map(|i| (x * angle(i).cos()).exp()).sum::<f64>() / f64::from(STEPS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tones::Tone;

    const RATES: [ClockRate; 3] = [ClockRate::HZ_8000, ClockRate::HZ_16000, ClockRate::HZ_48000];

    fn pairs() -> impl Iterator<Item = (ClockRate, ClockRate)> {
        RATES.into_iter().flat_map(|from| RATES.into_iter().map(move |to| (from, to)))
    }

    fn half_second(hz: f64, from: ClockRate, to: ClockRate, block_ms: u32) -> Vec<f32> {
        let mut resampler = Resampler::new(from, to).unwrap();
        let mut tone = Tone::new(hz, -6.0, from);
        let mut all = Vec::new();
        for _ in 0..600 / block_ms {
            let mut block = vec![0.0; from.ticks_in_ms(block_ms) as usize];
            tone.fill(&mut block);
            let mut out = vec![0.0; resampler.output_len(block.len())];
            assert_eq!(resampler.process(&block, &mut out), out.len());
            all.extend(out);
        }
        all.split_off(to.ticks_in_ms(100) as usize)
    }

    /// Level of one frequency, dBFS; what is left without it, dBFS.
    fn tone_and_rest(pcm: &[f32], hz: f64, rate: ClockRate) -> (f64, f64) {
        let step = TAU * hz / f64::from(rate.hz());
        let n = pcm.len() as f64;
        let (mut c, mut s) = (0.0, 0.0);
        for (i, x) in pcm.iter().enumerate() {
            c += f64::from(*x) * (i as f64 * step).cos() * 2.0 / n;
            s += f64::from(*x) * (i as f64 * step).sin() * 2.0 / n;
        }
        let rest: f64 = pcm
            .iter()
            .enumerate()
            .map(|(i, x)| f64::from(*x) - c * (i as f64 * step).cos() - s * (i as f64 * step).sin())
            .map(|x| x * x)
            .sum();
        (10.0 * (c * c + s * s).log10(), 10.0 * (2.0 * rest / n + 1e-15).log10())
    }

    #[test]
    fn tones_keep_their_level_and_get_no_images() {
        for (from, to) in pairs() {
            let nyquist = f64::from(from.min(to).hz()) / 2.0;
            for part in [0.05, 0.25, 0.5, 0.75, 0.85] {
                let hz = (nyquist * part / 10.0).round() * 10.0;
                let (tone, rest) = tone_and_rest(&half_second(hz, from, to, 20), hz, to);
                let what = format!("{} to {} Hz, {hz} Hz: {tone} dB, rest {rest} dB", from.hz(), to.hz());
                assert!((tone + 6.0).abs() < 0.1, "{what}");
                assert!(rest < -66.0, "{what}");
            }
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_removed() {
        for (from, to) in pairs().filter(|(from, to)| from > to) {
            for part in [1.15, 1.3, 1.9] {
                let hz = f64::from(to.hz()) / 2.0 * part;
                if hz > f64::from(from.hz()) / 2.0 * 0.99 {
                    continue;
                }
                let out = half_second(hz, from, to, 20);
                assert!(crate::level::rms_dbfs(&out) < -66.0, "{} to {} Hz: {hz} Hz", from.hz(), to.hz());
            }
        }
    }

    #[test]
    fn block_length_makes_no_difference() {
        for (from, to) in pairs() {
            let (short, long) = (half_second(1_234.0, from, to, 10), half_second(1_234.0, from, to, 60));
            assert_eq!(short.len(), long.len());
            assert!(short.iter().zip(&long).all(|(a, b)| (a - b).abs() < 1e-6));
        }
    }

    #[test]
    fn an_impulse_comes_out_when_the_latency_says_within_2_ms() {
        for (from, to) in pairs() {
            let mut resampler = Resampler::new(from, to).unwrap();
            let mut input = vec![0.0; from.ticks_in_ms(20) as usize];
            let at = input.len() / 2;
            input[at] = 1.0;
            let mut out = vec![0.0; to.ticks_in_ms(20) as usize];
            resampler.process(&input, &mut out);
            let (peak, _) = out.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap();
            let measured = peak as f64 / f64::from(to.hz()) - at as f64 / f64::from(from.hz());
            let stated = resampler.latency().as_secs_f64();
            assert!(stated < 0.002);
            let sample = 1.0 / f64::from(from.min(to).hz());
            assert!((measured - stated).abs() <= sample, "{} to {}: {measured}", from.hz(), to.hz());
        }
    }

    #[test]
    fn odd_lengths_and_short_outputs_are_borne() {
        let mut down = Resampler::new(ClockRate::HZ_48000, ClockRate::HZ_8000).unwrap();
        assert_eq!(down.process(&[0.0; 965], &mut [0.0; 160]), 160);
        assert_eq!(down.process(&[0.0; 960], &mut [0.0; 7]), 7);
        assert_eq!(down.process(&[], &mut []), 0);
    }

    #[test]
    fn other_rates_are_refused() {
        let odd = ClockRate::new(44_100).unwrap();
        assert!(Resampler::new(odd, ClockRate::HZ_8000).is_err());
        assert!(Resampler::new(ClockRate::HZ_48000, ClockRate::HZ_90000).is_err());
    }
}
