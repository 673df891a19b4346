//! Writing messages.

use bytes::Bytes;
use tandem_base::Time;

use crate::dialog::Dialog;
use crate::transaction::{ClientKey, NewClient, TransactionId, branch};
use crate::{CSeq, HeaderName, Headers, Method, NameAddr, Request, Response, StatusCode, Via};

use super::agent::{Owner, Texts, UserAgent};
use super::context::Context;
use super::inspect::SEC_AGREE;
use super::path::{Way, own_uri};
use super::reliable::OPTION;
use super::usage::{Reply, Usage};
use super::{Body, Config, Protocol, Target};

/// RFC 3261 §18.1.1, where the path's MTU is not known.
const MOST_BY_UDP: usize = 1_300;

impl Texts {
    pub fn of(config: &Config) -> Self {
        let identity = &config.identity;
        let allow: Vec<&str> = identity.allow.iter().map(Method::as_str).collect();
        let mut options = identity.supported.clone();
        if config.limits.session_seconds().is_some() && !options.iter().any(|tag| tag == "timer") {
            options.push("timer".to_owned());
        }
        if !options.iter().any(|tag| tag == OPTION) {
            options.push(OPTION.to_owned());
        }
        if !identity.security.is_empty() {
            options.push(SEC_AGREE.to_owned());
        }
        Texts {
            allow: allow.join(", ").into(),
            supported: options.join(", ").into(),
            options,
            session_id: HeaderName::parse("Session-ID")
                .unwrap_or_else(|| HeaderName::Other("Session-ID".to_owned())),
            accept: identity.accept.join(", ").into(),
            product: identity.product.clone().into(),
        }
    }

    /// What we can do (RFC 3261 §13.2.1, §13.3.1.4, §11.2).
    pub fn capabilities(&self, headers: &mut Headers) {
        push_filled(headers, HeaderName::Allow, &self.allow);
        push_filled(headers, HeaderName::Supported, &self.supported);
    }
}

fn push_filled(headers: &mut Headers, name: HeaderName, value: &Bytes) {
    if !value.is_empty() {
        headers.push(name, value.clone());
    }
}

/// Adds a body; none leaves it empty.
pub(super) fn with_body(headers: &mut Headers, body: Option<Body>) -> Bytes {
    let Some(Body { content_type, bytes }) = body else { return Bytes::new() };
    headers.push(HeaderName::ContentType, content_type.into_owned());
    bytes
}

pub(super) fn append(headers: &mut Headers, more: &Headers) {
    for header in more.iter() {
        headers.push(header.name.clone(), header.value().clone());
    }
}

/// The ACK for a refusal (RFC 3261 §17.1.1.3), or the CANCEL (§9.1), of an INVITE of ours: with `to`, the To of the
/// response, it is the ACK.
pub(super) fn within_invite(invite: &Request, method: Method, to: Option<&Bytes>) -> Request {
    let mut request = Request::new(method.clone(), invite.uri.clone());
    for header in invite.headers.iter() {
        let value = header.value().clone();
        match header.name {
            HeaderName::Via
            | HeaderName::Route
            | HeaderName::From
            | HeaderName::CallId
            | HeaderName::MaxForwards => request.headers.push(header.name.clone(), value),
            // RFC 7989 §6: the same in CANCEL.
            HeaderName::Other(ref name) if name.eq_ignore_ascii_case("Session-ID") => {
                request.headers.push(header.name.clone(), value);
            }
            HeaderName::To => request.headers.push(HeaderName::To, to.cloned().unwrap_or(value)),
            HeaderName::CSeq => {
                let number = invite.headers.cseq().map_or(0, |c| c.number);
                request.headers.push(HeaderName::CSeq, CSeq { number, method: method.clone() }.to_string());
            }
            _ => {}
        }
    }
    request
}

impl UserAgent {
    /// Adds our Via for `target` and a fresh branch; `None` when no listener of ours fits.
    pub(super) fn add_via(
        &self,
        request: &mut Request,
        target: &Target,
        cx: &mut Context<'_>,
    ) -> Option<u64> {
        let listener = self.config.identity.for_target(target)?;
        let random = cx.entropy.next_u64();
        let via = Via::new(target.protocol(), listener.host.clone(), listener.port, &branch(random));
        request.headers.push_front(HeaderName::Via, via.to_string());
        Some(random)
    }

    /// Sends a request of ours in a transaction. `None` when there is no room or no listener for it.
    pub(super) fn transmit(
        &mut self,
        request: Request,
        way: impl Into<Way>,
        owner: Owner,
        cx: &mut Context<'_>,
    ) -> Option<TransactionId> {
        let way = way.into();
        let attempt = self.attempt(&request, &owner);
        let kept = owner.clone();
        let id = match way {
            Way::To(target) => {
                if let Some(by_tcp) = self.larger_way(&request, &target, cx.now) {
                    return self.deliver_by([by_tcp, target], request, owner, cx);
                }
                let id = self.transactions.reserve();
                self.transmit_as(id, request, target, owner, cx).map(|()| id)
            }
            Way::Locate { destination, last } => self.deliver_to(request, destination, last, owner, cx),
        }?;
        self.note_attempt(id, &kept, attempt);
        Some(id)
    }

