//! Requests too large for a datagram (RFC 3261 §18.1.1).

use super::lone::Lone;
use super::world::fair;
use super::*;

fn large() -> Command {
    let body = Some(Body::sdp(vec![b'x'; 1_300]));
    Command::Invite { invite: OUT, call: call(Protocol::Udp, body) }
}

#[test]
fn a_large_request_goes_by_tcp() {
    let mut world = World::new(fair(), 1);
    world.command(Who::Alice, large());
    let id = incoming(&mut world);
    let invite = &world.last(Who::Alice, "INVITE").text;
    assert!(invite.contains("Via: SIP/2.0/TCP "));
    // §18.1.1 says nothing of it, but where requests come back to must be where they can be as large.
    assert!(invite.contains("Contact: <sip:alice@192.0.2.1:5060;transport=tcp>"), "{invite}");
    world.command(Who::Bob, answer(id));
    world.find(Who::Bob, |event| matches!(event, Event::Confirmed { .. }).then_some(()));
    world.command(Who::Alice, bye(OUT));
    world.ended(Who::Bob);
    assert!(matches!(world.ended(Who::Alice), EndCause::Local));
    world.alice.events.clear();
    world.assert_quiet_end();
}

#[test]
fn where_no_connection_can_be_had_udp_must_do() {
    let mut lone = Lone::new();
    lone.command(large());
    let (target, _) = lone.sent()[0];
    assert_eq!(target.protocol(), Protocol::Tcp);
    lone.input(Input::SendFailed(target));
    let (target, text) = lone.sent()[0].clone();
    assert_eq!(target, Target::Address { protocol: Protocol::Udp, remote: B.parse().unwrap() });
    assert!(
        text.contains("Via: SIP/2.0/UDP ") && text.contains("Contact: <sip:alice@192.0.2.2:5060>"),
        "{text}"
    );
    // The next is not kept waiting.
    let Command::Invite { call, .. } = large() else { unreachable!() };
    lone.command(Command::Invite { invite: InviteId::outgoing(2), call });
    assert_eq!(lone.sent()[0].0.protocol(), Protocol::Udp);
}

#[test]
fn parameters_and_users_of_the_contact_survive_the_change() {
    let mut lone = Lone::new();
    let Command::Invite { mut call, .. } = large() else { unreachable!() };
    call.contact_user = "a b@c".to_owned();
    call.contact_parameters = ";isfocus;+sip.x=\"a;b\"".into();
    lone.command(Command::Invite { invite: OUT, call });
    let (target, text) = lone.sent()[0].clone();
    let expected = "Contact: <sip:a%20b%40c@192.0.2.2:5060;transport=tcp>;isfocus;+sip.x=\"a;b\"\r\n";
    assert!(target.protocol() == Protocol::Tcp && text.contains(expected), "{text}");
}

#[test]
fn a_small_request_stays_with_udp() {
    let mut lone = Lone::new();
    lone.command(dial(Protocol::Udp));
    assert_eq!(lone.sent()[0].0.protocol(), Protocol::Udp);
}
