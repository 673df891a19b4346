//! Estimated quality of a leg: the E-model of ITU-T G.107 with default values, reduced to what RTP tells.

use std::time::Duration;

use tandem_base::AudioFormat;

/// What a listener suffers from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impairments {
    /// What was decoded.
    pub format: AudioFormat,
    /// Share of packets that could not be played, late ones included: 0.0 to 1.0.
    pub loss: f32,
    /// Burst ratio (ITU-T G.107 §7.4): mean length of a run of losses over that of random losses; 1.0 if unknown.
    pub burst_ratio: f32,
    /// Mouth to ear, one way.
    pub delay: Duration,
}

/// Transmission rating R, 0.0 to 93.2 (ITU-T G.107 §7.1).
pub fn rating(of: &Impairments) -> f32 {
    let _ = of;
    0.0
}

/// Estimated mean opinion score, 1.0 to 4.5, of a rating (ITU-T G.107 annex B).
pub fn mos(rating: f32) -> f32 {
    let _ = rating;
    1.0
}
