use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU16, NonZeroUsize};
use std::time::Duration;

use tandem_base::{MediaTimeouts, RoomAudio, SrtpPolicy};
use tandem_routing::Pattern;

use crate::tls::Tls;

/// Everything the operator decided, checked: whatever reads it need not check again.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// SIP signalling.
    pub sip: Sip,
    /// RTP and RTCP.
    pub media: Media,
    /// HTTP: API and console.
    pub http: Http,
    /// Who may be dialled.
    pub rooms: Rooms,
    /// Test services.
    pub services: Services,
    /// Logging.
    pub log: Log,
    /// Certificates of `tls` and `wss` listeners, and of TLS connections of ours.
    pub tls: Tls,
}

/// `[sip]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sip {
    /// `listen`: at least one; no two claim the same address.
    pub listen: Vec<Listener>,
    /// `advertise`: what Contact and Via say instead of the address the message leaves from. Its port is that of
    /// UDP and TCP; the others keep the port that they listen on.
    pub advertise: Option<Advertise>,
    /// `session_expires`: a call that nobody refreshes for so long ends (RFC 4028); whole seconds, 90 s at least, or
    /// zero for no session timers.
    pub session_expires: Duration,
    /// `min_session_expires`: the least of it that a peer may ask for; 90 s to `session_expires`.
    pub min_session_expires: Duration,
    /// `max_calls`: beyond it a call is refused with 503; 1 to the number of media port pairs.
    pub max_calls: u32,
    /// `dns`: the name servers to ask; none for those of the system.
    pub dns: Vec<SocketAddr>,
    /// Bounds for TCP, TLS, WS and WSS.
    pub connections: Connections,
}

/// The keys of `[sip]` that bound connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// `max_connections`: one more is closed at once; 1 to 1,000,000.
    pub max: usize,
    /// `max_connections_per_source`: the same for one IP address; 1 to `max`.
    pub max_per_source: usize,
    /// `idle_timeout`: a TCP or TLS connection that is silent for so long is closed; 10 s to a day. WebSocket connections
    /// are pinged instead.
    pub idle_timeout: Duration,
    /// `write_timeout`: a peer that does not take a message within this time loses its connection; 100 ms to a minute.
    pub write_timeout: Duration,
}

/// An entry of `[sip] listen`: `udp:0.0.0.0:5060`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener {
    /// How messages travel.
    pub protocol: Protocol,
    /// Where; port 0 lets the system choose.
    pub address: SocketAddr,
}

/// A SIP transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// RFC 3261 §18.
    Udp,
    /// RFC 3261 §18.
    Tcp,
    /// RFC 3261 §26.2.1.
    Tls,
    /// RFC 7118.
    Ws,
    /// RFC 7118, over TLS.
    Wss,
}

impl Protocol {
    /// Every one.
    pub const ALL: [Protocol; 5] = [Protocol::Udp, Protocol::Tcp, Protocol::Tls, Protocol::Ws, Protocol::Wss];

    /// As the configuration writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Protocol::Udp => "udp",
            Protocol::Tcp => "tcp",
            Protocol::Tls => "tls",
            Protocol::Ws => "ws",
            Protocol::Wss => "wss",
        }
    }

    /// Needs a certificate.
    pub const fn is_encrypted(self) -> bool {
        matches!(self, Protocol::Tls | Protocol::Wss)
    }
}

/// `[sip] advertise`: a host, with or without a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertise {
    /// Address or name.
    pub host: Host,
    /// `None`: the port of the listener.
    pub port: Option<NonZeroU16>,
}

/// A host as SIP writes it (RFC 3261 §25.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// An address; neither unspecified nor multicast.
    Address(IpAddr),
    /// A domain name, 1 to 253 letters, digits, hyphens and dots.
    Name(String),
}

/// `[media]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Media {
    /// `address`: where media sockets are bound. Unspecified: every address of the machine, and SDP names
    /// the one from which the peer is reached.
    pub address: IpAddr,
    /// `advertise`: what SDP says instead (NAT one to one); of the same family as `address`.
    pub advertise: Option<IpAddr>,
    /// `ports`: RTP and RTCP ports, in pairs.
    pub ports: PortRange,
    /// `workers`: media threads; `None` is one per core.
    pub workers: Option<NonZeroUsize>,
    /// `setup_timeout`, `talk_timeout`, `hold_timeout`.
    pub timeouts: MediaTimeouts,
}

/// A range of ports, both ends included: `20000-29999`. It starts even and holds a pair at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// Even (RFC 3550 §11), 1,024 or more.
    pub first: u16,
    /// Greater than `first`.
    pub last: u16,
}

impl PortRange {
    /// RTP and RTCP pairs that fit: 1 to 32,256.
    pub const fn pairs(self) -> u16 {
        let odd_end = (self.last - self.first) % 2;
        (self.last - self.first) / 2 + odd_end
    }

    /// Is `port` inside?
    pub const fn contains(self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }
}

/// `[http]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Http {
    /// `listen`: where API and console will be served.
    pub listen: SocketAddr,
}

/// `[rooms]` and every `[[room]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rooms {
    /// `[[room]]`: rooms that are always there; names distinct.
    pub fixed: Vec<Room>,
    /// `[rooms] ad_hoc`: user parts that open a room on demand; may be empty.
    pub ad_hoc: Vec<Pattern>,
    /// `[rooms] max_participants`: of rooms that say nothing of their own; `None` is no limit.
    pub max_participants: Option<NonZeroUsize>,
    /// `[rooms] srtp`: are media encrypted in rooms that say nothing of their own?
    pub srtp: SrtpPolicy,
    /// `[rooms] loudest`, `comfort_noise`, `rate`, `gain_in`, `gain_out`, `agc`, `agc_target`, `agc_max_gain`,
    /// `noise_suppression`, `echo_suppression`: of rooms that say nothing of their own.
    pub audio: RoomAudio,
}

/// A `[[room]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// `name`: the user part to dial.
    pub name: String,
    /// `max_participants`: `None` is no limit; the default of `[rooms]` is already in it.
    pub max_participants: Option<NonZeroUsize>,
    /// `srtp`: the default of `[rooms]` is already in it.
    pub srtp: SrtpPolicy,
    /// `loudest`, `comfort_noise`, `rate` and the others: the defaults of `[rooms]` are already in it.
    pub audio: RoomAudio,
}

/// `[services]`: user parts of the test services; `None` is off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Services {
    /// `echo`: the caller hears itself.
    pub echo: Option<String>,
    /// `tone`: the caller hears 1004 Hz.
    pub tone: Option<String>,
    /// `srtp`: are their media encrypted?
    pub srtp: SrtpPolicy,
}

/// `[log]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// `level`: the least important that is written.
    pub level: LogLevel,
    /// `format`.
    pub format: LogFormat,
}

/// `[log] level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// A call was lost through Tandem's fault.
    Error,
    /// An operator should look.
    Warn,
    /// Calls come and go.
    Info,
    /// What was decided, and why; may name people.
    Debug,
    /// Every message and packet.
    Trace,
}

impl LogLevel {
    /// As the configuration writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            LogLevel::Off => "off",
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
            LogLevel::Trace => "trace",
        }
    }
}

/// `[log] format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// As the configuration writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.protocol, self.address)
    }
}

impl fmt::Display for Host {
    /// As a URI wants it: IPv6 in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Host::Address(address) => address.fmt(f),
            Host::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Advertise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => self.host.fmt(f),
        }
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}
