//! Encrypted legs.

use std::time::Duration;

use tandem_base::{
    AudioFormat, Direction, MediaEvent, MediaTimeout, MediaTimeouts, Srtp, SrtpKeying, SrtpMaster, SrtpSuite,
    Time,
};
use tandem_rtp::rtcp::Compound;
use tandem_transport::SrtpContext;

use super::phone::stream;
use super::stage::{FOR_EVER, OPUS, Stage, conference};

use AudioFormat::{G722, Pcmu};
use SrtpSuite::{AeadAes128Gcm, AesCm128HmacSha1_32, AesCm128HmacSha1_80};

fn keying(suite: SrtpSuite, seed: u8) -> SrtpKeying {
    let octets = vec![seed; suite.master_len()];
    SrtpKeying { master: SrtpMaster::new(suite, &octets).unwrap(), mki: None, lifetime: None }
}

/// The leg's side; the peer's key is `seed`.
fn srtp(suite: SrtpSuite, seed: u8) -> Srtp {
    Srtp { suite, send: keying(suite, 200), receive: vec![keying(suite, seed)] }
}

/// The phone's side.
fn mirrored(srtp: &Srtp) -> SrtpContext {
    let mut context = SrtpContext::new();
    let theirs = Srtp { suite: srtp.suite, send: srtp.receive[0].clone(), receive: vec![srtp.send.clone()] };
    context.negotiate(Some(&theirs), Time::ZERO).unwrap();
    context
}

/// Negotiates encryption for a phone that is there; its key is made of `seed`.
pub fn encrypt(stage: &mut Stage, n: usize, suite: SrtpSuite, seed: u8) {
    let srtp = srtp(suite, seed);
    let phone = &mut stage.phones[n];
    phone.srtp = Some(mirrored(&srtp));
    let mut stream = stream(phone.format, phone.ptime_ms, phone.address);
    stream.srtp = Some(srtp);
    stage.renegotiate(n, stream);
}

/// A phone that is encrypted from the start.
fn join(
    stage: &mut Stage,
    format: AudioFormat,
    tone: Option<f64>,
    suite: SrtpSuite,
    timeouts: MediaTimeouts,
) -> usize {
    let srtp = srtp(suite, 1);
    let context = mirrored(&srtp);
    let n = stage.join_with(format, 20, tone, timeouts, |stream| stream.srtp = Some(srtp));
    stage.phones[n].srtp = Some(context);
    n
}

#[test]
fn encrypted_and_plain_phones_hear_each_other() {
    let mut stage = conference();
    let a = join(&mut stage, Pcmu, Some(440.0), AesCm128HmacSha1_80, FOR_EVER);
    let b = join(&mut stage, G722, Some(617.0), AeadAes128Gcm, FOR_EVER);
    let c = stage.join(OPUS, 20, Some(853.0));
    let listeners = [
        join(&mut stage, Pcmu, None, AesCm128HmacSha1_80, FOR_EVER),
        join(&mut stage, Pcmu, None, AesCm128HmacSha1_32, FOR_EVER),
        stage.join(Pcmu, 20, None),
    ];
    stage.run(100);
    for (n, own) in [(a, 440.0), (b, 617.0), (c, 853.0)] {
        for hz in [440.0, 617.0, 853.0] {
            let level = stage.phones[n].level(hz, 500);
            assert!(
                if hz == own { level < -40.0 } else { level.abs() < 2.0 },
                "{n} hears {hz} Hz at {level}"
            );
        }
    }
    for n in listeners {
        assert!(stage.phones[n].level(440.0, 500).abs() < 2.0, "listener {n}");
        assert!(stage.phones[n].timestamps_are_even(20));
    }
    assert_eq!((stage.tally.unauthentic, stage.tally.replayed, stage.tally.malformed), (0, 0, 0));
}

#[test]
fn wrong_keys_plain_packets_and_forgeries_are_counted_and_not_heard() {
    let mut stage = conference();
    let n = join(&mut stage, Pcmu, None, AesCm128HmacSha1_80, FOR_EVER);
    let listener = stage.join(Pcmu, 20, None);
    stage.run(10);
    let address = stage.phones[n].address;
    stage.phones[n].tone = Some(440.0);
    let (good, due) = (stage.phones[n].srtp.take(), stage.phones[n].due);
    stage.phones[n].due = Time::NEVER;
    for kind in 0..3 {
        stage.phones[n].srtp = (kind == 1).then(|| mirrored(&srtp(AesCm128HmacSha1_80, 77)));
        for _ in 0..50 {
            let mut packet = stage.phones[n].speak();
            if kind == 2 {
                // As long as a real one.
                packet.extend([0x55; 10]);
            }
            stage.arrive(n, address, &packet);
            // What the phone gets meanwhile is not looked at.
            stage.tick();
            stage.now += Duration::from_millis(20);
        }
    }
    let report = stage.group.member(n).unwrap().leg.report().received;
    assert_eq!((stage.tally.unauthentic, report.unauthentic, report.malformed), (150, 150, 0));
    stage.phones[n].srtp = good;
    stage.deliver();
    assert!(stage.phones[listener].level(440.0, 2_000) < -60.0);
    stage.phones[n].due = due + Duration::from_millis(3_000);
    stage.run(100);
    assert!(stage.phones[listener].level(440.0, 500).abs() < 2.0, "and the peer is still heard");
}

