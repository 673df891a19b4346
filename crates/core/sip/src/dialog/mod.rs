//! Dialogs (RFC 3261 §12): the peer-to-peer relationship that an INVITE sets up.

use serde::{Deserialize, Serialize};

use crate::{CSeq, HeaderError, HeaderName, Headers, Method, NameAddr, Request, Response, Uri};

#[cfg(test)]
mod tests;

/// One dialog, as plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialog {
    /// Call-ID.
    pub call_id: String,
    /// Us, with our tag.
    pub local: NameAddr,
    /// The peer, with its tag (none where it speaks RFC 2543, §12.1.1).
    pub remote: NameAddr,
    /// Where its Contact says that it is.
    pub remote_target: Uri,
    /// In the order in which requests of ours pass them.
    pub route_set: Vec<NameAddr>,
    /// CSeq number of our last request.
    pub local_cseq: u32,
    /// CSeq number of its last request; `None` before the first.
    pub remote_cseq: Option<u32>,
    /// Over TLS all the way (§12.1.1).
    pub secure: bool,
}

/// The CSeq number of a request is not above that of the one before (§12.2.2): answer 500.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("CSeq out of order")]
pub struct OutOfOrder;

impl Dialog {
    /// The callee's side (§12.1.1): of the INVITE and the tag that we answer it with.
    ///
    /// # Errors
    /// A header needed is missing or malformed, Contact included.
    pub fn of_callee(request: &Request, local_tag: &str) -> Result<Dialog, HeaderError> {
        let headers = &request.headers;
        Ok(Dialog {
            call_id: headers.call_id()?.to_owned(),
            local: headers.to()?.with_tag(local_tag),
            remote: headers.from()?,
            remote_target: contact(headers)?.ok_or(missing_contact())?,
            route_set: headers.record_routes()?,
            local_cseq: 0,
            remote_cseq: Some(headers.cseq()?.number),
            secure: request.uri.scheme() == "sips",
        })
    }

    /// The caller's side (§12.1.2): of our INVITE and the response that sets the dialog up.
    ///
    /// A response without Contact, though it must have one, leaves the Request-URI as target: so the call can at
    /// least be ended.
    ///
    /// # Errors
    /// A header needed is missing or malformed.
    pub fn of_caller(request: &Request, response: &Response) -> Result<Dialog, HeaderError> {
        let headers = &response.headers;
        let mut route_set = headers.record_routes()?;
        route_set.reverse();
        Ok(Dialog {
            call_id: headers.call_id()?.to_owned(),
            local: headers.from()?,
            remote: headers.to()?,
            remote_target: contact(headers)?.unwrap_or_else(|| request.uri.clone()),
            route_set,
            local_cseq: headers.cseq()?.number,
            remote_cseq: None,
            secure: request.uri.scheme() == "sips",
        })
    }

    /// Our tag.
    pub fn local_tag(&self) -> &str {
        self.local.tag().unwrap_or("")
    }

    /// The peer's tag; empty where it has none.
    pub fn remote_tag(&self) -> &str {
        self.remote.tag().unwrap_or("")
    }

    /// Does a request of the peer with this Call-ID and From tag belong here? (Our tag is known to match.)
    pub fn is_peer(&self, call_id: &str, from_tag: &str) -> bool {
        self.call_id == call_id && self.remote_tag() == from_tag
    }

    /// Takes note of a request's CSeq number (§12.2.2). Not for ACK and CANCEL, which repeat their INVITE's.
    ///
    /// # Errors
    /// It is too low; the number noted stays.
    pub fn note_cseq(&mut self, number: u32) -> Result<(), OutOfOrder> {
        // §12.2.2 refuses lower ones; an equal one that is no retransmission is no better.
        if self.remote_cseq.is_some_and(|last| number <= last) {
            return Err(OutOfOrder);
        }
        self.remote_cseq = Some(number);
        Ok(())
    }

    /// Takes over the Contact of a target refresh request or of a 2xx to one (§12.2.1.2, §12.2.2). One that cannot
    /// be read changes nothing.
    pub fn refresh_target(&mut self, headers: &Headers) {
        if let Ok(Some(target)) = contact(headers) {
            self.remote_target = target;
        }
    }

    /// A request in the dialog with the next CSeq number (§12.2.1.1). It lacks Via, Contact and what the method
    /// asks for.
    pub fn request(&mut self, method: Method) -> Request {
        self.local_cseq = self.local_cseq.saturating_add(1);
        self.build(method, self.local_cseq)
    }

    /// The ACK for a 2xx to the INVITE of this CSeq number (§13.2.2.4); lacks Via.
    pub fn ack(&self, cseq: u32) -> Request {
        self.build(Method::Ack, cseq)
    }

    /// Whom the next request goes to: the first route, or the remote target.
    pub fn next_hop(&self) -> &Uri {
        self.route_set.first().map_or(&self.remote_target, |route| &route.uri)
    }

    fn build(&self, method: Method, cseq: u32) -> Request {
        let (uri, routes) = self.routing();
        let mut request = Request::new(method.clone(), uri);
        let headers = &mut request.headers;
        headers.push(HeaderName::MaxForwards, "70");
        for route in routes {
            headers.push(HeaderName::Route, route);
        }
        headers.push(HeaderName::From, self.local.to_string());
        headers.push(HeaderName::To, self.remote.to_string());
        headers.push(HeaderName::CallId, self.call_id.clone());
        headers.push(HeaderName::CSeq, CSeq { number: cseq, method }.to_string());
        request
    }

    /// Request-URI and Route values (§12.2.1.1).
    fn routing(&self) -> (Uri, Vec<String>) {
        let written = |routes: &[NameAddr]| routes.iter().map(NameAddr::to_string).collect::<Vec<_>>();
        match self.route_set.split_first() {
            // A strict router wants itself as Request-URI and the remote target as the last route.
            Some((first, others)) if !is_loose(&first.uri) => {
                let mut routes = written(others);
                routes.push(NameAddr::new(self.remote_target.clone()).to_string());
                (without_headers(&first.uri), routes)
            }
            _ => (without_headers(&self.remote_target), written(&self.route_set)),
        }
    }
}

fn is_loose(uri: &Uri) -> bool {
    uri.as_sip().is_some_and(crate::SipUri::is_loose_router)
}

/// A Request-URI has no headers and no `method` (§12.2.1.1, §19.1.1 table 1).
fn without_headers(uri: &Uri) -> Uri {
    let mut uri = uri.clone();
    if let Uri::Sip(sip) = &mut uri {
        sip.headers = None;
        sip.params.remove("method");
    }
    uri
}

fn contact(headers: &Headers) -> Result<Option<Uri>, HeaderError> {
    Ok(headers.first_contact()?.map(|contact| contact.uri))
}

fn missing_contact() -> HeaderError {
    HeaderError::new(HeaderName::Contact, crate::HeaderProblem::Missing)
}
