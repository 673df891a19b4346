use std::time::Duration;

use tandem_base::{LossClass, Time};

/// Time constants: losses are believed sooner than their end.
const RISE: f32 = 4.0;
/// See [`RISE`], s.
const FALL: f32 = 12.0;
/// Reports that come faster than this say nothing new.
const LEAST_INTERVAL: Duration = Duration::from_millis(500);
/// One report may look back on a few packets only; so many make a picture.
const ENOUGH: u32 = 2;

/// From this share of packets lost on a receiver is worse than the class below, and up to that it stays.
const SOME: (f32, f32) = (0.02, 0.005);
/// The same for the worst class.
const MUCH: (f32, f32) = (0.12, 0.07);

/// How a receiver fares, by what its reports say it loses: smoothed, and with hysteresis, so that it does not waver.
#[derive(Clone, Copy, Debug, Default)]
pub struct LossWatch {
    share: f32,
    reports: u32,
    last: Option<Time>,
    class: LossClass,
}

impl LossWatch {
    /// Takes the fraction lost of a report that arrived at `arrived` (RFC 3550 §6.4.1: in 1/256).
    pub fn absorb(&mut self, fraction_lost: u8, arrived: Time) {
        let share = f32::from(fraction_lost) / 256.0;
        match self.last {
            Some(last) if arrived.since(last) < LEAST_INTERVAL => return,
            Some(last) => {
                let constant = if share > self.share { RISE } else { FALL };
                let weight = 1.0 - (-arrived.since(last).as_secs_f32() / constant).exp();
                self.share += (share - self.share) * weight;
            }
            None => self.share = share,
        }
        self.last = Some(arrived);
        self.reports = self.reports.saturating_add(1);
        if self.reports >= ENOUGH {
            self.class = self.judged();
        }
    }

    fn judged(&self) -> LossClass {
        let above =
            |(enter, stay): (f32, f32), present: bool| self.share >= if present { stay } else { enter };
        // Who has not been judged yet is in the middle without having lost anything.
        let lossy = self.class > LossClass::Clean && self.reports > ENOUGH;
        match () {
            () if above(MUCH, self.class == LossClass::Heavy) => LossClass::Heavy,
            () if above(SOME, lossy) => LossClass::Lossy,
            () => LossClass::Clean,
        }
    }

    /// Present class; [`LossClass::Lossy`] until reports have told.
    pub fn class(&self) -> LossClass {
        self.class
    }

    /// Share of packets lost, smoothed, 0.0 to 1.0.
    pub fn share(&self) -> f32 {
        self.share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A report every five seconds; what was thought after each.
    fn classes(lost: impl IntoIterator<Item = u8>) -> Vec<LossClass> {
        let mut watch = LossWatch::default();
        let mut now = Time::ZERO;
        let mut all = Vec::new();
        for fraction in lost {
            now += Duration::from_secs(5);
            watch.absorb(fraction, now);
            all.push(watch.class());
        }
        all
    }

    use LossClass::{Clean, Heavy, Lossy};

    #[test]
    fn who_loses_nothing_is_believed_after_two_reports() {
        assert_eq!(LossWatch::default().class(), Lossy);
        assert_eq!(classes([0, 0, 0]), [Lossy, Clean, Clean]);
    }

    #[test]
    fn losses_are_believed_at_once_and_their_end_later() {
        let classes = classes([0, 0, 0].into_iter().chain([64; 3]).chain([0; 20]));
        assert_eq!(classes[..6], [Lossy, Clean, Clean, Heavy, Heavy, Heavy]);
        let lossy = classes.iter().skip(6).position(|c| *c == Lossy).unwrap();
        let clean = classes.iter().skip(6).position(|c| *c == Clean).unwrap();
        assert!((2..=4).contains(&lossy) && (8..=12).contains(&clean), "{lossy} {clean}");
        assert!(classes[6 + clean..].iter().all(|c| *c == Clean));
    }

    #[test]
    fn what_varies_about_a_bound_does_not_waver() {
        // 1 % and 3 %; 9 % and 14 %.
        for (low, high, expected) in [(3, 8, Lossy), (24, 36, Heavy)] {
            let classes = classes((0..200).map(|n| if n % 2 == 0 { low } else { high }));
            let changes = classes.windows(2).filter(|w| w[0] != w[1]).count();
            assert!(changes <= 2 && classes[199] == expected, "{changes} changes");
        }
    }

    #[test]
    fn a_flood_of_reports_changes_nothing() {
        let mut watch = LossWatch::default();
        for n in 0..1_000 {
            watch.absorb(255, Time::from_millis(n / 3));
        }
        assert_eq!(watch.class(), Lossy);
    }
}
