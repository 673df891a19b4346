//! Nothing jumps or clicks when a leg moves between encodes, formats and groups.

use tandem_base::{Attachment, AudioFormat, ConferenceId, ReceiveFormat};
use tandem_testkit::level_dbfs;

use super::phone::{payload_type, stream};
use super::stage::{OPUS, Stage, conference};

use AudioFormat::{G722, Pcma, Pcmu};

/// What is left of a steady tone's signal when the tone is taken out, in windows of 20 ms: the loudest, against the
/// tone. A click or a gap stands out; a clean codec does not.
pub fn worst_disturbance(heard: &[i16], hz: f64, rate: u32) -> f64 {
    let window = rate as usize / 50;
    let turn = 2.0 * std::f64::consts::PI * hz / f64::from(rate);
    let tone = level_dbfs(heard);
    heard
        .chunks_exact(window)
        .map(|chunk| {
            let (mut c, mut s) = (0.0, 0.0);
            for (i, x) in chunk.iter().enumerate() {
                c += f64::from(*x) * (turn * i as f64).cos();
                s += f64::from(*x) * (turn * i as f64).sin();
            }
            let n = window as f64 / 2.0;
            let rest: Vec<i16> = chunk
                .iter()
                .enumerate()
                .map(|(i, x)| {
                    let model = (c * (turn * i as f64).cos() + s * (turn * i as f64).sin()) / n;
                    (f64::from(*x) - model).round() as i16
                })
                .collect();
            level_dbfs(&rest) - tone
        })
        .fold(f64::NEG_INFINITY, f64::max)
}

/// A listener hears a tone of 400 Hz and speaks itself now and then: it moves between its rendition and its own encode.
fn listener_that_speaks_now_and_then(
    format: AudioFormat,
    ptime_ms: u8,
    others: usize,
) -> (f64, Stage, usize) {
    let mut stage = conference();
    stage.join(Pcmu, 20, Some(400.0));
    let n = stage.join(format, ptime_ms, None);
    for _ in 0..others {
        stage.join(format, ptime_ms, None);
    }
    stage.run(60);
    let from = stage.phones[n].heard.len();
    for _ in 0..3 {
        stage.phones[n].tone = Some(1_000.0);
        stage.run(13);
        stage.phones[n].tone = None;
        stage.run(40);
    }
    let phone = &stage.phones[n];
    (worst_disturbance(&phone.heard[from..], 400.0, phone.rate().hz()), stage, n)
}

#[test]
fn moving_between_renditions_is_not_heard_in_g711() {
    for ptime in [10, 20, 30, 60] {
        let (disturbance, stage, n) = listener_that_speaks_now_and_then(Pcmu, ptime, 1);
        assert!(disturbance < -30.0, "{ptime} ms: {disturbance:.1} dB");
        assert!(stage.phones[n].timestamps_are_even(u32::from(ptime)));
    }
}

#[test]
fn moving_between_renditions_is_not_heard_in_g722() {
    let (disturbance, stage, n) = listener_that_speaks_now_and_then(G722, 20, 1);
    assert!(disturbance < -20.0, "{disturbance:.1} dB");
    assert!(stage.phones[n].timestamps_are_even(20));
}

#[test]
fn moving_between_renditions_is_not_heard_in_opus() {
    for others in [0, 1] {
        let (disturbance, stage, n) = listener_that_speaks_now_and_then(OPUS, 20, others);
        assert!(disturbance < -12.0, "{disturbance:.1} dB with {others} others");
        assert!(stage.phones[n].timestamps_are_even(20));
    }
}

/// The loudest window of what is left beside the tone while a leg that spoke goes back to the encode of the others, dBFS;
/// and the same where nothing changes.
fn going_back(format: AudioFormat, pauses: bool) -> (f64, f64) {
    let mut stage = conference();
    stage.join(Pcmu, 20, Some(400.0));
    let n = stage.join(format, 20, Some(1_000.0));
    let other = stage.join(format, 20, None);
    stage.run(60);
    stage.phones[n].tone = None;
    stage.run(60);
    let from = [n, other].map(|n| stage.phones[n].heard.len());
    if pauses {
        stage.run(140);
        stage.phones[0].loudness = -50.0;
        stage.run(10);
        stage.phones[0].loudness = super::phone::LEVEL;
        stage.run(30);
    } else {
        stage.run(600);
    }
    let before = stage.tally.encodes;
    stage.run(1);
    let waits = format == G722 && !pauses;
    assert_eq!(stage.tally.encodes - before, 2 + u64::from(waits), "{format}: it went back");
    let rate = stage.phones[n].rate().hz();
    let worst = |n: usize, from: usize| {
        let heard = &stage.phones[n].heard[from..];
        worst_disturbance(heard, 400.0, rate) + level_dbfs(heard)
    };
    (worst(n, from[0]), worst(other, from[1]))
}

