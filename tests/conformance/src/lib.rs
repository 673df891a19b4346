//! Torture tests for SIP (RFC 4475), those for IPv6 (RFC 5118), and what Tandem makes of them.
//!
//! [`CASES`] is the table: each message, written after its section of the RFC, with the outcome that the RFC asks
//! for. [`Bench`] gives them to the user agent in virtual time, [`Served`] over real sockets; behind both answers
//! the same [`Application`]. `CASES.md` shows the table with what was observed; a test writes it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod application;
mod bench;
mod cases;
mod markup;
mod observed;
mod peers;
mod served;
mod table;
mod written;

pub use application::{Application, METHODS};
pub use bench::Bench;
pub use cases::{CASES, Case, Outcome, Parsed, case};
pub use markup::octets;
pub use observed::{Observed, parsed, status};
pub use peers::{DatagramPeer, PATIENCE, StreamPeer};
pub use served::Served;
pub use table::table;
pub use written::{Written, written};
