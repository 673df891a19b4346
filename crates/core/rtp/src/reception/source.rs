use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_base::{ClockRate, ExtSeq, Ssrc, Time};

use crate::ntp;
use crate::rtcp::{ReportBlock, SenderInfo};

/// A step ahead of this many numbers or more is no loss but a jump (RFC 3550 §A.1).
const MAX_DROPOUT: u64 = 3_000;
/// So far behind the newest a packet may come (RFC 3550 §A.1).
const MAX_MISORDER: u64 = 100;
/// So many packets in sequence make a source valid (RFC 3550 §A.1).
const MIN_SEQUENTIAL: u8 = 2;
/// Numbers start a cycle up, so that a packet from before the first has a number too.
const FIRST_CYCLE: u64 = 1 << 16;
/// Two transit times that differ by more than this many seconds tell of a jump of the timestamps.
const MAX_TRANSIT_STEP: u32 = 5;

/// Where a packet belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placed {
    At(ExtSeq),
    Duplicate,
    OutOfRange,
    Restart,
    /// Of another SSRC.
    Foreign,
}

/// One stream of one SSRC, from its first packet to a restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Source {
    ssrc: Ssrc,
    base: ExtSeq,
    highest: ExtSeq,
    /// Bit n: the packet n below the highest came.
    seen: u128,
    in_sequence: u8,
    /// The number that would confirm a jump.
    confirms: Option<u16>,
    left: bool,
    received: u64,
    duplicates: u64,
    prior_expected: u64,
    prior_received: u64,
    timing: Option<Timing>,
    /// Middle of the NTP timestamp of the last SR, and when it arrived.
    last_sr: Option<(u32, Time)>,
}

/// The state of the jitter estimate (RFC 3550 §A.8).
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Timing {
    clock: ClockRate,
    arrived: Time,
    timestamp: u32,
    /// In ticks, times 16.
    jitter: u32,
}

impl Source {
    pub(super) fn new(ssrc: Ssrc, first: u16) -> Self {
        let base = ExtSeq(FIRST_CYCLE + u64::from(first));
        Source {
            ssrc,
            base,
            highest: base,
            seen: 1,
            in_sequence: 1,
            confirms: None,
            left: false,
            received: 1,
            duplicates: 0,
            prior_expected: 0,
            prior_received: 0,
            timing: None,
            last_sr: None,
        }
    }

    pub(super) fn ssrc(&self) -> Ssrc {
        self.ssrc
    }

    pub(super) fn first(&self) -> ExtSeq {
        self.base
    }

    pub(super) fn is_valid(&self) -> bool {
        self.in_sequence >= MIN_SEQUENTIAL
    }

    pub(super) fn has_left(&self) -> bool {
        self.left
    }

    pub(super) fn leave(&mut self) {
        self.left = true;
    }

    pub(super) fn last_arrived(&self) -> Time {
        self.timing.map_or(Time::ZERO, |t| t.arrived)
    }

    /// RFC 3550 §A.1, `update_seq`, with a memory of which numbers came.
    pub(super) fn place(&mut self, wire: u16) -> Placed {
        let sequence = self.highest.nearest(wire);
        let ahead = sequence.0.saturating_sub(self.highest.0);
        let behind = self.highest.0.saturating_sub(sequence.0);
        if ahead >= MAX_DROPOUT || behind > MAX_MISORDER {
            return self.jump(wire);
        }
        self.left = false;
        self.confirms = None;
        if ahead > 0 { self.step(sequence, ahead) } else { self.fill(sequence, behind) }
    }

    fn step(&mut self, sequence: ExtSeq, ahead: u64) -> Placed {
        let shift = u32::try_from(ahead).unwrap_or(u32::MAX);
        self.seen = self.seen.checked_shl(shift).unwrap_or(0) | 1;
        self.highest = sequence;
        if !self.is_valid() {
            self.in_sequence = if ahead == 1 { self.in_sequence + 1 } else { 1 };
        }
        self.received += 1;
        Placed::At(sequence)
    }

    fn fill(&mut self, sequence: ExtSeq, behind: u64) -> Placed {
        let bit = 1u128 << behind.min(127);
        if self.seen & bit != 0 {
            self.duplicates += 1;
            return Placed::Duplicate;
        }
        self.seen |= bit;
        self.base = self.base.min(sequence);
        self.received += 1;
        Placed::At(sequence)
    }

    /// RFC 3550 §A.1: two packets in a row from elsewhere say that the other side has restarted.
    fn jump(&mut self, wire: u16) -> Placed {
        if self.confirms == Some(wire) {
            return Placed::Restart;
        }
        self.confirms = Some(wire.wrapping_add(1));
        Placed::OutOfRange
    }

