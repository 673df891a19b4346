//! Reliable provisional responses (RFC 3262), and UPDATE in early dialogs.

use std::time::Duration;

use tandem_testkit::Conditions;

use super::lone::{INVITE, Lone, PEER, response, to_tag, udp, within};
use super::world::fair;
use super::*;

fn progress(invite: InviteId, code: u16, body: Option<Body>) -> Command {
    Command::Provisional { invite, status: status(code), headers: Headers::new(), body }
}

fn progressed(world: &mut World, code: u16) -> bool {
    world.find(Who::Alice, |event| match event {
        Event::Progress { response, awaits_prack, .. } if response.status.get() == code => {
            Some(*awaits_prack)
        }
        _ => None,
    })
}

fn pracked(world: &mut World) -> Bytes {
    world.find(Who::Bob, |event| match event {
        Event::Pracked { body, .. } => Some(body.clone()),
        _ => None,
    })
}

fn value(text: &str, name: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or("").to_owned()
}

fn end(mut world: World) {
    world.command(Who::Alice, bye(OUT));
    world.ended(Who::Alice);
    world.ended(Who::Bob);
    world.assert_quiet_end();
}

/// [`INVITE`] from a peer that can do it.
fn invite(lines: &str) -> String {
    INVITE.replace("Max-Forwards: 70\n", &format!("Max-Forwards: 70\n{lines}\n"))
}

/// PRACK for a response of ours to [`INVITE`].
fn prack(of: &str, cseq: u32) -> String {
    let rack = format!("RAck: {} 1 INVITE\n", value(of, "RSeq"));
    within("PRACK", cseq, &to_tag(of)).replace("Max-Forwards: 70\n", &format!("Max-Forwards: 70\n{rack}"))
}

#[test]
fn provisional_responses_arrive_one_after_the_other() {
    for protocol in [Protocol::Udp, Protocol::Tcp] {
        let mut world = World::new(fair(), 1);
        world.command(Who::Alice, dial(protocol));
        let id = incoming(&mut world);
        for code in [180, 181, 183] {
            world.command(Who::Bob, progress(id, code, None));
        }
        for code in [180, 181, 183] {
            assert!(!progressed(&mut world, code));
            assert_eq!(pracked(&mut world), "");
        }
        let rseq = |code| -> u32 {
            let text = &world.last(Who::Bob, &format!("SIP/2.0 {code}")).text;
            assert_eq!(value(text, "Require"), "100rel");
            value(text, "RSeq").parse().unwrap()
        };
        assert_eq!((rseq(181), rseq(183)), (rseq(180) + 1, rseq(180) + 2));
        assert_eq!(value(&world.last(Who::Alice, "PRACK").text, "CSeq"), "4 PRACK");
        world.command(Who::Bob, answer(id));
        world.find(Who::Bob, |event| matches!(event, Event::Confirmed { .. }).then_some(()));
        world.find(Who::Alice, |event| matches!(event, Event::Answered { .. }).then_some(()));
        assert_eq!(value(&world.last(Who::Alice, "ACK").text, "CSeq"), "1 ACK");
        // The CSeq numbers go on from those of the early dialog.
        world.command(Who::Alice, bye(OUT));
        assert_eq!(value(&world.last(Who::Alice, "BYE").text, "CSeq"), "5 BYE");
        world.ended(Who::Alice);
        world.ended(Who::Bob);
        world.assert_quiet_end();
    }
}

