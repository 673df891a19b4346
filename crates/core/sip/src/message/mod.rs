//! Messages: requests and responses, parsed from bytes and written to bytes (RFC 3261 §7).

mod check;
mod error;
mod line;
mod method;
mod parse;
mod respond;
mod status;

#[cfg(test)]
mod tests;

use std::fmt::{self, Write as _};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use error::{ParseError, Problem};
pub(crate) use line::{HeadLines, head_end};
pub use method::Method;
pub use status::StatusCode;

use crate::{Headers, Uri};

/// A request or a response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// RFC 3261 §7.1.
    Request(Request),
    /// RFC 3261 §7.2.
    Response(Response),
}

/// A request. One that was parsed has readable Via, From, To, Call-ID and CSeq, the CSeq's method its own.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What is asked for.
    pub method: Method,
    /// The Request-URI.
    pub uri: Uri,
    /// In order.
    pub headers: Headers,
    /// Exactly Content-Length octets; the writer sets that header itself.
    pub body: Bytes,
}

/// A response. One that was parsed has readable Via, From, To, Call-ID and CSeq.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// Three digits.
    pub status: StatusCode,
    /// The reason phrase, possibly empty; UTF-8 by the RFC, but kept whatever it is.
    pub reason: Bytes,
    /// In order.
    pub headers: Headers,
    /// Exactly Content-Length octets; the writer sets that header itself.
    pub body: Bytes,
}

// An SDP in a body may hold keys: how long it is must do.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Request { method, uri, headers, body } = self;
        let mut shown = f.debug_struct("Request");
        shown.field("method", method).field("uri", uri).field("headers", headers);
        shown.field("body", &format_args!("{} octets", body.len())).finish()
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Response { status, reason, headers, body } = self;
        let mut shown = f.debug_struct("Response");
        shown.field("status", status).field("reason", reason).field("headers", headers);
        shown.field("body", &format_args!("{} octets", body.len())).finish()
    }
}

impl Message {
    /// The header fields.
    pub const fn headers(&self) -> &Headers {
        match self {
            Message::Request(request) => &request.headers,
            Message::Response(response) => &response.headers,
        }
    }

    /// Appends the message as it goes on the wire.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Message::Request(request) => request.write(out),
            Message::Response(response) => response.write(out),
        }
    }

    /// The message as it goes on the wire.
    pub fn to_bytes(&self) -> Bytes {
        written(|out| self.write(out))
    }
}

impl Request {
    /// Without headers and body.
    pub fn new(method: Method, uri: Uri) -> Self {
        Request { method, uri, headers: Headers::new(), body: Bytes::new() }
    }

    /// Appends the request as it goes on the wire.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut line = String::new();
        // Writing to a String cannot fail.
        let _ = write!(line, "{} {} SIP/2.0\r\n", self.method, self.uri);
        out.extend_from_slice(line.as_bytes());
        self.headers.write(out, self.body.len());
        finish(out, &self.body);
    }

    /// The request as it goes on the wire.
    pub fn to_bytes(&self) -> Bytes {
        written(|out| self.write(out))
    }
}

impl Response {
    /// Without headers and body; see also [`Response::to_request`].
    pub fn new(status: StatusCode) -> Self {
        let reason = Bytes::from_static(status.default_reason().as_bytes());
        Response { status, reason, headers: Headers::new(), body: Bytes::new() }
    }

    /// Appends the response as it goes on the wire.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("SIP/2.0 {} ", self.status).as_bytes());
        out.extend(self.reason.iter().map(|b| if matches!(b, b'\r' | b'\n') { b' ' } else { *b }));
        out.extend_from_slice(b"\r\n");
        self.headers.write(out, self.body.len());
        finish(out, &self.body);
    }

    /// The response as it goes on the wire.
    pub fn to_bytes(&self) -> Bytes {
        written(|out| self.write(out))
    }
}

impl From<Request> for Message {
    fn from(request: Request) -> Message {
        Message::Request(request)
    }
}

impl From<Response> for Message {
    fn from(response: Response) -> Message {
        Message::Response(response)
    }
}

fn finish(out: &mut Vec<u8>, body: &[u8]) {
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut out = Vec::with_capacity(1_024);
    write(&mut out);
    Bytes::from(out)
}
