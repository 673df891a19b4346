use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

/// Datagrams held in all, and from one address.
const HELD: usize = 4_096;
const HELD_PER_SOURCE: usize = 1_024;

/// A datagram and where it came from.
pub(crate) type Datagram = (SocketAddr, Bytes);

/// Datagrams that wait, taken from each source by turns: who sends much waits for nobody but himself.
#[derive(Debug, Default)]
pub(crate) struct FairQueue {
    by_source: BTreeMap<IpAddr, VecDeque<Datagram>>,
    /// Each source that has something waiting, once.
    turns: VecDeque<IpAddr>,
    held: usize,
}

impl FairQueue {
    pub const fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// False when there is no room for it; its sender will repeat it.
    pub fn push(&mut self, datagram: Datagram) -> bool {
        let source = datagram.0.ip();
        let waiting = self.by_source.get(&source).map_or(0, VecDeque::len);
        if self.held >= HELD || waiting >= HELD_PER_SOURCE {
            return false;
        }
        if waiting == 0 {
            self.turns.push_back(source);
        }
        self.by_source.entry(source).or_default().push_back(datagram);
        self.held += 1;
        true
    }

    /// Up to so many, one from each source and again.
    pub fn take(&mut self, most: usize) -> Vec<Datagram> {
        let mut taken = Vec::with_capacity(most.min(self.held));
        while taken.len() < most
            && let Some(source) = self.turns.pop_front()
        {
            let Some(queue) = self.by_source.get_mut(&source) else { continue };
            taken.extend(queue.pop_front());
            if queue.is_empty() {
                self.by_source.remove(&source);
            } else {
                self.turns.push_back(source);
            }
        }
        self.held = self.held.saturating_sub(taken.len());
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(source: u8, number: usize) -> Datagram {
        (SocketAddr::from(([192, 0, 2, source], 5060)), Bytes::from(number.to_string()))
    }

    #[test]
    fn sources_take_turns_and_each_keeps_its_order() {
        let mut queue = FairQueue::default();
        for (source, number) in [(1, 0), (1, 1), (1, 2), (2, 0), (3, 0), (3, 1)] {
            assert!(queue.push(datagram(source, number)));
        }
        let expected = [(1, 0), (2, 0), (3, 0), (1, 1), (3, 1)].map(|(s, n)| datagram(s, n));
        assert_eq!(queue.take(5), expected);
        assert_eq!(queue.take(5), [datagram(1, 2)]);
        assert!(queue.is_empty() && queue.by_source.is_empty() && queue.turns.is_empty());
    }

    #[test]
    fn who_floods_is_bounded_and_others_come_next() {
        let mut queue = FairQueue::default();
        let taken = (0..5_000).filter(|n| queue.push(datagram(1, *n))).count();
        assert_eq!(taken, HELD_PER_SOURCE);
        assert!(queue.push(datagram(2, 0)));
        assert_eq!(queue.take(2), [datagram(1, 0), datagram(2, 0)]);
        for source in 3..40 {
            for n in 0..HELD_PER_SOURCE {
                queue.push(datagram(source, n));
            }
        }
        assert_eq!(queue.held, HELD);
        assert!(!queue.push(datagram(50, 0)));
        assert_eq!(queue.take(HELD + 1).len(), HELD);
        assert!(queue.is_empty());
    }
}
