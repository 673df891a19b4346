//! Telephone events in any order: a key is told at most once per timestamp, and never held for ever.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use tandem_base::{ClockRate, Time};
use tandem_rtp::telephone_event::{Key, Payload, Receiver, Sender};

fuzz_target!(|data: &[u8]| {
    let mut receiver = Receiver::new();
    let mut now = Time::from_millis(1);
    let mut keys: Vec<Key> = Vec::new();
    let mut packets = 0;
    // Six octets a packet: time that passes, timestamp, payload.
    for piece in data.chunks_exact(6) {
        now += Duration::from_millis(u64::from(piece[0]) * 4);
        receiver.expire(now, &mut keys);
        let Some(payload) = Payload::parse(&piece[2..]) else { continue };
        assert_eq!(Payload::parse(&payload.to_bytes()), Some(payload));
        packets += 1;
        receiver.receive(u32::from(piece[1]) * 160, &payload, ClockRate::HZ_8000, now, &mut keys);
    }
    receiver.expire(now + Duration::from_secs(60), &mut keys);
    assert_eq!(receiver.deadline(), None, "a key hangs");
    assert!(keys.len() <= packets, "{} keys out of {packets} packets", keys.len());
    if let [event, volume, duration, ..] = data {
        send(*event, *volume, u32::from(*duration) * 160);
    }
});

/// What we send is heard as that one key.
fn send(event: u8, volume: u8, duration: u32) {
    let mut sender = Sender::new(event, volume, 8_000, duration);
    let mut receiver = Receiver::new();
    let mut keys: Vec<Key> = Vec::new();
    let mut now = Time::from_millis(1);
    for n in 1..=10_000u32 {
        let Some(packet) = sender.next(8_000 + n * 160) else { break };
        assert!(n < 10_000, "an event without an end");
        now += Duration::from_millis(20);
        receiver.receive(packet.timestamp, &packet.payload, ClockRate::HZ_8000, now, &mut keys);
    }
    receiver.expire(now + Duration::from_secs(60), &mut keys);
    assert!(keys.iter().all(|key| key.event == event), "{keys:?} of {event}");
}
