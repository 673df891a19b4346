//! Credentials for a call of ours (RFC 3261 §22).

use tandem_testkit::Seeded;

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
    for verdict in [Verdict::Missing, accepted()] {
        let (request, info) = world.find(Who::Bob, |event| match event {
            Event::Request { id, request, .. } => Some((*id, (**request).clone())),
            _ => None,
        });
        let found = guard.verify(&info, world.now);
        assert_eq!(found, verdict);
        let (status, headers) = match found {
            Verdict::Missing => guard.challenge(false, world.now),
            _ => (StatusCode::OK, Headers::new()),
        };
        world.command(Who::Bob, Command::Respond { request, status, headers, body: None });
    }
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
