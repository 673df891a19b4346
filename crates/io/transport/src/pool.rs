use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};
use tandem_base::{Blame, Fault, LocalMedia, Time};

use crate::{PortRange, Ports};

/// Octets that the kernel may hold for one socket: a second of audio at 50 packets is 20 kB with its overhead
/// counted, so this bears a stalled tick and bounds what a flood can occupy.
const BUFFER: usize = 128 * 1024;

/// Ports taken by others that one `open` skips before it gives up.
const TRIES: usize = 64;

/// DSCP Expedited Forwarding (RFC 3246) as the TOS or traffic class octet.
const EXPEDITED: u32 = 46 << 2;

/// Opens pairs of UDP sockets for legs.
#[derive(Clone, Debug)]
pub struct PortPool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bind: IpAddr,
    advertise: IpAddr,
    began: Instant,
    ports: Mutex<Ports>,
}

/// A leg's sockets, non-blocking: RTP on an even port and RTCP on the next. Dropping it closes them and lets the
/// ports rest.
#[derive(Debug)]
pub struct PortPair {
    /// RTP, and RTCP too under rtcp-mux.
    pub rtp: UdpSocket,
    /// RTCP.
    pub rtcp: UdpSocket,
    local: LocalMedia,
    // Declared last: fields drop in order, so the sockets are closed before the port can be taken again.
    _lease: Lease,
}

#[derive(Debug)]
struct Lease {
    port: u16,
    shared: Arc<Shared>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let now = self.shared.now();
        self.shared.ports().release(self.port, now);
    }
}

impl PortPair {
    /// The addresses that the peer is told.
    pub fn local(&self) -> LocalMedia {
        self.local
    }
}

impl PortPool {
    /// A pool over `range` at the address `bind`. Peers are told `advertise` where that is given. `start` says which
    /// pair is the first (see [`Ports::new`]).
    ///
    /// # Errors
    /// When no socket can be bound at the address at all.
    pub fn new(bind: IpAddr, advertise: Option<IpAddr>, range: PortRange, start: u16) -> io::Result<Self> {
        Socket::new(Domain::for_address(SocketAddr::new(bind, 0)), Type::DGRAM, Some(Protocol::UDP))?
            .bind(&SocketAddr::new(bind, 0).into())?;
        let shared = Shared {
            bind,
            advertise: advertise.unwrap_or(bind),
            began: Instant::now(),
            ports: Mutex::new(Ports::new(range, start)),
        };
        Ok(PortPool { shared: Arc::new(shared) })
    }

    /// Opens the next pair; ports that another program holds are skipped.
    ///
    /// # Errors
    /// 503 when no port is left or the kernel gives no sockets.
    pub fn open(&self) -> Result<PortPair, Fault> {
        for _ in 0..TRIES {
            let lease = self.lease().ok_or_else(exhausted)?;
            match self.bind(lease) {
                Ok(pair) => return Ok(pair),
                Err(e) if e.kind() == io::ErrorKind::AddrInUse => {}
                Err(e) => return Err(refused(&e)),
            }
        }
        Err(exhausted())
    }

    /// Pairs that are neither in use nor known to be held by others.
    pub fn available(&self) -> usize {
        self.shared.ports().available()
    }

    fn lease(&self) -> Option<Lease> {
        let now = self.shared.now();
        let port = self.shared.ports().take(now)?;
        Some(Lease { port, shared: Arc::clone(&self.shared) })
    }

    fn bind(&self, lease: Lease) -> io::Result<PortPair> {
        let rtcp_port = lease.port + 1;
        let rtp = media_socket(SocketAddr::new(self.shared.bind, lease.port))?;
        let rtcp = media_socket(SocketAddr::new(self.shared.bind, rtcp_port))?;
        let local = LocalMedia {
            rtp: SocketAddr::new(self.shared.advertise, lease.port),
            rtcp: SocketAddr::new(self.shared.advertise, rtcp_port),
        };
        Ok(PortPair { rtp, rtcp, local, _lease: lease })
    }
}

impl Shared {
    fn now(&self) -> Time {
        Time::ZERO + self.began.elapsed()
    }

    fn ports(&self) -> MutexGuard<'_, Ports> {
        // The lists are valid after every single step, so a panic elsewhere leaves nothing half done.
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn media_socket(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.set_recv_buffer_size(BUFFER)?;
    socket.set_send_buffer_size(BUFFER)?;
    // Best effort: a network or a sandbox that forbids marking carries the packets all the same.
    let _ = if address.is_ipv4() { socket.set_tos_v4(EXPEDITED) } else { socket.set_tclass_v6(EXPEDITED) };
    socket.bind(&address.into())?;
    Ok(socket.into())
}

fn exhausted() -> Fault {
    Fault::new(Blame::Ourselves, 503, "no media port is free").retry_after(Duration::from_secs(5))
}

fn refused(error: &io::Error) -> Fault {
    Fault::new(Blame::Ourselves, 503, format!("no media socket: {error}")).retry_after(Duration::from_secs(5))
}
