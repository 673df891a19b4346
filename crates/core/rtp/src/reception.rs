//! Receiving a stream: which packets belong to it, and the books for reports (RFC 3550 §6.4, §A.1, §A.3, §A.8).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_base::{ClockRate, ExtSeq, PayloadType, Ssrc, Time};

use self::source::{Placed, Source};
use crate::Header;
use crate::rtcp::{ReportBlock, SenderInfo};

mod source;

/// So many packets of a new SSRC in sequence, none of the present one between them, and it takes over.
const TAKEOVER: u8 = 3;
/// After such a silence of the present SSRC, a new one takes over with its first packet.
const SILENCE: Duration = Duration::from_millis(200);

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

/// An SSRC that may take over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Candidate {
    ssrc: Ssrc,
    next: u16,
    run: u8,
}

/// The remote source of a leg: validates sequence numbers and keeps the books for report blocks.
///
/// RFC 3550 §A.1 drops what comes before MIN_SEQUENTIAL (two) packets in sequence. That would cut off the first
/// syllable, and the transport has checked where packets come from; so here the first packet already counts and
/// is played, and MIN_SEQUENTIAL only decides when the source [is valid](Self::is_valid) and reported on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Reception {
    source: Option<Source>,
    candidate: Option<Candidate>,
    streams: u32,
    /// Counts of all streams but for losses, which are those of streams that have ended.
    totals: ReceptionStatistics,
}

impl Reception {
    /// Nothing received yet.
    pub fn new() -> Self {
        Reception::default()
    }

    /// Judges a packet with `octets` of payload; `clock` is that of its payload type.
    pub fn receive(&mut self, header: &Header, octets: usize, clock: ClockRate, arrived: Time) -> Verdict {
        match self.place(header, arrived) {
            Placed::At(sequence) => self.accept(header, sequence, octets, clock, arrived),
            Placed::Restart => {
                let sequence = self.adopt(header);
                self.accept(header, sequence, octets, clock, arrived)
            }
            Placed::Duplicate => self.refuse(Refusal::Duplicate),
            Placed::OutOfRange => self.refuse(Refusal::OutOfRange),
            Placed::Foreign => self.refuse(Refusal::OtherSource),
        }
    }

    fn place(&mut self, header: &Header, arrived: Time) -> Placed {
        match &mut self.source {
            Some(source) if source.ssrc() == header.ssrc => {
                self.candidate = None;
                source.place(header.sequence)
            }
            Some(source) if !source.has_left() => self.place_foreign(header, arrived),
            _ => Placed::Restart,
        }
    }

    fn place_foreign(&mut self, header: &Header, arrived: Time) -> Placed {
        if self.takes_over(header, arrived) { Placed::Restart } else { Placed::Foreign }
    }

    fn takes_over(&mut self, header: &Header, arrived: Time) -> bool {
        let silent = self.source.as_ref().is_none_or(|s| arrived.since(s.last_arrived()) >= SILENCE);
        let same = |c: &Candidate| c.ssrc == header.ssrc && c.next == header.sequence;
        let run = self.candidate.filter(same).map_or(1, |c| c.run.saturating_add(1));
        self.candidate = Some(Candidate { ssrc: header.ssrc, next: header.sequence.wrapping_add(1), run });
        silent || run >= TAKEOVER
    }

    fn refuse(&mut self, refusal: Refusal) -> Verdict {
        match refusal {
            Refusal::Duplicate => self.totals.duplicates += 1,
            Refusal::OtherSource | Refusal::OutOfRange => self.totals.refused += 1,
        }
        Verdict::Refused(refusal)
    }

    /// Begins a stream with this packet.
    fn adopt(&mut self, header: &Header) -> ExtSeq {
        if let Some(old) = &self.source {
            self.totals.lost += old.lost();
            self.streams = self.streams.saturating_add(1);
        }
        let source = Source::new(header.ssrc, header.sequence);
        let first = source.first();
        self.source = Some(source);
        self.candidate = None;
        first
    }

    fn accept(
        &mut self,
        header: &Header,
        sequence: ExtSeq,
        octets: usize,
        clock: ClockRate,
        arrived: Time,
    ) -> Verdict {
        self.totals.packets += 1;
        self.totals.octets += u64::try_from(octets).unwrap_or(0);
        if let Some(source) = &mut self.source {
            source.time(header.timestamp, clock, arrived);
        }
        Verdict::Accepted(Arrival {
            stream: self.streams,
            sequence,
            timestamp: header.timestamp,
            payload_type: header.payload_type,
            clock,
            marker: header.marker,
            arrived,
        })
    }

    /// The remote SSRC, once a packet was accepted.
    pub fn ssrc(&self) -> Option<Ssrc> {
        self.source.as_ref().map(Source::ssrc)
    }

    /// Has the source been validated: MIN_SEQUENTIAL packets in sequence (RFC 3550 §A.1)?
    pub fn is_valid(&self) -> bool {
        self.source.as_ref().is_some_and(Source::is_valid)
    }

    /// Notes a sender report of `ssrc` that arrived at `arrived`; one of another source is ignored.
    pub fn absorb(&mut self, ssrc: Ssrc, info: &SenderInfo, arrived: Time) {
        if let Some(source) = self.source.as_mut().filter(|s| s.ssrc() == ssrc) {
            source.reported(info, arrived);
        }
    }

    /// The source said goodbye (RFC 3550 §6.6): the next SSRC takes over at once.
    pub fn goodbye(&mut self, ssrc: Ssrc) {
        if let Some(source) = self.source.as_mut().filter(|s| s.ssrc() == ssrc) {
            source.leave();
        }
    }

    /// The report block to send at `now`; ends the interval of its fraction lost. `None` without a valid source
    /// or where nothing of it came since the last report (RFC 3550 §6.4).
    pub fn report(&mut self, now: Time) -> Option<ReportBlock> {
        self.source.as_mut().filter(|s| s.is_valid())?.report(now)
    }

    /// The figures so far.
    pub fn statistics(&self) -> ReceptionStatistics {
        let (lost, jitter) = self.source.as_ref().map_or((0, Duration::ZERO), |s| (s.lost(), s.jitter()));
        ReceptionStatistics { lost: self.totals.lost + lost, jitter, ..self.totals }
    }
}

#[cfg(test)]
mod tests;
