use std::time::Duration;

use tandem_base::{ClockRate, Time};

use crate::Arrival;

const MS: i64 = 1_000_000;
/// One bin a millisecond; the last takes all that is longer.
const BINS: usize = 400;
/// The target's upper bound.
pub(super) const MAX_TARGET: i64 = 400 * MS;
/// Weight of one packet in the histogram: survives a few decays of an eighth each.
const WEIGHT: u16 = 64;
/// One period of the moving minimum and of the decay.
const PERIOD: i64 = 512 * MS;
/// Periods that the minimum looks back on: 4 s, in which a clock 200 ppm off moves by 0.8 ms.
const PERIODS: usize = 8;
/// A transit that is this far from all others says that the timestamps have jumped.
const JUMP: i64 = 2_000 * MS;
/// After such a pause, clocks that drift have made old minima worthless.
const IDLE: i64 = 30_000 * MS;
/// The target falls only when it would still be lower with this much more delay.
const HYSTERESIS: i64 = 3 * MS;

/// The last packet, which all others are measured against.
#[derive(Clone, Copy, Debug)]
struct Sample {
    stream: u32,
    clock: ClockRate,
    timestamp: u32,
    arrived: i64,
    transit: i64,
}

/// How long packets take, relative to the fastest of late, and what delay covers nearly all of them.
///
/// Transit times are arrival less timestamp, so only their differences mean anything. All figures are ns.
#[derive(Debug)]
pub(super) struct Transit {
    tick: i64,
    last_tick: i64,
    last: Option<Sample>,
    /// The moving minimum, rounded down to whole bins.
    base: i64,
    minima: [i64; PERIODS],
    period: usize,
    began: i64,
    bins: [u16; BINS],
    /// No bin above this one holds anything.
    top: usize,
    /// What the packets that came too late needed; decays.
    peak: i64,
    /// From the earliest possible arrival of the latest packets to the tick after it.
    phases: [i64; 4],
    packets: usize,
    target: i64,
}

impl Transit {
    pub(super) fn new(tick: Duration) -> Self {
        Transit {
            tick: i64::try_from(tick.as_nanos()).unwrap_or(i64::MAX).clamp(MS, 1_000 * MS),
            last_tick: 0,
            last: None,
            base: 0,
            minima: [0; PERIODS],
            period: 0,
            began: 0,
            bins: [0; BINS],
            top: 0,
            peak: 0,
            phases: [0; 4],
            packets: 0,
            target: 0,
        }
    }

    pub(super) fn tick(&mut self, now: Time) {
        self.last_tick = nanos(now);
    }

    pub(super) fn tick_len(&self) -> i64 {
        self.tick
    }

    /// Measures a packet; `late` says that it came after its turn.
    pub(super) fn arrive(&mut self, arrival: &Arrival, late: bool) {
        let arrived = nanos(arrival.arrived);
        let transit = match self.transit_of(arrival, arrived) {
            Some(transit) => transit,
            // A straggler of seconds says nothing about those that come in time.
            None if late => return,
            None => self.restart(arrived),
        };
        let Arrival { stream, clock, timestamp, .. } = *arrival;
        self.last = Some(Sample { stream, clock, timestamp, arrived, transit });
        self.turn_period(arrived, transit);
        self.rebase(transit);
        self.count(transit - self.base, late);
        self.note_phase(arrived - (transit - self.base));
        self.aim();
    }

    /// `None` where the packet cannot be compared with those before it.
    fn transit_of(&self, arrival: &Arrival, arrived: i64) -> Option<i64> {
        let last = self.last.filter(|l| l.stream == arrival.stream && l.clock == arrival.clock)?;
        let elapsed = arrived - last.arrived;
        let transit = last.transit + elapsed - span(arrival.timestamp, last.timestamp, last.clock);
        ((transit - self.base).abs() <= JUMP && elapsed <= IDLE).then_some(transit)
    }

    fn restart(&mut self, arrived: i64) -> i64 {
        self.base = 0;
        self.minima = [0; PERIODS];
        self.began = arrived;
        self.bins = [0; BINS];
        (self.top, self.peak, self.packets) = (0, 0, 0);
        0
    }

    /// Only packets turn periods: a pause forgets nothing.
    fn turn_period(&mut self, arrived: i64, transit: i64) {
        if arrived - self.began < PERIOD {
            return;
        }
        self.began = arrived;
        self.period = (self.period + 1) % PERIODS;
        if let Some(minimum) = self.minima.get_mut(self.period) {
            *minimum = transit;
        }
        for bin in &mut self.bins {
            *bin -= bin.div_ceil(8);
        }
        self.peak -= self.peak / 8;
        self.lower_top();
    }

