use bytes::Bytes;
use tandem_base::Time;

use super::{
    Client, ClientInput, Effects, InviteClient, InviteClientInput, InviteServer, InviteServerInput, Server,
    ServerInput, Timing,
};
use crate::StatusCode;

/// A transaction of any of the four kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Machine {
    /// RFC 3261 §17.1.1.
    InviteClient(InviteClient),
    /// RFC 3261 §17.1.2.
    Client(Client),
    /// RFC 3261 §17.2.1.
    InviteServer(InviteServer),
    /// RFC 3261 §17.2.2.
    Server(Server),
}

/// What can happen to a [`Machine`]. What cannot happen to its kind changes nothing.
#[derive(Clone, Debug)]
pub enum MachineInput {
    /// Client: a response; of class 3 to 6 to an INVITE with its ACK.
    Response(StatusCode, Option<Bytes>),
    /// Server: the request again.
    Request,
    /// INVITE server: the ACK.
    Ack,
    /// Server: the transaction user's response.
    Respond(StatusCode, Bytes),
    /// The deadline came.
    Timer,
    /// The transport gave up.
    TransportFailed,
    /// INVITE client: the transaction user waits for the end only.
    Abandon,
}

impl Machine {
    /// When [`MachineInput::Timer`] is due.
    pub fn deadline(&self) -> Option<Time> {
        match self {
            Machine::InviteClient(m) => m.deadline(),
            Machine::Client(m) => m.deadline(),
            Machine::InviteServer(m) => m.deadline(),
            Machine::Server(m) => m.deadline(),
        }
    }

    /// Is it over?
    pub const fn is_terminated(&self) -> bool {
        matches!(
            self,
            Machine::InviteClient(InviteClient::Terminated)
                | Machine::Client(Client::Terminated)
                | Machine::InviteServer(InviteServer::Terminated)
                | Machine::Server(Server::Terminated)
        )
    }

    /// Server: the response that a repetition of the request would draw.
    pub fn last_response(&self) -> Option<Bytes> {
        match self {
            Machine::InviteServer(InviteServer::Proceeding { last }) => last.clone(),
            Machine::InviteServer(InviteServer::Completed { response, .. })
            | Machine::Server(Server::Completed { response, .. }) => Some(response.clone()),
            Machine::Server(Server::Proceeding { last }) => Some(last.clone()),
            _ => None,
        }
    }

    /// Is there no final response yet?
    pub const fn is_pending(&self) -> bool {
        matches!(
            self,
            Machine::InviteClient(InviteClient::Calling { .. } | InviteClient::Proceeding { .. })
                | Machine::Client(Client::Trying { .. } | Client::Proceeding { .. })
                | Machine::InviteServer(InviteServer::Proceeding { .. })
                | Machine::Server(Server::Trying | Server::Proceeding { .. })
        )
    }

    /// One step.
    pub fn step(self, input: MachineInput, now: Time, timing: &Timing, reliable: bool) -> (Self, Effects) {
        match self {
            Machine::InviteClient(m) => match invite_client(input) {
                Some(input) => wrap(Machine::InviteClient, m.step(input, now, timing, reliable)),
                None => (Machine::InviteClient(m), Effects::NONE),
            },
            Machine::Client(m) => match client(&input) {
                Some(input) => wrap(Machine::Client, m.step(input, now, timing, reliable)),
                None => (Machine::Client(m), Effects::NONE),
            },
            Machine::InviteServer(m) => match invite_server(input) {
                Some(input) => wrap(Machine::InviteServer, m.step(input, now, timing, reliable)),
                None => (Machine::InviteServer(m), Effects::NONE),
            },
            Machine::Server(m) => match server(input) {
                Some(input) => wrap(Machine::Server, m.step(input, now, timing, reliable)),
                None => (Machine::Server(m), Effects::NONE),
            },
        }
    }
}

fn wrap<M>(kind: fn(M) -> Machine, (machine, effects): (M, Effects)) -> (Machine, Effects) {
    (kind(machine), effects)
}

fn invite_client(input: MachineInput) -> Option<InviteClientInput> {
    Some(match input {
        MachineInput::Response(status, _) if status.is_provisional() => InviteClientInput::Provisional,
        MachineInput::Response(status, _) if status.is_success() => InviteClientInput::Success,
        MachineInput::Response(_, ack) => InviteClientInput::Failure { ack: ack? },
        MachineInput::Timer => InviteClientInput::Timer,
        MachineInput::TransportFailed => InviteClientInput::TransportFailed,
        MachineInput::Abandon => InviteClientInput::Abandon,
        MachineInput::Request | MachineInput::Ack | MachineInput::Respond(..) => return None,
    })
}

fn client(input: &MachineInput) -> Option<ClientInput> {
    Some(match input {
        MachineInput::Response(status, _) if status.is_provisional() => ClientInput::Provisional,
        MachineInput::Response(..) => ClientInput::Final,
        MachineInput::Timer => ClientInput::Timer,
        MachineInput::TransportFailed => ClientInput::TransportFailed,
        _ => return None,
    })
}

fn invite_server(input: MachineInput) -> Option<InviteServerInput> {
    Some(match input {
        MachineInput::Request => InviteServerInput::Request,
        MachineInput::Ack => InviteServerInput::Ack,
        MachineInput::Respond(status, bytes) if status.is_provisional() => {
            InviteServerInput::Provisional(bytes)
        }
        MachineInput::Respond(status, bytes) if status.is_success() => InviteServerInput::Success(bytes),
        MachineInput::Respond(_, bytes) => InviteServerInput::Failure(bytes),
        MachineInput::Timer => InviteServerInput::Timer,
        MachineInput::TransportFailed => InviteServerInput::TransportFailed,
        MachineInput::Response(..) | MachineInput::Abandon => return None,
    })
}

fn server(input: MachineInput) -> Option<ServerInput> {
    Some(match input {
        MachineInput::Request => ServerInput::Request,
        MachineInput::Respond(status, bytes) if status.is_provisional() => ServerInput::Provisional(bytes),
        MachineInput::Respond(_, bytes) => ServerInput::Final(bytes),
        MachineInput::Timer => ServerInput::Timer,
        MachineInput::TransportFailed => ServerInput::TransportFailed,
        MachineInput::Ack | MachineInput::Response(..) | MachineInput::Abandon => return None,
    })
}
