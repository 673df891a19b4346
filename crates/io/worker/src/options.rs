use std::io;
use std::net::{IpAddr, Ipv4Addr};

use tandem_transport::PortRange;
use thiserror::Error;

/// How the media threads are to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerOptions {
    /// Media threads; 0: one per core.
    pub threads: usize,
    /// The address that media sockets are bound to; `0.0.0.0` and `::` are allowed together with `advertise`.
    pub bind: IpAddr,
    /// The address that peers are told, where it is another one (NAT 1:1).
    pub advertise: Option<IpAddr>,
    /// Ports for RTP and RTCP.
    pub ports: PortRange,
    /// The RTCP canonical name of every leg (RFC 3550 §6.5.1); `None`: each leg draws a random one, which tells a
    /// peer nothing about the others (RFC 7022 §4.2).
    pub cname: Option<String>,
    /// Ask for SCHED_FIFO. Without the privilege the threads run as all others do;
    /// [`Workers::is_realtime`](crate::Workers::is_realtime) tells.
    pub realtime: bool,
    /// A room's legs that one worker runs at once; the rest of the room is spread over the others, and over other times
    /// of the 20 ms. In legs of G.711: G.722 counts as two, Opus as three.
    pub part: u32,
    /// Commands that may wait for one thread, 1 or more. Where it is full, `open` refuses with a 503.
    pub queue: usize,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        WorkerOptions {
            threads: 0,
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            advertise: None,
            ports: PortRange::default(),
            cname: None,
            realtime: true,
            part: 500,
            queue: 1_024,
        }
    }
}

/// Why the media threads did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The kernel gave no thread, timer or event descriptor.
    #[error("media threads cannot start: {0}")]
    Io(#[from] io::Error),
    /// Nothing can be bound at the media address.
    #[error("media address {address} cannot be used: {source}")]
    Address {
        /// Which address.
        address: IpAddr,
        /// What the kernel said.
        source: io::Error,
    },
}
