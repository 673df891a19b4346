use serde::{Deserialize, Serialize};
use tandem_base::{AudioFormat, ClockRate, EventSet, OpusParams, PayloadType};

use crate::Meaning;

/// The audio codecs that can be negotiated, without parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Codec {
    /// RFC 7587.
    Opus,
    /// RFC 3551 §4.5.2.
    G722,
    /// RFC 3551 §4.5.14.
    Pcmu,
    /// RFC 3551 §4.5.14.
    Pcma,
}

impl Codec {
    /// The codec of a format, its parameters left aside.
    pub const fn of(format: AudioFormat) -> Self {
        match format {
            AudioFormat::Opus(_) => Codec::Opus,
            AudioFormat::G722 => Codec::G722,
            AudioFormat::Pcmu => Codec::Pcmu,
            AudioFormat::Pcma => Codec::Pcma,
        }
    }

    /// The value of `a=rtpmap` after the number. Opus always says two channels (RFC 7587 §7).
    pub const fn rtpmap(self) -> &'static str {
        match self {
            Codec::Opus => "opus/48000/2",
            Codec::G722 => "G722/8000",
            Codec::Pcmu => "PCMU/8000",
            Codec::Pcma => "PCMA/8000",
        }
    }

    /// The RTP clock.
    pub const fn clock_rate(self) -> ClockRate {
        match self {
            Codec::Opus => ClockRate::HZ_48000,
            Codec::G722 | Codec::Pcmu | Codec::Pcma => ClockRate::HZ_8000,
        }
    }

    /// The number that RFC 3551 §6 gave it for ever.
    pub const fn static_payload_type(self) -> Option<PayloadType> {
        match self {
            Codec::Opus => None,
            Codec::G722 => Some(PayloadType::G722),
            Codec::Pcmu => Some(PayloadType::PCMU),
            Codec::Pcma => Some(PayloadType::PCMA),
        }
    }

    /// With what the receiver's `a=fmtp` says, as far as we can: two channels need `stereo` of ours.
    pub(crate) fn sent(self, fmtp: Option<&str>, stereo: bool) -> AudioFormat {
        match self.with_fmtp(fmtp) {
            AudioFormat::Opus(params) => {
                AudioFormat::Opus(OpusParams { stereo: params.stereo && stereo, ..params })
            }
            format => format,
        }
    }

    /// As we receive it: what [`Codec::our_fmtp`] declares. Two channels come where we want them and the peer's
    /// `a=fmtp` announces them (RFC 7587 §6.1, `sprop-stereo`).
    pub(crate) fn received(self, theirs: Option<&str>, stereo: bool) -> AudioFormat {
        let announced = stereo && theirs.is_some_and(|fmtp| parameter(fmtp, "sprop-stereo") == Some("1"));
        self.with_fmtp(self.our_fmtp(Channels { receive: announced, send: false }))
    }

    /// With what the receiver's `a=fmtp` says.
    fn with_fmtp(self, fmtp: Option<&str>) -> AudioFormat {
        match self {
            Codec::Opus => AudioFormat::Opus(fmtp.map(opus_params).unwrap_or_default()),
            Codec::G722 => AudioFormat::G722,
            Codec::Pcmu => AudioFormat::Pcmu,
            Codec::Pcma => AudioFormat::Pcma,
        }
    }

    /// What we declare as a receiver, and of what we send.
    pub(crate) const fn our_fmtp(self, channels: Channels) -> Option<&'static str> {
        match (self, channels) {
            (Codec::Opus, Channels { receive: false, send: false }) => Some("useinbandfec=1"),
            (Codec::Opus, Channels { receive: true, send: false }) => Some("useinbandfec=1;stereo=1"),
            (Codec::Opus, Channels { receive: false, send: true }) => Some("useinbandfec=1;sprop-stereo=1"),
            (Codec::Opus, Channels { receive: true, send: true }) => {
                Some("useinbandfec=1;stereo=1;sprop-stereo=1")
            }
            (Codec::G722 | Codec::Pcmu | Codec::Pcma, _) => None,
        }
    }

    /// Packet length that the codec can do: a multiple of 10 from 10 to 60 ms; Opus has frames of 10, 20, 40 and
    /// 60 ms only (RFC 7587 §4.2), so 30 becomes 20 and 50 becomes 40.
    pub(crate) fn packet_ms(self, wish: u32) -> u8 {
        let tens = wish.clamp(10, 60) / 10 * 10;
        let fit = match (self, tens) {
            (Codec::Opus, 30) => 20,
            (Codec::Opus, 50) => 40,
            (_, tens) => tens,
        };
        u8::try_from(fit).unwrap_or(20)
    }
}

