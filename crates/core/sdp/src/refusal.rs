use serde::{Deserialize, Serialize};
use tandem_base::{Blame, Fault};

use crate::{Explanation, MAX_ATTRIBUTES, MAX_MEDIA, MAX_SDP};

/// A Warning for the peer's operator (RFC 3261 §20.43).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// 300 to 399.
    pub code: u16,
    /// Why: printable ASCII without quotes.
    pub text: String,
}

impl Warning {
    /// The header's value; `agent` is our host name or address.
    pub fn header_value(&self, agent: &str) -> String {
        format!("{} {agent} \"{}\"", self.code, self.text)
    }
}

/// In one word, why a description was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum RefusalCause {
    /// Longer than [`MAX_SDP`].
    #[error("the session description is longer than {MAX_SDP} bytes")]
    TooLarge,
    /// Not SDP version 0.
    #[error("the body is no session description (no v=0 in its first line)")]
    NotSdp,
    /// This line cannot be read.
    #[error("line {0} of the session description cannot be read")]
    Malformed(usize),
    /// More than [`MAX_MEDIA`] m-lines.
    #[error("the session description has more than {MAX_MEDIA} m-lines")]
    TooManyMedia,
    /// More than [`MAX_ATTRIBUTES`] attributes in one section.
    #[error("a section of the session description has more than {MAX_ATTRIBUTES} attributes")]
    TooManyAttributes,
    /// No m-line at all.
    #[error("the session description offers no media")]
    NoMedia,
    /// No m-line that we could take.
    #[error("no offered media can be accepted")]
    NothingAcceptable,
    /// Our offer was answered, but not so that audio can flow.
    #[error("the answer leaves no audio")]
    NoAudioAnswered,
}

/// No agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{cause}")]
pub struct Refusal {
    /// In one word.
    pub cause: RefusalCause,
    /// One for each different obstacle.
    pub warnings: Vec<Warning>,
    /// In full.
    pub explanation: Explanation,
}

impl Refusal {
    pub(crate) fn new(cause: RefusalCause) -> Self {
        let warnings = vec![Warning { code: 399, text: cause.to_string() }];
        Refusal { cause, warnings, explanation: Explanation::default() }
    }

    /// 488 where it was understood (RFC 3261 §21.4.26), 413 or 400 where it was not.
    pub fn fault(&self) -> Fault {
        let status = match self.cause {
            RefusalCause::TooLarge => 413,
            RefusalCause::NotSdp | RefusalCause::Malformed(_) => 400,
            _ => 488,
        };
        Fault::new(Blame::Peer, status, self.cause.to_string())
    }
}

impl From<RefusalCause> for Refusal {
    fn from(cause: RefusalCause) -> Self {
        Refusal::new(cause)
    }
}
