//! An ACK that the request behind it overtakes: proxies with several workers, and UDP itself, let that happen.
//!
//! Whoever sends a re-INVITE has our 2xx (RFC 3261 §14.1), so where the ACK has nothing more to say, such a request says
//! the same (RFC 5407 §3.1.4). Where the ACK is to bring the answer to our offer, the next offer cannot be taken before it
//! (RFC 5407 §3.1.5): it is held back for as long as nobody expects a 100, and refused with 491 after that.

use std::time::Duration;

use bytes::Bytes;
use tandem_base::Time;

use crate::{Method, StatusCode};

use super::agent::UserAgent;
use super::context::Context;
use super::inspect::Refusal;
use super::receive::Arrival;
use super::usage::{Exchange, Stage};
use super::{Event, InviteId};

/// RFC 3261 §17.2.1: so long an INVITE may stay without a 100.
const PATIENCE: Duration = Duration::from_millis(200);

/// A re-INVITE or UPDATE that came before the ACK it needs. It has no transaction yet.
#[derive(Debug)]
pub(super) struct Held {
    pub arrival: Arrival,
    pub until: Time,
}

impl UserAgent {
    /// Our 2xx arrived: by its ACK, or by what its caller sent next.
    pub(super) fn confirm(&mut self, id: InviteId, body: Bytes, cx: &mut Context<'_>) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        usage.exchange = Exchange::Idle;
        let bye = match std::mem::replace(&mut usage.stage, Stage::Confirmed) {
            Stage::Unconfirmed { bye } => bye,
            other => {
                usage.stage = other;
                None
            }
        };
        self.arm(id);
        cx.event(Event::Confirmed { invite: id, body });
        if let Some(headers) = bye {
            self.send_bye(id, &headers, cx);
        }
    }

    /// Keeps an offer until the ACK is there. One at a time.
    pub(super) fn hold_back(&mut self, id: InviteId, arrival: Arrival, cx: &mut Context<'_>) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        if usage.held.is_some() {
            return self.come_later(&arrival, cx);
        }
        usage.held = Some(Box::new(Held { arrival, until: cx.now + PATIENCE }));
        self.arm(id);
    }

    /// The ACK is there.
    pub(super) fn release(&mut self, id: InviteId, cx: &mut Context<'_>) {
        let held = self.usages.get_mut(&id).and_then(|usage| usage.held.take());
        let Some(Held { arrival, .. }) = held.map(|held| *held) else { return };
        self.arm(id);
        match arrival.request.method {
            Method::Invite => self.reinvited(id, arrival, cx),
            _ => self.updated(id, arrival, cx),
        }
    }

    /// The ACK did not come, or the call is over.
    pub(super) fn refuse_held(&mut self, id: InviteId, status: StatusCode, cx: &mut Context<'_>) {
        let Some(held) = self.usages.get_mut(&id).and_then(|usage| usage.held.take()) else { return };
        self.refuse_once(&held.arrival, &Refusal::new(status), cx);
        self.arm(id);
    }

    /// It has waited long enough.
    pub(super) fn held_due(&mut self, id: InviteId, cx: &mut Context<'_>) {
        if self.usages.get(&id).and_then(|usage| usage.held.as_ref()).is_some_and(|held| held.until <= cx.now)
        {
            self.refuse_held(id, StatusCode::REQUEST_PENDING, cx);
        }
    }
}
