use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use tandem_sip::ua::{Flow, FlowId, Protocol};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::Counters;
use crate::connection::{Link, connect};
use crate::dispatch::Unsent;

/// Ways to peers that were named but perhaps never used.
const PLANNED: usize = 1_024;

/// Whom to connect to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Peer {
    /// TCP or TLS; a browser (WS, WSS) cannot be connected to.
    pub protocol: Protocol,
    pub remote: SocketAddr,
    /// What its certificate must be for; without a name, the address.
    pub name: Option<Arc<str>>,
}

impl Peer {
    /// Known by its address alone.
    pub const fn at(protocol: Protocol, remote: SocketAddr) -> Self {
        Peer { protocol, remote, name: None }
    }
}

/// The queues of all connections, by flow and by peer. Nothing here waits.
#[derive(Debug)]
pub(crate) struct Outbound {
    link: Arc<Link>,
    /// Where we listen: the port that connections of ours claim as their own.
    listeners: Vec<(Protocol, SocketAddr)>,
    connections: BTreeMap<FlowId, Connection>,
    by_peer: BTreeMap<Peer, FlowId>,
    /// Flows that are given out, to be opened when something is sent over them; the oldest first.
    planned: VecDeque<(Flow, Peer)>,
}

#[derive(Debug)]
struct Connection {
    flow: Flow,
    /// As it was named, where it was.
    peer: Peer,
    queue: mpsc::Sender<Bytes>,
}

impl Outbound {
    pub fn new(link: Arc<Link>, listeners: Vec<(Protocol, SocketAddr)>) -> Self {
        Outbound {
            link,
            listeners,
            connections: BTreeMap::new(),
            by_peer: BTreeMap::new(),
            planned: VecDeque::new(),
        }
    }

    /// A connection was accepted.
    pub fn opened(&mut self, flow: Flow, queue: mpsc::Sender<Bytes>) {
        self.insert(flow, Peer::at(flow.protocol, flow.remote), queue);
    }

    fn insert(&mut self, flow: Flow, peer: Peer, queue: mpsc::Sender<Bytes>) {
        self.by_peer.insert(Peer::at(peer.protocol, peer.remote), flow.id);
        self.by_peer.insert(peer.clone(), flow.id);
        self.connections.insert(flow.id, Connection { flow, peer, queue });
    }

    /// A connection ended, or is to end once its queue is written.
    pub fn forget(&mut self, id: FlowId) {
        let Some(Connection { peer, .. }) = self.connections.remove(&id) else { return };
        for known in [Peer::at(peer.protocol, peer.remote), peer] {
            if self.by_peer.get(&known) == Some(&id) {
                self.by_peer.remove(&known);
            }
        }
    }

    /// The connection to this peer, or one to be: it is made once something is sent over it.
    ///
    /// To be used where the peer's certificate must be for a name: a target by address knows of none.
    pub fn plan(&mut self, peer: Peer) -> Flow {
        if let Some(flow) = self.known(&peer) {
            return flow;
        }
        if let Some((flow, _)) = self.planned.iter().find(|(_, planned)| *planned == peer) {
            return *flow;
        }
        if self.planned.len() >= PLANNED {
            self.planned.pop_front();
        }
        let flow = self.flow_to(&peer);
        self.planned.push_back((flow, peer));
        flow
    }

    /// Sends over this connection.
    pub fn send(&mut self, flow: Flow, bytes: Bytes) -> Result<(), Unsent> {
        if !self.connections.contains_key(&flow.id)
            && let Some(at) = self.planned.iter().position(|(planned, _)| planned.id == flow.id)
            && let Some((flow, peer)) = self.planned.remove(at)
        {
            self.begin(flow, peer)?;
        }
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
    pub fn send_to(&mut self, peer: Peer, bytes: Bytes) -> Result<(), Unsent> {
        let flow = match self.known(&peer) {
            Some(flow) => flow,
            None => {
                let flow = self.flow_to(&peer);
                self.begin(flow, peer)?;
                flow
            }
        };
        self.send(flow, bytes)
    }

    fn known(&self, peer: &Peer) -> Option<Flow> {
        let id = self.by_peer.get(peer)?;
        self.connections.get(id).map(|connection| connection.flow)
    }

    /// A flow to be: our end is where we listen, until the system has chosen.
    fn flow_to(&self, peer: &Peer) -> Flow {
        let Peer { protocol, remote, .. } = *peer;
        let local =
            self.listeners.iter().find(|(ours, at)| *ours == protocol && at.is_ipv4() == remote.is_ipv4());
        let unknown = SocketAddr::new(if remote.is_ipv4() { [0; 4].into() } else { [0u8; 16].into() }, 0);
        Flow { id: self.link.next_id(), protocol, local: local.map_or(unknown, |(_, at)| *at), remote }
    }

    /// Begins a connection; not when there are too many, nor to a browser.
    fn begin(&mut self, flow: Flow, peer: Peer) -> Result<(), Unsent> {
        if !matches!(peer.protocol, Protocol::Tcp | Protocol::Tls) {
            return Err(Unsent::Nowhere);
        }
        let leave = self.link.quota.take(peer.remote.ip()).ok_or(Unsent::Nowhere)?;
        let (queue, waiting) = mpsc::channel(self.link.limits.queue);
        Counters::add(&self.link.counters.connections_begun);
        tokio::spawn(connect(flow, peer.clone(), queue.downgrade(), waiting, self.link.clone(), leave));
        self.insert(flow, peer, queue);
        Ok(())
    }
}
