use std::net::SocketAddr;

/// Which of our addresses and which of somebody else's.
///
/// Ours is that which peers are told: behind a one-to-one NAT the advertised one, not the socket's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Route {
    /// Ours.
    pub local: SocketAddr,
    /// Theirs.
    pub remote: SocketAddr,
}

/// A datagram to be sent: of a handshake or a check, never of media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Which of our addresses it leaves from.
    pub from: SocketAddr,
    /// Whom it is for.
    pub to: SocketAddr,
    /// What it carries.
    pub octets: Vec<u8>,
}
