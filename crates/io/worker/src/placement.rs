use std::collections::HashMap;

use tandem_base::{Attachment, AudioFormat, AudioStream, ConferenceId};

use crate::fan::AnnexId;
use crate::phase::PHASES;

/// What a leg of G.711 that listens costs, µs of CPU a second; what others weigh is counted in it.
const UNIT: u64 = 300;

/// A worker that is busy for more of a second than this, in µs, gives legs of its rooms away where another has less than
/// half to do.
const CROWDED: u64 = 500_000;

/// Where a leg runs.
pub type Spot = AnnexId;

/// What a leg weighs: about what its codec costs, in legs of G.711.
pub fn weight(stream: &AudioStream) -> u32 {
    match stream.send.format {
        AudioFormat::Pcmu | AudioFormat::Pcma => 1,
        AudioFormat::G722 => 2,
        AudioFormat::Opus(_) => 3,
    }
}

/// Where a leg goes that joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    /// There.
    pub spot: Spot,
    /// It is the first of an annex there, whose owner runs here.
    pub annex_of: Option<Spot>,
}

/// A room's annex lost its last leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emptied {
    /// Which.
    pub annex: Spot,
    /// Where its owner runs.
    pub owner: Spot,
}

/// Which worker and phase a leg goes to: pure bookkeeping.
#[derive(Clone, Debug)]
pub struct Placement {
    // Weights by worker and phase.
    load: Vec<[u32; PHASES as usize]>,
    // How long each worker was busy in the last second, µs.
    busy: Vec<u64>,
    // The most that a part of a room may weigh.
    part: u32,
    conferences: HashMap<ConferenceId, Vec<Part>>,
}

/// The first part of a conference is the owner, and stays while there are others.
#[derive(Clone, Copy, Debug)]
struct Part {
    spot: Spot,
    legs: usize,
    weight: u32,
}

impl Placement {
    /// For so many workers; no part of a room is to weigh more than `part`.
    pub fn new(workers: usize, part: u32) -> Self {
        let workers = workers.max(1);
        Placement {
            load: vec![[0; PHASES as usize]; workers],
            busy: vec![0; workers],
            part: part.max(1),
            conferences: HashMap::new(),
        }
    }

    /// A worker was busy for so many µs of the last second.
    pub fn measured(&mut self, worker: usize, busy: u64) {
        if let Some(place) = self.busy.get_mut(worker) {
            *place = busy;
        }
    }

    /// What a worker has to do, µs a second: as measured, or by its legs where that is more, since those that have just
    /// joined were not measured yet.
    fn load(&self, worker: usize) -> u64 {
        let legs: u32 = self.load.get(worker).map_or(0, |phases| phases.iter().sum());
        let measured = self.busy.get(worker).copied().unwrap_or(0);
        measured.max(u64::from(legs) * UNIT)
    }

    fn idlest(&self) -> usize {
        (0..self.load.len()).min_by_key(|worker| self.load(*worker)).unwrap_or(0)
    }

    /// The phase of a worker with the least to do.
    fn idlest_spot(&self, worker: usize) -> Spot {
        let phases = self.load.get(worker).copied().unwrap_or_default();
        let phase = phases.iter().enumerate().min_by_key(|(_, weight)| **weight).map_or(0, |(i, _)| i);
        Spot { worker, phase }
    }

    /// A leg comes: where to. A conference runs where its first leg went, as long as it is not too big for that.
    pub fn join(&mut self, attachment: Attachment, weight: u32) -> Joined {
        let anywhere = self.idlest_spot(self.idlest());
        let joined = match attachment {
            Attachment::Conference(id) => self.join_conference(id, weight, anywhere),
            Attachment::Echo | Attachment::Tone => Joined { spot: anywhere, annex_of: None },
        };
        self.add(joined.spot, weight, true);
        joined
    }

