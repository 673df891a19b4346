//! Server location with the DNS (RFC 3263): the questions of a [`tandem_sip::locate::Search`] asked off the dispatch
//! path, and the answers cached by their TTL.

mod ask;
mod locator;

use std::net::SocketAddr;
use std::time::Duration;

pub(crate) use locator::Locator;

/// How names are looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsConfig {
    /// Recursive name servers; none for those of `/etc/resolv.conf`.
    pub servers: Vec<SocketAddr>,
    /// Searches under way at once; with one more, nothing is found.
    pub searches: usize,
    /// How long a search may take in all. NAPTR may use the first two fifths, SRV the time up to three quarters of
    /// it: a server that does not know of the one may still answer the other.
    pub timeout: Duration,
    /// Answers that are kept, those that say no included.
    pub cache: u64,
}

impl Default for DnsConfig {
    fn default() -> Self {
        DnsConfig { servers: Vec::new(), searches: 512, timeout: Duration::from_secs(3), cache: 1_024 }
    }
}
