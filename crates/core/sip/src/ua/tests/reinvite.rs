//! Offers within a call (RFC 3261 §14).

use std::time::Duration;

use super::world::fair;
use super::*;

fn end(mut world: World) {
    world.command(Who::Alice, bye(OUT));
    world.ended(Who::Alice);
    world.ended(Who::Bob);
    world.assert_quiet_end();
}

fn reinvited(world: &mut World, who: Who) -> InviteId {
    world.find(who, |event| match event {
        Event::ReInvite { invite, .. } => Some(*invite),
        _ => None,
    })
}

#[test]
fn either_side_offers_anew() {
    for protocol in [Protocol::Udp, Protocol::Tcp] {
        let mut world = World::new(fair(), 1);
        let id = established(&mut world, protocol);
        for (from, own) in [(Who::Alice, OUT), (Who::Bob, id), (Who::Alice, OUT)] {
            world.command(from, reinvite(own, sdp("hold")));
            let theirs = reinvited(&mut world, from.other());
            world.command(from.other(), answer(theirs));
            let body = world.find(from, |event| match event {
                Event::ReInviteAnswered { response, awaits_ack: false, .. } => Some(response.body.clone()),
                _ => None,
            });
            assert_eq!(body, "answer");
            world.find(from.other(), |event| matches!(event, Event::Confirmed { .. }).then_some(()));
        }
        end(world);
    }
}

#[test]
fn a_reinvite_without_offer_is_offered_to() {
    let mut world = World::new(fair(), 2);
    let id = established(&mut world, Protocol::Udp);
    world.command(Who::Bob, reinvite(id, None));
    let theirs = reinvited(&mut world, Who::Alice);
    world.command(Who::Alice, answer(theirs));
    world.find(Who::Bob, |event| {
        matches!(event, Event::ReInviteAnswered { awaits_ack: true, .. }).then_some(())
    });
    world.command(Who::Bob, Command::Ack { invite: id, body: sdp("ours") });
    let body = world.find(Who::Alice, |event| match event {
        Event::Confirmed { body, .. } => Some(body.clone()),
        _ => None,
    });
    assert_eq!(body, "ours");
    end(world);
}

#[test]
fn a_refused_reinvite_leaves_the_call_as_it_was() {
    let mut world = World::new(fair(), 3);
    established(&mut world, Protocol::Udp);
    world.command(Who::Alice, reinvite(OUT, sdp("video?")));
    let theirs = reinvited(&mut world, Who::Bob);
    world.command(Who::Bob, reject(theirs, 488));
    let code = world.find(Who::Alice, |event| match event {
        Event::ReInviteRejected { failure: Failure::Rejected(response), .. } => Some(response.status.get()),
        _ => None,
    });
    assert_eq!(code, 488);
    end(world);
}

#[test]
fn glare_is_resolved_by_waiting() {
    let mut world = World::new(fair(), 4);
    let id = established(&mut world, Protocol::Udp);
    let start = world.now;
    world.command(Who::Alice, reinvite(OUT, sdp("from alice")));
    world.command(Who::Bob, reinvite(id, sdp("from bob")));
    // The callee waits for 2 s at most, the owner of the Call-ID for 2.1 s at least (§14.1).
    let theirs = reinvited(&mut world, Who::Alice);
    assert!(world.now.since(start) <= Duration::from_millis(2_050));
    assert_eq!(world.count(Who::Alice, "SIP/2.0 491"), 1);
    assert_eq!(world.count(Who::Bob, "SIP/2.0 491"), 1);
    world.command(Who::Alice, answer(theirs));
    world.find(Who::Bob, |event| matches!(event, Event::ReInviteAnswered { .. }).then_some(()));
    end(world);
}

