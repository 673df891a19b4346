//! Session-ID (RFC 7989).

use super::lone::{INVITE, Lone, PEER, response, to_tag, udp, within};
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
