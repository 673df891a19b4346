//! Session timers (RFC 4028).

use std::time::Duration;

use tandem_testkit::Conditions;

use super::lone::{INVITE, Lone, PEER, response, to_tag, udp, within};
use super::world::fair;
use super::*;
use crate::HeaderName;

const HOUR: Duration = Duration::from_secs(3_600);

fn limits(expires: u64, least: u64) -> Limits {
    Limits {
        session_expires: Duration::from_secs(expires),
        min_session_expires: Duration::from_secs(least),
        ..Limits::default()
    }
}

fn agent(address: &str, limits: Limits) -> UserAgent {
    UserAgent::new(Config { limits, ..config(address) })
}

fn end(mut world: World) {
    world.command(Who::Alice, bye(OUT));
    world.ended(Who::Alice);
    world.ended(Who::Bob);
    world.assert_quiet_end();
}

/// [`INVITE`] with these lines added.
fn invite(lines: &str) -> String {
    INVITE.replace("Max-Forwards: 70\n", &format!("Max-Forwards: 70\n{lines}\n"))
}

fn value(text: &str, name: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or("").to_owned()
}

#[test]
fn a_quiet_call_lives_on_by_refreshes() {
    for (loss, seed) in [(0.0, 1), (0.3, 2), (0.3, 3)] {
        let mut world = World::new(fair(), seed);
        established(&mut world, Protocol::Udp);
        world.set_conditions(Conditions { loss, reorder: true, duplicate: loss, ..fair() });
        let said = &world.last(Who::Bob, "SIP/2.0 200").text;
        assert_eq!(value(said, "Session-Expires"), "1800;refresher=uac");
        assert_eq!(value(said, "Require"), "timer");
        world.run_until(world.now + 3 * HOUR);
        let first = world.times(Who::Alice, "UPDATE")[0];
        assert!((900_000..900_100).contains(&first), "{first}");
        assert!(world.count(Who::Alice, "UPDATE") >= 11);
        assert_eq!(world.count(Who::Bob, "UPDATE"), 0, "one side refreshes");
        let refresh = &world.last(Who::Alice, "UPDATE").text;
        assert_eq!(value(refresh, "Session-Expires"), "1800;refresher=uac");
        assert_eq!(value(refresh, "Content-Length"), "0");
        assert_eq!((world.alice.ua.usage_count(), world.bob.ua.usage_count()), (1, 1));
        assert!(world.alice.events.is_empty() && world.bob.events.is_empty());
        world.set_conditions(fair());
        end(world);
    }
}

#[test]
fn both_sides_notice_that_the_other_is_gone() {
    let mut world = World::new(fair(), 4);
    established(&mut world, Protocol::Udp);
    world.drop = |_| true;
    world.run_until(ms(900_000));
    // The refresher by its own refresh, half-way; the other when the session expires but for 32 s (§10).
    assert!(matches!(world.ended(Who::Alice), EndCause::Lost));
    assert_eq!(world.now.as_millis() / 1_000, 932);
    world.run_until(ms(1_500_000));
    assert!(matches!(world.ended(Who::Bob), EndCause::Expired));
    assert_eq!(world.now.as_millis() / 1_000, 1_768);
    assert!(world.last(Who::Bob, "BYE").text.contains("Reason: SIP;cause=408"));
    world.assert_quiet_end();
}

#[test]
fn a_callee_refreshes_when_asked_to() {
    let mut lone = Lone::new();
    let lines = "Supported: timer\nSession-Expires: 300;refresher=uas\nAllow: INVITE, UPDATE";
    lone.receive(udp(PEER), &invite(lines));
    let id = lone.incoming();
    lone.command(answer(id));
    let said = lone.sent()[0].1.clone();
    assert_eq!(value(&said, "Session-Expires"), "300;refresher=uas");
    lone.receive(udp(PEER), &within("ACK", 1, &to_tag(&said)));
    lone.wait(|output| matches!(output, Output::Send { bytes, .. } if bytes.starts_with(b"UPDATE")));
    assert_eq!(lone.now, ms(150_000));
    let refresh = lone.sent()[0].1.clone();
    // For this request we are the caller.
    assert_eq!(value(&refresh, "Session-Expires"), "300;refresher=uac");
}

#[test]
fn a_peer_without_update_is_refreshed_by_reinvite() {
    let mut lone = Lone::new();
    let lines = "Supported: timer\nSession-Expires: 300;refresher=uas\nAllow: INVITE, BYE";
    let (id, _) = lone.establish(udp(PEER), &invite(lines));
    lone.wait(|output| matches!(output, Output::Event(Event::RefreshDue { .. })));
    assert_eq!(lone.now, ms(150_000));
    lone.command(reinvite(id, sdp("as before")));
    let refresh = lone.sent()[0].1.clone();
    assert!(refresh.starts_with("INVITE") && refresh.ends_with("as before"));
    assert_eq!(value(&refresh, "Session-Expires"), "300;refresher=uac");
}

