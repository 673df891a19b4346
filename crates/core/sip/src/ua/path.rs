use std::net::{IpAddr, SocketAddr};

use tandem_base::Time;

use crate::dialog::Dialog;
use crate::{Host, Rport, SipUri, Transport, Uri, Via};

use super::{Flow, Protocol, Target};

/// Where a response goes (RFC 3261 §18.2.2, RFC 3581 §4), and where else should a connection be gone by then.
///
/// `maddr` is not followed: it would let anybody aim our responses at a third party.
pub(super) fn response_route(flow: &Flow, via: &Via) -> (Target, SocketAddr) {
    let ip = flow.remote.ip();
    let by_sent_by = SocketAddr::new(ip, via.port.unwrap_or(flow.protocol.default_port()));
    if flow.protocol.is_reliable() {
        return (Target::Flow(*flow), by_sent_by);
    }
    let remote = if via.rport() == Rport::Absent { by_sent_by } else { flow.remote };
    (Target::Flow(Flow { remote, ..*flow }), remote)
}

/// How the peer of a dialog was last heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Path {
    flow: Flow,
    open: bool,
    natted: bool,
}

impl Path {
    /// A request came by `flow` with this topmost Via.
    pub fn of_request(flow: &Flow, via: &Via) -> Self {
        let sent_by = via.host.ip().map(|ip| SocketAddr::new(ip, via.port_or_default()));
        let source = SocketAddr::new(flow.remote.ip().to_canonical(), flow.remote.port());
        // A name in sent-by tells nothing.
        Path { flow: *flow, open: true, natted: sent_by.is_some_and(|by| by != source) }
    }

    /// A response came by `flow`.
    pub const fn of_response(flow: &Flow) -> Self {
        Path { flow: *flow, open: true, natted: false }
    }

    pub const fn flow(&self) -> &Flow {
        &self.flow
    }

    /// The connection is gone.
    pub const fn close(&mut self) {
        self.open = false;
    }

    /// Where the next request in the dialog goes.
    ///
    /// - Over the connection that the peer was last heard on, while it is open: a second one could not get through
    ///   to a peer behind a NAT (RFC 5923 calls for the same reuse).
    /// - By UDP, to the address that the last request came from, if its Via named another: such a peer sits behind
    ///   a NAT, and its Contact leads nowhere. It breaks the letter of RFC 3261 §12.2.1.1, and is what RFC 3581
    ///   does for responses.
    /// - Else to the route set or the remote target (§12.2.1.1), where it names an IP address.
    /// - Names are not looked up here; with one, to where the peer was last heard: that is itself or its proxy.
    pub fn next(&self, dialog: &Dialog) -> Target {
        let reliable = self.flow.protocol.is_reliable();
        if if reliable { self.open } else { self.natted } {
            return Target::Flow(self.flow);
        }
        match address_of(dialog.next_hop()) {
            // From the socket that the peer knows us by.
            Some((Protocol::Udp, remote)) if !reliable => Target::Flow(Flow { remote, ..self.flow }),
            Some((protocol, remote)) => Target::Address { protocol, remote },
            None if reliable => Target::Address { protocol: self.flow.protocol, remote: self.flow.remote },
            None => Target::Flow(self.flow),
        }
    }
}

/// Protocol and address that a SIP URI names (RFC 3263 §4.1, §4.2 for numeric hosts); `None` for a host name.
fn address_of(uri: &Uri) -> Option<(Protocol, SocketAddr)> {
    let uri = uri.as_sip()?;
    let host = uri.maddr().unwrap_or_else(|| uri.host.clone());
    let protocol = protocol_of(uri)?;
    let ip: IpAddr = host.ip()?;
    Some((protocol, SocketAddr::new(ip, uri.port.unwrap_or(protocol.default_port()))))
}

fn protocol_of(uri: &SipUri) -> Option<Protocol> {
    let named = match uri.params.get("transport") {
        Some(name) => Some(Transport::parse(name)?),
        None => None,
    };
    Some(match (named, uri.secure) {
        (None, false) => Protocol::Udp,
        (None | Some(Protocol::Tcp), true) => Protocol::Tls,
        (Some(Protocol::Ws), true) => Protocol::Wss,
        (Some(named), _) => named,
    })
}

/// A timer in the future, or now where it is missed.
pub(super) fn earliest(times: impl IntoIterator<Item = Option<Time>>) -> Option<Time> {
    times.into_iter().flatten().min()
}

/// `sip:user@host:port`, as an address of ours.
pub(super) fn own_uri(
    secure: bool,
    user: &str,
    host: &Host,
    port: Option<u16>,
    protocol: Protocol,
) -> SipUri {
    let mut uri = SipUri::new(host.clone());
    uri.secure = secure;
    uri.port = port;
    if !user.is_empty() {
        uri = uri.with_user(user);
    }
    match protocol {
        Protocol::Udp => uri,
        Protocol::Tls | Protocol::Tcp if secure => uri,
        Protocol::Wss => uri.with_param("transport", Some("ws")),
        other => uri.with_param("transport", Some(other.param())),
    }
}
