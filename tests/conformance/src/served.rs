use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tandem_signaling::{ListenerConfig, Signaling, SignalingConfig, Stop, StreamLimits};
use tandem_sip::ua::Protocol;
use tandem_sip::{Frame, StreamFramer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::{Application, METHODS, status};

/// Longer than anything here takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// How long a message may take from its first octet to its last: short, as some never end.
const MESSAGE_TIMEOUT: Duration = Duration::from_millis(500);

/// The real signalling on a loopback address, an [`Application`] behind it.
pub struct Served {
    /// Where it takes datagrams.
    pub udp: SocketAddr,
    /// Where it takes connections.
    pub tcp: SocketAddr,
    asked: Arc<AtomicUsize>,
    stop: Stop,
}

impl Served {
    /// Starts it.
    pub fn start(ip: &str) -> Self {
        let listener = |protocol| {
            let address = SocketAddr::new(ip.parse().expect("an address"), 0);
            ListenerConfig { protocol, address, advertise: None }
        };
        let listeners = vec![listener(Protocol::Udp), listener(Protocol::Tcp)];
        let streams = StreamLimits { message_timeout: MESSAGE_TIMEOUT, ..StreamLimits::default() };
        let config =
            SignalingConfig { streams, ..SignalingConfig::new(listeners, "Tandem", METHODS.to_vec()) };
        let signaling = Signaling::bind(config).expect("a free port");
        let addresses = signaling.local_addresses();
        let of = |protocol| addresses.iter().find(|(p, _)| *p == protocol).expect("a listener").1;
        let (udp, tcp, stop) = (of(Protocol::Udp), of(Protocol::Tcp), signaling.stop());
        let (commands, obeyed) = mpsc::channel(64);
        let (told, mut events) = mpsc::channel(64);
        tokio::spawn(signaling.run(obeyed, told));
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        tokio::spawn(async move {
            let mut application = Application::default();
            while let Some(event) = events.recv().await {
                let command = application.hear(event);
                counted.store(application.asked.len(), Ordering::SeqCst);
                if let Some(command) = command {
                    let _ = commands.send(command).await;
                }
            }
        });
        Served { udp, tcp, asked, stop }
    }

    /// How many requests the application got so far.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.drain(Duration::ZERO);
    }
}

/// A UDP peer on an address of its own and the port 5060, where answers go that are not asked to go elsewhere.
pub struct DatagramPeer(UdpSocket);

impl DatagramPeer {
    /// Towards an IPv4 loopback address.
    pub async fn to(address: SocketAddr) -> Self {
        let socket = UdpSocket::bind((own_address(), 5060)).await.expect("an address of our own");
        socket.connect(address).await.expect("loopback");
        DatagramPeer(socket)
    }

    /// From this address, once it is free.
    pub async fn at(own: SocketAddr, address: SocketAddr) -> Self {
        let bound = async {
            loop {
                match UdpSocket::bind(own).await {
                    Ok(socket) => return socket,
                    // Another test has it.
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        };
        let socket = timeout(PATIENCE, bound).await.expect("the port in time");
        socket.connect(address).await.expect("loopback");
        DatagramPeer(socket)
    }

    /// Our end.
    pub fn local(&self) -> SocketAddr {
        self.0.local_addr().expect("bound")
    }

    /// Sends a datagram.
    pub async fn send(&self, octets: &[u8]) {
        self.0.send(octets).await.expect("loopback takes it");
    }

    /// The next datagram.
    pub async fn receive(&self) -> Bytes {
        let mut buffer = vec![0; 65_536];
        let length = timeout(PATIENCE, self.0.recv(&mut buffer))
            .await
            .expect("an answer in time")
            .expect("a datagram");
        buffer.truncate(length);
        buffer.into()
    }

    /// The next final answer.
    pub async fn answer(&self) -> Bytes {
        loop {
            let answer = self.receive().await;
            if status(&answer) >= 200 {
                return answer;
            }
        }
    }
}

/// A TCP peer.
pub struct StreamPeer {
    socket: TcpStream,
    framer: StreamFramer,
    /// Cut out and not taken yet.
    frames: VecDeque<Bytes>,
}

impl StreamPeer {
    /// Connects.
    pub async fn to(address: SocketAddr) -> Self {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let socket = socket.expect("a socket").connect(address).await.expect("loopback");
        socket.set_nodelay(true).expect("an open socket");
        StreamPeer { socket, framer: StreamFramer::new(), frames: VecDeque::new() }
    }

    /// Sends octets.
    pub async fn send(&mut self, octets: &[u8]) {
        // Refused when the other side has closed already: what it said before is still to be read.
        let _ = self.socket.write_all(octets).await;
    }

    /// The next message; `None` once the other side has closed.
    pub async fn receive(&mut self) -> Option<Bytes> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Some(frame);
            }
            let mut buffer = [0; 4_096];
            let read = timeout(PATIENCE, self.socket.read(&mut buffer)).await.expect("octets in time");
            match read {
                Ok(0) | Err(_) => return None,
                Ok(length) => self.framer.push(&buffer[..length]),
            }
            while let Ok(Some(frame)) = self.framer.next_frame() {
                self.frames.extend(match frame {
                    Frame::Message(bytes) => Some(bytes),
                    Frame::Ping => None,
                });
            }
        }
    }

    /// The next final answer; `None` once the other side has closed.
    pub async fn answer(&mut self) -> Option<Bytes> {
        loop {
            let answer = self.receive().await?;
            if status(&answer) >= 200 {
                return Some(answer);
            }
        }
    }
}

/// An address in 127.0.0.0/8 that no other peer of this or any other test process has.
fn own_address() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [.., high, low] = (std::process::id() % 12_800).to_be_bytes();
    let last = NEXT.fetch_add(1, Ordering::Relaxed);
    assert!(last < 255, "a test process has 254 addresses");
    // Above those of tests/interop.
    Ipv4Addr::new(127, high + 205, low, last)
}
