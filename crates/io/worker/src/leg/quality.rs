use std::time::Duration;

use tandem_base::{AudioFormat, LegReport};
use tandem_rtp::quality::{Impairments, mos, rating};

/// Packetisation, and what a phone at the other end adds in its own buffer: assumed, since nobody tells.
const ENDPOINT: Duration = Duration::from_millis(40);

fn share(part: u64, whole: u64) -> f32 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64).clamp(0.0, 1.0) as f32 }
}

fn score(format: AudioFormat, loss: f32, delay: Duration) -> f32 {
    mos(rating(&Impairments { format, loss, burst_ratio: 1.0, delay }))
}

/// Fills in the mean opinion scores: what we hear of the peer by our own counts, what it hears of us by its reports.
pub fn estimate(report: &mut LegReport) {
    let path = report.sent.rtt.unwrap_or_default() / 2;
    let received = &mut report.received;
    if let Some(format) = received.format.filter(|_| received.packets > 0) {
        let unplayed = received.lost + received.late;
        let loss = share(unplayed, received.packets + received.lost);
        received.mos = Some(score(format, loss, path + received.playout_delay + ENDPOINT));
    }
    let sent = &mut report.sent;
    if let (Some(format), Some(lost)) = (sent.format, sent.lost) {
        let loss = share(u64::try_from(lost).unwrap_or(0), sent.packets);
        sent.mos = Some(score(format, loss, path + sent.jitter.unwrap_or_default() * 2 + ENDPOINT));
    }
}
