use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tandem_sip::Host;
use tandem_sip::ua::{self, Protocol};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;

use crate::local::default_address;
use crate::{Counters, ListenerConfig, OsEntropy, SignalingConfig};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1_024;
/// Room for bursts of datagrams, in octets; the system may grant less.
const UDP_BUFFER: usize = 4 * 1024 * 1024;

/// SIP signalling with its listeners bound, not yet running.
#[derive(Debug)]
pub struct Signaling {
    pub(crate) sockets: Sockets,
    pub(crate) config: SignalingConfig,
    pub(crate) entropy: OsEntropy,
    pub(crate) counters: Arc<Counters>,
    pub(crate) stop: watch::Sender<Option<Duration>>,
}

/// What listens.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    pub udp: Vec<UdpPort>,
    pub streams: Vec<StreamPort>,
}

/// A UDP socket.
#[derive(Debug)]
pub(crate) struct UdpPort {
    pub socket: Arc<UdpSocket>,
    pub local: SocketAddr,
    /// The address that each peer sees must be found out.
    pub learns: bool,
}

/// A listener for connections: TCP, TLS, WS or WSS.
#[derive(Debug)]
pub(crate) struct StreamPort {
    pub listener: TcpListener,
    pub protocol: Protocol,
    pub local: SocketAddr,
    /// The address that each peer sees must be found out.
    pub learns: bool,
}

/// Why listening failed.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address is in use, is not ours, or may not be used.
    #[error("cannot listen on {}:{address}: {source}", protocol.param())]
    Address {
        /// What was to be spoken there.
        protocol: Protocol,
        /// As configured.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// TLS or WSS without a certificate.
    #[error("cannot listen on {}:{address}: there is no certificate", protocol.param())]
    Certificate {
        /// What was asked for.
        protocol: Protocol,
        /// As configured.
        address: SocketAddr,
    },
    /// Nothing to listen on.
    #[error("no address to listen on")]
    Nothing,
    /// The system has no randomness to give.
    #[error("no random numbers from the operating system: {0}")]
    Entropy(io::Error),
}

impl Signaling {
    /// Opens every listener. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The first address that cannot be had; none stays open then.
    pub fn bind(mut config: SignalingConfig) -> Result<Signaling, BindError> {
        if config.listeners.is_empty() {
            return Err(BindError::Nothing);
        }
        let has_certificate = config.tls.as_ref().is_some_and(|tls| tls.server().is_some());
        for ListenerConfig { protocol, address, .. } in &config.listeners {
            if matches!(protocol, Protocol::Tls | Protocol::Wss) && !has_certificate {
                return Err(BindError::Certificate { protocol: *protocol, address: *address });
            }
        }
        let mut sockets = Sockets::default();
        let mut known = Vec::new();
        for wanted in &config.listeners {
            let local = sockets.open(wanted)?;
            known.push(identity_of(wanted, local));
        }
        config.agent.identity.listeners = known;
        let entropy = OsEntropy::new().map_err(BindError::Entropy)?;
        Ok(Signaling { sockets, config, entropy, counters: Arc::default(), stop: watch::Sender::new(None) })
    }

    /// What is listened on, ports chosen by the system included: those of UDP first, then in the order
    /// of the configuration.
    pub fn local_addresses(&self) -> Vec<(Protocol, SocketAddr)> {
        let udp = self.sockets.udp.iter().map(|port| (Protocol::Udp, port.local));
        udp.chain(self.sockets.streams.iter().map(|port| (port.protocol, port.local))).collect()
    }

    /// The figures, which go on counting while it runs.
    pub fn counters(&self) -> Arc<Counters> {
        self.counters.clone()
    }
}

impl Sockets {
    fn open(&mut self, wanted: &ListenerConfig) -> Result<SocketAddr, BindError> {
        let ListenerConfig { protocol, address, ref advertise } = *wanted;
        let learns = advertise.is_none() && address.ip().is_unspecified();
        let failed = |source| BindError::Address { protocol, address, source };
        match protocol {
            Protocol::Udp => {
                let socket = bind_udp(address).map_err(failed)?;
                let local = socket.local_addr().map_err(failed)?;
                self.udp.push(UdpPort { socket: Arc::new(socket), local, learns });
                Ok(local)
            }
            Protocol::Tcp | Protocol::Tls | Protocol::Ws | Protocol::Wss => {
                let listener = bind_tcp(address).map_err(failed)?;
                let local = listener.local_addr().map_err(failed)?;
                self.streams.push(StreamPort { listener, protocol, local, learns });
                Ok(local)
            }
        }
    }
}

fn open(address: SocketAddr, kind: Type) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, None)?;
    // So that 0.0.0.0 and [::] can both be listened on.
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn bind_udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = open(address, Type::DGRAM)?;
    // Best effort: the system's own size will do.
    let _ = socket.set_recv_buffer_size(UDP_BUFFER);
    let _ = socket.set_send_buffer_size(UDP_BUFFER);
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = open(address, Type::STREAM)?;
    // Connections of an earlier run that linger in TIME_WAIT do not stand in the way; another listener does.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// What our messages say of a listener.
fn identity_of(wanted: &ListenerConfig, local: SocketAddr) -> ua::Listener {
    let (host, port) = match &wanted.advertise {
        Some(advertise) => (advertise.host.clone(), advertise.port),
        None if local.ip().is_unspecified() => (Host::from(default_address(local.is_ipv4())), None),
        None => (Host::from(local.ip()), None),
    };
    ua::Listener { protocol: wanted.protocol, local, host, port: Some(port.unwrap_or(local.port())) }
}
