//! Servers that are looked up, and tried one after the other (RFC 3263 §4.3, §5).

use std::time::Duration;

use super::lone::*;
use super::*;

const FIRST: &str = "udp 198.51.100.1:5060";
const SECOND: &str = "udp 198.51.100.2:5060";
const THIRD: &str = "tcp 198.51.100.3:5060";

fn target(text: &str) -> Target {
    let (protocol, remote) = text.split_once(' ').unwrap();
    Target::Address { protocol: Protocol::parse(protocol).unwrap(), remote: remote.parse().unwrap() }
}

fn call_by_name(lone: &mut Lone, n: u64) -> InviteId {
    let mut call = call(Protocol::Udp, sdp("offer"));
    call.uri = Uri::parse("sip:bob@example.com").unwrap();
    call.target = None;
    let invite = InviteId::outgoing(n);
    lone.command(Command::Invite { invite, call });
    invite
}

/// Answers the search that the last input began.
fn locate(lone: &mut Lone, targets: &[&str]) {
    let (lookup, search) = lone.wanted();
    assert!(!search.queries().is_empty());
    lone.input(Input::Located { lookup, targets: targets.iter().map(|text| target(text)).collect() });
}

/// The one message sent by the last input.
fn one(lone: &Lone) -> (Target, String) {
    let sent = lone.sent();
    assert_eq!(sent.len(), 1, "{sent:?}");
    sent.into_iter().next().unwrap()
}

fn line<'a>(message: &'a str, name: &str) -> &'a str {
    message.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}: {message}"))
}

/// A response to a request of ours, with a tag and perhaps more lines.
fn response(request: &str, status: &str, more: &str) -> String {
    let [via, from, call, cseq] = ["Via", "From", "Call-ID", "CSeq"].map(|name| line(request, name));
    let to = line(request, "To");
    let tag = if to.contains("tag=") { "" } else { ";tag=b" };
    format!("SIP/2.0 {status}\n{via}\n{from}\n{to}{tag}\n{call}\n{cseq}\n{more}Content-Length: 0\n\n")
}

/// From where a request of ours went, over the flow that it went by.
fn flow_from(target: &Target) -> Flow {
    let id = if target.protocol() == Protocol::Udp { FlowId(1) } else { FlowId(9) };
    Flow { id, protocol: target.protocol(), local: B.parse().unwrap(), remote: target.remote() }
}

fn answer_to(lone: &mut Lone, (target, request): &(Target, String), status: &str, more: &str) {
    lone.receive(flow_from(target), &response(request, status, more));
}

/// Lets timers run until `wanted` says that a message is the one. Gives it.
fn wait_for(lone: &mut Lone, wanted: impl Fn(&Target, &str) -> bool) -> (Target, String) {
    for _ in 0..100 {
        if let Some(found) = lone.sent().into_iter().find(|(target, text)| wanted(target, text)) {
            return found;
        }
        lone.now = lone.ua.deadline().expect("a deadline");
        lone.input(Input::Tick);
    }
    panic!("nothing like it is sent");
}

fn wait_for_end(lone: &mut Lone) -> EndCause {
    for _ in 0..100 {
        if let Some(cause) = end(lone) {
            return cause;
        }
        lone.now = lone.ua.deadline().expect("a deadline");
        lone.input(Input::Tick);
    }
    panic!("no end");
}

fn end(lone: &Lone) -> Option<EndCause> {
    lone.out.iter().find_map(|output| match output {
        Output::Event(Event::Ended { cause, .. }) => Some(cause.clone()),
        _ => None,
    })
}

