//! Calls of ours to others, and how they end.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's set-up fails as a test does")]

use bytes::Bytes;
use tandem_sip::ua::{Command, EndCause, Event, Failure, InviteId, NewInvite, Target};
use tandem_sip::{Headers, Request, Response, StatusCode, Uri};
use tokio::net::TcpListener;

use super::{Running, status};

pub fn call_to(uri: &str, target: Option<Target>) -> Box<NewInvite> {
    Box::new(NewInvite {
        uri: Uri::parse(uri).unwrap(),
        target,
        from: "<sip:tandem@example.com>".to_owned(),
        to: None,
        contact_user: "tandem".to_owned(),
        contact_parameters: "".into(),
        routes: Vec::new(),
        headers: Headers::new(),
        body: None,
        credentials: None,
    })
}

pub async fn dial(tandem: &Running, n: u64, uri: &str) {
    let invite = InviteId::outgoing(n);
    tandem.commands.send(Command::Invite { invite, call: call_to(uri, None) }).await.unwrap();
}

pub fn reply(request: &Request, code: u16) -> Bytes {
    Response::to_request(request, StatusCode::new(code).unwrap(), Some("server")).to_bytes()
}

/// A port on which nobody listens.
pub async fn dead_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

/// The status that a call was refused with.
pub async fn refusal(tandem: &mut Running) -> u16 {
    match tandem.event().await {
        Event::Ended { cause: EndCause::Failed(Failure::Rejected(response)), .. } => status(&response),
        other => panic!("{other:?}"),
    }
}

/// Nobody could be called.
pub async fn unreachable(tandem: &mut Running) {
    match tandem.event().await {
        Event::Ended { cause: EndCause::Failed(Failure::Unreachable), .. } => {}
        other => panic!("{other:?}"),
    }
}
