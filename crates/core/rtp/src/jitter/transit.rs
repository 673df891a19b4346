use std::time::Duration;

use tandem_base::{ClockRate, Time};

use super::drift::Drift;
use super::lateness::Lateness;
use crate::Arrival;

const MS: i64 = 1_000_000;
/// Width of a bin.
const BIN: i64 = MS / 2;
/// Up to 400 ms; the last takes all that is longer.
const BINS: usize = 800;
/// The target's upper bound.
pub(super) const MAX_TARGET: i64 = 400 * MS;
/// Weight of one packet in the histogram: survives a few decays of an eighth each.
const WEIGHT: i64 = 64;
/// Packets in a hundred that may need more delay than there is.
const SPARED: u32 = 3;
/// Drift is provided for so long ahead.
const AHEAD: i64 = 4_000 * MS;
/// One period of the moving minimum and of the decay.
const PERIOD: i64 = 512 * MS;
/// Periods that the minimum looks back on: 4 s, in which a clock 200 ppm off moves by 0.8 ms.
const PERIODS: usize = 8;
/// A transit that is this far from all others says that the timestamps have jumped.
const JUMP: i64 = 2_000 * MS;
/// After such a pause, clocks that drift have made old minima worthless.
const IDLE: i64 = 30_000 * MS;
/// What is needed falls only when it does so by this much.
const HYSTERESIS: i64 = MS;

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
    late: Lateness,
    drift: Drift,
    /// What packets and ticks have as greatest common measure: the steps in which delay helps.
    grid: i64,
    length: i64,
    /// From the earliest possible arrival of the last packet to the next line of the grid.
    phase: i64,
    /// The delay after the earliest possible arrival that nearly all packets need.
    need: i64,
}

impl Transit {
    pub(super) fn new(tick: Duration) -> Self {
        Transit {
            tick: tick_nanos(tick),
            last_tick: 0,
            last: None,
            base: 0,
            minima: [0; PERIODS],
            period: 0,
            began: 0,
            bins: [0; BINS],
            top: 0,
            late: Lateness::new(),
            drift: Drift::new(),
            grid: tick_nanos(tick),
            length: 0,
            phase: 0,
            need: 0,
        }
    }

    pub(super) fn tick(&mut self, now: Time) {
        self.last_tick = nanos(now);
    }

    pub(super) fn tick_len(&self) -> i64 {
        self.tick
    }

    /// Measures a packet with `ticks` of audio; `late` says that it came after its turn.
    pub(super) fn arrive(&mut self, arrival: &Arrival, ticks: u32, late: bool) {
        let arrived = nanos(arrival.arrived);
        let transit = match self.transit_of(arrival, arrived) {
            Some(transit) => transit,
            // A straggler of seconds says nothing about those that come in time.
            None if late => return,
            None => self.restart(arrived),
        };
        let Arrival { stream, clock, timestamp, .. } = *arrival;
        let spacing = self.last.map_or(i64::MAX, |last| arrived - last.arrived);
        self.last = Some(Sample { stream, clock, timestamp, arrived, transit });
        self.turn_period(arrived, transit);
        self.rebase(transit);
        self.drift.note(arrived, transit);
        self.measure(ticks, clock);
        self.count(transit - self.base, spacing);
        if late {
            let needs = (transit - self.base + BIN).min(MAX_TARGET);
            self.late.note(arrived, needs, spacing < self.length / 2);
        }
        self.phase = (self.last_tick - (arrived - (transit - self.base))).rem_euclid(self.grid);
        self.settle();
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
        (self.top, self.need) = (0, 0);
        (self.late, self.drift) = (Lateness::new(), Drift::new());
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
        for bin in self.bins.iter_mut().take(self.top + 1) {
            *bin -= bin.div_ceil(8);
        }
        self.late.pass(arrived);
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
        let base = minimum.div_euclid(BIN) * BIN;
        let longer = self.base - base;
        if longer != 0 {
            self.base = base;
            self.late.shift(longer);
            self.shift(longer / BIN);
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

    /// Packets that were held up together come together: they count as one.
    fn count(&mut self, delay: i64, spacing: i64) {
        let index = bin_of(delay / BIN);
        let weight =
            if self.length > 0 { spacing.clamp(0, self.length) * WEIGHT / self.length } else { WEIGHT };
        if let Some(bin) = self.bins.get_mut(index) {
            *bin = bin.saturating_add(u16::try_from(weight).unwrap_or(0).max(1));
        }
        self.top = self.top.max(index);
    }

    fn measure(&mut self, ticks: u32, clock: ClockRate) {
        let length = span(ticks, 0, clock);
        if length != self.length && length > 0 {
            self.length = length;
            // Nothing in use is finer than 2.5 ms.
            self.grid = common_measure(self.tick, length).max(MS);
        }
    }

    /// The least delay after the earliest possible arrival with which packets without jitter are there when they
    /// are needed: up to the next tick, and up to the worst of the ticks that packets of 10, 30 or 50 ms meet.
    fn least(&self) -> i64 {
        self.phase + self.tick - self.grid
    }

    /// The delay that 97 of 100 packets do not exceed: upper edge of the bin.
    fn percentile(&self) -> i64 {
        let bins = self.bins.get(..=self.top).unwrap_or(&[]);
        let total: u32 = bins.iter().map(|b| u32::from(*b)).sum();
        let mut above = 0;
        let index = bins.iter().rposition(|b| {
            above += u32::from(*b);
            above > total * SPARED / 100
        });
        index.and_then(|i| i64::try_from(i + 1).ok()).unwrap_or(0) * BIN
    }

    fn settle(&mut self) {
        let need = self.percentile().max(self.late.needs()) + self.drift.growth(AHEAD);
        if need > self.need || need + HYSTERESIS < self.need {
            self.need = need;
        }
    }

    /// Delay wanted beyond the least: whole steps of the grid, since a part of one gains nothing.
    pub(super) fn target(&self) -> i64 {
        let beyond = (self.need - self.phase).max(0);
        let steps = (beyond + self.grid - 1) / self.grid;
        (steps * self.grid).min(MAX_TARGET)
    }

    /// When nearly all packets whose audio begins at `timestamp` will have come; `None` where nothing is known of its
    /// timeline.
    pub(super) fn due(&self, timestamp: u32, clock: ClockRate) -> Option<i64> {
        let last = self.last.filter(|l| l.clock == clock)?;
        let earliest = last.arrived - (last.transit - self.base) + span(timestamp, last.timestamp, clock);
        Some(earliest + self.need)
    }

    /// Length of a packet.
    pub(super) fn length(&self) -> i64 {
        self.length
    }

    /// Packets after which packets and ticks stand to each other as before.
    pub(super) fn cycle(&self) -> i64 {
        self.tick / self.grid
    }

    /// How much faster than ours the sender's clock runs, parts in a million.
    pub(super) fn drift(&self) -> Option<f64> {
        self.drift.ppm()
    }

    /// Delay beyond the least if `timestamp` plays at `at`; `None` where nothing is known of its timeline.
    pub(super) fn excess(&self, timestamp: u32, clock: ClockRate, at: i64) -> Option<i64> {
        let last = self.last.filter(|l| l.clock == clock)?;
        let earliest = last.arrived - (last.transit - self.base) + span(timestamp, last.timestamp, clock);
        let excess = at - earliest - self.least();
        (excess.abs() <= JUMP).then_some(excess)
    }
}

fn tick_nanos(tick: Duration) -> i64 {
    i64::try_from(tick.as_nanos()).unwrap_or(i64::MAX).clamp(MS, 1_000 * MS)
}

fn common_measure(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
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
