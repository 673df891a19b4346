//! INVITE as a caller: calling, cancelling, acknowledging, offering anew (RFC 3261 §13.2, §9.1, §14.1).

use std::time::Duration;

use crate::dialog::Dialog;
use crate::digest::Client;
use crate::locate::Destination;
use crate::transaction::{SentAck, TransactionId};
use crate::{CSeq, HeaderName, Headers, Method, NameAddr, Request, Response, StatusCode, Uri};

use super::agent::{Owner, UserAgent};
use super::build::{append, with_body, within_invite};
use super::context::Context;
use super::in_dialog::is_fatal;
use super::path::{Path, Way};
use super::session_id::{SessionId, session_half};
use super::usage::{Exchange, Offer, Progress, Stage, Updating, Usage};
use super::{Body, EndCause, Event, Failure, Flow, InviteId, NewInvite, Target};

/// How often a re-INVITE is tried again after glare before the application hears of it.
const MOST_GLARES: u8 = 4;

/// Most dialogs that one INVITE of ours may fork into and that we acknowledge and end.
const MOST_FORKS: usize = 16;

impl UserAgent {
    /// The application calls out (§13.2.1).
    pub(super) fn invite(&mut self, id: InviteId, mut call: NewInvite, cx: &mut Context<'_>) -> Option<()> {
        if !id.is_outgoing() || self.usages.contains_key(&id) {
            return None;
        }
        if let Some(credentials) = call.credentials.take() {
            self.accounts.insert(id, Client::new(credentials));
        }
        if let Err(failure) = self.try_invite(id, call, cx) {
            self.forget_account(id);
            cx.ended(id, EndCause::Failed(failure));
        }
        Some(())
    }

    fn try_invite(&mut self, id: InviteId, call: NewInvite, cx: &mut Context<'_>) -> Result<(), Failure> {
        if self.usages.len() >= self.config.limits.dialogs {
            return Err(Failure::Unfit);
        }
        let tag = cx.token();
        let way = way_of(call.target, &call.routes, &call.uri)?;
        let mut request = self.first_invite(&call, &way, &tag, cx)?;
        let offerless = request.body.is_empty();
        let session_id = SessionId::new(None, cx);
        request.headers.push(self.texts.session_id.clone(), session_id.text());
        let transaction = self.transmit(request, way, Owner::Invite(id), cx).ok_or(Failure::Unreachable)?;
        self.statistics.outgoing += 1;
        let until = cx.now + self.config.limits.ringing;
        let progress = Progress::Silent { until };
        let exchange = Exchange::Calling { transaction, offerless, progress, again: None };
        let mut usage = Usage::new(exchange, tag, true);
        usage.session_id = Some(session_id);
        usage.contact_user = call.contact_user;
        usage.contact_parameters = call.contact_parameters;
        self.insert_usage(id, usage);
        self.arm(id);
        Ok(())
    }

    /// §8.1.1.
    fn first_invite(
        &self,
        call: &NewInvite,
        way: &Way,
        tag: &str,
        cx: &mut Context<'_>,
    ) -> Result<Request, Failure> {
        let from = NameAddr::parse(&call.from).ok_or(Failure::Unfit)?.with_tag(tag);
        let to = match &call.to {
            Some(to) => NameAddr::parse(to).ok_or(Failure::Unfit)?,
            None => NameAddr::new(call.uri.clone()),
        };
        let secure = call.uri.scheme() == "sips";
        let contact = self
            .contact(&call.contact_user, &call.contact_parameters, secure, &self.stand_in(way))
            .ok_or(Failure::Unreachable)?;
        let mut request = Request::new(Method::Invite, call.uri.clone());
        let headers = &mut request.headers;
        headers.push(HeaderName::MaxForwards, "70");
        for route in &call.routes {
            headers.push(HeaderName::Route, route.clone());
        }
        headers.push(HeaderName::From, from.to_string());
        headers.push(HeaderName::To, to.to_string());
        headers.push(HeaderName::CallId, format!("{}{}", cx.token(), cx.token()));
        headers.push(HeaderName::CSeq, CSeq { number: 1, method: Method::Invite }.to_string());
        headers.push(HeaderName::Contact, contact);
        self.texts.capabilities(headers);
        self.ask_for_timer(headers, None);
        append(headers, &call.headers);
        request.body = with_body(headers, call.body.clone());
        Ok(request)
    }

