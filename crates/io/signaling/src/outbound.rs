use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use tandem_sip::ua::{Flow, FlowId};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::Counters;
use crate::connection::{Link, connect, flow_to};
use crate::dispatch::Unsent;

/// The queues of all connections, by flow and by peer. Nothing here waits.
#[derive(Debug)]
pub(crate) struct Outbound {
    link: Link,
    /// Where we listen: the port that connections of ours claim as their own.
    listeners: Vec<SocketAddr>,
    connections: BTreeMap<FlowId, Connection>,
    by_remote: BTreeMap<SocketAddr, FlowId>,
}

#[derive(Debug)]
struct Connection {
    flow: Flow,
    queue: mpsc::Sender<Bytes>,
}

impl Outbound {
    pub fn new(link: Link, listeners: Vec<SocketAddr>) -> Self {
        Outbound { link, listeners, connections: BTreeMap::new(), by_remote: BTreeMap::new() }
    }

    /// A connection was accepted.
    pub fn opened(&mut self, flow: Flow, queue: mpsc::Sender<Bytes>) {
        self.by_remote.insert(flow.remote, flow.id);
        self.connections.insert(flow.id, Connection { flow, queue });
    }

    /// A connection ended, or is to end once its queue is written.
    pub fn forget(&mut self, id: FlowId) {
        let Some(connection) = self.connections.remove(&id) else { return };
        if self.by_remote.get(&connection.flow.remote) == Some(&id) {
            self.by_remote.remove(&connection.flow.remote);
        }
    }

    /// Sends over this connection.
    pub fn send(&mut self, flow: Flow, bytes: Bytes) -> Result<(), Unsent> {
        let Some(connection) = self.connections.get(&flow.id) else { return Err(Unsent::Nowhere) };
        match connection.queue.try_send(bytes) {
            Ok(()) => Ok(()),
            Err(error) => {
                let flow = connection.flow;
                if matches!(error, TrySendError::Full(_)) {
                    Counters::add(&self.link.counters.peers_stalled);
                    tracing::debug!(flow = %flow.id, remote = %flow.remote, "a peer does not read: closed");
                }
                self.forget(flow.id);
                Err(Unsent::Lost(flow))
            }
        }
    }

    /// Sends over the connection to this peer, which is made if there is none.
    pub fn send_to(&mut self, remote: SocketAddr, bytes: Bytes) -> Result<(), Unsent> {
        let known = self.by_remote.get(&remote).and_then(|id| self.connections.get(id));
        match known.map(|connection| connection.flow) {
            Some(flow) => self.send(flow, bytes),
            None => {
                let flow = self.begin(remote).ok_or(Unsent::Nowhere)?;
                self.send(flow, bytes)
            }
        }
    }

    /// Begins a connection; `None` when there are too many.
    fn begin(&mut self, remote: SocketAddr) -> Option<Flow> {
        let leave = self.link.quota.take(remote.ip())?;
        let local = self.listeners.iter().find(|l| l.is_ipv4() == remote.is_ipv4());
        let unknown = SocketAddr::new(if remote.is_ipv4() { [0; 4].into() } else { [0u8; 16].into() }, 0);
        let flow = flow_to(self.link.next_id(), local.copied().unwrap_or(unknown), remote);
        let (queue, waiting) = mpsc::channel(self.link.limits.queue);
        Counters::add(&self.link.counters.connections_begun);
        tokio::spawn(connect(flow, queue.downgrade(), waiting, self.link.clone(), leave));
        self.opened(flow, queue);
        Some(flow)
    }
}
