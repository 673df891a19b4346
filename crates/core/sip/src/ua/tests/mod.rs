//! Two user agents against each other in virtual time, and one alone against written messages.

mod authenticate;
mod cancel;
mod confirm;
mod flows;
mod hangup;
mod info;
mod large;
mod located;
mod lone;
mod loss;
mod normal;
mod outside;
mod overtaken;
mod random;
mod refusals;
mod reinvite;
mod reliable;
mod rough;
mod session_id;
mod timers;
mod update;
mod world;

use bytes::Bytes;
use tandem_base::Time;

use super::*;
use crate::transaction::Timing;
use crate::{Headers, Host, Method, StatusCode, Uri};
use world::{Who, World};

const A: &str = "192.0.2.1:5060";
const B: &str = "192.0.2.2:5060";

fn ms(millis: u64) -> Time {
    Time::from_millis(millis)
}

fn status(code: u16) -> StatusCode {
    StatusCode::new(code).unwrap()
}

fn config(address: &str) -> Config {
    let local: std::net::SocketAddr = address.parse().unwrap();
    let listener =
        |protocol| Listener { protocol, local, host: Host::from(local.ip()), port: Some(local.port()) };
    Config {
        identity: Identity {
            listeners: vec![listener(Protocol::Udp), listener(Protocol::Tcp)],
            product: "Tandem/test".to_owned(),
            allow: vec![
                Method::Invite,
                Method::Ack,
                Method::Bye,
                Method::Cancel,
                Method::Options,
                Method::Info,
                Method::Prack,
                Method::Update,
            ],
            supported: vec!["replaces".to_owned()],
            demanded: Vec::new(),
            security: Vec::new(),
            accept: vec!["application/sdp".to_owned()],
        },
        timing: Timing::default(),
        limits: Limits::default(),
    }
}

fn sdp(text: &'static str) -> Option<Body> {
    Some(Body::sdp(Bytes::from_static(text.as_bytes())))
}

fn call(protocol: Protocol, body: Option<Body>) -> Box<NewInvite> {
    Box::new(NewInvite {
        uri: Uri::parse("sip:1000@192.0.2.2").unwrap(),
        target: Some(Target::Address { protocol, remote: B.parse().unwrap() }),
        from: "\"Alice\" <sip:alice@192.0.2.1>".to_owned(),
        to: None,
        contact_user: "alice".to_owned(),
        contact_parameters: "".into(),
        routes: Vec::new(),
        headers: Headers::new(),
        body,
        credentials: None,
    })
}

/// Alice's only call.
const OUT: InviteId = InviteId::outgoing(1);

fn dial(protocol: Protocol) -> Command {
    Command::Invite { invite: OUT, call: call(protocol, sdp("offer")) }
}

fn ring(invite: InviteId) -> Command {
    Command::Provisional { invite, status: StatusCode::RINGING, headers: Headers::new(), body: None }
}

fn answer(invite: InviteId) -> Command {
    Command::Answer { invite, contact_parameters: None, headers: Headers::new(), body: sdp("answer") }
}

fn reject(invite: InviteId, code: u16) -> Command {
    Command::Reject { invite, status: status(code), reason: None, headers: Headers::new() }
}

fn bye(invite: InviteId) -> Command {
    Command::Bye { invite, headers: Headers::new() }
}

fn cancel(invite: InviteId) -> Command {
    Command::Cancel { invite, headers: Headers::new() }
}

fn reinvite(invite: InviteId, body: Option<Body>) -> Command {
    Command::ReInvite { invite, headers: Headers::new(), body }
}

fn update(invite: InviteId, body: Option<Body>) -> Command {
    Command::Update { invite, headers: Headers::new(), body }
}

/// Bob's side of a call that Alice makes.
fn incoming(world: &mut World) -> InviteId {
    world.find(Who::Bob, |event| match event {
        Event::Incoming { invite, .. } => Some(*invite),
        _ => None,
    })
}

/// A call from Alice, answered by Bob and confirmed.
fn established(world: &mut World, protocol: Protocol) -> InviteId {
    world.command(Who::Alice, dial(protocol));
    let id = incoming(world);
    world.command(Who::Bob, answer(id));
    world.find(Who::Bob, |event| matches!(event, Event::Confirmed { .. }).then_some(()));
    world.find(Who::Alice, |event| matches!(event, Event::Answered { .. }).then_some(()));
    id
}
