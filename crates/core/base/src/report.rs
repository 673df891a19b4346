use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::AudioFormat;

/// What one leg received: counted by us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReceivedReport {
    /// Format of the last packet decoded.
    pub format: Option<AudioFormat>,
    /// RTP packets accepted.
    pub packets: u64,
    /// Their payload octets.
    pub octets: u64,
    /// Packets that never came: expected less received, never below zero (RFC 3550 §A.3).
    pub lost: u64,
    /// Came, but too late to be played.
    pub late: u64,
    /// Came twice.
    pub duplicates: u64,
    /// Interarrival jitter (RFC 3550 §A.8).
    pub jitter: Duration,
    /// Sound that had to be made up (FEC not counted).
    pub concealed: Duration,
    /// Sound that in-band FEC or redundant copies brought back.
    pub recovered: Duration,
    /// Sound that was taken out to shorten the delay.
    pub shortened: Duration,
    /// Sound that was put in to lengthen the delay.
    pub lengthened: Duration,
    /// How long the peer talked.
    pub talked: Duration,
    /// What the jitter buffer and playout hold at present.
    pub playout_delay: Duration,
    /// What they should hold at least, right after a tick, for packets to come in time; zero on a clean network.
    pub playout_target: Duration,
    /// How much faster than ours the peer's clock runs, parts in a million; `None` before it is known.
    pub drift: Option<f32>,
    /// From somebody else than the peer: dropped.
    pub strangers: u64,
    /// Neither RTP nor RTCP, or cut short, or of a payload type that was never agreed: dropped.
    pub malformed: u64,
    /// On an encrypted leg: plain, forged, or under another key: dropped.
    pub unauthentic: u64,
    /// On an encrypted leg: came before, or too old to tell (RFC 3711 §3.3.2): dropped.
    pub replayed: u64,
    /// On an encrypted leg: under a key that lived longer than the peer said (RFC 4568 §6.1): taken all the same.
    pub overdue: u64,
    /// Estimated mean opinion score 1.0 to 4.5 (ITU-T G.107).
    pub mos: Option<f32>,
}

/// What one leg sent, and what the peer's RTCP says of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SentReport {
    /// Format of the last packet sent.
    pub format: Option<AudioFormat>,
    /// RTP packets sent.
    pub packets: u64,
    /// Their payload octets.
    pub octets: u64,
    /// The kernel refused them (full buffer, unreachable).
    pub send_errors: u64,
    /// Cumulative number of packets lost, by the peer (RFC 3550 §6.4.1); `None` without a report.
    pub lost: Option<i32>,
    /// Interarrival jitter, by the peer.
    pub jitter: Option<Duration>,
    /// Round-trip time by LSR and DLSR (RFC 3550 §6.4.1).
    pub rtt: Option<Duration>,
    /// Estimated mean opinion score at the peer, 1.0 to 4.5 (ITU-T G.107).
    pub mos: Option<f32>,
}

/// A leg's media in figures: at its end for the record, in between for the operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LegReport {
    /// Peer to us.
    pub received: ReceivedReport,
    /// Us to peer.
    pub sent: SentReport,
}
