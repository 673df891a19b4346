use std::time::Duration;

use tandem_base::{ClockRate, PayloadType};
use tandem_testkit::Seeded;

use super::*;
use crate::rtcp::{Item, ReportBlock};
use crate::{NtpTimestamp, Verdict};

const WALL: WallClock = WallClock(Duration::from_secs(1_700_000_000));

struct Side {
    transmission: Transmission,
    reception: Reception,
}

impl Side {
    fn new(seed: u64) -> Self {
        let transmission = Transmission::new(ClockRate::HZ_8000, &mut Seeded::new(seed));
        Side { transmission, reception: Reception::new() }
    }

    fn send(&mut self, to: &mut Side, now: Time, delay: Duration) {
        let header = self.transmission.send(PayloadType::PCMU, false, 160, now);
        self.transmission.advance(160);
        let verdict = to.reception.receive(&header, 160, ClockRate::HZ_8000, now + delay);
        assert!(matches!(verdict, Verdict::Accepted(_)));
    }

    fn report(&mut self, now: Time, goodbye: Option<&str>) -> Vec<u8> {
        let mut out = [0; 256];
        let Side { transmission, reception } = self;
        let len = compose(transmission, reception, "tandem@host", goodbye, now, WALL, &mut out).unwrap();
        out[..len].to_vec()
    }

    fn absorb(&mut self, datagram: &[u8], arrived: Time) -> Option<Ssrc> {
        absorb(datagram, &mut self.transmission, &mut self.reception, arrived, WALL).unwrap()
    }
}

#[test]
fn two_sides_measure_their_round_trip() {
    let (mut a, mut b) = (Side::new(1), Side::new(2));
    let path = Duration::from_millis(35);
    for n in 0..10 {
        a.send(&mut b, Time::from_millis(20 * n), path);
    }
    let sr = a.report(Time::from_millis(200), None);
    b.absorb(&sr, Time::from_millis(235));
    a.send(&mut b, Time::from_millis(210), path);
    let rr = b.report(Time::from_millis(2_000), None);
    assert!(matches!(Compound::parse(&rr).unwrap().next(), Some(Packet::ReceiverReport { .. })));
    a.absorb(&rr, Time::from_millis(2_035));
    let statistics = a.transmission.statistics();
    let rtt = statistics.rtt.unwrap();
    assert!(rtt.abs_diff(2 * path) < Duration::from_micros(100), "{rtt:?}");
    let peer = statistics.peer.unwrap();
    assert_eq!((peer.lost, peer.fraction_lost), (0, 0));
    assert_eq!(statistics.packets, 11);
}

/// The figures of RFC 3550 §6.4.1, figure 2: SR at 0xb705:2000 (middle), DLSR 5.25 s, A = 0xb710:8000, and the
/// round trip of 6.125 s.
#[test]
fn the_example_of_the_rfc_comes_out() {
    // NTP 0xb44db705.20000000 is the wall clock of time zero.
    let seconds = 0xb44d_b705u64 - 2_208_988_800;
    let wall = WallClock(Duration::from_secs(seconds) + Duration::from_millis(125));
    let mut transmission = Transmission::new(ClockRate::HZ_8000, &mut Seeded::new(3));
    transmission.send(PayloadType::PCMU, false, 160, Time::ZERO);
    let info = transmission.sender_info(Time::ZERO, wall).unwrap();
    assert_eq!(info.ntp, NtpTimestamp(0xb44d_b705_2000_0000));
    let block = ReportBlock {
        ssrc: transmission.ssrc(),
        fraction_lost: 0,
        lost: 0,
        highest_sequence: 0,
        jitter: 0,
        last_sr: 0xb705_2000,
        delay_since_last_sr: 0x0005_4000,
    };
    let arrived = Time::from_millis(11_375);
    assert_eq!(NtpTimestamp::at(arrived, wall).middle(), 0xb710_8000);
    transmission.absorb(&block, arrived, wall);
    assert_eq!(transmission.statistics().rtt, Some(Duration::from_millis(6_125)));
}

