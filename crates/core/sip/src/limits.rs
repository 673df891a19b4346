//! Bounds on what is taken from the network.

/// Largest message, in octets.
pub const MAX_MESSAGE: usize = 64 * 1024;
/// Largest session description, in octets.
pub const MAX_SESSION_DESCRIPTION: usize = 32 * 1024;
/// Most header lines in a message.
pub const MAX_HEADERS: usize = 256;
/// Most parameters of one header value or URI.
pub const MAX_PARAMS: usize = 64;
/// Longest header with its folded lines, and longest request line, in octets.
pub const MAX_HEADER_LINE: usize = 8 * 1024;
