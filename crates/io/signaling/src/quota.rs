use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Counters;

/// The counter that shows how many there are.
type Gauge = fn(&Counters) -> &AtomicU64;

/// Counts connections, in all and by source.
#[derive(Clone, Debug)]
pub(crate) struct Quota(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    total: usize,
    per_source: usize,
    counters: Arc<Counters>,
    gauge: Gauge,
    used: Mutex<Used>,
}

#[derive(Debug, Default)]
struct Used {
    total: usize,
    by_source: BTreeMap<IpAddr, usize>,
}

/// Leave for one connection; given back when dropped.
#[derive(Debug)]
pub(crate) struct Leave {
    quota: Quota,
    source: IpAddr,
}

impl Quota {
    pub fn new(total: usize, per_source: usize, counters: Arc<Counters>, gauge: Gauge) -> Self {
        Quota(Arc::new(Shared { total, per_source, counters, gauge, used: Mutex::default() }))
    }

    /// `None` when there are too many.
    pub fn take(&self, source: IpAddr) -> Option<Leave> {
        let mut used = self.used();
        let of_source = used.by_source.get(&source).copied().unwrap_or(0);
        if used.total >= self.0.total || of_source >= self.0.per_source {
            return None;
        }
        used.total += 1;
        used.by_source.insert(source, of_source + 1);
        Counters::add((self.0.gauge)(&self.0.counters));
        Some(Leave { quota: self.clone(), source })
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.0.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        let mut used = self.quota.used();
        used.total = used.total.saturating_sub(1);
        match used.by_source.get_mut(&self.source) {
            Some(n) if *n > 1 => *n -= 1,
            _ => drop(used.by_source.remove(&self.source)),
        }
        let shared = &self.quota.0;
        Counters::subtract((shared.gauge)(&shared.counters));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_limits_hold_and_leaves_come_back() {
        let quota = Quota::new(3, 2, Arc::default(), |counters| &counters.connections_open);
        let ip = |n: u8| IpAddr::from([192, 0, 2, n]);
        let (a, _b, _c) = (quota.take(ip(1)), quota.take(ip(1)).unwrap(), quota.take(ip(2)).unwrap());
        assert!(a.is_some() && quota.take(ip(1)).is_none() && quota.take(ip(3)).is_none());
        drop(a);
        let d = quota.take(ip(3));
        assert!(d.is_some());
        drop((d, _b, _c));
        let used = quota.used();
        assert_eq!((used.total, used.by_source.len()), (0, 0));
        assert_eq!(Counters::get(&quota.0.counters.connections_open), 0);
    }
}
