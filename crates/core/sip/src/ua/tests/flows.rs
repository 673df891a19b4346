//! Where messages go.

use std::net::SocketAddr;

use super::lone::*;
use super::*;

fn remote(lone: &Lone) -> SocketAddr {
    lone.sent()[0].0.remote()
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn responses_go_where_the_via_asks_for() {
    let cases = [
        // RFC 3261 §18.2.2: the source address, the port of sent-by.
        ("198.51.100.7:5070", "203.0.113.9:1024", "203.0.113.9:5070"),
        ("198.51.100.7", "203.0.113.9:1024", "203.0.113.9:5060"),
        ("phone.example:5080", "203.0.113.9:1024", "203.0.113.9:5080"),
        // RFC 3581: the source port too.
        ("198.51.100.7:5070;rport", "203.0.113.9:1024", "203.0.113.9:1024"),
        // Nobody may aim our responses at others.
        ("198.51.100.7:5070;maddr=192.0.2.99;rport", "203.0.113.9:1024", "203.0.113.9:1024"),
        ("198.51.100.7:5070;received=192.0.2.99", "203.0.113.9:1024", "203.0.113.9:5070"),
    ];
    for (sent_by, source, expected) in cases {
        let mut lone = Lone::new();
        lone.receive(
            udp(source),
            &plain("OPTIONS").replace("198.51.100.7:5060;branch", &format!("{sent_by};branch")),
        );
        assert_eq!(remote(&lone), address(expected), "{sent_by} from {source}");
    }
    let mut lone = Lone::new();
    lone.receive(tcp("203.0.113.9:33333"), &plain("OPTIONS").replace("UDP", "TCP"));
    assert_eq!(lone.sent()[0].0, Target::Flow(tcp("203.0.113.9:33333")));
}

#[test]
fn requests_go_to_the_contact_and_through_the_route_set() {
    let routed =
        INVITE.replace("Contact: <sip:carol@198.51.100.7:5060>", "Contact: <sip:carol@198.51.100.8:5099>");
    let mut lone = Lone::new();
    let (id, _) = lone.establish(udp(PEER), &routed);
    lone.command(bye(id));
    assert_eq!(remote(&lone), address("198.51.100.8:5099"));

    let routed = routed.replace("Max-Forwards: 70", "Record-Route: <sip:198.51.100.7:5077;lr>");
    let mut lone = Lone::new();
    let (id, _) = lone.establish(udp(PEER), &routed);
    lone.command(bye(id));
    assert_eq!(remote(&lone), address("198.51.100.7:5077"));
    let text = &lone.sent()[0].1;
    assert!(text.starts_with("BYE sip:carol@198.51.100.8:5099 SIP/2.0"), "{text}");
    assert!(text.contains("Route: <sip:198.51.100.7:5077;lr>"), "{text}");
}

#[test]
fn a_peer_behind_a_nat_is_reached_where_it_was_heard() {
    let private = INVITE
        .replace("Via: SIP/2.0/UDP 198.51.100.7:5060", "Via: SIP/2.0/UDP 10.0.0.5:5060;rport")
        .replace("<sip:carol@198.51.100.7:5060>", "<sip:carol@10.0.0.5:5060>");
    let mut lone = Lone::new();
    let (id, _) = lone.establish(udp("203.0.113.9:1024"), &private);
    lone.command(bye(id));
    assert_eq!(remote(&lone), address("203.0.113.9:1024"));
}

#[test]
fn a_contact_with_a_name_is_looked_up_or_else_reached_where_the_peer_was_heard() {
    let named = INVITE.replace("<sip:carol@198.51.100.7:5060>", "<sip:carol@phone.example>");
    let elsewhere = Target::Address { protocol: Protocol::Udp, remote: address("198.51.100.9:5060") };
    for (found, expected) in [(Vec::new(), PEER), (vec![elsewhere], "198.51.100.9:5060")] {
        let mut lone = Lone::new();
        let (id, _) = lone.establish(udp(PEER), &named);
        lone.command(bye(id));
        let (lookup, search) = lone.wanted();
        assert_eq!(search.queries()[0].name, "phone.example");
        lone.input(Input::Located { lookup, targets: found });
        // From the socket that the peer knows us by, either way.
        assert_eq!(lone.sent()[0].0, Target::Flow(udp(expected)));
    }
}

#[test]
fn requests_use_the_connection_while_it_is_open_and_the_contact_afterwards() {
    let stream = INVITE
        .replace("UDP", "TCP")
        .replace("<sip:carol@198.51.100.7:5060>", "<sip:carol@198.51.100.7:5066;transport=tcp>");
    let flow = tcp("198.51.100.7:33333");
    let mut lone = Lone::new();
    let (id, _) = lone.establish(flow, &stream);
    lone.command(reinvite(id, sdp("hold")));
    assert_eq!(lone.sent()[0].0, Target::Flow(flow));
    // The connection goes: the re-INVITE fails, the call lives on.
    lone.input(Input::FlowClosed(flow));
    assert!(
        matches!(
            lone.out[..],
            [Output::Event(Event::ReInviteRejected { failure: Failure::Unreachable, .. })]
        ),
        "{:?}",
        lone.out
    );
    lone.command(bye(id));
    let expected = Target::Address { protocol: Protocol::Tcp, remote: address("198.51.100.7:5066") };
    assert_eq!(lone.sent()[0].0, expected);
    // Nobody listens there: that is the end of it all the same.
    lone.input(Input::SendFailed(expected));
    assert!(matches!(lone.out[..], [Output::Event(Event::Ended { cause: EndCause::Local, .. })]));
    lone.assert_quiet_end();
}

#[test]
fn a_response_whose_connection_is_gone_finds_another() {
    let mut lone = Lone::new();
    let flow = tcp("198.51.100.7:33333");
    lone.receive(flow, &INVITE.replace("UDP 198.51.100.7:5060", "TCP 198.51.100.7:5070"));
    let id = lone.incoming();
    lone.input(Input::FlowClosed(flow));
    lone.command(reject(id, 486));
    let expected = Target::Address { protocol: Protocol::Tcp, remote: address("198.51.100.7:5070") };
    assert_eq!(lone.sent()[0].0, expected);
    lone.assert_quiet_end();
}

#[test]
fn a_call_that_cannot_be_sent_fails_at_once() {
    let mut lone = Lone::new();
    lone.command(dial(Protocol::Tcp));
    let target = lone.sent()[0].0;
    lone.input(Input::SendFailed(target));
    assert!(matches!(
        lone.out[..],
        [Output::Event(Event::Ended { cause: EndCause::Failed(Failure::Unreachable), .. })]
    ));
    assert!(lone.ua.is_idle());
    // No listener speaks TLS here.
    lone.command(dial(Protocol::Tls));
    assert!(matches!(
        lone.out[..],
        [Output::Event(Event::Ended { cause: EndCause::Failed(Failure::Unreachable), .. })]
    ));
    assert!(lone.ua.is_idle());
}

/// A 2xx to the INVITE that `lone` just sent.
fn ok(invite: &str, tag: &str, contact: &str) -> String {
    let line = |name: &str| invite.lines().find(|l| l.starts_with(name)).unwrap().trim_end().to_owned();
    format!(
        "SIP/2.0 200 OK\n{}\n{}\n{};tag={tag}\n{}\n{}\nContact: <sip:{contact}>\nContent-Length: 0\n\n",
        line("Via:"),
        line("From:"),
        line("To:"),
        line("Call-ID:"),
        line("CSeq:")
    )
}

#[test]
fn the_second_fork_to_answer_is_acknowledged_and_hung_up() {
    let mut lone = Lone::new();
    lone.command(dial(Protocol::Udp));
    let invite = lone.sent()[0].1.clone();
    lone.receive(udp(PEER), &ok(&invite, "one", "one@198.51.100.1"));
    assert_eq!(lone.sent().len(), 1);
    assert!(lone.sent()[0].1.starts_with("ACK sip:one@198.51.100.1"));
    let second = ok(&invite, "two", "two@198.51.100.2");
    lone.receive(udp(PEER), &second);
    let sent = lone.sent();
    assert_eq!(sent.len(), 2);
    assert!(sent[0].1.starts_with("ACK sip:two@198.51.100.2"), "{}", sent[0].1);
    assert!(sent[1].1.starts_with("BYE sip:two@198.51.100.2"), "{}", sent[1].1);
    assert_eq!(sent[1].0.remote(), address("198.51.100.2:5060"));
    assert!(!lone.out.iter().any(|output| matches!(output, Output::Event(_))));
    // Repeated, it draws the ACK again and no second BYE.
    lone.receive(udp(PEER), &second);
    assert_eq!(lone.sent(), sent[..1]);
    lone.command(bye(OUT));
    assert!(lone.sent()[0].1.starts_with("BYE sip:one@198.51.100.1"));
    lone.assert_quiet_end();
}

#[test]
fn a_response_to_another_method_on_our_branch_is_a_stray() {
    let mut lone = Lone::new();
    lone.command(dial(Protocol::Udp));
    let invite = lone.sent()[0].1.clone();
    let bad = ok(&invite, "one", "one@198.51.100.1").replace("1 INVITE", "1 BYE");
    lone.receive(udp(PEER), &bad);
    assert!(lone.out.is_empty(), "{:?}", lone.out);
    let twice = ok(&invite, "one", "one@198.51.100.1").replacen(
        "Via:",
        "Via: SIP/2.0/UDP x;branch=z9hG4bK1\nVia:",
        1,
    );
    lone.receive(udp(PEER), &twice);
    assert_eq!(lone.ua.statistics().strays, 2);
    lone.assert_quiet_end();
}