#[test]
fn going_back_to_the_encode_of_the_others_does_not_click() {
    for format in [Pcmu, Pcma, G722, OPUS] {
        for pauses in [false, true] {
            let (changed, unchanged) = going_back(format, pauses);
            let bound = (unchanged + 0.5).max(-50.0);
            assert!(changed < bound, "{format}: {changed:.1} dBFS, {unchanged:.1} without a change");
        }
    }
}

#[test]
fn a_leg_shares_again_in_the_next_silence_but_does_not_wait_for_ever() {
    let mut stage = conference();
    let talker = stage.join(Pcmu, 20, Some(400.0));
    let n = stage.join(OPUS, 20, Some(1_000.0));
    stage.join(OPUS, 20, None);
    let encodes = |stage: &mut Stage, ticks: usize| {
        stage.run(ticks);
        let before = stage.tally.encodes;
        stage.run(1);
        stage.tally.encodes - before
    };
    assert_eq!(encodes(&mut stage, 20), 3, "two speakers' own and one for the listener");
    stage.phones[n].tone = None;
    assert_eq!(encodes(&mut stage, 100), 3, "the other still speaks");
    stage.phones[talker].tone = None;
    assert_eq!(encodes(&mut stage, 30), 2, "one of each format");
    stage.phones[talker].tone = Some(400.0);
    assert_eq!(encodes(&mut stage, 10), 2);
    stage.phones[n].tone = Some(1_000.0);
    assert_eq!(encodes(&mut stage, 20), 3);
    stage.phones[n].tone = None;
    assert_eq!(encodes(&mut stage, 300), 3, "nobody pauses");
    assert_eq!(encodes(&mut stage, 250), 2, "nobody ever pauses");
}

#[test]
fn a_leg_moves_to_another_group_with_its_stream() {
    let mut first = conference();
    let n = first.join(Pcmu, 20, None);
    first.run(10);
    let last = *first.phones[n].headers.last().unwrap();
    let mut second = Stage::new(Attachment::Conference(ConferenceId(2)));
    second.join(Pcmu, 20, Some(440.0));
    second.run(7);
    let mut member = first.leave(n);
    let configuration = second.configuration(stream(Pcmu, 20, first.phones[n].address));
    second.now = first.now;
    member.leg.apply_elsewhere(configuration, second.now);
    assert_eq!(second.group.insert(member), 1);
    second.tick();
    first.run(0);
    // Both stages have lists of their own: the leg still sends into the first one's.
    first.deliver();
    let header = *first.phones[n].headers.last().unwrap();
    assert_eq!(header.sequence, last.sequence.wrapping_add(1));
    assert_eq!(header.timestamp, last.timestamp.wrapping_add(160));
    assert_eq!(header.ssrc, last.ssrc);
}

#[test]
fn missed_ticks_leave_no_delay_behind() {
    let mut stage = conference();
    let n = stage.join(Pcmu, 20, None);
    let m = stage.join(Pcmu, 30, None);
    stage.run(10);
    let last = *stage.phones[n].headers.last().unwrap();
    stage.skip(3);
    let before = stage.phones[n].headers.len();
    stage.run(5);
    let next = stage.phones[n].headers[before];
    assert_eq!(next.timestamp.wrapping_sub(last.timestamp), 4 * 160);
    let sent = |n: usize| *stage.phones[n].headers.last().unwrap();
    let first = |n: usize| stage.phones[n].headers[0];
    assert_eq!(sent(n).timestamp.wrapping_sub(first(n).timestamp), 17 * 160);
    assert_eq!(sent(m).timestamp.wrapping_sub(first(m).timestamp), 11 * 240, "in step with the others");
}

#[test]
fn the_peer_may_change_its_format_at_any_time() {
    let mut stage = conference();
    let n = stage.join_with(Pcmu, 20, Some(440.0), super::stage::FOR_EVER, |s| {
        for format in [Pcma, G722, OPUS] {
            s.receive.push(ReceiveFormat { payload_type: payload_type(format), format });
        }
    });
    let listener = stage.join(OPUS, 20, None);
    for format in [Pcmu, Pcma, G722, OPUS, Pcmu] {
        stage.phones[n].change_format(format);
        stage.run(60);
        let level = stage.phones[listener].level(440.0, 500);
        assert!(level.abs() < 1.5, "{format}: {level:.1} dB");
    }
    assert_eq!(stage.tally.malformed, 0);
}

#[test]
fn a_new_format_to_send_goes_on_in_the_same_stream() {
    let mut stage = conference();
    let n = stage.join(Pcmu, 20, None);
    stage.join(Pcmu, 20, Some(440.0));
    stage.run(20);
    let last = *stage.phones[n].headers.last().unwrap();
    let address = stage.phones[n].address;
    stage.renegotiate(n, stream(OPUS, 20, address));
    stage.phones[n].hear_as(OPUS);
    stage.run(60);
    let next = stage.phones[n].headers[20];
    assert_eq!(next.ssrc, last.ssrc);
    assert_eq!(next.sequence, last.sequence.wrapping_add(1));
    assert!(stage.phones[n].level(440.0, 500).abs() < 1.5);
    assert_eq!(stage.group.renditions(), 2);
}
