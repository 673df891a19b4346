use std::net::SocketAddr;

use bytes::Bytes;
use tandem_base::Time;
use tandem_sip::ua::{Config, Flow, FlowId, Identity, Input, Limits, Listener, Output, Protocol, UserAgent};
use tandem_sip::{Frame, Host, Message, StreamFramer};
use tandem_testkit::Seeded;

use crate::{Application, METHODS, Observed, status};

/// A user agent with an application behind it, and neither sockets nor clocks.
pub struct Bench {
    /// Under test.
    pub agent: UserAgent,
    /// Behind it.
    pub application: Application,
    /// Virtual.
    pub now: Time,
    entropy: Seeded,
}

impl Default for Bench {
    fn default() -> Self {
        Self::new()
    }
}

impl Bench {
    /// As the sockets' one is configured.
    pub fn new() -> Self {
        let local = SocketAddr::from(([192, 0, 2, 2], 5060));
        let listener =
            |protocol| Listener { protocol, local, host: Host::from(local.ip()), port: Some(5060) };
        let identity = Identity {
            listeners: vec![listener(Protocol::Udp), listener(Protocol::Tcp), listener(Protocol::Ws)],
            product: "Tandem".to_owned(),
            allow: METHODS.to_vec(),
            supported: Vec::new(),
            demanded: Vec::new(),
            security: Vec::new(),
            accept: vec!["application/sdp".to_owned()],
        };
        let config = Config { identity, timing: Default::default(), limits: Limits::default() };
        Bench {
            agent: UserAgent::new(config),
            application: Application::default(),
            now: Time::ZERO,
            entropy: Seeded::new(1),
        }
    }

    /// How a peer reaches it.
    pub fn flow(protocol: Protocol) -> Flow {
        let (local, remote) = (([192, 0, 2, 2], 5060).into(), ([198, 51, 100, 7], 5060).into());
        let id = match protocol {
            Protocol::Udp => FlowId(1),
            Protocol::Tcp | Protocol::Tls => FlowId(2),
            Protocol::Ws | Protocol::Wss => FlowId(3),
        };
        Flow { id, protocol, local, remote }
    }

    /// One datagram.
    pub fn datagram(&mut self, octets: &[u8]) -> Observed {
        self.message(Protocol::Udp, octets)
    }

    /// One message of a WebSocket (RFC 7118 §4.2), which like a datagram says itself where it ends.
    pub fn web_socket(&mut self, octets: &[u8]) -> Observed {
        self.message(Protocol::Ws, octets)
    }

    fn message(&mut self, protocol: Protocol, octets: &[u8]) -> Observed {
        let (flow, bytes) = (Self::flow(protocol), Bytes::copy_from_slice(octets));
        let mut observed = Observed::default();
        self.input(Input::Received { flow, bytes }, &mut observed);
        observed
    }

    /// All that ever comes over a connection.
    pub fn stream(&mut self, octets: &[u8]) -> Observed {
        let flow = Self::flow(Protocol::Tcp);
        let mut observed = Observed::default();
        let mut framer = StreamFramer::new();
        framer.push(octets);
        loop {
            match framer.next_frame() {
                Ok(Some(Frame::Message(bytes))) => self.input(Input::Received { flow, bytes }, &mut observed),
                Ok(Some(Frame::Ping)) => {}
                Ok(None) => break,
                Err(error) => {
                    self.input(Input::Unframed { flow, error }, &mut observed);
                    break;
                }
            }
        }
        // The shell does not wait for ever for the rest of a message.
        observed.closed |= framer.is_mid_message();
        observed
    }

    /// Any input, and what the user agent wants done; the application hears nothing of it.
    pub fn outputs(&mut self, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        self.agent.handle(input, self.now, &mut self.entropy, &mut out);
        out
    }

    /// Any input, with all that follows from it.
    pub fn input(&mut self, input: Input, observed: &mut Observed) {
        for output in self.outputs(input) {
            match output {
                Output::Send { bytes, .. } if is_final(&bytes) => observed.answers.push(bytes),
                Output::CloseFlow(_) => observed.closed = true,
                Output::Event(event) => {
                    let before = self.application.asked.len();
                    let command = self.application.hear(event);
                    observed.asked += self.application.asked.len() - before;
                    if let Some(command) = command {
                        self.input(Input::Command(command), observed);
                    }
                }
                // Provisional answers, and what only a caller wants.
                _ => {}
            }
        }
    }
}

fn is_final(bytes: &Bytes) -> bool {
    let is_request = matches!(Message::parse(bytes.clone()), Ok(Message::Request(_)));
    !is_request && status(bytes) >= 200
}
