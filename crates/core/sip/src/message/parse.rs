use bytes::Bytes;

use super::check::{check_request, check_response, salvage};
use super::{HeadLines, Message, Method, ParseError, Problem, Request, Response, StatusCode, head_end};
use crate::limits::{MAX_HEADER_LINE, MAX_MESSAGE};
use crate::token::{is_lws, number};
use crate::{Headers, Uri};

/// The first line, understood as far as possible.
enum StartLine {
    Request { method: Method, uri: Result<Uri, Problem>, version: Version },
    Response { status: StatusCode, reason: Bytes },
}

#[derive(PartialEq)]
enum Version {
    Two,
    Other,
}

impl Message {
    /// Reads one datagram, or one message that [`crate::StreamFramer`] cut out of a stream.
    ///
    /// Octets behind Content-Length are ignored (RFC 3261 §18.3); without that header the body is all the rest.
    ///
    /// # Errors
    /// See [`ParseError`]: it knows whether the sender can be told.
    pub fn parse(bytes: Bytes) -> Result<Message, ParseError> {
        let bytes = skip_line_breaks(bytes);
        let too_large = bytes.len() > MAX_MESSAGE;
        // Without the empty line, what there is of the head may still suffice for an answer.
        let end = head_end(&bytes, 0);
        let body = end.map(|end| bytes.slice(end..));
        let Some((start, mut lines)) = HeadLines::new(&bytes) else {
            return Err(ParseError::new(Problem::NotSip, None));
        };
        let start = StartLine::parse(start, &bytes).map_err(|problem| ParseError::new(problem, None))?;
        let (headers, mut problem) = read_headers(&mut lines);
        if too_large {
            problem = Some(Problem::TooLarge);
        }
        start.with(headers, body.unwrap_or_default(), problem)
    }
}

impl Message {
    /// What an answer needs of a request of which the head alone can be used.
    pub(crate) fn salvage(head: Bytes) -> Option<Request> {
        let (start, mut lines) = HeadLines::new(&head)?;
        match StartLine::parse(start, &head).ok()? {
            StartLine::Request { method, .. } => salvage(method, &read_headers(&mut lines).0),
            StartLine::Response { .. } => None,
        }
    }
}

/// RFC 3261 §7.5: CRLF before the start line is ignored.
fn skip_line_breaks(bytes: Bytes) -> Bytes {
    let breaks = bytes.chunks_exact(2).take_while(|pair| pair == b"\r\n").count();
    bytes.slice(2 * breaks..)
}

/// Everything readable, and the first problem met.
fn read_headers(lines: &mut HeadLines<'_>) -> (Headers, Option<Problem>) {
    let (mut headers, mut first_problem) = (Headers::roomy(), None);
    loop {
        match lines.next() {
            Ok(Some(header)) => headers.push_line(header),
            Ok(None) => return (headers, first_problem),
            Err(problem) => {
                let is_last = matches!(problem, Problem::TooManyHeaders | Problem::Truncated);
                first_problem.get_or_insert(problem);
                if is_last {
                    return (headers, first_problem);
                }
            }
        }
    }
}

impl StartLine {
    fn parse(line: &[u8], whole: &Bytes) -> Result<StartLine, Problem> {
        match line.split_at_checked(8) {
            Some((version, rest)) if version.eq_ignore_ascii_case(b"SIP/2.0 ") => {
                Self::parse_status(rest, whole).ok_or(Problem::StatusLine)
            }
            _ => Self::parse_request(line).ok_or(Problem::NotSip),
        }
    }

    fn parse_request(line: &[u8]) -> Option<StartLine> {
        let whole = std::str::from_utf8(line).ok()?;
        // RFC 4475 §3.1.2.10: white space at the end is wrong, but not past answering.
        let line = whole.trim_end_matches(is_lws);
        let (method, rest) = line.split_once(' ')?;
        let (uri, version) = rest.rsplit_once(' ')?;
        let version = match version.get(..4)?.eq_ignore_ascii_case("SIP/").then_some(version.get(4..)?)? {
            "2.0" => Version::Two,
            _ => Version::Other,
        };
        let uri = match whole.len() {
            length if length > MAX_HEADER_LINE => Err(Problem::RequestUriTooLong),
            length if length > line.len() => Err(Problem::RequestUri),
            _ => parse_request_uri(uri).ok_or(Problem::RequestUri),
        };
        Some(StartLine::Request { method: Method::parse(method)?, uri, version })
    }

    /// RFC 3261 §7.2. The space behind the code is forgiven when no reason follows.
    fn parse_status(rest: &[u8], whole: &Bytes) -> Option<StartLine> {
        let (code, reason) = rest.split_at_checked(3)?;
        let status = number(std::str::from_utf8(code).ok()?).and_then(StatusCode::new)?;
        let reason = match reason {
            [] => Bytes::new(),
            // As in a header line, no line break may stand alone.
            [b' ', reason @ ..] if memchr::memchr2(b'\r', b'\n', reason).is_none() => whole.slice_ref(reason),
            _ => return None,
        };
        Some(StartLine::Response { status, reason })
    }

    fn with(self, headers: Headers, body: Bytes, problem: Option<Problem>) -> Result<Message, ParseError> {
        match self {
            StartLine::Response { status, reason } => {
                let checked = problem.map_or_else(|| check_response(&headers), Err);
                let body = checked.and_then(|()| cut_body(&headers, body));
                let body = body.map_err(|problem| ParseError::new(problem, None))?;
                Ok(Response { status, reason, headers, body }.into())
            }
            StartLine::Request { method, uri, version } => {
                finish_request(method, uri, version, headers, body, problem)
            }
        }
    }
}

/// RFC 3261 §19.1.1: a Request-URI has no headers. To ignore them would be to do something else than was asked for.
fn parse_request_uri(text: &str) -> Option<Uri> {
    Uri::parse(text).filter(|uri| uri.as_sip().is_none_or(|uri| uri.headers.is_none()))
}

fn finish_request(
    method: Method,
    uri: Result<Uri, Problem>,
    version: Version,
    headers: Headers,
    body: Bytes,
    problem: Option<Problem>,
) -> Result<Message, ParseError> {
    let wrong_version = (version == Version::Other).then_some(Problem::Version);
    let checked = wrong_version.or(problem).map_or_else(|| check_request(&method, &headers), Err);
    let body = checked.and_then(|()| cut_body(&headers, body));
    match (uri, body) {
        (Ok(uri), Ok(body)) => Ok(Request { method, uri, headers, body }.into()),
        (_, Err(problem)) | (Err(problem), Ok(_)) => Err(ParseError::new(problem, salvage(method, &headers))),
    }
}

/// RFC 3261 §18.3.
fn cut_body(headers: &Headers, body: Bytes) -> Result<Bytes, Problem> {
    match headers.content_length()? {
        Some(length) if length > body.len() => Err(Problem::BodyTooShort),
        Some(length) => Ok(body.slice(..length)),
        None => Ok(body),
    }
}
