/// How long one minimum is looked for, ns: long enough for some packets to have come without jitter.
const BLOCK: i64 = 4_000_000_000;
/// Minima that the slope is taken of: a minute.
const BLOCKS: usize = 16;
/// With fewer there is no estimate.
const ENOUGH: usize = 4;
/// A minimum that is so far, ns, from where the others lead is another route, and says nothing of clocks.
const ROUTE: f64 = 4_000_000.0;
/// No clock in use is so far off: parts in a million.
const MOST_PPM: f64 = 1_000.0;

/// How fast the sender's clock runs against ours, by the slope of the shortest transit times.
///
/// The median of the slopes between all pairs of minima (Theil and Sen), so that a few that jitter spoilt do no harm.
#[derive(Debug)]
pub(super) struct Drift {
    /// When they came, and their transit time, ns; the oldest first.
    minima: [(i64, i64); BLOCKS],
    len: usize,
    began: Option<i64>,
    least: (i64, i64),
    /// ns of transit a ns of time.
    slope: Option<f64>,
}

impl Drift {
    pub(super) const fn new() -> Self {
        Drift { minima: [(0, 0); BLOCKS], len: 0, began: None, least: (0, 0), slope: None }
    }

    /// A packet came at `arrived` after `transit`.
    pub(super) fn note(&mut self, arrived: i64, transit: i64) {
        let Some(began) = self.began else {
            self.began = Some(arrived);
            self.least = (arrived, transit);
            return;
        };
        if arrived - began >= BLOCK {
            self.keep(self.least);
            self.began = Some(arrived);
            self.least = (arrived, transit);
        } else if transit < self.least.1 {
            self.least = (arrived, transit);
        }
    }

    fn keep(&mut self, minimum: (i64, i64)) {
        let newest = self.len.checked_sub(1).and_then(|i| self.minima.get(i));
        if newest
            .is_some_and(|newest| (rise(*newest, minimum) - self.expected(*newest, minimum)).abs() > ROUTE)
        {
            (self.len, self.slope) = (0, None);
        }
        if self.len == BLOCKS {
            self.minima.rotate_left(1);
            self.len -= 1;
        }
        if let Some(place) = self.minima.get_mut(self.len) {
            *place = minimum;
            self.len += 1;
        }
        if self.len >= ENOUGH {
            self.slope = self.median();
        }
    }

    fn expected(&self, from: (i64, i64), to: (i64, i64)) -> f64 {
        self.slope.unwrap_or(0.0) * (to.0 - from.0) as f64
    }

    fn median(&self) -> Option<f64> {
        const PAIRS: usize = BLOCKS * (BLOCKS - 1) / 2;
        let mut slopes = [0.0; PAIRS];
        let minima = self.minima.get(..self.len)?;
        let mut count = 0;
        for (i, earlier) in minima.iter().enumerate() {
            for later in minima.iter().skip(i + 1) {
                if let Some(place) = slopes.get_mut(count) {
                    *place = rise(*earlier, *later) / (later.0 - earlier.0).max(1) as f64;
                    count += 1;
                }
            }
        }
        let slopes = slopes.get_mut(..count)?;
        slopes.sort_unstable_by(f64::total_cmp);
        slopes.get(count / 2).copied()
    }

    /// How much faster than ours the sender's clock runs, parts in a million; `None` before it is known.
    pub(super) fn ppm(&self) -> Option<f64> {
        self.slope.map(|slope| (-slope * 1e6).clamp(-MOST_PPM, MOST_PPM))
    }

    /// By how much, ns, transit times will have grown after `time` ns; never negative.
    pub(super) fn growth(&self, time: i64) -> i64 {
        let slope = self.slope.unwrap_or(0.0).clamp(0.0, MOST_PPM * 1e-6);
        #[expect(clippy::cast_possible_truncation, reason = "at most a thousandth of a few seconds")]
        let growth = (slope * time as f64) as i64;
        growth
    }
}

fn rise(from: (i64, i64), to: (i64, i64)) -> f64 {
    (to.1 - from.1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: i64 = 20_000_000;

    /// What is known after so many seconds of a clock that runs `ppm` fast, with `noise(n)` ns of jitter.
    fn after(seconds: i64, ppm: f64, noise: impl Fn(i64) -> i64) -> Drift {
        let mut drift = Drift::new();
        for n in 0..seconds * 50 {
            let sent = (n * PACKET) as f64;
            drift.note(n * PACKET + noise(n), (-sent * ppm * 1e-6) as i64 + noise(n));
        }
        drift
    }

    #[test]
    fn a_clock_is_known_within_half_a_minute() {
        for ppm in [-500.0, -100.0, -20.0, 0.0, 20.0, 100.0, 500.0] {
            let jitter = |n: i64| (n * 7_919 % 101) * 300_000;
            let found = after(30, ppm, jitter).ppm().unwrap();
            assert!((found - ppm).abs() < 15.0, "{ppm}: {found}");
            let found = after(70, ppm, jitter).ppm().unwrap();
            assert!((found - ppm).abs() < 5.0, "{ppm}: {found}");
        }
    }

    #[test]
    fn another_route_is_no_drift() {
        let route = |n: i64| if n < 50 * 40 { 0 } else { 30_000_000 };
        assert_eq!(after(45, 100.0, route).ppm(), None);
        let found = after(80, 100.0, route).ppm().unwrap();
        assert!((found - 100.0).abs() < 5.0, "{found}");
    }

    #[test]
    fn nothing_is_claimed_too_early_or_beyond_reason() {
        assert_eq!(after(10, 500.0, |_| 0).ppm(), None);
        assert_eq!(after(60, 3_000.0, |_| 0).ppm(), None, "no clock is so far off");
        let slow = after(60, -200.0, |_| 0);
        assert!((700_000..900_000).contains(&slow.growth(4_000_000_000)), "{}", slow.growth(4_000_000_000));
        assert_eq!(after(60, 200.0, |_| 0).growth(4_000_000_000), 0);
    }
}
