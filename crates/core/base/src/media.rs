use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Ticks a second of an RTP clock (RFC 3550 §5.1), in Hz; never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClockRate(u32);

impl ClockRate {
    /// 8 kHz: G.711, and by a historic slip G.722 (RFC 3551 §4.5.2).
    pub const HZ_8000: ClockRate = ClockRate(8_000);
    /// 16 kHz: the sampling rate of G.722.
    pub const HZ_16000: ClockRate = ClockRate(16_000);
    /// 48 kHz: Opus always (RFC 7587 §4.1).
    pub const HZ_48000: ClockRate = ClockRate(48_000);
    /// 90 kHz: video.
    pub const HZ_90000: ClockRate = ClockRate(90_000);

    /// `None` for zero.
    pub const fn new(hz: u32) -> Option<Self> {
        if hz == 0 { None } else { Some(ClockRate(hz)) }
    }

    /// In Hz.
    pub const fn hz(self) -> u32 {
        self.0
    }

    /// Ticks in a whole number of milliseconds (exact for every rate that is a multiple of 1 kHz).
    pub const fn ticks_in_ms(self, ms: u32) -> u32 {
        (self.0 / 1_000).saturating_mul(ms)
    }

    /// How long `ticks` take.
    pub fn duration_of(self, ticks: u64) -> Duration {
        let nanos = u128::from(ticks) * 1_000_000_000 / u128::from(self.0);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Ticks that fit into `d`, rounded down.
    pub fn ticks_of(self, d: Duration) -> u64 {
        u64::try_from(d.as_nanos() * u128::from(self.0) / 1_000_000_000).unwrap_or(u64::MAX)
    }
}

/// Synchronisation source (RFC 3550 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ssrc(pub u32);

impl fmt::Display for Ssrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// An RTP sequence number with its roll-over count above the low 16 bits (RFC 3550 §A.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExtSeq(pub u64);

impl ExtSeq {
    /// The 16 bits on the wire.
    pub const fn wire(self) -> u16 {
        let [.., high, low] = self.0.to_be_bytes();
        u16::from_be_bytes([high, low])
    }

    /// The number whose low bits are `wire` and that lies nearest to `self` (RFC 3711 §3.3.1).
    pub const fn nearest(self, wire: u16) -> ExtSeq {
        let ahead = wire.wrapping_sub(self.wire());
        if ahead < 0x8000 {
            ExtSeq(self.0.wrapping_add(ahead as u64))
        } else {
            let behind = self.wire().wrapping_sub(wire);
            // Before the first cycle there is nothing: such a packet counts as one of the next cycle.
            if self.0 >= behind as u64 {
                ExtSeq(self.0 - behind as u64)
            } else {
                ExtSeq(self.0.wrapping_add(ahead as u64))
            }
        }
    }
}

/// RTP payload type, 0 to 127 (RFC 3550 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PayloadType(u8);

impl PayloadType {
    /// PCMU (RFC 3551 §6).
    pub const PCMU: PayloadType = PayloadType(0);
    /// PCMA (RFC 3551 §6).
    pub const PCMA: PayloadType = PayloadType(8);
    /// G.722 (RFC 3551 §6).
    pub const G722: PayloadType = PayloadType(9);
    /// Comfort noise (RFC 3389).
    pub const CN: PayloadType = PayloadType(13);

    /// `None` above 127.
    pub const fn new(value: u8) -> Option<Self> {
        if value < 128 { Some(PayloadType(value)) } else { None }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// 96 to 127: has a meaning only by negotiation (RFC 3551 §3).
    pub const fn is_dynamic(self) -> bool {
        self.0 >= 96
    }
}

impl fmt::Display for PayloadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Bits a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Bitrate(pub u64);

impl Bitrate {
    /// From kbit/s.
    pub const fn kbps(k: u64) -> Self {
        Bitrate(k.saturating_mul(1_000))
    }
}
