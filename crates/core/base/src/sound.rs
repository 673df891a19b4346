use serde::{Deserialize, Serialize};

/// A gain in whole decibels, −40 to +20; 0 changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i8", into = "i8")]
pub struct Gain(i8);

impl Gain {
    /// 0 dB.
    pub const UNITY: Gain = Gain(0);
    /// −40 dB.
    pub const LEAST: Gain = Gain(-40);
    /// +20 dB.
    pub const MOST: Gain = Gain(20);

    /// `None` outside −40 to +20 dB.
    pub const fn new(db: i8) -> Option<Self> {
        if Gain::LEAST.0 <= db && db <= Gain::MOST.0 { Some(Gain(db)) } else { None }
    }

    /// In decibels.
    pub const fn db(self) -> i8 {
        self.0
    }

    /// As a factor of the amplitude: 1.0 for 0 dB.
    pub fn factor(self) -> f32 {
        10f32.powf(f32::from(self.0) / 20.0)
    }
}

/// A gain beyond −40 to +20 dB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a gain of {0} dB is not within -40 to 20")]
pub struct GainRange(pub i8);

impl TryFrom<i8> for Gain {
    type Error = GainRange;

    fn try_from(db: i8) -> Result<Self, GainRange> {
        Gain::new(db).ok_or(GainRange(db))
    }
}

impl From<Gain> for i8 {
    fn from(gain: Gain) -> i8 {
        gain.0
    }
}

/// Automatic gain control: what it aims at and how far it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Agc {
    /// The level that speech is brought to, dBFS (0: a full-scale sine), −40 to −6.
    pub target_dbfs: i8,
    /// The most that is added to a faint voice, dB, 0 to 30; loud ones are lowered by 20 dB at most.
    pub max_gain_db: u8,
}

impl Default for Agc {
    /// Speech at −20 dBFS, at most 12 dB louder than it came.
    fn default() -> Self {
        Agc { target_dbfs: -20, max_gain_db: 12 }
    }
}

/// What is done to one leg's sound, both ways. The default does nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LegSound {
    /// What the leg says, before anything is decided by its level.
    pub gain_in: Gain,
    /// What the leg hears. Other than 0 dB costs an encode of its own.
    pub gain_out: Gain,
    /// Nobody hears the leg.
    pub muted: bool,
    /// The leg hears nothing: it gets silence.
    pub deaf: bool,
    /// Brings the leg's voice to one level.
    pub agc: Option<Agc>,
    /// Removes background noise from what the leg says; delays it by 10 ms and costs more than all else.
    pub noise_suppression: bool,
    /// Attenuates what comes from the leg while it is an echo of what was sent to it.
    pub echo_suppression: bool,
}

/// How a receiver fares with our packets, as far as an encoder can do something about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LossClass {
    /// It loses next to nothing: forward error correction would be wasted.
    Clean,
    /// It loses some, or has not told: forward error correction is worth it.
    #[default]
    Lossy,
    /// It loses much: more redundancy at a lower rate, since the path may be congested.
    Heavy,
}

impl LossClass {
    /// Every one, from best to worst.
    pub const ALL: [LossClass; 3] = [LossClass::Clean, LossClass::Lossy, LossClass::Heavy];
}
