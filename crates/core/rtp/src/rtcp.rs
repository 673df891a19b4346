//! RTCP: compounds read and written (RFC 3550 §6, RFC 5506).

use serde::{Deserialize, Serialize};
use tandem_base::Ssrc;

use crate::NtpTimestamp;

mod description;
mod parse;
mod write;

pub use description::{Item, Items, SourceDescription};
pub use parse::{Compound, Goodbye, Packet, Raw, Reports};
pub use write::Writer;

/// Packet types (RFC 3550 §12.1, RFC 4585 §6.1, RFC 3611 §2).
mod packet_type {
    pub(super) const SR: u8 = 200;
    pub(super) const RR: u8 = 201;
    pub(super) const SDES: u8 = 202;
    pub(super) const BYE: u8 = 203;
    pub(super) const APP: u8 = 204;
    pub(super) const RTPFB: u8 = 205;
    pub(super) const PSFB: u8 = 206;
    pub(super) const XR: u8 = 207;
}

/// SDES item type of the canonical name (RFC 3550 §6.5.1).
pub const CNAME: u8 = 1;

/// The sender's half of a sender report (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderInfo {
    /// Wall clock at sending.
    pub ntp: NtpTimestamp,
    /// The same moment in RTP ticks.
    pub rtp_timestamp: u32,
    /// Packets sent since the start, modulo 2³².
    pub packets: u32,
    /// Payload octets sent since the start, modulo 2³².
    pub octets: u32,
}

impl SenderInfo {
    /// Octets on the wire.
    pub const LEN: usize = 20;

    fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let mut words = words(bytes);
        let mut next = || words.next().unwrap_or(0);
        let ntp = NtpTimestamp(u64::from(next()) << 32 | u64::from(next()));
        SenderInfo { ntp, rtp_timestamp: next(), packets: next(), octets: next() }
    }

    fn to_words(self) -> [u32; 5] {
        let [a, b, c, d, e, f, g, h] = self.ntp.0.to_be_bytes();
        let (high, low) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
        [high, low, self.rtp_timestamp, self.packets, self.octets]
    }
}

/// A report block: how one source was received (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportBlock {
    /// The source that is reported on.
    pub ssrc: Ssrc,
    /// Lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Lost since the start, −2²³ to 2²³−1; duplicates count against it.
    pub lost: i32,
    /// Extended highest sequence number: cycles above 16 bits.
    pub highest_sequence: u32,
    /// Interarrival jitter, in ticks of the source's clock.
    pub jitter: u32,
    /// Middle 32 bits of the NTP timestamp of the last SR; 0 for none.
    pub last_sr: u32,
    /// Since that SR arrived, in 1/65,536 s.
    pub delay_since_last_sr: u32,
}

impl ReportBlock {
    /// Octets on the wire.
    pub const LEN: usize = 24;
    /// Largest cumulative loss that 24 bits can say; the least is one below its negative.
    pub const MAX_LOST: i32 = 0x7f_ffff;

    fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let mut words = words(bytes);
        let mut next = || words.next().unwrap_or(0);
        let ssrc = Ssrc(next());
        let [fraction_lost, l0, l1, l2] = next().to_be_bytes();
        ReportBlock {
            ssrc,
            fraction_lost,
            lost: i32::from_be_bytes([l0, l1, l2, 0]) >> 8,
            highest_sequence: next(),
            jitter: next(),
            last_sr: next(),
            delay_since_last_sr: next(),
        }
    }

    fn to_words(self) -> [u32; 6] {
        let lost = self.lost.clamp(-Self::MAX_LOST - 1, Self::MAX_LOST);
        let [_, l0, l1, l2] = lost.to_be_bytes();
        let losses = u32::from_be_bytes([self.fraction_lost, l0, l1, l2]);
        let (sr, delay) = (self.last_sr, self.delay_since_last_sr);
        [self.ssrc.0, losses, self.highest_sequence, self.jitter, sr, delay]
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(4).map(|w| w.try_into().map_or(0, u32::from_be_bytes))
}

#[cfg(test)]
mod tests;
