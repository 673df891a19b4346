use bytes::Bytes;
use tandem_base::Time;

use super::{Backoff, Effects, Tell, Timing};

/// INVITE client transaction (RFC 3261 §17.1.1, figure 5, as amended by RFC 6026 §7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InviteClient {
    /// No response yet.
    Calling {
        /// What timer A repeats.
        request: Bytes,
        /// Timer A; not on reliable transports.
        retransmit: Option<Backoff>,
        /// Timer B.
        timeout: Time,
        /// Nobody wants its outcome any more.
        abandoned: bool,
    },
    /// A provisional response came.
    Proceeding {
        /// 64·T1 after it was abandoned; unbounded before.
        until: Option<Time>,
    },
    /// A 2xx came; further ones, of other forks too, are for the transaction user.
    Accepted {
        /// Timer M.
        until: Time,
    },
    /// A 300 to 699 came and is acknowledged.
    Completed {
        /// Sent again for each repetition.
        ack: Bytes,
        /// Timer D.
        until: Time,
    },
    /// Gone.
    Terminated,
}

/// What can happen to an [`InviteClient`].
#[derive(Clone, Debug)]
pub enum InviteClientInput {
    /// 1xx.
    Provisional,
    /// 2xx.
    Success,
    /// 300 to 699, with the ACK that belongs to it (RFC 3261 §17.1.1.3).
    Failure {
        /// The ACK.
        ack: Bytes,
    },
    /// The deadline came.
    Timer,
    /// The transport gave up.
    TransportFailed,
    /// The transaction user has sent CANCEL, or BYE: a transaction that draws no final response within 64·T1 is
    /// over (RFC 3261 §9.1).
    Abandon,
}

impl InviteClient {
    /// Sends the request.
    pub fn start(request: Bytes, now: Time, timing: &Timing, reliable: bool) -> (Self, Effects) {
        let effects = Effects::send(&request);
        // Timer A doubles without a cap (RFC 3261 §17.1.1.2).
        let retransmit = (!reliable).then(|| Backoff::new(now, timing.t1, timing.timeout()));
        let timeout = now + timing.timeout();
        (InviteClient::Calling { request, retransmit, timeout, abandoned: false }, effects)
    }

    /// When [`InviteClientInput::Timer`] is due.
    pub fn deadline(&self) -> Option<Time> {
        match self {
            InviteClient::Calling { retransmit, timeout, .. } => {
                Some(retransmit.map_or(*timeout, |r| r.at.min(*timeout)))
            }
            InviteClient::Accepted { until } | InviteClient::Completed { until, .. } => Some(*until),
            InviteClient::Proceeding { until } => *until,
            InviteClient::Terminated => None,
        }
    }

    /// One step.
    pub fn step(
        self,
        input: InviteClientInput,
        now: Time,
        timing: &Timing,
        reliable: bool,
    ) -> (Self, Effects) {
        use InviteClientInput as In;
        match (self, input) {
            (InviteClient::Calling { abandoned, .. }, In::Provisional) => {
                let until = abandoned.then(|| now + timing.timeout());
                (InviteClient::Proceeding { until }, Effects::MESSAGE)
            }
            (state @ InviteClient::Proceeding { .. }, In::Provisional) => (state, Effects::MESSAGE),
            (InviteClient::Calling { .. } | InviteClient::Proceeding { .. }, In::Success) => {
                (InviteClient::Accepted { until: now + timing.timeout() }, Effects::MESSAGE)
            }
            (InviteClient::Calling { .. } | InviteClient::Proceeding { .. }, In::Failure { ack }) => {
                let effects = Effects { send: Some(ack.clone()), tell: Some(Tell::Message) };
                // Timer D is zero on reliable transports (RFC 3261 §17.1.1.2).
                match reliable {
                    true => (InviteClient::Terminated, effects),
                    false => (InviteClient::Completed { ack, until: now + timing.timeout() }, effects),
                }
            }
            (InviteClient::Calling { .. }, In::TransportFailed) => {
                (InviteClient::Terminated, Effects::TRANSPORT_FAILED)
            }
            // RFC 3261 §17.1.1.2: only the sending of the request or of the ACK can fail. With a connection that
            // is lost while ringing, no response can come any more either.
            (InviteClient::Proceeding { .. } | InviteClient::Completed { .. }, In::TransportFailed) => {
                (InviteClient::Terminated, Effects::TRANSPORT_FAILED)
            }
            (state @ InviteClient::Calling { .. }, In::Timer) => Self::calling_timer(state, now),
            (InviteClient::Proceeding { until: Some(until) }, In::Timer) if until <= now => {
                (InviteClient::Terminated, Effects::TIMEOUT)
            }
            // Each 2xx is the transaction user's to acknowledge (RFC 6026 §7.2).
            (state @ InviteClient::Accepted { .. }, In::Success) => (state, Effects::MESSAGE),
            (InviteClient::Completed { ack, until }, In::Failure { .. }) => {
                let effects = Effects::send(&ack);
                (InviteClient::Completed { ack, until }, effects)
            }
            (InviteClient::Accepted { until } | InviteClient::Completed { until, .. }, In::Timer)
                if until <= now =>
            {
                (InviteClient::Terminated, Effects::NONE)
            }
            (InviteClient::Calling { request, retransmit, timeout, .. }, In::Abandon) => {
                (InviteClient::Calling { request, retransmit, timeout, abandoned: true }, Effects::NONE)
            }
            (InviteClient::Proceeding { until: None }, In::Abandon) => {
                (InviteClient::Proceeding { until: Some(now + timing.timeout()) }, Effects::NONE)
            }
            (state, _) => (state, Effects::NONE),
        }
    }

    fn calling_timer(self, now: Time) -> (Self, Effects) {
        match self {
            InviteClient::Calling { timeout, .. } if timeout <= now => {
                (InviteClient::Terminated, Effects::TIMEOUT)
            }
            InviteClient::Calling { request, retransmit: Some(backoff), timeout, abandoned }
                if backoff.at <= now =>
            {
                let effects = Effects::send(&request);
                let retransmit = Some(backoff.next(now));
                (InviteClient::Calling { request, retransmit, timeout, abandoned }, effects)
            }
            other => (other, Effects::NONE),
        }
    }
}
