use proptest::prelude::*;

use super::*;
use crate::NtpTimestamp;

struct Peer {
    reception: Reception,
    ssrc: u32,
    now: u64,
}

impl Peer {
    fn new() -> Self {
        Peer { reception: Reception::new(), ssrc: 1, now: 1_000 }
    }

    /// A packet 20 ms after the one before, whose timestamp fits its number.
    fn packet(&mut self, sequence: u16) -> Verdict {
        self.now += 20;
        self.at(sequence, u32::from(sequence).wrapping_mul(160), self.now)
    }

    fn at(&mut self, sequence: u16, timestamp: u32, ms: u64) -> Verdict {
        let payload_type = PayloadType::PCMU;
        let header = Header { marker: false, payload_type, sequence, timestamp, ssrc: Ssrc(self.ssrc) };
        self.reception.receive(&header, 160, ClockRate::HZ_8000, Time::from_millis(ms))
    }

    fn report(&mut self) -> Option<ReportBlock> {
        self.reception.report(Time::from_millis(self.now))
    }
}

fn place(verdict: Verdict) -> Option<(u32, u64)> {
    match verdict {
        Verdict::Accepted(arrival) => Some((arrival.stream, arrival.sequence.0)),
        Verdict::Refused(_) => None,
    }
}

#[test]
fn the_first_packet_already_counts() {
    let mut peer = Peer::new();
    assert_eq!(place(peer.packet(7)), Some((0, 0x1_0007)));
    assert!(!peer.reception.is_valid());
    assert_eq!(peer.report(), None, "not on probation (RFC 3550 §A.1)");
    peer.packet(8);
    assert!(peer.reception.is_valid());
    assert_eq!(peer.report().map(|r| r.highest_sequence), Some(8));
    assert_eq!(peer.report(), None, "nothing came since");
}

#[test]
fn numbers_go_on_over_the_wrap_in_any_order() {
    let mut peer = Peer::new();
    let seen: Vec<_> =
        [65_533, 65_535, 65_534, 1, 0, 65_532].map(|n| place(peer.packet(n)).unwrap().1).to_vec();
    assert_eq!(seen, [0x1_fffd, 0x1_ffff, 0x1_fffe, 0x2_0001, 0x2_0000, 0x1_fffc]);
    assert_eq!(peer.reception.statistics().lost, 0);
    peer.packet(2);
    assert_eq!(peer.report().unwrap().highest_sequence, 0x1_0002, "one cycle");
}

#[test]
fn duplicates_are_refused_and_fool_only_the_report() {
    let mut peer = Peer::new();
    for n in [1, 2, 4, 4, 2] {
        peer.packet(n);
    }
    assert_eq!(peer.packet(1), Verdict::Refused(Refusal::Duplicate));
    let statistics = peer.reception.statistics();
    assert_eq!((statistics.packets, statistics.duplicates, statistics.lost), (3, 3, 1));
    assert_eq!(peer.report().unwrap().lost, 4 - 6, "RFC 3550 §A.3 counts duplicates as received");
}

#[test]
fn fractions_are_of_the_interval() {
    let mut peer = Peer::new();
    (0..100).filter(|n| n % 4 != 1).for_each(|n| assert!(place(peer.packet(n)).is_some()));
    let report = peer.report().unwrap();
    assert_eq!((report.fraction_lost, report.lost), (64, 25));
    (100..200).for_each(|n| assert!(place(peer.packet(n)).is_some()));
    let report = peer.report().unwrap();
    assert_eq!((report.fraction_lost, report.lost), (0, 25));
    assert_eq!(peer.reception.statistics().lost, 25);
}

#[test]
fn a_restart_takes_two_packets() {
    let mut peer = Peer::new();
    peer.packet(100);
    peer.packet(101);
    assert_eq!(peer.packet(20_000), Verdict::Refused(Refusal::OutOfRange));
    assert_eq!(place(peer.packet(102)), Some((0, 0x1_0066)), "one stray changes nothing");
    assert_eq!(peer.packet(30_000), Verdict::Refused(Refusal::OutOfRange));
    assert_eq!(place(peer.packet(30_001)), Some((1, 0x1_7531)));
    assert_eq!(place(peer.packet(30_002)), Some((1, 0x1_7532)));
    assert_eq!(peer.packet(103), Verdict::Refused(Refusal::OutOfRange));
}

#[test]
fn a_step_of_less_than_3000_is_loss() {
    let mut peer = Peer::new();
    peer.packet(0);
    assert_eq!(place(peer.packet(2_999)), Some((0, 0x1_0bb7)));
    assert_eq!(peer.reception.statistics().lost, 2_998);
    assert_eq!(place(peer.packet(2_899)), Some((0, 0x1_0b53)), "100 behind");
    assert_eq!(peer.packet(2_898), Verdict::Refused(Refusal::OutOfRange), "101 behind");
}

