//! Who is heard where more sound than may be heard.

use tandem_base::AudioFormat;

use super::stage::{OPUS, Stage, conference};

use AudioFormat::{G722, Pcmu};

fn hz(n: usize) -> f64 {
    400.0 + 137.0 * n as f64
}

/// Phones that speak as loud as said, and one that listens: the last.
fn room(format: AudioFormat, loudest: u16, levels: &[f64]) -> Stage {
    let mut stage = conference();
    stage.audio.loudest = loudest;
    for (n, level) in levels.iter().enumerate() {
        stage.join(format, 20, Some(hz(n)));
        stage.phones[n].loudness = *level;
    }
    stage.join(format, 20, None);
    stage
}

/// Whom the listener hears, against their own level, dB.
fn heard(stage: &Stage, ms: usize) -> Vec<f64> {
    let listener = stage.phones.last().unwrap();
    let speakers = stage.phones.iter().enumerate().filter(|(_, p)| p.tone.is_some());
    speakers.map(|(n, p)| listener.level(hz(n), ms) + super::phone::LEVEL - p.loudness).collect()
}

#[test]
fn the_four_loudest_are_heard_and_the_others_are_not() {
    for format in [Pcmu, G722] {
        let mut stage = room(format, 4, &[-30.0, -20.0, -36.0, -22.0, -24.0, -26.0]);
        stage.run(100);
        let levels = heard(&stage, 500);
        for n in [1, 3, 4, 5] {
            assert!(levels[n].abs() < 1.5, "{format}: {n} at {:.1} dB", levels[n]);
        }
        for n in [0, 2] {
            assert!(levels[n] < -20.0, "{format}: {n} at {:.1} dB", levels[n]);
        }
    }
}

#[test]
fn who_is_not_heard_shares_the_encode_of_the_listeners() {
    let mut stage = room(Pcmu, 2, &[-20.0; 6]);
    stage.run(50);
    let before = stage.tally.encodes;
    stage.run(50);
    assert_eq!(stage.tally.encodes - before, 3 * 50, "two who are heard and all the others");
    assert_eq!(stage.phones[6].csrcs.len(), 2);
}

#[test]
fn without_a_limit_equal_tones_are_all_mixed() {
    let mut stage = room(Pcmu, 0, &[-26.0; 20]);
    stage.run(150);
    for (n, level) in heard(&stage, 500).into_iter().enumerate() {
        assert!(level.abs() < 2.0, "{n} at {level:.1} dB");
    }
}

#[test]
fn who_becomes_loud_is_heard_in_the_same_tick() {
    for (format, lag) in [(Pcmu, 1), (G722, 1), (OPUS, 2)] {
        let mut stage = room(format, 2, &[-40.0, -40.0, -40.0, -48.0]);
        stage.run(100);
        let level = heard(&stage, 200)[3];
        assert!(level < -20.0, "{format}: {level:.1} dB");
        stage.phones[3].loudness = -20.0;
        // The packet that is on its way is still quiet; the next is heard with a ramp, and codecs hold some of it back.
        stage.run(1 + lag);
        stage.phones[4].heard.clear();
        stage.run(1);
        let level = heard(&stage, 20)[3];
        assert!(level > -3.0, "{format}: {level:.1} dB");
    }
}
