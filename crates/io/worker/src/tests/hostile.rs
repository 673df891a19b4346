//! What is none of the peer's doing, or makes no sense.

use std::time::Duration;

use proptest::prelude::*;
use tandem_audio::{AudioDecoder, DecodeError};
use tandem_base::{AudioFormat, ClockRate, LegId, MediaEvent, PayloadType, Ssrc, Time};
use tandem_rtp::rtcp::{ReportBlock, Writer};

use super::continuity::worst_disturbance;
use super::phone::{Phone, stream};
use super::stage::{OPUS, Stage, conference};
use crate::group::Member;
use crate::leg::Leg;

use AudioFormat::Pcmu;

#[test]
fn a_stranger_is_counted_and_not_heard() {
    let mut stage = conference();
    let n = stage.join(Pcmu, 20, None);
    let listener = stage.join(Pcmu, 20, None);
    stage.run(10);
    let mut stranger = Phone::new(77, Pcmu, 20, Some(440.0));
    stranger.ssrc = Ssrc(0xbad);
    for _ in 0..50 {
        let packet = stranger.speak();
        stage.arrive(n, stranger.address, &packet);
        stage.run(1);
    }
    assert_eq!(stage.tally.strangers, 50);
    assert!(stage.phones[listener].level(440.0, 500) < -60.0);
    assert_eq!(stage.phones[n].headers.len(), 60, "and the peer still gets its sound");
    assert_eq!(stage.group.member(n).unwrap().leg.report().received.strangers, 50);
}

#[test]
fn truncated_packets_and_unknown_payload_types_are_counted() {
    let mut stage = conference();
    let n = stage.join(Pcmu, 20, None);
    stage.run(10);
    let address = stage.phones[n].address;
    let whole = stage.phones[n].speak();
    for len in 0..12 {
        stage.arrive(n, address, &whole[..len]);
    }
    let unknown = stage.phones[n].packet(PayloadType::new(77 + 30).unwrap(), &[0; 160]);
    stage.arrive(n, address, &unknown);
    let empty = stage.phones[n].packet(PayloadType::PCMU, &[]);
    stage.arrive(n, address, &empty);
    stage.arrive(n, address, &[0x80, 200, 0]);
    assert_eq!(stage.tally.malformed, 15);
    assert_eq!(stage.group.member(n).unwrap().leg.report().received.malformed, 15);
}

/// A leg that hears a tone, with somebody who listens, after half a second.
fn talking() -> (Stage, usize, usize) {
    let mut stage = conference();
    let n = stage.join(Pcmu, 20, Some(440.0));
    let listener = stage.join(Pcmu, 20, None);
    stage.run(25);
    (stage, n, listener)
}

/// The peer is heard as if nothing had happened.
fn assert_undisturbed(mut stage: Stage, listener: usize) {
    stage.phones[listener].heard.clear();
    stage.run(25);
    let heard = &stage.phones[listener].heard;
    let disturbance = worst_disturbance(heard, 440.0, 8_000);
    assert!(disturbance < -30.0, "{disturbance}");
    assert!(!stage.events.iter().any(|e| matches!(e, MediaEvent::Failed { .. })));
}

#[test]
fn counts_extensions_and_padding_that_lie_are_counted_and_not_heard() {
    let (mut stage, n, listener) = talking();
    let address = stage.phones[n].address;
    let honest = stage.phones[n].packet(PayloadType::PCMU, &[0x11; 16]);
    // Fifteen contributing sources, an extension beyond the end, padding of nothing and of more than there is, and two
    // lies at once.
    let lies: [(u8, &[(usize, u8)]); 6] = [
        (0x8f, &[]),
        (0x90, &[(14, 0xff), (15, 0xff)]),
        (0x90, &[(14, 0), (15, 4)]),
        (0xa0, &[(27, 0)]),
        (0xa0, &[(27, 17)]),
        (0xbf, &[(27, 255)]),
    ];
    for (first, octets) in lies {
        let mut lie = honest.clone();
        lie[0] = first;
        octets.iter().for_each(|(at, octet)| lie[*at] = *octet);
        stage.arrive(n, address, &lie);
    }
    assert_eq!(stage.tally.malformed, 6);
    assert_undisturbed(stage, listener);
}

