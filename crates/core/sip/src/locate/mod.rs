//! Server location: which protocol to speak with which address, for a URI or a Via (RFC 3263, RFC 7984).
//!
//! Sans-IO: a [`Search`] says what is to be asked of the DNS and is handed the answers; it ends after three rounds of
//! queries at most (NAPTR, SRV, A and AAAA), whatever the answers are. [`Avoided`] remembers who failed of late.

mod avoided;
mod destination;
mod naptr;
mod record;
mod search;
mod srv;

#[cfg(test)]
mod tests;

pub use avoided::Avoided;
pub use destination::{Destination, Reach};
pub use record::{Answer, Naptr, Query, RecordType, Srv};
pub use search::{Hop, MOST_HOPS, Search};
