const BUCKETS: usize = 4;
const BUCKET_MS: usize = 160;
/// Ticks in which delay must be missing before any is put in: one alone may have run late.
const LASTING: usize = 3;

/// By how much there was too much delay of late, in samples; too little is negative.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    /// The least of each bucket.
    buckets: [Option<isize>; BUCKETS],
    ticks_per_bucket: usize,
    ticks: usize,
    /// Of the last ticks.
    latest: [isize; LASTING],
}

impl Watch {
    pub(super) fn new(frame_ms: usize) -> Self {
        let ticks_per_bucket = (BUCKET_MS / frame_ms.max(1)).max(1);
        Watch { buckets: [None; BUCKETS], ticks_per_bucket, ticks: 0, latest: [0; LASTING] }
    }

    /// Notes the excess after a tick.
    pub(super) fn note(&mut self, excess: isize) {
        if self.ticks == self.ticks_per_bucket {
            self.buckets.rotate_right(1);
            self.buckets[0] = None;
            self.ticks = 0;
        }
        self.ticks += 1;
        self.buckets[0] = Some(self.buckets[0].map_or(excess, |least| least.min(excess)));
        self.latest.rotate_right(1);
        self.latest[0] = excess;
    }

    /// What has been too much all the time, for half a second; 0 until it has seen enough.
    pub(super) fn excess(&self) -> usize {
        let seen = self.buckets.iter().flatten().count() == BUCKETS;
        let least = self.buckets.iter().flatten().min().filter(|_| seen);
        least.map_or(0, |least| usize::try_from(*least).unwrap_or(0))
    }

    /// What has been too little for some ticks.
    pub(super) fn deficit(&self) -> usize {
        let most = self.latest.iter().max().map_or(0, |most| most.saturating_neg());
        usize::try_from(most).unwrap_or(0)
    }

    /// What was seen, had the delay been `by` shorter.
    pub(super) fn shorten(&mut self, by: usize) {
        self.shift(isize::try_from(by).unwrap_or(0).saturating_neg());
    }

    /// What was seen, had the delay been `by` longer.
    pub(super) fn lengthen(&mut self, by: usize) {
        self.shift(isize::try_from(by).unwrap_or(0));
    }

    fn shift(&mut self, by: isize) {
        for excess in self.buckets.iter_mut().flatten().chain(&mut self.latest) {
            *excess = excess.saturating_add(by);
        }
    }

    pub(super) fn clear(&mut self) {
        self.buckets = [None; BUCKETS];
        self.ticks = 0;
        self.latest = [0; LASTING];
    }
}
