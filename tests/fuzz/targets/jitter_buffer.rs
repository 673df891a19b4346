//! A jitter buffer under any order of packets, sizes, clocks and times: what comes out went in, once, in order.
#![no_main]

use std::collections::BTreeSet;
use std::time::Duration;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use tandem_base::{ClockRate, ExtSeq, PayloadType, Time};
use tandem_rtp::{Arrival, JitterBuffer, JitterLimits, Next, Queued};

#[derive(Arbitrary, Debug)]
struct Run {
    wide: bool,
    fec: bool,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Push { ahead: i8, timestamp: i16, ticks: u16, length: u8, marker: bool },
    Skip { ahead: i8 },
    Restore { behind: u8, timestamp: u16, ticks: u16, length: u8 },
    Stream { clock: u8 },
    Jump { by: u32 },
    Pull { at_most: u8 },
    Wait { ms: u8 },
}

fuzz_target!(|run: Run| {
    let limits = if run.wide { JitterLimits::WIDE } else { JitterLimits::NARROW };
    let mut bench = Bench::new(limits);
    bench.buffer.expect_fec(run.fec);
    for step in run.steps.iter().take(2_000) {
        bench.step(step);
    }
    bench.now += Duration::from_secs(2);
    bench.pull(u32::MAX);
});

struct Bench {
    buffer: JitterBuffer,
    now: Time,
    stream: u32,
    clock: ClockRate,
    sequence: u64,
    timestamp: u32,
    waiting: BTreeSet<(u32, u64)>,
    last: Option<(u32, u64)>,
    /// Since when there has been nothing to play.
    dry: Option<Time>,
}

impl Bench {
    fn new(limits: JitterLimits) -> Self {
        Bench {
            buffer: JitterBuffer::new(limits),
            now: Time::from_millis(1),
            stream: 0,
            clock: ClockRate::HZ_8000,
            sequence: 1_000,
            timestamp: 0,
            waiting: BTreeSet::new(),
            last: None,
            dry: None,
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Push { ahead, timestamp, ticks, length, marker } => {
                self.sequence = self.sequence.saturating_add_signed(i64::from(*ahead));
                self.timestamp = self.timestamp.wrapping_add_signed(i32::from(*timestamp));
                let arrival = self.arrival(*marker);
                let octets = [0x55; 255];
                let queued = self.buffer.push(&arrival, u32::from(*ticks), &octets[..usize::from(*length)]);
                // With an overflow it may have been taken or not: what matters is what comes out.
                if matches!(queued, Queued::InTime | Queued::Overflow) {
                    self.waiting.insert((arrival.stream, arrival.sequence.0));
                }
            }
            Step::Skip { ahead } => {
                self.sequence = self.sequence.saturating_add_signed(i64::from(*ahead));
                let arrival = self.arrival(false);
                self.buffer.skip(&arrival);
            }
            Step::Restore { behind, timestamp, ticks, length } => {
                let now = self.arrival(false);
                let copy = Arrival {
                    sequence: ExtSeq(now.sequence.0.saturating_sub(u64::from(*behind))),
                    timestamp: now.timestamp.wrapping_sub(u32::from(*timestamp)),
                    ..now
                };
                let octets = [0x55; 255];
                if self.buffer.restore(&copy, u32::from(*ticks), &octets[..usize::from(*length)]) {
                    self.waiting.insert((copy.stream, copy.sequence.0));
                }
            }
            Step::Stream { clock } => {
                // The payload type tells the stream of what comes out.
                self.stream = (self.stream + 1).min(127);
                let rates = [ClockRate::HZ_8000, ClockRate::HZ_16000, ClockRate::HZ_48000];
                self.clock = rates[usize::from(*clock) % 3];
            }
            Step::Jump { by } => {
                self.sequence = self.sequence.wrapping_add(u64::from(*by)) & 0xffff_ffff_ffff
            }
            Step::Pull { at_most } => self.pull(u32::from(*at_most)),
            Step::Wait { ms } => self.now += Duration::from_millis(u64::from(*ms)),
        }
    }

    fn arrival(&self, marker: bool) -> Arrival {
        Arrival {
            stream: self.stream,
            sequence: ExtSeq(self.sequence),
            timestamp: self.timestamp,
            payload_type: PayloadType::new(self.stream as u8).expect("below 128"),
            clock: self.clock,
            marker,
            arrived: self.now,
        }
    }

    fn pull(&mut self, at_most: u32) {
        for n in 0..at_most {
            assert!(n < 100_000, "it never runs empty");
            let longest =
                Duration::from_millis(500) + self.dry.map_or(Duration::ZERO, |dry| self.now.since(dry));
            let longest = ClockRate::HZ_48000.ticks_of(longest);
            match self.buffer.next(self.now) {
                Next::Packet { sequence, payload, payload_type, .. } => {
                    assert!(payload.iter().all(|octet| *octet == 0x55));
                    let place = (u32::from(payload_type.get()), sequence.0);
                    assert!(self.waiting.contains(&place), "{place:?} came out and did not go in");
                    assert!(self.last.is_none_or(|last| place > last), "out of order: {place:?}");
                    self.waiting.remove(&place);
                    self.last = Some(place);
                }
                Next::Lost { ticks, .. } => assert!(u64::from(ticks) <= longest, "{ticks} lost"),
                Next::Gap { ticks } => assert!(u64::from(ticks) <= longest, "a gap of {ticks}"),
                Next::Empty => {
                    self.dry.get_or_insert(self.now);
                    return;
                }
            }
            self.dry = None;
        }
    }
}
