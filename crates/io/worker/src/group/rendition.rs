use tandem_audio::AudioEncoder;
use tandem_base::ClockRate;

use crate::encoding::{Encoding, EncodingKey};

/// The loss that is expected without a report, percent: enough for Opus to send its FEC.
pub const USUAL_LOSS: u8 = 5;

/// One encode for all who hear the same mix in the same codec, parameters and packet time.
pub struct Rendition {
    /// The encode.
    pub encoding: Encoding,
    /// Legs of its key.
    pub members: usize,
    /// Legs that hear it in this tick.
    pub listeners: usize,
    /// It was encoded in the tick before, or is continued from a leg's own encoding.
    pub live: bool,
    /// The worst loss that any of its receivers reports, in percent, while that is looked for.
    pub worst_loss: u8,
    expected_loss: u8,
}

impl Rendition {
    /// For a room at `room`, whose group has run for `ticks` ticks.
    pub fn new(key: EncodingKey, encoder: Box<dyn AudioEncoder>, room: ClockRate, ticks: u64) -> Self {
        let encoding = Encoding::new(key, encoder, room, ticks);
        Rendition {
            encoding,
            members: 1,
            listeners: 0,
            live: false,
            worst_loss: USUAL_LOSS,
            expected_loss: USUAL_LOSS,
        }
    }

    /// Encodes for [`Rendition::worst_loss`] from now on.
    pub fn expect_worst_loss(&mut self) {
        if self.worst_loss != self.expected_loss {
            self.expected_loss = self.worst_loss;
            self.encoding.set_expected_loss(self.expected_loss);
        }
    }
}
