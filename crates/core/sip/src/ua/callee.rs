//! INVITE as a callee: answering it, and repeating the answer until it is acknowledged (RFC 3261 §13.3).

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use tandem_base::Time;

use crate::dialog::Dialog;
use crate::transaction::{Backoff, ServerKey, TransactionId};
use crate::{HeaderName, Headers, Response, StatusCode};

use super::agent::{Owner, UserAgent};
use super::context::Context;
use super::inspect::{Refusal, names_option};
use super::path::Path;
use super::receive::Arrival;
use super::reliable::{HeldAnswer, OPTION};
use super::session_id::SessionId;
use super::timer::Wish;
use super::usage::{Described, Exchange, Reply, Stage, Updating, Usage};
use super::{Body, EndCause, Event, InviteId};

/// RFC 3261 §13.3.1.1: proxies give up a transaction that is silent for three minutes.
pub(super) const REMIND: Duration = Duration::from_secs(60);

/// A provisional response to be sent.
#[derive(Debug)]
pub(super) struct Provisional {
    pub status: StatusCode,
    pub headers: Headers,
    pub body: Option<Body>,
}

impl UserAgent {
    /// An INVITE outside of any dialog (§13.3.1).
    pub(super) fn incoming(&mut self, arrival: Arrival, cx: &mut Context<'_>) {
        let merge = arrival.merge_key();
        // §8.2.2.2
        if self.transactions.is_merged(&merge) {
            return self.refuse(&arrival, &Refusal::new(StatusCode::LOOP_DETECTED), cx);
        }
        // What is accepted here may be called on to elsewhere, so the hops of both sides count (RFC 7332 §4).
        if arrival.request.headers.max_forwards() == Ok(Some(0)) {
            return self.refuse(&arrival, &Refusal::new(StatusCode::TOO_MANY_HOPS), cx);
        }
        let limits = self.config.limits;
        if self.pending_invites >= limits.pending_invites || self.usages.len() >= limits.dialogs {
            return self.overloaded(&arrival, cx);
        }
        let tag = cx.token();
        let Ok(dialog) = Dialog::of_callee(&arrival.request, &tag) else {
            return self.refuse(&arrival, &Refusal::new(StatusCode::BAD_REQUEST), cx);
        };
        let id = InviteId(self.last_invite + 1);
        let Ok(transaction) = self.serve(&arrival, Some(merge), Owner::Invite(id)) else {
            return self.overloaded(&arrival, cx);
        };
        self.last_invite = id.0;
        self.statistics.incoming += 1;
        let until = cx.now + limits.ringing.min(expires(&arrival.request.headers));
        let reply = Box::new(Reply::of(&arrival, Some(&tag)));
        let mut usage = Usage::new(Exchange::Serving { transaction, reply, until }, tag, false);
        usage.dialog = Some(dialog);
        usage.contact_user = arrival.request.uri.user_text().unwrap_or_default();
        usage.note_allow(&arrival.request.headers);
        usage.session_id = arrival.session.clone().map(|theirs| SessionId::new(Some(theirs), cx));
        self.insert_usage(id, usage);
        self.set_path(id, Path::of_request(&arrival.flow, &arrival.via));
        self.arm(id);
        self.trying(id, &arrival, transaction, cx);
        let flow = arrival.flow;
        cx.event(Event::Incoming { invite: id, request: Box::new(arrival.request), flow });
    }

    /// §17.2.1: at once, as nobody knows whether the application answers within 200 ms.
    fn trying(&mut self, id: InviteId, arrival: &Arrival, transaction: TransactionId, cx: &mut Context<'_>) {
        let mut response = Response::to_request(&arrival.request, StatusCode::TRYING, None);
        if let Some(usage) = self.usages.get(&id) {
            self.push_session_reply(usage, arrival.session.as_deref(), &mut response.headers);
        }
        self.transactions.respond(transaction, StatusCode::TRYING, response.to_bytes(), cx.now, &mut cx.out);
    }

