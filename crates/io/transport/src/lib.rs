//! The leg's media transport: ports, demultiplexing, symmetric latching.
//!
//! [`PortPool`] opens a pair of sockets for a leg; [`PlainTransport`] decides, without any socket, whose packets
//! are the peer's and where ours go.

#![deny(clippy::indexing_slicing)]

mod range;

pub use range::{PortRange, PortRangeError};
