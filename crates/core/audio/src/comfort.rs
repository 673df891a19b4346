use tandem_base::ClockRate;

/// How loud it is: −68 dBFS, mean square.
const POWER: f32 = 7.9e-8;
/// It falls off above this frequency, Hz, by 6 dB an octave, as the noise of rooms does.
const CORNER: f32 = 1_000.0;

/// A low noise as that of a quiet room, −68 dBFS: in digital silence people take a call for lost.
#[derive(Clone, Debug)]
pub struct ComfortNoise {
    seed: u32,
    last: f32,
    follow: f32,
    gain: f32,
}

impl ComfortNoise {
    /// At `rate`.
    pub fn new(rate: ClockRate) -> Self {
        let follow = 1.0 - (-std::f32::consts::TAU * CORNER / rate.hz() as f32).exp();
        // Uniform noise within ±1.0 has the power 1/3, of which the filter leaves this share.
        let gain = (POWER * 3.0 * (2.0 - follow) / follow).sqrt();
        ComfortNoise { seed: 1, last: 0.0, follow, gain }
    }

    /// The next samples.
    pub fn fill(&mut self, out: &mut [f32]) {
        for x in out {
            // Numerical Recipes' generator; its upper bits are random enough to the ear.
            self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let white = (self.seed >> 8) as f32 / 8_388_608.0 - 1.0;
            self.last += (white * self.gain - self.last) * self.follow;
            *x = self.last;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::mean_square;

    #[test]
    fn it_is_as_loud_at_every_rate_and_falls_off() {
        for rate in [ClockRate::HZ_8000, ClockRate::HZ_16000, ClockRate::HZ_48000] {
            let mut pcm = vec![0.0; rate.hz() as usize];
            ComfortNoise::new(rate).fill(&mut pcm);
            let level = crate::level::rms_dbfs(&pcm);
            assert!((level + 68.0).abs() < 1.0, "{} Hz: {level:.1} dBFS", rate.hz());
            let steps: Vec<f32> = pcm.windows(2).map(|w| w[1] - w[0]).collect();
            assert!(mean_square(&steps) < 1.3 * mean_square(&pcm), "not white: 2.0");
        }
    }
}
