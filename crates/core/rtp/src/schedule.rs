use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_base::{Entropy, Time};

/// Nominal interval between reports (RFC 3550 §6.2: five seconds at least).
const INTERVAL: Duration = Duration::from_secs(5);
/// e − 3/2: makes up for timer reconsideration converging below the mean (RFC 3550 §6.3.1).
const COMPENSATION: f64 = std::f64::consts::E - 1.5;

/// When the next RTCP compound is due: two parties, so the interval is the fixed minimum (RFC 3550 §6.2).
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ReportSchedule {
    due: Time,
}

impl ReportSchedule {
    /// The first report comes after half the interval (RFC 3550 §6.2).
    pub fn new(now: Time, entropy: &mut impl Entropy) -> Self {
        ReportSchedule { due: now + randomised(INTERVAL / 2, entropy) }
    }

    /// When the next report is due.
    pub fn deadline(&self) -> Time {
        self.due
    }

    /// A report was sent: sets the next deadline.
    pub fn sent(&mut self, now: Time, entropy: &mut impl Entropy) {
        self.due = now + randomised(INTERVAL, entropy);
    }
}

/// Half to one and a half times the interval, over e − 3/2 (RFC 3550 §6.3.1).
fn randomised(interval: Duration, entropy: &mut impl Entropy) -> Duration {
    let fraction = f64::from(entropy.next_u32()) / f64::from(u32::MAX);
    interval.mul_f64((0.5 + fraction) / COMPENSATION)
}

#[cfg(test)]
mod tests {
    use tandem_testkit::Seeded;

    use super::*;

    #[test]
    fn intervals_spread_as_the_rfc_says() {
        let mut entropy = Seeded::new(1);
        let mut schedule = ReportSchedule::new(Time::ZERO, &mut entropy);
        let first = schedule.deadline().since(Time::ZERO).as_secs_f64();
        assert!((1.02..=3.08).contains(&first), "{first}");
        let mut sum = 0.0;
        for _ in 0..1_000 {
            let before = schedule.deadline();
            schedule.sent(before, &mut entropy);
            let gap = schedule.deadline().since(before).as_secs_f64();
            assert!((2.05..=6.16).contains(&gap), "{gap}");
            sum += gap;
        }
        assert!((sum / 1_000.0 - 4.1).abs() < 0.15, "{sum}");
    }
}
