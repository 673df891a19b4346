//! CANCEL (RFC 3261 §9), and the answers that it crosses.

use super::world::fair;
use super::*;

#[test]
fn a_ringing_call_is_taken_back() {
    for protocol in [Protocol::Udp, Protocol::Tcp] {
        let mut world = World::new(fair(), 1);
        world.command(Who::Alice, dial(protocol));
        let id = incoming(&mut world);
        world.command(Who::Bob, ring(id));
        world.find(Who::Alice, |event| matches!(event, Event::Progress { .. }).then_some(()));
        let mut headers = Headers::new();
        headers.push(crate::HeaderName::Reason, "SIP;cause=200;text=\"Call completed elsewhere\"");
        world.command(Who::Alice, Command::Cancel { invite: OUT, headers });
        match world.ended(Who::Bob) {
            EndCause::Cancelled { reason: Some(reason) } => assert!(reason.contains("elsewhere")),
            other => panic!("{other:?}"),
        }
        assert!(matches!(world.ended(Who::Alice), EndCause::Local));
        world.run_until(ms(3_000));
        assert_eq!(world.count(Who::Bob, "SIP/2.0 487"), 1);
        assert_eq!(world.count(Who::Alice, "ACK"), 1);
        // The same branch as the INVITE, or nobody knows what is cancelled (§9.1).
        let branch = |text: &str| text.split("branch=").nth(1).unwrap()[..23].to_owned();
        let invite = branch(&world.last(Who::Alice, "INVITE").text);
        assert_eq!(branch(&world.last(Who::Alice, "CANCEL").text), invite);
        // An application that has not heard of it yet.
        world.command(Who::Bob, answer(id));
        assert_eq!(world.bob.ua.statistics().ignored_commands, 1);
        world.assert_quiet_end();
    }
}

#[test]
fn cancel_waits_for_a_provisional_response() {
    let mut world = World::new(fair(), 2);
    world.drop = |sent| sent.line.starts_with("SIP/2.0 100") && sent.at < Time::from_millis(1_000);
    world.command(Who::Alice, dial(Protocol::Udp));
    world.command(Who::Alice, cancel(OUT));
    assert!(matches!(world.ended(Who::Alice), EndCause::Local));
    // The INVITE of 1.5 s draws the first 100 that arrives.
    assert_eq!(world.times(Who::Alice, "CANCEL"), [1_520]);
    assert!(matches!(world.ended(Who::Bob), EndCause::Cancelled { .. }));
    world.peer(Who::Bob).events.clear();
    world.assert_quiet_end();
}

#[test]
fn cancel_without_any_response_ends_with_timer_b() {
    let mut world = World::new(fair(), 3);
    world.drop = |_| true;
    world.command(Who::Alice, dial(Protocol::Udp));
    world.command(Who::Alice, cancel(OUT));
    assert!(matches!(world.ended(Who::Alice), EndCause::Local));
    assert_eq!(world.now, ms(32_000));
    assert_eq!(world.count(Who::Alice, "CANCEL"), 0);
    world.assert_quiet_end();
}

#[test]
fn a_200_that_crosses_cancel_is_acknowledged_and_hung_up() {
    for protocol in [Protocol::Udp, Protocol::Tcp] {
        let mut world = World::new(fair(), 4);
        world.command(Who::Alice, dial(protocol));
        let id = incoming(&mut world);
        world.run_until(ms(100));
        world.command(Who::Bob, answer(id));
        world.command(Who::Alice, cancel(OUT));
        assert!(matches!(world.ended(Who::Bob), EndCause::Bye { .. }));
        assert!(matches!(world.ended(Who::Alice), EndCause::Local));
        assert_eq!(world.count(Who::Alice, "CANCEL"), 1);
        assert_eq!(world.count(Who::Alice, "ACK"), 1);
        assert_eq!(world.count(Who::Alice, "BYE"), 1);
        assert_eq!(world.count(Who::Bob, "SIP/2.0 487"), 0);
        world.assert_quiet_end();
    }
}

#[test]
fn a_cancel_in_vain_gives_the_call_up_after_64_t1() {
    let mut world = World::new(fair(), 5);
    world.drop = |sent| sent.line.starts_with("SIP/2.0 487");
    world.command(Who::Alice, dial(Protocol::Udp));
    incoming(&mut world);
    world.run_until(ms(100));
    world.command(Who::Alice, cancel(OUT));
    assert!(matches!(world.ended(Who::Alice), EndCause::Local));
    assert_eq!(world.now, ms(32_100));
    assert!(matches!(world.ended(Who::Bob), EndCause::Cancelled { .. }));
    world.assert_quiet_end();
}

#[test]
fn hanging_up_before_the_answer_cancels_or_refuses() {
    let mut world = World::new(fair(), 6);
    world.command(Who::Alice, dial(Protocol::Udp));
    incoming(&mut world);
    world.run_until(ms(100));
    world.command(Who::Alice, bye(OUT));
    assert!(matches!(world.ended(Who::Bob), EndCause::Cancelled { .. }));
    assert!(matches!(world.ended(Who::Alice), EndCause::Local));
    world.assert_quiet_end();

    let mut world = World::new(fair(), 7);
    world.command(Who::Alice, dial(Protocol::Udp));
    let id = incoming(&mut world);
    world.command(Who::Bob, bye(id));
    assert!(matches!(world.ended(Who::Bob), EndCause::Local));
    match world.ended(Who::Alice) {
        EndCause::Failed(Failure::Rejected(response)) => assert_eq!(response.status, status(480)),
        other => panic!("{other:?}"),
    }
    world.assert_quiet_end();
}
