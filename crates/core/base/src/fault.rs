use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Whose fault it was: decides the log level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Blame {
    /// The peer sent what cannot be served, or went away.
    Peer,
    /// The network between us lost or refused it.
    Network,
    /// The operator's configuration forbids it.
    Policy,
    /// We failed: an operator should look.
    Ourselves,
}

/// Is it worth trying again?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Retry {
    /// The same request will fail again.
    Never,
    /// After this long (SIP `Retry-After`).
    After(Duration),
}

/// Why something did not work: SIP status, Q.850 cause, log level and record all come from here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Whose fault.
    pub blame: Blame,
    /// Whether to try again.
    pub retry: Retry,
    /// What the peer is told: a SIP status of class 4, 5 or 6 (RFC 3261 §21).
    pub status: u16,
    /// One sentence for the operator; names no secret.
    pub detail: Cow<'static, str>,
}

impl Fault {
    /// A fault that is not worth a retry.
    pub fn new(blame: Blame, status: u16, detail: impl Into<Cow<'static, str>>) -> Self {
        Fault { blame, retry: Retry::Never, status, detail: detail.into() }
    }

    /// The same, worth a retry after `delay`.
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry = Retry::After(delay);
        self
    }

    /// The ITU-T Q.850 cause that belongs to the status (RFC 3398 §8.2.6.1, table of status to cause).
    pub const fn q850(&self) -> u8 {
        match self.status {
            401 | 402 | 403 | 407 | 603 => 21,
            404 | 485 | 604 => 1,
            408 | 480 => 18,
            410 => 22,
            486 | 600 => 17,
            484 => 28,
            488 | 606 => 65,
            415 | 501 => 79,
            503 => 41,
            504 => 102,
            _ if self.status >= 500 => 41,
            _ => 127,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.detail, self.status)
    }
}

impl std::error::Error for Fault {}