#[test]
fn replayed_packets_are_counted_and_change_nothing() {
    let mut stage = conference();
    let n = join(&mut stage, Pcmu, Some(440.0), AeadAes128Gcm, FOR_EVER);
    let listener = stage.join(Pcmu, 20, None);
    stage.run(50);
    let address = stage.phones[n].address;
    let packet = stage.phones[n].speak();
    stage.arrive(n, address, &packet);
    let before = stage.group.member(n).unwrap().leg.report().received.packets;
    for _ in 0..20 {
        stage.arrive(n, "203.0.113.66:4000".parse().unwrap(), &packet);
        stage.arrive(n, address, &packet);
    }
    let report = stage.group.member(n).unwrap().leg.report().received;
    assert_eq!((report.replayed, report.packets, report.duplicates, report.strangers), (40, before, 0, 0));
    assert_eq!(stage.tally.replayed, 40);
    stage.run(25);
    assert!(stage.phones[listener].level(440.0, 200).abs() < 2.0);
}

#[test]
fn a_new_key_takes_effect_with_its_negotiation() {
    let mut stage = conference();
    let n = join(&mut stage, Pcmu, Some(440.0), AesCm128HmacSha1_80, FOR_EVER);
    let listener = stage.join(Pcmu, 20, None);
    stage.run(50);
    // The peer goes on with its old key until it has our answer: half a second here.
    let new = srtp(AesCm128HmacSha1_80, 9);
    let mut negotiated = stream(Pcmu, 20, stage.phones[n].address);
    negotiated.srtp = Some(new.clone());
    stage.renegotiate(n, negotiated);
    stage.run(25);
    stage.phones[n]
        .srtp
        .as_mut()
        .unwrap()
        .negotiate(
            Some(&Srtp { suite: new.suite, send: new.receive[0].clone(), receive: vec![new.send.clone()] }),
            stage.now,
        )
        .unwrap();
    stage.run(25);
    assert!(stage.phones[listener].level(440.0, 900).abs() < 1.0);
    assert_eq!(stage.tally.unauthentic + stage.tally.replayed, 0);
    // After its grace the old key is worth nothing.
    stage.run(50 * 33);
    stage.phones[n].srtp = Some(mirrored(&srtp(AesCm128HmacSha1_80, 1)));
    let (address, packet) = (stage.phones[n].address, stage.phones[n].speak());
    stage.arrive(n, address, &packet);
    assert_eq!(stage.tally.unauthentic, 1);
}

#[test]
fn sequence_numbers_roll_over_while_on_hold() {
    let mut stage = conference();
    let n = join(&mut stage, Pcmu, Some(440.0), AesCm128HmacSha1_80, FOR_EVER);
    let talker = stage.join(Pcmu, 20, Some(617.0));
    stage.phones[n].sequence = 0xfff0;
    stage.run(10);
    let encrypted = |stage: &Stage, direction| {
        let mut stream = stream(Pcmu, 20, stage.phones[n].address);
        (stream.direction, stream.srtp) = (direction, Some(srtp(AesCm128HmacSha1_80, 1)));
        stream
    };
    // Music on hold runs over the end of the sequence numbers.
    let hold = encrypted(&stage, Direction::RecvOnly);
    stage.renegotiate(n, hold);
    stage.run(20);
    let resumed = encrypted(&stage, Direction::SendRecv);
    stage.renegotiate(n, resumed);
    stage.run(50);
    assert!(stage.phones[n].sequence < 100, "it rolled over");
    assert!(stage.phones[talker].level(440.0, 500).abs() < 2.0);
    assert!(stage.phones[n].level(617.0, 500).abs() < 2.0);
    assert_eq!(stage.tally.unauthentic + stage.tally.replayed, 0);
    assert_eq!(stage.phones[n].headers.windows(2).filter(|w| w[0].ssrc != w[1].ssrc).count(), 0);
}