#[test]
fn each_arrives_once_however_bad_the_path() {
    for seed in 0..60 {
        let rough = Conditions {
            loss: 0.3,
            duplicate: 0.2,
            delay: Duration::from_millis(20),
            jitter: Duration::from_millis(300),
            reorder: true,
            ..Default::default()
        };
        let mut world = World::new(rough, seed);
        world.command(Who::Alice, dial(Protocol::Udp));
        let id = incoming(&mut world);
        world.command(Who::Bob, progress(id, 180, None));
        world.command(Who::Bob, progress(id, 183, sdp("early")));
        world.command(Who::Bob, answer(id));
        let mut seen = Vec::new();
        world.find(Who::Alice, |event| matches!(event, Event::Answered { .. }).then_some(()));
        world.find(Who::Bob, |event| matches!(event, Event::Confirmed { .. }).then_some(()));
        seen.extend(
            world.sent.iter().filter(|s| s.line.starts_with("SIP/2.0 18")).map(|s| value(&s.text, "RSeq")),
        );
        seen.dedup();
        assert!(seen.len() <= 2, "seed {seed}: {seen:?}");
        end(world);
    }
}

#[test]
fn a_response_is_repeated_until_acknowledged() {
    let mut world = World::new(fair(), 2);
    world.drop = |sent| sent.line.starts_with("PRACK") && sent.at < Time::from_millis(4_000);
    world.command(Who::Alice, dial(Protocol::Udp));
    let id = incoming(&mut world);
    world.command(Who::Bob, progress(id, 183, sdp("early")));
    assert_eq!(pracked(&mut world), "");
    assert_eq!(world.times(Who::Bob, "SIP/2.0 183"), [10, 510, 1_510, 3_510, 7_510]);
    progressed(&mut world, 183);
    // What came again was no news.
    assert!(!world.alice.events.iter().any(|event| matches!(event, Event::Progress { .. })));
    world.command(Who::Bob, answer(id));
    world.find(Who::Alice, |event| matches!(event, Event::Answered { .. }).then_some(()));
    world.find(Who::Bob, |event| matches!(event, Event::Confirmed { .. }).then_some(()));
    end(world);
}

#[test]
fn without_any_prack_the_call_is_refused_after_64_t1() {
    let mut world = World::new(fair(), 3);
    world.drop = |sent| sent.line.starts_with("PRACK");
    world.command(Who::Alice, dial(Protocol::Udp));
    let id = incoming(&mut world);
    world.command(Who::Bob, progress(id, 183, sdp("early")));
    // The 2xx has to wait for it (§5).
    world.command(Who::Bob, answer(id));
    assert!(matches!(world.ended(Who::Bob), EndCause::Unanswered));
    assert_eq!(world.times(Who::Bob, "SIP/2.0 183"), [10, 510, 1_510, 3_510, 7_510, 15_510, 31_510]);
    assert_eq!(world.times(Who::Bob, "SIP/2.0 504"), [32_010]);
    assert_eq!(world.count(Who::Bob, "SIP/2.0 200"), 0);
    assert!(matches!(world.ended(Who::Alice), EndCause::Failed(Failure::Rejected(_))));
    world.alice.events.clear();
    world.assert_quiet_end();
}

#[test]
fn a_2xx_waits_for_the_prack_of_a_description_only() {
    let mut lone = Lone::new();
    lone.receive(udp(PEER), &invite("Supported: 100rel"));
    let id = lone.incoming();
    lone.command(progress(id, 180, None));
    let ringing = lone.request("SIP/2.0 180");
    lone.command(answer(id));
    assert!(lone.sent()[0].1.starts_with("SIP/2.0 200"));
    // §3: its PRACK still finds it, once.
    assert_eq!(lone.reply(&prack(&ringing, 2)).status.get(), 200);
    assert_eq!(lone.reply(&prack(&ringing, 3)).status.get(), 481);
    let mut lone = Lone::new();
    lone.receive(udp(PEER), &invite("Require: 100rel"));
    let id = lone.incoming();
    lone.command(progress(id, 183, sdp("early")));
    let early = lone.request("SIP/2.0 183");
    lone.command(answer(id));
    assert!(lone.sent().is_empty());
    lone.receive(udp(PEER), &prack(&early, 2));
    let sent: Vec<String> = lone.sent().into_iter().map(|(_, text)| text).collect();
    assert!(sent[0].contains("CSeq: 2 PRACK") && sent[1].contains("CSeq: 1 INVITE"), "{sent:?}");
}

