//! From bytes to whoever they are for.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;

use bytes::Bytes;

use crate::transaction::{ClientKey, MergeKey, NewServer, ServerKey, TableFull, TransactionId};
use crate::{HeaderName, Headers, Message, Method, ParseError, Problem, Request, Response, StatusCode, Via};

use super::agent::{Owner, UserAgent};
use super::build::{append, within_invite};
use super::context::Context;
use super::inspect::Refusal;
use super::path::{response_route, sent_by};
use super::session_id::session_half;
use super::{Flow, Output, Target};

/// A request with what is asked of it again and again, read once.
#[derive(Debug)]
pub(super) struct Arrival {
    /// Its top Via is stamped with where it came from.
    pub request: Request,
    pub flow: Flow,
    pub via: Via,
    pub key: ServerKey,
    pub from_tag: String,
    /// Empty outside of dialogs.
    pub to_tag: String,
    pub call_id: String,
    pub cseq: u32,
    /// What its sender calls the session (RFC 7989).
    pub session: Option<String>,
}

impl Arrival {
    fn of(mut request: Request, flow: &Flow, session_id: &HeaderName) -> Option<Arrival> {
        let mut via = request.headers.via().ok()?;
        // RFC 3261 §18.2.1, RFC 3581 §4.
        via.stamp(flow.remote);
        request.headers.replace_top_value(&HeaderName::Via, Some(&via.to_string())).ok()?;
        let headers = &request.headers;
        Some(Arrival {
            key: ServerKey::of(&request, &via)?,
            from_tag: headers.from().ok()?.tag().unwrap_or("").to_owned(),
            to_tag: headers.to().ok()?.tag().unwrap_or("").to_owned(),
            call_id: headers.call_id().ok()?.to_owned(),
            cseq: headers.cseq().ok()?.number,
            session: session_half(headers, session_id),
            flow: *flow,
            via,
            request,
        })
    }

    pub fn route(&self) -> (Target, SocketAddr) {
        response_route(&self.flow, &self.via)
    }

    /// The key that all copies of it share (RFC 3261 §8.2.2.2).
    pub fn merge_key(&self) -> MergeKey {
        let Request { method, uri, .. } = &self.request;
        MergeKey::new(&self.from_tag, &self.call_id, self.cseq, method, uri)
    }

    /// A To tag that is the same for each copy of the request, as a stateless answer needs (RFC 3261 §8.2.7).
    pub fn stateless_tag(&self) -> String {
        stateless_tag(&(&self.from_tag, &self.call_id, self.cseq, self.via.branch()))
    }
}

