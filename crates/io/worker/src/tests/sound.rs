//! What is done to one leg's sound, and that nobody else notices.

use allocation_counter::measure;
use tandem_base::{Agc, AudioFormat, Gain, LegSound};

use super::stage::{OPUS, Stage, conference};
use crate::leg::Treatment;

use AudioFormat::Pcmu;

fn adjust(stage: &mut Stage, n: usize, sound: LegSound) {
    stage.group.adjust(n, Treatment::new(sound));
}

fn gain(db: i8) -> Gain {
    Gain::new(db).unwrap()
}

/// Two talkers and a listener.
fn room(format: AudioFormat) -> Stage {
    let mut stage = conference();
    stage.join(format, 20, Some(440.0));
    stage.join(format, 20, Some(617.0));
    stage.join(format, 20, None);
    stage.run(50);
    stage
}

fn assert_near(stage: &Stage, n: usize, hz: f64, expected: f64) {
    let level = stage.phones[n].level(hz, 400);
    assert!((level - expected).abs() < 1.0, "phone {n} hears {hz} Hz at {level:.1} dB, not {expected}");
}

#[test]
fn gain_in_is_heard_by_all_others() {
    for db in [-20, 6] {
        let mut stage = room(Pcmu);
        adjust(&mut stage, 0, LegSound { gain_in: gain(db), ..LegSound::default() });
        stage.run(50);
        for n in [1, 2] {
            assert_near(&stage, n, 440.0, f64::from(db));
        }
        assert_near(&stage, 0, 617.0, 0.0);
        adjust(&mut stage, 0, LegSound::default());
        stage.run(50);
        assert_near(&stage, 2, 440.0, 0.0);
    }
}

#[test]
fn gain_out_is_heard_by_one_alone() {
    let mut stage = room(OPUS);
    adjust(&mut stage, 2, LegSound { gain_out: gain(-12), ..LegSound::default() });
    stage.run(50);
    assert_near(&stage, 2, 440.0, -12.0);
    assert_near(&stage, 0, 617.0, 0.0);
    assert!(stage.phones.iter().all(|p| p.timestamps_are_even(20)));
}

#[test]
fn the_muted_are_not_heard_and_the_deaf_hear_nothing() {
    let mut stage = room(Pcmu);
    adjust(&mut stage, 0, LegSound { muted: true, ..LegSound::default() });
    adjust(&mut stage, 1, LegSound { deaf: true, ..LegSound::default() });
    stage.run(60);
    for n in [1, 2] {
        assert!(stage.phones[n].level(440.0, 400) < -50.0, "{n}");
    }
    assert!(stage.phones[1].level(617.0, 400) < -50.0);
    assert_near(&stage, 2, 617.0, 0.0);
    assert_near(&stage, 0, 617.0, 0.0);
    let sent = stage.phones[1].headers.len();
    adjust(&mut stage, 0, LegSound::default());
    adjust(&mut stage, 1, LegSound::default());
    stage.run(50);
    assert_eq!(stage.phones[1].headers.len(), sent + 50, "packets flow all the time");
    for n in [1, 2] {
        assert_near(&stage, n, 440.0, 0.0);
    }
}

#[test]
fn changes_do_not_click() {
    let mut stage = room(Pcmu);
    stage.phones[1].tone = None;
    stage.run(30);
    let from = stage.phones[2].heard.len();
    for db in [-40, 0, -6, -30, 0] {
        adjust(&mut stage, 0, LegSound { gain_in: gain(db), ..LegSound::default() });
        adjust(&mut stage, 2, LegSound { gain_out: gain(db / 2), ..LegSound::default() });
        stage.run(7);
    }
    let steepest = |pcm: &[i16]| pcm.windows(2).map(|w| (w[1] - w[0]).abs()).max().unwrap();
    let heard = &stage.phones[2].heard;
    assert!(steepest(&heard[from..]) <= steepest(&heard[from - 1_600..from]) * 11 / 10);
}

#[test]
fn agc_lifts_a_faint_voice() {
    let mut stage = room(Pcmu);
    stage.phones[1].tone = None;
    let faint = LegSound {
        gain_in: gain(0),
        agc: Some(Agc { target_dbfs: -8, max_gain_db: 6 }),
        ..LegSound::default()
    };
    adjust(&mut stage, 0, faint);
    // It knows a voice by its pauses.
    for _ in 0..12 {
        stage.phones[0].tone = Some(440.0);
        stage.run(10);
        stage.phones[0].tone = None;
        stage.run(6);
    }
    stage.phones[0].tone = Some(440.0);
    stage.run(22);
    assert_near(&stage, 2, 440.0, 6.0);
}

#[test]
fn an_echo_is_suppressed() {
    let mut stage = conference();
    let far = stage.join(Pcmu, 20, Some(440.0));
    let phone = stage.join(Pcmu, 20, None);
    adjust(&mut stage, phone, LegSound { echo_suppression: true, ..LegSound::default() });
    let mut late = Vec::new();
    for tick in 0..600usize {
        // Syllables of differing length; the phone gives back what it hears at −18 dBFS, a fixed level, as its echo.
        let speaks = (tick * tick / 97 + tick) % 17 < 9;
        stage.phones[far].tone = Some(if speaks { 440.0 } else { 0.0 });
        let heard = stage.phones[phone].heard.iter().rev().take(160).map(|x| x.abs()).max().unwrap_or(0);
        stage.phones[phone].tone = Some(if heard > 500 { 700.0 } else { 0.0 });
        stage.run(1);
        if tick > 400 {
            late.push(stage.phones[far].level(700.0, 20));
        }
    }
    let heard = late.iter().filter(|level| **level > -15.0).count();
    assert!(heard < late.len() / 10, "an echo in {heard} of {} ticks", late.len());
}

#[test]
fn nothing_of_it_allocates_in_a_tick() {
    let mut stage = room(Pcmu);
    for format in [OPUS, AudioFormat::G722] {
        stage.join(format, 20, Some(900.0));
    }
    for n in 0..5 {
        let sound = LegSound {
            gain_in: gain(3),
            gain_out: gain(-3),
            agc: Some(Agc::default()),
            noise_suppression: true,
            echo_suppression: true,
            ..LegSound::default()
        };
        adjust(&mut stage, n, sound);
    }
    stage.run(20);
    stage.run_measured(100, |step| assert_eq!(measure(step).count_total, 0));
    for sound in [LegSound { muted: true, deaf: true, ..LegSound::default() }, LegSound::default()] {
        for n in 0..5 {
            let treatment = Treatment::new(sound);
            let allocations = measure(|| stage.group.adjust(n, treatment));
            assert_eq!(allocations.count_total, 0);
        }
        stage.run_measured(50, |step| assert_eq!(measure(step).count_total, 0));
    }
}
