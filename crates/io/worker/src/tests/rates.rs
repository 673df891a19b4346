//! The rate that a room is mixed at follows its legs, up at once and down unheard, or is what the operator says.

use tandem_base::{AudioFormat, ClockRate, RoomAudio};
use tandem_rtp::Packet;

use super::continuity::worst_disturbance;
use super::stage::{OPUS, Stage, conference};

use AudioFormat::{G722, Pcmu};

const WIDE: ClockRate = ClockRate::HZ_48000;

/// Speaks for so many seconds, with a pause in each.
fn talk(stage: &mut Stage, n: usize, seconds: usize) {
    for _ in 0..seconds {
        stage.phones[n].tone = Some(440.0);
        stage.run(20);
        stage.phones[n].tone = None;
        stage.run(30);
    }
}

#[test]
fn the_rate_falls_after_a_while_and_in_a_pause() {
    let mut stage = conference();
    stage.join(Pcmu, 20, None);
    stage.join(Pcmu, 20, None);
    let wide = stage.join(OPUS, 20, None);
    assert_eq!(stage.group.room_rate(), WIDE);
    stage.run(50);
    stage.leave(wide);
    talk(&mut stage, 0, 15);
    assert_eq!(stage.group.room_rate(), WIDE, "it may come back");
    stage.phones[0].tone = Some(440.0);
    stage.run(400);
    assert_eq!(stage.group.room_rate(), WIDE, "somebody speaks");
    let speech = stage.phones[1].heard.len() - 3_200;
    talk(&mut stage, 0, 2);
    assert_eq!(stage.group.room_rate(), ClockRate::HZ_8000);
    stage.phones[0].tone = Some(440.0);
    stage.run(50);
    assert!(stage.phones[1].level(440.0, 400).abs() < 0.5);
    assert!(worst_disturbance(&stage.phones[1].heard[speech..speech + 3_200], 440.0, 8_000) < -30.0);
    let heard = &stage.phones[1].heard;
    assert!(worst_disturbance(&heard[heard.len() - 4_000..], 440.0, 8_000) < -30.0);
    assert!(stage.phones.iter().take(2).all(|p| p.timestamps_are_even(20)));
}

#[test]
fn it_falls_by_one_step_where_one_step_is_left() {
    let mut stage = conference();
    stage.join(G722, 20, None);
    stage.join(Pcmu, 20, None);
    let wide = stage.join(OPUS, 20, None);
    stage.run(10);
    stage.leave(wide);
    stage.run(1_200);
    assert_eq!(stage.group.room_rate(), ClockRate::HZ_16000);
}

#[test]
fn a_fixed_rate_stays() {
    for rate in [ClockRate::HZ_8000, ClockRate::HZ_16000, WIDE] {
        let mut stage = conference();
        stage.audio = RoomAudio { rate: Some(rate), ..RoomAudio::default() };
        for format in [Pcmu, G722, OPUS] {
            stage.join(format, 20, None);
        }
        stage.phones[2].tone = Some(1_000.0);
        stage.run(75);
        assert_eq!(stage.group.room_rate(), rate);
        for n in [0, 1] {
            let level = stage.phones[n].level(1_000.0, 400);
            assert!(level.abs() < 1.5, "{} Hz: phone {n} at {level:.1} dB", rate.hz());
        }
    }
}

#[test]
fn what_a_slow_room_sends_in_opus_is_no_wider_than_it_mixes() {
    let widest = |rate| {
        let mut stage = conference();
        stage.audio = RoomAudio { rate: Some(rate), ..RoomAudio::default() };
        stage.join(G722, 20, Some(700.0));
        let n = stage.join(OPUS, 20, None);
        stage.run(60);
        let packets = stage.phones[n].packets.iter().map(|p| Packet::parse(p).unwrap().payload[0] >> 3);
        // RFC 6716 §3.1 table 2: the configurations of each band follow each other.
        packets
            .map(|configuration| match configuration {
                0..4 | 16..20 => 8_000,
                4..8 => 12_000,
                8..12 | 20..24 => 16_000,
                12..14 | 24..28 => 24_000,
                _ => 48_000,
            })
            .max()
            .unwrap()
    };
    assert_eq!(widest(ClockRate::HZ_8000), 8_000);
    assert_eq!(widest(ClockRate::HZ_16000), 16_000);
    assert!(widest(WIDE) > 16_000);
}
