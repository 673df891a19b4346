//! Reliable provisional responses (RFC 3262): sending them as a callee, acknowledging them as a caller.

use std::borrow::Cow;
use std::collections::VecDeque;

use bytes::Bytes;
use tandem_base::Time;

use crate::dialog::Dialog;
use crate::token::{is_lws, number, trim};
use crate::transaction::{Backoff, TransactionId};
use crate::{HeaderName, Headers, Method, Request, Response, StatusCode};

use super::agent::{Owner, UserAgent};
use super::build::with_body;
use super::callee::{Provisional, REMIND};
use super::context::Context;
use super::inspect::{Refusal, names_option};
use super::path::Path;
use super::receive::Arrival;
use super::usage::{Described, Exchange, Reply, Updating, Usage};
use super::{Body, EndCause, Event, Flow, InviteId};

/// The option tag (RFC 3262 §7.1).
pub(super) const OPTION: &str = "100rel";
/// Most provisional responses that wait for the one before them.
const MOST_WAITING: usize = 8;
/// Most early dialogs that one INVITE of ours may make.
const MOST_FORKS: usize = 16;

/// `RAck` (§7.2): RSeq, CSeq and method of the response that it acknowledges.
struct RAck {
    rseq: u32,
    cseq: u32,
}

impl RAck {
    /// `None` also where it is not about an INVITE: nothing else is answered reliably.
    fn of(headers: &Headers) -> Option<RAck> {
        let mut parts = headers.text(&HeaderName::RAck)?.split(is_lws).filter(|part| !part.is_empty());
        let (rseq, cseq) = (number(parts.next()?)?, number(parts.next()?)?);
        let is_invite = parts.next() == Some("INVITE") && parts.next().is_none();
        is_invite.then_some(RAck { rseq, cseq })
    }
}

/// What a callee has sent reliably.
#[derive(Debug, Default)]
pub(super) struct Sent {
    rseq: u32,
    pending: Option<Pending>,
    /// Behind it.
    waiting: VecDeque<Provisional>,
    /// The 2xx that must wait, as a session description is unacknowledged (§5).
    answer: Option<Box<HeldAnswer>>,
    /// RSeq and CSeq of what a final response overtook: its PRACK may still come (§3).
    late: Option<(u32, u32)>,
}

#[derive(Debug)]
struct Pending {
    cseq: u32,
    status: StatusCode,
    bytes: Bytes,
    described: bool,
    repeat: Backoff,
    until: Time,
}

#[derive(Debug)]
pub(super) struct HeldAnswer {
    pub contact_parameters: Option<Cow<'static, str>>,
    pub headers: Headers,
    pub body: Option<Body>,
}

impl Sent {
    /// When something is due.
    pub fn deadline(&self) -> Option<Time> {
        self.pending.as_ref().map(|pending| pending.repeat.at.min(pending.until))
    }

    /// A final response is sent: nothing is repeated any more.
    pub fn finish(&mut self) {
        if let Some(pending) = self.pending.take() {
            self.late = Some((self.rseq, pending.cseq));
        }
        self.waiting.clear();
        self.answer = None;
    }

    /// Keeps a 2xx until the description before it is acknowledged; gives it back where it need not wait.
    pub fn hold(&mut self, answer: HeldAnswer) -> Option<HeldAnswer> {
        if self.pending.as_ref().is_some_and(|pending| pending.described) {
            self.answer = Some(Box::new(answer));
            return None;
        }
        Some(answer)
    }
}

/// A dialog that a provisional response of one callee set up, as its caller sees it.
#[derive(Debug)]
pub(super) struct Early {
    pub remote_tag: String,
    /// None within a dialog that there is anyway.
    pub dialog: Option<Dialog>,
    /// Of the last reliable response; none yet where 0.
    rseq: u32,
    /// RSeq and CSeq of one that made an offer, which PRACK is to answer.
    owed: Option<(u32, u32)>,
    /// Offer and answer are through.
    pub settled: bool,
}

impl UserAgent {
    /// Sends a provisional response reliably, once those before it are acknowledged (§3).
    pub(super) fn provide(&mut self, id: InviteId, new: Provisional, cx: &mut Context<'_>) -> Option<()> {
        let sent = self.usages.get_mut(&id)?.sent.get_or_insert_default();
        if sent.pending.is_none() {
            return self.send_reliably(id, new, cx);
        }
        let fits = sent.waiting.len() < MOST_WAITING;
        fits.then(|| sent.waiting.push_back(new))
    }

