use std::net::SocketAddr;

use tandem_base::Time;

use crate::dialog::Dialog;
use crate::locate::Destination;
use crate::{Host, Rport, SipUri, Via};

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

/// What to look up once neither the connection nor the address that a request came from can be had (RFC 3263 §5):
/// a name in sent-by. A number there is what a NAT hides, or somebody else.
pub(super) fn sent_by(flow: &Flow, via: &Via) -> Option<Box<Destination>> {
    let looks = matches!(flow.protocol, Protocol::Tcp | Protocol::Tls) && via.host.ip().is_none();
    let destination = looks.then(|| Destination::of_response(via))??;
    (destination.transport == Some(flow.protocol)).then(|| Box::new(destination))
}

/// Where a request of ours goes.
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// There.
    To(Target),
    /// Where this leads by RFC 3263; if nowhere, to where the peer was last heard.
    Locate { destination: Destination, last: Option<Target> },
}

impl From<Target> for Way {
    fn from(target: Target) -> Self {
        Way::To(target)
    }
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
    /// - A name is looked up; where it leads nowhere, to where the peer was last heard: that is itself or its proxy.
    pub fn next(&self, dialog: &Dialog) -> Way {
        let reliable = self.flow.protocol.is_reliable();
        if if reliable { self.open } else { self.natted } {
            return Way::To(Target::Flow(self.flow));
        }
        let last = match reliable {
            true => Target::Address { protocol: self.flow.protocol, remote: self.flow.remote },
            false => Target::Flow(self.flow),
        };
        let Some(destination) = Destination::of_uri(dialog.next_hop()) else { return Way::To(last) };
        match destination.numeric() {
            Some(hop) => {
                Way::To(self.towards(Target::Address { protocol: hop.transport, remote: hop.remote }))
            }
            None => Way::Locate { destination, last: Some(last) },
        }
    }

    /// By UDP, from the socket that the peer knows us by.
    fn towards(&self, target: Target) -> Target {
        same_socket(target, &Target::Flow(self.flow))
    }
}

/// `target`, from the UDP socket of `known` where that fits.
pub(super) fn same_socket(target: Target, known: &Target) -> Target {
    let remote = target.remote();
    match known {
        Target::Flow(flow)
            if (flow.protocol, target.protocol()) == (Protocol::Udp, Protocol::Udp)
                && flow.remote.is_ipv4() == remote.is_ipv4() =>
        {
            Target::Flow(Flow { remote, ..*flow })
        }
        _ => target,
    }
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
