//! BYE (RFC 3261 §15).

use super::world::fair;
use super::*;

#[test]
fn a_bye_that_nobody_answers_ends_the_call_after_timer_f() {
    for who in [Who::Alice, Who::Bob] {
        let mut world = World::new(fair(), 1);
        let id = established(&mut world, Protocol::Udp);
        let start = world.now.as_millis();
        world.drop = |sent| sent.line.starts_with("BYE");
        world.command(who, bye(if who == Who::Alice { OUT } else { id }));
        assert!(matches!(world.ended(who), EndCause::Local));
        assert_eq!(world.now.as_millis() - start, 32_000);
        assert_eq!(world.count(who, "BYE"), 11);
        assert_eq!(world.peer(who).ua.usage_count(), 0);
    }
}

#[test]
fn a_lost_200_is_made_up_for() {
    let mut world = World::new(fair(), 2);
    let id = established(&mut world, Protocol::Udp);
    world.drop = |sent| sent.who == Who::Alice && sent.at < Time::from_millis(2_000);
    world.command(Who::Bob, bye(id));
    assert!(matches!(world.ended(Who::Alice), EndCause::Bye { .. }));
    assert!(matches!(world.ended(Who::Bob), EndCause::Local));
    assert_eq!(world.count(Who::Bob, "BYE"), 4);
    world.assert_quiet_end();
}

#[test]
fn byes_may_cross() {
    let mut world = World::new(fair(), 3);
    let id = established(&mut world, Protocol::Udp);
    world.command(Who::Alice, bye(OUT));
    world.command(Who::Bob, bye(id));
    assert!(matches!(world.ended(Who::Alice), EndCause::Local));
    assert!(matches!(world.ended(Who::Bob), EndCause::Local));
    assert_eq!(world.count(Who::Alice, "SIP/2.0 200"), 1);
    assert_eq!(world.count(Who::Bob, "SIP/2.0 200"), 2);
    world.assert_quiet_end();
}

#[test]
fn hanging_up_twice_sends_one_bye() {
    let mut world = World::new(fair(), 4);
    established(&mut world, Protocol::Udp);
    world.command(Who::Alice, bye(OUT));
    world.command(Who::Alice, bye(OUT));
    world.ended(Who::Alice);
    world.ended(Who::Bob);
    assert_eq!(world.count(Who::Alice, "BYE"), 1);
    world.assert_quiet_end();
}

#[test]
fn hanging_up_while_the_ack_is_owed_pays_it_first() {
    let mut world = World::new(fair(), 5);
    world.command(Who::Alice, Command::Invite { invite: OUT, call: call(Protocol::Udp, None) });
    let id = incoming(&mut world);
    world.command(Who::Bob, answer(id));
    world.find(Who::Alice, |event| matches!(event, Event::Answered { .. }).then_some(()));
    world.command(Who::Alice, bye(OUT));
    world.ended(Who::Alice);
    assert!(matches!(world.ended(Who::Bob), EndCause::Bye { .. }));
    assert_eq!(world.count(Who::Alice, "ACK"), 1);
    world.assert_quiet_end();
}

#[test]
fn a_request_that_nobody_answers_loses_the_call() {
    let mut world = World::new(fair(), 6);
    established(&mut world, Protocol::Udp);
    world.drop = |sent| sent.line.starts_with("INFO");
    let headers = Headers::new();
    world.command(Who::Alice, Command::Request { invite: OUT, method: Method::Info, headers, body: None });
    world.find(Who::Alice, |event| {
        matches!(event, Event::Response { result: Err(Failure::Timeout), .. }).then_some(())
    });
    assert!(matches!(world.ended(Who::Alice), EndCause::Lost));
    assert!(matches!(world.ended(Who::Bob), EndCause::Bye { .. }));
    world.assert_quiet_end();
}
