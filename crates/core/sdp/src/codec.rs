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

    /// With what the receiver's `a=fmtp` says.
    pub(crate) fn with_fmtp(self, fmtp: Option<&str>) -> AudioFormat {
        match self {
            Codec::Opus => AudioFormat::Opus(fmtp.map(opus_params).unwrap_or_default()),
            Codec::G722 => AudioFormat::G722,
            Codec::Pcmu => AudioFormat::Pcmu,
            Codec::Pcma => AudioFormat::Pcma,
        }
    }

    /// As we receive it: what [`Codec::our_fmtp`] declares.
    pub(crate) fn received(self) -> AudioFormat {
        self.with_fmtp(self.our_fmtp())
    }

    /// What we declare as a receiver.
    pub(crate) const fn our_fmtp(self) -> Option<&'static str> {
        match self {
            Codec::Opus => Some("useinbandfec=1"),
            Codec::G722 | Codec::Pcmu | Codec::Pcma => None,
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
    let mono = matches!(parts.next(), None | Some("" | "1"));
    match (name.as_str(), clock) {
        // RFC 7587 §7 demands "/2"; some leave it out.
        ("opus", Some(48_000)) => Meaning::Audio(Codec::Opus),
        ("pcmu", Some(8_000)) if mono => Meaning::Audio(Codec::Pcmu),
        ("pcma", Some(8_000)) if mono => Meaning::Audio(Codec::Pcma),
        ("g722", Some(8_000)) if mono => Meaning::Audio(Codec::G722),
        // The static number leaves no doubt that its clock is meant (RFC 3551 §4.5.2 tells of the mix-up).
        ("g722", Some(16_000)) if mono && number == PayloadType::G722 => Meaning::Audio(Codec::G722),
        ("telephone-event", Some(clock)) => ClockRate::new(clock).map_or(Meaning::Other, Meaning::Events),
        _ => Meaning::Other,
    }
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
