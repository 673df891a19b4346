//! An ACK that is overtaken by the request behind it.

use std::time::Duration;

use tandem_testkit::Conditions;

use super::lone::{INVITE, Lone, PEER, to_tag, udp, within};
use super::world::fair;
use super::*;
use crate::HeaderName;

const OFFER: &str = "Content-Type: application/sdp\nContent-Length: 4\n\nhold";

fn offer(method: &str, cseq: u32, tag: &str) -> String {
    within(method, cseq, tag).replace("Content-Length: 0\n\n", OFFER)
}

/// A call that is answered and not acknowledged; with an offer of the caller or of ours.
fn answered(offered: bool) -> (Lone, InviteId, String) {
    let mut lone = Lone::new();
    let invite = match offered {
        true => INVITE.to_owned(),
        false => INVITE
            .replace("Content-Type: application/sdp\nContent-Length: 5\n\noffer", "Content-Length: 0\n\n"),
    };
    lone.receive(udp(PEER), &invite);
    let id = lone.incoming();
    lone.command(answer(id));
    let tag = to_tag(&lone.sent()[0].1);
    (lone, id, tag)
}

fn statuses(lone: &Lone) -> Vec<String> {
    lone.sent().iter().map(|(_, text)| text[8..11].to_owned()).collect()
}

fn is_offered(lone: &Lone) -> bool {
    lone.out.iter().any(|output| matches!(output, Output::Event(Event::ReInvite { .. })))
}

fn is_confirmed(lone: &Lone) -> bool {
    lone.out.iter().any(|output| matches!(output, Output::Event(Event::Confirmed { .. })))
}

#[test]
fn a_reinvite_before_the_ack_proves_that_the_2xx_arrived() {
    let (mut lone, id, tag) = answered(true);
    lone.receive(udp(PEER), &offer("INVITE", 2, &tag));
    assert!(is_confirmed(&lone) && is_offered(&lone), "{:?}", lone.out);
    lone.command(answer(id));
    assert_eq!(statuses(&lone), ["200"]);
    // The ACK that was overtaken belongs to nothing any more, and the first 200 is not repeated.
    lone.receive(udp(PEER), &within("ACK", 1, &tag));
    assert!(lone.out.is_empty(), "{:?}", lone.out);
    lone.now = ms(500);
    lone.input(Input::Tick);
    assert_eq!(lone.sent().iter().filter(|(_, text)| text.contains("CSeq: 2 INVITE")).count(), 1);
    assert_eq!(lone.sent().len(), 1);
    lone.receive(udp(PEER), &within("ACK", 2, &tag));
    assert!(is_confirmed(&lone));
    lone.command(bye(id));
    lone.assert_quiet_end();
}

#[test]
fn an_offer_waits_for_the_ack_that_answers_ours() {
    for method in ["INVITE", "UPDATE"] {
        let (mut lone, id, tag) = answered(false);
        let again = offer(method, 2, &tag);
        lone.receive(udp(PEER), &again);
        lone.receive(udp(PEER), &again);
        assert!(lone.out.is_empty(), "{:?}", lone.out);
        // Nobody else is kept waiting.
        assert_eq!(lone.reply(&within("OPTIONS", 3, &tag)).status, StatusCode::OK);
        lone.receive(udp(PEER), &offer("ACK", 1, &tag));
        assert!(is_confirmed(&lone) && is_offered(&lone), "{:?}", lone.out);
        lone.command(answer(id));
        assert_eq!(statuses(&lone), ["200"]);
        lone.command(bye(id));
        lone.assert_quiet_end();
    }
}

#[test]
fn without_its_ack_an_offer_is_refused_with_491_in_200_ms() {
    for method in ["INVITE", "UPDATE"] {
        let (mut lone, id, tag) = answered(false);
        lone.receive(udp(PEER), &offer(method, 2, &tag));
        let second = lone.reply(&offer(method, 3, &tag));
        assert_eq!(second.status, status(500));
        assert!(second.headers.has(&HeaderName::RetryAfter));
        assert_eq!(lone.ua.deadline(), Some(ms(200)));
        lone.now = ms(200);
        lone.input(Input::Tick);
        assert_eq!(statuses(&lone), ["491"]);
        // It is that request's answer for good.
        assert_eq!(lone.reply(&offer(method, 2, &tag)).status, StatusCode::REQUEST_PENDING);
        lone.receive(udp(PEER), &offer("ACK", 1, &tag));
        assert!(is_confirmed(&lone) && !is_offered(&lone));
        lone.command(bye(id));
        lone.assert_quiet_end();
    }
}

#[test]
fn what_is_held_back_ends_with_the_call() {
    let (mut lone, _, tag) = answered(false);
    lone.receive(udp(PEER), &offer("INVITE", 2, &tag));
    lone.receive(udp(PEER), &within("BYE", 3, &tag));
    assert_eq!(statuses(&lone), ["200", "487"]);
    lone.assert_quiet_end();
}

#[test]
fn a_bye_that_waits_for_the_ack_goes_out_with_what_overtook_it() {
    let (mut lone, id, tag) = answered(true);
    lone.command(bye(id));
    assert!(lone.out.is_empty(), "{:?}", lone.out);
    lone.receive(udp(PEER), &offer("INVITE", 2, &tag));
    let lines: Vec<String> = lone.sent().iter().map(|(_, text)| text[..11].to_owned()).collect();
    assert_eq!(lines, ["BYE sip:car", "SIP/2.0 481"]);
    lone.assert_quiet_end();
}

/// As through a proxy with several workers: each request of the caller may overtake the one before it.
#[test]
fn calls_that_hold_and_resume_at_once_survive_reordering() {
    let shuffled = Conditions { jitter: Duration::from_millis(60), reorder: true, duplicate: 0.2, ..fair() };
    for seed in 0..60 {
        let mut world = World::new(shuffled, seed);
        world.command(Who::Alice, dial(Protocol::Udp));
        let id = incoming(&mut world);
        world.command(Who::Bob, answer(id));
        world.find(Who::Alice, |event| matches!(event, Event::Answered { .. }).then_some(()));
        for body in ["hold", "resume"] {
            // The ACK has just left.
            world.command(Who::Alice, reinvite(OUT, sdp(body)));
            let offered = world.find(Who::Bob, |event| match event {
                Event::ReInvite { request, .. } => Some(request.body.clone()),
                _ => None,
            });
            assert_eq!(offered, body, "seed {seed}");
            world.command(Who::Bob, answer(id));
            world.find(Who::Alice, |event| matches!(event, Event::ReInviteAnswered { .. }).then_some(()));
        }
        assert_eq!(world.count(Who::Bob, "SIP/2.0 491"), 0, "seed {seed}");
        world.command(Who::Alice, bye(OUT));
        assert!(matches!(world.ended(Who::Bob), EndCause::Bye { .. }), "seed {seed}");
        assert!(matches!(world.ended(Who::Alice), EndCause::Local), "seed {seed}");
        world.assert_quiet_end();
    }
}
