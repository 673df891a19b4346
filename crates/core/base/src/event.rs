use std::time::Duration;

use crate::{Epoch, Fault, LegId, LegReport, MediaTimeout};

/// What the media threads have to tell.
///
/// None is ever lost: where the channel is full, a worker keeps them and tries again at its next tick.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaEvent {
    /// Nothing came for too long. Once per occurrence: it is told again only after packets have come meanwhile
    /// or the leg was configured anew. The leg stays as it is until it is closed.
    Timeout {
        /// Whose peer is silent.
        leg: LegId,
        /// The configuration in force.
        epoch: Epoch,
        /// In which situation.
        kind: MediaTimeout,
    },
    /// The peer pressed a key (RFC 4733), told once per press, when it is released.
    Digit {
        /// Whose peer.
        leg: LegId,
        /// `0` to `9`, `*`, `#`, `A` to `D`.
        digit: char,
        /// How long it was held.
        duration: Duration,
    },
    /// In a conference: the peer began to talk, or stopped. Debounced: told after 120 ms of a voice and after 600 ms
    /// without, so three times in two seconds at most. Noise, music and tones are no talk.
    Talk {
        /// Whose peer.
        leg: LegId,
        /// It talks from now on.
        talking: bool,
    },
    /// The answer to closing a leg: sockets are closed; nothing more comes from this leg.
    Closed {
        /// Which leg.
        leg: LegId,
        /// Its media in figures.
        report: Box<LegReport>,
    },
    /// The leg's media broke down through our own fault, or cannot go on. It is silent, but still has to be closed.
    Failed {
        /// Which leg.
        leg: LegId,
        /// Why.
        fault: Fault,
    },
}