#[test]
fn our_own_sequence_numbers_roll_over_too() {
    let mut stage = conference();
    let n = join(&mut stage, Pcmu, None, AesCm128HmacSha1_80, FOR_EVER);
    stage.run(66_000);
    let phone = &stage.phones[n];
    assert!(phone.headers.windows(2).any(|w| w[1].sequence < w[0].sequence));
    assert_eq!(phone.headers.len(), 66_000);
}

#[test]
fn reports_are_encrypted_both_ways() {
    let mut stage = conference();
    let n = join(&mut stage, Pcmu, Some(440.0), AesCm128HmacSha1_80, FOR_EVER);
    stage.run(500);
    let report = stage.phones[n].rtcp.first().expect("a report in ten seconds").clone();
    assert!(Compound::parse(&report).is_ok());
    let (leg, address) = (stage.phones[n].headers[0].ssrc, stage.phones[n].address);
    let mut answer = vec![0x81, 201, 0, 7];
    answer.extend(stage.phones[n].ssrc.0.to_be_bytes());
    answer.extend(leg.0.to_be_bytes());
    answer.extend([64, 0, 0, 100]);
    answer.extend([0; 16]);
    let rtcp_address = std::net::SocketAddr::new(address.ip(), address.port() + 1);
    stage.arrive(n, rtcp_address, &answer);
    assert_eq!(stage.tally.unauthentic, 1, "a plain report says nothing");
    let sealed = stage.phones[n].seal(answer);
    stage.arrive(n, rtcp_address, &sealed);
    let report = stage.group.member(n).unwrap().leg.report();
    assert_eq!((stage.tally.unauthentic, report.sent.lost), (1, Some(100)));
    let goodbye = stage.goodbye(n);
    let goodbye = stage.phones[n].open(&goodbye, stage.now);
    assert!(matches!(goodbye.get(1), Some(200 | 201)), "{goodbye:?}");
}

const LIMITS: MediaTimeouts = MediaTimeouts {
    setup: Duration::from_secs(3),
    talk: Duration::from_secs(2),
    hold: Duration::from_secs(4),
};

#[test]
fn forged_packets_do_not_keep_a_leg_alive() {
    let mut stage = conference();
    let n = join(&mut stage, Pcmu, None, AesCm128HmacSha1_80, LIMITS);
    stage.run(10);
    stage.phones[n].due = Time::NEVER;
    stage.phones[n].srtp = None;
    let address = stage.phones[n].address;
    for _ in 0..150 {
        let packet = stage.phones[n].speak();
        stage.arrive(n, address, &packet);
        stage.tick();
        stage.now += Duration::from_millis(20);
    }
    assert!(
        matches!(stage.events[..], [MediaEvent::Timeout { kind: MediaTimeout::Talk, .. }]),
        "{:?}",
        stage.events
    );
}

#[test]
fn a_leg_whose_key_is_used_up_falls_silent_and_says_so_once() {
    let mut stage = conference();
    let mut keys = srtp(AesCm128HmacSha1_80, 1);
    keys.send.lifetime = Some(50);
    let context = mirrored(&keys);
    let n = stage.join_with(Pcmu, 20, Some(440.0), FOR_EVER, |stream| stream.srtp = Some(keys));
    stage.phones[n].srtp = Some(context);
    let other = stage.join(Pcmu, 20, None);
    stage.run(50);
    assert_eq!((stage.phones[n].headers.len(), &stage.events[..]), (50, &[][..]));
    stage.run(50);
    assert_eq!(stage.phones[n].headers.len(), 50, "not one packet more");
    let [MediaEvent::Failed { fault, .. }] = &stage.events[..] else { panic!("{:?}", stage.events) };
    assert_eq!(fault.to_string(), "the SRTP key has protected as many packets as it may (500)");
    assert!(stage.phones[other].headers.len() == 100, "others go on");
}

#[test]
fn a_peer_whose_key_is_overdue_is_heard_and_counted() {
    let mut stage = conference();
    let mut keys = srtp(AesCm128HmacSha1_80, 1);
    let context = mirrored(&keys);
    keys.receive[0].lifetime = Some(40);
    let n = stage.join_with(Pcmu, 20, Some(440.0), FOR_EVER, |stream| stream.srtp = Some(keys));
    stage.phones[n].srtp = Some(context);
    let listener = stage.join(Pcmu, 20, None);
    stage.run(100);
    assert!(stage.phones[listener].level(440.0, 200).abs() < 1.0);
    let report = stage.group.member(n).unwrap().leg.report().received;
    assert!(report.packets >= 100);
    assert_eq!((report.overdue, stage.events.len()), (report.packets - 40, 0));
}
