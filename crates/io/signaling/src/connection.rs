use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use socket2::{SockRef, TcpKeepalive};
use tandem_sip::ua::{Flow, FlowId, Protocol};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use crate::dispatch::Inbound;
use crate::handshake::{self, Accepted};
use crate::outbound::Peer;
use crate::quota::{Leave, Quota};
use crate::tls::Tls;
use crate::{Counters, StreamLimits, stream, websocket};

/// What a connection shares with the rest of signalling.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub inbound: mpsc::Sender<Inbound>,
    pub counters: Arc<Counters>,
    /// Of connections.
    pub quota: Quota,
    /// Of handshakes under way.
    pub half_open: Quota,
    pub limits: StreamLimits,
    pub tls: Option<Arc<Tls>>,
    pub ids: Arc<AtomicU64>,
    /// Dropped with the last connection; nothing is ever sent.
    #[expect(dead_code, reason = "its being dropped is the message")]
    pub alive: mpsc::Sender<Infallible>,
}

impl Link {
    pub fn next_id(&self) -> FlowId {
        FlowId(self.ids.fetch_add(1, Ordering::Relaxed))
    }
}

/// Why a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The peer has said its last, or what it says cannot be understood: it may still be answered.
    Heard,
    /// We want no more of it, or it of us.
    Closed,
    /// It failed.
    Broken,
}

/// Serves a connection that was accepted, until it ends.
pub(crate) async fn serve(
    stream: TcpStream,
    flow: Flow,
    link: Arc<Link>,
    leave: Leave,
    half_open: Option<Leave>,
) {
    prepare(&stream);
    // In a box of its own, so that its memory is given back when it is done.
    let shaking = Box::pin(handshake::accept(stream, flow.protocol, link.tls.as_ref()));
    let accepted =
        timeout(link.limits.handshake_timeout, shaking).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()));
    drop(half_open);
    match accepted {
        Ok(accepted) => {
            let (queue, waiting) = mpsc::channel(link.limits.queue);
            let weak = queue.downgrade();
            if link.inbound.send(Inbound::Opened { flow, queue }).await.is_ok() {
                converse(accepted, flow, &link, weak, waiting).await;
            }
        }
        Err(error) => {
            Counters::add(&link.counters.handshakes_failed);
            tracing::debug!(remote = %flow.remote, flow = %flow.id, protocol = flow.protocol.param(), %error,
                "a handshake failed");
        }
    }
    drop(leave);
}

async fn converse(
    accepted: Accepted,
    flow: Flow,
    link: &Link,
    queue: mpsc::WeakSender<Bytes>,
    waiting: mpsc::Receiver<Bytes>,
) {
    let end = match accepted {
        Accepted::Tcp(stream) => {
            let (reading, writing) = stream.into_split();
            stream::converse(reading, writing, flow, link, queue, waiting).await
        }
        Accepted::Tls(stream) => {
            let (reading, writing) = tokio::io::split(stream);
            Box::pin(stream::converse(reading, writing, flow, link, queue, waiting)).await
        }
        Accepted::Ws(socket) => Box::pin(websocket::converse(*socket, flow, link, queue, waiting)).await,
        Accepted::Wss(socket) => Box::pin(websocket::converse(*socket, flow, link, queue, waiting)).await,
    };
    ended(flow, &end, link).await;
}

async fn ended(flow: Flow, end: &End, link: &Link) {
    tracing::debug!(flow = %flow.id, ?end, "connection closed");
    // Nobody listens any more: then nobody cares.
    let _ = link.inbound.send(Inbound::Closed(flow)).await;
}

/// Makes a connection and serves it. What waits in the queue meanwhile is sent once it stands.
pub(crate) async fn connect(
    flow: Flow,
    peer: Peer,
    queue: mpsc::WeakSender<Bytes>,
    waiting: mpsc::Receiver<Bytes>,
    link: Arc<Link>,
    leave: Leave,
) {
    let connecting = timeout(link.limits.connect_timeout, Box::pin(reach(&peer, &link)));
    match connecting.await.unwrap_or(Err(io::ErrorKind::TimedOut.into())) {
        Ok((ours, reached)) => {
            // With the port that we listen on: there the peer can reach us anew.
            let local = SocketAddr::new(ours.ip(), flow.local.port());
            let flow = Flow { local, ..flow };
            let end = match reached {
                Reached::Tcp(tcp) => {
                    let (reading, writing) = tcp.into_split();
                    stream::converse(reading, writing, flow, &link, queue, waiting).await
                }
                Reached::Tls(tls) => {
                    let (reading, writing) = tokio::io::split(tls);
                    Box::pin(stream::converse(reading, writing, flow, &link, queue, waiting)).await
                }
            };
            ended(flow, &end, &link).await;
        }
        Err(error) => {
            Counters::add(&link.counters.connects_failed);
            tracing::debug!(remote = %flow.remote, flow = %flow.id, %error, "no connection came about");
            drop(waiting);
            // Nobody listens any more: then nobody cares.
            let _ = link.inbound.send(Inbound::Unreachable(flow)).await;
        }
    }
    drop(leave);
}

/// A connection of ours.
enum Reached {
    Tcp(TcpStream),
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

/// Our end, and the connection.
async fn reach(peer: &Peer, link: &Link) -> io::Result<(SocketAddr, Reached)> {
    let stream = TcpStream::connect(peer.remote).await?;
    prepare(&stream);
    let ours = stream.local_addr()?;
    match peer.protocol {
        Protocol::Tls => {
            let name = peer.name.as_deref();
            let tls = handshake::connect_tls(stream, peer.remote.ip(), name, link.tls.as_ref()).await?;
            Ok((ours, Reached::Tls(Box::new(tls))))
        }
        _ => Ok((ours, Reached::Tcp(stream))),
    }
}

/// Best effort: a connection works without.
fn prepare(stream: &TcpStream) {
    let keepalive =
        TcpKeepalive::new().with_time(Duration::from_secs(120)).with_interval(Duration::from_secs(20));
    let socket = SockRef::from(stream);
    if let Err(error) = stream.set_nodelay(true).and_then(|()| socket.set_tcp_keepalive(&keepalive)) {
        tracing::debug!(%error, "socket options refused");
    }
}

/// A write took too long.
pub(crate) fn stalled(waiting: &mpsc::Receiver<Bytes>, link: &Link) -> End {
    // One given up for its full queue is counted already.
    if !waiting.is_closed() {
        Counters::add(&link.counters.peers_stalled);
    }
    End::Broken
}

/// What goes back to the peer, as its reader sees it.
pub(crate) struct Replies<'a> {
    /// Weak, so that the connection ends once the user agent is done with it.
    pub queue: mpsc::WeakSender<Bytes>,
    /// Something was taken from the queue and written.
    pub written: &'a Notify,
}

impl Replies<'_> {
    /// Waits until the queue has that much room: who does not read is not read either.
    pub async fn room(&self, wanted: usize) -> Result<(), End> {
        while self.queue.upgrade().ok_or(End::Closed)?.capacity() < wanted {
            self.written.notified().await;
        }
        Ok(())
    }

    /// RFC 5626 §4.4.1. A peer with so much unread already does not need it.
    pub fn pong(&self) {
        if let Some(queue) = self.queue.upgrade() {
            let _ = queue.try_send(Bytes::from_static(b"\r\n"));
        }
    }
}
