use std::time::Duration;

use bytes::Bytes;
use tandem_base::Time;

use super::*;
use crate::StatusCode;

const TIMING: Timing =
    Timing { t1: Duration::from_millis(500), t2: Duration::from_secs(4), t4: Duration::from_secs(5) };

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn status(code: u16) -> StatusCode {
    StatusCode::new(code).unwrap()
}

/// One line of a transition table: state, input, next state, what is sent, what is told.
type Row = (&'static str, &'static str, &'static str, &'static str, Option<Tell>);

fn state_name(machine: &Machine) -> &'static str {
    match machine {
        Machine::InviteClient(m) => match m {
            InviteClient::Calling { .. } => "calling",
            InviteClient::Proceeding { .. } => "proceeding",
            InviteClient::Accepted { .. } => "accepted",
            InviteClient::Completed { .. } => "completed",
            InviteClient::Terminated => "terminated",
        },
        Machine::Client(m) => match m {
            Client::Trying { .. } => "trying",
            Client::Proceeding { .. } => "proceeding",
            Client::Completed { .. } => "completed",
            Client::Terminated => "terminated",
        },
        Machine::InviteServer(m) => match m {
            InviteServer::Proceeding { .. } => "proceeding",
            InviteServer::Accepted { .. } => "accepted",
            InviteServer::Completed { .. } => "completed",
            InviteServer::Confirmed { .. } => "confirmed",
            InviteServer::Terminated => "terminated",
        },
        Machine::Server(m) => match m {
            Server::Trying => "trying",
            Server::Proceeding { .. } => "proceeding",
            Server::Completed { .. } => "completed",
            Server::Terminated => "terminated",
        },
    }
}

fn input(name: &str) -> MachineInput {
    match name {
        "1xx in" => MachineInput::Response(status(180), None),
        "2xx in" => MachineInput::Response(status(200), None),
        "4xx in" => MachineInput::Response(status(486), Some(bytes("ACK"))),
        "request" => MachineInput::Request,
        "ack" => MachineInput::Ack,
        "send 1xx" => MachineInput::Respond(status(180), bytes("180")),
        "send 2xx" => MachineInput::Respond(status(200), bytes("200")),
        "send 4xx" => MachineInput::Respond(status(486), bytes("486")),
        "failed" => MachineInput::TransportFailed,
        "abandon" => MachineInput::Abandon,
        "timer" => MachineInput::Timer,
        other => panic!("{other}"),
    }
}

/// Brings a fresh machine into `state` and runs each row from there, timers at their own time.
fn check(reliable: bool, into: impl Fn(&str) -> (Machine, Time), rows: &[Row]) {
    for (state, event, next, sent, told) in rows {
        let (machine, mut now) = into(state);
        assert_eq!(state_name(&machine), *state, "set-up");
        if *event == "timer" {
            now = machine.deadline().unwrap();
        }
        let (after, effects) = machine.step(input(event), now, &TIMING, reliable);
        let row = format!("{state} + {event} (reliable: {reliable})");
        assert_eq!(state_name(&after), *next, "{row}");
        assert_eq!(effects.send.as_deref().unwrap_or(b""), sent.as_bytes(), "{row}");
        assert_eq!(effects.tell, *told, "{row}");
    }
}

fn run(mut machine: Machine, inputs: &[&str], reliable: bool) -> (Machine, Time) {
    let now = Time::from_millis(100);
    for name in inputs {
        machine = machine.step(input(name), now, &TIMING, reliable).0;
    }
    (machine, now)
}

const MESSAGE: Option<Tell> = Some(Tell::Message);
const FAILED: Option<Tell> = Some(Tell::TransportFailed);
const TIMEOUT: Option<Tell> = Some(Tell::Timeout);

fn invite_client(reliable: bool) -> impl Fn(&str) -> (Machine, Time) {
    move |state| {
        let (machine, effects) = InviteClient::start(bytes("INVITE"), Time::ZERO, &TIMING, reliable);
        assert_eq!(effects, Effects { send: Some(bytes("INVITE")), tell: None });
        let inputs: &[&str] = match state {
            "proceeding" => &["1xx in"],
            "accepted" => &["2xx in"],
            "completed" => &["4xx in"],
            _ => &[],
        };
        run(Machine::InviteClient(machine), inputs, reliable)
    }
}

