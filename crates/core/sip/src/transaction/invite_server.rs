use bytes::Bytes;
use tandem_base::Time;

use super::{Backoff, Effects, Timing};

/// INVITE server transaction (RFC 3261 §17.2.1, figure 7, as amended by RFC 6026 §7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InviteServer {
    /// No final response yet.
    Proceeding {
        /// The last provisional response.
        last: Option<Bytes>,
    },
    /// A 2xx is sent; the transaction user repeats it.
    Accepted {
        /// Timer L.
        until: Time,
    },
    /// A 300 to 699 is sent and not acknowledged.
    Completed {
        /// It.
        response: Bytes,
        /// Timer G; not on reliable transports.
        retransmit: Option<Backoff>,
        /// Timer H.
        timeout: Time,
    },
    /// Acknowledged; further ACKs are absorbed.
    Confirmed {
        /// Timer I.
        until: Time,
    },
    /// Gone.
    Terminated,
}

/// What can happen to an [`InviteServer`].
#[derive(Clone, Debug)]
pub enum InviteServerInput {
    /// The INVITE again.
    Request,
    /// An ACK that matches.
    Ack,
    /// The transaction user answers 1xx.
    Provisional(Bytes),
    /// The transaction user answers 2xx, or repeats it.
    Success(Bytes),
    /// The transaction user answers 300 to 699.
    Failure(Bytes),
    /// The deadline came.
    Timer,
    /// The transport gave up.
    TransportFailed,
}

impl InviteServer {
    /// The INVITE came; the transaction user sends 100 at once.
    pub const fn start() -> Self {
        InviteServer::Proceeding { last: None }
    }

    /// When [`InviteServerInput::Timer`] is due.
    pub fn deadline(&self) -> Option<Time> {
        match self {
            InviteServer::Completed { retransmit, timeout, .. } => {
                Some(retransmit.map_or(*timeout, |r| r.at.min(*timeout)))
            }
            InviteServer::Accepted { until } | InviteServer::Confirmed { until } => Some(*until),
            InviteServer::Proceeding { .. } | InviteServer::Terminated => None,
        }
    }

    /// One step.
    pub fn step(
        self,
        input: InviteServerInput,
        now: Time,
        timing: &Timing,
        reliable: bool,
    ) -> (Self, Effects) {
        use InviteServerInput as In;
        match (self, input) {
            (InviteServer::Proceeding { last }, In::Request) => {
                let effects = Effects { send: last.clone(), tell: None };
                (InviteServer::Proceeding { last }, effects)
            }
            (InviteServer::Proceeding { .. }, In::Provisional(response)) => {
                let effects = Effects::send(&response);
                (InviteServer::Proceeding { last: Some(response) }, effects)
            }
            (InviteServer::Proceeding { .. }, In::Success(response)) => {
                (InviteServer::Accepted { until: now + timing.timeout() }, Effects::send(&response))
            }
            (InviteServer::Proceeding { .. }, In::Failure(response)) => {
                let effects = Effects::send(&response);
                let retransmit = (!reliable).then(|| Backoff::new(now, timing.t1, timing.t2));
                (InviteServer::Completed { response, retransmit, timeout: now + timing.timeout() }, effects)
            }
            // RFC 6026 §7.1: an INVITE again is absorbed; 2xx of the transaction user pass; ACKs are its own.
            (state @ InviteServer::Accepted { .. }, In::Success(response)) => {
                (state, Effects::send(&response))
            }
            (state @ InviteServer::Accepted { .. }, In::Ack) => (state, Effects::MESSAGE),
            (InviteServer::Completed { response, retransmit, timeout }, In::Request) => {
                let effects = Effects::send(&response);
                (InviteServer::Completed { response, retransmit, timeout }, effects)
            }
            // Timer I is zero on reliable transports (RFC 3261 §17.2.1).
            (InviteServer::Completed { .. }, In::Ack) => match reliable {
                true => (InviteServer::Terminated, Effects::NONE),
                false => (InviteServer::Confirmed { until: now + timing.t4 }, Effects::NONE),
            },
            (InviteServer::Completed { response, retransmit, timeout }, In::Timer) => {
                Self::completed_timer(response, retransmit, timeout, now)
            }
            (InviteServer::Accepted { until } | InviteServer::Confirmed { until }, In::Timer)
                if until <= now =>
            {
                (InviteServer::Terminated, Effects::NONE)
            }
            // RFC 6026 §7.1: a failed transport is told, but the state stays: the peer may come back another way.
            (
                state @ (InviteServer::Proceeding { .. } | InviteServer::Accepted { .. }),
                In::TransportFailed,
            ) => (state, Effects::TRANSPORT_FAILED),
            (InviteServer::Completed { .. }, In::TransportFailed) => {
                (InviteServer::Terminated, Effects::TRANSPORT_FAILED)
            }
            (state, _) => (state, Effects::NONE),
        }
    }

    fn completed_timer(
        response: Bytes,
        retransmit: Option<Backoff>,
        timeout: Time,
        now: Time,
    ) -> (Self, Effects) {
        if timeout <= now {
            return (InviteServer::Terminated, Effects::TIMEOUT);
        }
        match retransmit {
            Some(backoff) if backoff.at <= now => {
                let effects = Effects::send(&response);
                (InviteServer::Completed { response, retransmit: Some(backoff.next(now)), timeout }, effects)
            }
            _ => (InviteServer::Completed { response, retransmit, timeout }, Effects::NONE),
        }
    }
}