#[test]
fn an_offer_that_waits_yields_to_the_peers() {
    let mut world = World::new(fair(), 5);
    let id = established(&mut world, Protocol::Udp);
    world.command(Who::Alice, reinvite(OUT, sdp("from alice")));
    world.command(Who::Bob, reinvite(id, sdp("from bob")));
    let code = world.find(Who::Alice, |event| match event {
        Event::ReInviteRejected { failure: Failure::Rejected(response), .. } => Some(response.status.get()),
        _ => None,
    });
    assert_eq!(code, 491);
    let theirs = reinvited(&mut world, Who::Alice);
    world.command(Who::Alice, answer(theirs));
    world.find(Who::Bob, |event| matches!(event, Event::ReInviteAnswered { .. }).then_some(()));
    world.run_until(world.now + Duration::from_secs(10));
    assert_eq!(world.count(Who::Alice, "INVITE"), 2);
    end(world);
}

#[test]
fn a_reinvite_is_taken_back() {
    let mut world = World::new(fair(), 6);
    established(&mut world, Protocol::Udp);
    world.command(Who::Alice, reinvite(OUT, sdp("hold")));
    reinvited(&mut world, Who::Bob);
    world.run_until(world.now + Duration::from_millis(50));
    world.command(Who::Alice, cancel(OUT));
    world.find(Who::Bob, |event| matches!(event, Event::ReInviteCancelled { .. }).then_some(()));
    let code = world.find(Who::Alice, |event| match event {
        Event::ReInviteRejected { failure: Failure::Rejected(response), .. } => Some(response.status.get()),
        _ => None,
    });
    assert_eq!(code, 487);
    end(world);
}

#[test]
fn one_offer_at_a_time() {
    let mut world = World::new(fair(), 7);
    established(&mut world, Protocol::Udp);
    world.command(Who::Alice, reinvite(OUT, sdp("one")));
    world.command(Who::Alice, reinvite(OUT, sdp("two")));
    world.find(Who::Alice, |event| {
        matches!(event, Event::ReInviteRejected { failure: Failure::Unfit, .. }).then_some(())
    });
    assert_eq!(world.count(Who::Alice, "INVITE"), 2);
    let theirs = reinvited(&mut world, Who::Bob);
    world.command(Who::Bob, answer(theirs));
    world.find(Who::Alice, |event| matches!(event, Event::ReInviteAnswered { .. }).then_some(()));
    end(world);
}

#[test]
fn a_peer_that_lost_the_dialog_ends_the_call() {
    let mut world = World::new(fair(), 8);
    established(&mut world, Protocol::Udp);
    // Bob is restarted.
    world.bob.ua = UserAgent::new(config(B));
    world.command(Who::Alice, reinvite(OUT, sdp("hold")));
    let code = world.find(Who::Alice, |event| match event {
        Event::ReInviteRejected { failure: Failure::Rejected(response), .. } => Some(response.status.get()),
        _ => None,
    });
    assert_eq!(code, 481);
    assert!(matches!(world.ended(Who::Alice), EndCause::Lost));
    assert_eq!(world.count(Who::Alice, "BYE"), 1);
    world.assert_quiet_end();
}

#[test]
fn a_silent_peer_ends_the_call() {
    let mut world = World::new(fair(), 9);
    established(&mut world, Protocol::Udp);
    world.drop = |_| true;
    world.command(Who::Alice, reinvite(OUT, sdp("hold")));
    assert!(matches!(world.ended(Who::Alice), EndCause::Lost));
    // Bob does not know; only his media will tell him.
    assert_eq!(world.bob.ua.usage_count(), 1);
}

#[test]
fn hanging_up_during_a_reinvite_leaves_nothing_behind() {
    for by in [Who::Alice, Who::Bob] {
        for answered in [false, true] {
            let mut world = World::new(fair(), 10);
            let id = established(&mut world, Protocol::Udp);
            world.command(Who::Alice, reinvite(OUT, sdp("hold")));
            let theirs = reinvited(&mut world, Who::Bob);
            if answered {
                world.command(Who::Bob, answer(theirs));
            }
            world.command(by, bye(if by == Who::Alice { OUT } else { id }));
            world.ended(Who::Alice);
            world.ended(Who::Bob);
            world.assert_quiet_end();
        }
    }
}
