//! The 2xx and its ACK (RFC 3261 §13.3.1.4).

use super::world::{Sent, fair};
use super::*;

/// When a 2xx that goes out at 10 ms is repeated.
const REPEATED: [u64; 11] = [10, 510, 1_510, 3_510, 7_510, 11_510, 15_510, 19_510, 23_510, 27_510, 31_510];

#[test]
fn a_2xx_is_repeated_on_every_transport_and_then_the_call_is_ended() {
    for protocol in [Protocol::Udp, Protocol::Tcp] {
        let mut world = World::new(fair(), 1);
        world.drop = |sent| sent.line.starts_with("ACK");
        world.command(Who::Alice, dial(protocol));
        let id = incoming(&mut world);
        world.command(Who::Bob, answer(id));
        assert!(matches!(world.ended(Who::Bob), EndCause::NoAck));
        assert_eq!(world.now, ms(32_010));
        assert_eq!(world.times(Who::Bob, "SIP/2.0 200"), REPEATED);
        assert_eq!(world.times(Who::Bob, "BYE"), [32_010]);
        // Each repetition that arrives is acknowledged anew, with the same ACK.
        let acks: Vec<&Sent> = world.sent.iter().filter(|s| s.line.starts_with("ACK")).collect();
        assert_eq!(acks.len(), 11);
        assert!(acks.iter().all(|ack| ack.text == acks[0].text));
        assert!(matches!(world.ended(Who::Alice), EndCause::Bye { .. }));
        world.assert_quiet_end();
    }
}

#[test]
fn a_late_ack_confirms_the_call() {
    let mut world = World::new(fair(), 2);
    world.drop = |sent| sent.line.starts_with("ACK") && sent.at < Time::from_millis(20_000);
    world.command(Who::Alice, dial(Protocol::Udp));
    let id = incoming(&mut world);
    world.command(Who::Bob, answer(id));
    world.find(Who::Bob, |event| matches!(event, Event::Confirmed { .. }).then_some(()));
    assert_eq!(world.now, ms(23_530));
    world.run_until(ms(60_000));
    assert_eq!(world.times(Who::Bob, "SIP/2.0 200"), REPEATED[..9]);
    world.command(Who::Alice, bye(OUT));
    assert!(matches!(world.ended(Who::Alice), EndCause::Local | EndCause::Bye { .. }));
    world.ended(Who::Bob);
    world.assert_quiet_end();
}

#[test]
fn an_ack_after_the_end_changes_nothing() {
    let mut world = World::new(fair(), 3);
    world.drop = |sent| sent.line.starts_with("ACK");
    world.command(Who::Alice, dial(Protocol::Udp));
    let id = incoming(&mut world);
    world.command(Who::Bob, answer(id));
    assert!(matches!(world.ended(Who::Bob), EndCause::NoAck));
    world.ended(Who::Alice);
    let ack = world.last(Who::Alice, "ACK").text.clone();
    let before = world.sent.len();
    let flow = Flow {
        id: FlowId(1),
        protocol: Protocol::Udp,
        local: B.parse().unwrap(),
        remote: A.parse().unwrap(),
    };
    world.input(Who::Bob, Input::Received { flow, bytes: ack.into() });
    assert_eq!(world.sent.len(), before, "an ACK is never answered");
    world.assert_quiet_end();
}

#[test]
fn an_invite_repeated_after_the_answer_is_absorbed() {
    let mut world = World::new(fair(), 4);
    let id = established(&mut world, Protocol::Udp);
    let invite = world.last(Who::Alice, "INVITE").text.clone();
    let before = world.sent.len();
    let flow = Flow {
        id: FlowId(1),
        protocol: Protocol::Udp,
        local: B.parse().unwrap(),
        remote: A.parse().unwrap(),
    };
    world.input(Who::Bob, Input::Received { flow, bytes: invite.into() });
    assert_eq!(world.sent.len(), before);
    assert_eq!(world.bob.ua.statistics().retransmissions, 1);
    world.command(Who::Bob, bye(id));
    world.ended(Who::Alice);
    world.ended(Who::Bob);
    world.assert_quiet_end();
}

#[test]
fn the_callee_hangs_up_only_after_the_ack() {
    let mut world = World::new(fair(), 5);
    world.drop = |sent| sent.line.starts_with("ACK") && sent.at < Time::from_millis(1_000);
    world.command(Who::Alice, dial(Protocol::Udp));
    let id = incoming(&mut world);
    world.command(Who::Bob, answer(id));
    world.command(Who::Bob, bye(id));
    assert!(matches!(world.ended(Who::Alice), EndCause::Bye { .. }));
    assert!(matches!(world.ended(Who::Bob), EndCause::Local));
    // The third 200 is the first whose ACK arrives.
    assert_eq!(world.times(Who::Bob, "BYE"), [1_530]);
    world.assert_quiet_end();
}

#[test]
fn without_any_ack_the_callee_hangs_up_at_64_t1() {
    let mut world = World::new(fair(), 6);
    world.drop = |sent| sent.line.starts_with("ACK");
    world.command(Who::Alice, dial(Protocol::Udp));
    let id = incoming(&mut world);
    world.command(Who::Bob, answer(id));
    world.command(Who::Bob, bye(id));
    assert!(matches!(world.ended(Who::Bob), EndCause::Local));
    assert_eq!(world.times(Who::Bob, "BYE"), [32_010]);
    world.ended(Who::Alice);
    world.assert_quiet_end();
}
