use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::packetizer::TICK_MS;
use crate::surroundings::Tally;

/// How late ticks ran after their deadline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lateness {
    /// Half of the ticks were no later than this.
    pub p50: Duration,
    /// 99 of 100 ticks were no later than this.
    pub p99: Duration,
    /// The latest of all.
    pub max: Duration,
}

/// All workers together, counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerMetrics {
    /// Media threads.
    pub threads: usize,
    /// Legs that are configured at present.
    pub legs: u64,
    /// Conferences that run at present.
    pub conferences: u64,
    /// Parts of big conferences that run beside the part that mixes.
    pub annexes: u64,
    /// Encoders shared by listeners at present (those without a listener included).
    pub renditions: u64,
    /// Ticks run: one per phase in use and 20 ms.
    pub ticks: u64,
    /// Ticks that were due and left out because the thread was late.
    pub missed: u64,
    /// From deadline to start; within a fifth.
    pub lateness: Lateness,
    /// Packets encoded, for one leg or for a rendition.
    pub encodes: u64,
    /// Frames between the parts of a big room that came too late and were left out.
    pub late_frames: u64,
    /// Sound of peers played, made up or not, all legs in sum; pauses do not count.
    pub played: Duration,
    /// Of it, what was made up since nothing came in time.
    pub concealed: Duration,
    /// Of it, what FEC or redundancy brought back.
    pub recovered: Duration,
    /// Sound that is queued or decoded and still waits right after a tick: the mean over all legs and ticks that played.
    pub playout_delay: Duration,
    /// RTP packets accepted.
    pub packets_in: u64,
    /// RTP packets sent.
    pub packets_out: u64,
    /// Packets that the kernel refused to send.
    pub send_errors: u64,
    /// Datagrams from somebody else than the peer: dropped. While the peer is heard from where it said, the kernel drops
    /// them uncounted.
    pub strangers: u64,
    /// Datagrams that are neither RTP nor RTCP, are cut short or of a payload type never agreed: dropped.
    pub malformed: u64,
    /// Datagrams to encrypted legs that were plain, forged or under another key: dropped.
    pub unauthentic: u64,
    /// Datagrams to encrypted legs that came before: dropped.
    pub replayed: u64,
    /// Events that wait for room in the channel at present.
    pub events_waiting: u64,
}

/// Four buckets per doubling, from 1 µs to half a minute.
const BUCKETS: usize = 100;

/// What one worker publishes: written by its thread alone, read by anybody.
#[derive(Debug)]
pub struct Counters {
    legs: AtomicU64,
    conferences: AtomicU64,
    annexes: AtomicU64,
    renditions: AtomicU64,
    ticks: AtomicU64,
    missed: AtomicU64,
    encodes: AtomicU64,
    late_frames: AtomicU64,
    played_ticks: AtomicU64,
    playout_delay_us: AtomicU64,
    concealed_us: AtomicU64,
    recovered_us: AtomicU64,
    busy: AtomicU64,
    packets_in: AtomicU64,
    packets_out: AtomicU64,
    send_errors: AtomicU64,
    strangers: AtomicU64,
    malformed: AtomicU64,
    unauthentic: AtomicU64,
    replayed: AtomicU64,
    events_waiting: AtomicU64,
    latest: AtomicU64,
    lateness: [AtomicU64; BUCKETS],
}

/// What a worker has at present.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Population {
    /// Legs.
    pub legs: usize,
    /// Conferences.
    pub conferences: usize,
    /// Annexes of conferences.
    pub annexes: usize,
    /// Shared encoders.
    pub renditions: usize,
}

fn bucket(late: Duration) -> usize {
    let micros = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
    if micros < 4 {
        return micros as usize;
    }
    let exponent = micros.ilog2() as usize;
    let quarter = (micros >> (exponent - 2)) as usize & 3;
    ((exponent - 1) * 4 + quarter).min(BUCKETS - 1)
}

