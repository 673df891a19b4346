use std::collections::BTreeMap;
use std::time::Duration;

use tandem_base::Time;

use crate::Seeded;

/// What a one-way path does to packets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Conditions {
    /// Probability that a packet vanishes, 0.0 to 1.0.
    pub loss: f64,
    /// Once a packet is lost, the probability that the next is lost too (Gilbert model); 0.0 for single losses.
    pub burst: f64,
    /// Probability that a packet arrives twice.
    pub duplicate: f64,
    /// Shortest transit time.
    pub delay: Duration,
    /// Added to it, uniformly from zero to this.
    pub jitter: Duration,
    /// May jitter change the order of packets? Otherwise a late one holds up those behind it.
    pub reorder: bool,
}

/// A seeded one-way path in virtual time: packets go in with [`Network::send`] and come out when due.
#[derive(Clone, Debug)]
pub struct Network<T> {
    conditions: Conditions,
    random: Seeded,
    in_flight: BTreeMap<(Time, u64), T>,
    sent: u64,
    last_due: Time,
    in_burst: bool,
}

impl<T: Clone> Network<T> {
    /// A path with these conditions; equal seeds behave equally.
    pub fn new(conditions: Conditions, seed: u64) -> Self {
        Network {
            conditions,
            random: Seeded::new(seed),
            in_flight: BTreeMap::new(),
            sent: 0,
            last_due: Time::ZERO,
            in_burst: false,
        }
    }

    /// Changes the weather; packets already in flight keep theirs.
    pub fn set_conditions(&mut self, conditions: Conditions) {
        self.conditions = conditions;
    }

    /// Puts a packet on the path.
    pub fn send(&mut self, packet: T, now: Time) {
        let c = self.conditions;
        let loss = if self.in_burst && c.burst > 0.0 { c.burst } else { c.loss };
        self.in_burst = self.random.chance(loss);
        if self.in_burst {
            return;
        }
        if self.random.chance(c.duplicate) {
            self.launch(packet.clone(), now);
        }
        self.launch(packet, now);
    }

    fn launch(&mut self, packet: T, now: Time) {
        let c = self.conditions;
        let mut due = now + c.delay + c.jitter.mul_f64(self.random.fraction());
        if !c.reorder {
            due = due.max(self.last_due);
        }
        self.last_due = self.last_due.max(due);
        self.sent += 1;
        self.in_flight.insert((due, self.sent), packet);
    }

    /// When the next packet comes out.
    pub fn deadline(&self) -> Option<Time> {
        self.in_flight.first_key_value().map(|((due, _), _)| *due)
    }

    /// The next packet that is due, with its time of arrival.
    pub fn receive(&mut self, now: Time) -> Option<(Time, T)> {
        if self.deadline()? > now {
            return None;
        }
        self.in_flight.pop_first().map(|((due, _), packet)| (due, packet))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(conditions: Conditions, seed: u64) -> Vec<(Time, u32)> {
        let mut path = Network::new(conditions, seed);
        for n in 0..1_000u32 {
            path.send(n, Time::from_millis(u64::from(n) * 20));
        }
        std::iter::from_fn(|| path.receive(Time::NEVER)).collect()
    }

    #[test]
    fn a_perfect_path_only_delays() {
        let seen = run(Conditions { delay: Duration::from_millis(5), ..Default::default() }, 1);
        assert_eq!(seen.len(), 1_000);
        assert!(seen.iter().all(|(t, n)| *t == Time::from_millis(u64::from(*n) * 20 + 5)));
    }

    #[test]
    fn losses_follow_the_probability_and_the_seed() {
        let rough = Conditions { loss: 0.1, jitter: Duration::from_millis(50), ..Default::default() };
        let seen = run(rough, 7);
        assert!((850..950).contains(&seen.len()), "{}", seen.len());
        assert!(seen.is_sorted_by_key(|(_, n)| *n), "in order unless reordering is on");
        assert_eq!(seen, run(rough, 7));
        assert_ne!(seen, run(rough, 8));
    }

    #[test]
    fn reordering_and_duplication_happen_when_asked_for() {
        let rough = Conditions {
            duplicate: 0.2,
            jitter: Duration::from_millis(90),
            reorder: true,
            ..Default::default()
        };
        let seen = run(rough, 3);
        assert!(seen.len() > 1_100);
        assert!(!seen.is_sorted_by_key(|(_, n)| *n));
    }
}
