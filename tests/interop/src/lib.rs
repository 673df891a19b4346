//! Real clients against the real program.
//!
//! [`Tandem`] runs the binary, [`Baresip`], [`Sipp`] and [`Kamailio`] run those programs, [`Phone`] is a plain socket
//! that speaks just enough SIP and RTP to do what well-behaved clients refuse to do, and [`Recording`]
//! measures what any of them heard. Every endpoint lives on a loopback address of its own (127.0.0.0/8), so
//! that tests may run beside each other; every process is ended by its own handle; every wait is bounded.
//!
//! A step that does not come true panics with what was awaited and the last lines of the log concerned:
//! that is how a test ends here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod baresip;
mod g711;
mod kamailio;
mod phone;
mod place;
mod process;
mod recording;
mod relay;
mod sipp;
mod tandem;
mod tap;
mod wav;

pub use baresip::{Baresip, Codec};
pub use kamailio::Kamailio;
pub use phone::{Heard, Message, Phone};
pub use place::{Scratch, address, free_port};
pub use process::{Log, Process, Signal};
pub use recording::{Recording, below};
pub use relay::Relay;
pub use sipp::{Sipp, SippCalls, SippOutcome, Transport};
pub use tandem::{Config, Tandem, binary};
pub use tap::Tap;

use std::time::{Duration, Instant};

/// Asks `ready` every few milliseconds until it answers, for at most `within`.
///
/// # Panics
/// When the time is over, naming `what`.
pub fn until<T>(what: &str, within: Duration, mut ready: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + within;
    loop {
        if let Some(answer) = ready() {
            return answer;
        }
        assert!(Instant::now() < end, "waited {within:?} in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
