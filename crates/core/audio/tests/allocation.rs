//! Once constructed, nothing on the audio path allocates.

use allocation_counter::measure;
use tandem_audio::tones::Tone;
use tandem_audio::{
    Activity, Concealer, FrameAdapter, Got, Limiter, Mixer, Playout, Resampler, Source, level,
};
use tandem_base::ClockRate;

/// Decodes a tone; now and then loses, stalls and bursts.
struct Rough {
    tone: Tone,
    concealer: Concealer,
    step: usize,
    queued: usize,
}

impl Source for Rough {
    fn next(&mut self, out: &mut [f32]) -> Got {
        self.step += 1;
        self.queued = self.queued.saturating_sub(960);
        match self.step % 50 {
            7 => Got::Lost(960),
            8 => Got::Recovered(960),
            20..23 => Got::Nothing,
            31..34 => Got::Silence(960),
            _ => {
                self.tone.fill(&mut out[..960]);
                self.concealer.received(&mut out[..960]);
                Got::Decoded(960)
            }
        }
    }
    fn conceal(&mut self, out: &mut [f32]) {
        self.concealer.conceal(out);
    }
    fn queued(&self) -> usize {
        self.queued
    }
    fn wanted(&self) -> isize {
        if self.step % 600 < 300 { 0 } else { 4_800 }
    }
}

#[test]
fn a_tick_of_the_whole_path_does_not_allocate() {
    let (narrow, wide) = (ClockRate::HZ_8000, ClockRate::HZ_48000);
    let tone = Tone::new(310.0, -3.0, wide);
    let mut source = Rough { tone, concealer: Concealer::new(wide), step: 0, queued: 0 };
    let mut playout = Playout::new(wide, 20);
    let mut activity = Activity::new(wide);
    let (mut mixer, mut limiter) = (Mixer::new(960), Limiter::new(wide));
    let mut down = Resampler::new(wide, narrow).unwrap();
    let mut up = Resampler::new(narrow, wide).unwrap();
    let mut adapter = FrameAdapter::new(240, 160);
    let (mut frame, mut mix, mut sent, mut back) = ([0.0; 960], [0.0; 960], [0.0; 160], [0.0; 960]);
    let (mut frames, mut stretched, mut loudest) = (0, 0, 127);
    let allocations = measure(|| {
        for tick in 0..3_000 {
            if tick % 1_000 > 500 {
                source.queued = 48_000;
            }
            let pulled = playout.pull(&mut source, &mut frame);
            stretched += pulled.removed + pulled.inserted;
            activity.process(&mut frame);
            loudest = level::dbov(&frame).min(loudest);
            mixer.clear();
            mixer.add(&frame);
            mixer.add(&frame);
            mixer.render(Some(&frame), &mut limiter, &mut mix);
            down.process(&mix, &mut sent);
            up.process(&sent, &mut back);
            adapter.push(&sent);
            while adapter.next_frame().is_some() {
                frames += 1;
            }
        }
    });
    assert_eq!(allocations.count_total, 0);
    assert_eq!((frames, loudest), (2_000, 6));
    assert!(stretched > 0 && playout.totals().concealed > 0, "the rare paths were taken");
}
