use std::sync::atomic::{AtomicU64, Ordering};

/// What signalling has seen so far. Each is exact by itself; together they are no snapshot.
#[derive(Debug, Default)]
pub struct Counters {
    /// Datagrams received, keep-alives included.
    pub datagrams_received: AtomicU64,
    /// Datagrams for which there was no room, because there were too many or too many of their source.
    pub datagrams_shed: AtomicU64,
    /// Datagrams sent.
    pub datagrams_sent: AtomicU64,
    /// Datagrams that the kernel would not take; their senders repeat them.
    pub datagrams_unsent: AtomicU64,
    /// Datagrams without a message, and pings on streams.
    pub keep_alives: AtomicU64,
    /// Messages received over connections.
    pub stream_messages: AtomicU64,
    /// Connections accepted.
    pub connections_accepted: AtomicU64,
    /// Connections refused because there were too many.
    pub connections_refused: AtomicU64,
    /// Connections refused because too many were in the midst of their handshake.
    pub half_open_refused: AtomicU64,
    /// Connections in the midst of a TLS handshake or WebSocket upgrade at present.
    pub half_open: AtomicU64,
    /// Handshakes and upgrades that failed or took too long.
    pub handshakes_failed: AtomicU64,
    /// Connections that we began.
    pub connections_begun: AtomicU64,
    /// Of those: came to nothing.
    pub connects_failed: AtomicU64,
    /// Connections open at present, begun ones included.
    pub connections_open: AtomicU64,
    /// Connections closed because their peer did not read.
    pub peers_stalled: AtomicU64,
    /// Connections closed because their peer was silent, or stopped within a message.
    pub peers_silent: AtomicU64,
    /// Connections closed because their stream could not be cut into messages.
    pub streams_unframed: AtomicU64,
    /// Searches of the DNS for a server (RFC 3263).
    pub searches: AtomicU64,
    /// Of those: found nothing.
    pub searches_vain: AtomicU64,
    /// Searches not begun because too many were under way.
    pub searches_refused: AtomicU64,
    /// Requests tried with another server after one had failed.
    pub fail_overs: AtomicU64,
    /// Messages with nowhere to go.
    pub unsendable: AtomicU64,
    /// How often reading stopped because the application was behind with its events.
    pub reading_paused: AtomicU64,
    /// Messages that could not be read but were answered (400, 505, 513).
    pub malformed_answered: AtomicU64,
    /// Messages neither read nor answered.
    pub malformed_dropped: AtomicU64,
    /// Requests that the user agent refused by itself.
    pub refused: AtomicU64,
    /// Requests refused with 503 because a limit was reached.
    pub overload: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn subtract(counter: &AtomicU64) {
        counter.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn set(counter: &AtomicU64, value: u64) {
        counter.store(value, Ordering::Relaxed);
    }

    /// The present value of one counter.
    pub fn get(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}
