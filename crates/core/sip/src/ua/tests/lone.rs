//! One user agent against written messages.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tandem_base::Time;
use tandem_testkit::Seeded;

use super::*;
use crate::Message;

pub(super) struct Lone {
    pub ua: UserAgent,
    pub now: Time,
    entropy: Seeded,
    /// What the last input brought about.
    pub out: Vec<Output>,
}

/// Whoever writes the messages.
pub(super) const PEER: &str = "198.51.100.7:5060";

pub(super) fn udp(remote: &str) -> Flow {
    Flow {
        id: FlowId(1),
        protocol: Protocol::Udp,
        local: B.parse().unwrap(),
        remote: remote.parse().unwrap(),
    }
}

pub(super) fn tcp(remote: &str) -> Flow {
    Flow { id: FlowId(7), protocol: Protocol::Tcp, ..udp(remote) }
}

/// An INVITE from [`PEER`] with an offer; `\n` is a line's end.
pub(super) const INVITE: &str = "INVITE sip:1000@192.0.2.2 SIP/2.0
Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKinvite
Max-Forwards: 70
From: <sip:carol@198.51.100.7>;tag=c1
To: <sip:1000@192.0.2.2>
Call-ID: call-1
CSeq: 1 INVITE
Contact: <sip:carol@198.51.100.7:5060>
Content-Type: application/sdp
Content-Length: 5

offer";

/// Another request of the same user agent, outside of any dialog and with no body.
pub(super) fn plain(method: &str) -> String {
    let text = INVITE.replace("INVITE", method).replace("z9hG4bKinvite", &format!("z9hG4bK{method}"));
    text.replace("Content-Type: application/sdp\nContent-Length: 5\n\noffer", "Content-Length: 0\n\n")
}

impl Lone {
    pub fn new() -> Self {
        Self::with(config(B))
    }

    pub fn with(config: Config) -> Self {
        Lone { ua: UserAgent::new(config), now: Time::ZERO, entropy: Seeded::new(5), out: Vec::new() }
    }

    pub fn input(&mut self, input: Input) {
        self.out.clear();
        self.ua.handle(input, self.now, &mut self.entropy, &mut self.out);
    }

    pub fn receive(&mut self, flow: Flow, text: &str) {
        self.input(Input::Received { flow, bytes: Bytes::from(text.replace('\n', "\r\n")) });
    }

    pub fn command(&mut self, command: Command) {
        self.input(Input::Command(command));
    }

    /// The messages sent by the last input, with where to.
    pub fn sent(&self) -> Vec<(Target, String)> {
        let of = self.out.iter().filter_map(|output| match output {
            Output::Send { target, bytes } => Some((*target, String::from_utf8_lossy(bytes).into_owned())),
            _ => None,
        });
        of.collect()
    }

    /// What the last input wants to be looked up; there must be one.
    pub fn wanted(&self) -> (LookupId, crate::locate::Search) {
        let of = self.out.iter().find_map(|output| match output {
            Output::Locate { lookup, search } => Some((*lookup, (**search).clone())),
            _ => None,
        });
        of.unwrap()
    }

    /// The response to a request by UDP; there must be one, and nothing else.
    pub fn reply(&mut self, text: &str) -> crate::Response {
        self.receive(udp(PEER), text);
        let [Output::Send { target, bytes }] = &self.out[..] else { panic!("{:?}", self.out) };
        assert_eq!(target.remote(), PEER.parse::<SocketAddr>().unwrap());
        match Message::parse(bytes.clone()).unwrap() {
            Message::Response(response) => response,
            Message::Request(request) => panic!("{request:?}"),
        }
    }

    pub fn incoming(&self) -> InviteId {
        let of = self.out.iter().find_map(|output| match output {
            Output::Event(Event::Incoming { invite, .. }) => Some(*invite),
            _ => None,
        });
        of.unwrap()
    }

    /// To the end of all timers.
    pub fn assert_quiet_end(&mut self) {
        let limit = self.now + Duration::from_secs(400);
        while let Some(at) = self.ua.deadline() {
            assert!(at <= limit, "{:?}", self.ua);
            self.now = at;
            self.input(Input::Tick);
        }
        assert!(self.ua.is_idle(), "{:?}", self.ua);
    }
}

/// The `tag` of a To line.
pub(super) fn to_tag(message: &str) -> String {
    let to = message.lines().find(|line| line.starts_with("To:")).unwrap();
    to.split("tag=").nth(1).unwrap().to_owned()
}

/// A request in the dialog of [`INVITE`].
pub(super) fn within(method: &str, cseq: u32, tag: &str) -> String {
    plain(method)
        .replace("To: <sip:1000@192.0.2.2>", &format!("To: <sip:1000@192.0.2.2>;tag={tag}"))
        .replace("CSeq: 1 ", &format!("CSeq: {cseq} "))
        .replace("branch=z9hG4bK", &format!("branch=z9hG4bK{cseq}"))
}

/// A response to a request of ours; `lines` come behind To, whose tag is `tag`.
pub(super) fn response(request: &str, status: &str, tag: &str, lines: &str) -> String {
    let copied = |line: &&str| ["Via", "From", "Call-ID", "CSeq"].iter().any(|name| line.starts_with(name));
    let head: Vec<&str> = request.lines().filter(copied).collect();
    let lines = if lines.is_empty() { String::new() } else { format!("{lines}\n") };
    format!("SIP/2.0 {status}\n{}\nTo: <sip:x@y>;tag={tag}\n{lines}Content-Length: 0\n\n", head.join("\n"))
}

impl Lone {
    /// The request of this method among what the last input sent; there must be one.
    pub fn request(&self, method: &str) -> String {
        let mut of = self.sent().into_iter().map(|(_, text)| text).filter(|text| text.starts_with(method));
        of.next().unwrap_or_else(|| panic!("no {method}: {:?}", self.out))
    }

    /// Lets time pass until `done`.
    pub fn wait(&mut self, done: impl Fn(&Output) -> bool) {
        while !self.out.iter().any(&done) {
            self.now = self.ua.deadline().unwrap();
            self.input(Input::Tick);
        }
    }

    /// Answers [`INVITE`] that came by `flow` and confirms it. Gives the usage and our tag.
    pub fn establish(&mut self, flow: Flow, invite: &str) -> (InviteId, String) {
        self.receive(flow, invite);
        let id = self.incoming();
        self.command(answer(id));
        let tag = to_tag(&self.sent()[0].1);
        let via = invite.lines().find(|line| line.starts_with("Via")).unwrap().replace("invite", "ack");
        let ack = within("ACK", 1, &tag);
        let own = ack.lines().find(|line| line.starts_with("Via")).unwrap();
        self.receive(flow, &ack.replace(own, &via));
        assert!(matches!(self.out[..], [Output::Event(Event::Confirmed { .. })]), "{:?}", self.out);
        (id, tag)
    }
}
