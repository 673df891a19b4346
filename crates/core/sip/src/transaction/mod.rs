//! Transactions (RFC 3261 §17, RFC 6026): the four machines, each a page of its own, and the table of all that
//! are alive.

mod client;
mod invite_client;
mod invite_server;
mod key;
mod machine;
mod server;
mod table;
mod timing;

#[cfg(test)]
mod tests;

pub use client::{Client, ClientInput};
pub use invite_client::{InviteClient, InviteClientInput};
pub use invite_server::{InviteServer, InviteServerInput};
pub use key::{ClientKey, ServerKey, branch};
pub use machine::{Machine, MachineInput};
pub use server::{Server, ServerInput};
pub use table::{MergeKey, NewClient, NewServer, OtherAck, SentAck, TableFull, TransactionId, Transactions};
pub use timing::{Backoff, Effects, Tell, Timing};