    fn send_reliably(&mut self, id: InviteId, new: Provisional, cx: &mut Context<'_>) -> Option<()> {
        let usage = self.usages.get_mut(&id)?;
        let sent = usage.sent.get_or_insert_default();
        // §3: the first by chance between 1 and 2^31 - 1.
        sent.rseq = if sent.rseq == 0 { (cx.entropy.next_u32() >> 2) + 1 } else { sent.rseq + 1 };
        let rseq = sent.rseq;
        let usage = self.usages.get(&id)?;
        let Exchange::Serving { transaction, reply, .. } = &usage.exchange else { return None };
        let (transaction, cseq) = (*transaction, reply.cseq);
        let Provisional { status, headers, body } = new;
        let described = body.is_some();
        let mut response = self.write_reply(usage, reply, status, &headers, body);
        response.headers.push(HeaderName::Require, OPTION);
        response.headers.push(HeaderName::RSeq, rseq.to_string());
        let bytes = response.to_bytes();
        self.transactions.respond(transaction, status, bytes.clone(), cx.now, &mut cx.out);
        let timing = self.config.timing;
        // §3: doubled each time, without a cap.
        let repeat = Backoff::new(cx.now, timing.t1, timing.timeout());
        let until = cx.now + timing.timeout();
        let usage = self.usages.get_mut(&id)?;
        if let Exchange::Serving { reply, .. } = &mut usage.exchange {
            reply.ringing = Some((status, bytes.clone(), cx.now + REMIND));
        }
        let sent = usage.sent.get_or_insert_default();
        sent.pending = Some(Pending { cseq, status, bytes, described, repeat, until });
        self.arm(id);
        Some(())
    }

    /// An unacknowledged response is to be repeated, or nobody acknowledged it (§3).
    pub(super) fn reliable_due(&mut self, id: InviteId, cx: &mut Context<'_>) -> Option<()> {
        let usage = self.usages.get_mut(&id)?;
        let pending = usage.sent.as_mut()?.pending.as_mut()?;
        if pending.until > cx.now {
            if pending.repeat.at > cx.now {
                return None;
            }
            pending.repeat = pending.repeat.next(cx.now);
            let (status, bytes) = (pending.status, pending.bytes.clone());
            let Exchange::Serving { transaction, .. } = usage.exchange else { return None };
            self.transactions.respond(transaction, status, bytes, cx.now, &mut cx.out);
            return Some(());
        }
        self.let_lapse(id, StatusCode::SERVER_TIMEOUT, EndCause::Unanswered, cx)
    }

    /// PRACK (§3, §5).
    pub(super) fn pracked(&mut self, id: InviteId, arrival: Arrival, cx: &mut Context<'_>) {
        let rack = RAck::of(&arrival.request.headers);
        let sent = self.usages.get_mut(&id).and_then(|usage| usage.sent.as_mut());
        let (Some(rack), Some(sent)) = (rack, sent) else {
            return self.refuse_once(&arrival, &Refusal::new(StatusCode::CALL_DOES_NOT_EXIST), cx);
        };
        let is_pending = sent.pending.as_ref().is_some_and(|p| (sent.rseq, p.cseq) == (rack.rseq, rack.cseq));
        let is_late = sent.late == Some((rack.rseq, rack.cseq));
        match sent.pending.take_if(|_| is_pending) {
            Some(pending) => self.confirm_provisional(id, &arrival, pending.described, cx),
            None if is_late => {
                sent.late = None;
                self.accept_prack(&arrival, cx);
            }
            None => self.refuse_once(&arrival, &Refusal::new(StatusCode::CALL_DOES_NOT_EXIST), cx),
        }
    }

    fn accept_prack(&mut self, arrival: &Arrival, cx: &mut Context<'_>) {
        let response = self.reply_to(arrival, StatusCode::OK, None);
        self.answer_now(arrival, &response, cx);
    }

    fn confirm_provisional(
        &mut self,
        id: InviteId,
        arrival: &Arrival,
        described: bool,
        cx: &mut Context<'_>,
    ) {
        let has_body = !arrival.request.body.is_empty();
        let Some(usage) = self.usages.get_mut(&id) else { return };
        let Exchange::Serving { reply, .. } = &mut usage.exchange else { return };
        let before = reply.described;
        reply.described = match (before, described, reply.offered) {
            (Described::No, true, true) => Described::Settled,
            // Ours is answered in the PRACK.
            (Described::No, true, false) if has_body => Described::Settled,
            (before, ..) => before,
        };
        let offers = has_body && (before == Described::Settled || described && reply.offered);
        if offers {
            self.offered_by_prack(id, arrival, cx);
        } else {
            self.accept_prack(arrival, cx);
            cx.event(Event::Pracked { invite: id, body: arrival.request.body.clone() });
        }
        self.go_on(id, cx);
    }

    /// §5: PRACK offers anew, and its 2xx is to answer.
    fn offered_by_prack(&mut self, id: InviteId, arrival: &Arrival, cx: &mut Context<'_>) {
        let is_busy = self.usages.get(&id).is_some_and(|u| matches!(u.updating, Updating::Serving { .. }));
        if is_busy {
            return self.come_later(arrival, cx);
        }
        let Ok(transaction) = self.serve(arrival, None, Owner::Update(id)) else {
            return self.overloaded(arrival, cx);
        };
        let reply = Box::new(Reply::of(arrival, None));
        let until = cx.now + super::update::PROMPT;
        if let Some(usage) = self.usages.get_mut(&id) {
            usage.updating = Updating::Serving { transaction, reply, until };
        }
        cx.event(Event::ReInvite { invite: id, request: Box::new(arrival.request.clone()) });
    }

