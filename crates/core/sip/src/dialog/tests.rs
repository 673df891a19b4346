use bytes::Bytes;

use super::*;
use crate::Message;

fn request(text: &str) -> Request {
    match Message::parse(Bytes::from(text.replace('\n', "\r\n"))).unwrap() {
        Message::Request(request) => request,
        Message::Response(_) => panic!("a response"),
    }
}

fn response(text: &str) -> Response {
    match Message::parse(Bytes::from(text.replace('\n', "\r\n"))).unwrap() {
        Message::Response(response) => response,
        Message::Request(_) => panic!("a request"),
    }
}

const INVITE: &str = "INVITE sip:bob@biloxi.example SIP/2.0
Via: SIP/2.0/UDP p2.example;branch=z9hG4bK2
Record-Route: <sip:p2.example;lr>, <sip:p1.example;lr>
From: \"Alice\" <sip:alice@atlanta.example>;tag=a1
To: Bob <sip:bob@biloxi.example>
Call-ID: 77@atlanta
CSeq: 314 INVITE
Contact: <sip:alice@192.0.2.1:5070>

";

fn ok(record_route: &str) -> Response {
    response(&format!(
        "SIP/2.0 200 OK
Via: SIP/2.0/UDP h;branch=z9hG4bK2
{record_route}From: \"Alice\" <sip:alice@atlanta.example>;tag=a1
To: Bob <sip:bob@biloxi.example>;tag=b1
Call-ID: 77@atlanta
CSeq: 314 INVITE
Contact: <sip:bob@192.0.2.4>

"
    ))
}

fn line(request: &Request, name: HeaderName) -> Vec<String> {
    request.headers.get_all(&name).map(|v| String::from_utf8(v.to_vec()).unwrap()).collect()
}

#[test]
fn the_callee_keeps_record_routes_in_order() {
    let mut dialog = Dialog::of_callee(&request(INVITE), "b1").unwrap();
    let bye = dialog.request(Method::Bye);
    assert_eq!(bye.uri.to_string(), "sip:alice@192.0.2.1:5070");
    assert_eq!(line(&bye, HeaderName::Route), ["<sip:p2.example;lr>", "<sip:p1.example;lr>"]);
    assert_eq!(line(&bye, HeaderName::From), ["\"Bob\" <sip:bob@biloxi.example>;tag=b1"]);
    assert_eq!(line(&bye, HeaderName::To), ["\"Alice\" <sip:alice@atlanta.example>;tag=a1"]);
    assert_eq!(line(&bye, HeaderName::CallId), ["77@atlanta"]);
    assert_eq!(line(&bye, HeaderName::CSeq), ["1 BYE"]);
    assert_eq!(dialog.next_hop().to_string(), "sip:p2.example;lr");
    assert!(dialog.is_peer("77@atlanta", "a1"));
    assert!(!dialog.is_peer("77@atlanta", "b1"));
}

#[test]
fn the_caller_reverses_record_routes_and_goes_on_counting() {
    let answer = ok("Record-Route: <sip:p2.example;lr>\nRecord-Route: <sip:p1.example;lr>\n");
    let mut dialog = Dialog::of_caller(&request(INVITE), &answer).unwrap();
    let ack = dialog.ack(314);
    assert_eq!(line(&ack, HeaderName::Route), ["<sip:p1.example;lr>", "<sip:p2.example;lr>"]);
    assert_eq!(line(&ack, HeaderName::CSeq), ["314 ACK"]);
    assert_eq!(ack.uri.to_string(), "sip:bob@192.0.2.4");
    assert_eq!(line(&dialog.request(Method::Invite), HeaderName::CSeq), ["315 INVITE"]);
    assert_eq!(line(&dialog.request(Method::Bye), HeaderName::CSeq), ["316 BYE"]);
}

#[test]
fn a_strict_router_gets_itself_as_request_uri() {
    let answer = ok("Record-Route: <sip:p2.example;lr>\nRecord-Route: <sip:p1.example>\n");
    let mut dialog = Dialog::of_caller(&request(INVITE), &answer).unwrap();
    let bye = dialog.request(Method::Bye);
    assert_eq!(bye.uri.to_string(), "sip:p1.example");
    assert_eq!(line(&bye, HeaderName::Route), ["<sip:p2.example;lr>", "<sip:bob@192.0.2.4>"]);
}

#[test]
fn cseq_numbers_of_the_peer_must_grow() {
    let mut dialog = Dialog::of_callee(&request(INVITE), "b1").unwrap();
    assert_eq!(dialog.note_cseq(313), Err(OutOfOrder));
    assert_eq!(dialog.note_cseq(314), Err(OutOfOrder));
    assert_eq!(dialog.note_cseq(315), Ok(()));
    assert_eq!(dialog.note_cseq(400), Ok(()));
    assert_eq!(dialog.remote_cseq, Some(400));
}

#[test]
fn a_target_refresh_moves_the_target_and_nothing_else() {
    let mut dialog = Dialog::of_callee(&request(INVITE), "b1").unwrap();
    let routes = dialog.route_set.clone();
    let moved = INVITE.replace("192.0.2.1:5070", "198.51.100.9").replace("p2.example", "p9.example");
    dialog.refresh_target(&request(&moved).headers);
    assert_eq!(dialog.remote_target.to_string(), "sip:alice@198.51.100.9");
    assert_eq!(dialog.route_set, routes);
    let mut none = Headers::new();
    none.push(HeaderName::Contact, "<nonsense");
    dialog.refresh_target(&none);
    assert_eq!(dialog.remote_target.to_string(), "sip:alice@198.51.100.9");
}

#[test]
fn an_invite_without_contact_makes_no_dialog() {
    let invite = request(&INVITE.replace("Contact: <sip:alice@192.0.2.1:5070>\n", ""));
    assert!(Dialog::of_callee(&invite, "b1").is_err());
}

#[test]
fn a_dialog_survives_being_written_and_read() {
    let dialog = Dialog::of_callee(&request(INVITE), "b1").unwrap();
    let text = serde_json::to_string(&dialog).unwrap();
    assert_eq!(serde_json::from_str::<Dialog>(&text).unwrap(), dialog);
}
