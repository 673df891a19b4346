//! The owner of calls and rooms; everything below it is a port.
//!
//! [`Control`] is one task that owns every call and every room. Signalling reaches it as a pair of channels that
//! carry the SIP core's own commands and events, media as the trait [`Media`] and a channel of
//! [`tandem_base::MediaEvent`]. It knows no socket, no codec and no thread.

mod active;
mod control;
mod media;
mod record;
mod rooms;
mod settings;

pub use control::{Control, Ports};
pub use media::Media;
pub use record::CallRecord;
pub use settings::Settings;

#[cfg(test)]
mod tests;
