use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use tandem_base::{Direction, LocalMedia, SrtpPolicy, SrtpSuite};

use crate::{Codec, LocalDtls, OwnKeys};

/// Whose order of codecs decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Preference {
    /// The offerer's: the first one that we have (RFC 3264 §6.1 recommends it).
    #[default]
    Offerer,
    /// Ours: the first of [`Capabilities::codecs`] that is offered.
    Ours,
}

/// What we can do, the same for every call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// The codecs that we have, best first.
    pub codecs: Vec<Codec>,
    /// Whose order decides.
    pub preference: Preference,
    /// Do we take and send telephone events (RFC 4733)?
    pub telephone_event: bool,
    /// Do we take redundant audio, and send it to peers that lose packets (RFC 2198)?
    pub redundancy: bool,
    /// Do we take and tell audio levels in header extensions (RFC 6464, RFC 6465)?
    pub audio_levels: bool,
    /// Do our encoder and decoder of Opus have two channels?
    pub opus_stereo: bool,
    /// Audio in one packet where the peer has no wish, ms; brought to 10, 20, 30, 40, 50 or 60.
    pub ptime_ms: u8,
    /// Are media encrypted?
    pub srtp: SrtpPolicy,
    /// How, best first. An offerer's order decides all the same (RFC 4568 §5.1.2).
    pub srtp_suites: Vec<SrtpSuite>,
    /// Are they encrypted by DTLS-SRTP, with ICE or without? Off: an offer of it is refused; optional: where the peer
    /// offers it; required: by nothing else, and our own first offers have it. Only with [`Local::dtls`].
    pub dtls: SrtpPolicy,
}

impl Default for Capabilities {
    fn default() -> Self {
        Capabilities {
            codecs: vec![Codec::Opus, Codec::G722, Codec::Pcmu, Codec::Pcma],
            preference: Preference::Offerer,
            telephone_event: true,
            redundancy: true,
            audio_levels: true,
            opus_stereo: false,
            ptime_ms: 20,
            srtp: SrtpPolicy::Optional,
            srtp_suites: SrtpSuite::ALL.to_vec(),
            dtls: SrtpPolicy::Off,
        }
    }
}

/// Our side of one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Local {
    /// Names the session in `o=` (RFC 8866 §5.2): drawn at random for each call. Only 62 bits are used, and only the
    /// first time; later descriptions keep what [`crate::Negotiated`] remembers.
    pub session_id: u64,
    /// Where we receive. These addresses are told to the peer, so they must be reachable from there.
    pub media: LocalMedia,
    /// What we want; the outcome is never more than that.
    pub direction: Direction,
    /// What we encrypt with, if so agreed.
    pub keys: OwnKeys,
    /// Certificate and ICE agent; `None` does without DTLS-SRTP.
    pub dtls: Option<LocalDtls>,
}

impl Capabilities {
    /// What is left of them with this side of ours.
    pub(crate) fn with<'a>(&'a self, local: &Local) -> Cow<'a, Capabilities> {
        if local.dtls.is_some() || self.dtls == SrtpPolicy::Off {
            return Cow::Borrowed(self);
        }
        Cow::Owned(Capabilities { dtls: SrtpPolicy::Off, ..self.clone() })
    }
}