#[test]
fn payload_types_that_were_not_agreed_are_counted_and_not_heard() {
    let (mut stage, n, listener) = talking();
    let (address, tally) = (stage.phones[n].address, stage.tally.malformed);
    // Comfort noise is taken whether agreed to or not.
    let known = [super::phone::payload_type(Pcmu), super::phone::event_payload_type(), PayloadType::CN];
    for number in (0..128).filter_map(PayloadType::new).filter(|number| !known.contains(number)) {
        let packet = stage.phones[n].packet(number, &[0x11; 160]);
        // The peer's own numbers go on.
        stage.phones[n].sequence = stage.phones[n].sequence.wrapping_sub(1);
        stage.arrive(n, address, &packet);
    }
    assert_eq!(stage.tally.malformed - tally, 125);
    assert_undisturbed(stage, listener);
}

#[test]
fn what_comes_twice_is_heard_once() {
    let (mut stage, n, listener) = talking();
    let address = stage.phones[n].address;
    let due = std::mem::replace(&mut stage.phones[n].due, Time::NEVER);
    for _ in 0..25 {
        let packet = stage.phones[n].speak();
        for _ in 0..3 {
            stage.arrive(n, address, &packet);
        }
        stage.run(1);
    }
    stage.phones[n].due = due + Duration::from_millis(500);
    let report = stage.group.member(n).unwrap().leg.report().received;
    assert_eq!((report.duplicates, report.lost), (50, 0));
    assert_undisturbed(stage, listener);
}

#[test]
fn what_is_replayed_or_forged_under_another_source_is_not_heard() {
    let (mut stage, n, listener) = talking();
    let address = stage.phones[n].address;
    // What the peer said before, a second ago and further, out of order; and somebody else in its place.
    let recorded: Vec<_> = (0..40).map(|_| stage.phones[n].speak()).collect();
    stage.phones[n].sequence = stage.phones[n].sequence.wrapping_sub(40);
    stage.phones[n].timestamp = stage.phones[n].timestamp.wrapping_sub(40 * 160);
    stage.run(200);
    let before = stage.group.member(n).unwrap().leg.report().received;
    for (i, packet) in recorded.iter().enumerate().rev() {
        stage.arrive(n, address, packet);
        let mut forged = packet.clone();
        forged[8..12].copy_from_slice(&(0xf00d + i as u32).to_be_bytes());
        stage.arrive(n, address, &forged);
    }
    let after = stage.group.member(n).unwrap().leg.report().received;
    assert_eq!((after.packets, after.malformed), (before.packets, 0));
    assert_undisturbed(stage, listener);
}

#[test]
fn what_is_too_long_is_counted_or_bounded() {
    let (mut stage, n, listener) = talking();
    let address = stage.phones[n].address;
    // What the kernel cut is nothing.
    stage.arrive_cut(n, address);
    assert_eq!(stage.tally.malformed, 1);
    // A quarter of a second in each of many packets; some of them take others' places.
    for _ in 0..100 {
        let packet = stage.phones[n].packet(PayloadType::PCMU, &[0xff; 2_000]);
        stage.phones[n].timestamp = stage.phones[n].timestamp.wrapping_add(2_000);
        stage.arrive(n, address, &packet);
    }
    let delay = stage.group.member(n).unwrap().leg.report().received.playout_delay;
    assert!(delay <= Duration::from_millis(600), "{delay:?}");
    // It takes the peer's tone a while to be in time again.
    stage.run(150);
    stage.phones[listener].heard.clear();
    stage.run(50);
    assert!(stage.phones[listener].level(440.0, 500).abs() < 1.0);
}

/// RTCP of the peer: a report on us, names, and a farewell.
fn compound(stage: &Stage, n: usize) -> Vec<u8> {
    let phone = &stage.phones[n];
    let block = ReportBlock {
        ssrc: phone.headers.last().unwrap().ssrc,
        fraction_lost: 26,
        lost: 7,
        highest_sequence: 0,
        jitter: 80,
        last_sr: 0,
        delay_since_last_sr: 0,
    };
    let mut out = [0; 256];
    let mut writer = Writer::new(&mut out);
    writer.receiver_report(phone.ssrc, &[block]).unwrap();
    writer.canonical_name(phone.ssrc, "peer").unwrap();
    writer.goodbye(phone.ssrc, "over").unwrap();
    let len = writer.finish();
    out[..len].to_vec()
}

