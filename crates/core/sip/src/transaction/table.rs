use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use tandem_base::{Sink, Time};

use super::machine::{Machine, MachineInput};
use super::{Client, ClientKey, InviteClient, InviteServer, Server, ServerKey, Tell, Timing};
use crate::locate::Destination;
use crate::ua::{Flow, FlowId, Output, Protocol, Target};
use crate::{Method, Request, StatusCode, Uri};

mod reroute;

/// A transaction in the table; never used twice. A request that tries one server after the other keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransactionId(u64);

impl TransactionId {
    /// Not after any other.
    pub(crate) const FIRST: TransactionId = TransactionId(0);
    /// Not before any other.
    pub(crate) const LAST: TransactionId = TransactionId(u64::MAX);
}

/// The table is full: nothing was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many transactions")]
pub struct TableFull;

/// All transactions that are alive, each with its owner's mark `O`.
#[derive(Debug)]
pub struct Transactions<O> {
    timing: Timing,
    capacity: usize,
    per_source: usize,
    last: u64,
    entries: BTreeMap<TransactionId, Entry<O>>,
    servers: BTreeMap<ServerKey, TransactionId>,
    clients: BTreeMap<ClientKey, TransactionId>,
    merges: BTreeMap<MergeKey, TransactionId>,
    timers: BTreeSet<(Time, TransactionId)>,
    places: BTreeSet<(Place, TransactionId)>,
    /// Where ACKs went that may be sent elsewhere.
    acks: BTreeSet<(Place, TransactionId)>,
    sources: BTreeMap<IpAddr, usize>,
}

#[derive(Debug)]
struct Entry<O> {
    machine: Machine,
    side: Side,
    target: Target,
    owner: O,
    armed: Option<Time>,
}

#[derive(Debug)]
enum Side {
    Client {
        key: ClientKey,
        /// The INVITE, from which its ACK and CANCEL are made; none for other methods.
        invite: Option<Box<Request>>,
        acks: Vec<SentAck>,
    },
    Server {
        key: ServerKey,
        merge: Option<MergeKey>,
        source: IpAddr,
        fallback: SocketAddr,
        sent_by: Option<Box<Destination>>,
    },
}

/// What all copies of one request share, by whatever way they come (RFC 3261 §8.2.2.2): From tag, Call-ID, CSeq, and whom
/// it is for. One that was retargeted on its way is no copy but a spiral (§6): it asks for somebody else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MergeKey(Box<str>);

impl MergeKey {
    /// Of a request without a To tag.
    pub fn new(from_tag: &str, call_id: &str, cseq: u32, method: &Method, uri: &Uri) -> Self {
        let whom = match uri {
            // Parameters are how to get there (§19.1.1).
            Uri::Sip(sip) => {
                let host = sip.host.to_string().to_ascii_lowercase();
                format!("{}@{host}", uri.user_text().unwrap_or_default())
            }
            other => other.to_string(),
        };
        MergeKey(format!("{from_tag} {call_id} {cseq} {method} {whom}").into_boxed_str())
    }
}

/// What fails together: a connection, or all that is bound for one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Connection(FlowId),
    Address(Protocol, SocketAddr),
}

impl From<&Target> for Place {
    fn from(target: &Target) -> Self {
        match target {
            Target::Flow(flow) if flow.protocol.is_reliable() => Place::Connection(flow.id),
            other => Place::Address(other.protocol(), other.remote()),
        }
    }
}

/// A server transaction to be begun.
#[derive(Debug)]
pub struct NewServer<O> {
    /// Of the request.
    pub key: ServerKey,
    /// Is it an INVITE?
    pub invite: bool,
    /// For requests outside of dialogs.
    pub merge: Option<MergeKey>,
    /// Where responses go.
    pub target: Target,
    /// Who counts for it.
    pub source: IpAddr,
    /// Where responses go when the connection is gone (RFC 3261 §18.2.2).
    pub fallback: SocketAddr,
    /// What to look up when nothing can be sent there either (RFC 3263 §5).
    pub sent_by: Option<Box<Destination>>,
    /// Whose.
    pub owner: O,
}

/// A client transaction to be begun.
#[derive(Debug)]
pub struct NewClient<O> {
    /// Fresh.
    pub key: ClientKey,
    /// The request as it goes on the wire.
    pub bytes: Bytes,
    /// The same as a message for an INVITE, otherwise none.
    pub invite: Option<Box<Request>>,
    /// Where to.
    pub target: Target,
    /// Whose.
    pub owner: O,
}