pub(super) fn stateless_tag(what: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

impl UserAgent {
    pub(super) fn receive(&mut self, flow: &Flow, bytes: Bytes, cx: &mut Context<'_>) {
        // RFC 5626 §4.4.1, §3.5.1: CRLFs and the like keep a NAT's binding alive.
        if bytes.iter().all(|b| matches!(b, b'\r' | b'\n' | 0)) {
            return;
        }
        self.statistics.received += 1;
        match Message::parse(bytes) {
            Ok(Message::Request(request)) => self.request(request, flow, cx),
            Ok(Message::Response(response)) => self.response(response, flow, cx),
            Err(error) => {
                self.malformed(flow, &error, cx);
                // What is no SIP on a stream will not become it.
                if flow.protocol.is_reliable() && *error.problem() == Problem::NotSip {
                    cx.out.emit(Output::CloseFlow(*flow));
                }
            }
        }
    }

    pub(super) fn unframed(&mut self, flow: &Flow, error: &ParseError, cx: &mut Context<'_>) {
        self.statistics.received += 1;
        self.malformed(flow, error, cx);
        cx.out.emit(Output::CloseFlow(*flow));
    }

    fn malformed(&mut self, flow: &Flow, error: &ParseError, cx: &mut Context<'_>) {
        let via = error.via();
        let tag = stateless_tag(&error.request().and_then(|r| r.headers.text(&HeaderName::CallId)));
        match (error.response(flow.remote, &tag), via) {
            (Some(response), Some(via)) => {
                self.statistics.malformed += 1;
                let (target, _) = response_route(flow, &via);
                cx.send(target, response.to_bytes());
            }
            _ => self.statistics.dropped += 1,
        }
    }

    fn request(&mut self, request: Request, flow: &Flow, cx: &mut Context<'_>) {
        let Some(arrival) = Arrival::of(request, flow, &self.texts.session_id) else {
            self.statistics.dropped += 1;
            return;
        };
        let known = self.transactions.find_server(&arrival.key);
        match (&arrival.request.method, known) {
            (Method::Ack, Some(id)) => {
                // The caller has a final response: a refusal without a transaction that overload drew, after which
                // the INVITE came again and was let in.
                if self.transactions.is_pending(id) {
                    self.withdraw(id, None, cx);
                }
                // One that repeats the branch of an INVITE answered 2xx breaks the rules, but is meant for us.
                else if self.transactions.acknowledged(id, cx.now, &mut cx.out) {
                    self.acknowledged(arrival, cx);
                }
            }
            (Method::Ack, None) => self.acknowledged(arrival, cx),
            (_, Some(id)) => {
                self.statistics.retransmissions += 1;
                self.transactions.repeated(id, cx.now, &mut cx.out);
            }
            (Method::Cancel, None) => self.cancelled(arrival, cx),
            (_, None) => self.fresh(arrival, cx),
        }
    }

    /// A request that begins a transaction.
    fn fresh(&mut self, arrival: Arrival, cx: &mut Context<'_>) {
        // RFC 3261 §12.2.2: what is in a dialog that does not exist needs no further look.
        let usage = match arrival.to_tag.as_str() {
            "" => None,
            tag => match self.usage_of(tag, &arrival) {
                Some(id) => Some(id),
                None => return self.refuse(&arrival, &Refusal::new(StatusCode::CALL_DOES_NOT_EXIST), cx),
            },
        };
        let mut arrival = arrival;
        if let Err(refusal) = self.inspect(&mut arrival) {
            return self.refuse(&arrival, &refusal, cx);
        }
        match (usage, &arrival.request.method) {
            (Some(id), _) => self.in_dialog(id, arrival, cx),
            (None, Method::Invite) => self.incoming(arrival, cx),
            // Without a transaction, as asking again draws the same.
            (None, Method::Options) => {
                let response = self.capabilities(&arrival);
                cx.send(arrival.route().0, response.to_bytes());
            }
            // These have a meaning within a dialog only (RFC 3261 §15.1.2, RFC 6086 §4.2.1, RFC 3262, RFC 3311).
            (None, Method::Bye | Method::Info | Method::Prack | Method::Update | Method::Notify) => {
                self.refuse(&arrival, &Refusal::new(StatusCode::CALL_DOES_NOT_EXIST), cx);
            }
            // RFC 3261 §8.2.2.2.
            (None, _) if self.transactions.is_merged(&arrival.merge_key()) => {
                self.refuse(&arrival, &Refusal::new(StatusCode::LOOP_DETECTED), cx);
            }
            (None, _) => {
                let tag = cx.token();
                self.deliver(None, arrival, &tag, cx);
            }
        }
    }

    /// The usage whose dialog a request belongs to (RFC 3261 §12.2.2).
    pub(super) fn usage_of(&self, to_tag: &str, arrival: &Arrival) -> Option<super::InviteId> {
        let id = *self.tags.get(to_tag)?;
        let usage = self.usages.get(&id)?;
        let early = usage.early.iter().filter_map(|early| early.dialog.as_ref());
        let mut known = usage.dialog.iter().chain(early.filter(|_| usage.dialog.is_none()));
        known.any(|dialog| dialog.is_peer(&arrival.call_id, &arrival.from_tag)).then_some(id)
    }

    /// RFC 3261 §11.2: what we can do.
    pub(super) fn capabilities(&self, arrival: &Arrival) -> Response {
        let tag = arrival.stateless_tag();
        let mut response = self.reply_to(arrival, StatusCode::OK, Some(&tag));
        self.texts.capabilities(&mut response.headers);
        response.headers.push(HeaderName::Accept, self.texts.accept.clone());
        response
    }

    /// A response with what each has, to be added to.
    pub(super) fn reply_to(&self, arrival: &Arrival, status: StatusCode, tag: Option<&str>) -> Response {
        let mut response = Response::to_request(&arrival.request, status, tag);
        self.push_session_of(arrival, tag, &mut response.headers);
        self.add_server(&mut response.headers);
        response
    }

    pub(super) fn add_server(&self, headers: &mut Headers) {
        if !self.texts.product.is_empty() {
            headers.push(HeaderName::Server, self.texts.product.clone());
        }
    }

    /// Refuses without a transaction (RFC 3261 §8.2.7): asking again draws the same, and nothing is kept of it.
    pub(super) fn refuse(&mut self, arrival: &Arrival, refusal: &Refusal, cx: &mut Context<'_>) {
        let response = self.refusal(arrival, refusal);
        cx.send(arrival.route().0, response.to_bytes());
    }

    /// Refuses in a transaction: what must be, once asking again would draw something else.
    pub(super) fn refuse_once(&mut self, arrival: &Arrival, refusal: &Refusal, cx: &mut Context<'_>) {
        let response = self.refusal(arrival, refusal);
        self.answer_now(arrival, &response, cx);
    }

    fn refusal(&mut self, arrival: &Arrival, refusal: &Refusal) -> Response {
        self.statistics.refused += 1;
        let tag = arrival.stateless_tag();
        let mut response = self.reply_to(arrival, refusal.status, Some(&tag));
        append(&mut response.headers, &refusal.headers);
        response
    }

    /// RFC 3261 §21.5.4.
    pub(super) fn overloaded(&mut self, arrival: &Arrival, cx: &mut Context<'_>) {
        self.statistics.overload += 1;
        let seconds = self.config.limits.retry_after.as_secs();
        let refusal =
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE).with(HeaderName::RetryAfter, seconds.to_string());
        self.refuse(arrival, &refusal, cx);
    }

    /// Begins a server transaction.
    pub(super) fn serve(
        &mut self,
        arrival: &Arrival,
        merge: Option<MergeKey>,
        owner: Owner,
    ) -> Result<TransactionId, TableFull> {
        let (target, fallback) = arrival.route();
        self.transactions.serve(NewServer {
            key: arrival.key.clone(),
            invite: arrival.request.method == Method::Invite,
            merge,
            target,
            source: arrival.flow.remote.ip(),
            fallback,
            sent_by: sent_by(&arrival.flow, &arrival.via),
            owner,
        })
    }

    /// Answers a request at once and for good, in a transaction where there is room.
    pub(super) fn answer_now(&mut self, arrival: &Arrival, response: &Response, cx: &mut Context<'_>) {
        let bytes = response.to_bytes();
        match self.serve(arrival, None, Owner::Nobody) {
            Ok(id) => self.transactions.respond(id, response.status, bytes, cx.now, &mut cx.out),
            Err(TableFull) => cx.send(arrival.route().0, bytes),
        }
    }

    fn response(&mut self, response: Response, flow: &Flow, cx: &mut Context<'_>) {
        let found = self.find_client(&response);
        let Some((id, owner)) = found else {
            self.statistics.strays += 1;
            return;
        };
        let ack = self.ack_for_refusal(id, &response);
        let target = self.transactions.target(id);
        if !self.transactions.responded(id, response.status, ack, cx.now, &mut cx.out) {
            return;
        }
        if self.passes_on(id, &response, cx) || self.authenticates(id, &owner, target, &response, cx) {
            return;
        }
        match owner {
            Owner::Invite(invite) => self.invite_response(invite, id, response, flow, cx),
            Owner::Update(invite) if response.status.is_final() => {
                self.update_response(invite, id, response, flow, cx);
            }
            Owner::Bye(invite) if response.status.is_final() => {
                self.end(invite, super::EndCause::Local, cx);
            }
            Owner::Asked(invite, method) if response.status.is_final() => {
                self.asked(invite, method, response, cx);
            }
            Owner::Sent(request) if response.status.is_final() => self.outcome(request, response, cx),
            Owner::Update(_)
            | Owner::Bye(_)
            | Owner::Prack(_)
            | Owner::Asked(..)
            | Owner::Sent(_)
            | Owner::Nobody => {}
        }
    }

    /// RFC 3261 §17.1.3, §8.1.3.3: the client transaction of a response; none where it has passed others that
    /// should have taken their Via off.
    fn find_client(&self, response: &Response) -> Option<(TransactionId, Owner)> {
        let headers = &response.headers;
        if headers.values(&HeaderName::Via).ok()?.len() != 1 {
            return None;
        }
        let cseq = headers.cseq().ok()?;
        let key = ClientKey::of_response(&headers.via().ok()?, &cseq.method)?;
        let id = self.transactions.find_client(&key)?;
        let is_invite = self.transactions.invite(id).is_some();
        // A response may not change what it answers.
        if is_invite != (cseq.method == Method::Invite) {
            return None;
        }
        Some((id, self.transactions.owner(id)?))
    }

    fn ack_for_refusal(&self, id: TransactionId, response: &Response) -> Option<Bytes> {
        if response.status.class() < 3 {
            return None;
        }
        let invite = self.transactions.invite(id)?;
        Some(within_invite(invite, Method::Ack, response.headers.get(&HeaderName::To)).to_bytes())
    }
}
