use earshot::Detector;
use tandem_base::ClockRate;

use crate::{Resampler, UnsupportedRates};

/// Samples that the network takes at a time: 16 ms at 16 kHz.
const BLOCK: usize = 256;
/// After so many blocks, 80 ms, a voice may be clear …
const SOON: u32 = 5;
/// … by this score, which noise never gets.
const CLEAR: f32 = 0.7;
/// After so many blocks, 320 ms, noise is told from voices …
const LAST: u32 = 20;
/// … by this score.
const VOICE: f32 = 0.5;

/// Listens closely whether a sound is a voice, by a small neural network (earshot), for a third of a second at most.
///
/// It costs about 110,000 instructions for 16 ms of sound, hundreds of times what mixing does: so it is for few sounds
/// at a time, and for a moment. Steady tones pass for voices: leave them out. It holds about 15 KiB.
pub struct VoiceDetector {
    detector: Box<Detector>,
    narrow: Resampler,
    wide: Resampler,
    converted: [f32; 320],
    block: [f32; BLOCK],
    fill: usize,
    blocks: u32,
}

impl VoiceDetector {
    /// One that has heard nothing.
    ///
    /// # Errors
    /// Where there is no resampler to 16 kHz.
    pub fn new() -> Result<Self, UnsupportedRates> {
        Ok(VoiceDetector {
            detector: Detector::default_boxed(),
            narrow: Resampler::new(ClockRate::HZ_8000, ClockRate::HZ_16000)?,
            wide: Resampler::new(ClockRate::HZ_48000, ClockRate::HZ_16000)?,
            converted: [0.0; 320],
            block: [0.0; BLOCK],
            fill: 0,
            blocks: 0,
        })
    }

    /// Turns to another sound.
    pub fn reset(&mut self) {
        self.detector.reset();
        self.narrow.reset();
        self.wide.reset();
        (self.fill, self.blocks) = (0, 0);
    }

    /// Takes the next 20 ms at 8, 16 or 48 kHz. `Some`: it was a voice, or not; then begin anew.
    pub fn hear(&mut self, pcm: &[f32], rate: ClockRate) -> Option<bool> {
        let converted = &mut self.converted;
        match rate {
            ClockRate::HZ_8000 => _ = self.narrow.process(pcm, converted),
            ClockRate::HZ_48000 => _ = self.wide.process(pcm, converted),
            _ => converted.iter_mut().zip(pcm).for_each(|(to, from)| *to = *from),
        }
        let mut verdict = None;
        for x in self.converted {
            let Some(place) = self.block.get_mut(self.fill) else { break };
            *place = x.clamp(-1.0, 1.0);
            self.fill += 1;
            if self.fill == BLOCK {
                self.fill = 0;
                verdict = verdict.or(self.listen());
            }
        }
        verdict
    }

    fn listen(&mut self) -> Option<bool> {
        let score = self.detector.predict_f32(&self.block);
        self.blocks += 1;
        match self.blocks {
            ..SOON => None,
            SOON..LAST => (score > CLEAR).then_some(true),
            LAST.. => Some(score > VOICE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: [ClockRate; 3] = [ClockRate::HZ_8000, ClockRate::HZ_16000, ClockRate::HZ_48000];

    /// A buzz of 130 Hz through two resonances that glide from one vowel to another: near enough to a voice.
    fn vowels(rate: ClockRate) -> Vec<f32> {
        let hz = rate.hz() as f32;
        let n = rate.ticks_in_ms(400) as usize;
        let mut out = vec![0.0f32; n];
        let (mut phase, mut formants) = (0.0f32, [[0.0f32; 2]; 2]);
        for (i, x) in out.iter_mut().enumerate() {
            let t = i as f32 / n as f32;
            phase += 130.0 * (1.0 + 0.1 * t) / hz;
            let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
            phase -= phase.floor();
            *x = 0.0;
            for (state, centre) in formants.iter_mut().zip([700.0 - 300.0 * t, 1_100.0 + 900.0 * t]) {
                let r = (-std::f32::consts::PI * 80.0 / hz).exp();
                let y = pulse + 2.0 * r * (std::f32::consts::TAU * centre / hz).cos() * state[0]
                    - r * r * state[1];
                *state = [y, state[0]];
                *x += y * 0.02;
            }
        }
        out
    }

    fn noise(rate: ClockRate) -> Vec<f32> {
        let mut seed = 3u32;
        let next = |_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((seed >> 16) as f32 / 32_768.0 - 1.0) * 0.05
        };
        (0..rate.ticks_in_ms(400)).map(next).collect()
    }

    fn verdict(detector: &mut VoiceDetector, pcm: &[f32], rate: ClockRate) -> Option<bool> {
        detector.reset();
        pcm.chunks(rate.ticks_in_ms(20) as usize).find_map(|frame| detector.hear(frame, rate))
    }

    #[test]
    fn voices_and_noise_are_told_apart_at_every_rate() {
        let mut detector = VoiceDetector::new().unwrap();
        for rate in RATES {
            assert_eq!(verdict(&mut detector, &vowels(rate), rate), Some(true), "{} Hz", rate.hz());
            assert_eq!(verdict(&mut detector, &noise(rate), rate), Some(false), "{} Hz", rate.hz());
        }
    }
}
