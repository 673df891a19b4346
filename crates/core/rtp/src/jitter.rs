//! The jitter buffer: order, holes, silence, and how much delay to aim at.

use std::time::Duration;

use tandem_base::{ClockRate, ExtSeq, PayloadType, Time};

use self::store::{Slot, Store};
use self::transit::{Transit, ahead};
use crate::Arrival;

mod drift;
mod lateness;
mod store;
mod transit;

/// More audio than this never waits: the oldest is dropped.
const MAX_WAIT_MS: u32 = 500;
/// A longer hole is told as silence; and one that is by so much longer than nothing could be played, or a silence
/// that is, is a jump of the timeline.
const MAX_SPAN_MS: u32 = 500;
/// A shorter silence is none.
const SHORTEST_GAP: Duration = Duration::from_micros(2_500);
/// Most packets of any buffer.
const MAX_PACKETS: usize = 256;
/// Most octets of any buffer.
const MAX_OCTETS: usize = 1 << 20;
/// More is never wanted, nor is a packet overdue by more: the timeline has jumped.
const WANTED_MOST: i64 = 1_000_000_000;
/// One loss in so many packets makes it worth while to wait for the FEC of the next: 1 %.
const FEC_WORTH: u32 = ONE / 100;
/// 1.0 of the share of losses, which is a moving mean over about 128 packets.
const ONE: u32 = 1 << 16;

/// What a jitter buffer may hold, and how it is emptied. Memory is about
/// 56 · `packets` + `octets` + 1.5 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JitterLimits {
    /// Packets, 1 to 256.
    pub packets: usize,
    /// Octets of payload, all packets together; at most 1 MiB.
    pub octets: usize,
    /// How often the player takes what it needs.
    pub tick: Duration,
}

impl JitterLimits {
    /// Half a second of G.711 or G.722 in packets of 10 ms or more: about 10 KiB.
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
        /// It was lost, and this is a copy that came with a later one.
        restored: bool,
    },
    /// One packet is missing and will not be waited for: recover it from `following`, or conceal it. What was
    /// concealed on `Empty` right before has stood in for as much of it.
    Lost {
        /// How much audio is missing, in ticks of the stream's clock.
        ticks: u32,
        /// Payload of the packet right behind the hole, which comes with the next call (for in-band FEC).
        following: Option<&'a [u8]>,
    },
    /// The sender left out silence, which is no loss (or more was lost than anybody would conceal): play this much
    /// silence or comfort noise, less what was concealed on `Empty` right before.
    Gap {
        /// In ticks of the stream's clock.
        ticks: u32,
    },
    /// Nothing to play: conceal up to the end of the tick, keep account of how much that is, then ask again. The
    /// position is kept: if a packet comes next, it was only late, and the account is closed.
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
    /// Never came in time: told as `Lost`, or as part of a long `Gap`.
    pub missing: u64,
}

/// Where playout stands in a stream.
#[derive(Clone, Copy, Debug)]
struct Position {
    stream: u32,
    clock: ClockRate,
    /// The number to play next.
    sequence: ExtSeq,
    /// Where its audio should begin.
    timestamp: u32,
    /// Length of the last packet that carried audio: the best guess for one that is missing.
    ticks: u32,
}

impl Position {
    fn behind(slot: &Slot, before: Option<Position>) -> Self {
        let same = before.filter(|p| p.stream == slot.stream && p.clock == slot.clock);
        let ticks = if slot.ticks > 0 { slot.ticks } else { same.map_or(0, |p| p.ticks) };
        let timestamp = match same {
            Some(position) if !slot.audio => position.timestamp,
            _ => slot.timestamp.wrapping_add(slot.ticks),
        };
        let sequence = ExtSeq(slot.sequence.0.saturating_add(1));
        Position { stream: slot.stream, clock: slot.clock, sequence, timestamp, ticks }
    }

    fn advance(&mut self, packets: u64, ticks: u32) {
        self.sequence = ExtSeq(self.sequence.0.saturating_add(packets));
        self.timestamp = self.timestamp.wrapping_add(ticks);
    }
}

/// What to do about the oldest packet that waits.
enum Step {
    Take,
    Skip,
    Wait,
    Lost { ticks: u32, adjacent: bool },
    Gap { ticks: u32 },
}

/// Orders encoded packets and decides which one is next and how long to wait.
///
/// Each tick: drain the sockets into [`push`](Self::push), then call [`next`](Self::next) until the player has a
/// tick of audio (or it says `Empty`), then compare what still waits, [`queued`](Self::queued) or steadier
/// [`level`](Self::level), with [`target`](Self::target) and stretch or shrink.
#[derive(Debug)]
pub struct JitterBuffer {
    store: Store,
    transit: Transit,
    position: Option<Position>,
    /// Since when nothing could be played.
    starved: Option<Time>,
    /// Audio that waits, in ticks of each packet's own clock.
    waiting: u32,
    fec: bool,
    losses: u32,
    counts: JitterCounts,
}

