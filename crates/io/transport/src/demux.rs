use std::collections::{BTreeMap, VecDeque};

use crate::Route;
use crate::stun::{DatagramKind, StunOutline};

/// Paths that are remembered for one leg: more than any peer has addresses. Beyond that the oldest is forgotten.
const PATHS: usize = 32;
/// User name fragments of one leg: before and after an ICE restart.
const UFRAGS: usize = 2;

/// Whose a datagram is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Destination<K> {
    /// This leg's, as it seems: the leg has to prove it.
    Leg(K, DatagramKind),
    /// Nobody's. Counted.
    Stranger,
}

/// Datagrams that were nobody's, by what they looked like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strangers {
    /// STUN for a name that no leg has, or malformed.
    pub stun: u64,
    /// DTLS from an address that no leg knows.
    pub dtls: u64,
    /// RTP or RTCP from such an address.
    pub media: u64,
    /// Neither.
    pub other: u64,
}

/// Tells the legs apart that share a UDP port.
///
/// STUN that names a leg is that leg's: the name is what the peer was told, the address may be anybody's. All else
/// goes by the address pair, which a leg owns once STUN with its password came that way ([`Demux::learn`]); an address
/// to which a leg has sent is its own as long as no other has proved so ([`Demux::expect`]). What is
/// kept is bounded by the number of legs.
#[derive(Clone, Debug)]
pub struct Demux<K> {
    by_ufrag: BTreeMap<Box<str>, K>,
    by_route: BTreeMap<Route, (K, bool)>,
    legs: BTreeMap<K, Known>,
    strangers: Strangers,
}

/// What one leg put into the tables.
#[derive(Clone, Debug, Default)]
struct Known {
    ufrags: VecDeque<Box<str>>,
    routes: VecDeque<Route>,
}

impl<K: Copy + Ord> Default for Demux<K> {
    fn default() -> Self {
        Demux::new()
    }
}

impl<K: Copy + Ord> Demux<K> {
    /// Nobody is known.
    pub const fn new() -> Self {
        Demux {
            by_ufrag: BTreeMap::new(),
            by_route: BTreeMap::new(),
            legs: BTreeMap::new(),
            strangers: Strangers { stun: 0, dtls: 0, media: 0, other: 0 },
        }
    }

    /// This leg calls itself so from now on; its last name is understood too. False where another has this
    /// name: then the leg needs another.
    pub fn name(&mut self, leg: K, ufrag: &str) -> bool {
        if let Some(owner) = self.by_ufrag.get(ufrag) {
            return *owner == leg;
        }
        self.by_ufrag.insert(ufrag.into(), leg);
        let known = self.legs.entry(leg).or_default();
        known.ufrags.push_back(ufrag.into());
        if known.ufrags.len() > UFRAGS
            && let Some(oldest) = known.ufrags.pop_front()
        {
            self.by_ufrag.remove(&oldest);
        }
        true
    }

    /// The leg's peer has proved that it is there.
    pub fn learn(&mut self, leg: K, route: Route) {
        self.keep(leg, route, true);
    }

    /// The leg has sent there.
    pub fn expect(&mut self, leg: K, route: Route) {
        if !self.by_route.contains_key(&route) {
            self.keep(leg, route, false);
        }
    }

    fn keep(&mut self, leg: K, route: Route, proved: bool) {
        let Some(known) = self.legs.get_mut(&leg) else { return };
        let before = self.by_route.insert(route, (leg, proved));
        if before.is_some_and(|(owner, _)| owner == leg) {
            return;
        }
        known.routes.push_back(route);
        let forgotten = if known.routes.len() > PATHS { known.routes.pop_front() } else { None };
        if let Some(route) = forgotten {
            self.drop_route(leg, route);
        }
        if let Some((owner, _)) = before
            && let Some(known) = self.legs.get_mut(&owner)
        {
            known.routes.retain(|r| *r != route);
        }
    }

    fn drop_route(&mut self, leg: K, route: Route) {
        if self.by_route.get(&route).is_some_and(|(owner, _)| *owner == leg) {
            self.by_route.remove(&route);
        }
    }

    /// The leg is gone.
    pub fn forget(&mut self, leg: K) {
        let Some(known) = self.legs.remove(&leg) else { return };
        for ufrag in &known.ufrags {
            self.by_ufrag.remove(ufrag);
        }
        for route in known.routes {
            self.drop_route(leg, route);
        }
    }

    /// Whose it is.
    pub fn route(&mut self, route: Route, datagram: &[u8]) -> Destination<K> {
        let kind = DatagramKind::of(datagram);
        let leg = match kind {
            DatagramKind::Other => None,
            DatagramKind::Stun => self.by_stun(route, datagram),
            DatagramKind::Dtls | DatagramKind::Media => self.by_route.get(&route).map(|(leg, _)| *leg),
        };
        if let Some(leg) = leg {
            return Destination::Leg(leg, kind);
        }
        let strangers = &mut self.strangers;
        *match kind {
            DatagramKind::Stun => &mut strangers.stun,
            DatagramKind::Dtls => &mut strangers.dtls,
            DatagramKind::Media => &mut strangers.media,
            DatagramKind::Other => &mut strangers.other,
        } += 1;
        Destination::Stranger
    }

    fn by_stun(&self, route: Route, datagram: &[u8]) -> Option<K> {
        let outline = StunOutline::parse(datagram)?;
        match outline.local_ufrag() {
            Some(ufrag) => self.by_ufrag.get(ufrag).copied(),
            None => self.by_route.get(&route).map(|(leg, _)| *leg),
        }
    }

    /// What was nobody's so far.
    pub const fn strangers(&self) -> Strangers {
        self.strangers
    }

    /// Address pairs that are remembered, of all legs.
    pub fn routes(&self) -> usize {
        self.by_route.len()
    }
}

#[cfg(test)]
mod tests;
