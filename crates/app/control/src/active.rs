use std::net::IpAddr;
use std::time::{Duration, Instant};

use tandem_base::{Attachment, CallId, ConferenceId, LegId, LegReport, LegSound, SrtpSuite};
use tandem_call::{Call, CallEnding};

use crate::CallRecord;

/// Where a call goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// A room, by name; the conference is known once the leg is admitted.
    Room { name: String, conference: ConferenceId },
    /// The echo service.
    Echo,
    /// The test tone.
    Tone,
}

impl Destination {
    /// What its media are connected to.
    pub(crate) const fn attachment(&self) -> Attachment {
        match self {
            Destination::Room { conference, .. } => Attachment::Conference(*conference),
            Destination::Echo => Attachment::Echo,
            Destination::Tone => Attachment::Tone,
        }
    }

    /// Contact parameters: a room's focus says that it is one (RFC 4579 §5.1).
    pub(crate) const fn contact_parameters(&self) -> &'static str {
        match self {
            Destination::Room { .. } => ";isfocus",
            Destination::Echo | Destination::Tone => "",
        }
    }
}

impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Destination::Room { name, .. } => write!(f, "room {name}"),
            Destination::Echo => f.write_str("echo"),
            Destination::Tone => f.write_str("tone"),
        }
    }
}

/// A call that is not forgotten yet.
///
/// It is kept until three things are over, in any order: the call itself (`ending`), its media (`media`), and
/// its signalling (`signaling_over`).
#[derive(Debug)]
pub(crate) struct ActiveCall {
    pub(crate) id: CallId,
    pub(crate) leg: LegId,
    pub(crate) call: Call,
    pub(crate) destination: Destination,
    pub(crate) peer: IpAddr,
    pub(crate) answered: Option<Instant>,
    pub(crate) ended: Option<Instant>,
    pub(crate) ending: Option<CallEnding>,
    /// How media were encrypted at last.
    pub(crate) srtp: Option<SrtpSuite>,
    pub(crate) media: MediaStage,
    /// What is done to the leg's sound; `None` before its media are configured.
    pub(crate) sound: Option<LegSound>,
    pub(crate) signaling_over: bool,
}

/// Where a call's media stand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum MediaStage {
    /// No port was opened.
    None,
    /// Ports are open.
    Open,
    /// Told to close; the report is awaited.
    Closing,
    /// Closed, with these figures.
    Closed(Box<LegReport>),
}

impl ActiveCall {
    /// Is the whole of it over, so that its record can be written?
    pub(crate) const fn is_over(&self) -> bool {
        self.ended.is_some() && !matches!(self.media, MediaStage::Open | MediaStage::Closing)
    }

    /// Its record; `None` the second time.
    pub(crate) fn take_record(&mut self) -> Option<CallRecord> {
        let ending = self.ending.take()?;
        let duration = match (self.answered, self.ended) {
            (Some(answered), Some(ended)) => ended.saturating_duration_since(answered),
            _ => Duration::ZERO,
        };
        let report = match &self.media {
            MediaStage::Closed(report) => **report,
            _ => LegReport::default(),
        };
        let destination = self.destination.to_string();
        let srtp = self.srtp;
        Some(CallRecord { call: self.id, leg: self.leg, destination, duration, ending, srtp, report })
    }
}
