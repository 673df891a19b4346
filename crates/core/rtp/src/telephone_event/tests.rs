use std::time::Duration;

use proptest::prelude::*;
use tandem_base::{ClockRate, Time};

use super::*;

const HZ: ClockRate = ClockRate::HZ_8000;

/// The packets of a key of `ms`, sent every 20 ms.
fn press(event: u8, timestamp: u32, ms: u32) -> Vec<Outgoing> {
    let mut sender = Sender::new(event, 10, timestamp, ms * 8);
    (1..).map_while(|n: u32| sender.next(timestamp.wrapping_add(n * 160))).collect()
}

/// What a receiver makes of packets that come every 20 ms.
fn hear(packets: impl IntoIterator<Item = Outgoing>) -> Vec<Key> {
    let (mut receiver, mut keys) = (Receiver::new(), Vec::new());
    let mut now = Time::ZERO;
    for packet in packets {
        now += Duration::from_millis(20);
        let payload = Payload::parse(&packet.payload.to_bytes()).unwrap();
        receiver.receive(packet.timestamp, &payload, HZ, now, &mut keys);
        receiver.expire(now, &mut keys);
    }
    receiver.expire(now + Duration::from_secs(1), &mut keys);
    assert_eq!(receiver.deadline(), None);
    keys
}

fn key(event: u8, ms: u64) -> Key {
    Key { event, duration: Duration::from_millis(ms) }
}

#[test]
fn payloads_are_as_drawn() {
    // RFC 4733 §2.3.1: event 5, E set, volume 10, duration 1,600.
    let payload = Payload { event: 5, end: true, volume: 10, duration: 1_600 };
    assert_eq!(payload.to_bytes(), [5, 0x8a, 0x06, 0x40]);
    assert_eq!(Payload::parse(&[5, 0x8a, 0x06, 0x40]), Some(payload));
    assert_eq!(Payload::parse(&[5, 0xca, 0x06, 0x40, 9]), Some(payload), "R is ignored, as is what follows");
    assert_eq!(Payload::parse(&[5, 0x8a, 6]), None);
}

#[test]
fn a_key_is_sent_with_one_marker_and_three_ends() {
    let packets = press(11, 1_000, 100);
    assert_eq!(packets.len(), 4 + 3);
    assert!(packets.iter().all(|p| p.timestamp == 1_000));
    assert_eq!(
        packets.iter().map(|p| p.marker).collect::<Vec<_>>(),
        [true, false, false, false, false, false, false]
    );
    let said: Vec<_> = packets.iter().map(|p| (p.payload.duration, p.payload.end)).collect();
    assert_eq!(
        said,
        [(160, false), (320, false), (480, false), (640, false), (800, true), (800, true), (800, true)]
    );
}

#[test]
fn a_key_is_heard_once() {
    assert_eq!(hear(press(5, 0xffff_ff00, 100)), [key(5, 100)]);
}

#[test]
fn equal_keys_in_a_row_are_two() {
    let packets = press(5, 1_000, 60).into_iter().chain(press(5, 3_000, 80));
    assert_eq!(hear(packets), [key(5, 60), key(5, 80)]);
}

#[test]
fn losses_at_either_end_lose_no_key() {
    let packets = press(7, 1_000, 100);
    assert_eq!(hear(packets[6..].to_vec()), [key(7, 100)], "only the last end came");
    assert_eq!(hear(packets[..1].to_vec()), [key(7, 20)], "only the first packet came");
    let next = press(8, 9_000, 40);
    let no_end = packets[..3].iter().chain(&next).copied();
    assert_eq!(hear(no_end), [key(7, 60), key(8, 40)], "the next key ends it");
}

#[test]
fn stragglers_are_no_new_key() {
    let (first, second) = (press(1, 1_000, 60), press(2, 3_000, 60));
    let mixed = first.iter().chain(&second[..2]).chain(&first[3..]).chain(&second[2..]).copied();
    assert_eq!(hear(mixed), [key(1, 60), key(2, 60)]);
}

#[test]
fn a_key_whose_end_is_lost_is_over_in_a_quarter_of_a_second() {
    let (mut receiver, mut keys) = (Receiver::new(), Vec::new());
    let packets = press(3, 1_000, 100);
    for (n, packet) in packets[..2].iter().enumerate() {
        receiver.receive(packet.timestamp, &packet.payload, HZ, Time::from_millis(20 * n as u64), &mut keys);
    }
    assert_eq!(receiver.deadline(), Some(Time::from_millis(270)));
    receiver.expire(Time::from_millis(269), &mut keys);
    assert_eq!(keys, []);
    receiver.expire(Time::from_millis(270), &mut keys);
    assert_eq!(keys, [key(3, 40)]);
    for packet in &packets[2..] {
        receiver.receive(packet.timestamp, &packet.payload, HZ, Time::from_millis(300), &mut keys);
    }
    assert_eq!(keys.len(), 1, "what comes after all is not told again");
}

#[test]
fn a_long_key_is_one_key_in_segments() {
    let packets = press(9, 0xffff_0000, 20_000);
    let starts: std::collections::BTreeSet<_> = packets.iter().map(|p| p.timestamp).collect();
    assert_eq!(starts.len(), 3, "160,000 ticks are two full segments and a part");
    assert_eq!(packets.iter().filter(|p| p.marker).count(), 1);
    assert_eq!(packets.iter().filter(|p| p.payload.end).count(), 3);
    assert_eq!(hear(packets.clone()), [key(9, 20_000)]);
    let full = packets.iter().filter(|p| p.payload.duration != u16::MAX).copied();
    assert_eq!(hear(full), [key(9, 20_000)], "also when the segments' last packets are lost");
}

#[test]
fn other_events_are_no_keys() {
    assert_eq!(hear(press(16, 1_000, 100)), [], "flash");
    assert_eq!(hear(press(15, 1_000, 100)), [key(15, 100)], "D");
}

proptest! {
    /// Whatever is lost or doubled, of each key at most one is told, and one if anything of it came.
    #[test]
    fn each_key_once(
        keys in prop::collection::vec((0u8..16, 2u32..30), 1..12),
        weather in prop::collection::vec(0u8..10, 12 * 40),
    ) {
        let mut weather = weather.into_iter();
        let (mut start, mut sent, mut came) = (5_000u32, Vec::new(), Vec::new());
        for (event, frames) in keys {
            let packets = press(event, start, frames * 20);
            start = start.wrapping_add(frames * 160 + 8_000);
            let through: Vec<_> = packets.into_iter().flat_map(|p| match weather.next() {
                Some(0..=3) => vec![],
                Some(4) => vec![p, p],
                _ => vec![p],
            }).collect();
            if !through.is_empty() {
                came.push(event);
            }
            sent.extend(through);
        }
        prop_assert_eq!(hear(sent).iter().map(|k| k.event).collect::<Vec<_>>(), came);
    }

    #[test]
    fn nothing_panics(packets in prop::collection::vec((any::<u32>(), any::<[u8; 4]>(), 0u64..400), 0..100)) {
        let (mut receiver, mut keys) = (Receiver::new(), Vec::new());
        let mut now = Time::ZERO;
        let total = packets.len();
        for (timestamp, bytes, step) in packets {
            now += Duration::from_millis(step);
            receiver.expire(now, &mut keys);
            receiver.receive(timestamp, &Payload::parse(&bytes).unwrap(), HZ, now, &mut keys);
        }
        prop_assert!(keys.len() <= total);
    }
}
