use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_base::Time;

/// Seconds from 1900 to 1970 (RFC 868).
const UNIX_EPOCH: u64 = 2_208_988_800;

/// Unix time at [`Time::ZERO`]: ties our monotonic time to the wall clock of sender reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WallClock(pub Duration);

/// An NTP timestamp: seconds since 1900 in the upper 32 bits, fraction in the lower (RFC 3550 §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NtpTimestamp(pub u64);

impl NtpTimestamp {
    /// The wall-clock time at `now`; wraps in 2036 as NTP does.
    pub fn at(now: Time, wall: WallClock) -> Self {
        let unix = wall.0.saturating_add(now.since(Time::ZERO));
        let seconds = unix.as_secs().wrapping_add(UNIX_EPOCH);
        let fraction = (u64::from(unix.subsec_nanos()) << 32) / 1_000_000_000;
        NtpTimestamp(seconds << 32 | fraction)
    }

    /// The middle 32 bits: 1/65,536 s, as LSR has it (RFC 3550 §6.4.1).
    pub const fn middle(self) -> u32 {
        let [_, _, a, b, c, d, _, _] = self.0.to_be_bytes();
        u32::from_be_bytes([a, b, c, d])
    }
}

/// A duration in 1/65,536 s, rounded to nearest; saturates at about 18 hours (DLSR, RFC 3550 §6.4.1).
pub(crate) fn to_short(d: Duration) -> u32 {
    u32::try_from((d.as_nanos() * 65_536 + 500_000_000) / 1_000_000_000).unwrap_or(u32::MAX)
}

/// The reverse.
pub(crate) fn from_short(units: u32) -> Duration {
    Duration::from_nanos((u64::from(units) * 1_000_000_000) >> 16)
}
