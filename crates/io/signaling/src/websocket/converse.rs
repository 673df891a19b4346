//! A WebSocket connection once it stands.

use std::pin::pin;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tandem_sip::ua::Flow;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::{LINGER, Socket};
use crate::Counters;
use crate::connection::{End, Link, Replies, stalled};
use crate::dispatch::Inbound;

/// RFC 5626 §3.5.1: ping and pong.
const PING: &[u8] = b"\r\n\r\n";
/// Pings without a word in return after which a peer is taken for gone.
const PATIENCE: u32 = 3;

/// Serves a connection until it ends.
pub(crate) async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    socket: Socket<S>,
    flow: Flow,
    link: &Link,
    queue: mpsc::WeakSender<Bytes>,
    waiting: mpsc::Receiver<Bytes>,
) -> End {
    let (mut sink, stream) = socket.split();
    let written = Notify::new();
    let (end, code) = {
        let mut writing = pin!(write(&mut sink, waiting, link, &written));
        tokio::select! {
            end = &mut writing => (end, Some(CloseCode::Away)),
            closed = read(stream, flow, link, Replies { queue, written: &written }) => closed,
        }
    };
    if let (Some(code), true) = (code, end != End::Broken) {
        let reason = Utf8Bytes::from_static("");
        let close = Message::Close(Some(CloseFrame { code, reason }));
        // The peer may be gone, or not read.
        let _ = timeout(LINGER, sink.send(close)).await;
    }
    end
}

/// Writes what waits until the queue is dropped, and pings a peer to whom nothing was to be said for a while.
async fn write<S: AsyncRead + AsyncWrite + Unpin>(
    sink: &mut SplitSink<Socket<S>, Message>,
    mut waiting: mpsc::Receiver<Bytes>,
    link: &Link,
    written: &Notify,
) -> End {
    loop {
        let message = match timeout(link.limits.ping_interval, waiting.recv()).await {
            Ok(Some(bytes)) => message(bytes),
            Ok(None) => return End::Closed,
            Err(_) => Message::Ping(Bytes::new()),
        };
        match timeout(link.limits.write_timeout, sink.send(message)).await {
            Ok(Ok(())) => written.notify_one(),
            Ok(Err(_)) => return End::Broken,
            Err(_) => return stalled(&waiting, link),
        }
    }
}

/// Text where it is UTF-8, which some clients insist on; RFC 7118 §4.2 allows both.
fn message(bytes: Bytes) -> Message {
    match Utf8Bytes::try_from(bytes.clone()) {
        Ok(text) => Message::Text(text),
        Err(_) => Message::Binary(bytes),
    }
}

/// Reads messages until the peer is gone; says with which code to close, where there is anybody left to be told.
async fn read<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: SplitStream<Socket<S>>,
    flow: Flow,
    link: &Link,
    replies: Replies<'_>,
) -> (End, Option<CloseCode>) {
    loop {
        let bytes = match timeout(link.limits.ping_interval * PATIENCE, stream.next()).await {
            Ok(Some(Ok(Message::Text(text)))) => Bytes::from(text),
            Ok(Some(Ok(Message::Binary(bytes)))) => bytes,
            // Pings are answered by the library, with what is read or written next; so is a close.
            Ok(Some(Ok(_))) => continue,
            Ok(Some(Err(error))) => return (End::Closed, code_for(&error, link)),
            Ok(None) => return (End::Closed, None),
            Err(_) => {
                Counters::add(&link.counters.peers_silent);
                return (End::Closed, Some(CloseCode::Away));
            }
        };
        if bytes.iter().all(|b| matches!(b, b'\r' | b'\n')) {
            Counters::add(&link.counters.keep_alives);
            if &*bytes == PING {
                replies.pong();
            }
            continue;
        }
        Counters::add(&link.counters.stream_messages);
        if let Err(end) = replies.room(link.limits.queue / 2).await {
            return (end, Some(CloseCode::Away));
        }
        if link.inbound.send(Inbound::Message { flow, bytes }).await.is_err() {
            return (End::Closed, Some(CloseCode::Away));
        }
    }
}

/// RFC 6455 §7.4.1; none where the connection is gone already.
fn code_for(error: &Error, link: &Link) -> Option<CloseCode> {
    let code = match error {
        Error::Capacity(_) => CloseCode::Size,
        Error::Utf8(_) => CloseCode::Invalid,
        Error::Protocol(_) => CloseCode::Protocol,
        _ => return None,
    };
    Counters::add(&link.counters.streams_unframed);
    Some(code)
}
