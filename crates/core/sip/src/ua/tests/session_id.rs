//! Session-ID (RFC 7989).

use super::lone::{INVITE, Lone, PEER, plain, response, to_tag, udp, within};
use super::*;

const THEIRS: &str = "ab30317f1a784dc48ff824d0d3715d86";
const NIL: &str = "00000000000000000000000000000000";

fn value(text: &str) -> Option<(String, String)> {
    let line = text.lines().find_map(|line| line.strip_prefix("Session-ID: "))?;
    let (ours, theirs) = line.split_once(";remote=").unwrap();
    assert!(ours.len() == 32 && ours.bytes().all(|b| b.is_ascii_hexdigit()) && ours != NIL, "{ours}");
    Some((ours.to_owned(), theirs.to_owned()))
}

#[test]
fn a_callee_adds_its_half_and_keeps_it() {
    let mut lone = Lone::new();
    let lines = format!("Max-Forwards: 70\nSession-ID: {THEIRS};remote={NIL}\n");
    lone.receive(udp(PEER), &INVITE.replace("Max-Forwards: 70\n", &lines));
    let id = lone.incoming();
    lone.command(answer(id));
    let said = lone.sent()[0].1.clone();
    let first = value(&said).unwrap();
    assert_eq!(first.1, THEIRS);
    lone.receive(udp(PEER), &within("ACK", 1, &to_tag(&said)));
    lone.command(bye(id));
    assert_eq!(value(&lone.request("BYE")), Some(first));
}

#[test]
fn a_caller_learns_the_other_half() {
    let mut lone = Lone::new();
    lone.command(dial(Protocol::Udp));
    let invite = lone.request("INVITE");
    let (ours, theirs) = value(&invite).unwrap();
    assert_eq!(theirs, NIL);
    let lines = format!("Contact: <sip:p@198.51.100.7>\nSession-ID: {THEIRS};remote={ours}");
    lone.receive(udp(PEER), &response(&invite, "200 OK", "p", &lines));
    assert_eq!(value(&lone.request("ACK")), Some((ours.clone(), THEIRS.to_owned())));
    lone.command(bye(OUT));
    assert_eq!(value(&lone.request("BYE")), Some((ours, THEIRS.to_owned())));
}

#[test]
fn peers_that_do_not_name_the_session_are_not_bothered() {
    let mut lone = Lone::new();
    lone.receive(udp(PEER), INVITE);
    let id = lone.incoming();
    lone.command(answer(id));
    assert_eq!(value(&lone.sent()[0].1), None);
}

/// An INVITE, or another request outside of calls, that names its session.
fn named(text: &str) -> String {
    text.replace("Max-Forwards: 70\n", &format!("Max-Forwards: 70\nSession-ID: {THEIRS};remote={NIL}\n"))
}

#[test]
fn every_response_in_a_call_names_it() {
    let mut lone = Lone::new();
    lone.receive(udp(PEER), &named(INVITE));
    let trying = lone.sent()[0].1.clone();
    assert!(trying.starts_with("SIP/2.0 100"));
    let name = value(&trying).unwrap();
    assert_eq!(name.1, THEIRS);
    let id = lone.incoming();
    lone.command(answer(id));
    let tag = to_tag(&lone.sent()[0].1);
    assert_eq!(value(&lone.sent()[0].1), Some(name.clone()));
    lone.receive(udp(PEER), &within("ACK", 1, &tag));
    // Those that the user agent gives, those that it refuses with, and the application's.
    let body = "Content-Type: application/dtmf\nContent-Length: 1\n\n5";
    let key = within("INFO", 3, &tag).replace("Content-Length: 0\n\n", body);
    let old = within("OPTIONS", 2, &tag);
    for (text, code) in
        [(within("OPTIONS", 2, &tag), "200"), (key, "200"), (old.replace("z9hG4bK2", "z9hG4bKold"), "500")]
    {
        lone.receive(udp(PEER), &named(&text));
        let response = &lone.sent()[0].1;
        assert!(response[8..].starts_with(code), "{response}");
        assert_eq!(value(response), Some(name.clone()), "{response}");
    }
    lone.receive(udp(PEER), &named(&within("INFO", 4, &tag)));
    let Output::Event(Event::Request { id: request, .. }) = lone.out[0] else { panic!("{:?}", lone.out) };
    lone.command(Command::Respond { request, status: status(415), headers: Headers::new(), body: None });
    assert_eq!(value(&lone.sent()[0].1), Some(name.clone()));
    lone.receive(udp(PEER), &named(&within("BYE", 5, &tag)));
    assert_eq!(value(&lone.sent()[0].1), Some(name));
}

#[test]
fn a_cancel_and_what_answers_it_name_the_call() {
    let mut lone = Lone::new();
    lone.receive(udp(PEER), &named(INVITE));
    let name = value(&lone.sent()[0].1);
    lone.receive(udp(PEER), &named(&plain("CANCEL").replace("z9hG4bKCANCEL", "z9hG4bKinvite")));
    let sent: Vec<_> = lone.sent().iter().map(|(_, text)| (text[8..11].to_owned(), value(text))).collect();
    assert_eq!(sent, [("200".to_owned(), name.clone()), ("487".to_owned(), name)]);
    // Ours repeats the INVITE's, whatever was learnt since (RFC 7989 §6).
    let mut lone = Lone::new();
    lone.command(dial(Protocol::Udp));
    let invite = lone.request("INVITE");
    let lines = format!("Contact: <sip:p@198.51.100.7>\nSession-ID: {THEIRS};remote={NIL}");
    lone.receive(udp(PEER), &response(&invite, "180 Ringing", "p", &lines));
    lone.command(cancel(OUT));
    assert_eq!(value(&lone.request("CANCEL")), value(&invite));
}

#[test]
fn outside_of_calls_the_same_question_hears_the_same_name() {
    for text in [plain("OPTIONS"), INVITE.replace("Max-Forwards: 70", "Max-Forwards: 70\nRequire: x")] {
        let mut lone = Lone::new();
        lone.receive(udp(PEER), &named(&text));
        let first = lone.sent()[0].1.clone();
        assert_eq!(value(&first).unwrap().1, THEIRS);
        lone.receive(udp(PEER), &named(&text));
        assert_eq!(lone.sent()[0].1, first);
        lone.receive(udp(PEER), &text);
        assert_eq!(value(&lone.sent()[0].1), None);
    }
}

/// RFC 7989 §6: another half counts once its request is accepted; the response to a refused one repeats it all the same.
#[test]
fn another_half_counts_from_the_2xx_on() {
    const OTHER: &str = "0123456789abcdef0123456789abcdef";
    let mut lone = Lone::new();
    let (id, tag) = lone.establish(udp(PEER), &named(INVITE));
    let offer = |cseq| {
        let body = "Content-Type: application/sdp\nContent-Length: 4\n\nhold";
        named(&within("UPDATE", cseq, &tag).replace("Content-Length: 0\n\n", body)).replace(THEIRS, OTHER)
    };
    for (cseq, command, after) in [(2, reject(id, 488), THEIRS), (3, answer(id), OTHER)] {
        lone.receive(udp(PEER), &offer(cseq));
        lone.command(command);
        assert_eq!(value(&lone.sent()[0].1).unwrap().1, OTHER);
        lone.command(update(id, None));
        let ours = lone.request("UPDATE");
        assert_eq!(value(&ours).unwrap().1, after);
        lone.receive(udp(PEER), &response(&ours, "200 OK", "c1", ""));
    }
}