/// The first value that lies beyond a bucket.
fn upper_bound(bucket: usize) -> Duration {
    if bucket < 4 {
        return Duration::from_micros(bucket as u64 + 1);
    }
    let (exponent, quarter) = (bucket / 4 + 1, bucket as u64 % 4);
    Duration::from_micros((5 + quarter) << (exponent - 2))
}

fn add(counter: &AtomicU64, n: u64) {
    // One writer: a load and a store do what a locked addition would.
    counter.store(counter.load(Relaxed) + n, Relaxed);
}

impl Default for Counters {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Counters {
            legs: zero(),
            conferences: zero(),
            annexes: zero(),
            renditions: zero(),
            ticks: zero(),
            missed: zero(),
            encodes: zero(),
            late_frames: zero(),
            played_ticks: zero(),
            playout_delay_us: zero(),
            concealed_us: zero(),
            recovered_us: zero(),
            busy: zero(),
            packets_in: zero(),
            packets_out: zero(),
            send_errors: zero(),
            strangers: zero(),
            malformed: zero(),
            unauthentic: zero(),
            replayed: zero(),
            events_waiting: zero(),
            latest: zero(),
            lateness: [const { AtomicU64::new(0) }; BUCKETS],
        }
    }
}

impl Counters {
    /// A tick began so much after its deadline, and `missed` before it were left out.
    pub fn tick(&self, late: Duration, missed: u64) {
        add(&self.ticks, 1);
        add(&self.missed, missed);
        if let Some(counter) = self.lateness.get(bucket(late)) {
            add(counter, 1);
        }
        let nanos = u64::try_from(late.as_nanos()).unwrap_or(u64::MAX);
        self.latest.store(self.latest.load(Relaxed).max(nanos), Relaxed);
    }

    /// A tick took so long.
    pub fn took(&self, time: Duration) {
        add(&self.busy, u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    /// How long all ticks took so far.
    pub fn busy(&self) -> Duration {
        Duration::from_nanos(self.busy.load(Relaxed))
    }

    /// Publishes what was counted so far.
    pub fn publish(&self, tally: &Tally, population: Population, events_waiting: usize) {
        self.legs.store(population.legs as u64, Relaxed);
        self.conferences.store(population.conferences as u64, Relaxed);
        self.annexes.store(population.annexes as u64, Relaxed);
        self.renditions.store(population.renditions as u64, Relaxed);
        self.encodes.store(tally.encodes, Relaxed);
        self.late_frames.store(tally.late_frames, Relaxed);
        self.played_ticks.store(tally.played_ticks, Relaxed);
        self.playout_delay_us.store(tally.playout_delay_us, Relaxed);
        self.concealed_us.store(tally.concealed_us, Relaxed);
        self.recovered_us.store(tally.recovered_us, Relaxed);
        self.packets_in.store(tally.packets_in, Relaxed);
        self.packets_out.store(tally.packets_out, Relaxed);
        self.send_errors.store(tally.send_errors, Relaxed);
        self.strangers.store(tally.strangers, Relaxed);
        self.malformed.store(tally.malformed, Relaxed);
        self.unauthentic.store(tally.unauthentic, Relaxed);
        self.replayed.store(tally.replayed, Relaxed);
        self.events_waiting.store(events_waiting as u64, Relaxed);
    }
}

/// All workers' figures as one.
pub fn total<'a>(workers: impl Iterator<Item = &'a Counters> + Clone) -> WorkerMetrics {
    let sum =
        |field: fn(&Counters) -> &AtomicU64| workers.clone().map(|w| field(w).load(Relaxed)).sum::<u64>();
    let played_ticks = sum(|w| &w.played_ticks);
    WorkerMetrics {
        threads: workers.clone().count(),
        legs: sum(|w| &w.legs),
        conferences: sum(|w| &w.conferences),
        annexes: sum(|w| &w.annexes),
        renditions: sum(|w| &w.renditions),
        ticks: sum(|w| &w.ticks),
        missed: sum(|w| &w.missed),
        lateness: lateness(workers.clone()),
        encodes: sum(|w| &w.encodes),
        late_frames: sum(|w| &w.late_frames),
        played: Duration::from_millis(played_ticks * u64::from(TICK_MS)),
        concealed: Duration::from_micros(sum(|w| &w.concealed_us)),
        recovered: Duration::from_micros(sum(|w| &w.recovered_us)),
        playout_delay: Duration::from_micros(sum(|w| &w.playout_delay_us) / played_ticks.max(1)),
        packets_in: sum(|w| &w.packets_in),
        packets_out: sum(|w| &w.packets_out),
        send_errors: sum(|w| &w.send_errors),
        strangers: sum(|w| &w.strangers),
        malformed: sum(|w| &w.malformed),
        unauthentic: sum(|w| &w.unauthentic),
        replayed: sum(|w| &w.replayed),
        events_waiting: sum(|w| &w.events_waiting),
    }
}

fn lateness<'a>(workers: impl Iterator<Item = &'a Counters> + Clone) -> Lateness {
    let mut counts = [0u64; BUCKETS];
    for worker in workers.clone() {
        for (sum, counter) in counts.iter_mut().zip(&worker.lateness) {
            *sum += counter.load(Relaxed);
        }
    }
    let max = workers.map(|w| w.latest.load(Relaxed)).max().unwrap_or(0);
    let max = Duration::from_nanos(max);
    Lateness { p50: percentile(&counts, 50).min(max), p99: percentile(&counts, 99).min(max), max }
}

