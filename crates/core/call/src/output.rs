use tandem_base::{AudioStream, Epoch, Fault};
use tandem_sdp::{Description, Explanation, Warning};

use crate::CallEnding;

/// What a call wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Open media ports; [`crate::Input::MediaOpened`] or `MediaRefused` must follow at once.
    OpenMedia,
    /// What was negotiated and why; for the log.
    Explain(Explanation),
    /// Start the media, or change them: before the peer hears of it.
    ConfigureMedia {
        /// Which negotiation this is; grows.
        epoch: Epoch,
        /// What was agreed.
        stream: AudioStream,
    },
    /// Answer the INVITE or re-INVITE with 200.
    Accept {
        /// Our answer, or our offer where theirs had none.
        sdp: Description,
    },
    /// Offer this by re-INVITE: what we said last, word for word. [`crate::Input::Reanswered`] follows, or nothing.
    Offer {
        /// Our offer.
        sdp: Description,
    },
    /// Refuse the INVITE (the call is over) or the re-INVITE (it goes on as it was, RFC 6141).
    Refuse {
        /// The status.
        fault: Fault,
        /// For its Warning header field; may be empty.
        warnings: Vec<Warning>,
    },
    /// Send BYE.
    HangUp {
        /// Value of its Reason header field (RFC 3326).
        reason: String,
    },
    /// Close the media ports.
    CloseMedia,
    /// The call is over; the last output of every call, exactly once.
    Released(CallEnding),
}
