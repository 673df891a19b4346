//! Media threads: batched UDP, the 20 ms tick, mixing and renditions.
//!
//! ```text
//! Workers::start → open(leg) → configure(leg, epoch, stream, attachment)… → close(leg) → MediaEvent::Closed
//! ```
//!
//! [`Workers`] is the front: it opens ports, chooses the thread that a conference lives on and carries commands
//! to it. What happens comes back as [`MediaEvent`]s over the channel that was given at the start.

mod codecs;
mod command;
mod encoding;
mod fan;
mod group;
mod leg;
mod metrics;
mod options;
mod outbox;
mod packetizer;
mod phase;
mod placement;
mod random;
mod receiver;
mod rehearsal;
mod sockets;
mod speakers;
mod surroundings;
mod sys;
mod thread;
mod workers;

pub use metrics::{Lateness, WorkerMetrics};
pub use options::{StartError, WorkerOptions};
pub use receiver::Receiver;
pub use rehearsal::Rehearsal;
pub use tandem_base::MediaEvent;
pub use workers::Workers;

#[cfg(test)]
mod tests;
