use std::time::Duration;

use super::world::fair;
use super::*;

#[test]
fn a_call_is_set_up_and_ended_by_the_caller() {
    for protocol in [Protocol::Udp, Protocol::Tcp] {
        let mut world = World::new(fair(), 1);
        world.command(Who::Alice, dial(protocol));
        let id = incoming(&mut world);
        world.command(Who::Bob, ring(id));
        let heard = world.find(Who::Alice, |event| match event {
            Event::Progress { response, .. } => Some(response.status),
            _ => None,
        });
        assert_eq!(heard, StatusCode::RINGING);
        world.command(Who::Bob, answer(id));
        let body = world.find(Who::Alice, |event| match event {
            Event::Answered { response, awaits_ack: false, .. } => Some(response.body.clone()),
            _ => None,
        });
        assert_eq!(body, "answer");
        world.find(Who::Bob, |event| matches!(event, Event::Confirmed { .. }).then_some(()));
        world.command(Who::Alice, bye(OUT));
        assert!(matches!(world.ended(Who::Bob), EndCause::Bye { reason: None }));
        assert!(matches!(world.ended(Who::Alice), EndCause::Local));
        assert_eq!(world.count(Who::Bob, "SIP/2.0 100"), 1);
        assert_eq!(world.count(Who::Alice, "ACK"), 1);
        world.assert_quiet_end();
    }
}

#[test]
fn a_call_is_ended_by_the_callee_with_a_reason() {
    for protocol in [Protocol::Udp, Protocol::Tcp] {
        let mut world = World::new(fair(), 2);
        let id = established(&mut world, protocol);
        let mut headers = Headers::new();
        headers.push(crate::HeaderName::Reason, "Q.850;cause=16;text=\"Bye\"");
        world.command(Who::Bob, Command::Bye { invite: id, headers });
        match world.ended(Who::Alice) {
            EndCause::Bye { reason: Some(reason) } => assert_eq!(reason, "Q.850;cause=16;text=\"Bye\""),
            other => panic!("{other:?}"),
        }
        assert!(matches!(world.ended(Who::Bob), EndCause::Local));
        world.assert_quiet_end();
    }
}

#[test]
fn requests_and_answers_carry_what_the_rfc_asks_for() {
    let mut world = World::new(fair(), 3);
    world.command(Who::Alice, dial(Protocol::Tcp));
    let id = incoming(&mut world);
    world.command(
        Who::Bob,
        Command::Answer {
            invite: id,
            contact_parameters: Some(";isfocus".into()),
            headers: Headers::new(),
            body: sdp("answer"),
        },
    );
    world.find(Who::Alice, |event| matches!(event, Event::Answered { .. }).then_some(()));
    let invite = &world.last(Who::Alice, "INVITE").text;
    for header in [
        "Via: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK",
        "Max-Forwards: 70",
        "From: \"Alice\" <sip:alice@192.0.2.1>;tag=",
        "To: <sip:1000@192.0.2.2>\r\n",
        "CSeq: 1 INVITE",
        "Contact: <sip:alice@192.0.2.1:5060;transport=tcp>\r\n",
        "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO",
        "Content-Type: application/sdp",
        "Content-Length: 5",
    ] {
        assert!(invite.contains(header), "{header} in {invite}");
    }
    let ok = &world.last(Who::Bob, "SIP/2.0 200").text;
    for header in [
        "To: <sip:1000@192.0.2.2>;tag=",
        "Contact: <sip:1000@192.0.2.2:5060;transport=tcp>;isfocus\r\n",
        "Supported: replaces",
        "Server: Tandem/test",
        "rport=40000",
        "received=192.0.2.1",
    ] {
        assert!(ok.contains(header), "{header} in {ok}");
    }
    world.find(Who::Bob, |event| matches!(event, Event::Confirmed { .. }).then_some(()));
    world.command(Who::Bob, bye(id));
    world.ended(Who::Alice);
    world.ended(Who::Bob);
    world.assert_quiet_end();
}

#[test]
fn without_an_offer_the_callee_offers_and_the_ack_answers() {
    let mut world = World::new(fair(), 4);
    world.command(Who::Alice, Command::Invite { invite: OUT, call: call(Protocol::Udp, None) });
    let id = incoming(&mut world);
    world.command(Who::Bob, answer(id));
    world.find(Who::Alice, |event| matches!(event, Event::Answered { awaits_ack: true, .. }).then_some(()));
    // The 2xx is repeated meanwhile, and is not to be answered by anybody else.
    world.run_until(ms(1_000));
    assert_eq!(world.count(Who::Bob, "SIP/2.0 200"), 2);
    assert_eq!(world.count(Who::Alice, "ACK"), 0);
    world.command(Who::Alice, Command::Ack { invite: OUT, body: sdp("theirs") });
    let body = world.find(Who::Bob, |event| match event {
        Event::Confirmed { body, .. } => Some(body.clone()),
        _ => None,
    });
    assert_eq!(body, "theirs");
    world.command(Who::Alice, bye(OUT));
    world.ended(Who::Alice);
    world.ended(Who::Bob);
    world.assert_quiet_end();
}

