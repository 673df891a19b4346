//! Exit codes, as sysexits.h numbers them.

/// Asked to stop, and cleaned up.
pub const OK: u8 = 0;
/// Wrong command line or configuration (`EX_USAGE`).
pub const USAGE: u8 = 64;
/// An address is in use or not there (`EX_UNAVAILABLE`).
pub const UNAVAILABLE: u8 = 69;
/// A fault of our own (`EX_SOFTWARE`).
pub const INTERNAL: u8 = 70;

/// Every one.
#[cfg(test)]
pub const ALL: [u8; 4] = [OK, USAGE, UNAVAILABLE, INTERNAL];