    /// A response to an INVITE or re-INVITE of ours.
    pub(super) fn invite_response(
        &mut self,
        id: InviteId,
        transaction: TransactionId,
        response: Response,
        flow: &Flow,
        cx: &mut Context<'_>,
    ) {
        if response.status.class() < 4 {
            self.note_session_id(id, session_half(&response.headers, &self.texts.session_id));
        }
        // Whoever does not find what it belongs to leaves it alone.
        let _ = match response.status.class() {
            1 => self.progressed(id, transaction, response, flow, cx),
            2 => self.answered(id, transaction, response, flow, cx),
            _ => self.refused(id, transaction, response, cx),
        };
    }

    /// The exchange of this transaction, if the usage is still at it.
    fn calling(&mut self, id: InviteId, transaction: TransactionId) -> Option<&mut Usage> {
        let usage = self.usages.get_mut(&id)?;
        let is_it = matches!(usage.exchange, Exchange::Calling { transaction: calling, .. } if calling == transaction);
        is_it.then_some(usage)
    }

    fn progressed(
        &mut self,
        id: InviteId,
        transaction: TransactionId,
        response: Response,
        flow: &Flow,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let ringing = self.config.limits.ringing;
        let usage = self.calling(id, transaction)?;
        let early = usage.stage == Stage::Early;
        let Exchange::Calling { progress, .. } = &mut usage.exchange else { return None };
        let unwanted = match progress {
            Progress::Silent { until } => {
                *progress = Progress::Provisional { until: (*until).max(cx.now + ringing) };
                None
            }
            Progress::Unwanted { reason, .. } => Some(std::mem::take(reason)),
            Progress::Provisional { .. } | Progress::Cancelled { .. } => None,
        };
        let wanted = !progress.is_cancelled();
        if let Some(reason) = unwanted {
            self.send_cancel(id, reason, false, cx);
        } else if wanted && response.status != StatusCode::TRYING {
            let awaits_prack = self.note_provisional(id, transaction, &response, flow, cx);
            if let Some(awaits_prack) = awaits_prack.filter(|awaits| early || *awaits) {
                cx.event(Event::Progress { invite: id, response: Box::new(response), awaits_prack });
            }
        }
        self.arm(id);
        Some(())
    }

    /// 2xx (§13.2.2.4).
    fn answered(
        &mut self,
        id: InviteId,
        transaction: TransactionId,
        response: Response,
        flow: &Flow,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let remote_tag = response.headers.to().ok()?.tag().unwrap_or("").to_owned();
        let sent = self.transactions.acks(transaction).iter().find(|sent| sent.remote_tag == remote_tag);
        if let Some(sent) = sent.cloned() {
            return self.repeat_ack(transaction, sent, cx);
        }
        if self.calling(id, transaction).is_none() {
            return self.orphan(id, transaction, &response, remote_tag, flow, cx);
        }
        self.first_answer(id, transaction, response, remote_tag, flow, cx)
    }

    fn first_answer(
        &mut self,
        id: InviteId,
        transaction: TransactionId,
        response: Response,
        remote_tag: String,
        flow: &Flow,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let cseq = response.headers.cseq().ok()?.number;
        let early = self.usages.get(&id)?.stage == Stage::Early;
        if early {
            let invite = self.transactions.invite(transaction)?;
            let Ok(mut dialog) = Dialog::of_caller(invite, &response) else {
                // Its Record-Route cannot be read, so nothing can be sent in that dialog, not even BYE.
                let failure = Failure::Rejected(Box::new(response));
                self.end(id, EndCause::Failed(failure), cx);
                return Some(());
            };
            let usage = self.usages.get_mut(&id)?;
            usage.go_on_counting(&mut dialog);
            usage.dialog = Some(dialog);
        } else if let Some(dialog) = &mut self.usages.get_mut(&id)?.dialog {
            dialog.refresh_target(&response.headers);
        }
        self.set_path(id, Path::of_response(flow));
        self.take_timer(id, &response.headers, cx.now);
        let until = cx.now + self.config.timing.timeout();
        let usage = self.usages.get_mut(&id)?;
        usage.note_allow(&response.headers);
        usage.stage = Stage::Confirmed;
        let Exchange::Calling { offerless, progress, .. } = usage.take_exchange() else { return None };
        usage.exchange = Exchange::Acknowledging { transaction, cseq, remote_tag: remote_tag.clone(), until };
        self.transactions.note_ack(transaction, SentAck { remote_tag, ack: None, others: None });
        // §9.1: CANCEL came too late, so the call is hung up. A re-INVITE that was answered counts.
        if let (true, Progress::Unwanted { reason, .. } | Progress::Cancelled { reason, .. }) =
            (early, progress)
        {
            self.ack(id, None, cx);
            self.send_bye(id, &reason, cx);
            return Some(());
        }
        if offerless {
            self.arm(id);
        } else {
            self.ack(id, None, cx);
        }
        let response = Box::new(response);
        cx.event(match early {
            true => Event::Answered { invite: id, response, awaits_ack: offerless },
            false => Event::ReInviteAnswered { invite: id, response, awaits_ack: offerless },
        });
        Some(())
    }

