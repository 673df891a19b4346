//! Telephone events: keys as RTP packets (RFC 4733).

use std::time::Duration;

use tandem_base::{ClockRate, Sink, Time};

/// A key press, complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// 0 to 9, 10 `*`, 11 `#`, 12 to 15 A to D (RFC 4733 §3.2).
    pub event: u8,
    /// How long it was held.
    pub duration: Duration,
}

/// The payload of one packet (RFC 4733 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The event.
    pub event: u8,
    /// The event is over.
    pub end: bool,
    /// Power, 0 to 63: dBm0 with the sign dropped.
    pub volume: u8,
    /// Ticks since the packet's timestamp.
    pub duration: u16,
}

impl Payload {
    /// Octets on the wire.
    pub const LEN: usize = 4;

    /// The first event of a payload; `None` where it is cut short.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let [event, flags, d0, d1, ..] = *payload else { return None };
        Some(Payload {
            event,
            end: flags & 0x80 != 0,
            volume: flags & 0x3f,
            duration: u16::from_be_bytes([d0, d1]),
        })
    }

    /// The four octets.
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let [d0, d1] = self.duration.to_be_bytes();
        [self.event, u8::from(self.end) << 7 | self.volume & 0x3f, d0, d1]
    }
}

/// Tells each key once, however many packets it came in.
#[derive(Clone, Debug, Default)]
pub struct Receiver {}

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
        let _ = (timestamp, payload, clock, arrived, out);
    }

    /// When [`Receiver::expire`] has something to do.
    pub fn deadline(&self) -> Option<Time> {
        None
    }

    /// Completes a key whose end never came.
    pub fn expire(&mut self, now: Time, out: &mut impl Sink<Key>) {
        let _ = (now, out);
    }
}

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
#[derive(Clone, Debug)]
pub struct Sender {}

impl Sender {
    /// Starts `event` at `timestamp`, for `duration` of ticks, with `volume` (0 to 63, −dBm0).
    pub fn new(event: u8, volume: u8, timestamp: u32, duration: u32) -> Self {
        let _ = (event, volume, timestamp, duration);
        Sender {}
    }

    /// The packet for the frame whose end lies at `timestamp`; `None` when the event is over and said so thrice.
    pub fn next(&mut self, timestamp: u32) -> Option<Outgoing> {
        let _ = timestamp;
        None
    }
}
