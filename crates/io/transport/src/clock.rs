use std::time::{Duration, Instant};

use tandem_base::Time;

/// Our time as the libraries want it: an arbitrary instant stands for the beginning, only differences count.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    pub fn new() -> Self {
        Clock(Instant::now())
    }

    /// Times that no clock can show are the beginning: they do not occur.
    pub fn instant(self, time: Time) -> Instant {
        self.0.checked_add(Duration::from_nanos(time.as_nanos())).unwrap_or(self.0)
    }

    pub fn time(self, instant: Instant) -> Time {
        Time::ZERO + instant.saturating_duration_since(self.0)
    }
}
