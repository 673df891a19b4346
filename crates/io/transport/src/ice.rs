//! ICE (RFC 8445) over UDP for one component, full or lite, with consent freshness (RFC 7675).

mod candidates;

use std::net::SocketAddr;
use std::time::Duration;

use is::stun::{StunMessage, StunPacket};
use is::{IceAgent, IceAgentEvent, IceConnectionState, IceCreds, Protocol};
use tandem_base::{Candidate, Ice, IceCredentials, IceSide, Sink, Time};

pub use self::candidates::local_candidates;
use self::candidates::{local, remote};
use crate::clock::Clock;
use crate::stun::{StunClass, StunOutline};
use crate::{Datagram, Route};

/// Address pairs on which the peer may prove itself between two restarts.
const PROVED: usize = 32;
/// Addresses under which the peer may say that it sees us.
const MAPPED: usize = 16;
/// How long nothing comes on the selected path before another that works takes its place: longer than two checks are
/// apart where no media flow.
const SILENCE: Duration = Duration::from_secs(7);
/// Outputs of one input: more is a fault of the library, not to be followed for ever.
const OUTPUTS: usize = 256;

/// What an ICE agent gives out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IceOutput {
    /// To be sent.
    Datagram(Datagram),
    /// The peer knows the password, and is there.
    Proved(Route),
    /// Media go this way from now on.
    Selected(Route),
    /// The peer no longer consents to be sent anything.
    Lost,
}

/// One ICE agent: one component, one peer.
#[derive(Debug)]
pub struct IcePath {
    agent: IceAgent,
    clock: Clock,
    selected: Option<Route>,
    consented: bool,
    // When something authentic came on the selected path.
    heard: Time,
    proved: Vec<Route>,
    mapped: Vec<SocketAddr>,
    candidates: usize,
    begun: bool,
    deadline: Option<Time>,
}

impl IcePath {
    /// Checks of the peer are kept until [`IcePath::negotiate`] tells who the peer is. `tie_breaker` is random
    /// (RFC 8445 §7.3.1.1).
    pub fn new(side: &IceSide, tie_breaker: u64, clock: Clock) -> Self {
        let mut agent = IceAgent::new(credentials(&side.credentials));
        agent.set_control_tie_breaker(tie_breaker);
        agent.set_ice_lite(side.lite);
        let mut path = IcePath {
            agent,
            clock,
            selected: None,
            consented: false,
            heard: Time::ZERO,
            proved: Vec::with_capacity(PROVED),
            mapped: Vec::with_capacity(MAPPED),
            candidates: 0,
            begun: false,
            deadline: None,
        };
        path.add_local(&side.candidates);
        path
    }

    /// Candidates of ours that the peer is told of.
    pub fn add_local(&mut self, candidates: &[Candidate]) {
        for candidate in candidates.iter().take(Candidate::MAX).filter_map(local) {
            self.agent.add_local_candidate(candidate);
        }
    }

    /// Takes what offer and answer settled. Other credentials than before are an ICE restart of whoever changed them
    /// (RFC 8445 §9): media go on as they did until a new path is found.
    pub fn negotiate(&mut self, ice: &Ice, now: Time, out: &mut impl Sink<IceOutput>) {
        self.restart(&ice.local.credentials);
        let peer = credentials(&ice.remote.credentials);
        if self.agent.remote_credentials().is_some_and(|known| *known != peer) {
            self.begin_anew(credentials(&ice.local.credentials));
        }
        if self.agent.remote_credentials().is_none() {
            // The role of the first negotiation stands until both have found that they think alike.
            if !self.begun {
                self.agent.set_controlling(ice.controlling);
            }
            self.agent.set_remote_credentials(peer);
        }
        self.begun = true;
        self.add_local(&ice.local.candidates);
        self.add_remote(&ice.remote.candidates, now, out);
    }

    /// Our own ICE restart: what we call ourselves from now on. Nothing happens where it is what we are called.
    pub fn restart(&mut self, local: &IceCredentials) {
        let local = credentials(local);
        if *self.agent.local_credentials() != local {
            self.begin_anew(local);
        }
    }

    fn begin_anew(&mut self, local: IceCreds) {
        self.agent.ice_restart(local, true);
        self.mapped.clear();
        self.candidates = 0;
    }

    /// Candidates of the peer's, now or later (RFC 8838). Names (RFC 8828 §3.1), TCP and addresses that nobody can have
    /// are passed over: such a peer is found by its own checks.
    pub fn add_remote(&mut self, candidates: &[Candidate], now: Time, out: &mut impl Sink<IceOutput>) {
        for candidate in candidates.iter().filter_map(remote) {
            if self.candidates < Candidate::MAX {
                self.candidates += 1;
                self.agent.add_remote_candidate(candidate);
            }
        }
        self.agent.handle_timeout(self.clock.instant(now));
        self.drain(now, out);
    }