    /// Acknowledges a 2xx (§13.2.2.4).
    pub(super) fn ack(&mut self, id: InviteId, body: Option<Body>, cx: &mut Context<'_>) -> Option<()> {
        let usage = self.usages.get_mut(&id)?;
        if matches!(usage.exchange, Exchange::Calling { .. }) {
            return self.answer_by_prack(id, body, cx);
        }
        let (transaction, cseq, remote_tag) = match usage.take_exchange() {
            Exchange::Acknowledging { transaction, cseq, remote_tag, .. } => (transaction, cseq, remote_tag),
            other => {
                usage.exchange = other;
                return None;
            }
        };
        let dialog = usage.dialog.as_ref()?;
        let mut request = dialog.ack(cseq);
        let way = usage.path.as_ref()?.next(dialog);
        if let Some(usage) = self.usages.get(&id) {
            self.push_session_id(usage, &mut request.headers);
        }
        request.body = with_body(&mut request.headers, body);
        self.send_ack(transaction, remote_tag, request, way, cx);
        self.arm(id);
        Some(())
    }

    /// A 2xx that the usage does not wait for (any more): acknowledge it, and end what it set up (§13.2.2.4).
    fn orphan(
        &mut self,
        id: InviteId,
        transaction: TransactionId,
        response: &Response,
        remote_tag: String,
        flow: &Flow,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        if self.transactions.acks(transaction).len() >= MOST_FORKS {
            return None;
        }
        let invite = self.transactions.invite(transaction)?;
        let is_reinvite = invite.headers.to().ok()?.tag().is_some();
        let mut dialog = Dialog::of_caller(invite, response).ok()?;
        let cseq = dialog.local_cseq;
        if let Some(usage) = self.usages.get(&id).filter(|_| !is_reinvite) {
            usage.go_on_counting(&mut dialog);
        }
        if is_reinvite {
            // The dialog itself was ended by a BYE already; its route set is that of the re-INVITE.
            dialog.route_set = invite.headers.routes().ok()?;
        }
        let way = Path::of_response(flow).next(&dialog);
        self.send_ack(transaction, remote_tag, dialog.ack(cseq), way.clone(), cx);
        if !is_reinvite {
            let mut bye = dialog.request(Method::Bye);
            self.prepare(id, &mut bye, cx);
            self.transmit(bye, way, Owner::Nobody, cx)?;
        }
        Some(())
    }

    /// The same INVITE once more, with a session interval that suits (RFC 4028 §7.4).
    fn call_again(
        &mut self,
        id: InviteId,
        transaction: TransactionId,
        progress: Progress,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let target = self.transactions.target(transaction)?;
        let mut request = self.transactions.invite(transaction)?.clone();
        let number = request.headers.cseq().ok()?.number + 1;
        let headers = &mut request.headers;
        headers.remove(&HeaderName::Via);
        headers.remove(&HeaderName::UserAgent);
        headers.set(HeaderName::CSeq, CSeq { number, method: Method::Invite }.to_string());
        let usage = self.usages.get(&id)?;
        headers.set(HeaderName::SessionExpires, usage.least_interval.to_string());
        headers.set(HeaderName::MinSe, usage.least_interval.to_string());
        self.prepare(id, &mut request, cx);
        let offerless = request.body.is_empty();
        self.usages.get_mut(&id)?.early.clear();
        let Some(transaction) = self.transmit(request, target, Owner::Invite(id), cx) else {
            self.end(id, EndCause::Failed(Failure::Unreachable), cx);
            return Some(());
        };
        let progress = Progress::Silent { until: progress.until()? };
        self.usages.get_mut(&id)?.exchange =
            Exchange::Calling { transaction, offerless, progress, again: None };
        self.arm(id);
        Some(())
    }

