//! What is none of the peer's doing, or makes no sense.

use proptest::prelude::*;
use tandem_audio::{AudioDecoder, DecodeError};
use tandem_base::{AudioFormat, ClockRate, LegId, MediaEvent, PayloadType, Ssrc};

use super::phone::{Phone, stream};
use super::stage::{OPUS, conference};
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
