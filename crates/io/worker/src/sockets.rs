use std::io;
use std::net::{IpAddr, SocketAddr};

use tandem_transport::{Component, PortPair};

use crate::leg::Outlet;
use crate::sys::{disconnect, enable_destinations};

/// A leg's sockets.
///
/// While only the peer's RTP is wanted, the socket is connected to it: sending costs a fifth less, and what others send
/// is dropped by the kernel.
#[derive(Debug)]
pub struct Sockets {
    /// RTP on the even port, RTCP on the odd one.
    pub pair: PortPair,
    connected: Option<SocketAddr>,
    local: Local,
}

/// Which of our addresses the peer sends to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Local {
    /// The only one that the socket is bound to.
    Bound,
    /// The socket is bound to all; the last packet came to this one.
    Any(Option<IpAddr>),
    /// One that a connected socket would not take from, or a peer that refuses what we send: never connect.
    Unfit,
}

impl Sockets {
    /// Not connected.
    pub fn new(pair: PortPair) -> Self {
        let local = match pair.rtp.local_addr() {
            Ok(bound) if !bound.ip().is_unspecified() => Local::Bound,
            Ok(bound) if bound.is_ipv4() && enable_destinations(&pair.rtp).is_ok() => Local::Any(None),
            _ => Local::Unfit,
        };
        Sockets { pair, connected: None, local }
    }

    /// The peer's RTP comes to this address of ours.
    pub fn note_destination(&mut self, to: Option<IpAddr>) {
        if let (Local::Any(known), Some(_)) = (&mut self.local, to) {
            *known = to;
        }
    }

    fn connect(&mut self, peer: SocketAddr) -> io::Result<()> {
        if matches!(self.local, Local::Unfit | Local::Any(None)) {
            return Ok(());
        }
        self.pair.rtp.connect(peer)?;
        self.connected = Some(peer);
        // The kernel has chosen our address by its routes; the peer may know us by another one.
        let chosen = self.pair.rtp.local_addr()?.ip();
        if matches!(self.local, Local::Any(to) if to != Some(chosen)) {
            self.give_up();
        }
        Ok(())
    }

    /// Never to be connected again.
    fn give_up(&mut self) {
        self.local = Local::Unfit;
        self.disconnect();
    }

    fn disconnect(&mut self) {
        if disconnect(&self.pair.rtp).is_ok() {
            self.connected = None;
        }
    }

    fn send_connected(&mut self, to: SocketAddr, datagram: &[u8]) -> bool {
        match self.pair.rtp.send(datagram) {
            Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => {
                // Told of an earlier packet in place of sending this one.
                self.give_up();
                self.pair.rtp.send_to(datagram, to).is_ok()
            }
            sent => sent.is_ok(),
        }
    }
}

impl Outlet for Sockets {
    fn send(&mut self, component: Component, to: SocketAddr, datagram: &[u8]) -> bool {
        match component {
            Component::Rtp if self.connected == Some(to) => self.send_connected(to, datagram),
            Component::Rtp => self.pair.rtp.send_to(datagram, to).is_ok(),
            Component::Rtcp => self.pair.rtcp.send_to(datagram, to).is_ok(),
        }
    }

    fn settle(&mut self, peer: Option<SocketAddr>) {
        if self.connected == peer {
            return;
        }
        if self.connected.is_some() {
            self.disconnect();
        }
        if let Some(peer) = peer.filter(|_| self.connected.is_none())
            && self.connect(peer).is_err()
        {
            self.give_up();
        }
    }
}
