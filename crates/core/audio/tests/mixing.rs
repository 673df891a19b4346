//! Mixer, limiter, activity, levels, tones, frames.

use tandem_audio::level::{dbov, peak, rms_dbfs};
use tandem_audio::tones::{Digit, Tone};
use tandem_audio::{Activity, Contribution, FrameAdapter, Limiter, Mixer};
use tandem_base::{ClockRate, Entropy};
use tandem_testkit::{Seeded, tone_dbfs};

const RATE: ClockRate = ClockRate::HZ_16000;
const FRAME: usize = 320;

fn to_i16(pcm: &[f32]) -> Vec<i16> {
    pcm.iter().map(|x| (x * 32_767.0).round() as i16).collect()
}

/// One second of each talker's mix-minus, limited.
fn conference(talkers: &[(f64, f64)], own: Option<usize>) -> Vec<f32> {
    let mut tones: Vec<Tone> = talkers.iter().map(|(hz, dbfs)| Tone::new(*hz, *dbfs, RATE)).collect();
    let mut frames = vec![[0.0; FRAME]; talkers.len()];
    let (mut mixer, mut limiter) = (Mixer::new(FRAME), Limiter::new(RATE));
    let mut heard = Vec::new();
    for _ in 0..50 {
        mixer.clear();
        for (tone, frame) in tones.iter_mut().zip(&mut frames) {
            tone.fill(frame);
            mixer.add(frame);
        }
        let mut out = [0.0; FRAME];
        mixer.render(own.map(|i| frames[i].as_slice()), &mut limiter, &mut out);
        heard.extend(out);
    }
    heard
}

#[test]
fn everyone_hears_all_but_himself() {
    let talkers = [(440.0, -16.0), (770.0, -16.0), (1_209.0, -16.0)];
    for own in 0..3 {
        let heard = to_i16(&conference(&talkers, Some(own)));
        for (i, (hz, dbfs)) in talkers.iter().enumerate() {
            let level = tone_dbfs(&heard, *hz, RATE.hz());
            if i == own {
                assert!(level < dbfs - 60.0, "own voice at {level} dBFS");
            } else {
                assert!((level - dbfs).abs() < 0.1, "talker {i} at {level} dBFS");
            }
        }
    }
}

#[test]
fn a_listener_hears_all() {
    let heard = to_i16(&conference(&[(440.0, -16.0), (770.0, -20.0)], None));
    assert!((tone_dbfs(&heard, 440.0, RATE.hz()) + 16.0).abs() < 0.1);
    assert!((tone_dbfs(&heard, 770.0, RATE.hz()) + 20.0).abs() < 0.1);
}

#[test]
fn twenty_full_scale_talkers_never_exceed_full_scale() {
    let talkers: Vec<(f64, f64)> = (0..20).map(|i| (200.0 + 137.0 * f64::from(i), 0.0)).collect();
    let heard = conference(&talkers, Some(0));
    assert!(peak(&heard) <= 1.0);
    assert!(rms_dbfs(&heard[FRAME..]) > -15.0, "loud all the same: {}", rms_dbfs(&heard[FRAME..]));
}

/// Speech-like: a buzz that swells and pauses, each talker in a rhythm of its own, at full scale.
fn shouters(n: usize, tick: usize, frames: &mut [Vec<f32>]) {
    for (i, frame) in frames.iter_mut().take(n).enumerate() {
        let (pitch, rhythm) = (90.0 + 13.0 * i as f64, 1.3 + 0.17 * i as f64);
        for (k, x) in frame.iter_mut().enumerate() {
            let t = (tick * FRAME + k) as f64 / f64::from(RATE.hz());
            let swell = (std::f64::consts::TAU * rhythm * t + i as f64).sin().max(0.0);
            *x = (swell * (1.0 - 2.0 * (pitch * t).fract())) as f32;
        }
    }
}

#[test]
fn twenty_who_shout_stay_within_full_scale_and_do_not_pump() {
    let mut frames = vec![vec![0.0; FRAME]; 20];
    let (mut mixer, mut limiter) = (Mixer::new(FRAME), Limiter::new(RATE));
    let mut out = [0.0; FRAME];
    let mut gains = Vec::new();
    for tick in 0..500 {
        shouters(20, tick, &mut frames);
        mixer.clear();
        frames.iter().for_each(|frame| mixer.add(frame));
        mixer.render(Some(&frames[0]), &mut limiter, &mut out);
        assert!(peak(&out) <= 1.0, "tick {tick}");
        gains.push(20.0 * limiter.gain().log10());
    }
    // It comes back by 2 dB in a tick at most: what is faster breathes.
    let settled = &gains[10..];
    let rise = settled.windows(2).map(|w| w[1] - w[0]).fold(0.0, f32::max);
    let mean = settled.iter().sum::<f32>() / settled.len() as f32;
    let spread = (settled.iter().map(|g| (g - mean).powi(2)).sum::<f32>() / settled.len() as f32).sqrt();
    assert!(rise < 2.1, "{rise} dB in a tick");
    assert!((-30.0..-6.0).contains(&mean) && spread < 4.0, "{mean} dB, spread {spread} dB");
}