#[test]
fn reports_that_are_cut_forged_or_repeated_do_no_harm() {
    let (mut stage, n, listener) = talking();
    let whole = compound(&stage, n);
    let address = stage.phones[n].address;
    let from = std::net::SocketAddr::new(address.ip(), address.port() + 1);
    for len in 2..whole.len() {
        stage.arrive(n, from, &whole[..len]);
    }
    for at in 0..whole.len() {
        for octet in [0x00, 0xff] {
            let mut forged = whole.clone();
            forged[at] = octet;
            if tandem_rtp::classify(&forged) == tandem_rtp::Kind::Rtcp {
                stage.arrive(n, from, &forged);
            }
        }
    }
    for _ in 0..100 {
        stage.arrive(n, from, &whole);
    }
    assert_eq!(stage.group.member(n).unwrap().leg.report().sent.lost, Some(7));
    let stranger = "203.0.113.66:5001".parse().unwrap();
    let strangers = stage.tally.strangers;
    for _ in 0..100 {
        stage.arrive(n, stranger, &whole);
    }
    assert_eq!(stage.tally.strangers - strangers, 100);
    // Who said goodbye and speaks on begins anew.
    stage.run(10);
    assert_undisturbed(stage, listener);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_datagram_disturbs_another_leg(
        datagrams in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..20),
        first in proptest::sample::select(vec![0x80u8, 0x90, 0xa0, 0x8f, 0xb5]),
        second in any::<u8>(),
    ) {
        let mut stage = conference();
        let victim = stage.join(OPUS, 20, None);
        let other = stage.join(Pcmu, 20, None);
        let talker = stage.join(Pcmu, 20, Some(440.0));
        stage.run(10);
        let address = stage.phones[victim].address;
        for mut datagram in datagrams {
            if let [a, b, ..] = &mut datagram[..] {
                (*a, *b) = (first, second);
            }
            stage.arrive(victim, address, &datagram);
            stage.run(1);
        }
        stage.phones[other].heard.clear();
        stage.run(30);
        prop_assert!(stage.phones[other].level(440.0, 500).abs() < 0.5);
        prop_assert!(stage.phones[talker].headers.len() >= 41);
        let failed = stage.events.iter().any(|e| matches!(e, MediaEvent::Failed { .. }));
        prop_assert!(!failed);
    }
}

/// A decoder with a defect.
struct Broken;

impl AudioDecoder for Broken {
    fn sample_rate(&self) -> ClockRate {
        ClockRate::HZ_8000
    }
    fn decode(&mut self, _: &[u8], _: &mut [f32]) -> Result<usize, DecodeError> {
        panic!("a defect");
    }
    fn samples_in(&self, payload: &[u8]) -> Option<usize> {
        Some(payload.len())
    }
    fn recover(&mut self, _: &[u8], _: &mut [f32]) -> Option<usize> {
        None
    }
    fn conceal(&mut self, out: &mut [f32]) {
        out.fill(0.0);
    }
    fn reset(&mut self) {}
}

#[test]
fn a_panic_ends_one_leg_and_no_other() {
    let mut stage = conference();
    let good = stage.join(Pcmu, 20, None);
    let talker = stage.join(Pcmu, 20, Some(440.0));
    let bad = stage.join_broken(Box::new(Broken));
    stage.run(75);
    let failed: Vec<_> = stage.events.iter().filter(|e| matches!(e, MediaEvent::Failed { .. })).collect();
    assert!(matches!(failed[..], [MediaEvent::Failed { leg: LegId(2), .. }]), "{failed:?}");
    assert_eq!(bad, 2);
    assert_eq!(stage.phones[good].headers.len(), 75);
    assert!(stage.phones[good].level(440.0, 500).abs() < 0.5);
    assert!(stage.phones[talker].timestamps_are_even(20));
    assert!(stage.group.remove(bad).is_some(), "it can be closed like any other");
}

impl super::stage::Stage {
    fn join_broken(&mut self, decoder: Box<dyn AudioDecoder>) -> usize {
        let n = self.join(Pcmu, 20, Some(900.0));
        let member = *self.leave(n);
        let mut configuration = self.configuration(stream(Pcmu, 20, self.phones[n].address));
        configuration.codecs.decoders[0].1 = decoder;
        let leg = Leg::new(
            LegId(n as u64),
            super::stage::FOR_EVER,
            String::from("broken"),
            configuration,
            &mut tandem_testkit::Seeded::new(9),
            self.now,
        );
        assert_eq!(self.group.insert(Box::new(Member { leg, outlet: member.outlet })), n);
        n
    }
}