fn events(lone: &Lone) -> usize {
    lone.out.iter().filter(|output| matches!(output, Output::Event(_))).count()
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn a_refusal_with_503_leads_to_the_next_server_with_a_new_branch() {
    let mut lone = Lone::new();
    call_by_name(&mut lone, 1);
    assert!(lone.sent().is_empty());
    locate(&mut lone, &[FIRST, SECOND]);
    let first = one(&lone);
    assert_eq!(first.0, target(FIRST));
    answer_to(&mut lone, &first, "503 Busy", "");
    assert_eq!(events(&lone), 0, "{:?}", lone.out);
    let sent = lone.sent();
    let [ack, second] = &sent[..] else { panic!("{sent:?}") };
    assert!(ack.1.starts_with("ACK ") && ack.0 == first.0, "{ack:?}");
    assert_eq!(second.0, target(SECOND));
    for same in ["INVITE ", "From", "Call-ID", "CSeq"] {
        assert_eq!(line(&first.1, same), line(&second.1, same));
    }
    assert_ne!(line(&first.1, "Via"), line(&second.1, "Via"));
    // The refusal again is acknowledged again, and has no other effect.
    answer_to(&mut lone, &first, "503 Busy", "");
    assert_eq!(one(&lone), *ack);
    answer_to(&mut lone, second, "200 OK", "Contact: <sip:bob@198.51.100.2>\n");
    assert!(lone.out.iter().any(|o| matches!(o, Output::Event(Event::Answered { .. }))), "{:?}", lone.out);
    assert_eq!(lone.ua.statistics().fail_overs, 1);
    lone.command(bye(InviteId::outgoing(1)));
    let sent = one(&lone);
    answer_to(&mut lone, &sent, "200 OK", "");
    lone.assert_quiet_end();
}

#[test]
fn silence_leads_to_the_next_server_and_is_remembered_for_a_minute() {
    let mut lone = Lone::new();
    call_by_name(&mut lone, 1);
    locate(&mut lone, &[FIRST, SECOND]);
    let second = wait_for(&mut lone, |to, _| *to == target(SECOND));
    // Timer B: 64 times 500 ms.
    assert_eq!(lone.now, ms(32_000));
    answer_to(&mut lone, &second, "486 Busy Here", "");
    assert!(matches!(end(&lone), Some(EndCause::Failed(Failure::Rejected(_)))), "{:?}", lone.out);
    // The next call does not wait for it again…
    call_by_name(&mut lone, 2);
    locate(&mut lone, &[FIRST, SECOND]);
    let sent = one(&lone);
    assert_eq!(sent.0, target(SECOND));
    answer_to(&mut lone, &sent, "486 Busy Here", "");
    // … and one much later gives it another chance.
    lone.now += seconds(60);
    lone.input(Input::Tick);
    call_by_name(&mut lone, 3);
    locate(&mut lone, &[FIRST, SECOND]);
    assert_eq!(one(&lone).0, target(FIRST));
    let sent = one(&lone);
    answer_to(&mut lone, &sent, "486 Busy Here", "");
    lone.assert_quiet_end();
}

#[test]
fn a_server_out_of_reach_leads_to_the_next_at_once() {
    let mut lone = Lone::new();
    call_by_name(&mut lone, 1);
    locate(&mut lone, &[THIRD, FIRST]);
    let first = one(&lone);
    assert!(line(&first.1, "Via").contains("SIP/2.0/TCP"), "{}", first.1);
    assert!(line(&first.1, "Contact").contains("transport=tcp"), "{}", first.1);
    lone.input(Input::SendFailed(target(THIRD)));
    let second = one(&lone);
    assert_eq!((second.0, lone.now), (target(FIRST), Time::ZERO));
    // Via and Contact are those of the new transport.
    assert!(line(&second.1, "Via").contains("SIP/2.0/UDP"), "{}", second.1);
    assert!(!line(&second.1, "Contact").contains("transport"), "{}", second.1);
    answer_to(&mut lone, &second, "404 Not Found", "");
    lone.assert_quiet_end();
}

#[test]
fn the_last_failure_is_the_one_that_the_application_hears_of() {
    let mut lone = Lone::new();
    call_by_name(&mut lone, 1);
    locate(&mut lone, &[FIRST, SECOND]);
    let first = one(&lone);
    answer_to(&mut lone, &first, "503 Busy", "");
    let second = lone.sent()[1].clone();
    answer_to(&mut lone, &second, "503 Busy Too", "");
    match end(&lone) {
        Some(EndCause::Failed(Failure::Rejected(response))) => assert_eq!(response.reason, "Busy Too"),
        other => panic!("{other:?}"),
    }
    lone.assert_quiet_end();

    let mut lone = Lone::new();
    call_by_name(&mut lone, 1);
    locate(&mut lone, &[FIRST, SECOND]);
    assert!(matches!(wait_for_end(&mut lone), EndCause::Failed(Failure::Timeout)));
    assert_eq!(lone.now, ms(64_000));
    lone.assert_quiet_end();
}

#[test]
fn other_refusals_are_the_answer() {
    for refusal in ["404 Not Found", "486 Busy Here", "500 Oops", "600 Busy", "302 Elsewhere"] {
        let mut lone = Lone::new();
        call_by_name(&mut lone, 1);
        locate(&mut lone, &[FIRST, SECOND]);
        let first = one(&lone);
        answer_to(&mut lone, &first, refusal, "");
        assert!(end(&lone).is_some(), "{refusal}: {:?}", lone.out);
        lone.assert_quiet_end();
    }
}

#[test]
fn nobody_is_asked_again_before_the_time_that_it_named() {
    let mut lone = Lone::new();
    call_by_name(&mut lone, 1);
    locate(&mut lone, &[FIRST, SECOND]);
    let first = one(&lone);
    answer_to(&mut lone, &first, "503 Busy", "Retry-After: 120 (upgrade)\n");
    let second = lone.sent()[1].clone();
    answer_to(&mut lone, &second, "486 Busy Here", "");
    for (after, expected) in [(119, SECOND), (2, FIRST)] {
        lone.now += seconds(after);
        lone.input(Input::Tick);
        call_by_name(&mut lone, after);
        locate(&mut lone, &[FIRST, SECOND]);
        let sent = one(&lone);
        assert_eq!(sent.0, target(expected));
        answer_to(&mut lone, &sent, "486 Busy Here", "");
    }
    lone.assert_quiet_end();
}

#[test]
fn a_search_in_vain_ends_the_call() {
    let mut lone = Lone::new();
    call_by_name(&mut lone, 1);
    locate(&mut lone, &[]);
    assert!(matches!(end(&lone), Some(EndCause::Failed(Failure::Unreachable))), "{:?}", lone.out);
    // One that nobody carries out does too.
    call_by_name(&mut lone, 2);
    assert!(matches!(wait_for_end(&mut lone), EndCause::Failed(Failure::Unreachable)));
    assert_eq!(lone.now, ms(5_000));
    lone.assert_quiet_end();
}

#[test]
fn what_is_no_sip_uri_is_not_looked_for() {
    for uri in ["tel:+4930123", "sips:example.com;transport=udp"] {
        let mut lone = Lone::new();
        let mut call = call(Protocol::Udp, sdp("offer"));
        (call.uri, call.target) = (Uri::parse(uri).unwrap(), None);
        lone.command(Command::Invite { invite: OUT, call });
        assert!(matches!(end(&lone), Some(EndCause::Failed(Failure::Unfit))), "{uri}: {:?}", lone.out);
    }
    // With a Route its URI counts, and an address there needs no question.
    let mut lone = Lone::new();
    let mut call = call(Protocol::Udp, sdp("offer"));
    (call.uri, call.target) = (Uri::parse("tel:+4930123").unwrap(), None);
    call.routes = vec!["<sip:198.51.100.9:5070;lr>".to_owned()];
    lone.command(Command::Invite { invite: OUT, call });
    let hop = lone.wanted().1.hops().unwrap()[0];
    assert_eq!((hop.transport, hop.remote.to_string()), (Protocol::Udp, "198.51.100.9:5070".to_owned()));
}

#[test]
fn a_call_taken_back_while_it_is_looked_up_is_never_made() {
    let mut lone = Lone::new();
    let id = call_by_name(&mut lone, 1);
    let (lookup, _) = lone.wanted();
    lone.command(cancel(id));
    assert!(matches!(end(&lone), Some(EndCause::Local)), "{:?}", lone.out);
    lone.input(Input::Located { lookup, targets: vec![target(FIRST)] });
    assert!(lone.out.is_empty(), "{:?}", lone.out);
    lone.assert_quiet_end();
}

#[test]
fn a_call_taken_back_is_tried_nowhere_else() {
    // Before the first server was heard: its silence ends it.
    let mut lone = Lone::new();
    let id = call_by_name(&mut lone, 1);
    locate(&mut lone, &[FIRST, SECOND]);
    lone.command(cancel(id));
    assert!(matches!(wait_for_end(&mut lone), EndCause::Local));
    assert!(lone.sent().is_empty(), "{:?}", lone.out);
    lone.assert_quiet_end();

    // After it was: CANCEL goes there, and a 503 is as good as a 487.
    let mut lone = Lone::new();
    let id = call_by_name(&mut lone, 1);
    locate(&mut lone, &[FIRST, SECOND]);
    let first = one(&lone);
    answer_to(&mut lone, &first, "180 Ringing", "");
    lone.command(cancel(id));
    assert!(one(&lone).1.starts_with("CANCEL ") && one(&lone).0 == first.0);
    answer_to(&mut lone, &first, "503 Busy", "");
    assert!(matches!(end(&lone), Some(EndCause::Local)), "{:?}", lone.out);
    lone.assert_quiet_end();
}

#[test]
fn early_dialogs_end_with_the_server_that_failed() {
    let mut lone = Lone::new();
    let id = call_by_name(&mut lone, 1);
    locate(&mut lone, &[FIRST, SECOND]);
    let first = one(&lone);
    let reliable = "Contact: <sip:bob@198.51.100.1>\nRequire: 100rel\nRSeq: 1\n";
    answer_to(&mut lone, &first, "183 Session Progress", reliable);
    assert_eq!(lone.ua.usages[&id].early.len(), 1);
    let prack = one(&lone);
    assert!(prack.1.starts_with("PRACK "), "{}", prack.1);
    answer_to(&mut lone, &prack, "200 OK", "");
    answer_to(&mut lone, &first, "503 Busy", "");
    assert!(lone.ua.usages[&id].early.is_empty());
    let second = lone.sent()[1].clone();
    answer_to(&mut lone, &second, "486 Busy Here", "");
    lone.assert_quiet_end();
}

#[test]
fn cancel_waits_for_the_present_server_to_be_heard() {
    let mut lone = Lone::new();
    let id = call_by_name(&mut lone, 1);
    locate(&mut lone, &[FIRST, SECOND]);
    let first = one(&lone);
    answer_to(&mut lone, &first, "100 Trying", "");
    answer_to(&mut lone, &first, "503 Busy", "");
    let second = lone.sent()[1].clone();
    lone.command(cancel(id));
    // RFC 3261 §9.1: that the first had sent 100 does not help.
    assert!(lone.sent().is_empty(), "{:?}", lone.out);
    answer_to(&mut lone, &second, "180 Ringing", "");
    assert!(one(&lone).1.starts_with("CANCEL ") && one(&lone).0 == second.0);
    answer_to(&mut lone, &second, "487 Terminated", "");
    assert!(matches!(end(&lone), Some(EndCause::Local)), "{:?}", lone.out);
    lone.assert_quiet_end();
}

/// A call from [`PEER`] whose Contact is a name.
fn established_with_name(lone: &mut Lone) -> InviteId {
    let named = INVITE.replace("<sip:carol@198.51.100.7:5060>", "<sip:carol@phone.example>");
    lone.establish(udp(PEER), &named).0
}

fn flow_to(text: &str) -> Target {
    Target::Flow(udp(text.strip_prefix("udp ").unwrap()))
}

#[test]
fn requests_in_a_dialog_are_tried_elsewhere_too() {
    let mut lone = Lone::new();
    let id = established_with_name(&mut lone);
    lone.command(bye(id));
    locate(&mut lone, &[FIRST, SECOND]);
    let first = one(&lone);
    assert_eq!(first.0, flow_to(FIRST));
    // Timer F.
    let second = wait_for(&mut lone, |to, _| *to == flow_to(SECOND));
    assert_eq!(lone.now, ms(32_000));
    assert_eq!(line(&first.1, "CSeq"), line(&second.1, "CSeq"));
    answer_to(&mut lone, &second, "200 OK", "");
    assert!(matches!(end(&lone), Some(EndCause::Local)), "{:?}", lone.out);
    lone.assert_quiet_end();
}

#[test]
fn a_server_that_was_heard_has_the_request() {
    let mut lone = Lone::new();
    let id = established_with_name(&mut lone);
    lone.command(bye(id));
    locate(&mut lone, &[FIRST, SECOND]);
    let first = one(&lone);
    answer_to(&mut lone, &first, "100 Trying", "");
    assert!(matches!(wait_for_end(&mut lone), EndCause::Local));
    assert_eq!((lone.now, lone.ua.statistics().fail_overs), (ms(32_000), 0));
    lone.assert_quiet_end();
}

#[test]
fn a_reinvite_is_tried_elsewhere_and_the_dialog_lives_on() {
    let mut lone = Lone::new();
    let id = established_with_name(&mut lone);
    lone.command(reinvite(id, sdp("hold")));
    locate(&mut lone, &[FIRST, SECOND]);
    let first = one(&lone);
    answer_to(&mut lone, &first, "503 Busy", "");
    let second = lone.sent()[1].clone();
    assert_eq!(second.0, flow_to(SECOND));
    answer_to(&mut lone, &second, "200 OK", "Contact: <sip:carol@198.51.100.7>\n");
    let is_answered = |o: &Output| matches!(o, Output::Event(Event::ReInviteAnswered { .. }));
    assert!(lone.out.iter().any(is_answered), "{:?}", lone.out);
    lone.command(bye(id));
    let sent = one(&lone);
    answer_to(&mut lone, &sent, "200 OK", "");
    lone.assert_quiet_end();
}

#[test]
fn the_ack_goes_where_the_route_set_leads() {
    let routed = "Record-Route: <sip:edge.example.com;lr>\nContact: <sip:bob@198.51.100.2>\n";
    // Found, and not found: then where the answer came from.
    for (found, expected) in
        [(&["udp 198.51.100.8:5060"][..], "198.51.100.8:5060"), (&[], "198.51.100.1:5060")]
    {
        let mut lone = Lone::new();
        let id = call_by_name(&mut lone, 1);
        locate(&mut lone, &[FIRST]);
        let invite = one(&lone);
        answer_to(&mut lone, &invite, "200 OK", routed);
        assert!(lone.sent().is_empty());
        let wanted = lone.wanted();
        assert_eq!(wanted.1.queries()[0].name, "edge.example.com");
        // The 200 again, before the way is known, draws nothing.
        answer_to(&mut lone, &invite, "200 OK", routed);
        assert!(lone.sent().is_empty());
        let targets = found.iter().map(|text| target(text)).collect();
        lone.input(Input::Located { lookup: wanted.0, targets });
        let ack = one(&lone);
        assert!(
            ack.1.starts_with("ACK sip:bob@198.51.100.2 ") && ack.0.remote() == expected.parse().unwrap()
        );
        answer_to(&mut lone, &invite, "200 OK", routed);
        assert_eq!(one(&lone), ack);
        lone.command(bye(id));
        locate(&mut lone, &["udp 198.51.100.8:5060"]);
        let sent = one(&lone);
        answer_to(&mut lone, &sent, "200 OK", "");
        lone.assert_quiet_end();
    }
}

#[test]
fn an_ack_that_cannot_be_sent_goes_to_the_next_server() {
    let routed = "Record-Route: <sip:edge.example.com;lr>\nContact: <sip:bob@198.51.100.2>\n";
    let mut lone = Lone::new();
    let id = call_by_name(&mut lone, 1);
    locate(&mut lone, &[FIRST]);
    let invite = one(&lone);
    answer_to(&mut lone, &invite, "200 OK", routed);
    let servers = ["tcp 198.51.100.8:5060", "tcp 198.51.100.9:5060"];
    locate(&mut lone, &servers);
    let first = one(&lone);
    assert_eq!(first.0, target(servers[0]));
    lone.input(Input::SendFailed(first.0));
    let second = one(&lone);
    assert_eq!(second.0, target(servers[1]));
    assert!(second.1.starts_with("ACK ") && line(&first.1, "Via") != line(&second.1, "Via"));
    // It is that which is repeated, and behind it there is no other.
    answer_to(&mut lone, &invite, "200 OK", routed);
    assert_eq!(one(&lone), second);
    lone.input(Input::SendFailed(second.0));
    assert_eq!(lone.sent(), []);
    // Nor does silence lead anywhere else.
    for _ in 0..5 {
        answer_to(&mut lone, &invite, "200 OK", routed);
        assert_eq!(one(&lone), second);
    }
    // Whoever failed is asked last.
    lone.command(bye(id));
    locate(&mut lone, &[servers[0], THIRD]);
    let sent = one(&lone);
    assert_eq!(sent.0, target(THIRD));
    answer_to(&mut lone, &sent, "200 OK", "");
    lone.assert_quiet_end();
}

#[test]
fn an_ack_into_the_void_goes_to_the_next_server_in_time() {
    let routed = "Record-Route: <sip:edge.example.com;lr>\nContact: <sip:bob@198.51.100.2>\n";
    let mut lone = Lone::new();
    call_by_name(&mut lone, 1);
    locate(&mut lone, &[FIRST]);
    let invite = one(&lone);
    answer_to(&mut lone, &invite, "200 OK", routed);
    locate(&mut lone, &["udp 198.51.100.8:5060", "udp 198.51.100.9:5060"]);
    let first = one(&lone);
    let mut acks = Vec::new();
    for _ in 0..5 {
        answer_to(&mut lone, &invite, "200 OK", routed);
        acks.push(one(&lone));
    }
    assert_eq!(acks[..2], [first.clone(), first]);
    assert!(acks[2..].iter().all(|ack| ack.0.remote() == "198.51.100.9:5060".parse().unwrap()));
    assert!(acks[3..].iter().all(|ack| *ack == acks[2]));
}

/// RFC 3261 §18.2.2, RFC 3263 §5: connection, source address with the port of sent-by, sent-by itself.
#[test]
fn a_response_finds_its_way_by_sent_by_when_the_connection_is_gone() {
    let flow = tcp("203.0.113.9:33333");
    let invite = INVITE.replace("UDP 198.51.100.7:5060", "TCP proxy.example:5070");
    let mut lone = Lone::new();
    lone.receive(flow, &invite);
    let id = lone.incoming();
    lone.input(Input::FlowClosed(flow));
    lone.command(reject(id, 486));
    let fallback = target("tcp 203.0.113.9:5070");
    let (to, refusal) = one(&lone);
    assert_eq!(to, fallback);
    lone.input(Input::SendFailed(fallback));
    let (lookup, search) = lone.wanted();
    assert_eq!(search.queries()[0].name, "proxy.example");
    lone.input(Input::Located { lookup, targets: vec![target(THIRD)] });
    assert_eq!(one(&lone), (target(THIRD), refusal));
    // There it ends.
    lone.input(Input::SendFailed(target(THIRD)));
    assert!(lone.out.is_empty(), "{:?}", lone.out);
    lone.assert_quiet_end();
}

#[test]
fn nobody_is_looked_for_by_a_number_in_sent_by() {
    let flow = tcp("203.0.113.9:33333");
    let invite = INVITE.replace("UDP 198.51.100.7:5060", "TCP 10.0.0.1:5070");
    let mut lone = Lone::new();
    lone.receive(flow, &invite);
    let id = lone.incoming();
    lone.input(Input::FlowClosed(flow));
    lone.command(reject(id, 486));
    let fallback = one(&lone).0;
    assert_eq!(fallback, target("tcp 203.0.113.9:5070"));
    lone.input(Input::SendFailed(fallback));
    assert!(lone.out.is_empty(), "{:?}", lone.out);
    lone.assert_quiet_end();
}

#[test]
fn one_request_tries_eight_servers_and_no_longer_than_it_may_ring() {
    let mut lone = Lone::new();
    call_by_name(&mut lone, 1);
    let many: Vec<String> = (1..=16).map(|n| format!("tcp 198.51.100.{n}:5060")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    locate(&mut lone, &many);
    let mut tried = 0;
    while let Some((to, _)) = lone.sent().first().cloned() {
        tried += 1;
        lone.input(Input::SendFailed(to));
    }
    assert_eq!(tried, 8);
    assert!(matches!(end(&lone), Some(EndCause::Failed(Failure::Unreachable))), "{:?}", lone.out);

    call_by_name(&mut lone, 2);
    let silent: Vec<String> = (1..=16).map(|n| format!("udp 198.51.100.{n}:5060")).collect();
    let silent: Vec<&str> = silent.iter().map(String::as_str).collect();
    locate(&mut lone, &silent);
    assert!(matches!(wait_for_end(&mut lone), EndCause::Local | EndCause::Failed(Failure::Timeout)));
    // 180 s and what the last of them may take.
    assert!(lone.now <= ms(180_000 + 32_000), "{:?}", lone.now);
    lone.assert_quiet_end();
}