/// Which ways Opus has two channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Channels {
    /// We want them.
    pub(crate) receive: bool,
    /// We send them.
    pub(crate) send: bool,
}

/// What a number means, by its rtpmap or else by RFC 3551 §6.
pub(crate) fn meaning(number: PayloadType, rtpmap: Option<&str>) -> Meaning {
    let Some(rtpmap) = rtpmap else {
        return match number {
            PayloadType::PCMU => Meaning::Audio(Codec::Pcmu),
            PayloadType::PCMA => Meaning::Audio(Codec::Pcma),
            PayloadType::G722 => Meaning::Audio(Codec::G722),
            _ => Meaning::Other,
        };
    };
    let mut parts = rtpmap.split('/').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let clock = parts.next().and_then(|clock| clock.parse::<u32>().ok());
    let channels = parts.next();
    let mono = matches!(channels, None | Some("" | "1"));
    match (name.as_str(), clock) {
        // RFC 7587 §7 demands "/2"; some leave it out.
        ("opus", Some(48_000)) => Meaning::Audio(Codec::Opus),
        ("pcmu", Some(8_000)) if mono => Meaning::Audio(Codec::Pcmu),
        ("pcma", Some(8_000)) if mono => Meaning::Audio(Codec::Pcma),
        ("g722", Some(8_000)) if mono => Meaning::Audio(Codec::G722),
        // The static number leaves no doubt that its clock is meant (RFC 3551 §4.5.2 tells of the mix-up).
        ("g722", Some(16_000)) if mono && number == PayloadType::G722 => Meaning::Audio(Codec::G722),
        // Of Opus it says two channels, as Opus itself does.
        ("red", Some(clock)) if mono || channels == Some("2") => {
            ClockRate::new(clock).map_or(Meaning::Other, Meaning::Redundancy)
        }
        ("telephone-event", Some(clock)) => ClockRate::new(clock).map_or(Meaning::Other, Meaning::Events),
        _ => Meaning::Other,
    }
}

/// The value of one parameter of an `a=fmtp`.
fn parameter<'a>(fmtp: &'a str, name: &str) -> Option<&'a str> {
    let parameters = fmtp.split(';').take(64).filter_map(|parameter| parameter.split_once('='));
    parameters
        .map(|(n, value)| (n.trim(), value.trim()))
        .find_map(|(n, v)| n.eq_ignore_ascii_case(name).then_some(v))
}

/// RFC 7587 §6.1; what is absent, unknown or out of range has its default or nearest bound.
fn opus_params(fmtp: &str) -> OpusParams {
    let mut params = OpusParams::default();
    for (name, value) in fmtp.split(';').take(64).filter_map(|parameter| parameter.split_once('=')) {
        let value = value.trim();
        let number = value.parse::<u32>().ok();
        match name.trim().to_ascii_lowercase().as_str() {
            "maxplaybackrate" => {
                params.max_playback_rate = number.map_or(48_000, |rate| rate.clamp(8_000, 48_000));
            }
            "maxaveragebitrate" => {
                params.max_average_bitrate = number.map(|rate| rate.clamp(6_000, 510_000));
            }
            "stereo" => params.stereo = value == "1",
            "useinbandfec" => params.inband_fec = value == "1",
            "usedtx" => params.dtx = value == "1",
            "cbr" => params.cbr = value == "1",
            _ => {}
        }
    }
    params
}

/// The events in a `telephone-event` fmtp: numbers and ranges (RFC 4733 §2.4.1); those above 15 are left aside.
pub(crate) fn event_set(fmtp: Option<&str>) -> EventSet {
    let Some(fmtp) = fmtp else { return EventSet::KEYPAD };
    let bits = fmtp.split(',').take(64).filter_map(event_range).fold(0u16, |set, (first, last)| {
        (first..=last.min(15)).fold(set, |set, event| set | 1u16.checked_shl(event.into()).unwrap_or(0))
    });
    // Nothing that can be read says no more than an absent fmtp.
    if bits == 0 { EventSet::KEYPAD } else { EventSet(bits) }
}

fn event_range(text: &str) -> Option<(u8, u8)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
}
