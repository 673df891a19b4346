//! Noise goes, voices stay, nothing is allocated.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::f64::consts::TAU;

use allocation_counter::measure;
use tandem_audio::level::rms_dbfs;
use tandem_base::ClockRate;
use tandem_codec::NoiseSuppressor;
use tandem_testkit::Seeded;

const RATES: [ClockRate; 3] = [ClockRate::HZ_8000, ClockRate::HZ_16000, ClockRate::HZ_48000];

fn noise(random: &mut Seeded, n: usize) -> Vec<f32> {
    (0..n).map(|_| ((random.fraction() * 2.0 - 1.0) * 0.02) as f32).collect()
}

#[test]
fn steady_noise_is_removed_at_any_rate() {
    for rate in RATES {
        let frame = rate.ticks_in_ms(20) as usize;
        let mut suppressor = NoiseSuppressor::default();
        let mut random = Seeded::new(4);
        let mut last = Vec::new();
        for tick in 0..150 {
            let mut pcm = noise(&mut random, frame);
            suppressor.process(&mut pcm, rate);
            if tick >= 100 {
                last.extend(pcm);
            }
        }
        let before = rms_dbfs(&noise(&mut random, frame));
        assert!(rms_dbfs(&last) < before - 10.0, "{} Hz: {} of {before}", rate.hz(), rms_dbfs(&last));
    }
}

/// Vowels with a gliding pitch.
fn vowel(i: usize, rate: f64) -> f32 {
    let t = i as f64 / rate;
    let pitch = 130.0 + 15.0 * (TAU * 0.5 * t).sin();
    let gain = (0.6 + 0.4 * (TAU * 2.5 * t).sin()) * 0.05;
    let harmonics = (1..20).map(|n| {
        let hz = pitch * f64::from(n);
        let formant =
            (-((hz - 650.0) / 250.0).powi(2)).exp() + 0.6 * (-((hz - 1_400.0) / 300.0).powi(2)).exp();
        formant * (TAU * 130.0 * f64::from(n) * t - f64::from(n) * 4.8 * (TAU * 0.5 * t).cos()).sin()
    });
    (gain * harmonics.sum::<f64>()) as f32
}

#[test]
fn a_voice_passes() {
    for rate in RATES {
        let frame = rate.ticks_in_ms(20) as usize;
        let mut suppressor = NoiseSuppressor::default();
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for tick in 0..150 {
            let mut pcm: Vec<f32> =
                (0..frame).map(|i| vowel(tick * frame + i, f64::from(rate.hz()))).collect();
            before.extend_from_slice(&pcm);
            suppressor.process(&mut pcm, rate);
            after.extend(pcm);
        }
        let half = before.len() / 2;
        let change = rms_dbfs(&after[half..]) - rms_dbfs(&before[half..]);
        assert!(change.abs() < 3.0, "{} Hz: {change} dB", rate.hz());
    }
}

#[test]
fn nothing_is_allocated_after_the_first_frame() {
    let mut suppressor = NoiseSuppressor::default();
    suppressor.process(&mut [0.01; 960], ClockRate::HZ_48000);
    let mut other = NoiseSuppressor::default();
    let mut random = Seeded::new(4);
    for rate in RATES {
        let frames: Vec<Vec<f32>> =
            (0..50).map(|_| noise(&mut random, rate.ticks_in_ms(20) as usize)).collect();
        let allocations = measure(|| {
            for mut pcm in frames {
                other.process(&mut pcm, rate);
                suppressor.process(&mut pcm, rate);
            }
        });
        assert_eq!(allocations.count_total, 0, "{} Hz", rate.hz());
    }
}

#[test]
fn odd_lengths_and_rates_are_left_alone() {
    let mut suppressor = NoiseSuppressor::default();
    for (n, rate) in [(0, 48_000), (7, 48_000), (481, 48_000), (5_760, 48_000), (441, 44_100)] {
        let mut pcm = vec![0.5; n];
        suppressor.process(&mut pcm, ClockRate::new(rate).unwrap());
        assert!(pcm.iter().all(|x| *x == 0.5));
    }
}
