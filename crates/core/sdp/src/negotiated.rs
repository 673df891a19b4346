use serde::{Deserialize, Serialize};
use tandem_base::{AudioStream, ClockRate, DtlsTransport, MediaTransport, Mid, PayloadType};

use crate::{Codec, Description, Local, Offer};

/// Our `o=` line (RFC 8866 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The same for the whole call.
    pub session_id: u64,
    /// Grows by one whenever our description changes (RFC 3264 §8).
    pub version: u64,
}

impl Origin {
    /// Some peers read both numbers as signed (RFC 3264 §5 bounds the version by 2^62 − 1).
    pub(crate) fn first(local: &Local) -> Self {
        Origin { session_id: local.session_id >> 2, version: 1 }
    }

    pub(crate) fn next(self) -> Self {
        Origin { version: self.version.wrapping_add(1), ..self }
    }
}

/// An m-line as the last description had it. Its place is kept for ever (RFC 3264 §8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// `audio`, `video`, …
    pub media: String,
    /// `RTP/AVP`, …
    pub protocol: String,
    /// The format list.
    pub formats: String,
    /// Its name, where descriptions of ours have it.
    pub mid: Option<Mid>,
}

/// What a payload number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Meaning {
    /// Audio that we know.
    Audio(Codec),
    /// Telephone events counted by this clock.
    Events(ClockRate),
    /// Redundant audio of codecs with this clock (RFC 2198).
    Redundancy(ClockRate),
    /// Something else.
    Other,
}

/// A payload number and what it was once agreed or offered to mean: that stays (RFC 3264 §8.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The number.
    pub payload_type: PayloadType,
    /// Its meaning.
    pub meaning: Meaning,
}

/// What offer and answer settled, and what the next ones must remember.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Negotiated {
    /// For the media side.
    pub stream: AudioStream,
    /// Whose keys encrypt it, and how its packets find their way; `None` without DTLS-SRTP, see [`Negotiated::transport`].
    pub dtls: Option<DtlsTransport>,
    /// Which m-line carries it, from 0.
    pub line: usize,
    /// All m-lines, in order.
    pub lines: Vec<Line>,
    /// All payload numbers that the audio m-line ever used.
    pub payloads: Vec<Binding>,
    /// Our `o=`.
    pub origin: Origin,
    /// Our last description, whole.
    pub local_sdp: Description,
}

impl Negotiated {
    /// How the media travel, for the leg's transport. With ICE the addresses of [`AudioStream`] are but what the
    /// descriptions' `c=` said by default.
    pub fn transport(&self) -> MediaTransport {
        match (&self.dtls, &self.stream.srtp) {
            (Some(dtls), _) => MediaTransport::Dtls(Box::new(dtls.clone())),
            (None, Some(srtp)) => MediaTransport::Sdes(srtp.clone()),
            (None, None) => MediaTransport::Plain,
        }
    }

    /// Takes down that the peer saw this offer of ours although nothing came of it: what holds stays, but the next
    /// description must differ in its version (RFC 3264 §8) and leave the offered numbers their meaning.
    pub fn offered_in_vain(&mut self, offer: &Offer) {
        self.origin = offer.origin;
        self.local_sdp.clone_from(&offer.sdp);
        remember(&mut self.payloads, offer.formats.iter().copied());
    }
}

/// Adds what is new; a peer that gives a number a new meaning against the rule is taken at its word.
pub(crate) fn remember(payloads: &mut Vec<Binding>, seen: impl IntoIterator<Item = Binding>) {
    for binding in seen {
        match payloads.iter_mut().find(|known| known.payload_type == binding.payload_type) {
            Some(known) => *known = binding,
            None => payloads.push(binding),
        }
    }
}
