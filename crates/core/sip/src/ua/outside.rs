//! Requests of ours outside of any dialog: REGISTER, MESSAGE, SUBSCRIBE, REFER, PUBLISH, OPTIONS (RFC 3261 §8.1).

use crate::{CSeq, HeaderName, Method, NameAddr, Request, Response};

use super::agent::{Owner, UserAgent};
use super::build::{append, with_body};
use super::caller::way_of;
use super::context::Context;
use super::path::Way;
use super::{Event, Failure, NewRequest, OutgoingId};

impl UserAgent {
    /// The application asks somebody something.
    pub(super) fn send(&mut self, id: OutgoingId, new: NewRequest, cx: &mut Context<'_>) -> Option<()> {
        if let Err(failure) = self.try_send(id, new, cx) {
            cx.event(Event::Outcome { request: id, result: Err(failure) });
        }
        Some(())
    }

    fn try_send(&mut self, id: OutgoingId, new: NewRequest, cx: &mut Context<'_>) -> Result<(), Failure> {
        if matches!(
            new.method,
            Method::Invite | Method::Ack | Method::Bye | Method::Cancel | Method::Prack | Method::Update
        ) {
            return Err(Failure::Unfit);
        }
        let way = way_of(new.target, &new.routes, &new.uri)?;
        let request = self.outside_request(new, &way, cx)?;
        self.transmit(request, way, Owner::Sent(id), cx).map(|_| ()).ok_or(Failure::Unreachable)
    }

    /// §8.1.1.
    fn outside_request(&self, new: NewRequest, way: &Way, cx: &mut Context<'_>) -> Result<Request, Failure> {
        let from = NameAddr::parse(&new.from).ok_or(Failure::Unfit)?.with_tag(&cx.token());
        let to = match &new.to {
            Some(to) => NameAddr::parse(to).ok_or(Failure::Unfit)?,
            None => NameAddr::new(new.uri.clone()),
        };
        let secure = new.uri.scheme() == "sips";
        let mut request = Request::new(new.method.clone(), new.uri);
        let headers = &mut request.headers;
        headers.push(HeaderName::MaxForwards, "70");
        for route in new.routes {
            headers.push(HeaderName::Route, route);
        }
        headers.push(HeaderName::From, from.to_string());
        headers.push(HeaderName::To, to.to_string());
        let call_id = new.call_id.unwrap_or_else(|| format!("{}{}", cx.token(), cx.token()));
        headers.push(HeaderName::CallId, call_id);
        headers.push(HeaderName::CSeq, CSeq { number: new.cseq, method: new.method }.to_string());
        if let Some(user) = &new.contact_user {
            let contact = self.contact(user, "", secure, &self.stand_in(way)).ok_or(Failure::Unreachable)?;
            headers.push(HeaderName::Contact, contact);
        }
        self.texts.capabilities(headers);
        append(headers, &new.headers);
        request.body = with_body(headers, new.body);
        Ok(request)
    }

    /// What became of it.
    pub(super) fn outcome(&self, id: OutgoingId, response: Response, cx: &mut Context<'_>) {
        let is_success = response.status.is_success();
        let response = Box::new(response);
        let result = if is_success { Ok(response) } else { Err(Failure::Rejected(response)) };
        cx.event(Event::Outcome { request: id, result });
    }
}
