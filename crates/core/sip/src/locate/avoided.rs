use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use tandem_base::Time;

use crate::Transport;

/// Most that are remembered.
const CAPACITY: usize = 1_024;
/// The longest that anybody can ask to be left alone.
const LONGEST: Duration = Duration::from_secs(3_600);

/// Who did not answer, could not be reached, or asked to be left alone (RFC 3263 §4.3, RFC 3261 §21.5.4), and how
/// long that is to be believed. Bounded.
#[derive(Clone, Debug, Default)]
pub struct Avoided {
    until: BTreeMap<(Transport, SocketAddr), Time>,
}

impl Avoided {
    /// Believed of one that is silent or out of reach.
    pub const SILENT: Duration = Duration::from_secs(60);

    /// Avoid it for this long from `now` on, an hour at most.
    pub fn add(&mut self, transport: Transport, remote: SocketAddr, period: Duration, now: Time) {
        if self.until.len() >= CAPACITY {
            self.until.retain(|_, until| *until > now);
        }
        let key = (transport, remote);
        if self.until.len() >= CAPACITY && !self.until.contains_key(&key) {
            let soonest = self.until.iter().min_by_key(|(_, until)| **until).map(|(key, _)| *key);
            soonest.map(|soonest| self.until.remove(&soonest));
        }
        self.until.insert(key, now + period.min(LONGEST));
    }

    /// It has answered.
    pub fn clear(&mut self, transport: Transport, remote: SocketAddr) {
        self.until.remove(&(transport, remote));
    }

    /// Is it to be avoided?
    pub fn contains(&self, transport: Transport, remote: SocketAddr, now: Time) -> bool {
        self.until.get(&(transport, remote)).is_some_and(|until| *until > now)
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.until.len()
    }

    /// Is none remembered?
    pub fn is_empty(&self) -> bool {
        self.until.is_empty()
    }
}
