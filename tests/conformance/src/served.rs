use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tandem_signaling::tls::{Certificate, SelfSigned, Tls, TlsConfig};
use tandem_signaling::{ListenerConfig, Signaling, SignalingConfig, Stop, StreamLimits};
use tandem_sip::ua::Protocol;
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::peers::trust;
use crate::{Application, DatagramPeer, METHODS, StreamPeer};

const PROTOCOLS: [Protocol; 5] = [Protocol::Udp, Protocol::Tcp, Protocol::Tls, Protocol::Ws, Protocol::Wss];
/// How long a message may take from its first octet to its last: short, as some never end.
const MESSAGE_TIMEOUT: Duration = Duration::from_millis(500);

/// The real signalling on a loopback address, over every transport, an [`Application`] behind it.
pub struct Served {
    listening: Vec<(Protocol, SocketAddr)>,
    /// Where its certificate lies.
    folder: TempDir,
    asked: Arc<AtomicUsize>,
    stop: Stop,
}

impl Served {
    /// Starts it.
    pub fn start(ip: &str) -> Self {
        let address = SocketAddr::new(ip.parse().expect("an address"), 0);
        let listeners = PROTOCOLS.map(|protocol| ListenerConfig { protocol, address, advertise: None });
        let folder = tempfile::tempdir().expect("a folder");
        let own = SelfSigned { directory: folder.path().to_owned(), names: vec![ip.to_owned()] };
        let certificate = Some(Certificate::SelfSigned(own));
        let tls = Tls::load(TlsConfig { certificate, ..TlsConfig::default() }).expect("a certificate");
        let streams = StreamLimits { message_timeout: MESSAGE_TIMEOUT, ..StreamLimits::default() };
        let config = SignalingConfig {
            streams,
            tls: Some(Arc::new(tls)),
            ..SignalingConfig::new(listeners.to_vec(), "Tandem", METHODS.to_vec())
        };
        let signaling = Signaling::bind(config).expect("a free port");
        let (listening, stop) = (signaling.local_addresses(), signaling.stop());
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
        Served { listening, folder, asked, stop }
    }

    /// Where this is spoken.
    pub fn at(&self, protocol: Protocol) -> SocketAddr {
        self.listening.iter().find(|(ours, _)| *ours == protocol).expect("every transport is").1
    }

    /// A peer over UDP on an IPv4 address of its own.
    pub async fn datagrams(&self) -> DatagramPeer {
        DatagramPeer::to(self.at(Protocol::Udp)).await
    }

    /// A peer over a connection of this kind.
    pub async fn connection(&self, protocol: Protocol) -> StreamPeer {
        let trust = trust(&self.folder.path().join("self-signed.pem"));
        StreamPeer::to(self.at(protocol), protocol, trust).await
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
