//! SIP over WebSocket (RFC 7118): one SIP message is one WebSocket message.

mod converse;
mod request;

use std::io;
use std::time::Duration;

use tandem_sip::MAX_MESSAGE;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

pub(crate) use converse::converse;
use request::{Verdict, judge};

/// A WebSocket over a stream.
pub(crate) type Socket<S> = WebSocketStream<S>;

/// Octets of an upgrade request: browsers send less than a kilobyte, with cookies a few.
const MAX_UPGRADE: usize = 8 * 1024;
/// Octets that a connection always has room for.
const READ_BUFFER: usize = 1_024;
/// How long a refusal may take to be written, and the peer to read it.
const LINGER: Duration = Duration::from_secs(1);

/// Reads the upgrade request (RFC 6455 §4.2) and answers it.
///
/// # Errors
/// The stream failed, or it was no upgrade to SIP: then the peer was told so.
pub(crate) async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> io::Result<Socket<S>> {
    let mut head = Vec::new();
    let (end, verdict) = loop {
        let mut chunk = [0; 1_024];
        let n = stream.read(&mut chunk).await?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let searched = head.len().saturating_sub(3);
        head.extend_from_slice(chunk.get(..n).unwrap_or_default());
        let fresh = head.get(searched..).unwrap_or_default();
        if let Some(at) = fresh.windows(4).position(|four| four == b"\r\n\r\n") {
            let end = searched + at + 4;
            break (end, judge(head.get(..end.min(MAX_UPGRADE)).unwrap_or_default()));
        }
        if head.len() >= MAX_UPGRADE {
            break (head.len(), Verdict::TOO_LARGE);
        }
    };
    match verdict {
        Verdict::Upgrade { key } => {
            let accept = derive_accept_key(key.as_bytes());
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: sip\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).await?;
            stream.flush().await?;
            let rest = head.split_off(end);
            drop(head);
            Ok(WebSocketStream::from_partially_read(stream, rest, Role::Server, Some(bounds())).await)
        }
        Verdict::Refuse(refusal) => {
            let _ = tokio::time::timeout(LINGER, refuse(&mut stream, &refusal.to_string())).await;
            Err(io::Error::other(refusal.why))
        }
    }
}

async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, answer: &str) -> io::Result<()> {
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    // Closing with something unread would reset the connection and take the answer along (RFC 9112 §9.6).
    let mut rest = [0; 1_024];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

fn bounds() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        // One message of ours, and a pong or two; ours are flushed one by one.
        .max_write_buffer_size(2 * MAX_MESSAGE)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
}
