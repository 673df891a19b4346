use super::{Method, Problem, Request};
use crate::token::split_outside;
use crate::{CSeq, HeaderError, HeaderName, HeaderProblem, Headers, Host, SipUri, Via};

/// Of headers that stand in a message once at most (RFC 3261 §7.3.1, §20), Content-Length aside, a bit of its own.
const fn single(name: &HeaderName) -> u8 {
    match name {
        HeaderName::From => 1,
        HeaderName::To => 1 << 1,
        HeaderName::CallId => 1 << 2,
        HeaderName::CSeq => 1 << 3,
        HeaderName::MaxForwards => 1 << 4,
        HeaderName::ContentType => 1 << 5,
        HeaderName::Expires => 1 << 6,
        _ => 0,
    }
}

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
    let cseq = check_five(headers)?;
    headers.max_forwards()?;
    // Where it is a target to be kept; a BYE, say, is no worse for a bad one.
    if matches!(
        method,
        Method::Invite | Method::Register | Method::Subscribe | Method::Update | Method::Refer
    ) && !headers.has_wildcard_contact()
    {
        headers.contacts()?;
    }
    // RFC 3261 §8.1.1.5: the method in CSeq must be the request's.
    if cseq.method == *method {
        Ok(())
    } else {
        Err(HeaderError::new(HeaderName::CSeq, HeaderProblem::Contradictory).into())
    }
}

pub(super) fn check_response(headers: &Headers) -> Result<(), Problem> {
    check_five(headers).map(|_| ())
}

fn check_five(headers: &Headers) -> Result<CSeq, Problem> {
    let mut seen = 0;
    for header in headers.iter() {
        let bit = single(&header.name);
        if seen & bit != 0 {
            return Err(HeaderError::new(header.name.clone(), HeaderProblem::Repeated).into());
        }
        seen |= bit;
    }
    check_vias(headers)?;
    headers.from()?;
    headers.to()?;
    headers.call_id()?;
    Ok(headers.cseq()?)
}

/// All of them: those below the top bring the answer home.
fn check_vias(headers: &Headers) -> Result<(), Problem> {
    let malformed = || HeaderError::new(HeaderName::Via, HeaderProblem::Malformed);
    for line in headers.get_all(&HeaderName::Via) {
        let values = std::str::from_utf8(line).ok().and_then(|line| split_outside(line, b','));
        // Here no comma may stand too many: who wrote it miscounted the hops.
        if !values.is_some_and(|values| values.iter().all(|value| Via::parse(value).is_some())) {
            return Err(malformed().into());
        }
    }
    headers.get(&HeaderName::Via).map(|_| ()).ok_or(HeaderError::missing(HeaderName::Via).into())
}

/// What an answer needs of a request that cannot be served. From, To, Call-ID and CSeq are copied to the answer
/// unread (RFC 3261 §8.2.6.2); Via and CSeq must be there, for by them its sender finds what is answered (§17.1.3).
pub(super) fn salvage(method: Method, headers: &Headers) -> Option<Request> {
    const COPIED: [HeaderName; 4] = [HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq];
    let mut kept = salvage_vias(headers)?;
    for name in COPIED {
        // Of one that stands there twice, the first: the answer itself is to be well-formed.
        if let Some(value) = headers.get(&name) {
            kept.push(name, value.clone());
        }
    }
    kept.has(&HeaderName::CSeq).then_some(())?;
    let nowhere = SipUri::new(Host::Name("invalid".to_owned()));
    Some(Request { method, uri: nowhere.into(), headers: kept, body: bytes::Bytes::new() })
}

/// The topmost Via as far as it can be read, and those below it that can be.
fn salvage_vias(headers: &Headers) -> Option<Headers> {
    let lines = headers.get_all(&HeaderName::Via).map(|line| std::str::from_utf8(line).ok());
    let mut values = lines.flatten().flat_map(|line| split_outside(line, b',').unwrap_or_default());
    let mut kept = Headers::new();
    kept.push(HeaderName::Via, Via::salvage(values.next()?)?.to_string());
    for value in values.filter(|value| Via::parse(value).is_some()) {
        kept.push(HeaderName::Via, value.to_owned());
    }
    Some(kept)
}
