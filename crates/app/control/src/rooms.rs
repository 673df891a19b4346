use std::collections::BTreeMap;

use tandem_base::{Blame, ConferenceId, Fault, LegId, Time};
use tandem_conference::{Conference, Input, Output, Policy};
use tracing::{debug, info};

/// The rooms that somebody is in, by name.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    running: BTreeMap<String, Conference>,
    next: u64,
}

impl Rooms {
    /// Lets a leg into a room, which opens if need be.
    pub(crate) fn join(
        &mut self,
        room: &str,
        policy: Policy,
        leg: LegId,
        display_name: String,
        now: Time,
    ) -> Result<ConferenceId, Fault> {
        let next = &mut self.next;
        let conference = self.running.entry(room.to_owned()).or_insert_with(|| {
            *next += 1;
            info!(room, conference = %ConferenceId(*next), "room opened");
            Conference::new(ConferenceId(*next), policy)
        });
        let mut out = Vec::with_capacity(1);
        conference.handle(Input::Join { leg, display_name }, now, &mut out);
        let decision = match out.pop() {
            Some(Output::Admitted { .. }) => Ok(conference.id()),
            Some(Output::Refused { fault, .. }) => Err(fault),
            _ => Err(Fault::new(Blame::Ourselves, 500, "the room did not decide")),
        };
        if conference.roster().is_empty() {
            self.running.remove(room);
        }
        decision
    }

    /// A leg went; with the last the room closes.
    pub(crate) fn leave(&mut self, room: &str, leg: LegId, now: Time) {
        let Some(conference) = self.running.get_mut(room) else { return };
        let mut out = Vec::with_capacity(3);
        conference.handle(Input::Leave { leg }, now, &mut out);
        note_active(room, &out);
        if out.contains(&Output::Ended) {
            info!(room, conference = %conference.id(), "room closed");
            self.running.remove(room);
        }
    }

    /// A participant began to talk, or stopped.
    pub(crate) fn talk(&mut self, room: &str, leg: LegId, talking: bool, now: Time) {
        let Some(conference) = self.running.get_mut(room) else { return };
        let mut out = Vec::new();
        conference.handle(Input::Talk { leg, talking }, now, &mut out);
        note_active(room, &out);
    }

    /// How many are running.
    pub(crate) fn len(&self) -> usize {
        self.running.len()
    }
}

fn note_active(room: &str, out: &[Output]) {
    for output in out {
        if let Output::ActiveSpeaker(leg) = output {
            debug!(room, leg = leg.map(tracing::field::display), "active speaker");
        }
    }
}
