//! Groups in virtual time: datagrams in, datagrams out, no sockets.

mod allocation;
mod classes;
mod conference;
mod continuity;
mod events;
mod fan;
mod hostile;
mod levels;
mod loopback;
mod phone;
mod rates;
mod receiving;
mod redundancy;
mod secrecy;
mod selection;
mod sound;
mod stage;
mod talk;