    fn lower_top(&mut self) {
        self.top = self.bins.iter().rposition(|b| *b > 0).unwrap_or(0);
    }

    /// Moves the histogram along with the minimum: what it holds is relative to it.
    fn rebase(&mut self, transit: i64) {
        if let Some(minimum) = self.minima.get_mut(self.period) {
            *minimum = transit.min(*minimum);
        }
        let minimum = self.minima.iter().copied().min().unwrap_or(transit);
        let base = minimum.div_euclid(MS) * MS;
        let longer = self.base - base;
        if longer != 0 {
            self.base = base;
            self.peak = if self.peak > 0 { (self.peak + longer).clamp(0, MAX_TARGET) } else { 0 };
            self.shift(longer / MS);
        }
    }

    fn shift(&mut self, by: i64) {
        let old = self.bins;
        self.bins = [0; BINS];
        for (index, weight) in (0i64..).zip(old).filter(|(_, weight)| *weight > 0) {
            if let Some(bin) = self.bins.get_mut(bin_of(index + by)) {
                *bin = bin.saturating_add(weight);
            }
        }
        self.lower_top();
    }

    fn count(&mut self, delay: i64, late: bool) {
        let index = bin_of(delay / MS);
        if let Some(bin) = self.bins.get_mut(index) {
            *bin = bin.saturating_add(WEIGHT);
        }
        self.top = self.top.max(index);
        if late {
            self.peak = self.peak.max(delay + MS).min(MAX_TARGET);
        }
    }

    fn note_phase(&mut self, earliest: i64) {
        let phase = (self.last_tick - earliest).rem_euclid(self.tick);
        let places = self.phases.len();
        if self.packets == 0 {
            self.phases = [phase; 4];
        } else if let Some(place) = self.phases.get_mut(self.packets % places) {
            *place = phase;
        }
        self.packets = self.packets.wrapping_add(1).max(1);
    }

    /// Packets of 10, 30 or 50 ms meet the tick at two phases in turn: the worst counts.
    fn phase(&self) -> i64 {
        self.phases.iter().copied().min().unwrap_or(0)
    }

    /// The delay that 97 of 100 packets do not exceed: upper edge of the bin.
    fn percentile(&self) -> i64 {
        let bins = self.bins.get(..=self.top).unwrap_or(&[]);
        let total: u32 = bins.iter().map(|b| u32::from(*b)).sum();
        let mut above = 0;
        let index = bins.iter().rposition(|b| {
            above += u32::from(*b);
            above > total * 3 / 100
        });
        index.and_then(|i| i64::try_from(i + 1).ok()).unwrap_or(0) * MS
    }

    fn aim(&mut self) {
        let need = self.percentile().max(self.peak);
        let aim = self.whole_ticks(need);
        let cautious = self.whole_ticks(need + HYSTERESIS);
        self.target = if aim > self.target { aim } else { self.target.min(cautious) };
    }

    /// A packet waits for a tick anyhow: only what goes beyond that costs, and then whole ticks.
    fn whole_ticks(&self, need: i64) -> i64 {
        let beyond = (need - self.phase()).max(0);
        let ticks = (beyond + self.tick - 1) / self.tick;
        (ticks * self.tick).min(MAX_TARGET)
    }

    pub(super) fn target(&self) -> i64 {
        self.target
    }

    /// How much later than the first possible tick `timestamp` plays if it plays at `at`; `None` where nothing
    /// is known of its timeline.
    pub(super) fn excess(&self, timestamp: u32, clock: ClockRate, at: i64) -> Option<i64> {
        let last = self.last.filter(|l| l.clock == clock)?;
        let earliest = last.arrived - (last.transit - self.base) + span(timestamp, last.timestamp, clock);
        let excess = at - earliest - self.phase();
        (excess.abs() <= JUMP).then_some(excess)
    }
}

pub(super) fn nanos(time: Time) -> i64 {
    // A quarter of the range, 73 years: sums of these cannot overflow.
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX).min(i64::MAX / 4)
}

/// From `earlier` to `later`, negative where they are not; wraps.
pub(super) fn ahead(later: u32, earlier: u32) -> i64 {
    i64::from(later.wrapping_sub(earlier).cast_signed())
}

/// The same in ns.
fn span(later: u32, earlier: u32, clock: ClockRate) -> i64 {
    ahead(later, earlier) * 1_000_000_000 / i64::from(clock.hz())
}

fn bin_of(index: i64) -> usize {
    usize::try_from(index.max(0)).unwrap_or(BINS).min(BINS - 1)
}
