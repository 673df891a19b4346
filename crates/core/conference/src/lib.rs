//! The focus policy of a conference: who is in, who may come in, and when it is over.
//!
//! [`Conference`] is one life of a room, from its first participant to its last. It decides; it mixes
//! nothing and speaks no protocol.

#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tandem_base::{Blame, ConferenceId, Fault, LegId, Sink, Time};

/// What the operator laid down for a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// At most this many participants; `None` is no limit.
    pub max_participants: Option<usize>,
}

/// Somebody in the conference (RFC 4353 §3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// What the others see; may be empty.
    pub display_name: String,
    /// Since when.
    pub joined: Time,
    /// Talks at present, since then.
    pub talking: Option<Time>,
}

/// What happens to a conference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A leg asks to come in.
    Join {
        /// Which.
        leg: LegId,
        /// What the others see; may be empty.
        display_name: String,
    },
    /// A leg went, for whatever reason. One that is not in is ignored.
    Leave {
        /// Which.
        leg: LegId,
    },
    /// From now on nobody new comes in, or anybody may again.
    Lock(bool),
    /// A participant began to talk, or stopped. A leg that is not in is ignored.
    Talk {
        /// Which.
        leg: LegId,
        /// It talks from now on.
        talking: bool,
    },
}

/// What a conference decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// The leg is in.
    Admitted {
        /// Which.
        leg: LegId,
    },
    /// The leg may not come in.
    Refused {
        /// Which.
        leg: LegId,
        /// 486 for a full room, 403 for a locked one.
        fault: Fault,
    },
    /// The leg is out.
    Left {
        /// Which.
        leg: LegId,
    },
    /// Another participant is the active speaker; `None`: the one who was is gone, and nobody talks.
    ActiveSpeaker(Option<LegId>),
    /// The last participant went. The conference is over and takes nobody any more.
    Ended,
}

/// A running conference: the focus of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conference {
    id: ConferenceId,
    policy: Policy,
    locked: bool,
    over: bool,
    roster: BTreeMap<LegId, Participant>,
    active: Option<LegId>,
}

impl Conference {
    /// An empty one; it lives from its first participant to its last.
    pub const fn new(id: ConferenceId, policy: Policy) -> Self {
        Conference { id, policy, locked: false, over: false, roster: BTreeMap::new(), active: None }
    }

    /// Its name in this process.
    pub const fn id(&self) -> ConferenceId {
        self.id
    }

    /// Who is in, by leg.
    pub const fn roster(&self) -> &BTreeMap<LegId, Participant> {
        &self.roster
    }

    /// Who speaks: the one to look at. It is who spoke last where nobody does.
    pub const fn active_speaker(&self) -> Option<LegId> {
        self.active
    }

    /// Who is active stays so while talking, and then until somebody else talks: of several, who has talked longest.
    fn choose_active(&mut self, out: &mut impl Sink<Output>) {
        let present = self.active.and_then(|leg| self.roster.get(&leg));
        if present.is_some_and(|p| p.talking.is_some()) {
            return;
        }
        let stays = self.active.filter(|_| present.is_some());
        let talkers = self.roster.iter().filter_map(|(leg, p)| Some((p.talking?, *leg)));
        let next = talkers.min().map(|(_, leg)| leg).or(stays);
        if next != self.active {
            self.active = next;
            out.emit(Output::ActiveSpeaker(next));
        }
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, now: Time, out: &mut impl Sink<Output>) {
        match input {
            Input::Join { leg, display_name } => match self.admission(leg) {
                Ok(()) => {
                    self.roster.insert(leg, Participant { display_name, joined: now, talking: None });
                    out.emit(Output::Admitted { leg });
                }
                Err(fault) => out.emit(Output::Refused { leg, fault }),
            },
            Input::Leave { leg } => self.leave(leg, out),
            Input::Lock(locked) => self.locked = locked,
            Input::Talk { leg, talking } => {
                if let Some(participant) = self.roster.get_mut(&leg) {
                    participant.talking = talking.then_some(now);
                    self.choose_active(out);
                }
            }
        }
    }

    fn admission(&self, leg: LegId) -> Result<(), Fault> {
        let refuse = |status, why| Err(Fault::new(Blame::Policy, status, why));
        if self.over {
            return refuse(480, "the conference is over");
        }
        if self.roster.contains_key(&leg) {
            return Err(Fault::new(Blame::Ourselves, 500, "the leg is in the conference already"));
        }
        if self.locked {
            return refuse(403, "the room is locked");
        }
        if self.policy.max_participants.is_some_and(|max| self.roster.len() >= max) {
            return refuse(486, "the room is full");
        }
        Ok(())
    }

    fn leave(&mut self, leg: LegId, out: &mut impl Sink<Output>) {
        if self.roster.remove(&leg).is_none() {
            return;
        }
        out.emit(Output::Left { leg });
        self.choose_active(out);
        if self.roster.is_empty() {
            self.over = true;
            out.emit(Output::Ended);
        }
    }
}

#[cfg(test)]
mod tests;
