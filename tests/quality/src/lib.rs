//! Speech through encoder, network, jitter buffer and playout in virtual time, and how it sounds then.
//!
//! [`Line`] runs it, [`speech`] makes what is said, [`score`] compares what was heard with it, [`Table`] knows how good
//! that was before.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "for tests only")]

mod line;
mod matrix;
mod score;
mod speech;
mod table;
mod wav;

pub use line::{Heard, Line, Talker, opus, stream};
pub use matrix::{Cell, VOICES, cells};
pub use score::{Score, Task, score};
pub use speech::speech;
pub use table::{Row, Table};
