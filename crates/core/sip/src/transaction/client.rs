use bytes::Bytes;
use tandem_base::Time;

use super::{Backoff, Effects, Timing};

/// Non-INVITE client transaction (RFC 3261 §17.1.2, figure 6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Client {
    /// No response yet.
    Trying {
        /// What timer E repeats.
        request: Bytes,
        /// Timer E; not on reliable transports.
        retransmit: Option<Backoff>,
        /// Timer F.
        timeout: Time,
    },
    /// A provisional response came; timers E and F run on.
    Proceeding {
        /// What timer E repeats.
        request: Bytes,
        /// Timer E, every T2.
        retransmit: Option<Backoff>,
        /// Timer F.
        timeout: Time,
    },
    /// A final response came; repetitions are absorbed.
    Completed {
        /// Timer K.
        until: Time,
    },
    /// Gone.
    Terminated,
}

/// What can happen to a [`Client`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientInput {
    /// 1xx.
    Provisional,
    /// 200 to 699.
    Final,
    /// The deadline came.
    Timer,
    /// The transport gave up.
    TransportFailed,
}

impl Client {
    /// Sends the request.
    pub fn start(request: Bytes, now: Time, timing: &Timing, reliable: bool) -> (Self, Effects) {
        let effects = Effects::send(&request);
        let retransmit = (!reliable).then(|| Backoff::new(now, timing.t1, timing.t2));
        (Client::Trying { request, retransmit, timeout: now + timing.timeout() }, effects)
    }

    /// When [`ClientInput::Timer`] is due.
    pub fn deadline(&self) -> Option<Time> {
        match self {
            Client::Trying { retransmit, timeout, .. } | Client::Proceeding { retransmit, timeout, .. } => {
                Some(retransmit.map_or(*timeout, |r| r.at.min(*timeout)))
            }
            Client::Completed { until } => Some(*until),
            Client::Terminated => None,
        }
    }

    /// One step.
    pub fn step(self, input: ClientInput, now: Time, timing: &Timing, reliable: bool) -> (Self, Effects) {
        use ClientInput as In;
        match (self, input) {
            (Client::Trying { request, retransmit, timeout }, In::Provisional) => {
                // From here on timer E fires every T2 (RFC 3261 §17.1.2.2).
                let retransmit = retransmit.map(|_| Backoff::new(now, timing.t2, timing.t2));
                (Client::Proceeding { request, retransmit, timeout }, Effects::MESSAGE)
            }
            (state @ Client::Proceeding { .. }, In::Provisional) => (state, Effects::MESSAGE),
            // Timer K is zero on reliable transports (RFC 3261 §17.1.2.2).
            (Client::Trying { .. } | Client::Proceeding { .. }, In::Final) => match reliable {
                true => (Client::Terminated, Effects::MESSAGE),
                false => (Client::Completed { until: now + timing.t4 }, Effects::MESSAGE),
            },
            (Client::Trying { .. } | Client::Proceeding { .. }, In::TransportFailed) => {
                (Client::Terminated, Effects::TRANSPORT_FAILED)
            }
            (Client::Trying { timeout, .. } | Client::Proceeding { timeout, .. }, In::Timer)
                if timeout <= now =>
            {
                (Client::Terminated, Effects::TIMEOUT)
            }
            (Client::Trying { request, retransmit, timeout }, In::Timer) => {
                let (retransmit, effects) = again(&request, retransmit, now);
                (Client::Trying { request, retransmit, timeout }, effects)
            }
            (Client::Proceeding { request, retransmit, timeout }, In::Timer) => {
                let (retransmit, effects) = again(&request, retransmit, now);
                (Client::Proceeding { request, retransmit, timeout }, effects)
            }
            (Client::Completed { until }, In::Timer) if until <= now => (Client::Terminated, Effects::NONE),
            (state, _) => (state, Effects::NONE),
        }
    }
}

fn again(request: &Bytes, retransmit: Option<Backoff>, now: Time) -> (Option<Backoff>, Effects) {
    match retransmit {
        Some(backoff) if backoff.at <= now => (Some(backoff.next(now)), Effects::send(request)),
        other => (other, Effects::NONE),
    }
}
