use tandem_audio::AudioEncoder;
use tandem_base::ClockRate;

use crate::encoding::{Encoding, EncodingKey};

/// The loss that is expected without a report, percent: enough for Opus to send its FEC.
pub const USUAL_LOSS: u8 = 5;

/// One encode for all who hear the same mix in the same codec, parameters and packet time.
pub struct Rendition {
    /// The encode.
    pub encoding: Encoding,
    /// Legs that hear it in this tick.
    pub listeners: usize,
    /// It was encoded in the tick before, or is continued from a leg's own encoding.
    pub live: bool,
    expected_loss: u8,
}

impl Rendition {
    /// For a room at `room`, whose group has run for `ticks` ticks.
    pub fn new(key: EncodingKey, encoder: Box<dyn AudioEncoder>, room: ClockRate, ticks: u64) -> Self {
        let encoding = Encoding::new(key, encoder, room, ticks);
        Rendition { encoding, listeners: 0, live: false, expected_loss: USUAL_LOSS }
    }

    /// The worst loss that any of its listeners reports, in percent.
    pub fn expect_loss(&mut self, percent: u8) {
        if percent != self.expected_loss {
            self.expected_loss = percent;
            self.encoding.set_expected_loss(percent);
        }
    }
}
