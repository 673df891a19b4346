//! Who hears whom, how loud, and at what cost.

use tandem_base::{Attachment, AudioFormat, ClockRate, Direction};

use tandem_testkit::level_dbfs;

use super::phone::stream;
use super::stage::{OPUS, Stage, conference};

use AudioFormat::{G722, Pcma, Pcmu};

/// Everybody hears everybody else at unity gain within `tolerance`, and themselves below `own`, dB.
fn assert_heard(stage: &Stage, tolerance: f64, own: f64) {
    for (n, phone) in stage.phones.iter().enumerate() {
        for (m, other) in stage.phones.iter().enumerate() {
            let Some(hz) = other.tone else { continue };
            let level = phone.level(hz, 500);
            if n == m {
                assert!(level < own, "phone {n} hears itself at {level:.1} dB");
            } else {
                assert!(level.abs() < tolerance, "phone {n} hears phone {m} at {level:.1} dB");
            }
        }
    }
}

#[test]
fn three_g711_phones_hear_each_other_and_not_themselves() {
    let mut stage = conference();
    stage.join(Pcmu, 20, Some(440.0));
    stage.join(Pcma, 20, Some(617.0));
    stage.join(Pcmu, 20, Some(1_031.0));
    stage.join(Pcmu, 20, None);
    stage.run(75);
    assert_heard(&stage, 0.5, -40.0);
    assert_eq!(stage.group.room_rate(), ClockRate::HZ_8000, "nothing is resampled");
}

#[test]
fn codecs_mix_at_the_best_rate() {
    let mut stage = conference();
    stage.join(Pcmu, 20, Some(440.0));
    stage.run(10);
    stage.join(G722, 20, Some(617.0));
    assert_eq!(stage.group.room_rate(), ClockRate::HZ_16000);
    stage.run(10);
    stage.join(OPUS, 20, Some(1_031.0));
    assert_eq!(stage.group.room_rate(), ClockRate::HZ_48000);
    stage.join(OPUS, 20, None);
    stage.run(75);
    assert_heard(&stage, 1.5, -40.0);
    assert!(stage.phones.iter().all(|p| p.timestamps_are_even(20)));
}

#[test]
fn any_packet_time_works_both_ways() {
    let mut stage = conference();
    stage.audio.loudest = 0;
    stage.join(Pcmu, 10, Some(440.0));
    stage.join(Pcmu, 30, Some(617.0));
    stage.join(OPUS, 60, Some(1_031.0));
    stage.join(G722, 40, Some(1_409.0));
    stage.join(Pcma, 50, Some(800.0));
    stage.run(125);
    // The noise of Opus with five tones in frames of 60 ms is no echo.
    assert_heard(&stage, 1.5, -34.0);
    for phone in &stage.phones {
        assert!(phone.timestamps_are_even(u32::from(phone.ptime_ms)), "{} ms", phone.ptime_ms);
        let sent = phone.headers.len() * usize::from(phone.ptime_ms);
        assert!((2_440..=2_500).contains(&sent), "{sent} ms in packets of {}", phone.ptime_ms);
    }
}

#[test]
fn listeners_of_equal_format_share_one_encode() {
    let mut stage = conference();
    stage.join(Pcmu, 20, Some(440.0));
    for _ in 0..10 {
        stage.join(Pcmu, 20, None);
        stage.join(OPUS, 20, None);
    }
    stage.run(50);
    let before = (stage.tally.encodes, stage.tally.packets_out);
    stage.run(50);
    assert_eq!(stage.tally.encodes - before.0, 3 * 50, "the talker's own, and one of each format");
    assert_eq!(stage.tally.packets_out - before.1, 21 * 50);
    assert_eq!(stage.group.renditions(), 2);
}

#[test]
fn different_packet_times_and_parameters_do_not_share() {
    let mut stage = conference();
    stage.join(Pcmu, 20, None);
    stage.join(Pcmu, 30, None);
    stage.join(OPUS, 20, None);
    let narrow = tandem_base::OpusParams { max_average_bitrate: Some(12_000), ..Default::default() };
    stage.join(AudioFormat::Opus(narrow), 20, None);
    assert_eq!(stage.group.renditions(), 4);
    stage.leave(1);
    assert_eq!(stage.group.renditions(), 3, "the last one of a kind takes its encoder along");
}

#[test]
fn nobody_talks_and_packets_flow_all_the_same() {
    let mut stage = conference();
    stage.join(Pcmu, 20, None);
    stage.join(Pcmu, 20, None);
    stage.run(50);
    assert_eq!(stage.tally.encodes, 50);
    for phone in &stage.phones {
        assert_eq!(phone.headers.len(), 50);
        assert!(phone.headers[0].marker && phone.headers[1..].iter().all(|h| !h.marker));
        let level = level_dbfs(&phone.heard[800..]);
        assert!((-71.0..-64.0).contains(&level), "comfort noise at {level:.1} dBFS");
    }
}

#[test]
fn without_comfort_noise_silence_is_digital() {
    let mut stage = conference();
    stage.audio.comfort_noise = false;
    stage.join(Pcmu, 20, None);
    stage.run(50);
    assert!(stage.phones[0].heard.iter().all(|s| s.abs() < 16));
}

#[test]
fn contributors_are_named() {
    let mut stage = conference();
    let talker = stage.join(Pcmu, 20, Some(440.0));
    let other = stage.join(Pcmu, 20, Some(617.0));
    let listener = stage.join(Pcmu, 20, None);
    stage.run(20);
    let ssrc = |n: usize| stage.phones[n].ssrc;
    assert_eq!(stage.phones[listener].csrcs, [ssrc(talker), ssrc(other)]);
    assert_eq!(stage.phones[talker].csrcs, [ssrc(other)]);
}

