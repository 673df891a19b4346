use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_base::{ClockRate, ExtSeq, PayloadType, Ssrc, Time};

use crate::Header;
use crate::rtcp::{ReportBlock, SenderInfo};

/// A packet that belongs to the stream: its place in it and when it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Grows by one with every new SSRC and every restart of the sequence; packets of different streams have
    /// nothing to do with each other.
    pub stream: u32,
    /// Sequence number with its cycles; starts above 2¹⁶ in every stream.
    pub sequence: ExtSeq,
    /// RTP timestamp.
    pub timestamp: u32,
    /// Format.
    pub payload_type: PayloadType,
    /// The clock of that format.
    pub clock: ClockRate,
    /// Marker bit.
    pub marker: bool,
    /// When it arrived: the kernel's time, not when it was read.
    pub arrived: Time,
}

/// Why a packet is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Its number came before.
    Duplicate,
    /// Another SSRC while the present one is alive; it may take over soon.
    OtherSource,
    /// Its number is far from where the stream is; if the next one follows it, the stream has restarted.
    OutOfRange,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It belongs to the stream.
    Accepted(Arrival),
    /// It is dropped; counted here.
    Refused(Refusal),
}

/// What was received, over all streams of a leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceptionStatistics {
    /// Packets accepted.
    pub packets: u64,
    /// Their payload octets.
    pub octets: u64,
    /// Expected less received, never below zero (RFC 3550 §A.3).
    pub lost: u64,
    /// Came twice.
    pub duplicates: u64,
    /// Came from another SSRC while the present one was alive, or far out of range.
    pub refused: u64,
    /// Interarrival jitter at present (RFC 3550 §A.8).
    pub jitter: Duration,
}

/// The remote source of a leg: validates sequence numbers and keeps the books for report blocks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Reception {
    statistics: ReceptionStatistics,
}

impl Reception {
    /// Nothing received yet.
    pub fn new() -> Self {
        Reception::default()
    }

    /// Judges a packet with `octets` of payload; `clock` is that of its payload type.
    pub fn receive(&mut self, header: &Header, octets: usize, clock: ClockRate, arrived: Time) -> Verdict {
        let _ = (header, octets, clock, arrived);
        Verdict::Refused(Refusal::OtherSource)
    }

    /// The remote SSRC, once a packet was accepted.
    pub fn ssrc(&self) -> Option<Ssrc> {
        None
    }

    /// Has the source been validated: enough packets in sequence (RFC 3550 §A.1)?
    pub fn is_valid(&self) -> bool {
        false
    }

    /// Notes a sender report of `ssrc` that arrived at `arrived`; one of another source is ignored.
    pub fn absorb(&mut self, ssrc: Ssrc, info: &SenderInfo, arrived: Time) {
        let _ = (ssrc, info, arrived);
    }

    /// The source said goodbye (RFC 3550 §6.6): the next SSRC takes over at once.
    pub fn goodbye(&mut self, ssrc: Ssrc) {
        let _ = ssrc;
    }

    /// The report block to send at `now`; ends the interval of its fraction lost. `None` without a valid source.
    pub fn report(&mut self, now: Time) -> Option<ReportBlock> {
        let _ = now;
        None
    }

    /// The figures so far.
    pub fn statistics(&self) -> ReceptionStatistics {
        self.statistics
    }
}
