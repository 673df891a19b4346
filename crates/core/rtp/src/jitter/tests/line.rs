//! A line in virtual time: a sender with a clock of its own, a network, the buffer, and a simple player.

use tandem_testkit::{Conditions, Network};

use super::*;
use crate::{Header, Reception, Verdict};

const TICK: Duration = Duration::from_millis(20);
const FRAME: i64 = 160;

#[derive(Clone, Copy)]
pub(super) struct Sent {
    index: u64,
    timestamp: u32,
    at: Time,
}

/// A packet that was played, and how long after it was sent.
pub(super) struct Played {
    pub(super) index: u64,
    pub(super) wait: Duration,
    pub(super) at: Time,
}

pub(super) struct Line {
    network: Network<Sent>,
    reception: Reception,
    pub(super) buffer: JitterBuffer,
    ptime: u32,
    /// Real time between packets, by the sender's clock.
    interval: Duration,
    next_send: Time,
    next_tick: Time,
    sent: u64,
    first_sequence: u16,
    first_timestamp: u32,
    held: i64,
    /// Concealed in place of packets that have not come.
    debt: i64,
    stretch: i64,
    pub(super) arrived: u64,
    pub(super) played: Vec<Played>,
    pub(super) lost: Vec<(Time, bool)>,
    pub(super) concealed: Vec<(Time, i64)>,
    pub(super) gaps: u64,
    pub(super) targets: Vec<(Time, Duration)>,
}

impl Line {
    /// Packets of `ptime` ms, the sender's clock `ppm` fast, ticks `phase` behind the sending of packets.
    pub(super) fn new(conditions: Conditions, ptime: u32, ppm: f64, phase: Duration, seed: u64) -> Self {
        let start = Time::from_millis(1_000);
        Line {
            network: Network::new(conditions, seed),
            reception: Reception::new(),
            buffer: JitterBuffer::new(JitterLimits::NARROW),
            ptime,
            interval: Duration::from_millis(u64::from(ptime)).mul_f64(1.0 / (1.0 + ppm * 1e-6)),
            next_send: start,
            next_tick: start + phase,
            sent: 0,
            // Both wrap soon.
            first_sequence: 0xffe0,
            first_timestamp: 0xffff_f000,
            held: 0,
            debt: 0,
            stretch: 0,
            arrived: 0,
            played: Vec::new(),
            lost: Vec::new(),
            concealed: Vec::new(),
            gaps: 0,
            targets: Vec::new(),
        }
    }

    pub(super) fn weather(&mut self, conditions: Conditions) {
        self.network.set_conditions(conditions);
    }

    pub(super) fn run(&mut self, time: Duration) -> &mut Self {
        let end = self.next_tick + time;
        while self.next_tick < end {
            while self.next_send <= self.next_tick {
                self.send();
            }
            self.drain();
            self.play();
            self.next_tick += TICK;
        }
        self
    }

    fn send(&mut self) {
        let index = self.sent;
        let ticks = u32::try_from(index).unwrap().wrapping_mul(self.ptime * 8);
        let timestamp = self.first_timestamp.wrapping_add(ticks);
        self.network.send(Sent { index, timestamp, at: self.next_send }, self.next_send);
        self.sent += 1;
        self.next_send += self.interval;
    }

    fn drain(&mut self) {
        while let Some((arrived, sent)) = self.network.receive(self.next_tick) {
            let header = Header {
                marker: false,
                payload_type: PayloadType::PCMU,
                sequence: self.first_sequence.wrapping_add((sent.index & 0xffff).try_into().unwrap()),
                timestamp: sent.timestamp,
                ssrc: tandem_base::Ssrc(1),
            };
            let verdict = self.reception.receive(&header, 160, ClockRate::HZ_8000, arrived);
            if let Verdict::Accepted(arrival) = verdict {
                let mut payload = vec![0; usize::try_from(self.ptime * 8).unwrap()];
                payload[..8].copy_from_slice(&sent.index.to_be_bytes());
                payload[8..16].copy_from_slice(&sent.at.as_nanos().to_be_bytes());
                self.buffer.push(&arrival, self.ptime * 8, &payload);
                self.arrived += 1;
            }
        }
    }

    /// Takes a frame's worth, a quarter more or less while the delay is off its target.
    fn play(&mut self) {
        let now = self.next_tick;
        while self.held < FRAME + self.stretch {
            match self.buffer.next(now) {
                Next::Packet { payload, ticks, .. } => {
                    let index = u64::from_be_bytes(payload[..8].try_into().unwrap());
                    let sent = Time::from_nanos(u64::from_be_bytes(payload[8..16].try_into().unwrap()));
                    self.played.push(Played { index, wait: now.since(sent), at: now });
                    self.held += i64::from(ticks);
                    self.debt = 0;
                }
                Next::Lost { ticks, following } => {
                    let recoverable = following.is_some();
                    let rest = self.pay(ticks);
                    if rest > 0 {
                        self.lost.push((now, recoverable));
                    }
                    self.held += rest;
                }
                Next::Gap { ticks } => {
                    self.gaps += 1;
                    self.held += self.pay(ticks);
                }
                Next::Empty => {
                    let missing = (FRAME - self.held).max(0);
                    if missing > 0 {
                        self.concealed.push((now, missing));
                    }
                    self.debt += missing;
                    self.held = self.held.max(FRAME);
                    break;
                }
            }
        }
        self.held -= (FRAME + self.stretch).min(self.held);
        self.aim(now);
    }

    fn pay(&mut self, ticks: u32) -> i64 {
        let paid = self.debt.min(i64::from(ticks));
        self.debt -= paid;
        i64::from(ticks) - paid
    }

    fn aim(&mut self, now: Time) {
        let target = self.buffer.target();
        self.targets.push((now, target));
        let held = Duration::from_micros((self.held * 125).try_into().unwrap());
        let level = self.buffer.level(now, held);
        self.stretch = if level > target + TICK * 3 / 4 {
            40
        } else if level + Duration::from_millis(1) < target {
            -40
        } else {
            0
        };
    }

    /// Asserts what must hold on every line: in order, once each, nothing unaccounted for.
    pub(super) fn assert_sound(&self) {
        assert!(self.played.is_sorted_by(|a, b| a.index < b.index), "in order and once each");
        let counts = self.buffer.counts();
        let accounted = self.played.len() as u64
            + counts.late
            + counts.duplicates
            + counts.overflow
            + self.buffer.len() as u64;
        assert_eq!(accounted, self.arrived, "{counts:?}");
        assert!(self.targets.iter().all(|(_, t)| *t <= Duration::from_millis(400)));
    }

    /// The longest wait of packets played from `since` on, and that which 95 of 100 do not exceed.
    pub(super) fn waits(&self, since: Time) -> (Duration, Duration) {
        let mut waits: Vec<_> = self.played.iter().filter(|p| p.at >= since).map(|p| p.wait).collect();
        waits.sort();
        (waits[waits.len() - 1], waits[waits.len() * 95 / 100])
    }

    pub(super) fn now(&self) -> Time {
        self.next_tick
    }

    /// Frames made up, in part or whole, from `since` on.
    pub(super) fn made_up(&self, since: Time) -> usize {
        let lost = self.lost.iter().filter(|(at, _)| *at >= since).count();
        lost + self.concealed.iter().filter(|(at, _)| *at >= since).count()
    }
}

pub(super) fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}