    /// Takes a STUN message; false where it is not authentic, or not for us.
    pub fn receive(
        &mut self,
        route: Route,
        datagram: &[u8],
        now: Time,
        out: &mut impl Sink<IceOutput>,
    ) -> bool {
        let Some(outline) = StunOutline::parse(datagram) else { return false };
        let Ok(message) = StunMessage::parse(datagram) else { return false };
        if !self.agent.accepts_message(&message) || !self.has_room(route, &outline) {
            return false;
        }
        let (source, destination) = (route.remote, route.local);
        let packet = StunPacket { proto: Protocol::Udp, source, destination, message };
        let taken = self.agent.handle_packet(self.clock.instant(now), packet);
        if taken && !self.proved.contains(&route) {
            self.proved.push(route);
            out.emit(IceOutput::Proved(route));
        }
        self.drain(now, out);
        if taken {
            self.follow(route, outline.class, now, out);
        }
        taken
    }

    /// A peer that moved without knowing (its NAT forgot it) keeps on nominating, from its new address; the agent would hold
    /// on to the old one until consent runs out.
    fn follow(&mut self, route: Route, class: StunClass, now: Time, out: &mut impl Sink<IceOutput>) {
        self.hear(route, now);
        let silent = now.since(self.heard) >= SILENCE;
        if class == StunClass::Success && self.consented && self.selected != Some(route) && silent {
            self.select(route, now, out);
        }
    }

    /// Something authentic came this way.
    pub fn hear(&mut self, route: Route, now: Time) {
        if self.selected == Some(route) {
            self.heard = now;
        }
    }

    /// The agent keeps every address that the peer comes from or says that we come from; even an authentic peer
    /// must not fill our memory.
    fn has_room(&mut self, route: Route, outline: &StunOutline<'_>) -> bool {
        if outline.class != StunClass::Success {
            return self.proved.contains(&route) || self.proved.len() < PROVED;
        }
        let Some(mapped) = outline.mapped else { return false };
        if self.mapped.contains(&mapped) {
            return true;
        }
        let room = self.mapped.len() < MAPPED;
        if room {
            self.mapped.push(mapped);
        }
        room
    }

    /// Checks, repeats, gives up.
    pub fn handle_timeout(&mut self, now: Time, out: &mut impl Sink<IceOutput>) {
        if self.begun && self.deadline.is_none_or(|deadline| now >= deadline) {
            self.agent.handle_timeout(self.clock.instant(now));
            self.drain(now, out);
        }
    }

    /// When [`IcePath::handle_timeout`] is due; `None` before the first negotiation.
    pub const fn deadline(&self) -> Option<Time> {
        self.deadline
    }

    /// Where to send; `None` before a path is found, and once the peer's consent is lost (RFC 7675 §5.1).
    pub fn selected(&self) -> Option<Route> {
        self.selected.filter(|_| self.consented)
    }

    /// Has the peer proved to be there?
    pub fn knows(&self, route: Route) -> bool {
        self.selected == Some(route) || self.proved.contains(&route)
    }

    /// Do we nominate, as things stand?
    pub fn is_controlling(&self) -> bool {
        self.agent.controlling()
    }

    fn drain(&mut self, now: Time, out: &mut impl Sink<IceOutput>) {
        for _ in 0..OUTPUTS {
            let Some(event) = self.agent.poll_event() else { break };
            self.heed(&event, now, out);
        }
        for _ in 0..OUTPUTS {
            let Some(sent) = self.agent.poll_transmit() else { break };
            let (from, to) = (sent.source, sent.destination);
            out.emit(IceOutput::Datagram(Datagram { from, to, octets: sent.contents.into() }));
        }
        self.deadline = self.agent.poll_timeout().map(|at| self.clock.time(at)).filter(|_| self.begun);
    }

    fn heed(&mut self, event: &IceAgentEvent, now: Time, out: &mut impl Sink<IceOutput>) {
        match event {
            IceAgentEvent::NominatedSend { source, destination, .. } => {
                self.select(Route { local: *source, remote: *destination }, now, out);
            }
            IceAgentEvent::IceConnectionStateChange(IceConnectionState::Disconnected) if self.consented => {
                self.consented = false;
                out.emit(IceOutput::Lost);
            }
            IceAgentEvent::IceConnectionStateChange(state) if state.is_connected() && !self.consented => {
                if let Some(route) = self.selected {
                    self.select(route, now, out);
                }
            }
            _ => {}
        }
    }

    fn select(&mut self, route: Route, now: Time, out: &mut impl Sink<IceOutput>) {
        self.selected = Some(route);
        self.consented = true;
        self.heard = now;
        // After a restart those of the generation before have had their time.
        if self.proved.len() == PROVED {
            self.proved.retain(|proved| *proved == route);
        }
        out.emit(IceOutput::Selected(route));
    }
}

fn credentials(of: &IceCredentials) -> IceCreds {
    IceCreds { ufrag: of.ufrag.as_str().to_owned(), pass: of.password.as_str().to_owned() }
}
