use tandem_base::ClockRate;

use crate::wave::{Match, Spans, crossfade, search};

/// Full level up to here, ms.
const STEADY_MS: u32 = 20;
/// Silence from here on, ms.
const SILENT_MS: u32 = 100;
/// Less alike than this, there is no pitch: the longest period sounds least like one.
const UNVOICED: f32 = 0.4;

/// Goes on with a wave by its last pitch period, and fades.
#[derive(Clone, Debug)]
pub(crate) struct Extension {
    spans: Spans,
    steady: usize,
    silent: usize,
    /// The last period, its end bent towards its beginning; only the first `period` samples are in use.
    template: Vec<f32>,
    period: usize,
    made: usize,
    /// The step from the last true sample to the template, levelled out over the first `ease` samples.
    step: f32,
    ease: usize,
}

impl Extension {
    pub(crate) fn new(rate: ClockRate) -> Self {
        let spans = Spans::new(rate);
        let samples = |ms| usize::try_from(rate.ticks_in_ms(ms)).unwrap_or(1).max(1);
        Extension {
            spans,
            steady: samples(STEADY_MS),
            silent: samples(SILENT_MS),
            template: vec![0.0; spans.longest],
            period: spans.longest,
            made: 0,
            step: 0.0,
            ease: 1,
        }
    }

    /// Begins behind the end of `past`, which holds the history's length at least.
    pub(crate) fn start(&mut self, past: &[f32]) {
        self.made = 0;
        self.period = self.find_period(past);
        let (end, period) = (past.len(), self.period);
        let template = &mut self.template[..period];
        template.copy_from_slice(&past[end - period..]);
        self.ease = period / 4;
        let before = &past[end - period - self.ease..end - period];
        // The template's end fades into what led to its beginning, so that it can follow itself.
        let tail = &mut template[period - self.ease..];
        for (i, (x, lead)) in tail.iter_mut().zip(before).enumerate() {
            let w = (i + 1) as f32 / (self.ease + 1) as f32;
            *x += (lead - *x) * w;
        }
        self.step = past[end - 1] - past[end - period - 1];
    }

    fn find_period(&self, past: &[f32]) -> usize {
        let Spans { shortest, longest, window, .. } = self.spans;
        let end = past.len();
        let reference = &past[end - window..];
        let candidates = &past[end - window - longest..end - shortest];
        let Match { offset, similarity } = search(reference, candidates, self.spans);
        if similarity < UNVOICED { longest } else { longest - offset }
    }

    /// The next samples.
    pub(crate) fn extend(&mut self, out: &mut [f32]) {
        for x in out {
            let ease = 1.0 - (self.made.min(self.ease) as f32 / self.ease.max(1) as f32);
            let wave = self.template[self.made % self.period] + self.step * ease;
            *x = wave * self.gain();
            self.made += 1;
        }
    }

    fn gain(&self) -> f32 {
        let faded = self.made.saturating_sub(self.steady) as f32 / (self.silent - self.steady) as f32;
        (1.0 - faded).max(0.0)
    }

    /// Samples of one period.
    pub(crate) fn period(&self) -> usize {
        self.period
    }

    /// Has it faded out?
    pub(crate) fn is_silent(&self) -> bool {
        self.made >= self.silent
    }
}

/// Packet loss concealment for codecs that have none of their own: repeats the last pitch period and fades.
///
/// In the spirit of ITU-T G.711 Appendix I, without its delay: full level for 20 ms, silence from 100 ms on.
/// Feed every decoded block through [`received`](Concealer::received).
#[derive(Clone, Debug)]
pub struct Concealer {
    extension: Extension,
    past: Vec<f32>,
    blend: Vec<f32>,
    concealing: bool,
}

impl Concealer {
    /// For one stream at `rate`.
    pub fn new(rate: ClockRate) -> Self {
        let spans = Spans::new(rate);
        Concealer {
            extension: Extension::new(rate),
            past: vec![0.0; spans.history],
            blend: vec![0.0; spans.window],
            concealing: false,
        }
    }