#[test]
fn the_invite_client_follows_its_table() {
    check(
        false,
        invite_client(false),
        &[
            ("calling", "1xx in", "proceeding", "", MESSAGE),
            ("calling", "2xx in", "accepted", "", MESSAGE),
            ("calling", "4xx in", "completed", "ACK", MESSAGE),
            ("calling", "failed", "terminated", "", FAILED),
            ("calling", "timer", "calling", "INVITE", None),
            ("calling", "abandon", "calling", "", None),
            ("calling", "request", "calling", "", None),
            ("proceeding", "1xx in", "proceeding", "", MESSAGE),
            ("proceeding", "2xx in", "accepted", "", MESSAGE),
            ("proceeding", "4xx in", "completed", "ACK", MESSAGE),
            ("proceeding", "failed", "terminated", "", FAILED),
            ("proceeding", "abandon", "proceeding", "", None),
            ("accepted", "1xx in", "accepted", "", None),
            ("accepted", "2xx in", "accepted", "", MESSAGE),
            ("accepted", "4xx in", "accepted", "", None),
            ("accepted", "failed", "accepted", "", None),
            ("accepted", "abandon", "accepted", "", None),
            ("accepted", "timer", "terminated", "", None),
            ("completed", "1xx in", "completed", "", None),
            ("completed", "2xx in", "completed", "", None),
            ("completed", "4xx in", "completed", "ACK", None),
            ("completed", "failed", "terminated", "", FAILED),
            ("completed", "timer", "terminated", "", None),
        ],
    );
    check(
        true,
        invite_client(true),
        &[
            ("calling", "timer", "terminated", "", TIMEOUT),
            ("calling", "4xx in", "terminated", "ACK", MESSAGE),
            ("accepted", "timer", "terminated", "", None),
        ],
    );
}

fn client(reliable: bool) -> impl Fn(&str) -> (Machine, Time) {
    move |state| {
        let (machine, effects) = Client::start(bytes("BYE"), Time::ZERO, &TIMING, reliable);
        assert_eq!(effects, Effects { send: Some(bytes("BYE")), tell: None });
        let inputs: &[&str] = match state {
            "proceeding" => &["1xx in"],
            "completed" => &["2xx in"],
            _ => &[],
        };
        run(Machine::Client(machine), inputs, reliable)
    }
}

#[test]
fn the_non_invite_client_follows_its_table() {
    check(
        false,
        client(false),
        &[
            ("trying", "1xx in", "proceeding", "", MESSAGE),
            ("trying", "2xx in", "completed", "", MESSAGE),
            ("trying", "4xx in", "completed", "", MESSAGE),
            ("trying", "failed", "terminated", "", FAILED),
            ("trying", "timer", "trying", "BYE", None),
            ("trying", "abandon", "trying", "", None),
            ("proceeding", "1xx in", "proceeding", "", MESSAGE),
            ("proceeding", "2xx in", "completed", "", MESSAGE),
            ("proceeding", "failed", "terminated", "", FAILED),
            ("proceeding", "timer", "proceeding", "BYE", None),
            ("completed", "2xx in", "completed", "", None),
            ("completed", "failed", "completed", "", None),
            ("completed", "timer", "terminated", "", None),
        ],
    );
    check(
        true,
        client(true),
        &[
            ("trying", "2xx in", "terminated", "", MESSAGE),
            ("trying", "timer", "terminated", "", TIMEOUT),
            ("proceeding", "timer", "terminated", "", TIMEOUT),
        ],
    );
}

fn invite_server(reliable: bool) -> impl Fn(&str) -> (Machine, Time) {
    move |state| {
        let inputs: &[&str] = match state {
            "accepted" => &["send 2xx"],
            "completed" => &["send 4xx"],
            "confirmed" => &["send 4xx", "ack"],
            _ => &["send 1xx"],
        };
        run(Machine::InviteServer(InviteServer::start()), inputs, reliable)
    }
}

