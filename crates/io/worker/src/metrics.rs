use std::time::Duration;

/// How late ticks ran after their deadline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lateness {
    /// Half of the ticks were no later than this.
    pub p50: Duration,
    /// 99 of 100 ticks were no later than this.
    pub p99: Duration,
    /// The latest of all.
    pub max: Duration,
}

/// All workers together, counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerMetrics {
    /// Media threads.
    pub threads: usize,
    /// Legs that are configured at present.
    pub legs: u64,
    /// Conferences that run at present.
    pub conferences: u64,
    /// Encoders shared by listeners at present (those without a listener included).
    pub renditions: u64,
    /// Ticks run, four phases each 20 ms.
    pub ticks: u64,
    /// Ticks that were due and left out because the thread was late.
    pub missed: u64,
    /// From deadline to start.
    pub lateness: Lateness,
    /// Packets encoded, for one leg or for a rendition.
    pub encodes: u64,
    /// RTP packets accepted.
    pub packets_in: u64,
    /// RTP packets sent.
    pub packets_out: u64,
    /// Packets that the kernel refused to send.
    pub send_errors: u64,
    /// Datagrams from somebody else than the peer: dropped.
    pub strangers: u64,
    /// Datagrams that are neither RTP nor RTCP, are cut short or of a payload type never agreed: dropped.
    pub malformed: u64,
    /// Events that wait for room in the channel at present.
    pub events_waiting: u64,
}
