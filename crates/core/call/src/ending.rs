use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use tandem_base::{Blame, Fault};

use crate::reason::{Protocol, Reason, visible};

/// Who ended a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndedBy {
    /// The other side: BYE or CANCEL.
    Peer,
    /// We: refused or hung up.
    Ourselves,
    /// Nobody: it went silent, or a message never arrived.
    Network,
}

impl EndedBy {
    /// As the call record says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            EndedBy::Peer => "peer",
            EndedBy::Ourselves => "us",
            EndedBy::Network => "network",
        }
    }
}

impl fmt::Display for EndedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a call ended: for its record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallEnding {
    /// Who.
    pub by: EndedBy,
    /// The SIP status that was sent or that describes it best; 200 for a normal end.
    pub status: u16,
    /// ITU-T Q.850 cause: 16 for normal clearing.
    pub q850: u8,
    /// A few words.
    pub text: Cow<'static, str>,
    /// Whose fault, where there was one: decides the log level.
    pub blame: Option<Blame>,
}

impl CallEnding {
    /// Somebody hung up and all is well.
    pub fn normal(by: EndedBy, text: impl Into<Cow<'static, str>>) -> Self {
        CallEnding { by, status: 200, q850: 16, text: text.into(), blame: None }
    }

    /// Something did not work.
    pub fn fault(by: EndedBy, fault: &Fault) -> Self {
        CallEnding {
            by,
            status: fault.status,
            q850: fault.q850(),
            text: fault.detail.clone(),
            blame: Some(fault.blame),
        }
    }

    /// The peer hung up and may have said why: its Q.850 cause and its words, if it gave any (RFC 3326).
    pub(crate) fn by_peer(status: u16, reason: Option<&str>, otherwise: &'static str) -> Self {
        let reasons = Reason::parse(reason.unwrap_or_default());
        let is_q850 = |reason: &&Reason| reason.protocol == Protocol::Q850;
        let q850 = reasons.iter().find(is_q850).and_then(|reason| u8::try_from(reason.cause).ok());
        let words = reasons.into_iter().map(|reason| reason.text).find(|text| !text.is_empty());
        let text = words.or_else(|| reason.map(|value| visible(value.chars())));
        CallEnding {
            by: EndedBy::Peer,
            status,
            q850: q850.unwrap_or(16),
            text: text.map_or(otherwise.into(), Cow::Owned),
            blame: None,
        }
    }

    /// The value of a Reason header field (RFC 3326 §2): `Q.850;cause=16;text="…"`.
    pub fn reason_value(&self) -> String {
        Reason::q850(self.q850, &*self.text).to_string()
    }
}
