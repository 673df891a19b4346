//! Whatever comes, the bounds hold.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Action {
    Push { stream: u32, sequence: u64, timestamp: u32, ticks: u32, len: usize, wide: bool },
    Skip { sequence: u64, timestamp: u32 },
    Next,
    Clear,
}

fn action() -> impl Strategy<Value = Action> {
    let timestamp = prop_oneof![any::<u32>(), (0u32..400).prop_map(|n| n * 160)];
    let sequence = prop_oneof![0u64..200, any::<u64>()];
    prop_oneof![
        8 => (0u32..3, sequence.clone(), timestamp.clone(), prop_oneof![Just(160u32), any::<u32>()],
              prop_oneof![0usize..300, Just(70_000usize)], any::<bool>())
            .prop_map(|(stream, sequence, timestamp, ticks, len, wide)| {
                Action::Push { stream, sequence, timestamp, ticks, len, wide }
            }),
        1 => (sequence, timestamp).prop_map(|(sequence, timestamp)| Action::Skip { sequence, timestamp }),
        6 => Just(Action::Next),
        1 => Just(Action::Clear),
    ]
}

fn arrival(stream: u32, sequence: u64, timestamp: u32, wide: bool, at: Time) -> Arrival {
    let clock = if wide { ClockRate::HZ_48000 } else { ClockRate::HZ_8000 };
    let payload_type = PayloadType::PCMU;
    Arrival { stream, sequence: ExtSeq(sequence), timestamp, payload_type, clock, marker: false, arrived: at }
}

proptest! {
    #[test]
    fn bounds_hold(actions in prop::collection::vec((action(), prop_oneof![0u64..50, any::<u64>()]), 1..400)) {
        let mut buffer = JitterBuffer::new(JitterLimits { packets: 16, octets: 1_000, tick: Duration::from_millis(20) });
        let mut now = Time::ZERO;
        let mut last = None;
        for (action, step) in actions {
            now += Duration::from_millis(step.min(1 << 40));
            match action {
                Action::Push { stream, sequence, timestamp, ticks, len, wide } => {
                    buffer.push(&arrival(stream, sequence, timestamp, wide, now), ticks, &vec![1; len]);
                }
                Action::Skip { sequence, timestamp } => {
                    buffer.skip(&arrival(0, sequence, timestamp, false, now));
                }
                Action::Next => match buffer.next(now) {
                    Next::Packet { sequence, payload, .. } => {
                        prop_assert!(payload.len() <= 1_000);
                        last = Some(sequence);
                    }
                    Next::Lost { ticks, .. } | Next::Gap { ticks } => {
                        prop_assert!(ticks > 0);
                    }
                    Next::Empty => {}
                },
                Action::Clear => buffer.clear(),
            }
            prop_assert!(buffer.len() <= 16);
            prop_assert!(buffer.target() <= Duration::from_millis(400));
            prop_assert!(buffer.level(now, Duration::ZERO) <= Duration::from_secs(3));
            prop_assert!(buffer.queued() <= 16 * 9_600 || last.is_some());
        }
    }

    /// In one stream, numbers only grow, and nothing but what was put in comes out.
    #[test]
    fn order_holds(sequences in prop::collection::vec(0u64..100, 1..200), takes in prop::collection::vec(0usize..4, 200)) {
        let mut buffer = JitterBuffer::new(JitterLimits::NARROW);
        let mut put = std::collections::BTreeSet::new();
        let mut last = None;
        for (n, (sequence, takes)) in (0u64..).zip(sequences.iter().zip(takes)) {
            let now = Time::from_millis(n * 20);
            let timestamp = u32::try_from(*sequence).unwrap() * 160;
            buffer.push(&arrival(0, *sequence, timestamp, false, now), 160, &[1; 160]);
            put.insert(*sequence);
            for _ in 0..takes {
                if let Next::Packet { sequence, .. } = buffer.next(now) {
                    prop_assert!(last < Some(sequence));
                    prop_assert!(put.contains(&sequence.0));
                    last = Some(sequence);
                }
            }
        }
    }
}

#[test]
fn it_is_as_small_as_it_says() {
    let slots = JitterLimits::NARROW.packets * std::mem::size_of::<Slot>();
    let all = std::mem::size_of::<JitterBuffer>() + slots + JitterLimits::NARROW.octets;
    assert!(all <= 16 * 1_024, "{all}");
}