    /// Remembers decoded sound; right after a concealment, its start is blended with what was made up.
    pub fn received(&mut self, pcm: &mut [f32]) {
        if std::mem::take(&mut self.concealing) {
            let n = self.blend.len().min(pcm.len());
            self.extension.extend(&mut self.blend[..n]);
            crossfade(&self.blend[..n], &mut pcm[..n], 1.0);
        }
        self.remember(pcm);
    }

    /// Makes up `out.len()` samples.
    pub fn conceal(&mut self, out: &mut [f32]) {
        if !std::mem::replace(&mut self.concealing, true) {
            self.extension.start(&self.past);
        }
        self.extension.extend(out);
        self.remember(out);
    }

    fn remember(&mut self, pcm: &[f32]) {
        let keep = self.past.len().saturating_sub(pcm.len());
        let old = self.past.len() - keep;
        self.past.copy_within(old.., 0);
        self.past[keep..].copy_from_slice(&pcm[pcm.len() - old..]);
    }

    /// Forgets the stream.
    pub fn reset(&mut self) {
        self.concealing = false;
        self.past.fill(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::rms_dbfs;
    use crate::tones::Tone;

    fn tone(rate: ClockRate, n: usize) -> Vec<f32> {
        let mut pcm = vec![0.0; n];
        Tone::new(220.0, -10.0, rate).fill(&mut pcm);
        pcm
    }

    fn steepest(pcm: &[f32]) -> f32 {
        pcm.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn a_lost_packet_of_a_tone_is_hardly_told_from_the_tone() {
        for rate in [ClockRate::HZ_8000, ClockRate::HZ_16000, ClockRate::HZ_48000] {
            let frame = rate.ticks_in_ms(20) as usize;
            let truth = tone(rate, frame * 10);
            let mut pcm = truth.clone();
            let mut concealer = Concealer::new(rate);
            for (n, block) in pcm.chunks_mut(frame).enumerate() {
                if n == 5 { concealer.conceal(block) } else { concealer.received(block) }
            }
            let error: Vec<f32> = pcm.iter().zip(&truth).map(|(a, b)| a - b).collect();
            let lost = &error[frame * 5..frame * 6];
            assert!(rms_dbfs(lost) < -35.0, "{} Hz: {} dBFS", rate.hz(), rms_dbfs(lost));
            assert!(steepest(&pcm) < 1.1 * steepest(&truth), "no step anywhere");
        }
    }

    #[test]
    fn noise_is_concealed_at_its_level_without_a_step() {
        let mut state = 1u32;
        let mut noise = vec![0.0; 8_000];
        for x in &mut noise {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *x = (state >> 8) as f32 / 16_777_216.0 * 0.2 - 0.1;
        }
        let mut concealer = Concealer::new(ClockRate::HZ_8000);
        concealer.received(&mut noise);
        let mut lost = [0.0; 160];
        concealer.conceal(&mut lost);
        assert!((rms_dbfs(&lost) - rms_dbfs(&noise)).abs() < 2.0);
    }

    #[test]
    fn a_long_loss_fades_to_silence_and_comes_back_smoothly() {
        let rate = ClockRate::HZ_8000;
        let mut truth = tone(rate, 160 * 20);
        let mut concealer = Concealer::new(rate);
        concealer.received(&mut truth[..1_600]);
        let mut lost = vec![0.0; 160 * 8];
        for block in lost.chunks_mut(160) {
            concealer.conceal(block);
        }
        assert!(rms_dbfs(&lost[..160]) > -11.0);
        assert!(lost[800..].iter().all(|x| *x == 0.0));
        concealer.received(&mut truth[2_880..]);
        assert!(truth[2_880].abs() < 0.02, "a soft start");
    }

    #[test]
    fn silence_stays_silence() {
        let mut out = [1.0; 160];
        Concealer::new(ClockRate::HZ_8000).conceal(&mut out);
        assert_eq!(out, [0.0; 160]);
    }
}
