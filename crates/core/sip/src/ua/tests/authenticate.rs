//! Credentials for a call of ours (RFC 3261 §22).

use tandem_testkit::Seeded;

use super::lone::{INVITE, Lone, PEER, response, udp};
use super::world::fair;
use super::*;
use crate::digest::{Authenticator, Credentials, Policy, Role, Verdict};
use crate::{HeaderName, Request};

struct Guard {
    authenticator: Authenticator,
    entropy: Seeded,
}

impl Guard {
    fn new(role: Role, realm: &str) -> Self {
        let mut entropy = Seeded::new(5);
        let policy = Policy { role, ..Policy::new(realm) };
        Guard { authenticator: Authenticator::new(policy, &mut entropy), entropy }
    }

    fn challenge(&mut self, stale: bool, now: Time) -> (StatusCode, Headers) {
        self.authenticator.challenge(stale, now, &mut self.entropy)
    }

    fn verify(&mut self, request: &Request, now: Time) -> Verdict {
        let lookup = |name: &str| (name == "alice").then(|| Credentials::with_password(name, "secret"));
        self.authenticator.verify(request, lookup, now)
    }
}

fn dial_with(password: &str, protocol: Protocol) -> Command {
    let mut call = call(protocol, sdp("offer"));
    call.credentials = Some(Credentials::with_password("alice", password));
    Command::Invite { invite: OUT, call }
}

fn next_invite(world: &mut World) -> (InviteId, Request) {
    world.find(Who::Bob, |event| match event {
        Event::Incoming { invite, request, .. } => Some((*invite, (**request).clone())),
        _ => None,
    })
}

fn refuse(world: &mut World, invite: InviteId, (status, headers): (StatusCode, Headers)) {
    world.command(Who::Bob, Command::Reject { invite, status, reason: None, headers });
    assert!(matches!(world.ended(Who::Bob), EndCause::Local));
}

fn accepted() -> Verdict {
    Verdict::Accepted { user: "alice".to_owned() }
}

fn text(request: &Request, name: &HeaderName) -> String {
    request.headers.text(name).unwrap().to_owned()
}

#[test]
fn a_challenged_invite_is_sent_again_with_credentials() {
    for protocol in [Protocol::Udp, Protocol::Tcp] {
        let mut world = World::new(fair(), 1);
        let mut guard = Guard::new(Role::Server, "b");
        world.command(Who::Alice, dial_with("secret", protocol));
        let (first, before) = next_invite(&mut world);
        assert_eq!(guard.verify(&before, world.now), Verdict::Missing);
        let challenge = guard.challenge(false, world.now);
        refuse(&mut world, first, challenge);
        let (second, after) = next_invite(&mut world);
        assert_eq!(guard.verify(&after, world.now), accepted());
        // §22.2: the same Call-ID, From and To, the next CSeq, another branch.
        for same in [HeaderName::CallId, HeaderName::From, HeaderName::To, HeaderName::Contact] {
            assert_eq!(text(&before, &same), text(&after, &same));
        }
        assert_eq!(after.headers.cseq().unwrap().number, 2);
        assert_ne!(before.headers.via().unwrap().branch(), after.headers.via().unwrap().branch());
        assert_eq!(before.body, after.body);
        world.command(Who::Bob, answer(second));
        world.find(Who::Alice, |event| matches!(event, Event::Answered { .. }).then_some(()));
        world.find(Who::Bob, |event| matches!(event, Event::Confirmed { .. }).then_some(()));
        // §22.1: the ACK carries them too.
        let ack = &world.last(Who::Alice, "ACK").text;
        assert!(
            ack.contains(&text(&after, &HeaderName::Authorization)) && ack.contains("CSeq: 2 ACK"),
            "{ack}"
        );
        world.command(Who::Alice, bye(OUT));
        assert!(world.last(Who::Alice, "BYE").text.contains("CSeq: 3 BYE"));
        assert!(matches!(world.ended(Who::Alice), EndCause::Local));
        world.ended(Who::Bob);
        world.assert_quiet_end();
    }
}

#[test]
fn a_proxy_may_ask_before_the_callee_does() {
    let mut world = World::new(fair(), 2);
    let (mut proxy, mut callee) = (Guard::new(Role::Proxy, "p"), Guard::new(Role::Server, "b"));
    world.command(Who::Alice, dial_with("secret", Protocol::Udp));
    let (first, _) = next_invite(&mut world);
    let challenge = proxy.challenge(false, world.now);
    refuse(&mut world, first, challenge);
    let (second, request) = next_invite(&mut world);
    assert_eq!(proxy.verify(&request, world.now), accepted());
    let challenge = callee.challenge(false, world.now);
    refuse(&mut world, second, challenge);
    let (third, request) = next_invite(&mut world);
    assert!(request.headers.has(&HeaderName::ProxyAuthorization));
    assert_eq!(callee.verify(&request, world.now), accepted());
    world.command(Who::Bob, reject(third, 486));
    world.ended(Who::Bob);
    let cause = world.ended(Who::Alice);
    assert!(matches!(&cause, EndCause::Failed(Failure::Rejected(r)) if r.status == status(486)), "{cause:?}");
    world.assert_quiet_end();
}

