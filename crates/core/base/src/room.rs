use serde::{Deserialize, Serialize};

/// How a room's audio is made: what the operator decided, for every leg of the room the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomAudio {
    /// At most so many are heard at a time, those who speak loudest; 0: all who speak.
    pub loudest: u16,
    /// Where nobody speaks, a low noise instead of digital silence, which sounds like a call that was lost.
    pub comfort_noise: bool,
}

impl RoomAudio {
    /// The most that [`RoomAudio::loudest`] can name.
    pub const MOST: u16 = 1_000;
}

impl Default for RoomAudio {
    /// The four loudest, and comfort noise.
    fn default() -> Self {
        RoomAudio { loudest: 4, comfort_noise: true }
    }
}
