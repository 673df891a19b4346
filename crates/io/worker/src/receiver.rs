use tandem_base::{AudioStream, ClockRate, Fault, ReceivedReport, Time};
use tandem_rtp::Packet;

use crate::codecs::Codecs;
use crate::leg::{Inbound, Taken};

/// The receiving half of a leg without sockets and threads, in whatever time it is given: jitter buffer, decoders and
/// playout as the media threads run them.
///
/// To measure how they sound and what they cost.
pub struct Receiver {
    inbound: Inbound,
}

impl Receiver {
    /// For what `stream` says the peer may send, in a room that mixes at `room`: 8, 16 or 48 kHz.
    ///
    /// # Errors
    /// 500 where a codec cannot be had.
    pub fn new(stream: &AudioStream, room: ClockRate) -> Result<Self, Fault> {
        let codecs = Codecs::new(stream)?;
        Ok(Receiver { inbound: Inbound::new(stream, codecs.decoders, room) })
    }

    /// Takes an RTP packet; `false`: it is none, or of a payload type that was not agreed, or was refused.
    pub fn take(&mut self, datagram: &[u8], arrived: Time) -> bool {
        let Ok(packet) = Packet::parse(datagram) else { return false };
        matches!(self.inbound.take(&packet, arrived, true, &mut Vec::new()), Taken::Accepted | Taken::Due)
    }

    /// Plays one tick of 20 ms into `out` at the room's rate; `false`: nobody speaks, and `out` was left alone.
    pub fn play(&mut self, now: Time, out: &mut [f32]) -> bool {
        self.inbound.play(now, out).is_some()
    }

    /// In figures.
    pub fn report(&self) -> ReceivedReport {
        self.inbound.report()
    }
}
