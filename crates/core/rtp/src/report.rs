//! The RTCP of one leg as a whole: what to write when a report is due, what to make of one that came.

use tandem_base::{Ssrc, Time};

use crate::{Malformed, Reception, Transmission, WallClock};

/// Writes SR (or RR, if nothing was sent yet), SDES with the CNAME, and BYE where `goodbye` gives a reason.
///
/// Returns its length; `None` where `out` is too short (256 octets always suffice: CNAME and reason are cut to
/// 64 octets).
pub fn compose(
    transmission: &mut Transmission,
    reception: &mut Reception,
    cname: &str,
    goodbye: Option<&str>,
    now: Time,
    wall: WallClock,
    out: &mut [u8],
) -> Option<usize> {
    let _ = (transmission, reception, cname, goodbye, now, wall, out);
    None
}

/// Reads a compound that arrived at `arrived` into both books; says who left, if somebody did (RFC 3550 §6.6).
pub fn absorb(
    datagram: &[u8],
    transmission: &mut Transmission,
    reception: &mut Reception,
    arrived: Time,
    wall: WallClock,
) -> Result<Option<Ssrc>, Malformed> {
    let _ = (datagram, transmission, reception, arrived, wall);
    Ok(None)
}
