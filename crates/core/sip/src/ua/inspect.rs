//! What a request must be before anybody looks at what it wants (RFC 3261 §8.2).

use bytes::Bytes;

use crate::limits::MAX_SESSION_DESCRIPTION;
use crate::{HeaderName, Headers, MediaType, Method, Request, StatusCode, Uri};

use super::Protocol;
use super::agent::UserAgent;
use super::receive::Arrival;

/// Option tags that Unsupported names at most: who requires more of what we do not know is answered with no more
/// than it sent.
const MOST_NAMED: usize = 32;

/// The option tag of RFC 3329 §2.1.
pub(super) const SEC_AGREE: &str = "sec-agree";

/// Does this header name the option?
pub(super) fn names_option(headers: &Headers, name: &HeaderName, tag: &str) -> bool {
    headers.tokens(name).is_ok_and(|tags| tags.iter().any(|known| known.eq_ignore_ascii_case(tag)))
}

fn other(name: &str) -> HeaderName {
    HeaderName::Other(name.to_owned())
}

/// Why a request is not served.
#[derive(Debug)]
pub(super) struct Refusal {
    pub status: StatusCode,
    pub headers: Headers,
}

impl Refusal {
    pub const fn new(status: StatusCode) -> Self {
        Refusal { status, headers: Headers::new() }
    }

    pub fn with(mut self, name: HeaderName, value: impl Into<Bytes>) -> Self {
        self.headers.push(name, value);
        self
    }
}

impl UserAgent {
    /// In the order of RFC 3261 §8.2. A body that its sender calls optional and that we do not understand is
    /// taken off (§8.2.3).
    pub(super) fn inspect(&self, arrival: &mut Arrival) -> Result<(), Refusal> {
        let protocol = arrival.flow.protocol;
        let begins = arrival.to_tag.is_empty();
        let request = &mut arrival.request;
        self.inspect_method(&request.method)?;
        // §8.2.2.1
        if matches!(request.uri, Uri::Other(_)) {
            return Err(Refusal::new(StatusCode::UNSUPPORTED_URI_SCHEME));
        }
        self.inspect_require(&request.headers)?;
        self.inspect_security(&request.headers, protocol)?;
        if begins && request.method == Method::Invite {
            self.inspect_demanded(&request.headers)?;
        }
        self.inspect_accept(request)?;
        self.inspect_content(request)?;
        self.inspect_timer(request)
    }

    /// §8.2.1, §21.5.2.
    fn inspect_method(&self, method: &Method) -> Result<(), Refusal> {
        if self.config.identity.allow.contains(method) {
            return Ok(());
        }
        let status = match method {
            Method::Other(_) => StatusCode::NOT_IMPLEMENTED,
            _ => StatusCode::METHOD_NOT_ALLOWED,
        };
        Err(Refusal::new(status).with(HeaderName::Allow, self.texts.allow.clone()))
    }

