use serde::{Deserialize, Serialize};

use crate::{ClockRate, LegSound};

/// How a room's audio is made: what the operator decided, for every leg of the room the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomAudio {
    /// At most so many are heard at a time, those who speak loudest; 0: all who speak.
    pub loudest: u16,
    /// Where nobody speaks, a low noise instead of digital silence, which sounds like a call that was lost.
    pub comfort_noise: bool,
    /// The rate that it is mixed at: 8, 16 or 48 kHz; `None`: the best that any of its legs can hear.
    pub rate: Option<ClockRate>,
    /// What is done to the sound of each of its legs, until somebody asks for something else.
    pub sound: LegSound,
}

impl RoomAudio {
    /// The most that [`RoomAudio::loudest`] can name.
    pub const MOST: u16 = 1_000;
}

impl Default for RoomAudio {
    /// The four loudest, and comfort noise; the rate follows the legs, whose sound is left as it is.
    fn default() -> Self {
        RoomAudio { loudest: 4, comfort_noise: true, rate: None, sound: LegSound::default() }
    }
}
