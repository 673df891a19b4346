//! For tests only: a seeded random source, a network emulator in virtual time, tones and their
//! measurement, SIP messages to measure a parser with.

mod network;
mod seeded;
mod shapes;
mod tone;

pub use network::{Conditions, Network};
pub use seeded::Seeded;
pub use shapes::{LARGEST_DATAGRAM, common_invite, worst_datagrams};
pub use tone::{level_dbfs, sine, tone_dbfs, vowels};
