//! Telephone events: keys as RTP packets (RFC 4733).

mod receiver;
mod sender;

pub use receiver::{Key, Receiver};
pub use sender::{Outgoing, Sender};

/// Longest duration that a packet can say; longer events go on in further segments (RFC 4733 §2.5.1.3).
const MAX_SEGMENT: u16 = u16::MAX;

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

#[cfg(test)]
mod tests;