#[test]
fn pracks_that_match_nothing_are_refused() {
    let mut lone = Lone::new();
    lone.receive(udp(PEER), &invite("Supported: 100rel"));
    let id = lone.incoming();
    lone.command(progress(id, 180, None));
    let ringing = lone.request("SIP/2.0 180");
    let good = prack(&ringing, 2);
    for (n, (from, to)) in
        [(" 1 INVITE", " 2 INVITE"), (" 1 INVITE", " 1 UPDATE"), ("RAck: ", "RAck: 9")].iter().enumerate()
    {
        let cseq = u32::try_from(n).unwrap() + 3;
        let wrong = good.replace(from, to).replace("CSeq: 2 ", &format!("CSeq: {cseq} "));
        let wrong = wrong.replace("z9hG4bK2", &format!("z9hG4bK{cseq}"));
        assert_eq!(lone.reply(&wrong).status.get(), 481, "{wrong}");
    }
    let late = good.replace("CSeq: 2 ", "CSeq: 9 ").replace("z9hG4bK2", "z9hG4bK9");
    lone.receive(udp(PEER), &late);
    assert!(lone.request("SIP/2.0 200").contains("9 PRACK"));
    // Peers that do not know it are not bothered.
    let mut lone = Lone::new();
    lone.receive(udp(PEER), INVITE);
    let id = lone.incoming();
    lone.command(progress(id, 180, None));
    assert_eq!(value(&lone.request("SIP/2.0 180"), "RSeq"), "");
}

#[test]
fn an_offer_in_a_provisional_response_is_answered_in_the_prack() {
    let mut world = World::new(fair(), 4);
    world.command(Who::Alice, Command::Invite { invite: OUT, call: call(Protocol::Udp, None) });
    let id = incoming(&mut world);
    world.command(Who::Bob, progress(id, 183, sdp("offer")));
    assert!(progressed(&mut world, 183));
    assert_eq!(world.count(Who::Alice, "PRACK"), 0);
    world.command(Who::Alice, Command::Ack { invite: OUT, body: sdp("our answer") });
    assert_eq!(pracked(&mut world), "our answer");
    // Offer and answer are through, so that either may offer anew.
    for (from, own) in [(Who::Alice, OUT), (Who::Bob, id)] {
        world.command(from, update(own, sdp("hold")));
        let theirs = world.find(from.other(), |event| match event {
            Event::ReInvite { invite, request } if request.method == Method::Update => Some(*invite),
            _ => None,
        });
        world.command(from.other(), answer(theirs));
        world.find(from, |event| matches!(event, Event::ReInviteAnswered { .. }).then_some(()));
    }
    let headers = Headers::new();
    world.command(Who::Bob, Command::Answer { invite: id, contact_parameters: None, headers, body: None });
    world.find(Who::Alice, |event| matches!(event, Event::Answered { .. }).then_some(()));
    world.command(Who::Alice, Command::Ack { invite: OUT, body: None });
    world.find(Who::Bob, |event| matches!(event, Event::Confirmed { .. }).then_some(()));
    end(world);
}

#[test]
fn an_update_before_the_first_answer_must_wait() {
    let mut lone = Lone::new();
    lone.receive(udp(PEER), &invite("Supported: 100rel"));
    let id = lone.incoming();
    lone.command(progress(id, 180, None));
    let ringing = lone.request("SIP/2.0 180");
    let offer = |cseq| {
        within("UPDATE", cseq, &to_tag(&ringing))
            .replace("Content-Length: 0\n\n", "Content-Type: application/sdp\nContent-Length: 4\n\nhold")
    };
    assert_eq!(lone.reply(&offer(2)).status.get(), 500);
    lone.receive(udp(PEER), &prack(&ringing, 3));
    lone.command(progress(id, 183, sdp("early")));
    let early = lone.request("SIP/2.0 183");
    assert_eq!(lone.reply(&offer(4)).status.get(), 500);
    lone.receive(udp(PEER), &prack(&early, 5));
    lone.receive(udp(PEER), &offer(6));
    assert!(matches!(lone.out[..], [Output::Event(Event::ReInvite { .. })]), "{:?}", lone.out);
    // What has a body is for the UPDATE; the INVITE has had its answer.
    lone.command(answer(id));
    assert!(lone.request("SIP/2.0 200").contains("6 UPDATE"));
    let headers = Headers::new();
    lone.command(Command::Answer { invite: id, contact_parameters: None, headers, body: None });
    assert!(lone.request("SIP/2.0 200").contains("1 INVITE"));
}