    /// 300 to 699 (§13.2.2.2, §13.2.2.3, §14.1).
    fn refused(
        &mut self,
        id: InviteId,
        transaction: TransactionId,
        response: Response,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let usage = self.calling(id, transaction)?;
        let early = usage.stage == Stage::Early;
        let Exchange::Calling { progress, again, .. } = usage.take_exchange() else { return None };
        let status = response.status;
        if status == StatusCode::SESSION_INTERVAL_TOO_SMALL
            && !progress.is_cancelled()
            && self.raise(id, &response).is_some()
        {
            return match again {
                Some(again) => self.offer(id, again, cx),
                None => self.call_again(id, transaction, progress, cx),
            };
        }
        let failure = Failure::Rejected(Box::new(response));
        if early {
            self.end(id, cause_of(&progress, failure), cx);
            return Some(());
        }
        if status == StatusCode::REQUEST_PENDING && !progress.is_cancelled() {
            match again {
                Some(again) => drop(self.back_off(id, again, failure, cx)),
                None => cx.event(Event::ReInviteRejected { invite: id, failure }),
            }
        } else {
            cx.event(Event::ReInviteRejected { invite: id, failure });
            if is_fatal(status) {
                self.lose(id, cx);
            }
        }
        self.arm(id);
        Some(())
    }

    /// §14.1.
    pub(super) fn back_off(
        &mut self,
        id: InviteId,
        mut again: Box<Offer>,
        failure: Failure,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let usage = self.usages.get_mut(&id)?;
        let refusal = match failure {
            Failure::Rejected(refusal) if again.refused < MOST_GLARES => refusal,
            failure => {
                offer_failed(id, &again, failure, cx);
                return Some(());
            }
        };
        again.refused += 1;
        // In units of 10 ms: the owner of the Call-ID 2.1 to 4 s, the other side 0 to 2 s.
        let (least, span) = if usage.caller { (210, 191) } else { (0, 201) };
        let units = least + u64::from(cx.entropy.next_u32()) % span;
        let until = cx.now + Duration::from_millis(units * 10);
        usage.exchange = Exchange::BackingOff { until, again, refusal };
        Some(())
    }

    /// The time after a glare is over.
    pub(super) fn try_again(&mut self, id: InviteId, cx: &mut Context<'_>) -> Option<()> {
        let (again, _) = self.usages.get_mut(&id)?.take_waiting()?;
        self.offer(id, again, cx)
    }

    /// The application offers anew (§14.1).
    pub(super) fn reinvite(
        &mut self,
        id: InviteId,
        headers: Headers,
        body: Option<Body>,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let usage = self.usages.get(&id)?;
        if usage.is_confirmed() && usage.may_offer() {
            self.offer(id, Box::new(Offer { method: Method::Invite, headers, body, refused: 0 }), cx)
        } else {
            cx.event(Event::ReInviteRejected { invite: id, failure: Failure::Unfit });
            Some(())
        }
    }

    /// Sends a re-INVITE or UPDATE.
    pub(super) fn offer(&mut self, id: InviteId, offer: Box<Offer>, cx: &mut Context<'_>) -> Option<()> {
        let built = self.in_dialog_request(id, offer.method.clone(), &offer.headers, offer.body.clone(), cx);
        let by_update = offer.method == Method::Update;
        let owner = if by_update { Owner::Update(id) } else { Owner::Invite(id) };
        let sent = built.and_then(|(request, target)| self.transmit(request, target, owner, cx));
        let Some(transaction) = sent else {
            offer_failed(id, &offer, Failure::Unreachable, cx);
            return Some(());
        };
        if by_update {
            self.usages.get_mut(&id)?.updating = Updating::Asking { transaction, again: offer };
            self.arm(id);
            return Some(());
        }
        // Each re-INVITE counts its reliable provisional responses anew (RFC 3262 §4).
        self.usages.get_mut(&id)?.early.clear();
        let offerless = offer.body.as_ref().is_none_or(|body| body.bytes.is_empty());
        let progress = Progress::Silent { until: cx.now + self.config.limits.ringing };
        self.usages.get_mut(&id)?.exchange =
            Exchange::Calling { transaction, offerless, progress, again: Some(offer) };
        self.arm(id);
        Some(())
    }

    /// The application takes its INVITE back (§9.1).
    pub(super) fn cancel(&mut self, id: InviteId, headers: Headers, cx: &mut Context<'_>) -> Option<()> {
        let usage = self.usages.get_mut(&id)?;
        let Exchange::Calling { progress, .. } = &mut usage.exchange else { return None };
        match progress {
            // §9.1: before a provisional response CANCEL could overtake its INVITE. Timer B ends a silence.
            Progress::Silent { .. } => {
                *progress = Progress::Unwanted { reason: headers };
                self.take_back(id, cx);
            }
            Progress::Provisional { .. } => self.send_cancel(id, headers, false, cx),
            Progress::Unwanted { .. } | Progress::Cancelled { .. } => return None,
        }
        self.arm(id);
        Some(())
    }

