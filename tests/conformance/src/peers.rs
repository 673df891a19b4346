use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tandem_sip::ua::Protocol;
use tandem_sip::{Frame, StreamFramer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::status;

/// Longer than anything here takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

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

/// A peer over TCP, TLS, WS or WSS.
pub struct StreamPeer(Wire);

/// What octets go over.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

enum Wire {
    Octets {
        stream: Box<dyn Stream>,
        framer: StreamFramer,
        /// Cut out and not taken yet.
        frames: VecDeque<Bytes>,
    },
    Messages(Box<WebSocketStream<Box<dyn Stream>>>),
}

impl StreamPeer {
    /// Connects.
    pub(crate) async fn to(address: SocketAddr, protocol: Protocol, trust: Arc<ClientConfig>) -> Self {
        let tcp = TcpStream::connect(address).await.expect("loopback");
        tcp.set_nodelay(true).expect("an open socket");
        let stream: Box<dyn Stream> = match protocol {
            Protocol::Tls | Protocol::Wss => {
                let shaking = TlsConnector::from(trust).connect(ServerName::from(address.ip()), tcp);
                Box::new(timeout(PATIENCE, shaking).await.expect("a handshake in time").expect("TLS"))
            }
            _ => Box::new(tcp),
        };
        StreamPeer(match protocol {
            Protocol::Ws | Protocol::Wss => {
                let mut request = "ws://tandem.example/".into_client_request().expect("a request");
                request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("sip"));
                let upgraded = timeout(PATIENCE, client_async(request, stream)).await;
                Wire::Messages(Box::new(upgraded.expect("an upgrade in time").expect("a WebSocket").0))
            }
            _ => Wire::Octets { stream, framer: StreamFramer::new(), frames: VecDeque::new() },
        })
    }

    /// Sends octets; over a WebSocket they are one message.
    pub async fn send(&mut self, octets: &[u8]) {
        // Refused when the other side has closed already: what it said before is still to be read.
        match &mut self.0 {
            Wire::Octets { stream, .. } => {
                let _ = stream.write_all(octets).await;
                let _ = stream.flush().await;
            }
            Wire::Messages(socket) => {
                let _ = socket.send(Message::binary(octets.to_vec())).await;
            }
        }
    }

    /// The next message; `None` once the other side has closed.
    pub async fn receive(&mut self) -> Option<Bytes> {
        timeout(PATIENCE, self.0.next()).await.expect("a message in time")
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

impl Wire {
    async fn next(&mut self) -> Option<Bytes> {
        match self {
            Wire::Octets { stream, framer, frames } => loop {
                if let Some(frame) = frames.pop_front() {
                    return Some(frame);
                }
                let mut buffer = [0; 4_096];
                match stream.read(&mut buffer).await {
                    Ok(0) | Err(_) => return None,
                    Ok(length) => framer.push(&buffer[..length]),
                }
                while let Ok(Some(frame)) = framer.next_frame() {
                    frames.extend(match frame {
                        Frame::Message(bytes) => Some(bytes),
                        Frame::Ping => None,
                    });
                }
            },
            Wire::Messages(socket) => loop {
                match socket.next().await {
                    Some(Ok(Message::Text(text))) => return Some(text.into()),
                    Some(Ok(Message::Binary(bytes))) => return Some(bytes),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    _ => return None,
                }
            },
        }
    }
}

/// Believes the certificate of this file and no other.
pub(crate) fn trust(certificate: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).expect("a certificate")).expect("a usable one");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Arc::new(builder.expect("TLS 1.2 and 1.3").with_root_certificates(roots).with_no_client_auth())
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