/// How one dialog's 2xx to an INVITE of ours was acknowledged. It lives as long as 2xx may be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentAck {
    /// The To tag of the 2xx.
    pub remote_tag: String,
    /// What to send again; `None` while the application still owes its answer.
    pub ack: Option<(Target, Bytes)>,
    /// Where else to try, where there is something.
    pub others: Option<Box<OtherAck>>,
}

/// An ACK that may be sent elsewhere (RFC 3263 §4.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherAck {
    /// Without Via.
    pub request: Request,
    /// The best first.
    pub targets: VecDeque<Target>,
    /// How often it was sent to the present one.
    pub tries: u8,
}

impl SentAck {
    /// What its failure would have to find it by.
    fn place(&self) -> Option<Place> {
        self.others.as_ref()?;
        self.ack.as_ref().map(|(target, _)| Place::from(target))
    }
}

impl<O: Clone> Transactions<O> {
    /// Server transactions are begun up to `capacity` transactions in all and `per_source` of one source address,
    /// client transactions up to twice `capacity`.
    pub fn new(timing: Timing, capacity: usize, per_source: usize) -> Self {
        Transactions {
            timing,
            capacity,
            per_source,
            last: 0,
            entries: BTreeMap::new(),
            servers: BTreeMap::new(),
            clients: BTreeMap::new(),
            merges: BTreeMap::new(),
            timers: BTreeSet::new(),
            places: BTreeSet::new(),
            acks: BTreeSet::new(),
            sources: BTreeMap::new(),
        }
    }

    /// How many are alive.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// When [`Transactions::expire`] is due.
    pub fn deadline(&self) -> Option<Time> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Whose it is.
    pub fn owner(&self, id: TransactionId) -> Option<O> {
        self.entries.get(&id).map(|e| e.owner.clone())
    }

    /// Does it still wait for its final response?
    pub fn is_pending(&self, id: TransactionId) -> bool {
        self.entries.get(&id).is_some_and(|e| e.machine.is_pending())
    }

    /// Where its messages go.
    pub fn target(&self, id: TransactionId) -> Option<Target> {
        self.entries.get(&id).map(|e| e.target)
    }

    /// The INVITE of an INVITE client transaction.
    pub fn invite(&self, id: TransactionId) -> Option<&Request> {
        match &self.entries.get(&id)?.side {
            Side::Client { invite, .. } => invite.as_deref(),
            Side::Server { .. } => None,
        }
    }

    /// The ACKs sent for the 2xx of an INVITE client transaction.
    pub fn acks(&self, id: TransactionId) -> &[SentAck] {
        match self.entries.get(&id).map(|e| &e.side) {
            Some(Side::Client { acks, .. }) => acks,
            _ => &[],
        }
    }

    /// Notes an ACK, in place of an earlier one for the same tag.
    pub fn note_ack(&mut self, id: TransactionId, sent: SentAck) {
        if let Some(Entry { side: Side::Client { acks, .. }, .. }) = self.entries.get_mut(&id) {
            for place in acks.iter().filter_map(SentAck::place) {
                self.acks.remove(&(place, id));
            }
            acks.retain(|ack| ack.remote_tag != sent.remote_tag);
            acks.push(sent);
            self.acks.extend(acks.iter().filter_map(SentAck::place).map(|place| (place, id)));
        }
    }

    /// Nothing can be sent to `target`: the ACKs that went there and may be sent elsewhere.
    pub fn acks_to(&self, target: &Target) -> Vec<(TransactionId, SentAck)> {
        let place = Place::from(target);
        let range = (place, TransactionId::FIRST)..=(place, TransactionId::LAST);
        let of =
            self.acks.range(range).flat_map(|(_, id)| self.acks(*id).iter().map(|sent| (*id, sent.clone())));
        of.filter(|(_, sent)| sent.place() == Some(place)).collect()
    }

    /// The server transaction of this key.
    pub fn find_server(&self, key: &ServerKey) -> Option<TransactionId> {
        self.servers.get(key).copied()
    }

    /// The client transaction of this key.
    pub fn find_client(&self, key: &ClientKey) -> Option<TransactionId> {
        self.clients.get(key).copied()
    }

    /// Is a copy of this request being served that came another way?
    pub fn is_merged(&self, key: &MergeKey) -> bool {
        self.merges.contains_key(key)
    }