    /// An INVITE within a dialog (§14.2).
    pub(super) fn reinvited(&mut self, id: InviteId, arrival: Arrival, cx: &mut Context<'_>) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        usage.note_allow(&arrival.request.headers);
        match &usage.updating {
            // RFC 3311 §5.2 the other way round: one offer at a time, whatever carries it.
            Updating::Serving { .. } => return self.come_later(&arrival, cx),
            Updating::Asking { again, .. } if !again.is_refresh() => {
                return self.refuse_once(&arrival, &Refusal::new(StatusCode::REQUEST_PENDING), cx);
            }
            Updating::Idle | Updating::Asking { .. } => {}
        }
        match &usage.exchange {
            Exchange::Idle if usage.is_confirmed() => {}
            // Their offer overtakes ours, which must be made anew from what theirs leads to.
            Exchange::BackingOff { .. } => self.yield_offer(id, cx),
            Exchange::Serving { .. } => return self.come_later(&arrival, cx),
            Exchange::Confirming { offers: true, .. } => return self.hold_back(id, arrival, cx),
            Exchange::Confirming { offers: false, .. } => {
                self.confirm(id, Bytes::new(), cx);
                // What waited for the ACK was our BYE.
                if self.usages.get(&id).is_none_or(|usage| usage.stage != Stage::Confirmed) {
                    let gone = Refusal::new(StatusCode::CALL_DOES_NOT_EXIST);
                    return self.refuse_once(&arrival, &gone, cx);
                }
            }
            // §14.2
            _ => return self.refuse_once(&arrival, &Refusal::new(StatusCode::REQUEST_PENDING), cx),
        }
        let Ok(transaction) = self.serve(&arrival, None, Owner::Invite(id)) else {
            return self.overloaded(&arrival, cx);
        };
        let reply = Box::new(Reply::of(&arrival, None));
        let until = cx.now + self.config.limits.ringing;
        if let Some(usage) = self.usages.get_mut(&id) {
            usage.exchange = Exchange::Serving { transaction, reply, until };
        }
        self.arm(id);
        self.trying(id, &arrival, transaction, cx);
        cx.event(Event::ReInvite { invite: id, request: Box::new(arrival.request) });
    }

    /// §13.3.1.1.
    pub(super) fn provisional(
        &mut self,
        id: InviteId,
        status: StatusCode,
        headers: &Headers,
        body: Option<Body>,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let fits = status.is_provisional() && status != StatusCode::TRYING;
        let usage = self.usages.get(&id).filter(|_| fits)?;
        let Exchange::Serving { transaction, reply, .. } = &usage.exchange else { return None };
        if reply.reliable {
            return self.provide(id, Provisional { status, headers: headers.clone(), body }, cx);
        }
        let transaction = *transaction;
        let bytes = self.write_reply(usage, reply, status, headers, body).to_bytes();
        self.transactions.respond(transaction, status, bytes.clone(), cx.now, &mut cx.out);
        if let Exchange::Serving { reply, .. } = &mut self.usages.get_mut(&id)?.exchange {
            reply.ringing = Some((status, bytes, cx.now + REMIND));
        }
        self.arm(id);
        Some(())
    }

    /// §13.3.1.4.
    pub(super) fn answer(
        &mut self,
        id: InviteId,
        contact_parameters: Option<Cow<'static, str>>,
        headers: &Headers,
        body: Option<Body>,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let usage = self.usages.get_mut(&id)?;
        if matches!(usage.updating, Updating::Serving { .. }) && body.is_some() {
            return self.answer_update(id, headers, body, cx);
        }
        if !matches!(usage.exchange, Exchange::Serving { .. }) {
            return None;
        }
        // RFC 3262 §5.
        let Some(sent) = &mut usage.sent else {
            return self.accept_invite(id, contact_parameters, headers, body, cx);
        };
        match sent.hold(HeldAnswer { contact_parameters, headers: headers.clone(), body }) {
            Some(HeldAnswer { contact_parameters, headers, body }) => {
                self.accept_invite(id, contact_parameters, &headers, body, cx)
            }
            None => Some(()),
        }
    }

    /// Sends the 2xx.
    pub(super) fn accept_invite(
        &mut self,
        id: InviteId,
        contact_parameters: Option<Cow<'static, str>>,
        headers: &Headers,
        body: Option<Body>,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let usage = self.usages.get_mut(&id)?;
        let (transaction, reply) = usage.take_serving()?;
        if let Some(parameters) = contact_parameters {
            usage.contact_parameters = parameters;
        }
        let usage = self.usages.get(&id)?;
        let mut response = self.write_reply(usage, &reply, StatusCode::OK, headers, body);
        self.grant_timer(id, &reply.wish, &mut response, cx.now);
        let response = response.to_bytes();
        self.transactions.respond(transaction, StatusCode::OK, response.clone(), cx.now, &mut cx.out);
        self.await_ack(id, transaction, *reply, response, cx.now);
        Some(())
    }

    /// What a request with a 2xx changes in its dialog: where the peer is (RFC 6141 §4), and what it calls the session
    /// (RFC 7989 §6).
    pub(super) fn take_over(&mut self, id: InviteId, reply: &Reply) -> Option<&mut Usage> {
        self.note_session_id(id, reply.session.clone());
        let usage = self.usages.get_mut(&id)?;
        if let (Some(dialog), Some(target)) = (usage.dialog_mut(), &reply.target) {
            dialog.remote_target = target.clone();
        }
        Some(usage)
    }

