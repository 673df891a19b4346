use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_base::{ClockRate, Sink, Time};

use super::{MAX_SEGMENT, Payload};

/// A key of which nothing more comes for so long is over: its end was lost. Updates come every 10 to 50 ms
/// (RFC 4733 §2.5.1.2, §2.6).
const TIMEOUT: Duration = Duration::from_millis(250);
/// 0 to 9, `*`, `#`, A to D (RFC 4733 §3.2): others are not keys.
const LAST_KEY: u8 = 15;

/// A key press, complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// 0 to 9, 10 `*`, 11 `#`, 12 to 15 A to D (RFC 4733 §3.2).
    pub event: u8,
    /// How long it was held.
    pub duration: Duration,
}

/// A key that is held.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Held {
    event: u8,
    clock: ClockRate,
    /// Of the present segment.
    timestamp: u32,
    /// Ticks in segments before.
    before: u32,
    duration: u16,
    heard: Time,
}

impl Held {
    fn key(&self) -> Key {
        let ticks = u64::from(self.before) + u64::from(self.duration);
        Key { event: self.event, duration: self.clock.duration_of(ticks) }
    }

    /// RFC 4733 §2.5.1.3: the next segment starts where the longest duration ends.
    fn goes_on_in(&self, timestamp: u32, payload: &Payload) -> bool {
        self.event == payload.event && timestamp == self.timestamp.wrapping_add(u32::from(MAX_SEGMENT))
    }
}

/// Tells each key once, however many packets it came in.
///
/// The timestamp is the identity of a key: equal ones are one key (RFC 4733 §2.5.1.2); those of the last keys are
/// remembered, so that the end packets that follow an end, or a straggler, are no new key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Receiver {
    held: Option<Held>,
    done: [Option<u32>; 4],
}

impl Receiver {
    /// No key pressed.
    pub fn new() -> Self {
        Receiver::default()
    }

    /// Takes a packet of the agreed payload type; a key that is complete by it goes to `out`.
    pub fn receive(
        &mut self,
        timestamp: u32,
        payload: &Payload,
        clock: ClockRate,
        arrived: Time,
        out: &mut impl Sink<Key>,
    ) {
        if payload.event > LAST_KEY || self.done.contains(&Some(timestamp)) {
            return;
        }
        let held = match self.held {
            Some(held) if held.timestamp == timestamp => held,
            Some(held) if held.goes_on_in(timestamp, payload) => self.next_segment(held, timestamp),
            _ => {
                self.complete(out);
                Held { event: payload.event, clock, timestamp, before: 0, duration: 0, heard: arrived }
            }
        };
        self.held = Some(Held { duration: held.duration.max(payload.duration), heard: arrived, ..held });
        if payload.end {
            self.complete(out);
        }
    }

    fn next_segment(&mut self, held: Held, timestamp: u32) -> Held {
        self.remember(held.timestamp);
        let before = held.before.saturating_add(u32::from(MAX_SEGMENT));
        Held { timestamp, before, duration: 0, ..held }
    }

    fn complete(&mut self, out: &mut impl Sink<Key>) {
        if let Some(held) = self.held.take() {
            self.remember(held.timestamp);
            out.emit(held.key());
        }
    }

    fn remember(&mut self, timestamp: u32) {
        self.done.rotate_right(1);
        if let Some(first) = self.done.first_mut() {
            *first = Some(timestamp);
        }
    }

    /// When [`Receiver::expire`] has something to do.
    pub fn deadline(&self) -> Option<Time> {
        self.held.map(|held| held.heard + TIMEOUT)
    }

    /// Completes a key whose end never came.
    pub fn expire(&mut self, now: Time, out: &mut impl Sink<Key>) {
        if self.deadline().is_some_and(|due| now >= due) {
            self.complete(out);
        }
    }
}
