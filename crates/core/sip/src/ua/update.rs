//! UPDATE (RFC 3311): target, session description and session timer changed without an INVITE.

use std::borrow::Cow;
use std::time::Duration;

use tandem_base::Time;

use crate::transaction::TransactionId;
use crate::{HeaderName, Headers, Method, Response, StatusCode};

use super::agent::{Owner, UserAgent};
use super::caller::offer_failed;
use super::context::Context;
use super::in_dialog::is_fatal;
use super::inspect::Refusal;
use super::path::Path;
use super::receive::Arrival;
use super::usage::{Described, Exchange, Offer, Reply, Stage, Updating, Usage};
use super::{Body, Event, Failure, Flow, InviteId};

/// §5.2: an UPDATE is answered promptly; whoever must ask somebody refuses it with 504.
pub(super) const PROMPT: Duration = Duration::from_secs(5);

/// What to say to an offer of the peer.
enum Turn {
    /// It may be answered.
    Theirs,
    /// Ours waits for its answer: 491.
    Ours,
    /// An earlier one of theirs waits for its answer: 500 with Retry-After.
    Busy,
    /// The answer to ours is on its way in an ACK.
    AfterAck,
}

impl Usage {
    /// Is there no offer about, so that we may make one?
    pub(super) fn may_offer(&self) -> bool {
        let is_free = match &self.updating {
            Updating::Idle => true,
            Updating::Serving { .. } => false,
            Updating::Asking { again, .. } => again.is_refresh(),
        };
        is_free && matches!(self.exchange, Exchange::Idle)
    }

    /// Were offer and answer exchanged before the first INVITE's final response?
    fn is_settled_early(&self) -> bool {
        let settled = match &self.exchange {
            Exchange::Serving { reply, .. } => reply.described == Described::Settled,
            Exchange::Calling { .. } => self.early.iter().any(|early| early.settled),
            _ => false,
        };
        settled && self.stage == Stage::Early
    }

    /// RFC 3311 §5.2.
    fn turn(&self) -> Turn {
        if let Updating::Asking { again, .. } = &self.updating
            && !again.is_refresh()
        {
            return Turn::Ours;
        }
        match &self.exchange {
            Exchange::Serving { reply, .. } if reply.described == Described::Settled => Turn::Theirs,
            Exchange::Calling { .. } if self.is_settled_early() => Turn::Theirs,
            Exchange::Idle | Exchange::BackingOff { .. } | Exchange::Confirming { offers: false, .. } => {
                Turn::Theirs
            }
            Exchange::Confirming { offers: true, .. } => Turn::AfterAck,
            Exchange::Calling { .. } => Turn::Ours,
            Exchange::Serving { .. } | Exchange::Acknowledging { .. } => Turn::Busy,
        }
    }
}