    fn await_ack(
        &mut self,
        id: InviteId,
        transaction: TransactionId,
        reply: Reply,
        response: Bytes,
        now: Time,
    ) {
        let timing = self.config.timing;
        let Some(usage) = self.take_over(id, &reply) else { return };
        // §13.3.1.4: whatever the transport, for a proxy on the way may use UDP on its other side.
        let repeat = Backoff::new(now, timing.t1, timing.t2);
        let until = now + timing.timeout();
        let (cseq, offers) = (reply.cseq, !reply.offered && reply.described == Described::No);
        usage.exchange = Exchange::Confirming { transaction, response, cseq, offers, repeat, until };
        if usage.stage == Stage::Early {
            self.leave_early(id, Stage::Unconfirmed { bye: None });
        }
        self.arm(id);
    }

    /// §13.3.1.2, §13.3.1.3, §14.2.
    pub(super) fn reject(
        &mut self,
        id: InviteId,
        status: StatusCode,
        reason: Option<Cow<'static, str>>,
        headers: &Headers,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        if status.class() < 3 {
            return None;
        }
        if matches!(self.usages.get(&id)?.updating, Updating::Serving { .. }) {
            return self.refuse_update(id, status, reason, headers, cx);
        }
        let early = self.usages.get(&id)?.stage == Stage::Early;
        self.refuse_invite(id, status, reason, headers, cx)?;
        if early {
            self.end(id, EndCause::Local, cx);
        }
        Some(())
    }

    /// Sends the final refusal of the INVITE being served, and no more. `None` when there is none.
    pub(super) fn refuse_invite(
        &mut self,
        id: InviteId,
        status: StatusCode,
        reason: Option<Cow<'static, str>>,
        headers: &Headers,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let (transaction, reply) = self.usages.get_mut(&id)?.take_serving()?;
        self.refuse_with(id, transaction, &reply, status, (reason, headers), cx)
    }

