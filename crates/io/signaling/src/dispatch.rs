use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tandem_base::Time;
use tandem_sip::ParseError;
use tandem_sip::locate::{Hop, Search};
use tandem_sip::ua::{Command, Event, Flow, FlowId, Input, LookupId, Output, Protocol, Target, UserAgent};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::bind::{Sockets, UdpPort};
use crate::connection::Link;
use crate::local::LocalAddresses;
use crate::outbound::{Outbound, Peer};
use crate::quota::Quota;
use crate::resolve::Locator;
use crate::{Counters, OsEntropy, Signaling, listener, udp};

/// Items from the network that may wait for the user agent.
const INBOUND: usize = 256;
/// Commands taken at one go, so that the network gets its turn.
const COMMANDS: usize = 64;
/// How long the last messages may take to be written once all is over.
const FLUSH: Duration = Duration::from_secs(1);
/// The grace when the application is gone without a word.
const DEFAULT_GRACE: Duration = Duration::from_secs(5);

/// What readers bring to the one task that owns the user agent.
#[derive(Debug)]
pub(crate) enum Inbound {
    /// From one UDP socket.
    Datagrams {
        socket: usize,
        batch: Vec<(SocketAddr, Bytes)>,
        /// Dropped once the batch is dealt with, which lets the next one come.
        turn: OwnedSemaphorePermit,
    },
    /// A connection was accepted.
    Opened { flow: Flow, queue: mpsc::Sender<Bytes> },
    /// A whole message came over a connection.
    Message { flow: Flow, bytes: Bytes },
    /// A stream cannot be cut into messages any further.
    Unframed { flow: Flow, error: ParseError },
    /// A connection ended.
    Closed(Flow),
    /// A connection of ours did not come about.
    Unreachable(Flow),
    /// A search for a server is done.
    Located { lookup: LookupId, domain: Option<Arc<str>>, hops: Vec<Hop> },
}

/// Tells running signalling to stop.
#[derive(Clone, Debug)]
pub struct Stop(watch::Sender<Option<Duration>>);

impl Stop {
    /// Ends [`Signaling::run`] once every call is over, or after `grace`. Until then all goes on: it is the
    /// application that refuses new calls. Transactions that only absorb retransmissions are not waited for. Only the first call counts.
    pub fn drain(&self, grace: Duration) {
        self.0.send_replace(Some(grace));
    }
}

impl Signaling {
    /// Something to stop [`Signaling::run`] with.
    pub fn stop(&self) -> Stop {
        Stop(self.stop.clone())
    }

    /// Serves until it is told to stop, or for five more seconds once all senders of `commands` are gone.
    ///
    /// Events are never dropped: while `events` is full, nothing new is read from the network.
    pub async fn run(self, commands: mpsc::Receiver<Command>, events: mpsc::Sender<Event>) {
        // The sender stays, so that nobody's holding a `Stop` is no stop.
        let stop = self.stop();
        let stopped = stop.0.subscribe();
        let (inbound_in, inbound) = mpsc::channel(INBOUND);
        let (alive_in, mut alive) = mpsc::channel(1);
        let (limits, counters) = (self.config.streams, self.counters.clone());
        let quota = Quota::new(limits.connections, limits.connections_per_source, counters.clone(), |c| {
            &c.connections_open
        });
        let half_open =
            Quota::new(limits.half_open, limits.half_open_per_source, counters.clone(), |c| &c.half_open);
        let link = Link {
            inbound: inbound_in,
            quota,
            half_open,
            counters,
            limits,
            tls: self.config.tls.clone(),
            ids: Arc::default(),
            alive: alive_in,
        };
        let link = Arc::new(link);
        let mut tasks = JoinSet::new();
        let mut dispatch = Dispatch::new(self, link, &mut tasks);
        dispatch.serve(commands, inbound, &events, stopped).await;
        // Nothing more is read; each connection writes what it still has and ends.
        tasks.shutdown().await;
        drop(dispatch);
        let _ = tokio::time::timeout(FLUSH, alive.recv()).await;
    }
}

