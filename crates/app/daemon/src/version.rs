//! What this program is.

/// For `--version`.
pub const LONG: &str = env!("CARGO_PKG_VERSION");

/// For `Server` and `User-Agent` (RFC 3261 §20.35, §20.41).
pub const PRODUCT: &str = concat!("Tandem/", env!("CARGO_PKG_VERSION"));
