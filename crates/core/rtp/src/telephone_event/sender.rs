use serde::{Deserialize, Serialize};

use super::{MAX_SEGMENT, Payload};

/// The end is said so many times (RFC 4733 §2.5.1.4).
const ENDS: u8 = 3;

/// One packet to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// For [`Transmission::send_at`](crate::Transmission::send_at).
    pub timestamp: u32,
    /// First packet of the event.
    pub marker: bool,
    /// The payload.
    pub payload: Payload,
}

/// Sends one key: packets at the pace of the frames, then three ends (RFC 4733 §2.5.1).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sender {
    event: u8,
    volume: u8,
    /// Start of the present segment.
    segment: u32,
    /// Ticks of the present segment and all that follow.
    remaining: u32,
    started: bool,
    ends: u8,
}

impl Sender {
    /// Starts `event` at `timestamp`, for `duration` of ticks, with `volume` (0 to 63, −dBm0).
    pub fn new(event: u8, volume: u8, timestamp: u32, duration: u32) -> Self {
        Sender { event, volume, segment: timestamp, remaining: duration, started: false, ends: 0 }
    }

    /// The packet for the frame whose end lies at `timestamp`; `None` when the event is over and said so thrice.
    pub fn next(&mut self, timestamp: u32) -> Option<Outgoing> {
        if self.ends == ENDS {
            return None;
        }
        let elapsed = timestamp.wrapping_sub(self.segment);
        let segment = u32::from(MAX_SEGMENT);
        if elapsed >= segment && self.remaining > segment {
            return Some(self.end_segment());
        }
        let end = elapsed >= self.remaining;
        self.ends += u8::from(end);
        Some(self.packet(elapsed.min(self.remaining), end))
    }

    /// RFC 4733 §2.5.1.3: the segment's last packet says the longest duration and no end.
    fn end_segment(&mut self) -> Outgoing {
        let packet = self.packet(u32::from(MAX_SEGMENT), false);
        self.segment = self.segment.wrapping_add(u32::from(MAX_SEGMENT));
        self.remaining -= u32::from(MAX_SEGMENT);
        packet
    }

    fn packet(&mut self, duration: u32, end: bool) -> Outgoing {
        let marker = !std::mem::replace(&mut self.started, true);
        let duration = u16::try_from(duration).unwrap_or(MAX_SEGMENT);
        let payload = Payload { event: self.event, end, volume: self.volume, duration };
        Outgoing { timestamp: self.segment, marker, payload }
    }
}
