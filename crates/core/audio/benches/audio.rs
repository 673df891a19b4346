//! CPU per 20 ms of the audio path's parts.

#![allow(clippy::expect_used, missing_docs, reason = "a benchmark")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tandem_audio::tones::Tone;
use tandem_audio::{
    Activity, Candidate, ComfortNoise, Got, Limiter, Mixer, Playout, Resampler, Selection, Source, Talk,
    VoiceDetector,
};
use tandem_base::ClockRate;

const RATES: [ClockRate; 3] = [ClockRate::HZ_8000, ClockRate::HZ_16000, ClockRate::HZ_48000];

fn mix(c: &mut Criterion) {
    let mut frame = [0.0; 960];
    Tone::new(440.0, -26.0, ClockRate::HZ_48000).fill(&mut frame);
    let mut mixer = Mixer::new(960);
    c.bench_function("mix 48 kHz: sum of 10", |b| {
        b.iter(|| {
            mixer.clear();
            for _ in 0..10 {
                mixer.add(&frame);
            }
            mixer.contributors()
        })
    });
    let mut limiter = Limiter::new(ClockRate::HZ_48000);
    let mut out = [0.0; 960];
    c.bench_function("mix 48 kHz: mix-minus and limiter at rest", |b| {
        b.iter(|| mixer.render(Some(&frame), &mut limiter, &mut out))
    });
    let mut activity = Activity::new(ClockRate::HZ_48000);
    c.bench_function("activity 48 kHz", |b| b.iter(|| activity.process(&mut frame)));
}

fn who_is_heard(c: &mut Criterion) {
    let mut selection = Selection::new();
    selection.reserve(100);
    for most in [0, 4] {
        c.bench_function(&format!("selection: {most} of 100 (0 is all)"), |b| {
            b.iter(|| {
                let level = |id: usize| -20.0 - (id % 7) as f32;
                selection.select(most, (0..100).map(|id| Candidate { id, level: level(id), voice: true }));
                selection.heard().count()
            })
        });
    }
    let mut talk = Talk::default();
    c.bench_function("talk: a listener", |b| b.iter(|| talk.note(black_box(None))));
    let mut detector = VoiceDetector::new().expect("a detector");
    let mut frame = [0.0; 160];
    Tone::new(440.0, -26.0, ClockRate::HZ_8000).fill(&mut frame);
    c.bench_function("voice detector: 20 ms", |b| b.iter(|| detector.hear(&frame, ClockRate::HZ_8000)));
    let mut noise = ComfortNoise::new(ClockRate::HZ_8000);
    c.bench_function("comfort noise 8 kHz", |b| b.iter(|| noise.fill(&mut frame)));
}

fn resample(c: &mut Criterion) {
    for from in RATES {
        for to in RATES.into_iter().filter(|to| *to != from) {
            let mut resampler = Resampler::new(from, to).expect("a resampler");
            let mut input = vec![0.0; from.ticks_in_ms(20) as usize];
            Tone::new(440.0, -16.0, from).fill(&mut input);
            let mut output = vec![0.0; to.ticks_in_ms(20) as usize];
            c.bench_function(&format!("resample {} to {}", from.hz(), to.hz()), |b| {
                b.iter(|| resampler.process(&input, &mut output))
            });
        }
    }
}

/// One packet a tick; or nothing, or a buffer that is always too full.
struct Packets {
    frame: Vec<f32>,
    /// Is there one in each tick?
    clean: bool,
    there: bool,
    queued: usize,
}

impl Source for Packets {
    fn next(&mut self, out: &mut [f32]) -> Got {
        self.there = !self.there;
        if !self.there && self.queued == 0 && !self.clean {
            return Got::Nothing;
        }
        out[..self.frame.len()].copy_from_slice(&self.frame);
        Got::Decoded(self.frame.len())
    }
    fn conceal(&mut self, out: &mut [f32]) {
        out.fill(0.0);
    }
    fn queued(&self) -> usize {
        self.queued
    }
    fn wanted(&self) -> isize {
        0
    }
}

fn playout(c: &mut Criterion) {
    for rate in [ClockRate::HZ_8000, ClockRate::HZ_48000] {
        let mut frame = vec![0.0; rate.ticks_in_ms(20) as usize];
        Tone::new(200.0, -16.0, rate).fill(&mut frame);
        let mut out = frame.clone();
        let cases = [
            ("on a clean line", true, 0),
            ("with every other packet late", false, 0),
            ("always shortening", false, frame.len() * 20),
        ];
        for (name, clean, queued) in cases {
            let mut playout = Playout::new(rate, 20);
            let mut source = Packets { frame: frame.clone(), clean, there: false, queued };
            c.bench_function(&format!("playout {} {name}", rate.hz()), |b| {
                b.iter(|| playout.pull(&mut source, &mut out))
            });
        }
    }
}

criterion_group!(benches, mix, who_is_heard, resample, playout);
criterion_main!(benches);
