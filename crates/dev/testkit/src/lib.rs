//! For tests only: a seeded random source, a network emulator in virtual time, tones and their measurement.

mod network;
mod seeded;
mod tone;

pub use network::{Conditions, Network};
pub use seeded::Seeded;
pub use tone::{level_dbfs, sine, tone_dbfs};