#[test]
fn a_prack_may_offer_anew() {
    let mut lone = Lone::new();
    lone.receive(udp(PEER), &invite("Supported: 100rel"));
    let id = lone.incoming();
    lone.command(progress(id, 183, sdp("early")));
    let early = lone.request("SIP/2.0 183");
    let body = "Content-Type: application/sdp\nContent-Length: 4\n\nhold";
    lone.receive(udp(PEER), &prack(&early, 2).replace("Content-Length: 0\n\n", body));
    let [Output::Event(Event::ReInvite { request, .. })] = &lone.out[..] else { panic!("{:?}", lone.out) };
    assert_eq!((request.method.clone(), &request.body[..]), (Method::Prack, &b"hold"[..]));
    lone.command(answer(id));
    let accepted = lone.request("SIP/2.0 200");
    assert!(accepted.contains("2 PRACK") && accepted.ends_with("answer"));
}

#[test]
fn responses_out_of_order_and_of_several_callees() {
    let mut lone = Lone::new();
    lone.command(dial(Protocol::Udp));
    let sent = lone.request("INVITE");
    assert!(value(&sent, "Supported").contains("100rel"));
    let ringing = |tag: &str, rseq: u32| {
        let lines = format!("Contact: <sip:{tag}@198.51.100.7>\nRequire: 100rel\nRSeq: {rseq}");
        response(&sent, "180 Ringing", tag, &lines)
    };
    lone.receive(udp(PEER), &ringing("one", 7));
    let prack = lone.request("PRACK");
    assert!(prack.starts_with("PRACK sip:one@198.51.100.7 "));
    assert_eq!(value(&prack, "RAck"), "7 1 INVITE");
    for (tag, rseq) in [("one", 9), ("one", 7), ("one", 6)] {
        lone.receive(udp(PEER), &ringing(tag, rseq));
        assert!(lone.out.is_empty(), "{rseq}: {:?}", lone.out);
    }
    lone.receive(udp(PEER), &ringing("two", 100));
    assert_eq!(value(&lone.request("PRACK"), "CSeq"), "2 PRACK");
    lone.receive(udp(PEER), &ringing("one", 8));
    assert_eq!(value(&lone.request("PRACK"), "CSeq"), "3 PRACK");
    // Both answer: the first wins, the other is acknowledged and hung up on, each with its own CSeq numbers.
    let accepted = |tag: &str| response(&sent, "200 OK", tag, &format!("Contact: <sip:{tag}@198.51.100.7>"));
    lone.receive(udp(PEER), &accepted("two"));
    assert_eq!(value(&lone.request("ACK"), "CSeq"), "1 ACK");
    lone.receive(udp(PEER), &accepted("one"));
    assert_eq!(value(&lone.request("BYE"), "CSeq"), "4 BYE");
    lone.command(bye(OUT));
    assert_eq!(value(&lone.request("BYE"), "CSeq"), "3 BYE");
}

#[test]
fn cancelling_leaves_nothing_of_early_dialogs() {
    let mut world = World::new(fair(), 5);
    world.command(Who::Alice, dial(Protocol::Udp));
    let id = incoming(&mut world);
    world.command(Who::Bob, progress(id, 183, sdp("early")));
    progressed(&mut world, 183);
    world.command(Who::Alice, cancel(OUT));
    assert!(matches!(world.ended(Who::Alice), EndCause::Local));
    assert!(matches!(world.ended(Who::Bob), EndCause::Cancelled { .. }));
    world.assert_quiet_end();
}
