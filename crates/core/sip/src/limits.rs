//! Bounds on what is taken from the network.

/// Largest message, in octets.
pub const MAX_MESSAGE: usize = 64 * 1024;
/// Most header lines in a message.
pub const MAX_HEADERS: usize = 256;
/// Longest header with its folded lines, and longest request line, in octets.
pub const MAX_HEADER_LINE: usize = 8 * 1024;
