use std::net::SocketAddr;
use std::time::Duration;

use tandem_sip::ua::{self, Protocol};
use tandem_sip::{Host, Method};

use crate::DnsConfig;

/// All that signalling must be told.
#[derive(Clone, Debug)]
pub struct SignalingConfig {
    /// Where to listen; at least one.
    pub listeners: Vec<ListenerConfig>,
    /// The user agent's; the listeners of its identity are filled in from those above once they are bound.
    pub agent: ua::Config,
    /// Bounds for TCP.
    pub streams: StreamLimits,
    /// How names are looked up.
    pub dns: DnsConfig,
}

impl SignalingConfig {
    /// A user agent of this name that serves these methods on these listeners, all else by default.
    pub fn new(listeners: Vec<ListenerConfig>, product: &str, allow: Vec<Method>) -> Self {
        let identity = ua::Identity {
            listeners: Vec::new(),
            product: product.to_owned(),
            allow,
            supported: Vec::new(),
            accept: vec!["application/sdp".to_owned()],
        };
        let agent = ua::Config { identity, timing: Default::default(), limits: ua::Limits::default() };
        SignalingConfig { listeners, agent, streams: StreamLimits::default(), dns: DnsConfig::default() }
    }
}

/// One address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerConfig {
    /// UDP or TCP; others are refused by [`crate::Signaling::bind`].
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

/// Bounds for TCP connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// Connections in all.
    pub connections: usize,
    /// Connections from one IP address.
    pub connections_per_source: usize,
    /// Messages that may wait for one peer to read. With half as many, nothing more is read from that peer; beyond
    /// it the connection is lost. Should be 1,024 at least: up to 256 requests are under way within.
    pub queue: usize,
    /// How long one message may take to be written.
    pub write_timeout: Duration,
    /// How long a connection of ours may take to come about.
    pub connect_timeout: Duration,
    /// How long a message may take from its first octet to its last, and a new connection to its first message.
    pub message_timeout: Duration,
    /// How long a connection may be silent. Calls without session timers are silent for long.
    pub idle_timeout: Duration,
}

impl Default for StreamLimits {
    fn default() -> Self {
        StreamLimits {
            connections: 4_096,
            connections_per_source: 1_024,
            queue: 1_024,
            write_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(5),
            message_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(3_600),
        }
    }
}
