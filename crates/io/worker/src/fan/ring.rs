use std::sync::Arc;

use crossbeam_queue::ArrayQueue;

/// Entries that may wait: the producer may be ahead by one tick, and be late with the next.
const DEPTH: usize = 2;

/// A bounded queue whose entries are made once and used over and over. Neither side waits for the other: where the
/// consumer is behind, the oldest entry gives way and is counted.
struct Ring<T> {
    full: ArrayQueue<Box<T>>,
    free: ArrayQueue<Box<T>>,
}

/// The end that fills entries; there is one.
pub struct Producer<T>(Arc<Ring<T>>);

/// The end that reads them; there is one.
pub struct Consumer<T>(Arc<Ring<T>>);

/// Makes both ends; all memory that the ring will ever use is allocated here.
pub fn ring<T>(blank: impl Fn() -> T) -> (Producer<T>, Consumer<T>) {
    // One more for each end's hand.
    let entries = DEPTH + 2;
    let ring = Ring { full: ArrayQueue::new(DEPTH), free: ArrayQueue::new(entries) };
    for _ in 0..entries {
        // There is room for all of them.
        let _ = ring.free.push(Box::new(blank()));
    }
    let ring = Arc::new(ring);
    (Producer(Arc::clone(&ring)), Consumer(ring))
}

impl<T> Producer<T> {
    /// Fills an entry, which holds what it held when it was last used, and hands it over. How many gave way: 0 or 1.
    pub fn put(&mut self, fill: impl FnOnce(&mut T)) -> u64 {
        // There are more entries than can wait and be in hand: one is free.
        let Some(mut entry) = self.0.free.pop() else { return 1 };
        fill(&mut entry);
        let Some(oldest) = self.0.full.force_push(entry) else { return 0 };
        let _ = self.0.free.push(oldest);
        1
    }
}

impl<T> Consumer<T> {
    /// The oldest entry, if one waits; to be given back.
    pub fn next(&mut self) -> Option<Box<T>> {
        self.0.full.pop()
    }

    /// The entry can be used again.
    pub fn give_back(&mut self, entry: Box<T>) {
        // There is room for all of them.
        let _ = self.0.free.push(entry);
    }

    /// Passes over all but the newest entry; how many that were.
    pub fn catch_up(&mut self) -> u64 {
        let mut passed = 0;
        while self.0.full.len() > 1
            && let Some(entry) = self.next()
        {
            self.give_back(entry);
            passed += 1;
        }
        passed
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    impl<T: Copy> Consumer<T> {
        fn take(&mut self) -> Option<T> {
            let entry = self.next()?;
            let value = *entry;
            self.give_back(entry);
            Some(value)
        }
    }

    #[test]
    fn entries_come_in_order_and_the_oldest_gives_way() {
        let (mut producer, mut consumer) = ring(|| 0);
        assert_eq!(consumer.take(), None);
        let dropped: u64 = (1..=5).map(|n| producer.put(|entry| *entry = n)).sum();
        assert_eq!(dropped, 3);
        assert_eq!((consumer.take(), consumer.take(), consumer.take()), (Some(4), Some(5), None));
        producer.put(|entry| *entry = 6);
        producer.put(|entry| *entry = 7);
        assert_eq!((consumer.catch_up(), consumer.take()), (1, Some(7)));
    }

    #[test]
    fn threads_see_whole_entries_in_order() {
        let (mut producer, mut consumer) = ring(|| [0u64; 64]);
        let writer = thread::spawn(move || {
            for n in 1..=100_000 {
                producer.put(|entry| entry.fill(n));
            }
        });
        let mut last = 0;
        while last < 100_000 {
            if let Some(entry) = consumer.take() {
                assert!(entry.iter().all(|n| *n == entry[0]));
                assert!(entry[0] > last);
                last = entry[0];
            }
        }
        writer.join().unwrap();
    }
}