#[test]
fn a_caller_that_never_answers_the_offer_hangs_up() {
    let mut world = World::new(fair(), 5);
    world.command(Who::Alice, Command::Invite { invite: OUT, call: call(Protocol::Udp, None) });
    let id = incoming(&mut world);
    world.command(Who::Bob, answer(id));
    assert!(matches!(world.ended(Who::Alice), EndCause::NoAck));
    assert!(matches!(world.ended(Who::Bob), EndCause::NoAck | EndCause::Bye { .. }));
    world.peer(Who::Bob).events.clear();
    world.assert_quiet_end();
}

#[test]
fn a_refusal_ends_both_sides_and_is_acknowledged() {
    for protocol in [Protocol::Udp, Protocol::Tcp] {
        let mut world = World::new(fair(), 6);
        world.command(Who::Alice, dial(protocol));
        let id = incoming(&mut world);
        let mut headers = Headers::new();
        headers.push(crate::HeaderName::Warning, "305 tandem \"No common codec\"");
        let reason = Some("Nothing in common".into());
        world.command(Who::Bob, Command::Reject { invite: id, status: status(488), reason, headers });
        assert!(matches!(world.ended(Who::Bob), EndCause::Local));
        match world.ended(Who::Alice) {
            EndCause::Failed(Failure::Rejected(response)) => {
                assert_eq!(response.status, status(488));
                assert_eq!(response.reason, "Nothing in common");
                assert_eq!(
                    response.headers.text(&crate::HeaderName::Warning),
                    Some("305 tandem \"No common codec\"")
                );
            }
            other => panic!("{other:?}"),
        }
        world.run_until(ms(5_000));
        assert_eq!(world.count(Who::Bob, "SIP/2.0 488"), 1);
        assert_eq!(world.count(Who::Alice, "ACK"), 1);
        world.assert_quiet_end();
    }
}

#[test]
fn an_unanswered_call_is_given_up_by_either_side() {
    let impatient = Limits { ringing: Duration::from_secs(150), ..Limits::default() };
    let mut world = World::new(fair(), 7);
    world.bob.ua = UserAgent::new(Config { limits: impatient, ..config(B) });
    world.command(Who::Alice, dial(Protocol::Udp));
    let id = incoming(&mut world);
    world.command(Who::Bob, ring(id));
    assert!(matches!(world.ended(Who::Bob), EndCause::Unanswered));
    match world.ended(Who::Alice) {
        EndCause::Failed(Failure::Rejected(response)) => assert_eq!(response.status, status(480)),
        other => panic!("{other:?}"),
    }
    // 180 goes out once a minute, so that no proxy on the way gives up.
    assert_eq!(world.times(Who::Bob, "SIP/2.0 180"), [10, 60_010, 120_010]);
    world.assert_quiet_end();

    let mut world = World::new(fair(), 7);
    world.alice.ua = UserAgent::new(Config { limits: impatient, ..config(A) });
    world.command(Who::Alice, dial(Protocol::Udp));
    incoming(&mut world);
    assert!(matches!(world.ended(Who::Alice), EndCause::Failed(Failure::Timeout)));
    assert!(matches!(world.ended(Who::Bob), EndCause::Cancelled { reason: None }));
    assert_eq!(world.count(Who::Alice, "CANCEL"), 1);
    world.assert_quiet_end();
}

#[test]
fn information_within_a_dialog_goes_both_ways() {
    let mut world = World::new(fair(), 8);
    let id = established(&mut world, Protocol::Udp);
    for (from, own) in [(Who::Alice, OUT), (Who::Bob, id)] {
        let body = Some(Body { content_type: "application/x-note".into(), bytes: "Signal=5".into() });
        let headers = Headers::new();
        world.command(from, Command::Request { invite: own, method: Method::Info, headers, body });
        let (request, body) = world.find(from.other(), |event| match event {
            Event::Request { id, request, invite: Some(_), .. } => Some((*id, request.body.clone())),
            _ => None,
        });
        assert_eq!(body, "Signal=5");
        let headers = Headers::new();
        world.command(from.other(), Command::Respond { request, status: status(200), headers, body: None });
        let result = world.find(from, |event| match event {
            Event::Response { method: Method::Info, result: Ok(response), .. } => Some(response.status),
            _ => None,
        });
        assert_eq!(result, StatusCode::OK);
    }
    world.command(Who::Alice, bye(OUT));
    world.ended(Who::Alice);
    world.ended(Who::Bob);
    world.assert_quiet_end();
}

#[test]
fn commands_for_what_is_over_are_ignored_and_counted() {
    let mut world = World::new(fair(), 9);
    let gone = InviteId(99);
    for command in [ring(gone), answer(gone), reject(gone, 486), bye(gone), cancel(OUT), reinvite(OUT, None)]
    {
        world.command(Who::Bob, command);
    }
    assert_eq!(world.bob.ua.statistics().ignored_commands, 6);
    world.assert_quiet_end();
}
