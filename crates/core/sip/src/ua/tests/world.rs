use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tandem_base::Time;
use tandem_testkit::{Conditions, Network, Seeded};

use super::*;

/// Alice calls, Bob is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Alice,
    Bob,
}

impl Who {
    pub const fn other(self) -> Who {
        match self {
            Who::Alice => Who::Bob,
            Who::Bob => Who::Alice,
        }
    }
}

/// The one TCP connection: Alice opens it from this port.
const EPHEMERAL: &str = "192.0.2.1:40000";

pub(super) struct Peer {
    pub ua: UserAgent,
    pub entropy: Seeded,
    /// Not looked at yet.
    pub events: VecDeque<Event>,
    address: SocketAddr,
    link: Network<(Protocol, SocketAddr, SocketAddr, Bytes)>,
}

/// What somebody sent: when, first line, whole.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub at: Time,
    pub who: Who,
    pub line: String,
    pub text: String,
}

pub(super) struct World {
    pub now: Time,
    pub alice: Peer,
    pub bob: Peer,
    pub sent: Vec<Sent>,
    /// Messages of which this says so are lost.
    pub drop: fn(&Sent) -> bool,
}

impl Peer {
    fn new(address: &str, seed: u64, conditions: Conditions) -> Self {
        Peer {
            ua: UserAgent::new(config(address)),
            entropy: Seeded::new(seed),
            events: VecDeque::new(),
            address: address.parse().unwrap(),
            link: Network::new(conditions, seed + 1_000),
        }
    }

    fn deadline(&self) -> Option<Time> {
        [self.ua.deadline(), self.link.deadline()].into_iter().flatten().min()
    }
}

/// 10 ms each way, and nothing bad happens.
pub(super) fn fair() -> Conditions {
    Conditions { delay: Duration::from_millis(10), ..Default::default() }
}

impl World {
    pub fn new(conditions: Conditions, seed: u64) -> Self {
        World {
            now: Time::ZERO,
            alice: Peer::new(A, seed * 2 + 1, conditions),
            bob: Peer::new(B, seed * 2 + 2, conditions),
            sent: Vec::new(),
            drop: |_| false,
        }
    }

    pub fn set_conditions(&mut self, conditions: Conditions) {
        self.alice.link.set_conditions(conditions);
        self.bob.link.set_conditions(conditions);
    }

    pub fn peer(&mut self, who: Who) -> &mut Peer {
        match who {
            Who::Alice => &mut self.alice,
            Who::Bob => &mut self.bob,
        }
    }

    pub fn input(&mut self, who: Who, input: Input) {
        let now = self.now;
        let peer = self.peer(who);
        let mut out = Vec::new();
        peer.ua.handle(input, now, &mut peer.entropy, &mut out);
        let due = peer.ua.deadline();
        assert!(due.is_none_or(|at| at > now), "a deadline stays behind at {now:?}");
        for output in out {
            match output {
                Output::Event(event) => self.peer(who).events.push_back(event),
                Output::Send { target, bytes } => self.send(who, target, bytes),
                Output::Locate { lookup, search } => {
                    let address = |hop: &crate::locate::Hop| Target::Address {
                        protocol: hop.transport,
                        remote: hop.remote,
                    };
                    let targets = search.hops().unwrap_or_default().iter().map(address).collect();
                    self.input(who, Input::Located { lookup, targets });
                }
                Output::CloseFlow(flow) => panic!("{flow:?}"),
            }
        }
    }

    fn send(&mut self, who: Who, target: Target, bytes: Bytes) {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let line = text.lines().next().unwrap_or_default().to_owned();
        let sent = Sent { at: self.now, who, line, text };
        let lost = (self.drop)(&sent);
        self.sent.push(sent);
        if lost {
            return;
        }
        let now = self.now;
        let peer = self.peer(who);
        let from = match (target.protocol(), who) {
            (Protocol::Tcp, Who::Alice) => EPHEMERAL.parse().unwrap(),
            _ => peer.address,
        };
        peer.link.send((target.protocol(), from, target.remote(), bytes), now);
    }

    pub fn command(&mut self, who: Who, command: Command) {
        self.input(who, Input::Command(command));
    }

    fn deadline(&self) -> Option<Time> {
        [self.alice.deadline(), self.bob.deadline()].into_iter().flatten().min()
    }

    /// Whoever is due first takes one step. False when nobody is, up to `limit`.
    pub fn step(&mut self, limit: Time) -> bool {
        let Some(at) = self.deadline().filter(|at| *at <= limit) else {
            self.now = self.now.max(limit.min(Time::from_millis(u64::MAX / 4_000_000)));
            return false;
        };
        self.now = self.now.max(at);
        for who in [Who::Alice, Who::Bob] {
            let now = self.now;
            let peer = self.peer(who);
            if let Some((_, (protocol, from, to, bytes))) = peer.link.receive(now) {
                let id = FlowId(if protocol == Protocol::Udp { 1 } else { 7 });
                let flow = Flow { id, protocol, local: to, remote: from };
                self.input(who.other(), Input::Received { flow, bytes });
                return true;
            }
            if peer.ua.deadline().is_some_and(|at| at <= now) {
                self.input(who, Input::Tick);
                return true;
            }
        }
        true
    }

    pub fn run_until(&mut self, limit: Time) {
        while self.step(limit) {}
    }

    /// The next event that `pick` picks; those before it are dropped.
    pub fn find<T>(&mut self, who: Who, pick: impl Fn(&Event) -> Option<T>) -> T {
        let limit = self.now + Duration::from_secs(400);
        loop {
            while let Some(event) = self.peer(who).events.pop_front() {
                if let Some(found) = pick(&event) {
                    return found;
                }
            }
            assert!(self.step(limit), "{who:?} waits in vain");
        }
    }

    pub fn ended(&mut self, who: Who) -> EndCause {
        self.find(who, |event| match event {
            Event::Ended { cause, .. } => Some(cause.clone()),
            _ => None,
        })
    }

    /// Runs to the end: nothing may be left, and no event beyond those looked at.
    pub fn assert_quiet_end(&mut self) {
        self.run_until(self.now + Duration::from_secs(400));
        for who in [Who::Alice, Who::Bob] {
            let peer = self.peer(who);
            assert!(peer.ua.is_idle(), "{who:?}: {:?}", peer.ua);
            assert_eq!(peer.ua.deadline(), None);
            assert!(peer.events.is_empty(), "{who:?}: {:?}", peer.events);
        }
    }

    /// When `who` sent messages whose first line begins so, in ms.
    pub fn times(&self, who: Who, line: &str) -> Vec<u64> {
        let of = self.sent.iter().filter(|s| s.who == who && s.line.starts_with(line));
        of.map(|s| s.at.as_millis()).collect()
    }

    pub fn count(&self, who: Who, line: &str) -> usize {
        self.times(who, line).len()
    }

    pub fn last(&self, who: Who, line: &str) -> &Sent {
        self.sent.iter().rev().find(|s| s.who == who && s.line.starts_with(line)).unwrap()
    }
}
