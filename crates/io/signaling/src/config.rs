use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tandem_sip::ua::{self, Protocol};
use tandem_sip::{Host, Method};

use crate::DnsConfig;

use crate::tls::Tls;

/// All that signalling must be told.
#[derive(Clone, Debug)]
pub struct SignalingConfig {
    /// Where to listen; at least one.
    pub listeners: Vec<ListenerConfig>,
    /// The user agent's; the listeners of its identity are filled in from those above once they are bound.
    pub agent: ua::Config,
    /// Bounds for connections: TCP, TLS, WS, WSS.
    pub streams: StreamLimits,
    /// How names are looked up.
    pub dns: DnsConfig,
    /// Certificates; TLS and WSS cannot be listened on without, nor can TLS connections be made.
    pub tls: Option<Arc<Tls>>,
}

impl SignalingConfig {
    /// A user agent of this name that serves these methods on these listeners, all else by default.
    pub fn new(listeners: Vec<ListenerConfig>, product: &str, allow: Vec<Method>) -> Self {
        let identity = ua::Identity {
            listeners: Vec::new(),
            product: product.to_owned(),
            allow,
            supported: Vec::new(),
            demanded: Vec::new(),
            security: Vec::new(),
            accept: vec!["application/sdp".to_owned()],
        };
        let agent = ua::Config { identity, timing: Default::default(), limits: ua::Limits::default() };
        SignalingConfig {
            listeners,
            agent,
            streams: StreamLimits::default(),
            dns: DnsConfig::default(),
            tls: None,
        }
    }
}

/// One address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerConfig {
    /// What is spoken there.
    pub protocol: Protocol,
    /// May be the wildcard address; port 0 lets the system choose.
    pub address: SocketAddr,
    /// What Via and Contact say instead of the bound address: for a host behind a 1:1 NAT.
    pub advertise: Option<Advertise>,
}

/// What Via and Contact say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertise {
    /// Name or address.
    pub host: Host,
    /// `None` for the port bound.
    pub port: Option<u16>,
}

/// Bounds for connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// Connections in all.
    pub connections: usize,
    /// Connections from one IP address.
    pub connections_per_source: usize,
    /// Connections whose TLS handshake or WebSocket upgrade is under way.
    pub half_open: usize,
    /// Of those, from one IP address.
    pub half_open_per_source: usize,
    /// Messages that may wait for one peer to read. With half as many, nothing more is read from that peer; beyond
    /// it the connection is lost. Should be 1,024 at least: up to 256 requests are under way within.
    pub queue: usize,
    /// How long one message may take to be written.
    pub write_timeout: Duration,
    /// How long a connection of ours may take to come about.
    pub connect_timeout: Duration,
    /// How long TLS handshake and WebSocket upgrade may take together.
    pub handshake_timeout: Duration,
    /// How long a WebSocket connection may be silent before it is pinged (RFC 6455 §5.5.2). After three times as
    /// long without a word it is closed.
    pub ping_interval: Duration,
    /// How long a message may take from its first octet to its last, and a new connection to its first message.
    pub message_timeout: Duration,
    /// How long a connection may be silent. Calls without session timers are silent for long.
    pub idle_timeout: Duration,
}

impl Default for StreamLimits {
    fn default() -> Self {
        StreamLimits {
            connections: 16_384,
            connections_per_source: 1_024,
            half_open: 2_048,
            half_open_per_source: 256,
            queue: 1_024,
            write_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(5),
            handshake_timeout: Duration::from_secs(5),
            ping_interval: Duration::from_secs(30),
            message_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(3_600),
        }
    }
}