#[test]
fn the_sum_does_not_clip() {
    let mut stage = conference();
    stage.audio.loudest = 0;
    for n in 0..10 {
        stage.join(Pcmu, 20, Some(400.0 + 137.0 * f64::from(n)));
    }
    let listener = stage.join(OPUS, 20, None);
    stage.run(75);
    let full = stage.phones[listener].heard.iter().filter(|s| s.unsigned_abs() >= 32_767).count();
    assert_eq!(full, 0);
}

#[test]
fn echo_gives_back_what_it_hears() {
    let mut stage = Stage::new(Attachment::Echo);
    stage.join(Pcmu, 20, Some(440.0));
    stage.join(OPUS, 20, Some(617.0));
    stage.join(G722, 30, Some(1_031.0));
    stage.run(75);
    for (n, phone) in stage.phones.iter().enumerate() {
        for (m, other) in stage.phones.iter().enumerate() {
            let level = phone.level(other.tone.unwrap(), 500);
            assert!(if n == m { level.abs() < 1.5 } else { level < -40.0 }, "{n} hears {m} at {level:.1} dB");
        }
    }
}

#[test]
fn the_tone_is_1004_hz_at_minus_16_dbfs() {
    let mut stage = Stage::new(Attachment::Tone);
    stage.join(Pcmu, 20, Some(440.0));
    stage.join(Pcmu, 20, None);
    stage.join(OPUS, 20, None);
    stage.run(75);
    for phone in &stage.phones {
        let level = phone.level(1_004.0, 500) + super::phone::LEVEL;
        assert!((level + 16.0).abs() < 0.5, "{level:.1} dBFS");
        assert!(phone.level(440.0, 500) < -40.0);
    }
    assert_eq!(stage.group.renditions(), 2);
}

#[test]
fn hold_and_resume() {
    let mut stage = conference();
    let a = stage.join(Pcmu, 20, Some(440.0));
    let b = stage.join(Pcmu, 20, Some(617.0));
    stage.run(50);
    let address = stage.phones[a].address;
    let mut held = stream(Pcmu, 20, address);
    held.direction = Direction::Inactive;
    stage.renegotiate(a, held);
    let (got, ticks) = (stage.phones[a].headers.len(), 40);
    stage.run(ticks);
    assert_eq!(stage.phones[a].headers.len(), got, "nothing is sent to who holds");
    assert!(stage.phones[b].level(440.0, 500) < -60.0, "nor is it heard");

    stage.renegotiate(a, stream(Pcmu, 20, address));
    stage.run(50);
    let headers = &stage.phones[a].headers;
    let gap = headers[got].timestamp.wrapping_sub(headers[got - 1].timestamp);
    assert_eq!(gap, 160 * (ticks as u32 + 1), "the timestamp ran on");
    assert!(headers[got].marker);
    assert!(stage.phones[a].level(617.0, 500).abs() < 0.5);
    assert!(stage.phones[b].level(440.0, 500).abs() < 0.5);
}

#[test]
fn the_old_way_to_hold_sends_nothing_to_nowhere() {
    let mut stage = conference();
    let a = stage.join(Pcmu, 20, Some(440.0));
    stage.run(10);
    let got = stage.phones[a].headers.len();
    let mut held = stream(Pcmu, 20, "0.0.0.0:4000".parse().unwrap());
    held.direction = Direction::SendOnly;
    stage.renegotiate(a, held);
    stage.run(300);
    assert_eq!(stage.phones[a].headers.len(), got);
}

#[test]
fn one_way_directions_are_obeyed() {
    let mut stage = conference();
    let speaker = stage.join(Pcmu, 20, Some(440.0));
    let listener = stage.join(Pcmu, 20, Some(617.0));
    let mut only = stream(Pcmu, 20, stage.phones[listener].address);
    only.direction = Direction::SendOnly;
    stage.renegotiate(listener, only.clone());
    stage.run(75);
    assert!(stage.phones[listener].level(440.0, 500).abs() < 0.5);
    assert!(stage.phones[speaker].level(617.0, 500) < -60.0, "it is not to be heard");
    only.direction = Direction::RecvOnly;
    let got = stage.phones[listener].headers.len();
    stage.renegotiate(listener, only);
    stage.run(75);
    assert_eq!(stage.phones[listener].headers.len(), got);
    assert!(stage.phones[speaker].level(617.0, 500).abs() < 0.5);
}

#[test]
fn speech_after_a_long_silence_is_heard_from_its_first_packet() {
    let mut stage = conference();
    let talker = stage.join(OPUS, 20, None);
    let listener = stage.join(Pcmu, 20, None);
    stage.run(200);
    stage.phones[talker].tone = Some(440.0);
    stage.phones[listener].heard.clear();
    // One tick for the packet, one for what the encoders and resamplers hold.
    stage.run(3);
    let level = stage.phones[listener].level(440.0, 20);
    assert!(level > -6.0, "{level:.1} dB");
}

#[test]
fn a_hum_that_its_sender_takes_for_silence_is_heard() {
    let mut stage = conference();
    let hum = stage.join(OPUS, 20, Some(300.0));
    let listener = stage.join(Pcmu, 20, None);
    // By its first packet that arrives the sender's voice activity detection is used to the hum.
    for _ in 0..500 {
        stage.phones[hum].speak();
    }
    stage.phones[hum].due = stage.now;
    stage.run(50);
    let level = stage.phones[listener].level(300.0, 200);
    assert!(level.abs() < 3.0, "{level:.1} dB");
}
