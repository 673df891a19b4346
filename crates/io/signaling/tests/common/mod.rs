//! A running [`Signaling`] on loopback, and plain sockets as its peers.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's set-up fails as a test does"
)]

pub mod callers;
pub mod dns;
pub mod outward;
pub mod secure;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tandem_signaling::tls::Tls;
use tandem_signaling::{Counters, ListenerConfig, Signaling, SignalingConfig, Stop, StreamLimits};
use tandem_sip::ua::{Command, Event, Protocol};
use tandem_sip::{Frame, Message, Method, Request, Response, StreamFramer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than anything here takes on a busy machine: when it is over, something is wrong.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Running {
    pub udp: SocketAddr,
    pub tcp: SocketAddr,
    /// All, in the order of the configuration (UDP first).
    pub listening: Vec<(Protocol, SocketAddr)>,
    pub commands: mpsc::Sender<Command>,
    pub events: mpsc::Receiver<Event>,
    pub counters: Arc<Counters>,
    pub stop: Stop,
    pub task: JoinHandle<()>,
}

pub fn config(ip: &str, streams: StreamLimits) -> SignalingConfig {
    let listener = |protocol| {
        let address = SocketAddr::new(ip.parse().unwrap(), 0);
        ListenerConfig { protocol, address, advertise: None }
    };
    let allow = vec![Method::Invite, Method::Ack, Method::Bye, Method::Cancel, Method::Options];
    let listeners = vec![listener(Protocol::Udp), listener(Protocol::Tcp)];
    SignalingConfig { streams, ..SignalingConfig::new(listeners, "Tandem test", allow) }
}

/// All transports, with these certificates.
pub fn all_transports(ip: &str, streams: StreamLimits, tls: Tls) -> SignalingConfig {
    let mut config = config(ip, streams);
    for protocol in [Protocol::Tls, Protocol::Ws, Protocol::Wss] {
        let address = SocketAddr::new(ip.parse().unwrap(), 0);
        config.listeners.push(ListenerConfig { protocol, address, advertise: None });
    }
    SignalingConfig { tls: Some(Arc::new(tls)), ..config }
}

impl Running {
    pub fn start() -> Self {
        Self::with(config("127.0.0.1", StreamLimits::default()), 16)
    }

    /// `events`: how many may wait for the application.
    pub fn with(config: SignalingConfig, events: usize) -> Self {
        let signaling = Signaling::bind(config).unwrap();
        let listening = signaling.local_addresses();
        let [(Protocol::Udp, udp), (Protocol::Tcp, tcp), ..] = listening[..] else { panic!("{listening:?}") };
        let (counters, stop) = (signaling.counters(), signaling.stop());
        let (commands, commands_out) = mpsc::channel(16);
        let (events_in, events) = mpsc::channel(events);
        let task = tokio::spawn(signaling.run(commands_out, events_in));
        Running { udp, tcp, listening, commands, events, counters, stop, task }
    }

    /// Where this is spoken.
    pub fn address(&self, protocol: Protocol) -> SocketAddr {
        self.listening.iter().find(|(ours, _)| *ours == protocol).unwrap().1
    }

    pub async fn event(&mut self) -> Event {
        timeout(PATIENCE, self.events.recv()).await.expect("an event in time").expect("an event")
    }
}

pub fn request(method: &str, via: &str, branch: &str, extra: &str) -> String {
    format!(
        "{method} sip:1000@tandem.example SIP/2.0\r\nVia: SIP/2.0/{via};branch=z9hG4bK{branch};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:peer@example.com>;tag=f{branch}\r\nTo: <sip:1000@tandem.example>\r\n\
         Call-ID: call-{branch}\r\nCSeq: 1 {method}\r\nContact: <sip:peer@127.0.0.1>\r\n{extra}Content-Length: 0\r\n\r\n"
    )
}

pub fn options(via: &str, branch: &str) -> String {
    request("OPTIONS", via, branch, "")
}

pub fn status(response: &Response) -> u16 {
    response.status.get()
}

fn response(bytes: Bytes) -> Response {
    match Message::parse(bytes).unwrap() {
        Message::Response(response) => response,
        Message::Request(request) => panic!("a response expected: {request:?}"),
    }
}

/// A UDP peer.
pub struct Datagrams(pub UdpSocket);

impl Datagrams {
    pub async fn to(address: SocketAddr) -> Self {
        let own = if address.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
        let socket = UdpSocket::bind(own).await.unwrap();
        socket.connect(address).await.unwrap();
        Datagrams(socket)
    }

    pub fn via(&self) -> String {
        format!("UDP {}", self.0.local_addr().unwrap())
    }

    pub async fn send(&self, message: impl AsRef<[u8]>) {
        self.0.send(message.as_ref()).await.unwrap();
    }

    pub async fn receive(&self) -> Response {
        let mut buffer = vec![0; 65_535];
        let n = timeout(PATIENCE, self.0.recv(&mut buffer)).await.expect("a datagram in time").unwrap();
        response(Bytes::copy_from_slice(&buffer[..n]))
    }
}

/// A TCP peer.
pub struct Stream {
    pub socket: TcpStream,
    framer: StreamFramer,
}

impl Stream {
    pub async fn to(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap())
    }

    pub fn over(socket: TcpStream) -> Self {
        socket.set_nodelay(true).unwrap();
        Stream { socket, framer: StreamFramer::new() }
    }

    pub fn via(&self) -> String {
        format!("TCP {}", self.socket.local_addr().unwrap())
    }

    pub async fn send(&mut self, message: impl AsRef<[u8]>) {
        self.socket.write_all(message.as_ref()).await.unwrap();
    }

    async fn frame(&mut self) -> Bytes {
        loop {
            if let Some(Frame::Message(bytes)) = self.framer.next_frame().unwrap() {
                return bytes;
            }
            let mut buffer = [0; 4_096];
            let n = timeout(PATIENCE, self.socket.read(&mut buffer)).await.expect("octets in time").unwrap();
            assert_ne!(n, 0, "closed instead of a message");
            self.framer.push(&buffer[..n]);
        }
    }

    pub async fn receive(&mut self) -> Response {
        response(self.frame().await)
    }

    pub async fn receive_request(&mut self) -> Request {
        match Message::parse(self.frame().await).unwrap() {
            Message::Request(request) => request,
            Message::Response(response) => panic!("a request expected: {response:?}"),
        }
    }

    /// Waits until the other side closes the connection; true if it did so in order.
    pub async fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        timeout(PATIENCE, self.socket.read_to_end(&mut rest)).await.expect("closed in time").is_ok()
    }
}

/// Waits until a counter reaches a value.
pub async fn reaches(counter: &std::sync::atomic::AtomicU64, value: u64) {
    let reached = async {
        while Counters::get(counter) < value {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, reached).await.expect("a counter in time");
}