#[test]
fn another_source_takes_over_after_three_in_a_row() {
    let mut peer = Peer::new();
    peer.packet(1);
    peer.packet(2);
    peer.ssrc = 2;
    assert_eq!(peer.packet(500), Verdict::Refused(Refusal::OtherSource));
    assert_eq!(peer.packet(501), Verdict::Refused(Refusal::OtherSource));
    assert_eq!(peer.reception.ssrc(), Some(Ssrc(1)));
    assert_eq!(place(peer.packet(502)), Some((1, 0x1_01f6)));
    assert_eq!(peer.reception.ssrc(), Some(Ssrc(2)));
    assert_eq!(peer.reception.statistics().refused, 2);
}

#[test]
fn two_sources_at_once_do_not_flap() {
    let mut peer = Peer::new();
    for n in 0..50 {
        peer.ssrc = 1;
        assert!(place(peer.packet(n)).is_some());
        peer.ssrc = 2;
        assert_eq!(peer.packet(n), Verdict::Refused(Refusal::OtherSource));
    }
}

#[test]
fn another_source_takes_over_at_once_from_one_that_is_silent_or_gone() {
    let mut peer = Peer::new();
    peer.packet(1);
    peer.packet(3);
    peer.now += 200;
    peer.ssrc = 2;
    assert_eq!(place(peer.packet(9)), Some((1, 0x1_0009)));
    assert_eq!(peer.reception.statistics().lost, 1, "losses of the old source stay in the books");
    peer.reception.goodbye(Ssrc(1));
    peer.reception.goodbye(Ssrc(2));
    peer.ssrc = 3;
    assert_eq!(place(peer.packet(4)), Some((2, 0x1_0004)));
}

#[test]
fn jitter_follows_the_formula() {
    let mut peer = Peer::new();
    for n in 0..200u16 {
        // Every other packet is 10 ms late: |D| is 80 ticks each time, and J comes close to it.
        peer.at(n, u32::from(n) * 160, 1_000 + 20 * u64::from(n) + if n % 2 == 1 { 10 } else { 0 });
    }
    let jitter = peer.reception.statistics().jitter;
    assert!((9.6..=10.1).contains(&(jitter.as_secs_f64() * 1e3)), "{jitter:?}");
    assert_eq!(peer.report().unwrap().jitter, 8 * u32::try_from(jitter.as_micros() / 1_000 + 1).unwrap() - 1);
}

#[test]
fn jitter_ignores_equal_timestamps_and_jumps() {
    let mut peer = Peer::new();
    for n in 0..10u16 {
        peer.at(n, 160, 1_000 + 20 * u64::from(n));
    }
    peer.at(10, 0x8000_0000, 1_200);
    peer.at(11, 0x8000_00a0, 1_220);
    assert_eq!(peer.reception.statistics().jitter, Duration::ZERO);
}

#[test]
fn the_last_sender_report_is_told_back() {
    let mut peer = Peer::new();
    peer.packet(1);
    peer.packet(2);
    assert_eq!(peer.report().map(|r| (r.last_sr, r.delay_since_last_sr)), Some((0, 0)));
    let info = SenderInfo { ntp: NtpTimestamp(0x1111_2222_3333_4444), ..Default::default() };
    peer.reception.absorb(Ssrc(1), &info, Time::from_millis(peer.now));
    peer.reception.absorb(Ssrc(9), &SenderInfo::default(), Time::from_millis(peer.now));
    peer.packet(3);
    peer.now += 5_230;
    let report = peer.report().unwrap();
    assert_eq!((report.last_sr, report.delay_since_last_sr), (0x2222_3333, 0x0005_4000), "5.25 s");
}

#[test]
fn a_change_of_clock_keeps_the_jitter() {
    let mut peer = Peer::new();
    for n in 0..100u16 {
        peer.at(n, u32::from(n) * 160, 1_000 + 20 * u64::from(n) + 10 * u64::from(n % 2));
    }
    let before = peer.reception.statistics().jitter;
    let header = Header {
        marker: true,
        payload_type: PayloadType::new(111).unwrap(),
        sequence: 100,
        timestamp: 77,
        ssrc: Ssrc(1),
    };
    peer.reception.receive(&header, 80, ClockRate::HZ_48000, Time::from_millis(3_000));
    let after = peer.reception.statistics().jitter;
    assert!(after.abs_diff(before) < Duration::from_micros(200), "{before:?} {after:?}");
}

proptest! {
    #[test]
    fn books_balance(packets in prop::collection::vec((0u32..3, any::<u16>(), any::<u32>(), 0u64..500), 0..300)) {
        let mut peer = Peer::new();
        let total = packets.len() as u64;
        let mut seen = std::collections::BTreeSet::new();
        for (ssrc, sequence, timestamp, step) in packets {
            peer.ssrc = ssrc;
            peer.now += step;
            if let Some(at) = place(peer.at(sequence, timestamp, peer.now)) {
                prop_assert!(seen.insert(at), "twice: {:?}", at);
                prop_assert_eq!((at.1 & 0xffff) as u16, sequence);
            }
            peer.report();
        }
        let s = peer.reception.statistics();
        prop_assert_eq!(s.packets + s.duplicates + s.refused, total);
        prop_assert_eq!(s.packets, seen.len() as u64);
    }
}