    /// Begins a server transaction.
    pub fn serve(&mut self, new: NewServer<O>) -> Result<TransactionId, TableFull> {
        let of_source = self.sources.get(&new.source).copied().unwrap_or(0);
        if self.entries.len() >= self.capacity || of_source >= self.per_source {
            return Err(TableFull);
        }
        self.sources.insert(new.source, of_source + 1);
        let id = self.next_id();
        self.servers.insert(new.key.clone(), id);
        if let Some(merge) = &new.merge {
            self.merges.insert(merge.clone(), id);
        }
        let machine = match new.invite {
            true => Machine::InviteServer(InviteServer::start()),
            false => Machine::Server(Server::start()),
        };
        let side = Side::Server {
            key: new.key,
            merge: new.merge,
            source: new.source,
            fallback: new.fallback,
            sent_by: new.sent_by,
        };
        self.insert(id, Entry { machine, side, target: new.target, owner: new.owner, armed: None });
        Ok(id)
    }

    /// Begins a client transaction by sending its request.
    pub fn request(
        &mut self,
        new: NewClient<O>,
        now: Time,
        out: &mut impl Sink<Output>,
    ) -> Result<TransactionId, TableFull> {
        let id = self.reserve();
        self.request_as(id, new, now, out).map(|()| id)
    }

    /// The same under a name that [`Transactions::reserve`] gave, or whose transaction is over.
    pub fn request_as(
        &mut self,
        id: TransactionId,
        new: NewClient<O>,
        now: Time,
        out: &mut impl Sink<Output>,
    ) -> Result<(), TableFull> {
        // Strangers cannot make us send requests; and those that end calls must go out even when the table is full.
        if self.entries.len() >= self.capacity.saturating_mul(2) {
            return Err(TableFull);
        }
        let NewClient { key, bytes, invite, target, owner } = new;
        let reliable = target.protocol().is_reliable();
        let (machine, effects) = match invite {
            Some(_) => {
                let (machine, effects) = InviteClient::start(bytes, now, &self.timing, reliable);
                (Machine::InviteClient(machine), effects)
            }
            None => {
                let (machine, effects) = Client::start(bytes, now, &self.timing, reliable);
                (Machine::Client(machine), effects)
            }
        };
        self.clients.insert(key, id);
        let side = Side::Client { key, invite, acks: Vec::new() };
        self.insert(id, Entry { machine, side, target, owner, armed: None });
        if let Some(bytes) = effects.send {
            out.emit(Output::Send { target, bytes });
        }
        Ok(())
    }

    /// The request of a server transaction came again.
    pub fn repeated(&mut self, id: TransactionId, now: Time, out: &mut impl Sink<Output>) {
        self.step(id, MachineInput::Request, now, out);
    }

    /// An ACK matched a server transaction. True when it is the transaction user's to see.
    pub fn acknowledged(&mut self, id: TransactionId, now: Time, out: &mut impl Sink<Output>) -> bool {
        self.step(id, MachineInput::Ack, now, out).is_some()
    }

    /// The transaction user's response.
    pub fn respond(
        &mut self,
        id: TransactionId,
        status: StatusCode,
        bytes: Bytes,
        now: Time,
        out: &mut impl Sink<Output>,
    ) {
        self.step(id, MachineInput::Respond(status, bytes), now, out);
    }

    /// A response matched a client transaction; `ack` is there for a response of class 3 to 6 to an INVITE.
    /// True when the response is the transaction user's to see.
    pub fn responded(
        &mut self,
        id: TransactionId,
        status: StatusCode,
        ack: Option<Bytes>,
        now: Time,
        out: &mut impl Sink<Output>,
    ) -> bool {
        self.step(id, MachineInput::Response(status, ack), now, out).is_some()
    }

    /// Bounds an INVITE client transaction that was cancelled, or that nobody waits for (RFC 3261 §9.1).
    pub fn abandon(&mut self, id: TransactionId, now: Time, out: &mut impl Sink<Output>) {
        self.step(id, MachineInput::Abandon, now, out);
    }

    /// Forgets a server transaction that its user never answered.
    pub fn forget(&mut self, id: TransactionId) {
        self.remove(id);
    }

    /// Runs what is due up to `now`, until something is to be told or nothing is due any more.
    pub fn expire(&mut self, now: Time, out: &mut impl Sink<Output>) -> Option<(TransactionId, O, Tell)> {
        while let Some((at, id)) = self.timers.first().copied().filter(|(at, _)| *at <= now) {
            let Some(owner) = self.owner(id) else {
                self.timers.remove(&(at, id));
                continue;
            };
            if let Some(tell) = self.step(id, MachineInput::Timer, now, out) {
                return Some((id, owner, tell));
            }
        }
        None
    }

    /// Nothing can be sent to `target`. Gives the transactions that failed by it.
    pub fn target_failed(
        &mut self,
        target: &Target,
        now: Time,
        out: &mut impl Sink<Output>,
    ) -> Vec<(TransactionId, O)> {
        self.place_failed(Place::from(target), now, out)
    }