    fn send_cancel(&mut self, id: InviteId, reason: Headers, expired: bool, cx: &mut Context<'_>) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        let Exchange::Calling { transaction, progress, .. } = &mut usage.exchange else { return };
        let transaction = *transaction;
        *progress = Progress::Cancelled { reason: reason.clone(), expired };
        self.transactions.abandon(transaction, cx.now, &mut cx.out);
        // Without room for it the INVITE is given up in time all the same.
        let _ = self.transmit_cancel(transaction, &reason, cx);
        self.arm(id);
    }

    fn transmit_cancel(
        &mut self,
        transaction: TransactionId,
        reason: &Headers,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let invite = self.transactions.invite(transaction)?;
        let mut cancel = within_invite(invite, Method::Cancel, None);
        append(&mut cancel.headers, reason);
        let key = crate::transaction::ClientKey::of_response(&cancel.headers.via().ok()?, &Method::Cancel)?;
        let target = self.transactions.target(transaction)?;
        let new = crate::transaction::NewClient {
            key,
            bytes: cancel.to_bytes(),
            invite: None,
            target,
            owner: Owner::Nobody,
        };
        self.transactions.request(new, cx.now, &mut cx.out).ok().map(|_| ())
    }

    /// An INVITE of ours drew no final response.
    pub(super) fn invite_failed(
        &mut self,
        id: InviteId,
        transaction: TransactionId,
        failure: Failure,
        cx: &mut Context<'_>,
    ) {
        let Some(usage) = self.calling(id, transaction) else { return };
        let early = usage.stage == Stage::Early;
        let Exchange::Calling { progress, .. } = usage.take_exchange() else { return };
        if early {
            self.end(id, cause_of(&progress, failure), cx);
            return;
        }
        let lost = matches!(failure, Failure::Timeout);
        cx.event(Event::ReInviteRejected { invite: id, failure });
        if lost {
            self.lose(id, cx);
        }
        self.arm(id);
    }

    /// Our INVITE has waited long enough.
    pub(super) fn calling_due(&mut self, id: InviteId, cx: &mut Context<'_>) -> Option<()> {
        let usage = self.usages.get_mut(&id)?;
        let Exchange::Calling { progress, .. } = &mut usage.exchange else { return None };
        match progress {
            Progress::Silent { .. } => {
                *progress = Progress::Unwanted { reason: Headers::new() };
            }
            Progress::Provisional { .. } => self.send_cancel(id, Headers::new(), true, cx),
            Progress::Unwanted { .. } | Progress::Cancelled { .. } => return None,
        }
        Some(())
    }

    /// The application never answered the offer of a 2xx; the ACK is owed all the same.
    pub(super) fn acknowledging_due(&mut self, id: InviteId, cx: &mut Context<'_>) -> Option<()> {
        self.ack(id, None, cx)?;
        self.part(id, &Headers::new(), EndCause::NoAck, cx);
        Some(())
    }
}

/// Tells the application, unless it did not ask.
pub(super) fn offer_failed(id: InviteId, offer: &Offer, failure: Failure, cx: &mut Context<'_>) {
    if !offer.is_refresh() {
        cx.event(Event::ReInviteRejected { invite: id, failure });
    }
}

/// RFC 3263 §4: the first Route, else the Request-URI, says where, unless the application does.
pub(super) fn way_of(target: Option<Target>, routes: &[String], uri: &Uri) -> Result<Way, Failure> {
    if let Some(target) = target {
        return Ok(target.into());
    }
    let route = routes.first().map(|route| NameAddr::parse(route).ok_or(Failure::Unfit));
    let uri = route.transpose()?.map_or_else(|| uri.clone(), |route| route.uri);
    let destination = Destination::of_uri(&uri).ok_or(Failure::Unfit)?;
    Ok(Way::Locate { destination, last: None })
}

/// Why a call of ours ended without an answer.
fn cause_of(progress: &Progress, failure: Failure) -> EndCause {
    match progress {
        Progress::Cancelled { expired: true, .. } => EndCause::Failed(Failure::Timeout),
        Progress::Unwanted { .. } | Progress::Cancelled { .. } => EndCause::Local,
        Progress::Silent { .. } | Progress::Provisional { .. } => EndCause::Failed(failure),
    }
}
