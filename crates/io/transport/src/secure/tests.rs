//! In virtual time, over an emulated network.

mod attacks;
mod browser;
mod cost;
mod direct;
mod ice;
mod rig;