    /// A connection is gone: requests sent over it fail; responses find another way (RFC 3261 §18.2.2).
    pub fn flow_closed(
        &mut self,
        flow: &Flow,
        now: Time,
        out: &mut impl Sink<Output>,
    ) -> Vec<(TransactionId, O)> {
        let connection = Place::Connection(flow.id);
        for id in self.at(connection) {
            let Some(entry) = self.entries.get_mut(&id) else { continue };
            let Side::Server { fallback, .. } = &entry.side else { continue };
            // Nobody can connect to a WebSocket client (RFC 7118 §5).
            if matches!(flow.protocol, Protocol::Tcp | Protocol::Tls) {
                entry.target = Target::Address { protocol: flow.protocol, remote: *fallback };
                let place = Place::from(&entry.target);
                self.places.remove(&(connection, id));
                self.places.insert((place, id));
            }
        }
        let mut failed = self.place_failed(connection, now, out);
        // What we sent by connecting to that address went over this connection.
        let address = Place::Address(flow.protocol, flow.remote);
        for id in self.at(address) {
            if self.entries.get(&id).is_some_and(|e| matches!(e.side, Side::Client { .. })) {
                failed.extend(self.fail(id, now, out));
            }
        }
        failed
    }

    fn at(&self, place: Place) -> Vec<TransactionId> {
        let range = (place, TransactionId(0))..=(place, TransactionId(u64::MAX));
        self.places.range(range).map(|(_, id)| *id).collect()
    }

    fn place_failed(
        &mut self,
        place: Place,
        now: Time,
        out: &mut impl Sink<Output>,
    ) -> Vec<(TransactionId, O)> {
        self.at(place).into_iter().filter_map(|id| self.fail(id, now, out)).collect()
    }

    fn fail(
        &mut self,
        id: TransactionId,
        now: Time,
        out: &mut impl Sink<Output>,
    ) -> Option<(TransactionId, O)> {
        let owner = self.owner(id)?;
        self.step(id, MachineInput::TransportFailed, now, out).map(|_| (id, owner))
    }

    fn next_id(&mut self) -> TransactionId {
        self.last += 1;
        TransactionId(self.last)
    }

    fn insert(&mut self, id: TransactionId, mut entry: Entry<O>) {
        entry.armed = entry.machine.deadline();
        if let Some(at) = entry.armed {
            self.timers.insert((at, id));
        }
        self.places.insert((Place::from(&entry.target), id));
        self.entries.insert(id, entry);
    }

    fn step(
        &mut self,
        id: TransactionId,
        input: MachineInput,
        now: Time,
        out: &mut impl Sink<Output>,
    ) -> Option<Tell> {
        let entry = self.entries.get_mut(&id)?;
        // A response that must find another way may need a second one: it is kept as over UDP.
        let is_lasting =
            matches!((&entry.machine, &entry.target), (Machine::Server(_), Target::Address { .. }));
        let reliable = entry.target.protocol().is_reliable() && !is_lasting;
        let machine = std::mem::replace(&mut entry.machine, Machine::Server(Server::Terminated));
        let (machine, effects) = machine.step(input, now, &self.timing, reliable);
        entry.machine = machine;
        if let Some(bytes) = effects.send {
            out.emit(Output::Send { target: entry.target, bytes });
        }
        if entry.machine.is_terminated() {
            self.remove(id);
        } else {
            self.rearm(id);
        }
        effects.tell
    }

    fn rearm(&mut self, id: TransactionId) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let deadline = entry.machine.deadline();
        if entry.armed == deadline {
            return;
        }
        if let Some(at) = entry.armed {
            self.timers.remove(&(at, id));
        }
        if let Some(at) = deadline {
            self.timers.insert((at, id));
        }
        entry.armed = deadline;
    }

    fn remove(&mut self, id: TransactionId) {
        let Some(entry) = self.entries.remove(&id) else { return };
        if let Some(at) = entry.armed {
            self.timers.remove(&(at, id));
        }
        self.places.remove(&(Place::from(&entry.target), id));
        match entry.side {
            Side::Client { key, acks, .. } => {
                self.clients.remove(&key);
                for place in acks.iter().filter_map(SentAck::place) {
                    self.acks.remove(&(place, id));
                }
            }
            Side::Server { key, merge, source, .. } => {
                self.servers.remove(&key);
                if let Some(merge) = merge {
                    self.merges.remove(&merge);
                }
                self.release(source);
            }
        }
    }

    fn release(&mut self, source: IpAddr) {
        if let Some(count) = self.sources.get_mut(&source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.sources.remove(&source);
            }
        }
    }
}
