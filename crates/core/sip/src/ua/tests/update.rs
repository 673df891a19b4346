//! UPDATE (RFC 3311): offers without an INVITE.

use std::time::Duration;

use tandem_testkit::Conditions;

use super::lone::{INVITE, Lone, PEER, response, udp, within};
use super::world::fair;
use super::*;

fn offered(world: &mut World, who: Who) -> InviteId {
    world.find(who, |event| match event {
        Event::ReInvite { invite, request } if request.method == Method::Update => Some(*invite),
        _ => None,
    })
}

fn answered(world: &mut World, who: Who) -> Bytes {
    world.find(who, |event| match event {
        Event::ReInviteAnswered { response, awaits_ack: false, .. } => Some(response.body.clone()),
        _ => None,
    })
}

fn refused(world: &mut World, who: Who) -> u16 {
    world.find(who, |event| match event {
        Event::ReInviteRejected { failure: Failure::Rejected(response), .. } => Some(response.status.get()),
        _ => None,
    })
}

fn end(mut world: World) {
    world.command(Who::Alice, bye(OUT));
    world.ended(Who::Alice);
    world.ended(Who::Bob);
    world.assert_quiet_end();
}

/// An UPDATE within the dialog of [`INVITE`] with an offer.
fn offer_within(cseq: u32, tag: &str) -> String {
    within("UPDATE", cseq, tag)
        .replace("Content-Length: 0\n\n", "Content-Type: application/sdp\nContent-Length: 4\n\nhold")
}

#[test]
fn either_side_offers() {
    for protocol in [Protocol::Udp, Protocol::Tcp] {
        let mut world = World::new(fair(), 1);
        let id = established(&mut world, protocol);
        for (from, own) in [(Who::Alice, OUT), (Who::Bob, id), (Who::Alice, OUT)] {
            world.command(from, update(own, sdp("hold")));
            let theirs = offered(&mut world, from.other());
            world.command(from.other(), answer(theirs));
            assert_eq!(answered(&mut world, from), "answer");
        }
        end(world);
    }
}

#[test]
fn offers_arrive_once_however_bad_the_path() {
    for seed in 0..40 {
        let rough = Conditions {
            loss: 0.3,
            duplicate: 0.2,
            delay: Duration::from_millis(20),
            jitter: Duration::from_millis(200),
            reorder: true,
            ..Default::default()
        };
        let mut world = World::new(fair(), seed);
        let id = established(&mut world, Protocol::Udp);
        world.set_conditions(rough);
        for (from, own) in [(Who::Alice, OUT), (Who::Bob, id)] {
            world.command(from, update(own, sdp("hold")));
            let theirs = offered(&mut world, from.other());
            world.command(from.other(), answer(theirs));
            assert_eq!(answered(&mut world, from), "answer", "seed {seed}");
        }
        end(world);
    }
}

#[test]
fn a_refused_offer_leaves_the_call_as_it_was() {
    let mut world = World::new(fair(), 2);
    established(&mut world, Protocol::Udp);
    world.command(Who::Alice, update(OUT, sdp("video?")));
    let theirs = offered(&mut world, Who::Bob);
    world.command(Who::Bob, reject(theirs, 488));
    assert_eq!(refused(&mut world, Who::Alice), 488);
    end(world);
}

#[test]
fn an_offer_left_alone_is_refused_in_five_seconds() {
    let mut world = World::new(fair(), 3);
    established(&mut world, Protocol::Udp);
    world.command(Who::Alice, update(OUT, sdp("hold")));
    let id = offered(&mut world, Who::Bob);
    let start = world.now;
    assert_eq!(refused(&mut world, Who::Alice), 504);
    assert_eq!(world.now.since(start), Duration::from_millis(5_010));
    world.find(Who::Bob, |event| matches!(event, Event::ReInviteCancelled { .. }).then_some(()));
    world.command(Who::Bob, answer(id));
    assert_eq!(world.bob.ua.statistics().ignored_commands, 1);
    end(world);
}