#[test]
fn implausible_round_trips_are_ignored() {
    let (mut a, _) = (Side::new(1), ());
    let ssrc = a.transmission.ssrc();
    a.transmission.send(PayloadType::PCMU, false, 160, Time::ZERO);
    let sent = a.transmission.sender_info(Time::from_millis(100), WALL).unwrap().ntp.middle();
    let mut rtt = |last_sr: u32, delay_since_last_sr: u32, at: u64| {
        let block = ReportBlock {
            ssrc,
            fraction_lost: 0,
            lost: 0,
            highest_sequence: 0,
            jitter: 0,
            last_sr,
            delay_since_last_sr,
        };
        a.transmission.absorb(&block, Time::from_millis(at), WALL);
        a.transmission.statistics().rtt
    };
    assert_eq!(rtt(0, 0, 200), None, "no SR yet");
    assert_eq!(rtt(sent ^ 0xff00, 0, 200), None, "an SR that we never sent");
    assert_eq!(rtt(sent, 65_536, 200), None, "held longer than it was away");
    assert_eq!(rtt(sent, 0, 100_000), None, "more than half a minute");
    assert_eq!(rtt(sent, 6_554 + 60, 200), Some(Duration::ZERO), "a coarse clock's rounding");
    let honest = rtt(sent, 0, 200).unwrap();
    assert!(honest.abs_diff(Duration::from_millis(100)) < Duration::from_micros(50), "{honest:?}");
}

#[test]
fn a_sender_report_maps_the_clocks() {
    let mut a = Side::new(1);
    let header = a.transmission.send(PayloadType::PCMU, false, 160, Time::from_millis(1_000));
    let info = a.transmission.sender_info(Time::from_millis(1_250), WALL).unwrap();
    assert_eq!(info.rtp_timestamp, header.timestamp.wrapping_add(2_000), "250 ms at 8 kHz");
    assert_eq!(info.ntp.0 >> 32, 1_700_000_001 + 2_208_988_800);
    assert_eq!(info.ntp.0 & 0xffff_ffff, 0x4000_0000);
    assert_eq!((info.packets, info.octets), (1, 160));
}

#[test]
fn leaving_is_said_and_heard() {
    let (mut a, mut b) = (Side::new(1), Side::new(2));
    a.send(&mut b, Time::ZERO, Duration::ZERO);
    let bye = a.report(Time::from_millis(30), Some(&"é".repeat(100)));
    let packets: Vec<_> = Compound::parse(&bye).unwrap().collect();
    let [Packet::SenderReport { .. }, Packet::SourceDescription(sdes), Packet::Goodbye(goodbye)] =
        packets[..]
    else {
        panic!("{packets:?}")
    };
    let ssrc = a.transmission.ssrc();
    assert_eq!(sdes.items().next(), Some(Item { ssrc, kind: 1, text: b"tandem@host" }));
    assert_eq!(goodbye.reason, "é".repeat(32).as_bytes(), "cut at a character");
    assert_eq!(b.absorb(&bye, Time::from_millis(40)), Some(ssrc));
}

#[test]
fn timestamps_follow_the_media_and_numbers_the_packets() {
    let mut t = Side::new(5).transmission;
    let first = t.send(PayloadType::PCMU, true, 160, Time::ZERO);
    for _ in 0..3 {
        t.advance(160);
    }
    let second = t.send(PayloadType::PCMU, false, 160, Time::from_millis(60));
    assert_eq!(second.timestamp.wrapping_sub(first.timestamp), 480, "silence leaves a gap");
    assert_eq!(second.sequence.wrapping_sub(first.sequence), 1);
    let event = t.send_at(first.timestamp, PayloadType::new(101).unwrap(), true, 4);
    assert_eq!((event.timestamp, event.sequence), (first.timestamp, second.sequence.wrapping_add(1)));
    let old = t.ssrc();
    t.change_ssrc(&mut Seeded::new(6));
    assert_ne!(t.ssrc(), old);
    assert_eq!(t.statistics().packets, 0);
    assert_eq!(t.send(PayloadType::PCMU, false, 160, Time::ZERO).sequence, event.sequence.wrapping_add(1));
}
