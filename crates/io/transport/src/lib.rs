//! The leg's media transport: ports, demultiplexing, symmetric latching.
//!
//! [`PortPool`] opens a pair of sockets for a leg; [`PlainTransport`] decides, without any socket, whose packets
//! are the peer's and where ours go; [`SrtpContext`] encrypts and decrypts them.

#![deny(clippy::indexing_slicing)]

mod plain;
mod pool;
mod ports;
mod range;
mod srtp;

pub use plain::{Component, PlainTransport};
pub use pool::{PortPair, PortPool};
pub use ports::{LEAST_QUARANTINE, Ports, QUARANTINE};
pub use range::{PortRange, PortRangeError};
pub use srtp::{SRTP_TRAILER, SentPosition, SrtpContext, SrtpError, SrtpPositions, StreamPosition, Window};

#[cfg(test)]
mod tests;
