use tandem_base::{Agc, ClockRate};
use tandem_testkit::Seeded;

use super::{AutomaticGain, EchoSuppressor, Fader};
use crate::level::rms_dbfs;
use crate::tones::Tone;

const RATE: ClockRate = ClockRate::HZ_16000;
const FRAME: usize = 320;
const BLOCK: usize = 160;
const TICK: f32 = 0.02;

#[test]
fn a_fader_reaches_its_gain_in_one_frame_without_a_jump() {
    let mut fader = Fader::default();
    assert!(fader.is_idle());
    let mut all = vec![1.0; FRAME];
    fader.process(&mut all);
    fader.set(0.25);
    for _ in 0..3 {
        let mut frame = [1.0; FRAME];
        fader.process(&mut frame);
        all.extend(frame);
    }
    assert!(all.windows(2).all(|w| (w[0] - w[1]).abs() < 0.003), "no step");
    assert!(all[FRAME * 2..].iter().all(|x| (x - 0.25).abs() < 1e-6));
    fader.set(0.0);
    fader.process(&mut [1.0; FRAME]);
    assert!(fader.is_silent());
}

/// Syllables of noise: 120 to 280 ms of sound, 40 to 200 ms of pause, and now and then a longer one.
struct Voice {
    random: Seeded,
    left: usize,
    loud: bool,
    amplitude: f32,
}

impl Voice {
    fn new(seed: u64, dbfs: f32) -> Self {
        let amplitude = 10f32.powf(dbfs / 20.0) * 1.5f32.sqrt();
        Voice { random: Seeded::new(seed), left: 0, loud: false, amplitude }
    }

    fn random(&mut self, from: usize, to: usize) -> usize {
        from + (self.random.fraction() * (to - from) as f64) as usize
    }

    fn frame(&mut self) -> Vec<f32> {
        (0..FRAME)
            .map(|_| {
                if self.left == 0 {
                    self.loud = !self.loud;
                    let (from, to) = if self.loud { (120, 280) } else { (40, 200) };
                    self.left = self.random(from, to) * 16;
                    if !self.loud && self.random.fraction() < 0.15 {
                        self.left *= 5;
                    }
                }
                self.left -= 1;
                let x = (self.random.fraction() * 2.0 - 1.0) as f32;
                if self.loud { x * self.amplitude } else { 0.0 }
            })
            .collect()
    }
}

fn noise(seed: &mut Seeded, dbfs: f32) -> Vec<f32> {
    let amplitude = 10f32.powf(dbfs / 20.0) * 1.5f32.sqrt();
    (0..FRAME).map(|_| (seed.fraction() * 2.0 - 1.0) as f32 * amplitude).collect()
}

fn add(a: &mut [f32], b: &[f32]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
}

/// The level of the loud syllables of the last two seconds after `seconds` of a voice at `dbfs`.
fn voice_after_agc(dbfs: f32, seconds: usize) -> f32 {
    let mut agc = AutomaticGain::new(Agc::default());
    let mut voice = Voice::new(5, dbfs);
    let mut loudest = Vec::new();
    for tick in 0..seconds * 50 {
        let mut frame = voice.frame();
        agc.process(&mut frame, TICK);
        if tick >= (seconds - 2) * 50 {
            loudest.push(rms_dbfs(&frame));
        }
    }
    loudest.sort_by(f32::total_cmp);
    loudest[loudest.len() * 8 / 10]
}

#[test]
fn agc_brings_faint_and_loud_voices_together_within_its_limits() {
    for (dbfs, expected) in [(-30.0, -20.0), (-20.0, -20.0), (-10.0, -20.0), (-3.0, -20.0)] {
        let level = voice_after_agc(dbfs, 10);
        assert!((level - expected).abs() < 2.0, "{dbfs} dBFS became {level}");
    }
    // No more than 12 dB.
    let level = voice_after_agc(-45.0, 10);
    assert!((level + 33.0).abs() < 1.5, "{level}");
}

#[test]
fn agc_leaves_noise_and_pauses_alone() {
    let mut agc = AutomaticGain::new(Agc::default());
    let mut seed = Seeded::new(9);
    for _ in 0..3_000 {
        agc.process(&mut noise(&mut seed, -48.0), TICK);
    }
    assert!(agc.gain_db() < 2.0, "a minute of noise: {} dB", agc.gain_db());

    let mut voice = Voice::new(5, -24.0);
    for _ in 0..500 {
        let mut frame = voice.frame();
        add(&mut frame, &noise(&mut seed, -60.0));
        agc.process(&mut frame, TICK);
    }
    let speaking = agc.gain_db();
    assert!((2.0..6.0).contains(&speaking), "{speaking}");
    for _ in 0..1_500 {
        agc.process(&mut noise(&mut seed, -60.0), TICK);
    }
    assert!((agc.gain_db() - speaking).abs() < 0.3, "{speaking} dB became {}", agc.gain_db());
}

