//! A call: offer/answer state, hold, release cause.
//!
//! [`Call`] is one leg's life between signalling and media, without either: it is told what came
//! ([`Input`]) and says what is to be done ([`Output`]). Its last output is always [`Output::Released`].

#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod call;
mod ending;
mod input;
mod output;
mod reason;
mod sdp;

pub use call::{Call, Stage};
pub use ending::{CallEnding, EndedBy};
pub use input::{Departure, Input, PeerEnding};
pub use output::Output;
pub use reason::{Protocol, Reason};
pub use sdp::Sdp;

#[cfg(test)]
mod tests;
