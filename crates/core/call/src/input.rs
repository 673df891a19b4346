use tandem_base::{Fault, LocalMedia, MediaTimeout};

use crate::Sdp;

/// What happens to a call. Session descriptions are as they came; an empty one means that there was none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The INVITE: with the peer's offer, or asking for ours (RFC 3261 §13.2.1).
    Offered {
        /// The offer, or empty.
        sdp: Sdp,
    },
    /// The answer to [`crate::Output::OpenMedia`]: ports are open.
    MediaOpened {
        /// Where.
        local: LocalMedia,
    },
    /// The other answer to [`crate::Output::OpenMedia`].
    MediaRefused(Fault),
    /// The ACK for our 200: with the peer's answer where the 200 made the offer.
    Acknowledged {
        /// The answer, or empty.
        sdp: Sdp,
    },
    /// A re-INVITE: hold, resume, another codec or address, or asking for our offer.
    Reoffered {
        /// The offer, or empty.
        sdp: Sdp,
    },
    /// The session is to be refreshed by an offer that changes nothing (RFC 4028 §7.4).
    RefreshDue,
    /// The peer's answer to it.
    Reanswered {
        /// The answer.
        sdp: Sdp,
    },
    /// No packets came for too long.
    MediaTimedOut(MediaTimeout),
    /// Our media broke down.
    MediaFailed(Fault),
    /// We hang up: the peer is told why. Before the answer the call is refused.
    HangUp(Departure),
    /// The signalling is over, without or against our doing.
    SignalingEnded(PeerEnding),
}

/// Why we end a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Departure {
    /// All is well, it is just over: Q.850 cause 16.
    Normal {
        /// A few words for the peer's log.
        text: &'static str,
    },
    /// Something does not work or is not allowed.
    Fault(Fault),
}

/// How the signalling ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerEnding {
    /// CANCEL before the answer.
    Cancelled {
        /// Its Reason (RFC 3326), as it came.
        reason: Option<String>,
    },
    /// BYE.
    Bye {
        /// Its Reason (RFC 3326), as it came.
        reason: Option<String>,
    },
    /// Our 200 was never acknowledged (RFC 3261 §13.3.1.4).
    NoAck,
    /// The peer no longer knows the dialog, or no longer answers.
    Lost,
    /// What we asked for is done: our BYE or refusal is through.
    Ours,
}