#[test]
fn wrong_credentials_are_tried_once() {
    let mut world = World::new(fair(), 3);
    let mut guard = Guard::new(Role::Server, "b");
    world.command(Who::Alice, dial_with("wrong", Protocol::Udp));
    for verdict in [Verdict::Missing, Verdict::Refused] {
        let (id, request) = next_invite(&mut world);
        assert_eq!(guard.verify(&request, world.now), verdict);
        let challenge = guard.challenge(false, world.now);
        refuse(&mut world, id, challenge);
    }
    let cause = world.ended(Who::Alice);
    assert!(matches!(&cause, EndCause::Failed(Failure::Rejected(r)) if r.status == status(401)), "{cause:?}");
    world.assert_quiet_end();
    assert_eq!(world.count(Who::Alice, "INVITE"), 2);
}

/// A server that finds every nonce stale does not keep us busy for ever.
#[test]
fn stale_nonces_are_followed_only_so_often() {
    let mut world = World::new(fair(), 4);
    let mut guard = Guard::new(Role::Server, "b");
    world.command(Who::Alice, dial_with("secret", Protocol::Udp));
    for _ in 0..5 {
        let (id, _) = next_invite(&mut world);
        let challenge = guard.challenge(true, world.now);
        refuse(&mut world, id, challenge);
    }
    let cause = world.ended(Who::Alice);
    assert!(matches!(cause, EndCause::Failed(Failure::Rejected(_))), "{cause:?}");
    world.assert_quiet_end();
}

#[test]
fn without_credentials_the_application_hears_of_the_challenge() {
    let mut world = World::new(fair(), 5);
    let mut guard = Guard::new(Role::Server, "b");
    world.command(Who::Alice, dial(Protocol::Udp));
    let (id, _) = next_invite(&mut world);
    let challenge = guard.challenge(false, world.now);
    refuse(&mut world, id, challenge);
    let cause = world.ended(Who::Alice);
    assert!(matches!(&cause, EndCause::Failed(Failure::Rejected(r)) if r.status == status(401)), "{cause:?}");
    world.assert_quiet_end();
}

#[test]
fn a_call_that_was_taken_back_is_not_tried_again() {
    let mut world = World::new(fair(), 6);
    let mut guard = Guard::new(Role::Server, "b");
    world.command(Who::Alice, dial_with("secret", Protocol::Udp));
    let (id, _) = next_invite(&mut world);
    world.command(Who::Alice, cancel(OUT));
    let challenge = guard.challenge(false, world.now);
    refuse(&mut world, id, challenge);
    assert!(matches!(world.ended(Who::Alice), EndCause::Local));
    world.assert_quiet_end();
    assert_eq!(world.count(Who::Alice, "INVITE"), 1);
}

/// A call from Alice in which Bob, who was called, has credentials.
fn called_with(password: &str, seed: u64) -> (World, InviteId) {
    let mut world = World::new(fair(), seed);
    let id = established(&mut world, Protocol::Udp);
    let credentials = Credentials::with_password("alice", password);
    world.command(Who::Bob, Command::Authenticate { invite: id, credentials });
    (world, id)
}

fn next_offer(world: &mut World) -> Request {
    world.find(Who::Alice, |event| match event {
        Event::ReInvite { request, .. } => Some((**request).clone()),
        _ => None,
    })
}

fn turn_away(world: &mut World, (status, headers): (StatusCode, Headers)) {
    world.command(Who::Alice, Command::Reject { invite: OUT, status, reason: None, headers });
}

fn count(request: &Request) -> u32 {
    let given = crate::digest::Authorization::all(&request.headers, &HeaderName::Authorization);
    given[0].counted.as_ref().unwrap().nc
}

fn end(mut world: World) {
    world.command(Who::Alice, bye(OUT));
    world.ended(Who::Alice);
    world.ended(Who::Bob);
    world.assert_quiet_end();
}

