use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::{
    HeaderName, HeaderProblem, Host, MAX_HEADER_LINE, MAX_HEADERS, MAX_MESSAGE, MAX_PARAMS, NameAddr, Rport,
};

mod torture;

const SOURCE: &str = "192.0.2.9:6000";

fn parse(text: &str) -> Result<Message, ParseError> {
    Message::parse(Bytes::copy_from_slice(text.as_bytes()))
}

fn request(text: &str) -> Request {
    match parse(text) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

/// A whole OPTIONS with these lines added.
fn options(extra: &str) -> String {
    format!(
        "OPTIONS sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP a.example:5070;branch=z9hG4bK1;rport\r\n\
         From: Alice <sip:alice@a.example>;tag=f1\r\nTo: <sip:bob@example.com>\r\nCall-ID: c1@a.example\r\n\
         CSeq: 7 OPTIONS\r\n{extra}\r\n"
    )
}

#[test]
fn a_request_is_read() {
    let r = request(&format!("{}v=0", options("m: <sip:alice@192.0.2.9>\r\nMax-Forwards: 70\r\nl: 3\r\n")));
    assert_eq!((&r.method, r.uri.to_string().as_str()), (&Method::Options, "sip:bob@example.com"));
    let h = &r.headers;
    assert_eq!(h.via().unwrap().rport(), Rport::Requested);
    assert_eq!(h.via().unwrap().host, Host::Name("a.example".to_owned()));
    assert_eq!((h.from().unwrap().tag(), h.to().unwrap().tag()), (Some("f1"), None));
    assert_eq!((h.call_id(), h.max_forwards()), (Ok("c1@a.example"), Ok(Some(70))));
    assert_eq!(h.cseq().unwrap().number, 7);
    assert_eq!(h.contacts().unwrap(), [NameAddr::parse("<sip:alice@192.0.2.9>").unwrap()]);
    assert_eq!(r.body, "v=0");
}

#[test]
fn a_response_is_read() {
    let text = options("").replace("OPTIONS sip:bob@example.com SIP/2.0", "sip/2.0 488 Nicht \u{fc}blich");
    let Message::Response(response) = parse(&text).unwrap() else { panic!("a response") };
    assert_eq!(response.status, StatusCode::NOT_ACCEPTABLE_HERE);
    assert_eq!(response.reason, "Nicht \u{fc}blich");
    for line in ["SIP/2.0 200", "SIP/2.0 200 "] {
        let text = options("").replace("OPTIONS sip:bob@example.com SIP/2.0", line);
        assert!(matches!(parse(&text), Ok(Message::Response(r)) if r.reason.is_empty()), "{line}");
    }
}

#[test]
fn an_answer_copies_what_it_must() {
    let mut r = request(&options("Timestamp: 54\r\nVia: SIP/2.0/UDP z.example\r\nSubject: x\r\n"));
    r.headers.stamp_via(SOURCE.parse().unwrap()).unwrap();
    let answer = Response::to_request(&r, StatusCode::OK, Some("t9"));
    assert_eq!(
        std::str::from_utf8(&answer.to_bytes()).unwrap(),
        "SIP/2.0 200 OK\r\n\
         Via: SIP/2.0/UDP a.example:5070;branch=z9hG4bK1;rport=6000;received=192.0.2.9\r\n\
         From: Alice <sip:alice@a.example>;tag=f1\r\n\
         To: <sip:bob@example.com>;tag=t9\r\n\
         Call-ID: c1@a.example\r\n\
         CSeq: 7 OPTIONS\r\n\
         Via: SIP/2.0/UDP z.example\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let trying = Response::to_request(&r, StatusCode::TRYING, None);
    assert_eq!(trying.headers.text(&HeaderName::Timestamp), Some("54"));
    assert_eq!(trying.headers.to().unwrap().tag(), None);
    r.headers.replace_first(HeaderName::To, "<sip:b@example.com>;tag=own");
    assert_eq!(Response::to_request(&r, StatusCode::OK, Some("t9")).headers.to().unwrap().tag(), Some("own"));
}

#[test]
fn the_writer_counts_the_body_itself() {
    let mut r = request(&options("Content-Length: 0\r\nSubject: x\r\n"));
    r.body = Bytes::from_static(b"12345");
    let written = String::from_utf8(r.to_bytes().to_vec()).unwrap();
    assert!(
        written.ends_with("CSeq: 7 OPTIONS\r\nContent-Length: 5\r\nSubject: x\r\n\r\n12345"),
        "{written}"
    );
}

#[test]
fn bodies_follow_content_length_in_datagrams() {
    assert_eq!(request(&format!("{}12345", options("l: 3\r\n"))).body, "123");
    assert_eq!(request(&format!("{}12345", options(""))).body, "12345");
    let error = parse(&format!("{}12", options("l: 3\r\n"))).unwrap_err();
    assert_eq!(error.problem(), &Problem::BodyTooShort);
    let answer = error.response(SOURCE.parse().unwrap(), "t").unwrap();
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.headers.via().unwrap().response_address(), Some(SOURCE.parse().unwrap()));
    assert_eq!(answer.headers.to().unwrap().tag(), Some("t"));
}

#[test]
fn a_body_is_not_shown_since_it_may_hold_keys() {
    let key = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
    let bytes = Bytes::from(options(&format!("Content-Length: {}\r\n", key.len())) + key);
    let message = Message::parse(bytes).unwrap();
    let Message::Request(asked) = &message else { panic!("a response") };
    let answer = Response { body: asked.body.clone(), ..Response::to_request(asked, StatusCode::OK, None) };
    assert_eq!(asked.body, key);
    for shown in [format!("{message:?}"), format!("{answer:?}"), format!("{:?}", crate::ua::Body::sdp(key))] {
        assert!(shown.contains("47 octets") && !shown.contains("d0Rm"), "{shown}");
    }
}

#[test]
fn mandatory_headers_stand_once() {
    use HeaderProblem::{Contradictory, Malformed, Missing, Repeated};
    let without = |start: &str| {
        let kept = |line: &&str| !line.starts_with(start);
        let lines: Vec<_> = options("").split("\r\n").filter(kept).map(str::to_owned).collect();
        lines.join("\r\n")
    };
    for (text, name, problem, answerable) in [
        (without("Via"), HeaderName::Via, Missing, false),
        (without("From"), HeaderName::From, Missing, true),
        (without("To"), HeaderName::To, Missing, true),
        (without("Call-ID"), HeaderName::CallId, Missing, true),
        (without("CSeq"), HeaderName::CSeq, Missing, false),
        (options("CSeq: 8 OPTIONS\r\n"), HeaderName::CSeq, Repeated, true),
        (options("t: <sip:x@example.com>\r\n"), HeaderName::To, Repeated, true),
        (options("Max-Forwards: 300\r\n"), HeaderName::MaxForwards, Malformed, true),
        (options("").replace("7 OPTIONS", "7 INVITE"), HeaderName::CSeq, Contradictory, true),
        (options("").replace("7 OPTIONS", "4294967296 OPTIONS"), HeaderName::CSeq, Malformed, true),
        (options("").replace("SIP/2.0/UDP", "SIP/2.0"), HeaderName::Via, Malformed, false),
        (options("").replace("Call-ID: c1", "Call-ID: c 1"), HeaderName::CallId, Malformed, true),
    ] {
        let error = parse(&text).unwrap_err();
        assert_eq!(error.problem(), &Problem::Header(crate::HeaderError::new(name, problem)));
        assert_eq!(error.request().is_some(), answerable, "{text}");
        for repeated in [HeaderName::To, HeaderName::CSeq] {
            assert!(error.request().is_none_or(|r| r.headers.get_all(&repeated).count() <= 1), "{text}");
        }
    }
}

#[test]
fn limits_hold() {
    let many = |n: usize| options(&"X: y\r\n".repeat(n));
    assert!(parse(&many(MAX_HEADERS - 5)).is_ok());
    assert_eq!(parse(&many(MAX_HEADERS - 4)).unwrap_err().problem(), &Problem::TooManyHeaders);
    // A line counts with its name, its folds and its line break.
    let long = |n: usize| options(&format!("X:{}\r\n {}\r\n", "y".repeat(1_000), "z".repeat(n - 1_007)));
    assert!(parse(&long(MAX_HEADER_LINE)).is_ok());
    let error = parse(&long(MAX_HEADER_LINE + 1)).unwrap_err();
    assert_eq!(error.problem(), &Problem::HeaderTooLong);
    assert_eq!(error.response(SOURCE.parse().unwrap(), "t").unwrap().status, StatusCode::MESSAGE_TOO_LARGE);
    let filled = |n: usize| {
        let head = options("");
        let body = "b".repeat(n - head.len());
        head + &body
    };
    assert!(parse(&filled(MAX_MESSAGE)).is_ok());
    assert_eq!(parse(&filled(MAX_MESSAGE + 1)).unwrap_err().problem(), &Problem::TooLarge);
}

#[test]
fn parameters_are_bounded() {
    let base = options("");
    for n in [MAX_PARAMS, MAX_PARAMS + 1] {
        let params = ";a=b".repeat(n);
        let uri = format!("<sip:bob@example.com{params}>");
        for text in [
            base.replace("To: <sip:bob@example.com>", &format!("To: {uri}")),
            base.replace(";tag=f1", &params),
        ] {
            assert_eq!(parse(&text).is_ok(), n == MAX_PARAMS, "{text}");
        }
    }
}

#[test]
fn a_request_line_may_be_as_long_as_a_header() {
    let long =
        |n: usize| options("").replacen("bob", &"b".repeat(n - "OPTIONS sip:@example.com SIP/2.0".len()), 1);
    assert!(parse(&long(MAX_HEADER_LINE)).is_ok());
    let error = parse(&long(MAX_HEADER_LINE + 1)).unwrap_err();
    assert_eq!(error.problem(), &Problem::RequestUriTooLong);
    assert_eq!(error.problem().status(), StatusCode::REQUEST_URI_TOO_LONG);
}

#[test]
fn neither_ack_nor_response_is_answered() {
    for (from, to) in [("OPTIONS", "ACK"), ("OPTIONS sip:bob@example.com SIP/2.0", "SIP/2.0 200 OK")] {
        let text = options("l: 3\r\n").replace(from, to);
        let error = parse(&text).unwrap_err();
        assert_eq!(error.problem(), &Problem::BodyTooShort);
        assert_eq!(error.response(SOURCE.parse().unwrap(), "t"), None);
    }
}

fn arbitrary_message() -> impl Strategy<Value = Message> {
    let header = ("[A-Za-z-]{1,12}", "[!-~]([ -~]{0,30}[!-~])?");
    let start = prop_oneof![
        ("[A-Z]{3,9}", "sip:[a-z0-9]{1,8}@[a-z]{1,8}\\.example(;[a-z]{1,5}=[a-z]{0,3})?").prop_map(Ok),
        (100..700u16, "[ -~]{0,12}").prop_map(Err),
    ];
    let body = prop::collection::vec(any::<u8>(), 0..60);
    (start, prop::collection::vec(header, 0..6), body, 0..1u32 << 31).prop_map(|(start, extra, body, n)| {
        let method = start.as_ref().map_or("INVITE", |(method, _)| method);
        let mut headers: Headers = request(&options("")).headers;
        headers.set(HeaderName::CSeq, format!("{n} {method}"));
        headers.push(HeaderName::ContentLength, body.len().to_string());
        for (name, value) in extra {
            headers.push(HeaderName::Other(format!("X-{name}")), value);
        }
        let body = Bytes::from(body);
        match start {
            Ok((method, uri)) => {
                let (method, uri) = (Method::parse(&method).unwrap(), Uri::parse(&uri).unwrap());
                Request { method, uri, headers, body }.into()
            }
            Err((code, reason)) => {
                let status = StatusCode::new(code).unwrap();
                Response { status, reason: reason.into(), headers, body }.into()
            }
        }
    })
}

proptest! {
    #[test]
    fn written_messages_are_read_back(message in arbitrary_message()) {
        prop_assert_eq!(Message::parse(message.to_bytes()), Ok(message));
    }

    #[test]
    fn what_was_read_is_written_alike(
        message in arbitrary_message(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut bytes = message.to_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = Message::parse(bytes.into()) {
            prop_assert_eq!(Message::parse(read.to_bytes()).map(|m| m.to_bytes()), Ok(read.to_bytes()));
        }
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let answer = Message::parse(bytes.into()).err().and_then(|e| e.response(SOURCE.parse().unwrap(), "t"));
        prop_assert_eq!(answer, None);
    }

    #[test]
    fn broken_messages_do_no_harm(message in arbitrary_message(), cut in any::<prop::sample::Index>()) {
        let bytes = message.to_bytes();
        let cut = cut.index(bytes.len());
        if let Err(error) = Message::parse(bytes.slice(..cut)) {
            let answer = error.response(SOURCE.parse().unwrap(), "t");
            // Well-formed but for what the request had not.
            let lacks_only = |a: Response| match Message::parse(a.to_bytes()) {
                Ok(_) => true,
                Err(e) => matches!(e.problem(), Problem::Header(e) if e.problem == HeaderProblem::Missing),
            };
            prop_assert!(answer.is_none_or(lacks_only));
        }
    }
}
