use std::time::Duration;

use tandem_base::Time;

/// The timer base values (RFC 3261 §17.1.1.1, table 4); all other timers follow from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// T1: round-trip time estimate.
    pub t1: Duration,
    /// T2: longest interval between retransmissions of non-INVITE requests and of INVITE responses.
    pub t2: Duration,
    /// T4: longest time a message stays in the network.
    pub t4: Duration,
}

impl Default for Timing {
    /// The RFC's: 500 ms, 4 s, 5 s.
    fn default() -> Self {
        Timing { t1: Duration::from_millis(500), t2: Duration::from_secs(4), t4: Duration::from_secs(5) }
    }
}

impl Timing {
    /// 64·T1: the length of timers B, F, H, J, L and M, and of D, which must be at least 32 s.
    pub const fn timeout(&self) -> Duration {
        self.t1.saturating_mul(64)
    }
}

/// A retransmission timer that doubles (timers A, E and G, and that of RFC 3261 §13.3.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// When it fires next.
    pub at: Time,
    interval: Duration,
    cap: Duration,
}

impl Backoff {
    /// Fires after `first`, then after twice that, and so on up to `cap`.
    pub fn new(now: Time, first: Duration, cap: Duration) -> Self {
        Backoff { at: now + first, interval: first, cap }
    }

    /// The next round, counted from `now`.
    #[must_use]
    pub fn next(self, now: Time) -> Self {
        let interval = self.interval.saturating_mul(2).min(self.cap);
        Backoff { at: now + interval, interval, cap: self.cap }
    }
}

/// What a machine wants done after a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// To the transport.
    pub send: Option<bytes::Bytes>,
    /// To the transaction user.
    pub tell: Option<Tell>,
}

/// What the transaction user learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tell {
    /// The message that caused the step is its to see.
    Message,
    /// Nobody answered in time.
    Timeout,
    /// The transport failed.
    TransportFailed,
}

impl Effects {
    pub(crate) const NONE: Effects = Effects { send: None, tell: None };
    pub(crate) const MESSAGE: Effects = Effects { send: None, tell: Some(Tell::Message) };
    pub(crate) const TIMEOUT: Effects = Effects { send: None, tell: Some(Tell::Timeout) };
    pub(crate) const TRANSPORT_FAILED: Effects = Effects { send: None, tell: Some(Tell::TransportFailed) };

    pub(crate) fn send(bytes: &bytes::Bytes) -> Effects {
        Effects { send: Some(bytes.clone()), tell: None }
    }
}
