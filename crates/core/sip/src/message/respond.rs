use bytes::Bytes;

use super::{Request, Response, StatusCode};
use crate::{HeaderName, NameAddr};

impl Response {
    /// An answer with the request's Via, From, To, Call-ID and CSeq (RFC 3261 §8.2.6.2).
    ///
    /// `to_tag` is added where To has none; 100 has none by right (§8.2.6.2). Stamp the request's Via first:
    /// [`crate::Headers::stamp_via`].
    pub fn to_request(request: &Request, status: StatusCode, to_tag: Option<&str>) -> Response {
        let mut response = Response::new(status);
        for header in request.headers.iter() {
            let value = header.value().clone();
            match header.name {
                HeaderName::Via | HeaderName::From | HeaderName::CallId | HeaderName::CSeq => {
                    response.headers.push(header.name.clone(), value);
                }
                HeaderName::To => response.headers.push(HeaderName::To, tagged(value, to_tag)),
                // RFC 3261 §8.2.6.1.
                HeaderName::Timestamp if status == StatusCode::TRYING => {
                    response.headers.push(HeaderName::Timestamp, value);
                }
                _ => {}
            }
        }
        response
    }

    /// The same response with another reason phrase.
    pub fn with_reason(mut self, reason: impl Into<Bytes>) -> Self {
        self.reason = reason.into();
        self
    }
}

/// Adds the tag to the raw value, so that all else stays as the peer wrote it.
fn tagged(to: Bytes, tag: Option<&str>) -> Bytes {
    let parsed = std::str::from_utf8(&to).ok().and_then(NameAddr::parse);
    match tag {
        Some(tag) if parsed.is_none_or(|to| to.tag().is_none()) => {
            let mut value = to.to_vec();
            value.extend_from_slice(b";tag=");
            value.extend_from_slice(tag.as_bytes());
            Bytes::from(value)
        }
        _ => to,
    }
}