#[test]
fn who_is_called_answers_challenges_to_its_offers() {
    for offer in [reinvite, update] {
        let (mut world, id) = called_with("secret", 8);
        let mut guard = Guard::new(Role::Proxy, "p");
        world.command(Who::Bob, offer(id, sdp("hold")));
        let first = next_offer(&mut world);
        assert_eq!(guard.verify(&first, world.now), Verdict::Missing);
        let challenge = guard.challenge(false, world.now);
        turn_away(&mut world, challenge);
        // Its nonce is too old by the time that it is used.
        let second = next_offer(&mut world);
        assert_eq!(guard.verify(&second, world.now), accepted());
        let challenge = guard.challenge(true, world.now);
        turn_away(&mut world, challenge);
        let third = next_offer(&mut world);
        assert_eq!(guard.verify(&third, world.now), accepted());
        let numbers: Vec<u32> = [&first, &second, &third].map(|r| r.headers.cseq().unwrap().number).into();
        assert_eq!(numbers, [1, 2, 3]);
        assert_eq!(third.body, first.body);
        world.command(Who::Alice, answer(OUT));
        world.find(Who::Bob, |event| matches!(event, Event::ReInviteAnswered { .. }).then_some(()));
        // The next is not challenged, as it brings what the last was asked for.
        world.command(Who::Bob, offer(id, sdp("resume")));
        assert_eq!(guard.verify(&next_offer(&mut world), world.now), accepted());
        world.command(Who::Alice, answer(OUT));
        end(world);
    }
}

#[test]
fn each_use_of_a_nonce_in_a_call_is_counted() {
    let (mut world, id) = called_with("secret", 9);
    let mut guard = Guard::new(Role::Server, "a");
    world.command(Who::Bob, reinvite(id, sdp("hold")));
    next_offer(&mut world);
    let challenge = guard.challenge(false, world.now);
    turn_away(&mut world, challenge);
    for nc in 1..4 {
        let offer = next_offer(&mut world);
        assert_eq!((guard.verify(&offer, world.now), count(&offer)), (accepted(), nc));
        world.command(Who::Alice, answer(OUT));
        world.find(Who::Bob, |event| matches!(event, Event::ReInviteAnswered { .. }).then_some(()));
        world.command(Who::Bob, update(id, sdp("again")));
    }
    let bye = next_offer(&mut world);
    assert_eq!(count(&bye), 4);
    world.command(Who::Alice, answer(OUT));
    end(world);
}

#[test]
fn a_wrong_password_ends_the_attempt_and_not_the_call() {
    for offer in [reinvite, update] {
        let (mut world, id) = called_with("wrong", 10);
        let mut guard = Guard::new(Role::Server, "a");
        world.command(Who::Bob, offer(id, sdp("hold")));
        for verdict in [Verdict::Missing, Verdict::Refused] {
            let request = next_offer(&mut world);
            assert_eq!(guard.verify(&request, world.now), verdict);
            let challenge = guard.challenge(false, world.now);
            turn_away(&mut world, challenge);
        }
        let code = world.find(Who::Bob, |event| match event {
            Event::ReInviteRejected { failure: Failure::Rejected(response), .. } => {
                Some(response.status.get())
            }
            _ => None,
        });
        assert_eq!(code, 401);
        assert_eq!(world.bob.ua.usage_count(), 1);
        end(world);
    }
}

/// A message of ours to [`PEER`] that this method begins.
fn challenged(lone: &mut Lone, method: &str, line: &str) -> String {
    let request = lone.request(method);
    lone.receive(udp(PEER), &response(&request, "407 Proxy Authentication Required", "c1", line));
    request
}

fn field<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}: {text}"))
}

const PROXY: &str = "Proxy-Authenticate: Digest realm=\"p\", nonce=\"one\", qop=\"auth\"";

#[test]
fn a_challenged_bye_is_sent_again_with_credentials() {
    for password in [None, Some("secret")] {
        let mut lone = Lone::new();
        let (id, _) = lone.establish(udp(PEER), INVITE);
        if let Some(password) = password {
            let credentials = Credentials::with_password("bob", password);
            lone.command(Command::Authenticate { invite: id, credentials });
        }
        lone.command(bye(id));
        let first = challenged(&mut lone, "BYE", PROXY);
        if password.is_some() {
            assert!(!lone.out.iter().any(|output| matches!(output, Output::Event(_))));
            // Stale once, then refused: nothing more can be done, and the call is over.
            let second =
                challenged(&mut lone, "BYE", &format!("{}, stale=true", PROXY.replace("one", "two")));
            assert!(field(&second, "Proxy-Authorization").contains("nonce=\"one\""));
            assert_ne!(field(&first, "Via"), field(&second, "Via"));
            let third = challenged(&mut lone, "BYE", &PROXY.replace("one", "three"));
            assert!(field(&third, "Proxy-Authorization").contains("nonce=\"two\""));
            let numbers = [&first, &second, &third].map(|text| field(text, "CSeq").to_owned());
            assert_eq!(numbers, ["CSeq: 1 BYE", "CSeq: 2 BYE", "CSeq: 3 BYE"].map(str::to_owned));
        }
        let over = matches!(lone.out[..], [Output::Event(Event::Ended { cause: EndCause::Local, .. })]);
        assert!(over, "{:?}", lone.out);
        lone.assert_quiet_end();
    }
}