/// The owner of the user agent. Only [`Dispatch::serve`] ever waits.
struct Dispatch {
    agent: UserAgent,
    entropy: OsEntropy,
    began: Instant,
    udp: Vec<UdpPort>,
    udp_ids: Vec<FlowId>,
    /// Listeners for connections whose address depends on the peer.
    streams_learn: Vec<(Protocol, u16)>,
    outbound: Outbound,
    locator: Locator,
    local: LocalAddresses,
    counters: Arc<Counters>,
    inputs: VecDeque<Input>,
    outputs: Vec<Output>,
    /// What the application has not taken yet; while there is any, nothing is read.
    events: VecDeque<Event>,
}

impl Dispatch {
    /// Starts the readers too.
    fn new(signaling: Signaling, link: Arc<Link>, tasks: &mut JoinSet<()>) -> Self {
        let Signaling { sockets: Sockets { udp, streams }, config, entropy, counters, .. } = signaling;
        let udp_ids = udp.iter().map(|_| link.next_id()).collect();
        for (index, port) in udp.iter().enumerate() {
            tasks.spawn(udp::read(index, port.socket.clone(), link.inbound.clone(), counters.clone()));
        }
        let learning = streams.iter().filter(|port| port.learns);
        let streams_learn = learning.map(|port| (port.protocol, port.local.port())).collect();
        let listeners = streams.iter().map(|port| (port.protocol, port.local)).collect();
        for port in streams {
            tasks.spawn(listener::accept(port.listener, port.protocol, link.clone()));
        }
        Dispatch {
            agent: UserAgent::new(config.agent),
            entropy,
            began: Instant::now(),
            udp,
            udp_ids,
            streams_learn,
            locator: Locator::new(&config.dns, link.inbound.clone(), counters.clone()),
            outbound: Outbound::new(link, listeners),
            local: LocalAddresses::default(),
            counters,
            inputs: VecDeque::new(),
            outputs: Vec::new(),
            events: VecDeque::new(),
        }
    }

    fn now(&self) -> Time {
        Time::ZERO + self.began.elapsed()
    }

    async fn serve(
        &mut self,
        mut commands: mpsc::Receiver<Command>,
        mut inbound: mpsc::Receiver<Inbound>,
        events: &mpsc::Sender<Event>,
        mut stopped: watch::Receiver<Option<Duration>>,
    ) {
        let mut until: Option<Instant> = None;
        let (mut commanded, mut draining) = (true, false);
        while !self.is_over(until) {
            let due = self.next_wake(until);
            tokio::select! {
                grace = told(&mut stopped), if !draining => {
                    draining = true;
                    until = Some(Instant::now() + grace);
                }
                command = commands.recv(), if commanded => match command {
                    Some(command) => self.obey(command, &mut commands),
                    None => {
                        commanded = false;
                        until = until.or(Some(Instant::now() + DEFAULT_GRACE));
                    }
                },
                item = inbound.recv(), if self.events.is_empty() => {
                    if let Some(item) = item {
                        self.receive(item);
                    }
                }
                permit = events.reserve(), if !self.events.is_empty() => match (permit, self.events.pop_front()) {
                    (Ok(permit), Some(event)) => permit.send(event),
                    // The application is gone.
                    _ => self.events.clear(),
                },
                () = tokio::time::sleep_until(due) => self.take(Input::Tick),
            }
            self.offer_events(events);
        }
    }

    fn is_over(&self, until: Option<Instant>) -> bool {
        until.is_some_and(|until| {
            Instant::now() >= until || (self.agent.usage_count() == 0 && self.events.is_empty())
        })
    }

    fn next_wake(&self, until: Option<Instant>) -> Instant {
        // Without anything pending, an hour is as good as for ever.
        let idle = Instant::now() + Duration::from_secs(3_600);
        let due = self.agent.deadline().map_or(idle, |due| self.began + due.since(Time::ZERO));
        due.min(until.unwrap_or(idle))
    }

