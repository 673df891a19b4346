//! Requests outside of any dialog, either way.

use std::time::Duration;

use tandem_testkit::Conditions;

use super::world::fair;
use super::*;
use crate::HeaderName;

fn question(method: Method) -> Command {
    let new = NewRequest {
        method,
        uri: Uri::parse("sip:1000@192.0.2.2").unwrap(),
        target: Some(Target::Address { protocol: Protocol::Udp, remote: B.parse().unwrap() }),
        from: "<sip:alice@192.0.2.1>".to_owned(),
        to: None,
        routes: Vec::new(),
        call_id: Some("always-the-same".to_owned()),
        cseq: 17,
        contact_user: Some("alice".to_owned()),
        headers: Headers::new(),
        body: Some(Body { content_type: "text/plain".into(), bytes: "hello".into() }),
    };
    Command::Send { request: OutgoingId(5), new: Box::new(new) }
}

fn outcome(world: &mut World) -> Result<u16, Failure> {
    world.find(Who::Alice, |event| match event {
        Event::Outcome { request: OutgoingId(5), result } => {
            Some(result.clone().map(|response| response.status.get()))
        }
        _ => None,
    })
}

fn served(seed: u64, conditions: Conditions) -> World {
    let mut world = World::new(conditions, seed);
    let mut wide = config(B);
    let more = [
        Method::Register,
        Method::Subscribe,
        Method::Notify,
        Method::Refer,
        Method::Message,
        Method::Publish,
    ];
    wide.identity.allow.extend(more);
    world.bob.ua = UserAgent::new(wide);
    world
}

#[test]
fn questions_are_asked_once_and_answered() {
    let methods = [Method::Register, Method::Subscribe, Method::Refer, Method::Message, Method::Publish];
    for (seed, method) in (0..30).zip(methods.iter().cycle()) {
        let rough = Conditions { loss: 0.3, duplicate: 0.3, reorder: true, ..fair() };
        let mut world = served(seed, rough);
        world.command(Who::Alice, question(method.clone()));
        let (id, request) = world.find(Who::Bob, |event| match event {
            Event::Request { invite: None, id, request, .. } => Some((*id, request.clone())),
            _ => None,
        });
        assert_eq!((&request.method, &request.body[..]), (method, &b"hello"[..]));
        assert_eq!(request.headers.call_id().unwrap(), "always-the-same");
        assert_eq!(request.headers.cseq().unwrap().number, 17);
        assert!(request.headers.has(&HeaderName::Contact));
        let respond =
            Command::Respond { request: id, status: status(202), headers: Headers::new(), body: None };
        world.command(Who::Bob, respond);
        assert!(matches!(outcome(&mut world), Ok(202)));
        world.assert_quiet_end();
    }
}

#[test]
fn refusals_silence_and_nonsense_are_told_apart() {
    let mut world = World::new(fair(), 1);
    world.command(Who::Alice, question(Method::Message));
    let Err(Failure::Rejected(refusal)) = outcome(&mut world) else { panic!("not refused") };
    assert_eq!(refusal.status.get(), 405);
    world.drop = |_| true;
    let start = world.now;
    world.command(Who::Alice, question(Method::Message));
    assert!(matches!(outcome(&mut world), Err(Failure::Timeout)));
    assert_eq!(world.now.since(start), Duration::from_secs(32));
    for own in [Method::Invite, Method::Bye, Method::Prack] {
        world.command(Who::Alice, question(own));
        assert!(matches!(outcome(&mut world), Err(Failure::Unfit)));
    }
    world.assert_quiet_end();
}
