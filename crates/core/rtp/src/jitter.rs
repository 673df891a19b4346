use std::time::Duration;

use tandem_base::{ExtSeq, PayloadType, Time};

use crate::Arrival;

/// What a jitter buffer may hold, and how it is emptied. Memory is about 32 · `packets` + `octets` + 1.5 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JitterLimits {
    /// Packets, 1 to 1,024.
    pub packets: usize,
    /// Octets of payload, all packets together.
    pub octets: usize,
    /// How often the player takes what it needs.
    pub tick: Duration,
}

impl JitterLimits {
    /// Half a second of G.711 or G.722 in packets of 10 ms or more: below 9 KiB.
    pub const NARROW: JitterLimits =
        JitterLimits { packets: 64, octets: 5_120, tick: Duration::from_millis(20) };
    /// Half a second of Opus at up to 128 kbit/s in packets of 10 ms or more.
    pub const WIDE: JitterLimits =
        JitterLimits { packets: 64, octets: 10_240, tick: Duration::from_millis(20) };
}

/// What became of a packet that was put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queued {
    /// It waits for its turn.
    InTime,
    /// Its turn was over: dropped.
    Late,
    /// Its number is waiting already: dropped.
    Duplicate,
    /// There was no room: the oldest were dropped for it.
    Overflow,
}

/// What the player gets next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// A packet to decode.
    Packet {
        /// Its number.
        sequence: ExtSeq,
        /// Its timestamp.
        timestamp: u32,
        /// Its format.
        payload_type: PayloadType,
        /// Its marker bit.
        marker: bool,
        /// Its audio, in ticks of its clock, as the pusher said.
        ticks: u32,
        /// Its payload.
        payload: &'a [u8],
        /// When it arrived.
        arrived: Time,
    },
    /// One packet is missing and will not be waited for: recover it from `following`, or conceal it.
    Lost {
        /// How much audio is missing, in ticks of the stream's clock.
        ticks: u32,
        /// Payload of the packet right behind the hole, which comes with the next call (for in-band FEC).
        following: Option<&'a [u8]>,
    },
    /// The sender left out silence: no loss. Play this much comfort noise or silence.
    Gap {
        /// In ticks of the stream's clock.
        ticks: u32,
    },
    /// Nothing to play: conceal up to the end of the tick, then ask again. The position is kept.
    Empty,
}

/// What happened to packets so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JitterCounts {
    /// Came after their turn.
    pub late: u64,
    /// Came twice.
    pub duplicates: u64,
    /// Dropped for want of room.
    pub overflow: u64,
    /// Never came in time: told as `Lost`, or covered by what was concealed while waiting.
    pub missing: u64,
}

/// Orders encoded packets and decides which one is next and how long to wait.
///
/// Each tick: drain the sockets into [`push`](Self::push), then call [`next`](Self::next) until the player has a
/// tick of audio (or it says `Empty`), then compare [`level`](Self::level) plus the player's own left-over with
/// [`target`](Self::target) and stretch or shrink.
#[derive(Debug)]
pub struct JitterBuffer {
    counts: JitterCounts,
}

impl JitterBuffer {
    /// Allocates everything it will ever need.
    pub fn new(limits: JitterLimits) -> Self {
        let _ = limits;
        JitterBuffer { counts: JitterCounts::default() }
    }

    /// Puts in a packet with `ticks` of audio (see [`crate::payload::ticks`]).
    pub fn push(&mut self, arrival: &Arrival, ticks: u32, payload: &[u8]) -> Queued {
        let _ = (arrival, ticks, payload);
        Queued::Late
    }

    /// A number of the stream that carries no audio (a telephone event): no hole.
    pub fn skip(&mut self, arrival: &Arrival) {
        let _ = arrival;
    }

    /// What to play next; `now` is the tick.
    pub fn next(&mut self, now: Time) -> Next<'_> {
        let _ = now;
        Next::Empty
    }

    /// Audio waiting, in RTP ticks: from what plays next to the end of the newest packet, holes included.
    pub fn queued(&self) -> u32 {
        0
    }

    /// Delay beyond the least possible, jitter taken out: what would be queued after the tick `now` if every packet
    /// had come on the fastest path. Zero where each packet is played at the first tick after it could come.
    ///
    /// Add to it what the player itself holds decoded.
    pub fn level(&self, now: Time) -> Duration {
        let _ = now;
        Duration::ZERO
    }

    /// The level to aim at, 0 to 400 ms: whole ticks, zero on a clean path.
    pub fn target(&self) -> Duration {
        Duration::ZERO
    }

    /// The counts so far.
    pub fn counts(&self) -> JitterCounts {
        self.counts
    }

    /// Drops everything that waits (hold, re-negotiation); what is known of the path stays.
    pub fn clear(&mut self) {}
}
