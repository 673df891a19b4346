//! SIP over UDP, TCP, TLS and WebSocket around the sans-IO core.
//!
//! [`Signaling::bind`] opens every listener; [`Signaling::run`] then serves until it is told to stop. One task owns
//! the user agent and never waits for a peer: sockets are read by tasks of their own, streams are written by tasks of
//! their own, and what lies between is bounded.
//!
//! Back-pressure: while the application is behind with its events, nothing new is taken from the network: streams are
//! not read, datagrams wait in a bounded queue with turns by source, and what finds no room is lost and sent again by its
//! sender. Commands and timers go on.

mod bind;
mod config;
mod connection;
mod counters;
mod dispatch;
mod entropy;
mod fair;
mod handshake;
mod listener;
mod local;
mod outbound;
mod quota;
mod resolve;
mod stream;
pub mod tls;
mod udp;
mod websocket;

pub use bind::{BindError, Signaling};
pub use config::{Advertise, ListenerConfig, SignalingConfig, StreamLimits};
pub use counters::Counters;
pub use dispatch::Stop;
pub use entropy::OsEntropy;
pub use resolve::DnsConfig;
