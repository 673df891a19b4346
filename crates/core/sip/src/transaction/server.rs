use bytes::Bytes;
use tandem_base::Time;

use super::{Effects, Timing};

/// Non-INVITE server transaction (RFC 3261 §17.2.2, figure 8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// No response yet.
    Trying,
    /// A provisional response is sent.
    Proceeding {
        /// It.
        last: Bytes,
    },
    /// A final response is sent, and again for each repetition of the request.
    Completed {
        /// It.
        response: Bytes,
        /// Timer J.
        until: Time,
    },
    /// Gone.
    Terminated,
}

/// What can happen to a [`Server`].
#[derive(Clone, Debug)]
pub enum ServerInput {
    /// The request again.
    Request,
    /// The transaction user answers 1xx.
    Provisional(Bytes),
    /// The transaction user answers 200 to 699.
    Final(Bytes),
    /// The deadline came.
    Timer,
    /// The transport gave up.
    TransportFailed,
}

impl Server {
    /// The request came.
    pub const fn start() -> Self {
        Server::Trying
    }

    /// When [`ServerInput::Timer`] is due.
    pub fn deadline(&self) -> Option<Time> {
        match self {
            Server::Completed { until, .. } => Some(*until),
            Server::Trying | Server::Proceeding { .. } | Server::Terminated => None,
        }
    }

    /// One step.
    pub fn step(self, input: ServerInput, now: Time, timing: &Timing, reliable: bool) -> (Self, Effects) {
        use ServerInput as In;
        match (self, input) {
            (Server::Trying | Server::Proceeding { .. }, In::Provisional(response)) => {
                let effects = Effects::send(&response);
                (Server::Proceeding { last: response }, effects)
            }
            (Server::Trying | Server::Proceeding { .. }, In::Final(response)) => {
                let effects = Effects::send(&response);
                // Timer J is zero on reliable transports (RFC 3261 §17.2.2).
                match reliable {
                    true => (Server::Terminated, effects),
                    false => (Server::Completed { response, until: now + timing.timeout() }, effects),
                }
            }
            (Server::Proceeding { last }, In::Request) => {
                let effects = Effects::send(&last);
                (Server::Proceeding { last }, effects)
            }
            (Server::Completed { response, until }, In::Request) => {
                let effects = Effects::send(&response);
                (Server::Completed { response, until }, effects)
            }
            (Server::Completed { until, .. }, In::Timer) if until <= now => {
                (Server::Terminated, Effects::NONE)
            }
            (Server::Proceeding { .. } | Server::Completed { .. }, In::TransportFailed) => {
                (Server::Terminated, Effects::TRANSPORT_FAILED)
            }
            (state, _) => (state, Effects::NONE),
        }
    }
}