#[test]
fn the_invite_server_follows_its_table() {
    check(
        false,
        invite_server(false),
        &[
            ("proceeding", "request", "proceeding", "180", None),
            ("proceeding", "ack", "proceeding", "", None),
            ("proceeding", "send 1xx", "proceeding", "180", None),
            ("proceeding", "send 2xx", "accepted", "200", None),
            ("proceeding", "send 4xx", "completed", "486", None),
            ("proceeding", "failed", "proceeding", "", FAILED),
            ("accepted", "request", "accepted", "", None),
            ("accepted", "ack", "accepted", "", MESSAGE),
            ("accepted", "send 2xx", "accepted", "200", None),
            ("accepted", "send 4xx", "accepted", "", None),
            ("accepted", "failed", "accepted", "", FAILED),
            ("accepted", "timer", "terminated", "", None),
            ("completed", "request", "completed", "486", None),
            ("completed", "ack", "confirmed", "", None),
            ("completed", "send 2xx", "completed", "", None),
            ("completed", "timer", "completed", "486", None),
            ("completed", "failed", "terminated", "", FAILED),
            ("confirmed", "request", "confirmed", "", None),
            ("confirmed", "ack", "confirmed", "", None),
            ("confirmed", "timer", "terminated", "", None),
        ],
    );
    check(
        true,
        invite_server(true),
        &[
            ("completed", "ack", "terminated", "", None),
            ("completed", "timer", "terminated", "", TIMEOUT),
            ("accepted", "timer", "terminated", "", None),
        ],
    );
}

fn server(reliable: bool) -> impl Fn(&str) -> (Machine, Time) {
    move |state| {
        let inputs: &[&str] = match state {
            "proceeding" => &["send 1xx"],
            "completed" => &["send 2xx"],
            _ => &[],
        };
        run(Machine::Server(Server::start()), inputs, reliable)
    }
}

#[test]
fn the_non_invite_server_follows_its_table() {
    check(
        false,
        server(false),
        &[
            ("trying", "request", "trying", "", None),
            ("trying", "send 1xx", "proceeding", "180", None),
            ("trying", "send 4xx", "completed", "486", None),
            ("trying", "failed", "trying", "", None),
            ("proceeding", "request", "proceeding", "180", None),
            ("proceeding", "send 2xx", "completed", "200", None),
            ("proceeding", "failed", "terminated", "", FAILED),
            ("completed", "request", "completed", "200", None),
            ("completed", "send 4xx", "completed", "", None),
            ("completed", "timer", "terminated", "", None),
            ("completed", "failed", "terminated", "", FAILED),
        ],
    );
    check(true, server(true), &[("trying", "send 2xx", "terminated", "200", None)]);
}

/// When the machine sends again, in ms from its start, and when it is over.
fn retransmissions(mut machine: Machine, reliable: bool) -> (Vec<u64>, u64) {
    let mut times = Vec::new();
    loop {
        let now = machine.deadline().unwrap();
        let effects;
        (machine, effects) = machine.step(MachineInput::Timer, now, &TIMING, reliable);
        if effects.send.is_some() {
            times.push(now.as_millis());
        }
        if machine.is_terminated() {
            return (times, now.as_millis());
        }
    }
}

#[test]
fn timer_a_doubles_until_timer_b() {
    let (machine, _) = InviteClient::start(bytes("x"), Time::ZERO, &TIMING, false);
    let expected = vec![500, 1_500, 3_500, 7_500, 15_500, 31_500];
    assert_eq!(retransmissions(Machine::InviteClient(machine), false), (expected, 32_000));
    let (machine, _) = InviteClient::start(bytes("x"), Time::ZERO, &TIMING, true);
    assert_eq!(retransmissions(Machine::InviteClient(machine), true), (vec![], 32_000));
}

#[test]
fn an_abandoned_invite_ends_by_itself() {
    let start = || InviteClient::start(bytes("x"), Time::ZERO, &TIMING, false).0;
    let (calling, now) = run(Machine::InviteClient(start()), &["abandon", "1xx in"], false);
    let (proceeding, _) = run(Machine::InviteClient(start()), &["1xx in", "abandon", "abandon"], false);
    for machine in [calling, proceeding] {
        assert_eq!(machine.deadline(), Some(now + TIMING.timeout()));
        let (machine, effects) = machine.step(MachineInput::Timer, now + TIMING.timeout(), &TIMING, false);
        assert!(machine.is_terminated());
        assert_eq!(effects.tell, TIMEOUT);
    }
}

