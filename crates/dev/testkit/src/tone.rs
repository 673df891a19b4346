use std::f64::consts::PI;

/// `n` samples of a sine of `hz` at `dbfs` (0 dBFS: a sine that just reaches full scale), from sample `start`.
pub fn sine(hz: f64, dbfs: f64, rate: u32, start: usize, n: usize) -> Vec<i16> {
    let amplitude = 32_767.0 * 10f64.powf(dbfs / 20.0);
    let step = 2.0 * PI * hz / f64::from(rate);
    (start..start + n).map(|i| ((i as f64 * step).sin() * amplitude).round() as i16).collect()
}

/// Power of everything, in dBFS (0: a full-scale sine); −120 for silence.
pub fn level_dbfs(samples: &[i16]) -> f64 {
    let power = samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len().max(1) as f64;
    to_dbfs(power)
}

/// Power of one frequency, in dBFS (0: a full-scale sine), by a Hann window and a single Goertzel bin.
///
/// Resolution is about 4 / duration: half a second tells tones 8 Hz apart.
pub fn tone_dbfs(samples: &[i16], hz: f64, rate: u32) -> f64 {
    let n = samples.len();
    let step = 2.0 * PI * hz / f64::from(rate);
    let coefficient = 2.0 * step.cos();
    let (mut s1, mut s2) = (0.0, 0.0);
    for (i, sample) in samples.iter().enumerate() {
        let window = 0.5 - 0.5 * (2.0 * PI * i as f64 / n as f64).cos();
        let s0 = f64::from(*sample) * window + coefficient * s1 - s2;
        s2 = s1;
        s1 = s0;
    }
    let magnitude = (s1 * s1 + s2 * s2 - coefficient * s1 * s2).max(0.0);
    // The window's coherent gain is one half; a sine's power is half its amplitude squared.
    let amplitude = magnitude.sqrt() * 4.0 / n.max(1) as f64;
    to_dbfs(amplitude * amplitude / 2.0)
}

fn to_dbfs(power: f64) -> f64 {
    (10.0 * (power / (32_767.0f64 * 32_767.0 / 2.0)).log10()).max(-120.0)
}

/// Something near enough to a voice for detectors: a buzz of 130 Hz through two resonances that glide from vowel to
/// vowel four times a second, in words of 800 ms with pauses of 200 ms; peaks about −10 dBFS.
pub fn vowels(rate: u32, ms: u32) -> Vec<f32> {
    let hz = rate as f32;
    let n = u64::from(rate) * u64::from(ms) / 1_000;
    let (mut phase, mut formants) = (0.0f32, [[0.0f32; 2]; 2]);
    let sample = |i: u64| {
        let t = i as f32 / hz;
        phase += (130.0 + 13.0 * (t * 7.0).sin()) / hz;
        let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
        phase -= phase.floor();
        let glide = (std::f32::consts::TAU * 4.0 * t).sin();
        let mut x = 0.0;
        for (state, centre) in formants.iter_mut().zip([550.0 - 150.0 * glide, 1_500.0 + 450.0 * glide]) {
            let r = (-std::f32::consts::PI * 80.0 / hz).exp();
            let turn = (std::f32::consts::TAU * centre / hz).cos();
            let y = pulse + 2.0 * r * turn * state[0] - r * r * state[1];
            *state = [y, state[0]];
            // What a pulse brings grows with the rate.
            x += y * 0.16 * 8_000.0 / hz;
        }
        if t.fract() < 0.8 { x.clamp(-0.9, 0.9) * (0.6 + 0.4 * glide) } else { 0.0 }
    };
    (0..n).map(sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_found_at_its_level_and_nowhere_else() {
        let tone = sine(440.0, -12.0, 8_000, 0, 8_000);
        assert!((tone_dbfs(&tone, 440.0, 8_000) + 12.0).abs() < 0.1);
        assert!((level_dbfs(&tone) + 12.0).abs() < 0.1);
        assert!(tone_dbfs(&tone, 617.0, 8_000) < -80.0);
        assert_eq!(level_dbfs(&[0; 100]), -120.0);
    }
}