impl JitterBuffer {
    /// Allocates everything it will ever need; limits out of range are brought into it.
    pub fn new(limits: JitterLimits) -> Self {
        JitterBuffer {
            store: Store::new(limits.packets.clamp(1, MAX_PACKETS), limits.octets.min(MAX_OCTETS)),
            transit: Transit::new(limits.tick),
            position: None,
            starved: None,
            waiting: 0,
            fec: false,
            losses: 0,
            counts: JitterCounts::default(),
        }
    }

    /// Says whether packets carry in-band FEC or copies of those before them: then, while packets get lost, the target is one packet at least,
    /// since the copy of a lost packet comes with the next.
    pub fn expect_fec(&mut self, expected: bool) {
        self.fec = expected;
    }

    /// Puts in a packet with `ticks` of audio (see [`crate::payload::ticks`]).
    pub fn push(&mut self, arrival: &Arrival, ticks: u32, payload: &[u8]) -> Queued {
        if self.store.contains((arrival.stream, arrival.sequence)) {
            self.counts.duplicates += 1;
            return Queued::Duplicate;
        }
        let over = self.is_over(arrival);
        let ticks = ticks.min(max_ticks(arrival.clock));
        self.transit.arrive(arrival, ticks, over || self.was_awaited(arrival));
        if over {
            self.counts.late += 1;
            return Queued::Late;
        }
        self.enqueue(Slot::new(arrival, ticks, true), payload)
    }

    /// Puts in a copy of an earlier packet that came within a later one (RFC 2198), unless the packet itself is there, its
    /// turn is over, it came before the first, or there is no room. Says whether the copy stands in for it now.
    pub fn restore(&mut self, copy: &Arrival, ticks: u32, payload: &[u8]) -> bool {
        let place = (copy.stream, copy.sequence);
        let follows = self.position.is_some_and(|p| p.stream == copy.stream)
            || self.store.iter().any(|s| s.stream == copy.stream && s.place() < place);
        if !follows || self.is_over(copy) || self.store.contains(place) {
            return false;
        }
        let slot = Slot::new(copy, ticks.min(max_ticks(copy.clock)), true).restored();
        // Nothing that came itself gives way to a copy.
        let room = self.store.has_room(payload.len()) && !self.is_too_much(&slot);
        room && self.enqueue(slot, payload) == Queued::InTime
    }

    /// A number of the stream that carries no audio (a telephone event): no hole.
    pub fn skip(&mut self, arrival: &Arrival) {
        if !self.is_over(arrival) && !self.store.contains((arrival.stream, arrival.sequence)) {
            self.enqueue(Slot::new(arrival, 0, false), &[]);
        }
    }

    /// Has its turn passed?
    fn is_over(&self, arrival: &Arrival) -> bool {
        self.position.is_some_and(|p| (arrival.stream, arrival.sequence) < (p.stream, p.sequence))
    }

    /// Was it what the player wanted and did not get?
    fn was_awaited(&self, arrival: &Arrival) -> bool {
        let Some((position, since)) = self.position.zip(self.starved) else { return false };
        arrival.stream == position.stream
            && arrival.sequence == position.sequence
            && arrival.timestamp == position.timestamp
            && arrival.arrived > since
    }

    fn enqueue(&mut self, slot: Slot, payload: &[u8]) -> Queued {
        let mut overflowed = false;
        if !self.store.could_hold(payload.len()) {
            self.counts.overflow += 1;
            return Queued::Overflow;
        }
        while !self.store.has_room(payload.len()) || self.is_too_much(&slot) {
            overflowed = true;
            self.counts.overflow += 1;
            // The newcomer itself may be the oldest.
            if self.store.front().is_none_or(|oldest| slot.place() < oldest.place()) {
                return Queued::Overflow;
            }
            self.drop_oldest();
        }
        self.waiting = self.waiting.saturating_add(slot.ticks);
        self.store.insert(slot, payload);
        if overflowed { Queued::Overflow } else { Queued::InTime }
    }

    fn is_too_much(&self, slot: &Slot) -> bool {
        self.store.front().is_some()
            && self.waiting.saturating_add(slot.ticks) > slot.clock.ticks_in_ms(MAX_WAIT_MS)
    }

    fn drop_oldest(&mut self) {
        if let Some(slot) = self.pop() {
            self.position = Some(Position::behind(&slot, self.position));
        }
    }

    fn pop(&mut self) -> Option<Slot> {
        let slot = self.store.pop()?;
        self.waiting = self.waiting.saturating_sub(slot.ticks);
        Some(slot)
    }