    fn join_conference(&mut self, id: ConferenceId, weight: u32, anywhere: Spot) -> Joined {
        let parts = self.conferences.get(&id).map(Vec::as_slice).unwrap_or_default();
        let (spot, annex_of) = match parts.first() {
            None => (anywhere, None),
            Some(owner) if self.has_room(owner, weight) => (owner.spot, None),
            Some(owner) => {
                let spot = self.annex(parts, owner.spot, weight);
                let exists = parts.iter().any(|p| p.spot == spot);
                (spot, Some(owner.spot).filter(|_| !exists))
            }
        };
        let parts = self.conferences.entry(id).or_default();
        match parts.iter_mut().find(|p| p.spot == spot) {
            Some(part) => {
                part.legs += 1;
                part.weight += weight;
            }
            None => parts.push(Part { spot, legs: 1, weight }),
        }
        Joined { spot, annex_of }
    }

    /// May the owner's own part grow?
    fn has_room(&self, owner: &Part, weight: u32) -> bool {
        let here = self.load(owner.spot.worker);
        let crowded = here > CROWDED && self.load(self.idlest()) < here / 2;
        owner.weight + weight <= self.part && !crowded
    }

    /// The spot for a leg for which the owner has no room: on the worker with the least to do, as soon after the owner's
    /// phase as there is room.
    fn annex(&self, parts: &[Part], owner: Spot, weight: u32) -> Spot {
        let weight_at = |spot: Spot| parts.iter().find(|p| p.spot == spot).map_or(0, |p| p.weight);
        let phases = PHASES as usize;
        let spots = (1..phases).flat_map(|distance| {
            let phase = (owner.phase + distance) % phases;
            (0..self.load.len()).map(move |worker| (distance, Spot { worker, phase }))
        });
        // Where all are full, the emptiest takes it.
        let rank = |(distance, spot): &(usize, Spot)| {
            let full = weight_at(*spot) + weight > self.part;
            let excess = if full { weight_at(*spot) } else { 0 };
            (excess, self.load(spot.worker), *distance)
        };
        spots.min_by_key(rank).map_or(owner, |(_, spot)| spot)
    }

    fn add(&mut self, spot: Spot, weight: u32, joins: bool) {
        let place = self.load.get_mut(spot.worker).and_then(|phases| phases.get_mut(spot.phase));
        if let Some(load) = place {
            *load = if joins { load.saturating_add(weight) } else { load.saturating_sub(weight) };
        }
    }

    /// A leg goes.
    pub fn leave(&mut self, attachment: Attachment, spot: Spot, weight: u32) -> Option<Emptied> {
        self.add(spot, weight, false);
        let Attachment::Conference(id) = attachment else { return None };
        let parts = self.conferences.get_mut(&id)?;
        let owner = parts.first()?.spot;
        let index = parts.iter().position(|p| p.spot == spot)?;
        let part = parts.get_mut(index)?;
        part.legs = part.legs.saturating_sub(1);
        part.weight = part.weight.saturating_sub(weight);
        let emptied = part.legs == 0 && index > 0;
        if emptied {
            parts.remove(index);
        }
        if parts.iter().all(|p| p.legs == 0) {
            self.conferences.remove(&id);
        }
        emptied.then_some(Emptied { annex: spot, owner })
    }

