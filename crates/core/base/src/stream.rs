use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{AudioFormat, ClockRate, ConferenceId, PayloadType, Srtp};

/// Who sends, seen from our side (RFC 3264 §5.1, RFC 8866 §6.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// Both send.
    #[default]
    SendRecv,
    /// Only we send.
    SendOnly,
    /// Only the peer sends.
    RecvOnly,
    /// Nobody sends; RTCP still flows (RFC 3264 §5.1).
    Inactive,
}

impl Direction {
    /// Do we send?
    pub const fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Does the peer send?
    pub const fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// From who sends.
    pub const fn from_flags(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    /// The same, seen from the other side.
    pub const fn reversed(self) -> Self {
        Direction::from_flags(self.receives(), self.sends())
    }

    /// The SDP attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }
}

/// Where a leg's own media ports are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalMedia {
    /// RTP; the port is even (RFC 3550 §11).
    pub rtp: SocketAddr,
    /// RTCP: the next port; unused once rtcp-mux is agreed.
    pub rtcp: SocketAddr,
}

/// What we send: one format at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendFormat {
    /// The number the peer gave it.
    pub payload_type: PayloadType,
    /// How to encode.
    pub format: AudioFormat,
    /// Audio in one packet, ms: 10, 20, 30, 40, 50 or 60.
    pub ptime_ms: u8,
}

/// One of the formats the peer may send at any moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiveFormat {
    /// The number it will carry.
    pub payload_type: PayloadType,
    /// How to decode.
    pub format: AudioFormat,
}

/// The telephone events 0 to 15 that a side can take (RFC 4733 §2.4.1), one bit each.
///
/// Only the keypad (0 to 9, `*`, `#`, A to D) matters to Tandem; flash and the tones above are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSet(pub u16);

impl EventSet {
    /// The whole keypad, 0 to 15: the default where `a=fmtp` is absent (RFC 4733 §2.4.1).
    pub const KEYPAD: EventSet = EventSet(0xffff);

    /// Is `event` in the set?
    pub const fn contains(self, event: u8) -> bool {
        event < 16 && self.0 >> event & 1 == 1
    }
}

/// Telephone events agreed (RFC 4733).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TelephoneEvent {
    /// What we put into packets that we send.
    pub send_payload_type: PayloadType,
    /// What the peer's packets carry.
    pub receive_payload_type: PayloadType,
    /// The clock that durations count in: the audio's own RTP clock.
    pub clock_rate: ClockRate,
    /// What the peer can take.
    pub events: EventSet,
}

/// The number of a header extension, as `a=extmap` gave it (RFC 8285 §5): 1 to 255, but for 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExtensionId(u8);

impl ExtensionId {
    /// `None` for 0, which is padding, and for 15, which ends the one-byte form (RFC 8285 §4.2).
    pub const fn new(value: u8) -> Option<Self> {
        if matches!(value, 0 | 15) { None } else { Some(ExtensionId(value)) }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// 1 to 14: fits the one-byte form.
    pub const fn is_short(self) -> bool {
        self.0 < 15
    }
}

/// How loud the peer's packets say that they are (RFC 6464).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientLevel {
    /// Under which number.
    pub id: ExtensionId,
    /// Does the flag for voice tell anything (`vad=on`, the default of RFC 6464 §4)?
    pub voice_flag: bool,
}

/// Header extensions agreed (RFC 8285).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderExtensions {
    /// The peer's packets say how loud they are.
    pub client_level: Option<ClientLevel>,
    /// Ours say how loud each contributing source is (RFC 6465).
    pub mixer_levels: Option<ExtensionId>,
}

/// Redundant audio agreed (RFC 2198): packets may bring copies of those before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redundancy {
    /// What we put into such packets.
    pub send_payload_type: PayloadType,
    /// What the peer's carry.
    pub receive_payload_type: PayloadType,
    /// Copies in one packet that the peer takes: 1 or 2; 0 where it did not say so, and none is sent.
    pub copies: u8,
}

/// An audio stream as offer and answer settled it; all that the media side needs to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioStream {
    /// Who sends, seen from us.
    pub direction: Direction,
    /// What we send.
    pub send: SendFormat,
    /// What the peer may send: never empty, payload types distinct.
    pub receive: Vec<ReceiveFormat>,
    /// Telephone events, one entry per clock rate; empty where the peer has none.
    pub telephone_events: Vec<TelephoneEvent>,
    /// Where the peer wants RTP; an unspecified address (0.0.0.0) says "nowhere" (RFC 3264 §8.4, old hold).
    pub remote_rtp: SocketAddr,
    /// Where the peer wants RTCP; equal to `remote_rtp` under rtcp-mux.
    pub remote_rtcp: SocketAddr,
    /// RTP and RTCP share a port (RFC 5761).
    pub rtcp_mux: bool,
    /// How both are encrypted; `None` is plain RTP.
    pub srtp: Option<Srtp>,
    /// What may stand in the header besides.
    pub extensions: HeaderExtensions,
    /// Redundant copies; `None` where the peer has none.
    pub redundancy: Option<Redundancy>,
}

/// What a leg's audio is connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attachment {
    /// Mixed with the others of a conference.
    Conference(ConferenceId),
    /// Gets its own sound back.
    Echo,
    /// Hears a steady 1004 Hz tone at −16 dBFS (the test tone of North American trunks).
    Tone,
}

/// Why a leg's media are given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MediaTimeout {
    /// Nothing ever arrived.
    Setup,
    /// It arrived and stopped.
    Talk,
    /// Neither RTP nor RTCP while the peer holds.
    Hold,
}

/// How long silence on the wire is borne; zero means for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaTimeouts {
    /// From the answer to the first RTP packet.
    pub setup: Duration,
    /// Between packets while the peer should send.
    pub talk: Duration,
    /// Between RTP or RTCP packets while the peer should not send.
    pub hold: Duration,
}