fn percentile(counts: &[u64; BUCKETS], percent: u64) -> Duration {
    let rank = (counts.iter().sum::<u64>() * percent).div_ceil(100);
    let mut seen = 0;
    for (bucket, count) in counts.iter().enumerate() {
        seen += count;
        if rank > 0 && seen >= rank {
            return upper_bound(bucket);
        }
    }
    Duration::ZERO
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_in_order_and_hold_their_values() {
        let mut last = 0;
        for micros in 0..1_000_000 {
            let d = Duration::from_micros(micros);
            let b = bucket(d);
            assert!(b == last || b == last + 1, "{micros}");
            last = b;
            assert!(d < upper_bound(b), "{micros}");
            assert!(b == 0 || upper_bound(b - 1) <= d, "{micros}");
        }
        assert_eq!(bucket(Duration::MAX), BUCKETS - 1);
    }

    #[test]
    fn sound_of_all_workers_is_summed_up() {
        let (a, b) = (Counters::default(), Counters::default());
        let delays = |ticks, us| Tally { played_ticks: ticks, playout_delay_us: us, ..Tally::default() };
        a.publish(&Tally { concealed_us: 7_000, ..delays(50, 1_000_000) }, Population::default(), 0);
        b.publish(
            &Tally { concealed_us: 5_000, recovered_us: 20_000, ..delays(150, 0) },
            Population::default(),
            0,
        );
        let m = total([&a, &b].into_iter());
        assert_eq!((m.played, m.playout_delay), (Duration::from_secs(4), Duration::from_millis(5)));
        assert_eq!((m.concealed, m.recovered), (Duration::from_millis(12), Duration::from_millis(20)));
    }

    #[test]
    fn percentiles_come_from_all_workers() {
        let (a, b) = (Counters::default(), Counters::default());
        for _ in 0..98 {
            a.tick(Duration::from_micros(50), 0);
        }
        b.tick(Duration::from_micros(900), 0);
        b.tick(Duration::from_millis(30), 1);
        let m = total([&a, &b].into_iter());
        assert_eq!((m.threads, m.ticks, m.missed), (2, 100, 1));
        assert_eq!(m.lateness.p50, Duration::from_micros(56));
        assert_eq!(m.lateness.p99, Duration::from_micros(1_024));
        assert_eq!(m.lateness.max, Duration::from_millis(30));
        assert_eq!(total([].into_iter()), WorkerMetrics::default());
    }
}