    /// The refusal of an INVITE or UPDATE, and no more.
    pub(super) fn refuse_with(
        &mut self,
        id: InviteId,
        transaction: TransactionId,
        reply: &Reply,
        status: StatusCode,
        (reason, headers): (Option<Cow<'static, str>>, &Headers),
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let usage = self.usages.get(&id)?;
        let mut response = self.write_reply(usage, reply, status, headers, None);
        if let Some(reason) = reason {
            response = response.with_reason(reason.into_owned());
        }
        self.transactions.respond(transaction, status, response.to_bytes(), cx.now, &mut cx.out);
        self.arm(id);
        Some(())
    }

    /// Refuses an INVITE that the application has not answered: the first one ends the usage, another leaves what was
    /// before.
    pub(super) fn let_lapse(
        &mut self,
        id: InviteId,
        status: StatusCode,
        cause: EndCause,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let early = self.usages.get(&id)?.stage == Stage::Early;
        self.refuse_invite(id, status, None, &Headers::new(), cx)?;
        if early {
            self.end(id, cause, cx);
        } else {
            cx.event(Event::ReInviteCancelled { invite: id });
        }
        Some(())
    }

    /// CANCEL (§9.2).
    pub(super) fn cancelled(&mut self, arrival: Arrival, cx: &mut Context<'_>) {
        let key = ServerKey::cancelled(&arrival.request, &arrival.via);
        let Some(transaction) = key.and_then(|key| self.transactions.find_server(&key)) else {
            return self.refuse(&arrival, &Refusal::new(StatusCode::CALL_DOES_NOT_EXIST), cx);
        };
        // §9.2: the To tag should be that of the response to the INVITE.
        let tag = match self.transactions.owner(transaction) {
            Some(Owner::Invite(id)) => self.usages.get(&id).map(|usage| usage.local_tag.clone()),
            _ => None,
        };
        let tag = tag.unwrap_or_else(|| arrival.stateless_tag());
        let response = self.reply_to(&arrival, StatusCode::OK, Some(&tag));
        self.answer_now(&arrival, &response, cx);
        let reason = arrival.request.headers.text(&HeaderName::Reason).map(str::to_owned);
        self.withdraw(transaction, reason, cx);
    }

    /// The peer does not want its INVITE any more. One that has its final response is left alone: that call is
    /// ended by BYE.
    pub(super) fn withdraw(
        &mut self,
        transaction: TransactionId,
        reason: Option<String>,
        cx: &mut Context<'_>,
    ) {
        let Some(Owner::Invite(id)) = self.transactions.owner(transaction) else { return };
        let Some(usage) = self.usages.get(&id) else { return };
        match &usage.exchange {
            Exchange::Serving { transaction: serving, .. } if *serving == transaction => {}
            _ => return,
        }
        // There is one: it was just seen.
        let _ = self.let_lapse(id, StatusCode::REQUEST_TERMINATED, EndCause::Cancelled { reason }, cx);
    }

    /// An ACK that may belong to a 2xx of ours (§13.3.1.4).
    pub(super) fn acknowledged(&mut self, arrival: Arrival, cx: &mut Context<'_>) {
        let id = self.usage_of(&arrival.to_tag, &arrival);
        let usage = id.and_then(|id| self.usages.get_mut(&id).map(|usage| (id, usage)));
        let Some((id, usage)) = usage else {
            self.statistics.strays += 1;
            return;
        };
        match &usage.exchange {
            Exchange::Confirming { cseq, .. } if *cseq == arrival.cseq => {}
            // Again, late, or overtaken by what proved it.
            _ => {
                self.statistics.strays += 1;
                return;
            }
        }
        self.set_path(id, Path::of_request(&arrival.flow, &arrival.via));
        self.note_session_id(id, arrival.session);
        self.confirm(id, arrival.request.body, cx);
        self.release(id, cx);
    }

    /// The application let an INVITE lie, or it is time to remind proxies of it.
    pub(super) fn serving_due(&mut self, id: InviteId, cx: &mut Context<'_>) -> Option<()> {
        let usage = self.usages.get_mut(&id)?;
        let Exchange::Serving { transaction, reply, until } = &mut usage.exchange else { return None };
        if *until > cx.now {
            let reliable = reply.reliable;
            let (status, bytes, at) = reply.ringing.as_mut()?;
            *at = cx.now + REMIND;
            if reliable {
                // A repetition would stop at the caller; a new one is counted anew (RFC 3262 §3).
                let again = Provisional { status: *status, headers: Headers::new(), body: None };
                return self.provide(id, again, cx);
            }
            let (status, bytes, transaction) = (*status, bytes.clone(), *transaction);
            self.transactions.respond(transaction, status, bytes, cx.now, &mut cx.out);
            return Some(());
        }
        let status = reply.lapse;
        self.let_lapse(id, status, EndCause::Unanswered, cx)
    }

    /// Our 2xx is to be repeated, or nobody acknowledged it (§13.3.1.4).
    pub(super) fn confirming_due(&mut self, id: InviteId, cx: &mut Context<'_>) -> Option<()> {
        let usage = self.usages.get_mut(&id)?;
        let Exchange::Confirming { transaction, response, repeat, until, .. } = &mut usage.exchange else {
            return None;
        };
        if *until > cx.now {
            *repeat = repeat.next(cx.now);
            let (transaction, response) = (*transaction, response.clone());
            self.transactions.respond(transaction, StatusCode::OK, response, cx.now, &mut cx.out);
            return Some(());
        }
        let stage = usage.stage.clone();
        let (headers, cause) = match stage {
            Stage::Unconfirmed { bye: Some(headers) } => (headers, EndCause::Local),
            _ => (Headers::new(), EndCause::NoAck),
        };
        self.part(id, &headers, cause, cx);
        Some(())
    }
}

impl Reply {
    pub fn of(arrival: &Arrival, tag: Option<&str>) -> Self {
        let headers = &arrival.request.headers;
        Reply {
            base: Response::to_request(&arrival.request, StatusCode::OK, tag).headers,
            record_routes: headers.get_all(&HeaderName::RecordRoute).cloned().collect(),
            cseq: arrival.cseq,
            session: arrival.session.clone(),
            offered: !arrival.request.body.is_empty(),
            wish: Wish::of(headers),
            reliable: [HeaderName::Supported, HeaderName::Require]
                .iter()
                .any(|name| names_option(headers, name, OPTION)),
            described: Described::No,
            target: headers.first_contact().ok().flatten().map(|contact| contact.uri),
            // §13.3.1: an INVITE that expired by its own header is answered 487.
            lapse: match headers.has(&HeaderName::Expires) {
                true => StatusCode::REQUEST_TERMINATED,
                false => StatusCode::TEMPORARILY_UNAVAILABLE,
            },
            ringing: None,
        }
    }
}

/// §13.3.1: how long the caller cares for an answer.
fn expires(headers: &Headers) -> Duration {
    headers.expires().ok().flatten().map_or(Duration::MAX, |seconds| Duration::from_secs(u64::from(seconds)))
}
