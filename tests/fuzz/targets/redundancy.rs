//! A payload as redundant audio: what is read is written back octet by octet, and copies of what was sent are read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tandem_base::PayloadType;
use tandem_rtp::redundancy::{History, Redundant, write};

fuzz_target!(|data: &[u8]| {
    if let Ok(redundant) = Redundant::parse(data) {
        let primary = (redundant.primary.payload_type, redundant.primary.payload);
        let mut out = vec![0; data.len()];
        let len = write(redundant.copies(), primary, &mut out).expect("what was read can be written");
        assert_eq!(&out[..len], data);
    }
    repeat(data);
});

/// Packets as long as the octets say, some time apart; each with copies of those before it.
fn repeat(data: &[u8]) {
    let mut history = History::new();
    let (mut timestamp, mut out) = (0u32, [0; 1_200]);
    for octets in data.chunks(4).take(100) {
        let [length, more, apart, count] = [0, 1, 2, 3].map(|n| octets.get(n).copied().unwrap_or(0));
        let payload = vec![length; usize::from(length) * (1 + usize::from(more % 8))];
        let number = PayloadType::new(more & 0x7f).expect("seven bits");
        if let Some(len) = history.write(count % 4, (number, timestamp, &payload), &mut out) {
            let redundant = Redundant::parse(&out[..len]).expect("what was written can be read");
            assert_eq!(redundant.primary.payload, payload);
            assert!((1..=2).contains(&redundant.copies().count()));
        }
        history.remember(number, timestamp, &payload);
        timestamp = timestamp.wrapping_add(u32::from(apart) * 160);
    }
}
