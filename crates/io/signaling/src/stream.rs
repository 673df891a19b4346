//! SIP over a stream of octets: TCP, or TLS over it (RFC 3261 §18.3).

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tandem_sip::ua::Flow;
use tandem_sip::{Frame, StreamFramer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout, timeout_at};

use crate::Counters;
use crate::connection::{End, Link, Replies, stalled};
use crate::dispatch::Inbound;

/// Octets read at a time.
const CHUNK: usize = 16 * 1024;
/// How long answers may still be written to a peer that has said its last.
const LINGER: Duration = Duration::from_secs(1);

/// Serves a connection until it ends.
pub(crate) async fn converse(
    reading: impl AsyncRead + Unpin,
    writing: impl AsyncWrite + Unpin,
    flow: Flow,
    link: &Link,
    queue: mpsc::WeakSender<Bytes>,
    waiting: mpsc::Receiver<Bytes>,
) -> End {
    let written = Notify::new();
    let mut writing = pin!(write(writing, waiting, link, &written));
    let end = tokio::select! {
        end = &mut writing => end,
        end = read(reading, flow, link, Replies { queue, written: &written }) => end,
    };
    if end == End::Heard {
        let _ = timeout(LINGER, writing).await;
    }
    end
}

/// Writes what waits until the queue is dropped.
async fn write(
    mut writing: impl AsyncWrite + Unpin,
    mut waiting: mpsc::Receiver<Bytes>,
    link: &Link,
    written: &Notify,
) -> End {
    while let Some(bytes) = waiting.recv().await {
        let whole = async {
            writing.write_all(&bytes).await?;
            // TLS may hold back what TCP did not take.
            writing.flush().await
        };
        match timeout(link.limits.write_timeout, whole).await {
            Ok(Ok(())) => written.notify_one(),
            Ok(Err(_)) => return End::Broken,
            Err(_) => return stalled(&waiting, link),
        }
    }
    // Best effort: close_notify, or the end of the stream.
    let _ = timeout(LINGER, writing.shutdown()).await;
    End::Closed
}

/// Reads and cuts into messages until the stream ends.
async fn read(mut reading: impl AsyncRead + Unpin, flow: Flow, link: &Link, replies: Replies<'_>) -> End {
    let mut framer = StreamFramer::new();
    let mut until = Instant::now() + link.limits.message_timeout;
    loop {
        match timeout_at(until, receive(&mut reading, &mut framer)).await {
            Ok(Ok(0)) => return End::Heard,
            Ok(Ok(_)) => {}
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

/// Takes what is there. The buffer is on the stack while there is something: a silent connection needs none.
async fn receive(reading: &mut (impl AsyncRead + Unpin), framer: &mut StreamFramer) -> io::Result<usize> {
    poll_fn(|cx| {
        let mut chunk = [const { MaybeUninit::uninit() }; CHUNK];
        let mut chunk = ReadBuf::uninit(&mut chunk);
        ready!(Pin::new(&mut *reading).poll_read(cx, &mut chunk))?;
        framer.push(chunk.filled());
        Poll::Ready(Ok(chunk.filled().len()))
    })
    .await
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