    /// What to play next; `now` is the tick.
    pub fn next(&mut self, now: Time) -> Next<'_> {
        self.transit.tick(now);
        // Ends: every turn takes a packet out or comes to the next one's number.
        loop {
            let Some(head) = self.store.front().copied() else { return self.starve(now) };
            match self.judge(&head, now) {
                Step::Take => return self.take(),
                Step::Skip => self.drop_oldest(),
                Step::Wait => return self.starve(now),
                Step::Lost { ticks, adjacent } => return self.lose(ticks, adjacent, &head),
                Step::Gap { ticks } => {
                    self.starved = None;
                    return Next::Gap { ticks };
                }
            }
        }
    }

    fn judge(&mut self, head: &Slot, now: Time) -> Step {
        let known = self.position.filter(|p| p.stream == head.stream && p.clock == head.clock);
        let Some(mut position) = known else { return take_or_skip(head) };
        let step = self.judge_at(&mut position, head, now);
        self.position = Some(position);
        step
    }

    fn judge_at(&mut self, position: &mut Position, head: &Slot, now: Time) -> Step {
        let missing = head.sequence.0.saturating_sub(position.sequence.0);
        if missing == 0 && !head.audio {
            return Step::Skip;
        }
        let span = u32::try_from(ahead(head.timestamp, position.timestamp)).unwrap_or(0);
        if span == 0 || self.is_jump(span, head.clock, now) {
            // What is missing carried no audio, or the timeline has jumped: go on with what is there.
            self.note_losses(missing);
            position.advance(missing, 0);
            position.timestamp = head.timestamp;
            return take_or_skip(head);
        }
        if missing == 0 || span > max_span(head.clock) {
            return self.judge_silence(position, head, missing, span);
        }
        if self.starved.is_none() && self.may_still_come(now) {
            return Step::Wait;
        }
        // A peer whose packets hold next to nothing shall not make us conceal thousands of them.
        let shortest = u32::try_from(head.clock.ticks_of(SHORTEST_GAP)).unwrap_or(1);
        let ticks = if position.ticks > 0 { position.ticks.max(shortest).min(span) } else { span };
        position.advance(1, ticks);
        self.note_losses(1);
        Step::Lost { ticks, adjacent: missing == 1 && head.audio }
    }

    /// Would what is missing take much longer than there was nothing to play?
    fn is_jump(&self, span: u32, clock: ClockRate, now: Time) -> bool {
        let starved = self.starved.map_or(0, |since| clock.ticks_of(now.since(since)));
        u64::from(span) > starved.saturating_add(u64::from(max_span(clock)))
    }

    /// The next number is there, but time has passed; or so much was lost that nobody would conceal it.
    fn judge_silence(&mut self, position: &mut Position, head: &Slot, missing: u64, span: u32) -> Step {
        self.note_losses(missing);
        position.advance(missing, span);
        // Less than a frame of any codec is the sender's rounding.
        if u64::from(span) < head.clock.ticks_of(SHORTEST_GAP) {
            Step::Take
        } else {
            Step::Gap { ticks: span }
        }
    }

    /// Packets that overtake each other: as long as the delay is below its target, a tick of patience brings it
    /// there and may save the packet.
    fn may_still_come(&self, now: Time) -> bool {
        let target = self.path_target();
        !target.is_zero() && self.level(now, Duration::ZERO) <= target
    }

    fn note_losses(&mut self, packets: u64) {
        self.counts.missing = self.counts.missing.saturating_add(packets);
        for _ in 0..packets.min(128) {
            self.losses += (ONE - self.losses) / 128;
        }
    }

    fn starve(&mut self, now: Time) -> Next<'_> {
        self.starved.get_or_insert(now);
        Next::Empty
    }

    fn lose(&mut self, ticks: u32, adjacent: bool, head: &Slot) -> Next<'_> {
        self.starved = None;
        Next::Lost { ticks, following: adjacent.then(|| self.store.payload(head)) }
    }

    fn take(&mut self) -> Next<'_> {
        let Some(slot) = self.pop() else { return Next::Empty };
        self.position = Some(Position::behind(&slot, self.position));
        self.starved = None;
        // A copy plays as well, but its packet was lost: the next one's copy is worth waiting for.
        if slot.restored {
            self.losses += (ONE - self.losses) / 128;
        } else {
            self.losses -= self.losses / 128;
        }
        Next::Packet {
            sequence: slot.sequence,
            timestamp: slot.timestamp,
            payload_type: slot.payload_type,
            marker: slot.marker,
            ticks: slot.ticks,
            payload: self.store.payload(&slot),
            arrived: slot.arrived,
            restored: slot.restored,
        }
    }

    /// Audio waiting, in RTP ticks: from what plays next to the end of the newest packet, holes included.
    pub fn queued(&self) -> u32 {
        let Some(newest) = self.store.back() else { return 0 };
        let end = newest.timestamp.wrapping_add(newest.ticks);
        let span = self
            .position
            .filter(|p| p.stream == newest.stream && p.clock == newest.clock)
            .and_then(|p| u32::try_from(ahead(end, p.timestamp)).ok())
            .filter(|span| *span <= 2 * max_span(newest.clock));
        span.unwrap_or(self.waiting)
    }

    /// Delay beyond the least possible, jitter taken out: what would wait after the tick `now` if every packet had
    /// come on the fastest path, `held` included, which is what the player has decoded and not played. Zero where
    /// each packet is played at the first tick after it could come; steadier than [`queued`](Self::queued).
    ///
    /// While there is nothing to play it stands still.
    pub fn level(&self, now: Time, held: Duration) -> Duration {
        let Some(position) = self.position else { return Duration::ZERO };
        let next_tick = match self.starved {
            Some(since) => since,
            None => now + self.tick_len(),
        };
        let at = transit::nanos(next_tick + held);
        match self.transit.excess(position.timestamp, position.clock, at) {
            Some(excess) => Duration::from_nanos(u64::try_from(excess).unwrap_or(0)),
            None => position.clock.duration_of(u64::from(self.queued())) + held,
        }
    }

    /// The delay to aim at, 0 to 400 ms: the least audio that should still wait right after a tick, queued or
    /// decoded, so that 97 of 100 packets come in time. Zero on a clean path.
    ///
    /// It comes in steps of a tick (or of what packets and ticks have as common measure), since packets wait for a
    /// tick anyhow: a part of a step gains nothing. A late packet raises it at once; it sinks within seconds.
    pub fn target(&self) -> Duration {
        let path = self.path_target();
        match self.position {
            Some(position) if self.waits_for_fec() => {
                let packet = position.clock.duration_of(u64::from(position.ticks));
                path.max(packet.min(Duration::from_millis(120)))
            }
            _ => path,
        }
    }

    /// What should still wait right after the tick at `now`, decoded or queued, in ns, so that the next packets come in
    /// time: until the first tick at which nearly all of them would be there, ticks play what waits.
    ///
    /// It is negative while a packet is later than nearly all are. What waits less this is what is too much, and that
    /// stands still whatever the jitter. `None` where nothing is known of the path.
    pub fn wanted(&self, now: Time) -> Option<i64> {
        let position = self.position?;
        let newest = self.store.back();
        let (end, clock) = newest
            .map_or((position.timestamp, position.clock), |s| (s.timestamp.wrapping_add(s.ticks), s.clock));
        let (tick, length) = (self.transit.tick_len(), self.transit.length());
        let waits_for_fec = if self.waits_for_fec() { length } else { 0 };
        let due = self.transit.due(end, clock)? + waits_for_fec - transit::nanos(now);
        let after = |n: i64| {
            let ticks_before = (due + n * length + tick - 1).div_euclid(tick) - 1;
            ticks_before * tick - n * length
        };
        (0..self.transit.cycle()).map(after).max().filter(|wanted| wanted.abs() < WANTED_MOST)
    }

    /// How much faster than ours the sender's clock runs, parts in a million, negative where slower; `None` before a
    /// quarter of a minute has told.
    pub fn drift(&self) -> Option<f64> {
        self.transit.drift()
    }

    fn waits_for_fec(&self) -> bool {
        self.fec && self.losses > FEC_WORTH
    }

    fn path_target(&self) -> Duration {
        Duration::from_nanos(u64::try_from(self.transit.target()).unwrap_or(0))
    }

    fn tick_len(&self) -> Duration {
        Duration::from_nanos(u64::try_from(self.transit.tick_len()).unwrap_or(0))
    }

    /// The counts so far.
    pub fn counts(&self) -> JitterCounts {
        self.counts
    }

    /// Packets that wait.
    pub fn len(&self) -> usize {
        self.store.iter().count()
    }

    /// Does nothing wait?
    pub fn is_empty(&self) -> bool {
        self.store.front().is_none()
    }

    /// Drops everything that waits (hold, re-negotiation); what is known of the path stays. Packets of before do
    /// not come back.
    pub fn clear(&mut self) {
        while self.store.front().is_some() {
            self.drop_oldest();
        }
        self.store.clear();
        (self.waiting, self.starved) = (0, None);
    }
}

fn take_or_skip(head: &Slot) -> Step {
    if head.audio { Step::Take } else { Step::Skip }
}

fn max_span(clock: ClockRate) -> u32 {
    clock.ticks_in_ms(MAX_SPAN_MS)
}

/// No packet holds more than 120 ms of Opus, or 200 ms of anything that is in use.
fn max_ticks(clock: ClockRate) -> u32 {
    clock.ticks_in_ms(200)
}

#[cfg(test)]
mod tests;