#[test]
fn noise_of_any_loudness_stays_within_full_scale() {
    let mut random = Seeded::new(3);
    let mut limiter = Limiter::new(RATE);
    for n in 0..500 {
        let loud = [0.0, 0.5, 3.0, 100.0, 1e6][n / 7 % 5];
        let mut frame: Vec<f32> = (0..FRAME).map(|_| (random.fraction() as f32 * 2.0 - 1.0) * loud).collect();
        limiter.process(&mut frame);
        assert!(peak(&frame) <= 1.0);
    }
    let _ = random.next_u32();
}

#[test]
fn below_minus_3_dbfs_the_limiter_changes_nothing() {
    let mut limiter = Limiter::new(RATE);
    let mut tone = Tone::new(997.0, -3.0, RATE);
    for _ in 0..50 {
        let mut frame = [0.0; FRAME];
        tone.fill(&mut frame);
        let before = frame;
        limiter.process(&mut frame);
        assert_eq!(frame, before);
    }
}

#[test]
fn the_gain_of_a_loud_tone_is_steady_and_comes_back() {
    let mut limiter = Limiter::new(RATE);
    let mut tone = Tone::new(400.0, 9.0, RATE);
    let mut heard = Vec::new();
    for _ in 0..50 {
        let mut frame = [0.0; FRAME];
        tone.fill(&mut frame);
        limiter.process(&mut frame);
        heard.extend(frame);
    }
    // No zipper: the tone's harmonics and side bands stay far below it.
    let settled = &heard[FRAME * 10..];
    let pure = tone_dbfs(&to_i16(settled), 400.0, RATE.hz());
    assert!((f64::from(rms_dbfs(settled)) - pure).abs() < 0.05);
    for hz in [800.0, 1_200.0, 2_000.0, 350.0, 450.0, 1_400.0] {
        let spur = tone_dbfs(&to_i16(settled), hz, RATE.hz());
        assert!(spur < pure - 40.0, "{hz} Hz: {spur} under {pure}");
    }
    for _ in 0..50 {
        limiter.process(&mut [0.1; FRAME]);
    }
    assert_eq!(limiter.gain(), 1.0);
}

fn noise(random: &mut Seeded, dbfs: f32) -> Vec<f32> {
    // Uniform noise of peak p has a mean square of p²/3; a sine of the same level of half its amplitude's square.
    let amplitude = 10f32.powf(dbfs / 20.0) * 1.5f32.sqrt();
    (0..FRAME).map(|_| (random.fraction() as f32 * 2.0 - 1.0) * amplitude).collect()
}

#[test]
fn silence_and_faint_noise_do_not_contribute() {
    let mut activity = Activity::new(RATE);
    let mut random = Seeded::new(5);
    for _ in 0..100 {
        let mut frame = noise(&mut random, -66.0);
        assert_eq!(activity.process(&mut frame), Contribution::None);
        assert_eq!(frame, [0.0; FRAME]);
        assert_eq!(activity.process(&mut [0.0; FRAME]), Contribution::None);
    }
}

#[test]
fn speech_contributes_at_once_and_for_400_ms_after() {
    let mut activity = Activity::new(RATE);
    assert_eq!(activity.process(&mut [0.0; FRAME]), Contribution::None);
    let mut frame = [0.3; FRAME];
    assert_eq!(activity.process(&mut frame), Contribution::Speaks);
    assert_eq!((frame[0], frame[FRAME - 1]), (0.0, 0.3), "a soft start");
    assert!(frame.windows(2).all(|w| (w[1] - w[0]).abs() < 0.01));
    let mut random = Seeded::new(5);
    let mut ticks = 0;
    loop {
        let mut faint = noise(&mut random, -66.0);
        if activity.process(&mut faint) == Contribution::None {
            break;
        }
        ticks += 1;
        if !activity.is_open() {
            assert!(faint[FRAME - 1].abs() < 1e-6, "a soft end");
        }
    }
    assert_eq!(ticks, 20);
}