#[test]
fn glare_is_resolved_by_waiting_within_the_two_bounds() {
    for seed in 0..20 {
        let mut world = World::new(fair(), seed);
        let id = established(&mut world, Protocol::Udp);
        let start = world.now;
        world.command(Who::Alice, update(OUT, sdp("from alice")));
        world.command(Who::Bob, update(id, sdp("from bob")));
        let theirs = offered(&mut world, Who::Alice);
        // §5.3, RFC 3261 §14.1: the callee waits 0 to 2 s, the owner of the Call-ID 2.1 to 4 s.
        assert!(world.now.since(start) <= Duration::from_millis(2_050));
        assert_eq!((world.count(Who::Alice, "SIP/2.0 491"), world.count(Who::Bob, "SIP/2.0 491")), (1, 1));
        world.command(Who::Alice, answer(theirs));
        answered(&mut world, Who::Bob);
        // Hers gave way.
        world.run_until(world.now + Duration::from_secs(5));
        assert_eq!(world.count(Who::Alice, "UPDATE"), 1);
        end(world);
    }
}

#[test]
fn reinvite_and_update_meet() {
    let mut world = World::new(fair(), 4);
    let id = established(&mut world, Protocol::Udp);
    let start = world.now;
    world.command(Who::Alice, reinvite(OUT, sdp("from alice")));
    world.command(Who::Bob, update(id, sdp("from bob")));
    let theirs = offered(&mut world, Who::Alice);
    assert!(world.now.since(start) <= Duration::from_millis(2_050));
    assert_eq!((world.count(Who::Alice, "SIP/2.0 491"), world.count(Who::Bob, "SIP/2.0 491")), (1, 1));
    world.command(Who::Alice, answer(theirs));
    answered(&mut world, Who::Bob);
    end(world);
}

/// How long a UPDATE refused for glare waits, in ms.
fn back_off(lone: &mut Lone, id: InviteId) -> u64 {
    lone.command(update(id, sdp("hold")));
    let refusal = response(&lone.request("UPDATE"), "491 Pending", "p", "");
    lone.receive(udp(PEER), &refusal);
    let start = lone.now;
    lone.wait(|output| matches!(output, Output::Send { bytes, .. } if bytes.starts_with(b"UPDATE")));
    lone.now.since(start).as_millis().try_into().unwrap()
}

#[test]
fn the_owner_of_the_call_waits_longer() {
    let (mut shortest, mut longest) = (u64::MAX, 0);
    {
        let mut lone = Lone::new();
        let (id, _) = lone.establish(udp(PEER), INVITE);
        for _ in 0..60 {
            let waited = back_off(&mut lone, id);
            assert!(waited <= 2_000, "{waited}");
            (shortest, longest) = (shortest.min(waited), longest.max(waited));
            let accepted = response(&lone.request("UPDATE"), "200 OK", "p", "");
            lone.receive(udp(PEER), &accepted);
        }
    }
    assert!(shortest < 200 && longest > 1_800, "{shortest} to {longest}");
    let mut lone = Lone::new();
    lone.command(dial(Protocol::Udp));
    let accepted = response(&lone.request("INVITE"), "200 OK", "p", "Contact: <sip:198.51.100.7>");
    lone.receive(udp(PEER), &accepted);
    for _ in 0..20 {
        let waited = back_off(&mut lone, OUT);
        assert!((2_100..=4_000).contains(&waited), "{waited}");
        let accepted = response(&lone.request("UPDATE"), "200 OK", "p", "");
        lone.receive(udp(PEER), &accepted);
    }
}

