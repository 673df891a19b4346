//! A user agent under fire: datagrams in any order, answered or not, and time that passes between them.
//!
//! Datagrams are separated by octets of value zero. The octet behind it chooses what happens meanwhile.
#![no_main]

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use tandem_base::Time;
use tandem_sip::ua::{
    Body, Command, Config, Event, Flow, FlowId, Identity, Input, InviteId, Limits, Listener, Output,
    Protocol, Target, UserAgent,
};
use tandem_sip::{Headers, Host, Message, Method, StatusCode};
use tandem_testkit::Seeded;

const SDP: &[u8] =
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

fuzz_target!(|data: &[u8]| {
    let mut bench = Bench::new();
    for piece in data.split(|octet| *octet == 0).take(64) {
        let Some((choice, datagram)) = piece.split_first() else { continue };
        bench.step(*choice, datagram);
    }
    bench.run_dry();
});

struct Bench {
    agent: UserAgent,
    entropy: Seeded,
    now: Time,
    flow: Flow,
    /// The last datagram that went out, to be mirrored.
    sent: Bytes,
    calls: Vec<InviteId>,
}

impl Bench {
    fn new() -> Self {
        let local: SocketAddr = "192.0.2.1:5060".parse().unwrap();
        let listener = Listener {
            protocol: Protocol::Udp,
            local,
            host: Host::from(local.ip()),
            port: Some(local.port()),
        };
        let identity = Identity {
            listeners: vec![listener],
            product: "Tandem".to_owned(),
            allow: vec![Method::Invite, Method::Ack, Method::Cancel, Method::Bye, Method::Options],
            supported: Vec::new(),
            demanded: Vec::new(),
            security: Vec::new(),
            accept: vec!["application/sdp".to_owned()],
        };
        let limits = Limits { transactions: 32, pending_invites: 8, dialogs: 8, ..Limits::default() };
        let flow =
            Flow { id: FlowId(1), protocol: Protocol::Udp, local, remote: "192.0.2.9:5060".parse().unwrap() };
        Bench {
            agent: UserAgent::new(Config { identity, timing: Default::default(), limits }),
            entropy: Seeded::new(1),
            now: Time::from_millis(1),
            flow,
            sent: Bytes::new(),
            calls: Vec::new(),
        }
    }

    fn step(&mut self, choice: u8, datagram: &[u8]) {
        self.now += Duration::from_millis(u64::from(choice >> 4) * 700);
        match choice & 7 {
            0 => self.input(Input::Tick),
            1 => self.input(Input::Received { flow: self.flow, bytes: self.sent.clone() }),
            2 => self.command(|invite| Command::Bye { invite, headers: Headers::default() }),
            3 => self.command(|invite| Command::ReInvite {
                invite,
                headers: Headers::default(),
                body: Some(Body::sdp(SDP)),
            }),
            _ => {}
        }
        self.input(Input::Received { flow: self.flow, bytes: Bytes::copy_from_slice(datagram) });
    }

    fn command(&mut self, make: impl Fn(InviteId) -> Command) {
        if let Some(invite) = self.calls.last() {
            self.input(Input::Command(make(*invite)));
        }
    }

    fn input(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let mut out = Vec::new();
            self.agent.handle(input, self.now, &mut self.entropy, &mut out);
            assert!(out.len() < 1_000, "one input, {} outputs", out.len());
            for output in out {
                inputs.extend(self.output(output));
            }
        }
    }

    fn output(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Send { bytes, .. } => {
                // The refusal of a malformed request repeats what was wrong in it.
                if !bytes.starts_with(b"SIP/2.0 4") && !bytes.starts_with(b"SIP/2.0 5") {
                    Message::parse(bytes.clone()).expect("what is sent can be read");
                }
                self.sent = bytes;
                None
            }
            Output::Event(Event::Incoming { invite, .. } | Event::ReInvite { invite, .. }) => {
                self.calls.push(invite);
                Some(Input::Command(self.reply(invite)))
            }
            Output::Event(Event::Request { id, .. }) => Some(Input::Command(Command::Respond {
                request: id,
                status: StatusCode::OK,
                headers: Headers::default(),
                body: None,
            })),
            // Every other name leads somewhere.
            Output::Locate { lookup, .. } => {
                let found = (lookup.0 % 2 == 0).then_some(Target::Flow(self.flow));
                Some(Input::Located { lookup, targets: found.into_iter().collect() })
            }
            Output::Event(_) | Output::CloseFlow(_) => None,
        }
    }

    fn reply(&self, invite: InviteId) -> Command {
        if self.calls.len() % 4 == 3 {
            let (status, reason, headers) = (StatusCode::NOT_ACCEPTABLE_HERE, None, Headers::default());
            return Command::Reject { invite, status, reason, headers };
        }
        let body = Some(Body::sdp(SDP));
        Command::Answer { invite, contact_parameters: None, headers: Headers::default(), body }
    }

    /// Every timer is finite: an hour later, with every call hung up, nothing is left.
    fn run_dry(&mut self) {
        for invite in std::mem::take(&mut self.calls) {
            self.input(Input::Command(Command::Bye { invite, headers: Headers::default() }));
        }
        let end = self.now + Duration::from_secs(3_600);
        let mut steps = 0;
        while let Some(due) = self.agent.deadline().filter(|due| *due <= end) {
            assert!(due > self.now || steps < 100_000, "a deadline that does not pass");
            steps += 1;
            self.now = self.now.max(due);
            self.input(Input::Tick);
        }
        assert!(self.agent.is_idle(), "something is left for ever");
    }
}