#[test]
fn pauses_and_noise_between_the_thresholds_do_not_cut() {
    let mut activity = Activity::new(RATE);
    activity.process(&mut [0.3; FRAME]);
    let mut random = Seeded::new(5);
    for _ in 0..90 {
        assert_eq!(activity.process(&mut noise(&mut random, -59.0)), Contribution::Speaks);
    }
    for _ in 0..30 {
        for _ in 0..15 {
            assert_eq!(activity.process(&mut [0.0; FRAME]), Contribution::Speaks);
        }
        assert_eq!(activity.process(&mut [0.1; FRAME]), Contribution::Speaks);
    }
}

#[test]
fn levels_are_those_of_rfc_6464() {
    let mut tone = [0.0; FRAME];
    Tone::new(1_000.0, 0.0, RATE).fill(&mut tone);
    assert_eq!(dbov(&tone), 3);
    assert!(rms_dbfs(&tone).abs() < 0.01);
    assert_eq!((dbov(&[1.0; 160]), dbov(&[0.0; 160]), dbov(&[])), (0, 127, 127));
    assert_eq!(dbov(&[9.0; 160]), 0);
    Tone::new(1_000.0, -16.0, RATE).fill(&mut tone);
    assert_eq!(dbov(&tone), 19);
    assert!((rms_dbfs(&tone) + 16.0).abs() < 0.01);
}

#[test]
fn a_tone_has_its_level_and_never_jumps() {
    let mut tone = Tone::test(ClockRate::HZ_8000);
    let mut pcm = Vec::new();
    for n in [160, 80, 7, 480, 1].into_iter().cycle().take(2_000) {
        let mut block = vec![0.0; n];
        tone.fill(&mut block);
        pcm.extend(block);
    }
    let last = to_i16(&pcm[pcm.len() - 8_000..]);
    assert!((tone_dbfs(&last, 1_004.0, 8_000) + 16.0).abs() < 0.05);
    assert!(rms_dbfs(&pcm) + 16.0 < 0.01);
    // Against the true sine at the very end: no phase error has piled up.
    let n = pcm.len() - 1;
    let truth = (std::f64::consts::TAU * 1_004.0 * n as f64 / 8_000.0).sin() * 10f64.powf(-0.8);
    assert!((f64::from(pcm[n]) - truth).abs() < 1e-5);
}

#[test]
fn keys_have_their_codes_and_frequencies() {
    for (key, event, low, high) in [
        ('1', 1, 697.0, 1_209.0),
        ('5', 5, 770.0, 1_336.0),
        ('9', 9, 852.0, 1_477.0),
        ('*', 10, 941.0, 1_209.0),
        ('0', 0, 941.0, 1_336.0),
        ('#', 11, 941.0, 1_477.0),
        ('A', 12, 697.0, 1_633.0),
        ('d', 15, 941.0, 1_633.0),
    ] {
        let digit = Digit::from_char(key).unwrap();
        assert_eq!((digit.event(), digit.frequencies()), (event, (low, high)), "{key}");
        assert_eq!(digit.as_char(), key.to_ascii_uppercase());
        assert_eq!(Digit::from_event(event), Some(digit));
    }
    assert_eq!((Digit::from_event(16), Digit::from_char('x')), (None, None));
}

#[test]
fn every_packet_time_keeps_every_sample_in_order() {
    for frame in [80, 160, 240, 320, 400, 480] {
        let mut adapter = FrameAdapter::new(frame, 160);
        let mut out = Vec::new();
        for tick in 0..60u16 {
            let pcm: Vec<f32> = (0..160).map(|i| f32::from(tick * 160 + i)).collect();
            adapter.push(&pcm);
            while let Some(frame) = adapter.next_frame() {
                out.extend_from_slice(frame);
            }
            assert!(adapter.pending() < frame);
        }
        assert!(out.len() > 59 * 160 - frame);
        assert!(out.iter().enumerate().all(|(i, x)| *x == i as f32), "{frame}");
    }
}

#[test]
fn frames_that_nobody_takes_push_out_the_oldest() {
    let mut adapter = FrameAdapter::new(160, 160);
    for n in 1..=5u8 {
        adapter.push(&[f32::from(n); 160]);
    }
    assert_eq!(adapter.next_frame().map(|f| f[0]), Some(4.0));
    assert_eq!(adapter.next_frame().map(|f| f[0]), Some(5.0));
    adapter.push(&[0.5; 1_000]);
    assert_eq!(adapter.pending(), 320);
    adapter.clear();
    assert!(adapter.next_frame().is_none());
}
