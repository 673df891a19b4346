const BUCKETS: usize = 4;
const BUCKET_MS: usize = 400;

/// Least and most delay over the last 1.2 to 1.6 seconds, in samples.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    buckets: [(usize, usize); BUCKETS],
    ticks_per_bucket: usize,
    ticks: usize,
    /// Full buckets so far, up to all of them.
    full: usize,
}

const EMPTY: (usize, usize) = (usize::MAX, 0);

impl Watch {
    pub(super) fn new(frame_ms: usize) -> Self {
        let ticks_per_bucket = (BUCKET_MS / frame_ms.max(1)).max(1);
        Watch { buckets: [EMPTY; BUCKETS], ticks_per_bucket, ticks: 0, full: 0 }
    }

    /// Notes the delay after a tick.
    pub(super) fn note(&mut self, delay: usize) {
        if self.ticks == self.ticks_per_bucket {
            self.buckets.rotate_right(1);
            self.buckets[0] = EMPTY;
            self.ticks = 0;
            self.full = (self.full + 1).min(BUCKETS);
        }
        self.ticks += 1;
        let (least, most) = &mut self.buckets[0];
        *least = delay.min(*least);
        *most = delay.max(*most);
    }

    /// Least and most; `None` until it has seen enough.
    pub(super) fn range(&self) -> Option<(usize, usize)> {
        let seen = self.full >= BUCKETS - 1;
        let join = |a: (usize, usize), b: &(usize, usize)| (a.0.min(b.0), a.1.max(b.1));
        seen.then(|| self.buckets.iter().fold(EMPTY, join))
    }

    /// What was seen, had the delay been `by` shorter.
    pub(super) fn shorten(&mut self, by: usize) {
        self.each(|delay| delay.saturating_sub(by));
    }

    /// What was seen, had the delay been `by` longer.
    pub(super) fn lengthen(&mut self, by: usize) {
        self.each(|delay| delay.saturating_add(by));
    }

    fn each(&mut self, change: impl Fn(usize) -> usize) {
        for bucket in self.buckets.iter_mut().filter(|bucket| **bucket != EMPTY) {
            *bucket = (change(bucket.0), change(bucket.1));
        }
    }

    pub(super) fn clear(&mut self) {
        self.buckets = [EMPTY; BUCKETS];
        self.ticks = 0;
        self.full = 0;
    }
}
