use crossbeam_channel::Sender;
use tandem_base::{Attachment, LegId};

use crate::fan::{Annex, AnnexId, Owner};
use crate::group::Member;
use crate::leg::{Configuration, Treatment};
use crate::sockets::Sockets;

/// A leg with its sockets, as it travels between threads.
pub type Traveller = Box<Member<Sockets>>;

/// Where a leg goes.
pub struct Destination {
    /// To what it is attached.
    pub attachment: Attachment,
    /// In which phase of the worker that is.
    pub phase: usize,
    /// Where this is the first leg of a room's annex: its tie to the owner.
    pub owner: Option<Box<Owner>>,
}

/// What a worker is told. Commands are never dropped.
pub enum Command {
    /// A leg comes.
    Attach {
        /// The leg.
        member: Traveller,
        /// Where to.
        to: Destination,
    },
    /// A leg that is here was negotiated anew or changes to another group of this worker.
    Change {
        /// Which.
        leg: LegId,
        /// What it is to be.
        configuration: Box<Configuration>,
        /// Where to.
        to: Destination,
    },
    /// Something else is to be done to a leg's sound.
    Adjust {
        /// Which.
        leg: LegId,
        /// What.
        treatment: Box<Treatment>,
    },
    /// A room that this worker mixes gets an annex.
    Tie {
        /// Which room.
        attachment: Attachment,
        /// In which phase it is.
        phase: usize,
        /// The annex.
        annex: Box<Annex>,
    },
    /// An annex has lost its last leg.
    Untie {
        /// Which room's.
        attachment: Attachment,
        /// In which phase the room is.
        phase: usize,
        /// Which annex.
        id: AnnexId,
    },
    /// A leg goes to another worker.
    Detach {
        /// Which.
        leg: LegId,
        /// Where to.
        reply: Sender<Option<Traveller>>,
    },
    /// A leg ends.
    Close {
        /// Which.
        leg: LegId,
    },
    /// A leg ends that was opened but never configured: only the event is owed.
    Abandon {
        /// Which.
        leg: LegId,
    },
    /// All legs end, and the thread.
    Stop,
}

impl Command {
    /// The leg that it is about.
    pub fn leg(&self) -> Option<LegId> {
        match self {
            Command::Attach { member, .. } => Some(member.leg.id()),
            Command::Change { leg, .. }
            | Command::Adjust { leg, .. }
            | Command::Detach { leg, .. }
            | Command::Close { leg }
            | Command::Abandon { leg } => Some(*leg),
            Command::Tie { .. } | Command::Untie { .. } | Command::Stop => None,
        }
    }
}
