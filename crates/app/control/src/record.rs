use std::time::Duration;

use tandem_base::{AudioFormat, Blame, CallId, LegId, LegReport, SrtpSuite};
use tandem_call::CallEnding;
use tracing::{error, info, warn};

/// The level must be known where a line is compiled, so one text serves three.
macro_rules! record_line {
    ($record:expr, $level:ident) => {{
        let (record, received, sent) = ($record, &$record.report.received, &$record.report.sent);
        $level!(
            call = %record.call,
            leg = %record.leg,
            destination = record.destination,
            duration_ms = millis(record.duration),
            ended_by = record.ending.by.as_str(),
            cause = &*record.ending.text,
            status = record.ending.status,
            q850 = record.ending.q850,
            srtp = record.srtp.map_or("none", SrtpSuite::name),
            rx_codec = codec(received.format),
            rx_packets = received.packets,
            rx_lost = received.lost,
            rx_late = received.late,
            rx_jitter_ms = millis(received.jitter),
            rx_concealed_ms = millis(received.concealed),
            rx_talked_ms = millis(received.talked),
            rx_mos = received.mos.map(score),
            rx_strangers = received.strangers,
            rx_malformed = received.malformed,
            rx_unauthentic = received.unauthentic,
            rx_replayed = received.replayed,
            rx_overdue = received.overdue,
            tx_codec = codec(sent.format),
            tx_packets = sent.packets,
            tx_lost = sent.lost,
            tx_jitter_ms = sent.jitter.map(millis),
            tx_mos = sent.mos.map(score),
            rtt_ms = sent.rtt.map(millis),
            "call ended"
        );
    }};
}

/// One call, told in a line at its end.
#[derive(Clone, Debug, PartialEq)]
pub struct CallRecord {
    /// Which call.
    pub call: CallId,
    /// Its leg.
    pub leg: LegId,
    /// What was reached: `room 1000`, `echo`, `tone`.
    pub destination: String,
    /// From the answer to the end; zero where it was never answered.
    pub duration: Duration,
    /// Who ended it, and why.
    pub ending: CallEnding,
    /// How its media were encrypted at last; `None`: they were plain, or there were none.
    pub srtp: Option<SrtpSuite>,
    /// Its media in figures; nothing where no port was opened.
    pub report: LegReport,
}

impl CallRecord {
    /// Writes the line: INFO mostly, WARN where the network ended it, ERROR where it was lost through our own fault.
    /// Figures that nobody knows are left out.
    pub fn log(&self) {
        match self.ending.blame {
            Some(Blame::Ourselves) => record_line!(self, error),
            Some(Blame::Network) => record_line!(self, warn),
            Some(Blame::Peer | Blame::Policy) | None => record_line!(self, info),
        }
    }
}

fn codec(format: Option<AudioFormat>) -> Option<&'static str> {
    format.map(AudioFormat::name)
}

/// In milliseconds, to a tenth.
fn millis(d: Duration) -> f64 {
    (d.as_secs_f64() * 10_000.0).round() / 10.0
}

/// To a hundredth.
fn score(mos: f32) -> f64 {
    (f64::from(mos) * 100.0).round() / 100.0
}
