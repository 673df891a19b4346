//! The leg's media transport: ports, demultiplexing, symmetric latching.
//!
//! [`PortPool`] opens a pair of sockets for a leg; [`PlainTransport`] decides, without any socket, whose packets
//! are the peer's and where ours go; [`SrtpContext`] encrypts and decrypts them.

#![deny(clippy::indexing_slicing)]

mod clock;
mod datagram;
mod demux;
mod dtls;
mod ice;
mod plain;
mod pool;
mod ports;
mod range;
mod reflexive;
mod secure;
mod srtp;
mod stun;

pub use datagram::{Datagram, Route};
pub use demux::{Demux, Destination, Strangers};
pub use dtls::{DtlsFailure, Identities, Identity, IdentityError};
pub use ice::local_candidates;
pub use plain::{Component, PlainTransport};
pub use pool::{PortPair, PortPool};
pub use ports::{LEAST_QUARANTINE, Ports, QUARANTINE};
pub use range::{PortRange, PortRangeError};
pub use reflexive::ReflexiveAddress;
pub use secure::{Opened, SecureDrops, SecureEvent, SecureOutput, SecureTransport};
pub use srtp::{SRTP_TRAILER, SentPosition, SrtpContext, SrtpError, SrtpPositions, StreamPosition, Window};
pub use stun::{DatagramKind, StunClass, StunOutline};

#[cfg(test)]
mod tests;
