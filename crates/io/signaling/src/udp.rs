use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::Counters;
use crate::dispatch::Inbound;
use crate::fair::FairQueue;

/// Most datagrams passed on at one go, so that connections get their turn.
const BATCH: usize = 32;
/// Most datagrams taken from a socket at one go.
const GULP: usize = 256;
/// Batches of one socket on their way to the user agent. What waits beyond waits by turns.
const UNDER_WAY: usize = 2;
/// The largest that UDP can carry.
const LARGEST: usize = 65_535;

/// Reads one socket until nobody listens any more.
///
/// What has arrived is taken from the kernel at once, whose queue knows no turns: there a flood would drown the rest.
pub(crate) async fn read(
    index: usize,
    socket: Arc<UdpSocket>,
    inbound: mpsc::Sender<Inbound>,
    counters: Arc<Counters>,
) {
    let mut buffer = vec![0; LARGEST];
    let mut waiting = FairQueue::default();
    let under_way = Arc::new(Semaphore::new(UNDER_WAY));
    loop {
        tokio::select! {
            slot = slot(&under_way, &inbound), if !waiting.is_empty() => {
                let Some((slot, turn)) = slot else { return };
                slot.send(Inbound::Datagrams { socket: index, batch: waiting.take(BATCH), turn });
            }
            ready = socket.readable() => {
                if let Err(error) = ready.and_then(|()| drain(&socket, &mut buffer, &mut waiting, &counters)) {
                    tracing::debug!(%error, "receiving a datagram failed");
                    // An error that stays must not make this loop spin.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
    }
}

/// Leave to pass on a batch; `None` when nobody listens any more.
async fn slot<'i>(
    under_way: &Arc<Semaphore>,
    inbound: &'i mpsc::Sender<Inbound>,
) -> Option<(mpsc::Permit<'i, Inbound>, OwnedSemaphorePermit)> {
    let turn = under_way.clone().acquire_owned().await.ok()?;
    Some((inbound.reserve().await.ok()?, turn))
}

/// Takes what has arrived, keep-alives left out.
fn drain(
    socket: &UdpSocket,
    buffer: &mut [u8],
    waiting: &mut FairQueue,
    counters: &Counters,
) -> std::io::Result<()> {
    for _ in 0..GULP {
        let (length, source) = match socket.try_recv_from(buffer) {
            Ok(received) => received,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        };
        Counters::add(&counters.datagrams_received);
        let datagram = buffer.get(..length).unwrap_or_default();
        if is_keep_alive(datagram) {
            Counters::add(&counters.keep_alives);
        } else if !waiting.push((source, Bytes::copy_from_slice(datagram))) {
            Counters::add(&counters.datagrams_shed);
        }
    }
    Ok(())
}

/// Empty, line breaks or zeros: what user agents send to keep a NAT's binding.
fn is_keep_alive(datagram: &[u8]) -> bool {
    datagram.len() <= 4 && datagram.iter().all(|b| matches!(b, b'\r' | b'\n' | 0))
}