    /// RFC 3261 §18.1.1: by TCP what may not fit into a datagram. None where it fits, where the peer is behind a flow, or
    /// where TCP came to nothing lately.
    fn larger_way(&self, request: &Request, target: &Target, now: Time) -> Option<Target> {
        let Target::Address { protocol: Protocol::Udp, remote } = *target else { return None };
        // A line has four octets beside its name and value; our Via and the request line are some 200.
        let lines = request.headers.iter().map(|h| h.name.as_str().len() + h.value().len() + 4);
        let by_tcp = Target::Address { protocol: Protocol::Tcp, remote };
        let speaks = self.config.identity.listeners.iter().any(|own| own.protocol == Protocol::Tcp);
        let fits = lines.sum::<usize>() + request.body.len() + 200 <= MOST_BY_UDP;
        (!fits && speaks && !self.avoided.contains(Protocol::Tcp, remote, now)).then_some(by_tcp)
    }

    /// The same to a known target, under the name of a transaction that is not begun or over.
    pub(super) fn transmit_as(
        &mut self,
        id: TransactionId,
        mut request: Request,
        target: Target,
        owner: Owner,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let branch = self.add_via(&mut request, &target, cx)?;
        push_filled(&mut request.headers, HeaderName::UserAgent, &self.texts.product);
        let bytes = request.to_bytes();
        let invite = (request.method == Method::Invite).then(|| Box::new(request));
        let key = ClientKey { branch, cancel: false };
        let new = NewClient { key, bytes, invite, target, owner };
        self.transactions.request_as(id, new, cx.now, &mut cx.out).ok()
    }

    /// Sends a request that no response is expected for: the ACK for a 2xx. Gives what was sent.
    pub(super) fn transmit_ack(
        &self,
        mut ack: Request,
        target: Target,
        cx: &mut Context<'_>,
    ) -> Option<(Target, Bytes)> {
        self.add_via(&mut ack, &target, cx)?;
        let bytes = ack.to_bytes();
        cx.send(target, bytes.clone());
        Some((target, bytes))
    }

    /// Our Contact towards `target` (RFC 3261 §8.1.1.8).
    pub(super) fn contact(
        &self,
        user: &str,
        parameters: &str,
        secure: bool,
        target: &Target,
    ) -> Option<String> {
        let listener = self.config.identity.for_target(target)?;
        let uri = own_uri(secure, user, &listener.host, listener.port, target.protocol());
        Some(format!("{}{parameters}", NameAddr::new(uri.into())))
    }

    fn contact_of(&self, usage: &Usage) -> Option<String> {
        let target = Target::Flow(*usage.path.as_ref()?.flow());
        let secure = usage.dialog.as_ref().is_some_and(|d: &Dialog| d.secure);
        self.contact(&usage.contact_user, &usage.contact_parameters, secure, &target)
    }

    /// A response to the INVITE or re-INVITE of a usage.
    pub(super) fn write_reply(
        &self,
        usage: &Usage,
        reply: &Reply,
        status: StatusCode,
        headers: &Headers,
        body: Option<Body>,
    ) -> Response {
        let mut response = Response::new(status);
        response.headers = reply.base.clone();
        let all = &mut response.headers;
        if status.get() > 100 && status.get() < 300 {
            // RFC 3261 §12.1.1: the dialog's route set and target, for the peer.
            for route in &reply.record_routes {
                all.push(HeaderName::RecordRoute, route.clone());
            }
            if let Some(contact) = self.contact_of(usage) {
                all.push(HeaderName::Contact, contact);
            }
            self.texts.capabilities(all);
        }
        self.push_session_reply(usage, reply.session.as_deref(), all);
        push_filled(all, HeaderName::Server, &self.texts.product);
        append(all, headers);
        response.body = with_body(all, body);
        response
    }

    /// A request in a usage's dialog, and where it goes.
    pub(super) fn in_dialog_request(
        &mut self,
        id: super::InviteId,
        method: Method,
        headers: &Headers,
        body: Option<Body>,
        cx: &mut Context<'_>,
    ) -> Option<(Request, Way)> {
        let usage = self.usages.get_mut(&id)?;
        let path = usage.path?;
        let dialog = usage.dialog_mut()?;
        let mut request = dialog.request(method);
        let way = path.next(dialog);
        let secure = dialog.secure;
        if matches!(request.method, Method::Invite | Method::Update) {
            let usage = self.usages.get(&id)?;
            let target = self.stand_in(&way);
            let contact = self.contact(&usage.contact_user, &usage.contact_parameters, secure, &target)?;
            request.headers.push(HeaderName::Contact, contact);
            self.texts.capabilities(&mut request.headers);
            self.ask_for_timer(&mut request.headers, Some(usage));
        }
        if let Some(usage) = self.usages.get(&id) {
            self.push_session_id(usage, &mut request.headers);
        }
        append(&mut request.headers, headers);
        request.body = with_body(&mut request.headers, body);
        self.prepare(id, &mut request, cx);
        Some((request, way))
    }
}
