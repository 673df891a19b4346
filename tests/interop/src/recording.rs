use tandem_testkit::{level_dbfs, sine, tone_dbfs};

/// Mono sound.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Samples a second.
    pub rate: u32,
    /// 16-bit PCM.
    pub samples: Vec<i16>,
}

/// A tone above this is there, in dBFS; all our sources talk at −12.
const PRESENT: f64 = -20.0;

/// What counts as absent beside a tone of `level`: 30 dB below it.
pub fn below(level: f64) -> f64 {
    level - 30.0
}

impl Recording {
    /// A sine.
    pub fn tone(hz: f64, dbfs: f64, rate: u32, seconds: u32) -> Self {
        Recording { rate, samples: sine(hz, dbfs, rate, 0, (rate * seconds) as usize) }
    }

    /// How long it is, in seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate)
    }

    /// The part from second `from` to second `to`; shorter where the recording is.
    pub fn part(&self, from: f64, to: f64) -> Recording {
        let at = |s: f64| ((s * f64::from(self.rate)) as usize).min(self.samples.len());
        Recording { rate: self.rate, samples: self.samples[at(from)..at(to)].to_vec() }
    }

    /// The last `seconds`.
    pub fn last(&self, seconds: f64) -> Recording {
        self.part((self.seconds() - seconds).max(0.0), self.seconds())
    }

    /// Level of one frequency over all of it, dBFS.
    pub fn tone_dbfs(&self, hz: f64) -> f64 {
        tone_dbfs(&self.samples, hz, self.rate)
    }

    /// Level of everything, dBFS.
    pub fn level_dbfs(&self) -> f64 {
        level_dbfs(&self.samples)
    }

    /// The loudest half second of one frequency, dBFS: what tells whether it was ever there.
    pub fn loudest_dbfs(&self, hz: f64) -> f64 {
        self.halves().map(|part| part.tone_dbfs(hz)).fold(-120.0, f64::max)
    }

    /// How far everything else lies below the tones of `hz`, in dB, in the worst half second.
    ///
    /// A lost frame, a click, a stranger's voice or a wrong level of decoding all show here; µ-law alone
    /// leaves about 37.
    pub fn purity_db(&self, hz: &[f64]) -> f64 {
        self.halves().map(|part| part.purity_of_all(hz)).fold(f64::INFINITY, f64::min)
    }

    /// The recording itself if these tones are all there is, 28 dB and more above the rest in every half second.
    ///
    /// # Errors
    /// What it measured instead.
    pub fn pure(self, hz: &[f64]) -> Result<Self, String> {
        let purity = self.purity_db(hz);
        if purity > 28.0 { Ok(self) } else { Err(format!("{hz:?} Hz are only {purity:.1} dB pure")) }
    }

    fn halves(&self) -> impl Iterator<Item = Recording> {
        let whole = (self.seconds() * 2.0) as usize;
        (0..whole).map(|n| self.part(n as f64 / 2.0, (n + 1) as f64 / 2.0))
    }

    fn purity_of_all(&self, hz: &[f64]) -> f64 {
        let windowed = hann(&self.samples);
        let power = |dbfs: f64| 10f64.powf(dbfs / 10.0);
        // The window passes 3/8 of a signal's power.
        let all = power(level_dbfs(&windowed)) * 8.0 / 3.0;
        let tones: f64 = hz.iter().map(|hz| power(self.tone_dbfs(*hz))).sum();
        10.0 * (tones / (all - tones).max(1e-12)).log10()
    }

    /// Has it a full `seconds` at its end that hold all these tones?
    pub fn ends_with(&self, seconds: f64, hz: &[f64]) -> bool {
        let end = self.last(seconds);
        end.seconds() + 0.001 >= seconds && hz.iter().all(|hz| end.tone_dbfs(*hz) > PRESENT)
    }

    /// Panics unless every tone of `present` is there, and every one of `absent` 30 dB below the weakest of
    /// them.
    pub fn assert_tones(&self, who: &str, present: &[f64], absent: &[f64]) {
        assert!(self.seconds() >= 0.5, "{who} recorded only {:.2} s", self.seconds());
        let levels: Vec<f64> = present.iter().map(|hz| self.tone_dbfs(*hz)).collect();
        let weakest = levels.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(weakest > PRESENT, "{who} should hear {present:?} Hz and has them at {levels:.1?} dBFS");
        for hz in absent {
            let level = self.tone_dbfs(*hz);
            assert!(
                level < below(weakest),
                "{who} should not hear {hz} Hz and has it at {level:.1} dBFS beside {levels:.1?}"
            );
        }
    }
}

fn hann(samples: &[i16]) -> Vec<i16> {
    let step = 2.0 * std::f64::consts::PI / samples.len().max(1) as f64;
    let window = |i: usize| 0.5 - 0.5 * (i as f64 * step).cos();
    samples.iter().enumerate().map(|(i, s)| (f64::from(*s) * window(i)).round() as i16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purity_sees_a_missing_frame_and_forgives_quantisation() {
        let mut sound = Recording::tone(440.0, -12.0, 8_000, 2);
        for sample in &mut sound.samples {
            *sample = crate::g711::ulaw_to(crate::g711::ulaw_from(*sample));
        }
        assert!(sound.purity_db(&[440.0]) > 33.0, "{}", sound.purity_db(&[440.0]));
        sound.samples[6_000..6_160].fill(0);
        assert!(sound.purity_db(&[440.0]) < 20.0, "{}", sound.purity_db(&[440.0]));
    }

    #[test]
    #[should_panic(expected = "should not hear 617 Hz")]
    fn an_unwanted_tone_is_found() {
        let mut sound = Recording::tone(440.0, -12.0, 8_000, 1);
        for (a, b) in sound.samples.iter_mut().zip(sine(617.0, -36.0, 8_000, 0, 8_000)) {
            *a += b;
        }
        sound.assert_tones("nobody", &[440.0], &[617.0]);
    }
}