#[test]
fn a_challenged_prack_is_sent_again_with_credentials() {
    let mut lone = Lone::new();
    lone.command(dial_with("secret", Protocol::Udp));
    let invite = lone.request("INVITE");
    let early = "Contact: <sip:p@198.51.100.7>\nRequire: 100rel\nRSeq: 7";
    lone.receive(udp(PEER), &response(&invite, "183 Session Progress", "p", early));
    let request = lone.request("PRACK");
    lone.receive(udp(PEER), &response(&request, "407 Proxy Authentication Required", "p", PROXY));
    let again = lone.request("PRACK");
    assert!(field(&again, "Proxy-Authorization").contains("nc=00000001"));
    assert_eq!((field(&request, "CSeq"), field(&again, "CSeq")), ("CSeq: 2 PRACK", "CSeq: 3 PRACK"));
    assert_eq!(field(&request, "RAck"), field(&again, "RAck"));
}

#[test]
fn hanging_up_for_want_of_a_refresh_brings_what_was_asked_for_before() {
    let mut lone = Lone::new();
    let timed = INVITE.replace("Max-Forwards: 70", "Supported: timer\nSession-Expires: 90;refresher=uac");
    let (id, _) = lone.establish(udp(PEER), &timed);
    lone.command(Command::Authenticate {
        invite: id,
        credentials: Credentials::with_password("bob", "secret"),
    });
    lone.command(update(id, sdp("hold")));
    challenged(&mut lone, "UPDATE", PROXY);
    let refused = response(&lone.request("UPDATE"), "488 No", "c1", "");
    lone.receive(udp(PEER), &refused);
    lone.wait(|output| matches!(output, Output::Event(Event::Ended { cause: EndCause::Expired, .. })));
    assert!(field(&lone.request("BYE"), "Proxy-Authorization").contains("nc=00000002"));
    lone.assert_quiet_end();
}

#[test]
fn credentials_for_a_call_that_is_over_are_ignored() {
    let mut lone = Lone::new();
    let credentials = Credentials::with_password("bob", "secret");
    lone.command(Command::Authenticate { invite: InviteId(1), credentials });
    assert_eq!(lone.ua.statistics().ignored_commands, 1);
    assert!(lone.ua.is_idle());
}

#[test]
fn requests_in_the_dialog_are_authenticated_too() {
    let mut world = World::new(fair(), 7);
    let mut guard = Guard::new(Role::Server, "b");
    world.command(Who::Alice, dial_with("secret", Protocol::Tcp));
    let (id, _) = next_invite(&mut world);
    world.command(Who::Bob, answer(id));
    world.find(Who::Bob, |event| matches!(event, Event::Confirmed { .. }).then_some(()));
    world.find(Who::Alice, |event| matches!(event, Event::Answered { .. }).then_some(()));
    // A re-INVITE.
    world.command(Who::Alice, reinvite(OUT, sdp("hold")));
    world.find(Who::Bob, |event| matches!(event, Event::ReInvite { .. }).then_some(()));
    let (status, headers) = guard.challenge(false, world.now);
    world.command(Who::Bob, Command::Reject { invite: id, status, reason: None, headers });
    let again = world.find(Who::Bob, |event| match event {
        Event::ReInvite { request, .. } => Some((**request).clone()),
        _ => None,
    });
    assert_eq!(guard.verify(&again, world.now), accepted());
    world.command(Who::Bob, answer(id));
    world.find(Who::Alice, |event| matches!(event, Event::ReInviteAnswered { .. }).then_some(()));
    world.find(Who::Bob, |event| matches!(event, Event::Confirmed { .. }).then_some(()));
    // Another request.
    let info = Command::Request { invite: OUT, method: Method::Info, headers: Headers::new(), body: None };
    world.command(Who::Alice, info);
    // Nobody needs to ask again.
    let (request, info) = world.find(Who::Bob, |event| match event {
        Event::Request { id, request, .. } => Some((*id, (**request).clone())),
        _ => None,
    });
    assert_eq!((guard.verify(&info, world.now), count(&info)), (accepted(), 2));
    let granted = Command::Respond { request, status: StatusCode::OK, headers: Headers::new(), body: None };
    world.command(Who::Bob, granted);
    let result = world.find(Who::Alice, |event| match event {
        Event::Response { result, .. } => Some(result.as_ref().map(|r| r.status).ok()),
        _ => None,
    });
    assert_eq!(result, Some(StatusCode::OK));
    world.command(Who::Alice, bye(OUT));
    world.ended(Who::Alice);
    world.ended(Who::Bob);
    world.assert_quiet_end();
}