impl UserAgent {
    /// The peer's UPDATE (§5.2).
    pub(super) fn updated(&mut self, id: InviteId, arrival: Arrival, cx: &mut Context<'_>) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        if matches!(usage.updating, Updating::Serving { .. }) {
            return self.come_later(&arrival, cx);
        }
        usage.note_allow(&arrival.request.headers);
        if arrival.request.body.is_empty() {
            return self.refreshed(id, &arrival, cx);
        }
        match usage.turn() {
            Turn::Theirs => self.yield_offer(id, cx),
            Turn::Ours => return self.refuse_once(&arrival, &Refusal::new(StatusCode::REQUEST_PENDING), cx),
            Turn::Busy => return self.come_later(&arrival, cx),
            Turn::AfterAck => return self.hold_back(id, arrival, cx),
        }
        let Ok(transaction) = self.serve(&arrival, None, Owner::Update(id)) else {
            return self.overloaded(&arrival, cx);
        };
        let reply = Box::new(Reply::of(&arrival, None));
        if let Some(usage) = self.usages.get_mut(&id) {
            usage.updating = Updating::Serving { transaction, reply, until: cx.now + PROMPT };
        }
        self.arm(id);
        cx.event(Event::ReInvite { invite: id, request: Box::new(arrival.request) });
    }

    /// An UPDATE that offers nothing is answered at once.
    fn refreshed(&mut self, id: InviteId, arrival: &Arrival, cx: &mut Context<'_>) {
        let reply = Reply::of(arrival, None);
        let Some(response) = self.accept(id, &reply, &Headers::new(), None, cx.now) else { return };
        self.answer_now(arrival, &response, cx);
    }

    /// 500 with Retry-After from 0 to 10 seconds, by chance (RFC 3261 §14.2, RFC 3311 §5.2).
    pub(super) fn come_later(&mut self, arrival: &Arrival, cx: &mut Context<'_>) {
        let seconds = cx.entropy.next_u32() % 11;
        let refusal =
            Refusal::new(StatusCode::SERVER_INTERNAL_ERROR).with(HeaderName::RetryAfter, seconds.to_string());
        self.refuse_once(arrival, &refusal, cx);
    }

    /// Their offer overtakes ours that waits after a glare; it must be made anew from what theirs leads to.
    pub(super) fn yield_offer(&mut self, id: InviteId, cx: &mut Context<'_>) {
        if let Some((again, refusal)) = self.usages.get_mut(&id).and_then(Usage::take_waiting) {
            offer_failed(id, &again, Failure::Rejected(refusal), cx);
        }
    }

    /// The application answers the peer's offer.
    pub(super) fn answer_update(
        &mut self,
        id: InviteId,
        headers: &Headers,
        body: Option<Body>,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let (transaction, reply) = self.usages.get_mut(&id)?.take_update()?;
        let response = self.accept(id, &reply, headers, body, cx.now)?;
        self.transactions.respond(transaction, StatusCode::OK, response.to_bytes(), cx.now, &mut cx.out);
        Some(())
    }

    /// The 2xx, and what it brings about.
    fn accept(
        &mut self,
        id: InviteId,
        reply: &Reply,
        headers: &Headers,
        body: Option<Body>,
        now: Time,
    ) -> Option<Response> {
        self.take_over(id, reply)?;
        let usage = self.usages.get(&id)?;
        let mut response = self.write_reply(usage, reply, StatusCode::OK, headers, body);
        self.grant_timer(id, &reply.wish, &mut response, now);
        self.arm(id);
        Some(response)
    }

    /// Refuses the peer's offer. `None` when there is none.
    pub(super) fn refuse_update(
        &mut self,
        id: InviteId,
        status: StatusCode,
        reason: Option<Cow<'static, str>>,
        headers: &Headers,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let (transaction, reply) = self.usages.get_mut(&id)?.take_update()?;
        self.refuse_with(id, transaction, &reply, status, (reason, headers), cx)
    }

    /// The application let the peer's offer lie.
    pub(super) fn update_due(&mut self, id: InviteId, cx: &mut Context<'_>) -> Option<()> {
        match self.usages.get(&id)?.updating {
            Updating::Serving { until, .. } if until <= cx.now => {}
            _ => return None,
        }
        self.refuse_update(id, StatusCode::SERVER_TIMEOUT, None, &Headers::new(), cx)?;
        cx.event(Event::ReInviteCancelled { invite: id });
        Some(())
    }

    /// The application offers by UPDATE, or refreshes (§5.1).
    pub(super) fn update(
        &mut self,
        id: InviteId,
        headers: Headers,
        body: Option<Body>,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let usage = self.usages.get(&id)?;
        let offer = Box::new(Offer { method: Method::Update, headers, body, refused: 0 });
        let may_offer = usage.is_confirmed() && usage.may_offer() || usage.is_settled_early();
        if may_offer && matches!(usage.updating, Updating::Idle) {
            self.offer(id, offer, cx)
        } else {
            offer_failed(id, &offer, Failure::Unfit, cx);
            Some(())
        }
    }

    /// The final response to our UPDATE (§5.3).
    pub(super) fn update_response(
        &mut self,
        id: InviteId,
        transaction: TransactionId,
        response: Response,
        flow: &Flow,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let again = self.usages.get_mut(&id)?.take_asking(transaction)?;
        if self.usages.get(&id)?.stage == Stage::Ending {
            return None;
        }
        let status = response.status;
        if status.is_success() {
            return self.update_accepted(id, &again, response, flow, cx);
        }
        let can_wait = matches!(self.usages.get(&id)?.exchange, Exchange::Idle);
        match status {
            StatusCode::REQUEST_PENDING if can_wait => {
                self.back_off(id, again, Failure::Rejected(Box::new(response)), cx);
            }
            StatusCode::SESSION_INTERVAL_TOO_SMALL if self.raise(id, &response).is_some() => {
                self.offer(id, again, cx);
            }
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED if again.is_refresh() => {
                self.usages.get_mut(&id)?.allows_update = false;
                self.refresh(id, cx);
            }
            _ => {
                offer_failed(id, &again, Failure::Rejected(Box::new(response)), cx);
                if is_fatal(status) && self.usages.get(&id)?.is_confirmed() {
                    self.lose(id, cx);
                }
            }
        }
        self.arm(id);
        Some(())
    }

    fn update_accepted(
        &mut self,
        id: InviteId,
        again: &Offer,
        response: Response,
        flow: &Flow,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let usage = self.usages.get_mut(&id)?;
        usage.note_allow(&response.headers);
        if let Some(dialog) = usage.dialog_mut() {
            dialog.refresh_target(&response.headers);
        }
        self.set_path(id, Path::of_response(flow));
        self.take_timer(id, &response.headers, cx.now);
        self.arm(id);
        if !again.is_refresh() {
            let response = Box::new(response);
            cx.event(Event::ReInviteAnswered { invite: id, response, awaits_ack: false });
        }
        Some(())
    }

    /// Our UPDATE drew no final response (§12.2.1.2 of RFC 3261: the dialog is gone where nobody answers).
    pub(super) fn update_failed(
        &mut self,
        id: InviteId,
        transaction: TransactionId,
        failure: Failure,
        cx: &mut Context<'_>,
    ) {
        let again = self.usages.get_mut(&id).and_then(|usage| usage.take_asking(transaction));
        let Some(again) = again else { return };
        let Some(usage) = self.usages.get(&id).filter(|usage| usage.stage != Stage::Ending) else { return };
        let lost = matches!(failure, Failure::Timeout) && usage.is_confirmed();
        offer_failed(id, &again, failure, cx);
        if lost {
            self.lose(id, cx);
        }
        self.arm(id);
    }
}

impl Usage {
    fn take_update(&mut self) -> Option<(TransactionId, Box<Reply>)> {
        match std::mem::replace(&mut self.updating, Updating::Idle) {
            Updating::Serving { transaction, reply, .. } => Some((transaction, reply)),
            other => {
                self.updating = other;
                None
            }
        }
    }

    fn take_asking(&mut self, transaction: TransactionId) -> Option<Box<Offer>> {
        match std::mem::replace(&mut self.updating, Updating::Idle) {
            Updating::Asking { transaction: asking, again } if asking == transaction => Some(again),
            other => {
                self.updating = other;
                None
            }
        }
    }
}