    /// Hands over as many events as there is room for.
    fn offer_events(&mut self, events: &mpsc::Sender<Event>) {
        while let Some(event) = self.events.pop_front() {
            match events.try_send(event) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(event)) => {
                    self.events.push_front(event);
                    Counters::add(&self.counters.reading_paused);
                    return;
                }
                Err(mpsc::error::TrySendError::Closed(_)) => self.events.clear(),
            }
        }
    }

    fn obey(&mut self, first: Command, more: &mut mpsc::Receiver<Command>) {
        self.command(first);
        for _ in 0..COMMANDS {
            match more.try_recv() {
                Ok(command) => self.command(command),
                Err(_) => return,
            }
        }
    }

    fn command(&mut self, mut command: Command) {
        if let Command::Invite { call, .. } = &mut command {
            call.target = call.target.map(|target| self.settle(target));
        }
        self.take(Input::Command(command));
    }

    /// Names the socket for an address to be reached by UDP, so that Via and Contact carry the address that is seen
    /// there.
    fn settle(&mut self, target: Target) -> Target {
        match target {
            Target::Address { protocol: Protocol::Udp, remote } => match self.udp_towards(remote) {
                Some(index) => self.udp_flow(index, remote).map_or(target, Target::Flow),
                None => target,
            },
            _ => target,
        }
    }

    fn locate(&mut self, lookup: LookupId, search: Search) {
        let known = search.hops().map(<[Hop]>::to_vec);
        if known.is_some() || !self.locator.begin(lookup, search) {
            let input = self.located(lookup, None, &known.unwrap_or_default());
            self.inputs.push_back(input);
        }
    }

    fn located(&mut self, lookup: LookupId, domain: Option<Arc<str>>, hops: &[Hop]) -> Input {
        let targets = hops.iter().map(|hop| self.reach(*hop, domain.as_ref())).collect();
        Input::Located { lookup, targets }
    }

    /// Towards a TLS server, the target is a flow: an address alone would not say whose certificate is wanted.
    fn reach(&mut self, hop: Hop, domain: Option<&Arc<str>>) -> Target {
        let Hop { transport: protocol, remote } = hop;
        if protocol != Protocol::Tls || domain.is_none() {
            return self.settle(Target::Address { protocol, remote });
        }
        let mut flow = self.outbound.plan(Peer { protocol, remote, name: domain.cloned() });
        let now = self.now();
        if flow.local.ip().is_unspecified()
            && self.streams_learn.contains(&(protocol, flow.local.port()))
            && let Some(ip) = self.local.towards(remote.ip(), now)
        {
            flow.local.set_ip(ip);
            self.learn(protocol, flow.local);
        }
        Target::Flow(flow)
    }

    fn receive(&mut self, item: Inbound) {
        match item {
            Inbound::Datagrams { socket, batch, turn } => {
                for (remote, bytes) in batch {
                    if let Some(flow) = self.udp_flow(socket, remote) {
                        self.received(flow, bytes);
                    }
                }
                drop(turn);
            }
            Inbound::Opened { flow, queue } => {
                if self.streams_learn.contains(&(flow.protocol, flow.local.port())) {
                    self.learn(flow.protocol, flow.local);
                }
                self.outbound.opened(flow, queue);
            }
            Inbound::Located { lookup, domain, hops } => {
                let input = self.located(lookup, domain, &hops);
                self.take(input);
            }
            Inbound::Message { flow, bytes } => self.received(flow, bytes),
            Inbound::Unframed { flow, error } => self.take(Input::Unframed { flow, error }),
            Inbound::Closed(flow) => {
                self.outbound.forget(flow.id);
                self.take(Input::FlowClosed(flow));
            }
            Inbound::Unreachable(flow) => {
                self.outbound.forget(flow.id);
                let (protocol, remote) = (flow.protocol, flow.remote);
                self.inputs.push_back(Input::FlowClosed(flow));
                self.take(Input::SendFailed(Target::Address { protocol, remote }));
            }
        }
    }

    fn received(&mut self, flow: Flow, bytes: Bytes) {
        trace("received", &flow.protocol, flow.remote, &bytes);
        self.take(Input::Received { flow, bytes });
    }

    /// The flow of a UDP socket and a peer, our end as the peer sees it.
    fn udp_flow(&mut self, index: usize, remote: SocketAddr) -> Option<Flow> {
        let (port, id) = (self.udp.get(index)?, *self.udp_ids.get(index)?);
        let (mut local, learns) = (port.local, port.learns);
        let now = self.now();
        if learns && let Some(ip) = self.local.towards(remote.ip(), now) {
            local.set_ip(ip);
            self.learn(Protocol::Udp, local);
        }
        Some(Flow { id, protocol: Protocol::Udp, local, remote })
    }

    fn learn(&mut self, protocol: Protocol, local: SocketAddr) {
        self.agent.learn_listener(tandem_sip::ua::Listener {
            protocol,
            local,
            host: local.ip().to_canonical().into(),
            port: Some(local.port()),
        });
    }

    /// Lets the user agent work, and on what its outputs lead to.
    fn take(&mut self, input: Input) {
        self.inputs.push_back(input);
        while let Some(input) = self.inputs.pop_front() {
            let now = self.now();
            self.agent.handle(input, now, &mut self.entropy, &mut self.outputs);
            for output in std::mem::take(&mut self.outputs) {
                match output {
                    Output::Send { target, bytes } => self.send(target, bytes),
                    Output::Locate { lookup, search } => self.locate(lookup, *search),
                    Output::Event(event) => self.events.push_back(event),
                    Output::CloseFlow(flow) => self.outbound.forget(flow.id),
                }
            }
        }
        self.publish();
    }

    fn send(&mut self, target: Target, bytes: Bytes) {
        trace("sending", &target.protocol(), target.remote(), &bytes);
        let failure = match target {
            Target::Flow(Flow { id, protocol: Protocol::Udp, remote, .. }) => {
                let index = self.udp_ids.iter().position(|own| *own == id);
                self.send_datagram(index, remote, &bytes)
            }
            Target::Address { protocol: Protocol::Udp, remote } => {
                self.send_datagram(self.udp_towards(remote), remote, &bytes)
            }
            Target::Flow(flow) => self.outbound.send(flow, bytes),
            Target::Address { protocol, remote } => self.outbound.send_to(Peer::at(protocol, remote), bytes),
        };
        match failure {
            Ok(()) => {}
            Err(Unsent::Lost(flow)) => self.inputs.push_back(Input::FlowClosed(flow)),
            Err(Unsent::Nowhere) => {
                Counters::add(&self.counters.unsendable);
                self.inputs.push_back(Input::SendFailed(target));
            }
        }
    }

    /// The socket to reach an address by: of its family, and of this host where the address is.
    fn udp_towards(&self, remote: SocketAddr) -> Option<usize> {
        let fits = |port: &UdpPort| port.local.is_ipv4() == remote.is_ipv4();
        let reaches = |port: &UdpPort| {
            port.local.ip().is_unspecified() || port.local.ip().is_loopback() == remote.ip().is_loopback()
        };
        let best = self.udp.iter().position(|port| fits(port) && reaches(port));
        best.or_else(|| self.udp.iter().position(fits))
    }

    fn send_datagram(&self, socket: Option<usize>, remote: SocketAddr, bytes: &[u8]) -> Result<(), Unsent> {
        let port = socket.and_then(|i| self.udp.get(i)).ok_or(Unsent::Nowhere)?;
        // Past tokio, which takes a socket that it has not polled yet for one that is not writable.
        match socket2::SockRef::from(&*port.socket).send_to(bytes, &remote.into()) {
            Ok(_) => {
                Counters::add(&self.counters.datagrams_sent);
                Ok(())
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                // As good as lost on the way: retransmission makes up for it.
                Counters::add(&self.counters.datagrams_unsent);
                Ok(())
            }
            Err(error) => {
                tracing::debug!(%error, %remote, "a datagram could not be sent");
                Err(Unsent::Nowhere)
            }
        }
    }

    fn publish(&self) {
        let seen = self.agent.statistics();
        Counters::set(&self.counters.malformed_answered, seen.malformed);
        Counters::set(&self.counters.malformed_dropped, seen.dropped);
        Counters::set(&self.counters.refused, seen.refused);
        Counters::set(&self.counters.overload, seen.overload);
        Counters::set(&self.counters.fail_overs, seen.fail_overs);
    }
}

async fn told(stopped: &mut watch::Receiver<Option<Duration>>) -> Duration {
    stopped.wait_for(Option::is_some).await.ok().and_then(|grace| *grace).unwrap_or(DEFAULT_GRACE)
}

/// Why a message is not on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsent {
    /// The connection is gone, or was given up because its peer does not read.
    Lost(Flow),
    /// There is no way to that target.
    Nowhere,
}

fn trace(what: &str, protocol: &Protocol, remote: SocketAddr, bytes: &[u8]) {
    let line = bytes.split(|b| *b == b'\r').next().unwrap_or_default();
    tracing::trace!(%protocol, %remote, octets = bytes.len(), line = %line.escape_ascii(), "{what}");
}
