use super::{Method, Problem, Request};
use crate::{HeaderError, HeaderName, HeaderProblem, Headers, Host, SipUri};

/// Headers that stand in a message once at most (RFC 3261 §7.3.1, §20), Content-Length aside.
const SINGLE: [HeaderName; 7] = [
    HeaderName::From,
    HeaderName::To,
    HeaderName::CallId,
    HeaderName::CSeq,
    HeaderName::MaxForwards,
    HeaderName::ContentType,
    HeaderName::Expires,
];

impl Request {
    /// Are the mandatory headers there, readable, and there once (RFC 3261 §8.1.1)? [`super::Message::parse`] has
    /// asked already. Max-Forwards may be missing, as RFC 2543 knew none.
    ///
    /// # Errors
    /// The first header found wanting; the sender gets 400.
    pub fn validate(&self) -> Result<(), Problem> {
        check_request(&self.method, &self.headers)
    }
}

pub(super) fn check_request(method: &Method, headers: &Headers) -> Result<(), Problem> {
    check_response(headers)?;
    headers.max_forwards()?;
    // RFC 3261 §8.1.1.5: the method in CSeq must be the request's.
    if headers.cseq()?.method == *method {
        Ok(())
    } else {
        Err(HeaderError::new(HeaderName::CSeq, HeaderProblem::Contradictory).into())
    }
}

pub(super) fn check_response(headers: &Headers) -> Result<(), Problem> {
    for name in &SINGLE {
        if headers.get_all(name).nth(1).is_some() {
            return Err(HeaderError::new(name.clone(), HeaderProblem::Repeated).into());
        }
    }
    check_five(headers)
}

fn check_five(headers: &Headers) -> Result<(), Problem> {
    headers.via()?;
    headers.from()?;
    headers.to()?;
    headers.call_id()?;
    headers.cseq()?;
    Ok(())
}

/// What an answer needs of a request that cannot be served. From, To, Call-ID and CSeq are copied to the answer
/// unread, so their lines need only be there (RFC 3261 §8.2.6.2); the Via must be understood to send it.
pub(super) fn salvage(method: Method, headers: &Headers) -> Option<Request> {
    headers.via().ok()?;
    let needed = [HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq];
    if !needed.iter().all(|name| headers.has(name)) {
        return None;
    }
    // Of one that stands there twice, the first: the answer itself is to be well-formed.
    let is_kept = |header: &&crate::Header| {
        header.name == HeaderName::Via
            || headers.get(&header.name).is_some_and(|first| std::ptr::eq(first, header.value()))
    };
    let is_needed = |name: &HeaderName| *name == HeaderName::Via || needed.contains(name);
    let kept = headers.iter().filter(|h| is_needed(&h.name)).filter(is_kept).cloned().collect();
    let nowhere = SipUri::new(Host::Name("invalid".to_owned()));
    Some(Request { method, uri: nowhere.into(), headers: kept, body: bytes::Bytes::new() })
}
