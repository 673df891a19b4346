//! Who talks, and who does not.

use tandem_base::{AudioFormat, LegId, MediaEvent};
use tandem_testkit::vowels;

use super::stage::{OPUS, Stage, conference};

use AudioFormat::{G722, Pcmu};

fn talk(stage: &Stage) -> Vec<(u64, bool)> {
    let changes = stage.events.iter().filter_map(|e| match e {
        MediaEvent::Talk { leg: LegId(n), talking } => Some((*n, *talking)),
        _ => None,
    });
    changes.collect()
}

fn noise(n: usize, amplitude: f32) -> Vec<f32> {
    let mut seed = 7u32;
    let next = |_| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((seed >> 16) as f32 / 32_768.0 - 1.0) * amplitude
    };
    (0..n).map(next).collect()
}

#[test]
fn talk_is_told_when_it_begins_and_ends() {
    for format in [Pcmu, G722, OPUS] {
        let mut stage = conference();
        let talker = stage.join(format, 20, None);
        stage.join(Pcmu, 20, None);
        stage.run(50);
        stage.phones[talker].clip = vowels(format.sample_rate().hz(), 1_000);
        stage.run(30);
        assert_eq!(talk(&stage), [(0, true)], "{format}: within 600 ms");
        stage.run(100);
        stage.phones[talker].clip.clear();
        stage.run(70);
        assert_eq!(talk(&stage), [(0, true), (0, false)], "{format}: a second and some later");
        let talked = stage.leave(talker).leg.report().received.talked.as_millis();
        assert!((2_000..4_000).contains(&talked), "{format}: {talked} ms");
    }
}

#[test]
fn tones_and_noise_are_no_talk() {
    let mut stage = conference();
    stage.join(Pcmu, 20, Some(440.0));
    stage.join(OPUS, 20, Some(617.0));
    let hiss = stage.join(Pcmu, 20, None);
    stage.phones[hiss].clip = noise(8_000, 0.1);
    stage.run(500);
    assert_eq!(talk(&stage), []);
}

#[test]
fn noise_holds_no_place_against_a_voice() {
    let mut stage = conference();
    stage.audio.loudest = 2;
    let voices = [0, 1].map(|_| {
        let n = stage.join(Pcmu, 20, None);
        stage.phones[n].clip = noise(8_000, 0.1);
        n
    });
    let talker = stage.join(G722, 20, None);
    let listener = stage.join(Pcmu, 20, None);
    stage.run(150);
    assert_eq!(stage.phones[listener].csrcs.len(), 2, "nobody else wants to be heard");
    // Fainter than the noise.
    stage.phones[talker].clip = vowels(16_000, 1_000).iter().map(|x| x * 0.5).collect();
    stage.run(20);
    let ssrc = |n: usize| stage.phones[n].ssrc;
    assert!(stage.phones[listener].csrcs.contains(&ssrc(talker)));
    assert!(voices.iter().any(|n| stage.phones[listener].csrcs.contains(&ssrc(*n))));
}

#[test]
fn background_noise_leaves_the_mix_and_comes_back_with_speech() {
    let mut stage = conference();
    let noisy = stage.join(Pcmu, 20, None);
    let listener = stage.join(Pcmu, 20, None);
    let hiss = noise(16_000, 0.012);
    stage.phones[noisy].clip = hiss.clone();
    stage.run(200);
    assert!(stage.phones[listener].csrcs.is_empty());
    let encodes = stage.tally.encodes;
    stage.run(50);
    assert_eq!(stage.tally.encodes - encodes, 50, "all share");
    let speech = vowels(8_000, 2_000);
    stage.phones[noisy].clip = hiss.iter().zip(&speech).map(|(n, s)| n + s).collect();
    stage.run(3);
    assert_eq!(stage.phones[listener].csrcs, [stage.phones[noisy].ssrc]);
}
