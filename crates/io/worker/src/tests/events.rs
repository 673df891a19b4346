//! What legs tell: keys, time-outs, reports.

use std::time::Duration;

use tandem_base::{AudioFormat, Direction, Epoch, LegId, MediaEvent, MediaTimeout, MediaTimeouts};
use tandem_rtp::rtcp::{self, Compound};

use super::phone::stream;
use super::stage::conference;

use AudioFormat::Pcmu;

#[test]
fn a_key_is_told_once() {
    let mut stage = conference();
    let n = stage.join(Pcmu, 20, None);
    stage.run(5);
    let address = stage.phones[n].address;
    let packets: Vec<Vec<u8>> =
        (1..=6u16).map(|i| stage.phones[n].event(11, i >= 4, 160 * i.min(4))).collect();
    for packet in packets {
        stage.arrive(n, address, &packet);
        stage.run(1);
    }
    let duration = Duration::from_millis(80);
    assert_eq!(stage.events, [MediaEvent::Digit { leg: LegId(0), digit: '#', duration }]);
}

#[test]
fn a_key_that_is_never_released_is_told_in_the_end() {
    let mut stage = conference();
    let n = stage.join(Pcmu, 20, None);
    stage.run(5);
    let (address, packet) = (stage.phones[n].address, stage.phones[n].event(5, false, 160));
    stage.arrive(n, address, &packet);
    stage.run(100);
    assert!(
        matches!(stage.events[..], [MediaEvent::Digit { leg: LegId(0), digit: '5', .. }]),
        "{:?}",
        stage.events
    );
}

const LIMITS: MediaTimeouts = MediaTimeouts {
    setup: Duration::from_secs(3),
    talk: Duration::from_secs(2),
    hold: Duration::from_secs(4),
};

fn timeout(epoch: u64, kind: MediaTimeout) -> MediaEvent {
    MediaEvent::Timeout { leg: LegId(0), epoch: Epoch(epoch), kind }
}

#[test]
fn a_peer_that_holds_and_says_nothing_has_the_time_of_a_hold() {
    // `a=sendonly` and `c=0.0.0.0` both leave us receiving, `a=inactive` does not, `a=recvonly` has us send.
    for direction in [Direction::RecvOnly, Direction::Inactive, Direction::SendOnly] {
        let mut stage = conference();
        let n = stage.join_with(Pcmu, 20, None, LIMITS, |_| {});
        stage.run(50);
        stage.phones[n].due = tandem_base::Time::NEVER;
        let held = stream(Pcmu, 20, stage.phones[n].address);
        stage.renegotiate(n, tandem_base::AudioStream { direction, ..held });
        stage.run(199);
        assert_eq!(stage.events, [], "{direction:?}");
        stage.run(2);
        assert_eq!(stage.events, [timeout(2, MediaTimeout::Hold)], "{direction:?}");
    }
}

#[test]
fn a_stream_that_was_rejected_is_silent_both_ways_until_it_comes_back() {
    let mut stage = conference();
    let n = stage.join(Pcmu, 20, Some(440.0));
    let other = stage.join(Pcmu, 20, Some(617.0));
    stage.run(50);
    let talk = stream(Pcmu, 20, stage.phones[n].address);
    let nowhere = "0.0.0.0:0".parse().unwrap();
    let direction = Direction::Inactive;
    let stopped =
        tandem_base::AudioStream { direction, remote_rtp: nowhere, remote_rtcp: nowhere, ..talk.clone() };
    stage.renegotiate(n, stopped);
    let (sent, reports) = (stage.phones[n].headers.len(), stage.phones[n].rtcp.len());
    stage.phones[other].heard.clear();
    stage.run(600);
    assert_eq!(stage.phones[n].headers.len(), sent, "no packet more");
    assert_eq!(stage.phones[n].rtcp.len(), reports, "and no report");
    assert!(stage.phones[other].level(440.0, 2_000) < -60.0);
    stage.renegotiate(n, talk);
    stage.phones[other].heard.clear();
    stage.run(100);
    assert!(stage.phones[other].level(440.0, 500).abs() < 1.0);
    assert!(stage.phones[n].level(617.0, 500).abs() < 1.0);
}

#[test]
fn silence_ends_in_one_time_out_per_occurrence() {
    let mut stage = conference();
    let n = stage.join_with(Pcmu, 20, None, LIMITS, |_| {});
    let never = tandem_base::Time::NEVER;
    let due = std::mem::replace(&mut stage.phones[n].due, never);
    stage.run(149);
    assert_eq!(stage.events, []);
    stage.run(100);
    assert_eq!(stage.events, [timeout(1, MediaTimeout::Setup)]);
    stage.events.clear();

    stage.phones[n].due = due.max(stage.now);
    stage.run(50);
    stage.phones[n].due = never;
    stage.run(95);
    assert_eq!(stage.events, []);
    stage.run(100);
    assert_eq!(stage.events, [timeout(1, MediaTimeout::Talk)]);
    stage.events.clear();

    let mut held = stream(Pcmu, 20, stage.phones[n].address);
    held.direction = Direction::SendOnly;
    stage.renegotiate(n, held);
    stage.run(195);
    assert_eq!(stage.events, []);
    stage.run(100);
    assert_eq!(stage.events, [timeout(2, MediaTimeout::Hold)]);
}

#[test]
fn reports_flow_and_carry_one_name() {
    let mut stage = conference();
    let n = stage.join(Pcmu, 20, Some(440.0));
    stage.run(1_500);
    let phone = &stage.phones[n];
    assert!((4..=15).contains(&phone.rtcp.len()), "{} in 30 s", phone.rtcp.len());
    for datagram in &phone.rtcp {
        let packets: Vec<_> = Compound::parse(datagram).unwrap().collect();
        let [rtcp::Packet::SenderReport { ssrc, info, reports }, rtcp::Packet::SourceDescription(names)] =
            packets[..]
        else {
            panic!("{packets:?}");
        };
        assert_eq!(ssrc, phone.headers[0].ssrc);
        assert!(info.packets > 0);
        let block = reports.clone().next().unwrap();
        assert_eq!((block.ssrc, block.lost), (phone.ssrc, 0));
        let items: Vec<_> = names.items().map(|i| (i.ssrc, i.kind, i.text)).collect();
        assert_eq!(items, [(ssrc, rtcp::CNAME, &b"phone-0"[..])]);
    }
}

#[test]
fn a_leg_says_goodbye_and_sums_up() {
    let mut stage = conference();
    let n = stage.join(Pcmu, 20, Some(440.0));
    stage.run(500);
    let report = stage.group.member(n).unwrap().leg.report();
    let datagram = stage.goodbye(n);
    let last = Compound::parse(&datagram).unwrap().last().unwrap();
    assert!(matches!(last, rtcp::Packet::Goodbye(_)), "{last:?}");
    assert_eq!(report.received.format, Some(Pcmu));
    assert!((499..=501).contains(&report.received.packets));
    assert_eq!((report.received.lost, report.received.late, report.received.malformed), (0, 0, 0));
    assert_eq!((report.sent.packets, report.sent.octets), (500, 500 * 160));
    assert!(report.received.mos.is_some_and(|m| m > 4.0), "{:?}", report.received.mos);
    assert_eq!(report.sent.mos, None, "the peer never reported");
}
