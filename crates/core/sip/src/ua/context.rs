use bytes::Bytes;
use tandem_base::{Entropy, Sink, Time};

use super::{EndCause, Event, InviteId, Output, Target};

/// What comes with every input.
pub(super) struct Context<'a> {
    pub now: Time,
    pub entropy: &'a mut dyn Entropy,
    pub out: &'a mut dyn Sink<Output>,
}

impl Context<'_> {
    pub fn send(&mut self, target: Target, bytes: Bytes) {
        self.out.emit(Output::Send { target, bytes });
    }

    pub fn event(&mut self, event: Event) {
        self.out.emit(Output::Event(event));
    }

    pub fn ended(&mut self, invite: InviteId, cause: EndCause) {
        self.event(Event::Ended { invite, cause });
    }

    /// A tag, or another name that nobody can guess (RFC 3261 §19.3).
    pub fn token(&mut self) -> String {
        format!("{:016x}", self.entropy.next_u64())
    }
}
