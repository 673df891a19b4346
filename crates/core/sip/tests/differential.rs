//! An independent reader must understand what we write, and read it as we do.

#![allow(clippy::unwrap_used, reason = "a test's set-up fails as a test does")]

use bytes::Bytes;
use proptest::prelude::*;
use rsip::prelude::*;
use tandem_sip::{CSeq, HeaderName, Headers, Message, Method, NameAddr, Request, Response, StatusCode, Uri};

#[derive(Clone, Debug)]
struct Sample {
    method: Method,
    uri: String,
    status: Option<u16>,
    display: Option<String>,
    tag: String,
    call_id: String,
    number: u32,
    body: String,
}

fn samples() -> impl Strategy<Value = Sample> {
    let methods =
        [Method::Invite, Method::Ack, Method::Bye, Method::Cancel, Method::Options, Method::Register];
    let uri = "sips?:[a-z0-9.]{1,8}@[a-z]{1,8}\\.example(:[1-9][0-9]{3})?(;transport=tcp)?";
    let display = prop::option::of("[A-Za-z]{1,8}( [A-Za-z]{1,8})?");
    let status = prop::option::of(prop::sample::select(vec![100u16, 180, 200, 302, 404, 486, 488, 503, 603]));
    let (tag, call_id) = ("[a-z0-9]{1,16}", "[A-Za-z0-9-]{1,20}(@[a-z.]{1,10}[a-z])?");
    (
        prop::sample::select(methods.to_vec()),
        uri,
        status,
        display,
        tag,
        call_id,
        0..1u32 << 31,
        "[ -~\r\n]{0,80}",
    )
        .prop_map(|(method, uri, status, display, tag, call_id, number, body)| Sample {
            method,
            uri,
            status,
            display,
            tag,
            call_id,
            number,
            body,
        })
}

/// It writes the transport in capitals.
fn means(theirs: &rsip::Uri, ours: &str) -> bool {
    Uri::parse(&theirs.to_string()).is_some_and(|uri| uri.equivalent(&Uri::parse(ours).unwrap()))
}

fn message(sample: &Sample) -> Message {
    let uri = Uri::parse(&sample.uri).unwrap();
    let mut from = NameAddr::new(uri.clone()).with_tag(&sample.tag);
    from.display = sample.display.clone();
    let cseq = CSeq { number: sample.number, method: sample.method.clone() };
    let mut headers = Headers::new();
    headers.push(HeaderName::Via, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc;rport");
    headers.push(HeaderName::From, from.to_string());
    headers.push(HeaderName::To, NameAddr::new(uri.clone()).to_string());
    headers.push(HeaderName::CallId, sample.call_id.clone());
    headers.push(HeaderName::CSeq, cseq.to_string());
    let body = Bytes::from(sample.body.clone());
    match sample.status.and_then(StatusCode::new) {
        Some(status) => Response { headers, body, ..Response::new(status) }.into(),
        None => Request { method: sample.method.clone(), uri, headers, body }.into(),
    }
}

proptest! {
    #[test]
    fn what_we_write_is_read_alike_by_another_stack(sample in samples()) {
        let ours = message(&sample);
        let theirs = rsip::SipMessage::try_from(ours.to_bytes().as_ref()).unwrap();
        prop_assert_eq!(theirs.call_id_header().unwrap().value(), &sample.call_id);
        let cseq = theirs.cseq_header().unwrap().typed().unwrap();
        prop_assert_eq!((cseq.seq, cseq.method.to_string()), (sample.number, sample.method.to_string()));
        let from = theirs.from_header().unwrap().typed().unwrap();
        prop_assert!(means(&from.uri, &sample.uri));
        prop_assert_eq!(from.tag().map(ToString::to_string), Some(sample.tag.clone()));
        prop_assert_eq!(theirs.body(), sample.body.as_bytes());
        match theirs {
            rsip::SipMessage::Request(request) => {
                prop_assert_eq!(sample.status, None);
                prop_assert!(means(&request.uri, &sample.uri));
            }
            rsip::SipMessage::Response(response) => {
                prop_assert_eq!(sample.status, Some(response.status_code.code()));
            }
        }
    }

    #[test]
    fn what_another_stack_writes_is_read_alike(sample in samples()) {
        let theirs = rsip::SipMessage::try_from(message(&sample).to_bytes().as_ref()).unwrap();
        let ours = Message::parse(Bytes::from(theirs)).unwrap();
        let headers = ours.headers();
        prop_assert_eq!(headers.call_id(), Ok(sample.call_id.as_str()));
        let from = headers.from().unwrap();
        prop_assert_eq!((from.display.clone(), from.tag()), (sample.display.clone(), Some(sample.tag.as_str())));
        prop_assert_eq!(from.uri, Uri::parse(&sample.uri).unwrap());
        prop_assert_eq!(headers.cseq().map(|c| c.number), Ok(sample.number));
        let body = match &ours {
            Message::Request(request) => &request.body,
            Message::Response(response) => &response.body,
        };
        prop_assert_eq!(body, &sample.body);
    }
}
