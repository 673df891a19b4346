use std::collections::HashMap;

use tandem_base::{Attachment, ConferenceId};

/// Which worker a leg goes to: pure bookkeeping.
#[derive(Clone, Debug)]
pub struct Placement {
    // Legs on each worker.
    load: Vec<usize>,
    conferences: HashMap<ConferenceId, Conference>,
}

#[derive(Clone, Copy, Debug)]
struct Conference {
    worker: usize,
    legs: usize,
}

impl Placement {
    /// For so many workers.
    pub fn new(workers: usize) -> Self {
        Placement { load: vec![0; workers.max(1)], conferences: HashMap::new() }
    }

    fn idlest(&self) -> usize {
        self.load.iter().enumerate().min_by_key(|(_, legs)| **legs).map_or(0, |(i, _)| i)
    }

    /// A leg comes: where to. A conference lives on one worker, which is chosen with its first leg.
    pub fn join(&mut self, attachment: Attachment) -> usize {
        let idlest = self.idlest();
        let worker = match attachment {
            Attachment::Conference(id) => {
                let conference = self.conferences.entry(id).or_insert(Conference { worker: idlest, legs: 0 });
                conference.legs += 1;
                conference.worker
            }
            Attachment::Echo | Attachment::Tone => idlest,
        };
        if let Some(legs) = self.load.get_mut(worker) {
            *legs += 1;
        }
        worker
    }

    /// A leg of `worker` goes.
    pub fn leave(&mut self, attachment: Attachment, worker: usize) {
        if let Some(legs) = self.load.get_mut(worker) {
            *legs = legs.saturating_sub(1);
        }
        let Attachment::Conference(id) = attachment else { return };
        let Some(conference) = self.conferences.get_mut(&id) else { return };
        conference.legs -= 1;
        if conference.legs == 0 {
            self.conferences.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conference(n: u64) -> Attachment {
        Attachment::Conference(ConferenceId(n))
    }

    #[test]
    fn a_conference_stays_on_the_worker_of_its_first_leg() {
        let mut p = Placement::new(2);
        let first = p.join(conference(1));
        for _ in 0..5 {
            assert_eq!(p.join(conference(1)), first);
        }
        assert_eq!(p.join(conference(2)), 1 - first);
        assert_eq!(p.join(Attachment::Echo), 1 - first, "services go where there is least to do");
        for _ in 0..6 {
            p.leave(conference(1), first);
        }
        assert!(p.join(conference(3)) == first && p.conferences.len() == 2);
    }
}