#[test]
fn agc_moves_its_gain_without_a_click() {
    let mut agc = AutomaticGain::new(Agc::default());
    let mut tone = Tone::new(400.0, -40.0, RATE);
    let mut last = 0.0;
    for tick in 0..200 {
        let mut frame = vec![0.0; FRAME];
        tone.fill(&mut frame);
        if tick == 100 {
            tone = Tone::new(400.0, -6.0, RATE);
        }
        agc.process(&mut frame, TICK);
        let bound = frame.iter().fold(0.0f32, |m, x| m.max(x.abs())) * 0.17 + 1e-3;
        let step = frame.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(step < bound && (tick == 101 || (frame[0] - last).abs() < bound + 0.01), "tick {tick}");
        last = frame[FRAME - 1];
    }
}

/// A room whose far end hears `delay` blocks later, fainter by `loss` dB, what it is sent, with noise.
struct Far {
    history: Vec<f32>,
    delay: usize,
    factor: f32,
    seed: Seeded,
}

impl Far {
    fn new(delay: usize, loss: f32) -> Self {
        let history = vec![0.0; (delay + 8) * BLOCK];
        Far { history, delay, factor: 10f32.powf(-loss / 20.0), seed: Seeded::new(77) }
    }

    fn echo(&mut self, sent: &[f32]) -> Vec<f32> {
        self.history.extend_from_slice(sent);
        let start = self.history.len() - FRAME - self.delay * BLOCK;
        // Two paths, as walls make them.
        let echo = |i: usize| (self.history[start + i] + 0.4 * self.history[start + i - 300]) * self.factor;
        let mut frame: Vec<f32> = (0..FRAME).map(echo).collect();
        add(&mut frame, &noise(&mut self.seed, -65.0));
        frame
    }
}

fn mean(levels: &[f32]) -> f32 {
    let power: f32 = levels.iter().map(|l| 10f32.powf(l / 10.0)).sum();
    10.0 * (power / levels.len() as f32).log10()
}

#[test]
fn an_echo_is_attenuated_at_any_delay() {
    for (delay, loss) in [(2, 6.0), (9, 12.0), (31, 20.0), (70, 3.0)] {
        let mut suppressor = EchoSuppressor::default();
        let (mut voice, mut far) = (Voice::new(3, -18.0), Far::new(delay, loss));
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for tick in 0..1_000 {
            let sent = voice.frame();
            let mut came = far.echo(&sent);
            let level = rms_dbfs(&came);
            suppressor.process(&mut came, BLOCK);
            suppressor.sends(&sent, BLOCK);
            if tick >= 250 {
                before.push(level);
                after.push(rms_dbfs(&came));
            }
        }
        let gain = mean(&after) - mean(&before);
        assert!(gain < -20.0, "{delay} blocks, {loss} dB: {gain:.1} dB");
    }
}

#[test]
fn who_speaks_while_nothing_is_sent_passes_untouched() {
    let mut suppressor = EchoSuppressor::default();
    let (mut voice, mut far, mut near) = (Voice::new(3, -18.0), Far::new(12, 12.0), Voice::new(8, -22.0));
    for _ in 0..500 {
        let sent = voice.frame();
        let mut came = far.echo(&sent);
        suppressor.process(&mut came, BLOCK);
        suppressor.sends(&sent, BLOCK);
    }
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for tick in 0..500 {
        let sent = vec![0.0; FRAME];
        let mut came = far.echo(&sent);
        add(&mut came, &near.frame());
        let level = rms_dbfs(&came);
        suppressor.process(&mut came, BLOCK);
        suppressor.sends(&sent, BLOCK);
        if tick > 60 {
            before.push(level);
            after.push(rms_dbfs(&came));
        }
    }
    let gain = mean(&after) - mean(&before);
    assert!(gain > -0.5, "{gain:.1} dB");
}

#[test]
fn two_who_speak_at_once_are_heard_and_the_echo_is_still_known_afterwards() {
    let mut suppressor = EchoSuppressor::default();
    let (mut voice, mut far, mut near) = (Voice::new(3, -20.0), Far::new(12, 15.0), Voice::new(8, -18.0));
    let mut run = |ticks: usize, both: bool| {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for _ in 0..ticks {
            let sent = voice.frame();
            let mut came = far.echo(&sent);
            if both {
                add(&mut came, &near.frame());
            }
            before.push(rms_dbfs(&came));
            suppressor.process(&mut came, BLOCK);
            suppressor.sends(&sent, BLOCK);
            after.push(rms_dbfs(&came));
        }
        mean(&after) - mean(&before)
    };
    run(500, false);
    let both = run(500, true);
    assert!(both > -3.0, "both speak: {both:.1} dB");
    let echo = run(200, false);
    assert!(echo < -15.0, "echo alone again: {echo:.1} dB");
}

#[test]
fn people_who_talk_in_turns_or_at_random_are_no_echo() {
    let mut suppressor = EchoSuppressor::default();
    let (mut a, mut b) = (Voice::new(21, -20.0), Voice::new(22, -20.0));
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for tick in 0..3_000 {
        let turn = tick / 150 % 3;
        let silence = vec![0.0; FRAME];
        let sent = if turn != 1 { a.frame() } else { silence.clone() };
        let mut came = if turn != 0 { b.frame() } else { silence };
        before.push(rms_dbfs(&came));
        suppressor.process(&mut came, BLOCK);
        suppressor.sends(&sent, BLOCK);
        after.push(rms_dbfs(&came));
    }
    let gain = mean(&after) - mean(&before);
    assert!(gain > -1.0, "{gain:.1} dB");
}
