use std::net::{IpAddr, SocketAddr};

use crate::{Host, SipUri, Transport, Uri, Via};

use super::Hop;

/// What is to be located: all that RFC 3263 looks at in a URI or a Via.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Only over TLS (`sips`).
    pub secure: bool,
    /// Named by the URI, or that of the Via; TLS or WSS where `secure`.
    pub transport: Option<Transport>,
    /// `maddr` where there is one, else the host (RFC 3263 §4: TARGET).
    pub host: Host,
    /// Named by the URI or the Via.
    pub port: Option<u16>,
}

impl Destination {
    /// Of the URI that a request goes to: the first Route, else the Request-URI.
    ///
    /// `None` for what is no SIP URI, names a transport that is not known, or wants security over UDP.
    pub fn of_uri(uri: &Uri) -> Option<Self> {
        let uri = uri.as_sip()?;
        let transport = match uri.params.get("transport") {
            Some(name) => Some(over(Transport::parse(name)?, uri.secure)?),
            None => None,
        };
        Some(Destination { secure: uri.secure, transport, host: target_of(uri)?, port: uri.port })
    }

    /// Of the Via that a response goes by, once its connection is gone and the address that the request came from
    /// does not answer (RFC 3263 §5). `maddr` is not followed: anybody could aim our responses by it.
    pub fn of_response(via: &Via) -> Option<Self> {
        let transport = via.known_transport()?;
        let secure = transport == Transport::Tls;
        Some(Destination { secure, transport: Some(transport), host: via.host.clone(), port: via.port })
    }

    /// Where it is, if that needs no question: the host is an address (RFC 3263 §4.1, §4.2).
    pub fn numeric(&self) -> Option<Hop> {
        let transport = self.transport.unwrap_or(self.default_transport());
        let port = self.port.unwrap_or(transport.default_port());
        Some(Hop { transport, remote: SocketAddr::new(self.host.ip()?, port) })
    }

    /// Where neither the URI nor the DNS says (RFC 3263 §4.1).
    pub(super) const fn default_transport(&self) -> Transport {
        if self.secure { Transport::Tls } else { Transport::Udp }
    }
}

/// What a URI with this `transport` parameter is sent over.
const fn over(named: Transport, secure: bool) -> Option<Transport> {
    match (named, secure) {
        (named, false) => Some(named),
        (Transport::Tcp | Transport::Tls, true) => Some(Transport::Tls),
        (Transport::Ws | Transport::Wss, true) => Some(Transport::Wss),
        // There is no TLS over UDP (RFC 3261 §26.2.2); without it would be against the caller's word.
        (Transport::Udp, true) => None,
    }
}

fn target_of(uri: &SipUri) -> Option<Host> {
    match uri.params.get("maddr") {
        Some(maddr) => Host::parse(maddr),
        None => Some(uri.host.clone()),
    }
}

/// What we speak, by the kind of address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Over IPv4.
    pub ipv4: Vec<Transport>,
    /// Over IPv6.
    pub ipv6: Vec<Transport>,
}

impl Reach {
    /// Adds a transport with the kind of this address.
    pub fn add(&mut self, transport: Transport, ip: IpAddr) {
        let of_kind = if ip.is_ipv4() { &mut self.ipv4 } else { &mut self.ipv6 };
        if !of_kind.contains(&transport) {
            of_kind.push(transport);
        }
    }

    /// Do we speak it at all?
    pub fn speaks(&self, transport: Transport) -> bool {
        self.ipv4.contains(&transport) || self.ipv6.contains(&transport)
    }

    /// Do we speak it with such addresses?
    pub fn reaches(&self, transport: Transport, ip: IpAddr) -> bool {
        if ip.is_ipv4() { self.ipv4.contains(&transport) } else { self.ipv6.contains(&transport) }
    }
}
