use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// The transport of a flow.
pub use crate::Transport as Protocol;

/// A datagram socket (shared by all its remotes), or one connection. Never used twice in one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FlowId(pub u64);

impl fmt::Display for FlowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "f{}", self.0)
    }
}

/// The way that a message came: a connection, or a datagram socket with the remote's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Flow {
    /// The socket.
    pub id: FlowId,
    /// What it speaks.
    pub protocol: Protocol,
    /// Our end. It may be the wildcard address where the socket knows no better.
    pub local: SocketAddr,
    /// The far end.
    pub remote: SocketAddr,
}

/// Where a message has to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Target {
    /// Over this socket: for UDP as a datagram to `remote`, otherwise over the open connection.
    Flow(Flow),
    /// To this address: over an open connection to it, else over a new one; for UDP from a listener of ours.
    Address {
        /// What to speak.
        protocol: Protocol,
        /// Where to.
        remote: SocketAddr,
    },
}

impl Target {
    /// What is spoken.
    pub const fn protocol(&self) -> Protocol {
        match self {
            Target::Flow(flow) => flow.protocol,
            Target::Address { protocol, .. } => *protocol,
        }
    }

    /// The far end.
    pub const fn remote(&self) -> SocketAddr {
        match self {
            Target::Flow(flow) => flow.remote,
            Target::Address { remote, .. } => *remote,
        }
    }
}
