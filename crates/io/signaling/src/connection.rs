use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use socket2::{SockRef, TcpKeepalive};
use tandem_sip::ua::{Flow, FlowId, Protocol};
use tandem_sip::{Frame, StreamFramer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout, timeout_at};

use crate::dispatch::Inbound;
use crate::quota::{Leave, Quota};
use crate::{Counters, StreamLimits};

/// Octets read at a time.
const CHUNK: usize = 16 * 1024;
/// How long answers may still be written to a peer that has said its last.
const LINGER: Duration = Duration::from_secs(1);

/// What a connection shares with the rest of signalling.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub inbound: mpsc::Sender<Inbound>,
    pub counters: Arc<Counters>,
    pub quota: Quota,
    pub limits: StreamLimits,
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
enum End {
    /// The peer has said its last, or what it says cannot be understood: it may still be answered.
    Heard,
    /// We want no more of it.
    Closed,
    /// It failed.
    Broken,
}

/// Serves a connection that was accepted, until it ends.
pub(crate) async fn serve(stream: TcpStream, flow: Flow, link: Link, leave: Leave) {
    let (queue, waiting) = mpsc::channel(link.limits.queue);
    let weak = queue.downgrade();
    if link.inbound.send(Inbound::Opened { flow, queue }).await.is_ok() {
        converse(stream, flow, &link, weak, waiting).await;
    }
    drop(leave);
}

/// Makes a connection and serves it. What waits in the queue meanwhile is sent once it stands.
pub(crate) async fn connect(
    flow: Flow,
    queue: mpsc::WeakSender<Bytes>,
    waiting: mpsc::Receiver<Bytes>,
    link: Link,
    leave: Leave,
) {
    match timeout(link.limits.connect_timeout, TcpStream::connect(flow.remote)).await {
        Ok(Ok(stream)) => {
            let flow = Flow { local: local_end(&stream, &flow), ..flow };
            converse(stream, flow, &link, queue, waiting).await;
        }
        _ => {
            Counters::add(&link.counters.connects_failed);
            tracing::debug!(remote = %flow.remote, flow = %flow.id, "no connection came about");
            drop(waiting);
            // Nobody listens any more: then nobody cares.
            let _ = link.inbound.send(Inbound::Unreachable(flow)).await;
        }
    }
    drop(leave);
}

/// The address that the system chose, with the port that we listen on: there the peer can reach us anew.
fn local_end(stream: &TcpStream, flow: &Flow) -> SocketAddr {
    let ip = stream.local_addr().map_or(flow.local.ip(), |a| a.ip());
    SocketAddr::new(ip, flow.local.port())
}

async fn converse(
    stream: TcpStream,
    flow: Flow,
    link: &Link,
    queue: mpsc::WeakSender<Bytes>,
    waiting: mpsc::Receiver<Bytes>,
) {
    prepare(&stream);
    let (reading, writing) = stream.into_split();
    let written = Notify::new();
    let mut writing = pin!(write(writing, waiting, link, &written));
    let end = tokio::select! {
        end = &mut writing => end,
        end = read(reading, flow, link, Replies { queue, written: &written }) => end,
    };
    if end == End::Heard {
        let _ = timeout(LINGER, writing).await;
    }
    tracing::debug!(flow = %flow.id, ?end, "connection closed");
    // Nobody listens any more: then nobody cares.
    let _ = link.inbound.send(Inbound::Closed(flow)).await;
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

/// Writes what waits until the queue is dropped.
async fn write(
    mut writing: OwnedWriteHalf,
    mut waiting: mpsc::Receiver<Bytes>,
    link: &Link,
    written: &Notify,
) -> End {
    while let Some(bytes) = waiting.recv().await {
        match timeout(link.limits.write_timeout, writing.write_all(&bytes)).await {
            Ok(Ok(())) => written.notify_one(),
            Ok(Err(_)) => return End::Broken,
            Err(_) => {
                // One given up for its full queue is counted already.
                if !waiting.is_closed() {
                    Counters::add(&link.counters.peers_stalled);
                }
                return End::Broken;
            }
        }
    }
    End::Closed
}

/// What goes back to the peer, as its reader sees it.
struct Replies<'a> {
    /// Weak, so that the connection ends once the user agent is done with it.
    queue: mpsc::WeakSender<Bytes>,
    /// Something was taken from the queue and written.
    written: &'a Notify,
}

impl Replies<'_> {
    /// Waits until the queue has that much room: who does not read is not read either.
    async fn room(&self, wanted: usize) -> Result<(), End> {
        while self.queue.upgrade().ok_or(End::Closed)?.capacity() < wanted {
            self.written.notified().await;
        }
        Ok(())
    }

    /// RFC 5626 §4.4.1. A peer with so much unread already does not need it.
    fn pong(&self) {
        if let Some(queue) = self.queue.upgrade() {
            let _ = queue.try_send(Bytes::from_static(b"\r\n"));
        }
    }
}

/// Reads and cuts into messages until the stream ends.
async fn read(mut reading: OwnedReadHalf, flow: Flow, link: &Link, replies: Replies<'_>) -> End {
    let mut framer = StreamFramer::new();
    let mut buffer = BytesMut::with_capacity(CHUNK);
    let mut until = Instant::now() + link.limits.message_timeout;
    loop {
        buffer.clear();
        buffer.reserve(CHUNK);
        match timeout_at(until, reading.read_buf(&mut buffer)).await {
            Ok(Ok(0)) => return End::Heard,
            Ok(Ok(_)) => framer.push(&buffer),
            Ok(Err(_)) => return End::Broken,
            Err(_) => {
                Counters::add(&link.counters.peers_silent);
                return End::Closed;
            }
        }
        let was_cut = match pass_on(&mut framer, flow, link, &replies).await {
            Ok(was_cut) => was_cut,
            Err(end) => return end,
        };
        if !framer.is_mid_message() {
            until = Instant::now() + link.limits.idle_timeout;
        } else if was_cut {
            until = Instant::now() + link.limits.message_timeout;
        } else {
            // The rest of a message that begins now, or still the time of one that began before.
            until = until.min(Instant::now() + link.limits.message_timeout);
        }
    }
}

/// Passes on every whole message; true when there was one.
async fn pass_on(
    framer: &mut StreamFramer,
    flow: Flow,
    link: &Link,
    replies: &Replies<'_>,
) -> Result<bool, End> {
    let mut was_cut = false;
    loop {
        let inbound = match framer.next_frame() {
            Ok(None) => return Ok(was_cut),
            Ok(Some(Frame::Ping)) => {
                Counters::add(&link.counters.keep_alives);
                replies.pong();
                was_cut = true;
                continue;
            }
            Ok(Some(Frame::Message(bytes))) => {
                Counters::add(&link.counters.stream_messages);
                was_cut = true;
                Inbound::Message { flow, bytes }
            }
            Err(error) => {
                Counters::add(&link.counters.streams_unframed);
                let error = Inbound::Unframed { flow, error };
                let told = link.inbound.send(error).await;
                return Err(if told.is_ok() { End::Heard } else { End::Closed });
            }
        };
        replies.room(link.limits.queue / 2).await?;
        link.inbound.send(inbound).await.map_err(|_| End::Closed)?;
    }
}

/// A flow to be: our end is where we listen, until the system has chosen.
pub(crate) const fn flow_to(id: FlowId, local: SocketAddr, remote: SocketAddr) -> Flow {
    Flow { id, protocol: Protocol::Tcp, local, remote }
}
