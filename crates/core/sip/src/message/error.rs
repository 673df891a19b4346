use super::{Request, Response, StatusCode};
use crate::{HeaderError, Method, Via};

/// Why bytes are no message that can be worked with.
///
/// Where they are a request whose Via and CSeq could be read, [`ParseError::response`] tells the
/// sender so; otherwise they are dropped and counted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ParseError {
    problem: Problem,
    request: Option<Box<Request>>,
}

/// What was wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Neither a request line nor a status line stands first.
    #[error("not a SIP message")]
    NotSip,
    /// A status line without a status from 100 to 699.
    #[error("malformed status line")]
    StatusLine,
    /// The header section does not end.
    #[error("cut short within the headers")]
    Truncated,
    /// Another version than SIP/2.0.
    #[error("SIP version not supported")]
    Version,
    /// The Request-URI breaks its grammar, or the request line does.
    #[error("malformed Request-URI")]
    RequestUri,
    /// A request line of more than 8 KiB.
    #[error("Request-URI too long")]
    RequestUriTooLong,
    /// A header line without a name and a colon, or with a CR or LF of its own.
    #[error("malformed header line")]
    HeaderLine,
    /// A header line of more than 8 KiB.
    #[error("header line too long")]
    HeaderTooLong,
    /// More than 256 header lines.
    #[error("too many header lines")]
    TooManyHeaders,
    /// More than 64 KiB in all.
    #[error("message too large")]
    TooLarge,
    /// A mandatory header is missing, malformed or repeated.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// Content-Length announces more than there is (RFC 3261 §18.3).
    #[error("body shorter than its Content-Length")]
    BodyTooShort,
}

impl Problem {
    /// The status that tells the sender: 400, 414, 505 or 513.
    pub const fn status(&self) -> StatusCode {
        match self {
            Problem::Version => StatusCode::VERSION_NOT_SUPPORTED,
            Problem::TooLarge | Problem::TooManyHeaders | Problem::HeaderTooLong => {
                StatusCode::MESSAGE_TOO_LARGE
            }
            Problem::RequestUriTooLong => StatusCode::REQUEST_URI_TOO_LONG,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl ParseError {
    pub(crate) fn new(problem: Problem, request: Option<Request>) -> Self {
        // RFC 3261 §17.1.1.3: an ACK is never answered.
        let request = request.filter(|r| r.method != Method::Ack).map(Box::new);
        ParseError { problem, request }
    }

    /// What was wrong.
    pub const fn problem(&self) -> &Problem {
        &self.problem
    }

    /// What could be read of the request, where that suffices for an answer: Via and CSeq, mostly From, To and Call-ID.
    pub fn request(&self) -> Option<&Request> {
        self.request.as_deref()
    }

    /// The topmost Via of an answerable request: where the answer goes, once it is stamped.
    pub fn via(&self) -> Option<Via> {
        self.request.as_ref()?.headers.via().ok()
    }

    /// The stateless answer to what came from `source` (RFC 3261 §8.2.6, §8.2.7); `None` when there is none to give.
    /// `to_tag` must be the same for the same request.
    pub fn response(&self, source: std::net::SocketAddr, to_tag: &str) -> Option<Response> {
        let mut request = self.request.as_deref()?.clone();
        request.headers.stamp_via(source).ok()?;
        Some(Response::to_request(&request, self.problem.status(), Some(to_tag)))
    }
}
