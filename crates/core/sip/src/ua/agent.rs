use tandem_base::{Entropy, Sink, Time};

use super::{Config, Input, Output};

/// A SIP user agent: both client and server, for any number of calls.
#[derive(Debug)]
pub struct UserAgent {
    #[expect(dead_code, reason = "PLACEHOLDER")]
    config: Config,
}

impl UserAgent {
    /// Idle, nothing received.
    pub fn new(config: Config) -> Self {
        UserAgent { config }
    }

    /// Takes one input; everything that follows from it is put into `out`.
    pub fn handle(
        &mut self,
        _input: Input,
        _now: Time,
        _entropy: &mut impl Entropy,
        _out: &mut impl Sink<Output>,
    ) {
    }

    /// When [`Input::Tick`] is due; `None` when nothing is pending.
    pub fn deadline(&self) -> Option<Time> {
        None
    }

    /// Neither transaction nor dialog nor pending request is left.
    pub fn is_idle(&self) -> bool {
        true
    }
}