#[test]
fn a_peer_that_refuses_update_is_refreshed_by_reinvite() {
    let mut world = World::new(fair(), 5);
    established(&mut world, Protocol::Udp);
    let mut without = config(B);
    without.identity.allow.retain(|method| *method != Method::Update);
    world.bob.ua.config = without;
    world.bob.ua.texts.allow = Bytes::from_static(b"INVITE, ACK, BYE, CANCEL");
    world.run_until(ms(800_000));
    world.find(Who::Alice, |event| matches!(event, Event::RefreshDue { .. }).then_some(()));
    world.command(Who::Alice, reinvite(OUT, sdp("as before")));
    let theirs = world.find(Who::Bob, |event| match event {
        Event::ReInvite { invite, .. } => Some(*invite),
        _ => None,
    });
    world.command(Who::Bob, answer(theirs));
    world.find(Who::Alice, |event| matches!(event, Event::ReInviteAnswered { .. }).then_some(()));
    world.find(Who::Bob, |event| matches!(event, Event::Confirmed { .. }).then_some(()));
    let at = world.now;
    world.run_until(at + Duration::from_secs(800));
    // Next time there is no UPDATE any more.
    world.find(Who::Alice, |event| matches!(event, Event::RefreshDue { .. }).then_some(()));
    assert_eq!(world.now.since(at).as_secs(), 899);
    assert_eq!(world.count(Who::Alice, "UPDATE"), 1);
    end(world);
}

#[test]
fn too_short_a_session_is_lengthened() {
    let mut world = World::new(fair(), 6);
    world.alice.ua = agent(A, limits(300, 90));
    world.bob.ua = agent(B, limits(1_800, 600));
    established(&mut world, Protocol::Udp);
    assert_eq!(value(&world.last(Who::Bob, "SIP/2.0 422").text, "Min-SE"), "600");
    assert_eq!(world.count(Who::Alice, "INVITE"), 2);
    let second = &world.last(Who::Alice, "INVITE").text;
    assert_eq!((value(second, "Session-Expires"), value(second, "Min-SE")), ("600".into(), "600".into()));
    assert_eq!(value(second, "CSeq"), "2 INVITE");
    assert_eq!(value(&world.last(Who::Bob, "SIP/2.0 200").text, "Session-Expires"), "600;refresher=uac");
    world.run_until(world.now + HOUR);
    assert_eq!(world.count(Who::Alice, "UPDATE"), 12 - 1);
    end(world);
}

#[test]
fn a_peer_that_is_never_content_is_given_up() {
    let mut lone = Lone::new();
    lone.command(dial(Protocol::Udp));
    for n in 1..10_u32 {
        let Some((_, sent)) = lone.sent().into_iter().find(|(_, text)| text.starts_with("INVITE")) else {
            assert!(lone.out.iter().any(|o| matches!(o, Output::Event(Event::Ended { .. }))));
            assert_eq!(n, 5);
            return;
        };
        let text = response(&sent, "422 Short", &format!("t{n}"), &format!("Min-SE: {}", n * 1_000));
        lone.receive(udp("192.0.2.2:5060"), &text);
    }
    panic!("it goes on and on");
}

#[test]
fn callers_without_timers_are_left_alone() {
    let mut lone = Lone::new();
    lone.establish(udp(PEER), INVITE);
    lone.now = ms(100_000);
    lone.input(Input::Tick);
    assert_eq!(lone.ua.deadline(), None);
    // A proxy may ask for a timer in its stead; then we alone refresh (§9).
    lone = Lone::new();
    lone.receive(udp(PEER), &invite("Session-Expires: 1000"));
    let id = lone.incoming();
    lone.command(answer(id));
    let said = lone.sent()[0].1.clone();
    assert_eq!(value(&said, "Session-Expires"), "1000;refresher=uas");
    assert_eq!(value(&said, "Require"), "");
}

#[test]
fn without_timers_nothing_is_said_of_them() {
    let mut lone = Lone::with(Config { limits: limits(0, 90), ..config(B) });
    let lines = "Supported: timer\nSession-Expires: 300";
    lone.receive(udp(PEER), &invite(lines));
    let id = lone.incoming();
    lone.command(answer(id));
    let said = lone.sent()[0].1.clone();
    assert_eq!(value(&said, "Session-Expires"), "");
    assert_eq!(value(&said, "Supported"), "replaces, 100rel");
    let mut lone = Lone::with(Config { limits: limits(0, 90), ..config(B) });
    let response = lone.reply(&invite("Require: timer"));
    assert_eq!(response.status.get(), 420);
    assert_eq!(response.headers.text(&HeaderName::Unsupported), Some("timer"));
}

#[test]
fn intervals_that_are_too_short_or_none_are_refused() {
    let mut lone = Lone::new();
    let short = lone.reply(&invite("Supported: timer\nSession-Expires: 89"));
    assert_eq!(short.status.get(), 422);
    assert_eq!(short.headers.text(&HeaderName::MinSe), Some("90"));
    assert_eq!(lone.reply(&invite("Session-Expires: soon")).status.get(), 400);
}

#[test]
fn a_peer_that_does_not_refresh_is_hung_up_on() {
    let mut lone = Lone::new();
    let lines = "Supported: timer\nSession-Expires: 90;refresher=uac";
    let (id, tag) = lone.establish(udp(PEER), &invite(lines));
    // It does once, after 40 s.
    lone.now = ms(40_000);
    let refresh = within("UPDATE", 2, &tag).replace(
        "Max-Forwards: 70\n",
        "Max-Forwards: 70\nSupported: timer\nSession-Expires: 90;refresher=uac\n",
    );
    let granted = lone.reply(&refresh);
    assert_eq!(granted.headers.text(&HeaderName::SessionExpires), Some("90;refresher=uac"));
    lone.wait(|output| matches!(output, Output::Event(Event::Ended { .. })));
    // 90 s and less a third of it.
    assert_eq!(lone.now, ms(100_000));
    let ended = lone.out.iter().any(
        |o| matches!(o, Output::Event(Event::Ended { invite, cause: EndCause::Expired }) if *invite == id),
    );
    assert!(ended, "{:?}", lone.out);
    assert!(lone.sent()[0].1.starts_with("BYE "));
    lone.assert_quiet_end();
}