    /// What waited for the PRACK: the 2xx, or the next provisional response.
    fn go_on(&mut self, id: InviteId, cx: &mut Context<'_>) {
        self.arm(id);
        let Some(sent) = self.usages.get_mut(&id).and_then(|usage| usage.sent.as_mut()) else { return };
        if let Some(held) = sent.answer.take() {
            let HeldAnswer { contact_parameters, headers, body } = *held;
            // There is an INVITE to be answered, or else the 2xx was given up.
            let _ = self.accept_invite(id, contact_parameters, &headers, body, cx);
        } else if let Some(next) = sent.waiting.pop_front() {
            let _ = self.send_reliably(id, next, cx);
        }
    }
}

impl UserAgent {
    /// A provisional response to our INVITE that is for the application. `None` where it is not: a repetition, or one
    /// that overtook another (§4). Otherwise: does its PRACK wait for the application's answer?
    pub(super) fn note_provisional(
        &mut self,
        id: InviteId,
        transaction: TransactionId,
        response: &Response,
        flow: &Flow,
        cx: &mut Context<'_>,
    ) -> Option<bool> {
        let tag = response.headers.to().ok().and_then(|to| to.tag().map(str::to_owned)).unwrap_or_default();
        let rseq = rseq_of(&response.headers);
        if tag.is_empty() {
            return Some(false);
        }
        let invite = self.transactions.invite(transaction)?;
        let offerless = invite.body.is_empty();
        let cseq = invite.headers.cseq().ok()?.number;
        let in_dialog = self.usages.get(&id)?.dialog.is_some();
        let dialog = if in_dialog { None } else { Dialog::of_caller(invite, response).ok() };
        let usage = self.usages.get_mut(&id)?;
        let at = usage.early.iter().position(|early| early.remote_tag == tag);
        if at.is_none() && (usage.early.len() >= MOST_FORKS || !in_dialog && dialog.is_none()) {
            return Some(false);
        }
        if at.is_none() {
            usage.early.push(Early { remote_tag: tag.clone(), dialog, rseq: 0, owed: None, settled: false });
        }
        usage.note_allow(&response.headers);
        let early = usage.early.iter_mut().find(|early| early.remote_tag == tag)?;
        let Some(rseq) = rseq else {
            self.set_path(id, Path::of_response(flow));
            return Some(false);
        };
        // §4: out of order ones are not acknowledged, and come again.
        if early.rseq != 0 && rseq != early.rseq.wrapping_add(1) {
            return None;
        }
        early.rseq = rseq;
        let described = !response.body.is_empty();
        let awaits = offerless && described && !early.settled;
        if awaits {
            early.owed = Some((rseq, cseq));
        } else {
            early.settled |= described;
        }
        self.set_path(id, Path::of_response(flow));
        if !awaits {
            self.prack(id, &tag, (rseq, cseq), None, cx);
        }
        Some(awaits)
    }

    /// The application's answer to the offer of a provisional response. `None` where none was made.
    pub(super) fn answer_by_prack(
        &mut self,
        id: InviteId,
        body: Option<Body>,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let early = self.usages.get_mut(&id)?.early.iter_mut().find(|early| early.owed.is_some())?;
        let owed = early.owed.take()?;
        early.settled = body.is_some();
        let tag = early.remote_tag.clone();
        self.prack(id, &tag, owed, body, cx)
    }

    fn prack(
        &mut self,
        id: InviteId,
        tag: &str,
        (rseq, cseq): (u32, u32),
        body: Option<Body>,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let usage = self.usages.get_mut(&id)?;
        let early = usage.early.iter_mut().find(|early| early.remote_tag == tag)?;
        let dialog = early.dialog.as_mut().or(usage.dialog.as_mut())?;
        let mut request: Request = dialog.request(Method::Prack);
        let way = usage.path.as_ref()?.next(dialog);
        request.headers.push(HeaderName::RAck, format!("{rseq} {cseq} INVITE"));
        request.body = with_body(&mut request.headers, body);
        self.prepare(id, &mut request, cx);
        self.transmit(request, way, Owner::Prack(id), cx).map(|_| ())
    }
}

/// The RSeq of a response that wants PRACK (§4).
fn rseq_of(headers: &Headers) -> Option<u32> {
    let rseq = number(trim(headers.text(&HeaderName::RSeq)?))?;
    names_option(headers, &HeaderName::Require, OPTION).then_some(rseq)
}

impl Usage {
    /// The CSeq numbers of a dialog go on from those of its early days.
    pub(super) fn go_on_counting(&self, dialog: &mut Dialog) {
        let early = self.early.iter().filter(|early| early.remote_tag == dialog.remote_tag());
        if let Some(before) = early.filter_map(|early| early.dialog.as_ref()).next() {
            dialog.local_cseq = dialog.local_cseq.max(before.local_cseq);
            dialog.remote_cseq = before.remote_cseq;
        }
    }

    /// The early dialog of the peer with this Call-ID and tag.
    pub(super) fn early_dialog(&mut self, call_id: &str, tag: &str) -> Option<&mut Dialog> {
        let mut of = self.early.iter_mut().filter_map(|early| early.dialog.as_mut());
        of.find(|dialog| dialog.is_peer(call_id, tag))
    }
}
