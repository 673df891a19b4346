//! Requests within dialogs other than our own INVITE and BYE (RFC 3261 §12.2).

use crate::{HeaderName, Headers, Method, Response, StatusCode};

use super::agent::{Owner, PendingRequest, UserAgent};
use super::build::{append, with_body};
use super::context::Context;
use super::inspect::Refusal;
use super::path::Path;
use super::receive::Arrival;
use super::usage::{Exchange, Stage, Usage};
use super::{Body, EndCause, Event, Failure, InviteId, RequestId};

impl UserAgent {
    /// A request of the peer in this usage's dialog (§12.2.2).
    pub(super) fn in_dialog(&mut self, id: InviteId, arrival: Arrival, cx: &mut Context<'_>) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        if usage.held.as_ref().is_some_and(|held| held.arrival.key == arrival.key) {
            self.statistics.retransmissions += 1;
            return;
        }
        let dialog = match usage.dialog.is_some() {
            true => usage.dialog.as_mut(),
            false => usage.early_dialog(&arrival.call_id, &arrival.from_tag),
        };
        let in_order = dialog.map(|dialog| dialog.note_cseq(arrival.cseq));
        if !matches!(in_order, Some(Ok(()))) {
            return self.refuse(&arrival, &Refusal::new(StatusCode::SERVER_INTERNAL_ERROR), cx);
        }
        let tag = usage.local_tag.clone();
        let ending = usage.stage == Stage::Ending;
        let early_caller = usage.dialog.is_none();
        self.set_path(id, Path::of_request(&arrival.flow, &arrival.via));
        match arrival.request.method {
            // RFC 3261 §15: a callee ends an early dialog by its final response alone; nor does it offer by INVITE.
            Method::Bye | Method::Invite if early_caller => {
                self.refuse_once(&arrival, &Refusal::new(StatusCode::CALL_DOES_NOT_EXIST), cx);
            }
            Method::Bye => self.bye_received(id, &arrival, cx),
            Method::Options => {
                let response = self.capabilities(&arrival);
                self.answer_now(&arrival, &response, cx);
            }
            // We have hung up: for anything new the dialog is gone (RFC 5407 §3.2).
            _ if ending => {
                self.refuse_once(&arrival, &Refusal::new(StatusCode::CALL_DOES_NOT_EXIST), cx);
            }
            Method::Invite => self.reinvited(id, arrival, cx),
            Method::Prack => self.pracked(id, arrival, cx),
            Method::Info => self.informed(id, arrival, &tag, cx),
            Method::Update => self.updated(id, arrival, cx),
            _ => self.deliver(Some(id), arrival, &tag, cx),
        }
    }

    /// §15.1.2.
    fn bye_received(&mut self, id: InviteId, arrival: &Arrival, cx: &mut Context<'_>) {
        let response = self.reply_to(arrival, StatusCode::OK, None);
        self.answer_now(arrival, &response, cx);
        // §15.1.2: what is pending is still answered, by 487 for choice.
        self.refuse_invite(id, StatusCode::REQUEST_TERMINATED, None, &Headers::new(), cx);
        let crossed = self.usages.get(&id).is_some_and(|usage| usage.stage == Stage::Ending);
        let reason = arrival.request.headers.text(&HeaderName::Reason).map(str::to_owned);
        let cause = if crossed { EndCause::Local } else { EndCause::Bye { reason } };
        self.end(id, cause, cx);
    }

    /// Gives a request to the application to answer.
    pub(super) fn deliver(
        &mut self,
        usage: Option<InviteId>,
        arrival: Arrival,
        tag: &str,
        cx: &mut Context<'_>,
    ) {
        let merge = usage.is_none().then(|| arrival.merge_key());
        let Ok(transaction) = self.serve(&arrival, merge, Owner::Nobody) else {
            return self.overloaded(&arrival, cx);
        };
        self.last_request += 1;
        let id = RequestId(self.last_request);
        let mut base = Response::to_request(&arrival.request, StatusCode::OK, Some(tag)).headers;
        self.push_session_of(&arrival, Some(tag), &mut base);
        // Longer than timer F nobody waits for it.
        let until = cx.now + self.config.timing.timeout();
        self.insert_request(id, PendingRequest { transaction, base, until });
        let flow = arrival.flow;
        cx.event(Event::Request { invite: usage, id, request: Box::new(arrival.request), flow });
    }

    /// The application answers a request.
    pub(super) fn respond(
        &mut self,
        id: RequestId,
        status: StatusCode,
        headers: &Headers,
        body: Option<Body>,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        if status.is_provisional() {
            return None;
        }
        let pending = self.remove_request(id)?;
        let mut response = Response::new(status);
        response.headers = pending.base;
        self.add_server(&mut response.headers);
        append(&mut response.headers, headers);
        response.body = with_body(&mut response.headers, body);
        self.transactions.respond(pending.transaction, status, response.to_bytes(), cx.now, &mut cx.out);
        Some(())
    }

    /// The application sends a request (§12.2.1).
    pub(super) fn ask(
        &mut self,
        id: InviteId,
        method: Method,
        headers: &Headers,
        body: Option<Body>,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let stage = &self.usages.get(&id)?.stage;
        let own = matches!(
            method,
            Method::Invite | Method::Ack | Method::Bye | Method::Cancel | Method::Prack | Method::Update
        );
        let sent = if own || !matches!(stage, Stage::Confirmed | Stage::Unconfirmed { .. }) {
            Err(Failure::Unfit)
        } else {
            let built = self.in_dialog_request(id, method.clone(), headers, body, cx);
            built
                .and_then(|(request, target)| {
                    self.transmit(request, target, Owner::Asked(id, method.clone()), cx)
                })
                .ok_or(Failure::Unreachable)
        };
        if let Err(failure) = sent {
            cx.event(Event::Response { invite: id, method, result: Err(failure) });
        }
        Some(())
    }

    /// The final response to such a request.
    pub(super) fn asked(&mut self, id: InviteId, method: Method, response: Response, cx: &mut Context<'_>) {
        if self.usages.contains_key(&id) {
            let status = response.status;
            cx.event(Event::Response { invite: id, method, result: Ok(Box::new(response)) });
            if is_fatal(status) {
                self.lose(id, cx);
            }
        }
    }

    /// What of a usage is due.
    pub(super) fn usage_due(&mut self, id: InviteId, cx: &mut Context<'_>) {
        if self.usages.get(&id).and_then(Usage::exchange_deadline).is_some_and(|at| at <= cx.now) {
            self.exchange_due(id, cx);
        }
        self.held_due(id, cx);
        // Which of them it is they know themselves.
        let _ = self.reliable_due(id, cx);
        let _ = self.update_due(id, cx);
        let _ = self.timer_due(id, cx);
    }

    fn exchange_due(&mut self, id: InviteId, cx: &mut Context<'_>) {
        let _ = match self.usages.get(&id).map(|usage| &usage.exchange) {
            Some(Exchange::Serving { .. }) => self.serving_due(id, cx),
            Some(Exchange::Confirming { .. }) => self.confirming_due(id, cx),
            Some(Exchange::Calling { .. }) => self.calling_due(id, cx),
            Some(Exchange::Acknowledging { .. }) => self.acknowledging_due(id, cx),
            Some(Exchange::BackingOff { .. }) => self.try_again(id, cx),
            Some(Exchange::Idle) | None => None,
        };
    }
}

/// §12.2.1.2: these end the dialog.
pub(super) const fn is_fatal(status: StatusCode) -> bool {
    matches!(status.get(), 408 | 481)
}
