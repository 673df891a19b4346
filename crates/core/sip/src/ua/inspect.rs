//! What a request must be before anybody looks at what it wants (RFC 3261 §8.2).

use bytes::Bytes;

use crate::limits::MAX_SESSION_DESCRIPTION;
use crate::{HeaderName, Headers, MediaType, Method, Request, StatusCode, Uri};

use super::agent::UserAgent;

/// Option tags that Unsupported names at most: who requires more of what we do not know is answered with no more
/// than it sent.
const MOST_NAMED: usize = 32;

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
    pub(super) fn inspect(&self, request: &mut Request) -> Result<(), Refusal> {
        self.inspect_method(&request.method)?;
        // §8.2.2.1
        if matches!(request.uri, Uri::Other(_)) {
            return Err(Refusal::new(StatusCode::UNSUPPORTED_URI_SCHEME));
        }
        self.inspect_require(&request.headers)?;
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