    /// A leg weighs another amount from now on.
    pub fn reweigh(&mut self, attachment: Attachment, spot: Spot, before: u32, after: u32) {
        self.add(spot, before, false);
        self.add(spot, after, true);
        let Attachment::Conference(id) = attachment else { return };
        let parts = self.conferences.get_mut(&id);
        if let Some(part) = parts.and_then(|parts| parts.iter_mut().find(|p| p.spot == spot)) {
            part.weight = part.weight.saturating_sub(before) + after;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conference(n: u64) -> Attachment {
        Attachment::Conference(ConferenceId(n))
    }

    /// So many legs of weight 1 join; how many each spot got.
    fn join(p: &mut Placement, attachment: Attachment, legs: usize) -> HashMap<Spot, usize> {
        let mut spots = HashMap::new();
        for _ in 0..legs {
            *spots.entry(p.join(attachment, 1).spot).or_default() += 1;
        }
        spots
    }

    #[test]
    fn a_conference_stays_where_its_first_leg_went() {
        let mut p = Placement::new(2, 500);
        let first = p.join(conference(1), 1).spot;
        for _ in 0..5 {
            assert_eq!(p.join(conference(1), 1), Joined { spot: first, annex_of: None });
        }
        assert_eq!(p.join(conference(2), 1).spot.worker, 1 - first.worker);
        assert_eq!(
            p.join(Attachment::Echo, 1).spot.worker,
            1 - first.worker,
            "services go where there is least to do"
        );
        for _ in 0..6 {
            assert_eq!(p.leave(conference(1), first, 1), None);
        }
        assert_eq!(p.join(conference(3), 1).spot.worker, first.worker);
        assert_eq!(p.conferences.len(), 2);
    }

    #[test]
    fn rooms_go_by_weight_and_not_by_number() {
        let mut p = Placement::new(2, 500);
        let heavy = p.join(conference(1), 30).spot;
        for n in 2..10 {
            assert_eq!(p.join(conference(n), 1).spot.worker, 1 - heavy.worker, "room {n}");
        }
        p.reweigh(conference(1), heavy, 30, 1);
        assert_eq!(p.join(conference(10), 1).spot.worker, heavy.worker);
    }

    #[test]
    fn rooms_spread_over_the_phases() {
        let mut p = Placement::new(1, 500);
        let phases: std::collections::BTreeSet<usize> =
            (0..4).map(|n| p.join(conference(n), 1).spot.phase).collect();
        assert_eq!(phases.len(), 4);
    }

    #[test]
    fn what_was_measured_counts_where_it_is_more() {
        let mut p = Placement::new(2, 500);
        assert_eq!(join(&mut p, conference(1), 10).len(), 1);
        p.measured(1, 100_000);
        assert_eq!(p.join(conference(2), 1).spot.worker, 0, "ten legs that all talk on the other");
    }

    #[test]
    fn a_thousand_listeners_are_shared_evenly() {
        let mut p = Placement::new(2, 500);
        let spots = join(&mut p, conference(1), 1_000);
        let mut counts: Vec<usize> = spots.values().copied().collect();
        counts.sort_unstable();
        assert_eq!(counts, [500, 500]);
        let phases: Vec<usize> = spots.keys().map(|s| s.phase).collect();
        assert_eq!((phases[0] + 4 - phases[1]) % 2, 1, "one phase apart: {phases:?}");
        // Many more still find a place, at other times of the 20 ms.
        let spots = join(&mut p, conference(1), 2_000);
        let of_worker = |w| spots.iter().filter(|(s, _)| s.worker == w).map(|(_, n)| n).sum::<usize>();
        assert_eq!((of_worker(0), of_worker(1)), (1_000, 1_000));
    }

    #[test]
    fn one_worker_spreads_a_big_room_over_its_phases() {
        let mut p = Placement::new(1, 10);
        let spots = join(&mut p, conference(1), 45);
        assert_eq!(spots.len(), 4);
        assert!(spots.values().all(|n| (10..=15).contains(n)), "{spots:?}");
    }

    #[test]
    fn an_annex_is_tied_with_its_first_leg_and_untied_with_its_last() {
        let mut p = Placement::new(2, 2);
        let owner = p.join(conference(1), 1).spot;
        p.join(conference(1), 1);
        let annex = p.join(conference(1), 1);
        assert_eq!(annex.annex_of, Some(owner));
        assert_eq!(annex.spot, Spot { worker: 1 - owner.worker, phase: (owner.phase + 1) % 4 });
        assert_eq!(p.join(conference(1), 1), Joined { spot: annex.spot, annex_of: None });
        // The owner's own legs go; the room stays with it.
        assert_eq!(p.leave(conference(1), owner, 1), None);
        assert_eq!(p.leave(conference(1), owner, 1), None);
        assert_eq!(p.leave(conference(1), annex.spot, 1), None);
        assert_eq!(p.leave(conference(1), annex.spot, 1), Some(Emptied { annex: annex.spot, owner }));
        assert!(p.conferences.is_empty());
    }

    #[test]
    fn a_room_on_a_crowded_worker_grows_elsewhere() {
        let mut p = Placement::new(2, 500);
        let owner = p.join(conference(1), 1).spot;
        p.measured(owner.worker, 600_000);
        let joined = p.join(conference(1), 1);
        assert_eq!((joined.spot.worker, joined.annex_of), (1 - owner.worker, Some(owner)));
        p.measured(owner.worker, 400_000);
        assert_eq!(p.join(conference(1), 1).spot, owner);
    }
}