#[test]
fn timers_e_and_g_double_up_to_t2() {
    let expected: Vec<u64> = vec![500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
    let (machine, _) = Client::start(bytes("x"), Time::ZERO, &TIMING, false);
    assert_eq!(retransmissions(Machine::Client(machine), false), (expected.clone(), 32_000));
    let (machine, _) =
        InviteServer::start().step(InviteServerInput::Failure(bytes("486")), Time::ZERO, &TIMING, false);
    assert_eq!(retransmissions(Machine::InviteServer(machine), false), (expected, 32_000));
}

#[test]
fn a_provisional_response_slows_timer_e_to_t2() {
    let (machine, _) = Client::start(bytes("x"), Time::ZERO, &TIMING, false);
    let (machine, _) = machine.step(ClientInput::Provisional, Time::from_millis(100), &TIMING, false);
    let (times, end) = retransmissions(Machine::Client(machine), false);
    assert_eq!(times, vec![4_100, 8_100, 12_100, 16_100, 20_100, 24_100, 28_100]);
    assert_eq!(end, 32_000);
}

mod matching {
    use super::*;
    use crate::{Message, Method, Request};

    fn request(text: &str) -> Request {
        let bytes = Bytes::from(text.replace('\n', "\r\n"));
        match Message::parse(bytes).unwrap() {
            Message::Request(request) => request,
            Message::Response(_) => panic!("a response"),
        }
    }

    fn with(method: &str, via: &str) -> Request {
        request(&format!(
            "{method} sip:a@b SIP/2.0\nVia: {via}\nFrom: <sip:c@d>;tag=1\nTo: <sip:a@b>\nCall-ID: x\nCSeq: 7 {method}\n\n"
        ))
    }

    fn key(method: &str, via: &str) -> ServerKey {
        let request = with(method, via);
        ServerKey::of(&request, &request.headers.via().unwrap()).unwrap()
    }

    #[test]
    fn requests_match_by_branch_sent_by_and_method() {
        let invite = key("INVITE", "SIP/2.0/UDP h.example:5070;branch=z9hG4bKa");
        assert_eq!(invite, key("INVITE", "SIP/2.0/UDP H.Example:5070;branch=z9hG4bKa;rport"));
        assert_eq!(invite, key("ACK", "SIP/2.0/UDP h.example:5070;branch=z9hG4bKa"));
        assert_ne!(invite, key("CANCEL", "SIP/2.0/UDP h.example:5070;branch=z9hG4bKa"));
        assert_ne!(invite, key("INVITE", "SIP/2.0/UDP h.example:5071;branch=z9hG4bKa"));
        assert_ne!(invite, key("INVITE", "SIP/2.0/UDP h.example:5070;branch=z9hG4bKb"));
        let cancel = with("CANCEL", "SIP/2.0/UDP h.example:5070;branch=z9hG4bKa");
        assert_eq!(ServerKey::cancelled(&cancel, &cancel.headers.via().unwrap()), Some(invite));
    }

    #[test]
    fn requests_of_rfc_2543_match_by_their_headers() {
        let via = "SIP/2.0/UDP h.example;branch=1";
        assert_eq!(key("INVITE", via), key("ACK", via));
        assert_eq!(key("INVITE", "SIP/2.0/UDP h.example"), key("ACK", "SIP/2.0/UDP h.example"));
        assert_ne!(key("INVITE", via), key("INVITE", "SIP/2.0/UDP h.example;branch=2"));
        assert_ne!(key("INVITE", via), key("BYE", via));
    }

    #[test]
    fn responses_match_by_our_branch_and_whether_they_answer_a_cancel() {
        let via = |branch: &str| crate::Via::parse(&format!("SIP/2.0/UDP h;branch={branch}")).unwrap();
        let own = branch(0xabc);
        let key = ClientKey::of_response(&via(&own), &Method::Invite).unwrap();
        assert_eq!(key, ClientKey { branch: 0xabc, cancel: false });
        assert!(ClientKey::of_response(&via(&own), &Method::Cancel).unwrap().cancel);
        assert_eq!(ClientKey::of_response(&via("z9hG4bKshort"), &Method::Bye), None);
        assert_eq!(ClientKey::of_response(&via("0000000000000abc"), &Method::Bye), None);
    }
}