    /// §8.2.2.3.
    fn inspect_require(&self, headers: &Headers) -> Result<(), Refusal> {
        let bad = || Refusal::new(StatusCode::BAD_REQUEST);
        let required = headers.require().map_err(|_| bad())?;
        let supported = &self.texts.options;
        let is_missing = |tag: &&str| !supported.iter().any(|s| s.eq_ignore_ascii_case(tag));
        let missing: Vec<&str> = required.into_iter().filter(is_missing).take(MOST_NAMED).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Refusal::new(StatusCode::BAD_EXTENSION).with(HeaderName::Unsupported, missing.join(", ")))
    }

    /// RFC 3329 §2.3.1: an agreement is asked for, but not reached yet, or somebody on the way forged our list.
    fn inspect_security(&self, headers: &Headers, protocol: Protocol) -> Result<(), Refusal> {
        let ours = &self.config.identity.security;
        let is_asked = |name| names_option(headers, &name, SEC_AGREE);
        if ours.is_empty() || !is_asked(HeaderName::Require) && !is_asked(HeaderName::ProxyRequire) {
            return Ok(());
        }
        let protected = matches!(protocol, Protocol::Tls | Protocol::Wss);
        let verified = headers.values(&other("Security-Verify")).is_ok_and(|theirs| {
            theirs.len() == ours.len() && theirs.iter().zip(ours).all(|(a, b)| a.eq_ignore_ascii_case(b))
        });
        if protected && verified {
            return Ok(());
        }
        let refusal = Refusal::new(StatusCode::SECURITY_AGREEMENT_REQUIRED);
        Err(refusal.with(HeaderName::Require, SEC_AGREE).with(other("Security-Server"), ours.join(", ")))
    }

    /// RFC 3261 §21.4.15.
    fn inspect_demanded(&self, headers: &Headers) -> Result<(), Refusal> {
        let knows = |tag: &str| {
            [HeaderName::Supported, HeaderName::Require].iter().any(|name| names_option(headers, name, tag))
        };
        let missing: Vec<&str> =
            self.config.identity.demanded.iter().map(String::as_str).filter(|tag| !knows(tag)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Refusal::new(StatusCode::EXTENSION_REQUIRED).with(HeaderName::Require, missing.join(", ")))
    }

    /// §13.2.1, §20.1: an answer to INVITE is written in one of our types, and Accept may let none of them through.
    fn inspect_accept(&self, request: &Request) -> Result<(), Refusal> {
        let headers = &request.headers;
        if request.method != Method::Invite || !headers.has(&HeaderName::Accept) {
            return Ok(());
        }
        // One that cannot be read asks for nothing.
        let Ok(ranges) = headers.values(&HeaderName::Accept) else { return Ok(()) };
        let ours = &self.config.identity.accept;
        if ours.is_empty() || ranges.iter().any(|range| ours.iter().any(|own| is_in_range(own, range))) {
            return Ok(());
        }
        Err(Refusal::new(StatusCode::NOT_ACCEPTABLE))
    }

    /// §8.2.3. Of other methods than INVITE the application knows the media types.
    fn inspect_content(&self, request: &mut Request) -> Result<(), Refusal> {
        if request.body.is_empty() {
            return Ok(());
        }
        let encoding = request.headers.text(&HeaderName::ContentEncoding);
        let refusal = if encoding.is_some_and(|e| !e.trim().eq_ignore_ascii_case("identity")) {
            Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE).with(HeaderName::AcceptEncoding, "identity")
        } else if !matches!(request.method, Method::Invite | Method::Update | Method::Prack) {
            return Ok(());
        } else {
            match request.headers.content_type() {
                // §21.4.11
                Ok(Some(media)) if self.accepts(&media) && request.body.len() > MAX_SESSION_DESCRIPTION => {
                    return Err(Refusal::new(StatusCode::REQUEST_ENTITY_TOO_LARGE));
                }
                Ok(Some(media)) if self.accepts(&media) => return Ok(()),
                Ok(Some(_)) => Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE)
                    .with(HeaderName::Accept, self.texts.accept.clone()),
                // §7.4.1: a body says what it is.
                Ok(None) | Err(_) => return Err(Refusal::new(StatusCode::BAD_REQUEST)),
            }
        };
        if !is_optional(&request.headers) {
            return Err(refusal);
        }
        request.body = Bytes::new();
        request.headers.remove(&HeaderName::ContentType);
        Ok(())
    }

    fn accepts(&self, media: &MediaType) -> bool {
        self.config
            .identity
            .accept
            .iter()
            .any(|accepted| accepted.split_once('/').is_some_and(|(kind, subtype)| media.is(kind, subtype)))
    }
}

/// §20.1: `type/subtype`, `type/*` or `*/*`, and parameters behind it, of which `q=0` forbids it.
fn is_in_range(own: &str, range: &str) -> bool {
    let Some(range) = MediaType::parse(range) else { return false };
    let forbidden = range.params.get("q").is_some_and(|q| q.trim_matches(['0', '.']).is_empty());
    let fits = |pattern: &str, text: &str| pattern == "*" || pattern.eq_ignore_ascii_case(text);
    !forbidden && own.split_once('/').is_some_and(|(k, s)| fits(&range.kind, k) && fits(&range.subtype, s))
}

/// §20.11: `handling` is `required` where it is not said.
fn is_optional(headers: &Headers) -> bool {
    let disposition = headers.text(&HeaderName::ContentDisposition).unwrap_or("");
    disposition.split(';').skip(1).any(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        name.trim().eq_ignore_ascii_case("handling") && value.trim().eq_ignore_ascii_case("optional")
    })
}
