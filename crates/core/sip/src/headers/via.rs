use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::token::{is_lws, is_token, number, split_at_byte, trim};
use crate::uri::parse_host_port;
use crate::{Host, Params};

/// A transport that SIP runs on (RFC 3261 §18, RFC 7118).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
    /// A stream within TLS.
    Tls,
    /// WebSocket (RFC 7118).
    Ws,
    /// WebSocket within TLS (RFC 7118).
    Wss,
}

impl Transport {
    /// Any case.
    pub fn parse(text: &str) -> Option<Transport> {
        const ALL: [Transport; 5] =
            [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss];
        ALL.into_iter().find(|t| t.as_str().eq_ignore_ascii_case(text))
    }

    /// As in a Via: upper case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
            Transport::Ws => "WS",
            Transport::Wss => "WSS",
        }
    }

    /// As in a URI's `transport` parameter: lower case.
    pub const fn param(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
            Transport::Ws => "ws",
            Transport::Wss => "wss",
        }
    }

    /// Does the transport itself repeat what is lost (RFC 3261 §17)?
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Transport::Udp)
    }

    /// 5060, 5061 (RFC 3261 §19.1.2), 80 or 443 (RFC 6455 §3).
    pub const fn default_port(self) -> u16 {
        match self {
            Transport::Udp | Transport::Tcp => 5060,
            Transport::Tls => 5061,
            Transport::Ws => 80,
            Transport::Wss => 443,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The `rport` parameter (RFC 3581 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rport {
    /// Not there.
    Absent,
    /// A flag: the sender wants answers at the port that it sent from.
    Requested,
    /// Filled in by the receiver.
    Port(u16),
}

/// One Via value (RFC 3261 §20.42).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Via {
    /// The transport as written, any token; see [`Via::known_transport`].
    pub transport: String,
    /// Sent-by host.
    pub host: Host,
    /// Sent-by port; `None` for the default of the transport.
    pub port: Option<u16>,
    /// `branch`, `received`, `rport` and others.
    pub params: Params,
}

impl Via {
    /// Every branch of RFC 3261 begins with it (§8.1.1.7).
    pub const MAGIC_COOKIE: &str = "z9hG4bK";

    /// A Via for a request of ours, `rport` asked for (RFC 3581 §3).
    pub fn new(transport: Transport, host: Host, port: Option<u16>, branch: &str) -> Self {
        let mut params = Params::new();
        params.set("branch", Some(branch));
        params.set("rport", None);
        Via { transport: transport.as_str().to_owned(), host, port, params }
    }

    /// The transport, where we know it.
    pub fn known_transport(&self) -> Option<Transport> {
        Transport::parse(&self.transport)
    }

    /// The `branch` parameter.
    pub fn branch(&self) -> Option<&str> {
        self.params.get("branch").filter(|b| !b.is_empty())
    }

    /// The `received` parameter.
    pub fn received(&self) -> Option<IpAddr> {
        let text = self.params.get("received")?;
        // RFC 5118 §4.5: an IPv6 address occurs here with and without brackets.
        text.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// The `rport` parameter.
    pub fn rport(&self) -> Rport {
        match self.params.find("rport") {
            None => Rport::Absent,
            Some(p) => p.value.as_deref().and_then(number).map_or(Rport::Requested, Rport::Port),
        }
    }

    /// Sent-by port or the default of the transport.
    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or(self.known_transport().map_or(5060, Transport::default_port))
    }

    /// Notes where the request really came from: `received` (RFC 3261 §18.2.1) and `rport` (RFC 3581 §4).
    pub fn stamp(&mut self, source: SocketAddr) {
        let wants_port = self.rport() != Rport::Absent;
        if wants_port {
            self.params.set("rport", Some(&source.port().to_string()));
        }
        let ip = source.ip().to_canonical();
        // RFC 3581 §4: with rport, `received` is always there. A forged one never stays.
        self.params.remove("received");
        if wants_port || self.host.ip() != Some(ip) {
            self.params.set("received", Some(&ip.to_string()));
        }
    }

    /// Where a response goes over an unreliable transport (RFC 3261 §18.2.2, RFC 3581 §4); `None` when that needs
    /// a name to be looked up.
    pub fn response_address(&self) -> Option<SocketAddr> {
        if let Some(maddr) = self.params.get("maddr") {
            return Some(SocketAddr::new(Host::parse(maddr)?.ip()?, self.port_or_default()));
        }
        let ip = self.received().or(self.host.ip())?;
        match self.rport() {
            Rport::Port(port) => Some(SocketAddr::new(ip, port)),
            _ => Some(SocketAddr::new(ip, self.port_or_default())),
        }
    }

    /// Reads one value: `SIP / 2.0 / UDP host : port ; params`, white space allowed around the separators.
    pub fn parse(text: &str) -> Option<Via> {
        Self::read(text, |version| version == "2.0", Params::parse)
    }

    /// The same of any version, parameters that break the grammar left out: enough to answer by.
    pub(crate) fn salvage(text: &str) -> Option<Via> {
        Self::read(text, |_| true, |params| Some(Params::salvage(params)))
    }

    fn read(
        text: &str,
        is_version: fn(&str) -> bool,
        read_params: fn(&str) -> Option<Params>,
    ) -> Option<Via> {
        let mut protocol = text.splitn(3, '/');
        let (name, version) = (trim(protocol.next()?), trim(protocol.next()?));
        if !name.eq_ignore_ascii_case("SIP") || !is_version(version) {
            return None;
        }
        let (transport, rest) = trim(protocol.next()?).split_once(is_lws)?;
        let (sent_by, params) = split_at_byte(rest, b';').unwrap_or((rest, ""));
        let (host, port) = parse_host_port(trim(sent_by))?;
        is_token(transport).then_some(())?;
        Some(Via { transport: transport.to_owned(), host, port, params: read_params(params)? })
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        self.params.fmt(f)
    }
}
