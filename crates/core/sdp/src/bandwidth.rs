use sdp_types::{Bandwidth, Media, Session};
use tandem_base::AudioFormat;

/// What a peer says of the bandwidth that it receives with (RFC 8866 §5.8, RFC 3556, RFC 3890).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// `b=TIAS`: bit/s of the codec's own.
    pub(crate) codec: Option<u64>,
    /// `b=AS`: kbit/s with the headers of RTP, UDP and IP.
    pub(crate) wire_kbps: Option<u64>,
    /// `b=RS:0` and `b=RR:0`: no RTCP at all (RFC 3556 §2).
    pub(crate) no_rtcp: bool,
}

/// Octets of the headers of IPv4, UDP and RTP: what `b=AS` counts besides the payload.
const HEADERS: u64 = 20 + 8 + 12;

/// What Opus can be asked for at least, bit/s (RFC 7587 §6.1).
const LEAST: u64 = 6_000;

impl Limits {
    /// The m-line's own come first. What the session level says of RTCP is not meant for one stream.
    pub(crate) fn new(session: &Session, media: &Media) -> Self {
        let own = |kind| find(&media.bandwidths, kind);
        let either = |kind| own(kind).or_else(|| find(&session.bandwidths, kind));
        Limits {
            codec: either("TIAS"),
            wire_kbps: either("AS"),
            no_rtcp: own("RS") == Some(0) && own("RR") == Some(0),
        }
    }

    /// Zero: the peer wants no media (RFC 3264 §5.1), one more way to hold.
    pub(crate) fn is_nothing(self) -> bool {
        self.codec.or(self.wire_kbps) == Some(0)
    }

    /// The format within the limit; only Opus can do with less.
    pub(crate) fn apply(self, format: AudioFormat, ptime_ms: u8) -> AudioFormat {
        let AudioFormat::Opus(mut params) = format else { return format };
        let packets = 1_000u64.div_ceil(u64::from(ptime_ms).max(1));
        let wire = self
            .wire_kbps
            .map(|kbps| kbps.saturating_mul(1_000).saturating_sub(packets.saturating_mul(HEADERS * 8)));
        let limit = self.codec.or(wire).filter(|_| !self.is_nothing());
        if let Some(limit) = limit.and_then(|bits| u32::try_from(bits.clamp(LEAST, 510_000)).ok()) {
            params.max_average_bitrate =
                Some(params.max_average_bitrate.map_or(limit, |asked| asked.min(limit)));
        }
        AudioFormat::Opus(params)
    }
}

fn find(bandwidths: &[Bandwidth], kind: &str) -> Option<u64> {
    bandwidths.iter().find(|b| b.bwtype.eq_ignore_ascii_case(kind)).map(|b| b.bandwidth)
}
