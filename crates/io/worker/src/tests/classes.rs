//! Receivers that fare differently: each gets what it needs, in few encodes, and no move is heard.

use tandem_audio::MAX_PACKET_SAMPLES;
use tandem_base::{AudioFormat, Ssrc, Time};
use tandem_codec::decoder;
use tandem_rtp::Packet;
use tandem_rtp::rtcp::{ReportBlock, Writer};

use super::continuity::worst_disturbance;
use super::stage::{OPUS, Stage, conference};

/// Phone `n` reports that it loses so much, in 1/256.
pub fn report(stage: &mut Stage, n: usize, fraction_lost: u8) {
    let phone = &stage.phones[n];
    let block = ReportBlock {
        ssrc: phone.headers.last().unwrap().ssrc,
        fraction_lost,
        lost: fraction_lost.into(),
        highest_sequence: 0,
        jitter: 0,
        last_sr: 0,
        delay_since_last_sr: 0,
    };
    let mut out = [0; 64];
    let mut writer = Writer::new(&mut out);
    writer.receiver_report(Ssrc(phone.ssrc.0), &[block]).unwrap();
    let len = writer.finish();
    let from = std::net::SocketAddr::new(phone.address.ip(), phone.address.port() + 1);
    stage.arrive(n, from, &out[..len]);
}

/// Everybody reports every five seconds for so long, while those who talk say one syllable after the other.
fn reports(stage: &mut Stage, seconds: usize, lost: impl Fn(usize) -> u8) {
    for tick in 0..seconds * 50 {
        let n = tick % 250 / 3;
        if tick % 250 % 3 == 0 && n < stage.phones.len() {
            report(stage, n, lost(n));
        }
        // A tone of 0 Hz is silence.
        let spoken = if tick % 14 < 8 { 300.0 + (tick % 90) as f64 * 10.0 } else { 0.0 };
        stage.phones.iter_mut().filter_map(|p| p.tone.as_mut()).for_each(|tone| *tone = spoken);
        stage.run(1);
    }
}

/// Does what the phone got last carry copies of earlier packets?
fn has_fec(stage: &Stage, n: usize) -> bool {
    let mut decoder = decoder(OPUS).unwrap();
    let mut out = [0.0; MAX_PACKET_SAMPLES];
    let recent = stage.phones[n].packets.iter().rev().take(10);
    let copies = recent.filter(|p| {
        let packet = Packet::parse(p).unwrap();
        decoder.recover(packet.payload, &mut out).is_some()
    });
    copies.count() > 5
}

fn encodes_a_tick(stage: &mut Stage) -> u64 {
    let before = stage.tally.encodes;
    stage.run(20);
    (stage.tally.encodes - before) / 20
}

/// A talker in G.711 and so many listeners in Opus.
fn room(listeners: usize) -> Stage {
    let mut stage = conference();
    stage.join(AudioFormat::Pcmu, 20, Some(400.0));
    for _ in 0..listeners {
        let n = stage.join(OPUS, 20, None);
        // They only listen: that is quicker.
        stage.phones[n].due = Time::from_millis(1 << 40);
    }
    stage.run(5);
    reports(&mut stage, 1, |_| 0);
    stage
}

#[test]
fn the_worst_listener_does_not_ruin_it_for_the_others() {
    let mut stage = room(5);
    assert!(has_fec(&stage, 1), "nobody has told enough yet");
    reports(&mut stage, 16, |n| if n == 5 { 80 } else { 0 });
    assert_eq!(
        encodes_a_tick(&mut stage),
        3,
        "the talker's own, one for those who lose, one for those who do not"
    );
    assert!(!has_fec(&stage, 1) && !has_fec(&stage, 4));
    assert!(has_fec(&stage, 5));
    // It gets better.
    reports(&mut stage, 75, |_| 0);
    assert_eq!(encodes_a_tick(&mut stage), 2);
    assert!(!has_fec(&stage, 5));
    assert!(stage.phones.iter().all(|p| p.timestamps_are_even(20)));
}

#[test]
fn in_a_small_room_one_encode_serves_the_worst() {
    let mut stage = room(2);
    reports(&mut stage, 11, |_| 0);
    assert!(!has_fec(&stage, 1));
    reports(&mut stage, 11, |n| if n == 2 { 60 } else { 0 });
    assert_eq!(encodes_a_tick(&mut stage), 2);
    assert!(has_fec(&stage, 1) && has_fec(&stage, 2));
}

#[test]
fn a_leg_of_its_own_is_served_alone() {
    let mut stage = conference();
    let a = stage.join(OPUS, 20, Some(400.0));
    let b = stage.join(OPUS, 20, Some(700.0));
    stage.run(10);
    reports(&mut stage, 11, |n| if n == a { 0 } else { 60 });
    assert!(!has_fec(&stage, a) && has_fec(&stage, b));
}

#[test]
fn moves_between_classes_are_not_heard() {
    let mut stage = room(4);
    let steady = |stage: &mut Stage, reported: [u8; 5]| {
        for (n, lost) in reported.into_iter().enumerate() {
            stage.phones[0].tone = Some(400.0);
            report(stage, n, lost);
            stage.run(50);
        }
    };
    stage.phones[0].tone = Some(400.0);
    stage.run(150);
    let from = stage.phones[1].heard.len();
    assert_eq!(stage.group.renditions(), 2);
    steady(&mut stage, [0; 5]);
    stage.run(500);
    steady(&mut stage, [0, 0, 90, 0, 90]);
    assert_eq!(stage.group.renditions(), 3, "they have moved, nobody having paused");
    for n in 1..=4 {
        let disturbance = worst_disturbance(&stage.phones[n].heard[from..], 400.0, 48_000);
        // As much as the codec itself does to a tone.
        assert!(disturbance < -12.0, "phone {n}: {disturbance:.1} dB");
    }
}

#[test]
fn reports_and_moves_do_not_allocate() {
    let mut stage = room(4);
    for lost in [0, 80, 0] {
        for n in 0..5 {
            stage.run_measured(60, |step| {
                assert_eq!(allocation_counter::measure(step).count_total, 0);
            });
            report(&mut stage, n, lost);
        }
    }
    assert!(stage.group.renditions() > 2);
}