#[test]
fn offers_of_the_peer_do_not_overlap() {
    let mut lone = Lone::new();
    let (id, tag) = lone.establish(udp(PEER), INVITE);
    // Theirs by re-INVITE is unanswered: 500 to another by UPDATE (§5.2).
    let body = "Content-Type: application/sdp\nContent-Length: 4\n\nhold";
    lone.receive(udp(PEER), &within("INVITE", 2, &tag).replace("Content-Length: 0\n\n", body));
    let busy = lone.reply(&offer_within(3, &tag));
    assert_eq!(busy.status.get(), 500);
    let seconds: u32 = busy.headers.text(&crate::HeaderName::RetryAfter).unwrap().parse().unwrap();
    assert!(seconds <= 10);
    // One without an offer concerns nobody.
    assert_eq!(lone.reply(&within("UPDATE", 4, &tag)).status.get(), 200);
    lone.command(reject(id, 488));
    // Theirs by UPDATE is unanswered: 500 to another by either.
    lone.receive(udp(PEER), &offer_within(5, &tag));
    assert!(matches!(lone.out[..], [Output::Event(Event::ReInvite { .. })]));
    assert_eq!(lone.reply(&offer_within(6, &tag)).status.get(), 500);
    assert_eq!(lone.reply(&within("UPDATE", 7, &tag)).status.get(), 500);
    let reinvite = within("INVITE", 8, &tag).replace("Content-Length: 0\n\n", body);
    assert_eq!(lone.reply(&reinvite).status.get(), 500);
    lone.command(answer(id));
    assert!(lone.sent()[0].1.starts_with("SIP/2.0 200 OK\r\n"));
    // Ours by UPDATE is unanswered: 491 to theirs by either.
    lone.command(update(id, sdp("ours")));
    assert_eq!(lone.reply(&offer_within(9, &tag)).status.get(), 491);
    let reinvite = within("INVITE", 10, &tag).replace("Content-Length: 0\n\n", body);
    assert_eq!(lone.reply(&reinvite).status.get(), 491);
}

#[test]
fn an_update_without_an_offer_only_moves_the_target() {
    let mut lone = Lone::new();
    let (id, tag) = lone.establish(udp(PEER), INVITE);
    let moved = within("UPDATE", 2, &tag).replace("198.51.100.7:5060>", "198.51.100.8:5070>");
    let response = lone.reply(&moved);
    assert_eq!(response.status.get(), 200);
    assert!(response.headers.has(&crate::HeaderName::Contact));
    assert!(response.body.is_empty());
    lone.command(bye(id));
    let (target, text) = &lone.sent()[0];
    assert!(text.starts_with("BYE sip:carol@198.51.100.8:5070 "), "{text}");
    assert_eq!(target.remote(), "198.51.100.8:5070".parse().unwrap());
}

#[test]
fn what_is_no_session_description_is_refused() {
    let mut lone = Lone::new();
    let (_, tag) = lone.establish(udp(PEER), INVITE);
    let odd = offer_within(2, &tag).replace("application/sdp", "text/html");
    let response = lone.reply(&odd);
    assert_eq!(response.status.get(), 415);
    assert_eq!(response.headers.text(&crate::HeaderName::Accept), Some("application/sdp"));
}

#[test]
fn hanging_up_answers_what_is_pending() {
    for by in [Who::Alice, Who::Bob] {
        let mut world = World::new(fair(), 5);
        let id = established(&mut world, Protocol::Udp);
        world.command(Who::Alice, update(OUT, sdp("hold")));
        offered(&mut world, Who::Bob);
        world.command(by, bye(if by == Who::Alice { OUT } else { id }));
        world.ended(Who::Alice);
        world.ended(Who::Bob);
        assert_eq!(world.count(Who::Bob, "SIP/2.0 487"), 1);
        world.assert_quiet_end();
    }
}

#[test]
fn one_offer_at_a_time() {
    let mut world = World::new(fair(), 6);
    established(&mut world, Protocol::Udp);
    world.command(Who::Alice, update(OUT, sdp("one")));
    for second in [update(OUT, sdp("two")), reinvite(OUT, sdp("three"))] {
        world.command(Who::Alice, second);
        world.find(Who::Alice, |event| {
            matches!(event, Event::ReInviteRejected { failure: Failure::Unfit, .. }).then_some(())
        });
    }
    let theirs = offered(&mut world, Who::Bob);
    world.command(Who::Bob, answer(theirs));
    answered(&mut world, Who::Alice);
    end(world);
}

#[test]
fn a_peer_that_lost_the_dialog_ends_the_call() {
    let mut world = World::new(fair(), 8);
    established(&mut world, Protocol::Udp);
    world.bob.ua = UserAgent::new(config(B));
    world.command(Who::Alice, update(OUT, sdp("hold")));
    assert_eq!(refused(&mut world, Who::Alice), 481);
    assert!(matches!(world.ended(Who::Alice), EndCause::Lost));
    world.assert_quiet_end();
}
