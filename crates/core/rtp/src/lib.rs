//! RTP and RTCP: wire formats, reception and transmission state, the jitter buffer, telephone events, quality.
//!
//! The way of a datagram in: [`classify`] → (decrypt) → [`Packet::parse`] → [`Reception::receive`] → either
//! [`telephone_event::Receiver`] and [`JitterBuffer::skip`], or [`payload::ticks`] and
//! [`JitterBuffer::push`]; [`redundancy`] takes packets with copies apart, which [`JitterBuffer::restore`] puts in where
//! packets are missing. The way out: [`Transmission::send`] gives the [`Header`] of each packet.
//! RTCP: [`ReportSchedule`] says when, [`report::compose`] writes, [`report::absorb`] reads.
//!
//! After construction nothing here allocates, panics or logs.

#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
#![cfg_attr(test, allow(clippy::cast_possible_truncation, clippy::cast_sign_loss))]

mod classify;
mod extension;
mod jitter;
mod loss;
mod ntp;
mod packet;
pub mod payload;
pub mod quality;
mod reception;
pub mod redundancy;
pub mod report;
pub mod rtcp;
mod schedule;
pub mod telephone_event;
mod transmission;

pub use classify::{Kind, classify};
pub use extension::{AudioLevel, Element, Elements, Extension};
pub use jitter::{JitterBuffer, JitterCounts, JitterLimits, Next, Queued};
pub use loss::LossWatch;
pub use ntp::{NtpTimestamp, WallClock};
pub use packet::{Csrcs, Header, Packet};
pub use reception::{Arrival, Reception, ReceptionStatistics, Refusal, Verdict};
pub use schedule::ReportSchedule;
pub use transmission::{PeerView, Transmission, TransmissionStatistics};

/// Why a datagram is not what it claims to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Malformed {
    /// Shorter than its own length fields say.
    #[error("cut short")]
    Truncated,
    /// Not version 2 (RFC 3550 §5.1).
    #[error("not version 2")]
    Version,
    /// The padding count is zero or larger than the packet (RFC 3550 §5.1).
    #[error("impossible padding")]
    Padding,
    /// More blocks of redundant audio than anybody sends.
    #[error("too many blocks")]
    Blocks,
    /// A compound starts with something else than RTCP may start with (RFC 3550 §A.2, RFC 5506 §3.4.1).
    #[error("not an RTCP packet type")]
    PacketType,
}
