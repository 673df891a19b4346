use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use crate::Counters;
use crate::dispatch::Inbound;

/// Most datagrams taken from a socket at one go, so that the others get their turn.
const BATCH: usize = 32;
/// The largest that UDP can carry.
const LARGEST: usize = 65_535;

/// Reads one socket until nobody listens any more.
pub(crate) async fn read(
    index: usize,
    socket: Arc<UdpSocket>,
    inbound: mpsc::Sender<Inbound>,
    counters: Arc<Counters>,
) {
    let mut buffer = vec![0; LARGEST];
    loop {
        // The slot is had before anything is read: what cannot be passed on stays in the kernel.
        let Ok(slot) = inbound.reserve().await else { return };
        let ready = socket.readable().await;
        let batch = match ready.and_then(|()| drain(&socket, &mut buffer, &counters)) {
            Ok(batch) => batch,
            Err(error) => {
                tracing::debug!(%error, "receiving a datagram failed");
                // An error that stays must not make this loop spin.
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
        };
        if !batch.is_empty() {
            slot.send(Inbound::Datagrams { socket: index, batch });
        }
    }
}

/// What has arrived, keep-alives left out.
fn drain(
    socket: &UdpSocket,
    buffer: &mut [u8],
    counters: &Counters,
) -> std::io::Result<Vec<(SocketAddr, Bytes)>> {
    let mut batch = Vec::new();
    for _ in 0..BATCH {
        let (length, source) = match socket.try_recv_from(buffer) {
            Ok(received) => received,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
            // What was read before the error is not lost.
            Err(_) if !batch.is_empty() => break,
            Err(error) => return Err(error),
        };
        Counters::add(&counters.datagrams_received);
        let datagram = buffer.get(..length).unwrap_or_default();
        if is_keep_alive(datagram) {
            Counters::add(&counters.keep_alives);
        } else {
            batch.push((source, Bytes::copy_from_slice(datagram)));
        }
    }
    Ok(batch)
}

/// Empty, line breaks or zeros: what user agents send to keep a NAT's binding.
fn is_keep_alive(datagram: &[u8]) -> bool {
    datagram.len() <= 4 && datagram.iter().all(|b| matches!(b, b'\r' | b'\n' | 0))
}
