//! (request, table) to decision, as a pure function.
//!
//! [`decide`] looks at what was dialled and says where the call goes. Configured rooms come first, by their
//! exact name, then the echo and tone services, then the patterns that open a room on demand.

#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod decision;
mod name;
mod pattern;
mod user;

pub use decision::{Decision, Match, Request, Table, decide};
pub use name::{MAX_ROOM_NAME, RoomNameError, check_room_name};
pub use pattern::{MAX_PATTERN, Pattern, PatternError};

#[cfg(test)]
mod tests;
