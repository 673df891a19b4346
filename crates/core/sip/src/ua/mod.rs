//! The user agent: what an application and a transport layer see of SIP (RFC 3261 §8, §12 to §15).
//!
//! A transport layer turns what it receives into [`Input`] and does what [`Output::Send`] says; an application
//! gives [`Command`]s and hears [`Event`]s. [`UserAgent`] does the rest: transactions, dialogs, retransmission,
//! and the refusal of whatever the application should never have to see.

mod agent;
mod authenticate;
mod build;
mod callee;
mod caller;
mod command;
mod context;
mod delivery;
mod event;
mod flow;
mod hangup;
mod identity;
mod in_dialog;
mod info;
mod input;
mod inspect;
mod outside;
mod overtake;
mod path;
mod receive;
mod reliable;
mod session_id;
mod statistics;
mod timer;
mod update;
mod usage;

#[cfg(test)]
mod tests;

pub use agent::UserAgent;
pub use command::{Body, Command, InviteId, NewInvite, NewRequest, OutgoingId, RequestId};
pub use event::{EndCause, Event, Failure};
pub use flow::{Flow, FlowId, Protocol, Target};
pub use identity::{Config, Identity, Limits, Listener};
pub use input::{Input, LookupId, Output};
pub use statistics::Statistics;
