use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ClockRate;

/// An audio encoding as negotiated: what to encode to or decode from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AudioFormat {
    /// G.711 µ-law, 8 kHz (RFC 3551 §4.5.14).
    Pcmu,
    /// G.711 A-law, 8 kHz (RFC 3551 §4.5.14).
    Pcma,
    /// G.722 at 64 kbit/s: 16 kHz sampling, 8 kHz RTP clock (RFC 3551 §4.5.2).
    G722,
    /// Opus (RFC 6716, RFC 7587), with what its receiver asked for.
    Opus(OpusParams),
}

impl AudioFormat {
    /// The RTP clock.
    pub const fn clock_rate(self) -> ClockRate {
        match self {
            AudioFormat::Pcmu | AudioFormat::Pcma | AudioFormat::G722 => ClockRate::HZ_8000,
            AudioFormat::Opus(_) => ClockRate::HZ_48000,
        }
    }

    /// The rate of the samples that the codec takes and gives.
    pub const fn sample_rate(self) -> ClockRate {
        match self {
            AudioFormat::Pcmu | AudioFormat::Pcma => ClockRate::HZ_8000,
            AudioFormat::G722 => ClockRate::HZ_16000,
            AudioFormat::Opus(_) => ClockRate::HZ_48000,
        }
    }

    /// The encoding name on the wire (`a=rtpmap`).
    pub const fn name(self) -> &'static str {
        match self {
            AudioFormat::Pcmu => "PCMU",
            AudioFormat::Pcma => "PCMA",
            AudioFormat::G722 => "G722",
            AudioFormat::Opus(_) => "opus",
        }
    }
}

impl fmt::Display for AudioFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the receiver of an Opus stream declared in its `a=fmtp` (RFC 7587 §6.1).
///
/// The sender obeys it. Absent parameters have the RFC's defaults, which [`OpusParams::default`] gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OpusParams {
    /// `maxplaybackrate`, Hz, 8,000 to 48,000: sampling above it is wasted.
    pub max_playback_rate: u32,
    /// `maxaveragebitrate`, bit/s, 6,000 to 510,000; `None` where the receiver left it open.
    pub max_average_bitrate: Option<u32>,
    /// `stereo=1`: the receiver prefers two channels.
    pub stereo: bool,
    /// `useinbandfec=1`: the receiver makes use of in-band FEC.
    pub inband_fec: bool,
    /// `usedtx=1`: the receiver prefers silence not to be sent.
    pub dtx: bool,
    /// `cbr=1`: the receiver wants a constant rate.
    pub cbr: bool,
}

impl Default for OpusParams {
    fn default() -> Self {
        OpusParams {
            max_playback_rate: 48_000,
            max_average_bitrate: None,
            stereo: false,
            inband_fec: false,
            dtx: false,
            cbr: false,
        }
    }
}
