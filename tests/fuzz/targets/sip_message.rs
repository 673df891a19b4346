//! A datagram as a SIP message: what is read can be written and is read the same; what is refused can be
//! answered.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use tandem_sip::{Headers, Message, Response, StatusCode};

fuzz_target!(|data: &[u8]| {
    match Message::parse(Bytes::copy_from_slice(data)) {
        Ok(message) => accepted(&message),
        Err(error) => {
            let _ = error.to_string();
            // It repeats what the sender wrote, wrong as it may be, but is no lever to flood somebody with.
            if let Some(answer) = error.response("127.0.0.1:5060".parse().unwrap(), "tag") {
                assert!(answer.to_bytes().len() <= data.len() + 512);
            }
        }
    }
});

fn accepted(message: &Message) {
    reads_back(message);
    match message {
        Message::Request(request) => {
            touch(&request.headers);
            let answer = Response::to_request(request, StatusCode::BAD_REQUEST, Some("tag"));
            reads_back(&Message::Response(answer));
        }
        Message::Response(response) => touch(&response.headers),
    }
}

/// Writing settles the form: from then on it stays.
fn reads_back(message: &Message) {
    let bytes = message.to_bytes();
    let again = Message::parse(bytes.clone()).expect("what was written can be read");
    assert_eq!(again.to_bytes(), bytes);
}

fn touch(headers: &Headers) {
    let _ = (headers.vias(), headers.from(), headers.to(), headers.call_id(), headers.cseq());
    let _ = (headers.contacts(), headers.record_routes(), headers.routes(), headers.max_forwards());
    let _ = (headers.content_length(), headers.content_type(), headers.expires(), headers.require());
    let _ = (headers.supported(), headers.allow(), headers.reasons(), headers.reason());
    if let Ok(via) = headers.via() {
        let _ = (via.branch(), via.received(), via.rport(), via.response_address());
    }
}