    /// Takes an accepted packet into the jitter estimate (RFC 3550 §A.8).
    ///
    /// Packets with the timestamp of the one before (telephone events, fragments) are not sent at their
    /// timestamp and do not count.
    pub(super) fn time(&mut self, timestamp: u32, clock: ClockRate, arrived: Time) {
        let Some(mut last) = self.timing.map(|t| t.in_clock(clock)) else {
            self.timing = Some(Timing { clock, arrived, timestamp, jitter: 0 });
            return;
        };
        let comparable = self.timing.is_some_and(|t| t.clock == clock);
        if comparable && last.timestamp != timestamp {
            last.update(timestamp, arrived);
        }
        self.timing = Some(Timing { arrived: arrived.max(last.arrived), timestamp, ..last });
    }

    pub(super) fn reported(&mut self, info: &SenderInfo, arrived: Time) {
        self.last_sr = Some((info.ntp.middle(), arrived));
    }

    fn expected(&self) -> u64 {
        self.highest.0 - self.base.0 + 1
    }

    /// Packets that never came; one that came twice does not make up for another.
    pub(super) fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.received)
    }

    pub(super) fn jitter(&self) -> Duration {
        self.timing.map_or(Duration::ZERO, |t| t.clock.duration_of(u64::from(t.jitter >> 4)))
    }

    /// RFC 3550 §A.3: here duplicates do count as received.
    pub(super) fn report(&mut self, now: Time) -> Option<ReportBlock> {
        let (expected, received) = (self.expected(), self.received + self.duplicates);
        let expected_now = expected.saturating_sub(self.prior_expected);
        let received_now = received.saturating_sub(self.prior_received);
        if received_now == 0 {
            return None;
        }
        (self.prior_expected, self.prior_received) = (expected, received);
        let (last_sr, delay) = self.last_sr.map_or((0, 0), |(sr, at)| (sr, ntp::to_short(now.since(at))));
        Some(ReportBlock {
            ssrc: self.ssrc,
            fraction_lost: fraction(expected_now, received_now),
            lost: difference(expected, received),
            highest_sequence: low32(self.highest.0 - FIRST_CYCLE),
            jitter: self.timing.map_or(0, |t| t.jitter >> 4),
            last_sr,
            delay_since_last_sr: delay,
        })
    }
}

impl Timing {
    /// The same jitter in ticks of another clock (RFC 7160 §4.2).
    fn in_clock(self, clock: ClockRate) -> Self {
        let jitter = u64::from(self.jitter) * u64::from(clock.hz()) / u64::from(self.clock.hz());
        Timing { clock, jitter: u32::try_from(jitter).unwrap_or(u32::MAX), ..self }
    }

    fn update(&mut self, timestamp: u32, arrived: Time) {
        let step = i64::from(timestamp.wrapping_sub(self.timestamp).cast_signed());
        let elapsed = elapsed(self.clock, self.arrived, arrived);
        let difference = (elapsed - step).unsigned_abs();
        let most = u64::from(self.clock.hz()) * u64::from(MAX_TRANSIT_STEP);
        let Some(difference) = u32::try_from(difference).ok().filter(|d| u64::from(*d) <= most) else {
            return;
        };
        // RFC 3550 §A.8, integer form: J += D − (J + 8)/16, with J scaled by 16.
        let decay = self.jitter.saturating_add(8) >> 4;
        self.jitter = self.jitter.saturating_add(difference).saturating_sub(decay);
    }
}

/// In ticks, negative where the later one came first.
fn elapsed(clock: ClockRate, from: Time, to: Time) -> i64 {
    let ticks = |a: Time, b: Time| i64::try_from(clock.ticks_of(b.since(a))).unwrap_or(i64::MAX / 2);
    ticks(from, to) - ticks(to, from)
}

fn fraction(expected: u64, received: u64) -> u8 {
    let lost = expected.saturating_sub(received);
    u8::try_from(lost.saturating_mul(256) / expected.max(1)).unwrap_or(u8::MAX)
}

/// Clamped to 24 bits with sign.
fn difference(expected: u64, received: u64) -> i32 {
    let most = i64::from(ReportBlock::MAX_LOST);
    let lost = i64::try_from(expected).unwrap_or(most) - i64::try_from(received).unwrap_or(most);
    i32::try_from(lost.clamp(-most - 1, most)).unwrap_or(0)
}

fn low32(n: u64) -> u32 {
    u32::try_from(n & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}
