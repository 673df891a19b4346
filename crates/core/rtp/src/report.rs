//! The RTCP of one leg as a whole: what to write when a report is due, what to make of one that came.

use tandem_base::{Ssrc, Time};

use crate::rtcp::{Compound, Packet, Reports, Writer};
use crate::{Malformed, Reception, Transmission, WallClock};

/// Longest CNAME and reason that [`compose`] writes, in octets: the rest is cut off.
const MAX_TEXT: usize = 64;

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
    let ssrc = transmission.ssrc();
    let block = reception.report(now);
    let blocks = block.as_slice();
    let mut writer = Writer::new(out);
    match transmission.sender_info(now, wall) {
        Some(info) => writer.sender_report(ssrc, &info, blocks)?,
        None => writer.receiver_report(ssrc, blocks)?,
    }
    writer.canonical_name(ssrc, cut(cname))?;
    if let Some(reason) = goodbye {
        writer.goodbye(ssrc, cut(reason))?;
    }
    Some(writer.finish())
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or("")
}

/// Reads a compound that arrived at `arrived` into both books; says who left, if somebody did (RFC 3550 §6.6).
pub fn absorb(
    datagram: &[u8],
    transmission: &mut Transmission,
    reception: &mut Reception,
    arrived: Time,
    wall: WallClock,
) -> Result<Option<Ssrc>, Malformed> {
    let mut left = None;
    let mut view = |reports: Reports<'_>| reports.for_each(|r| transmission.absorb(&r, arrived, wall));
    for packet in Compound::parse(datagram)? {
        match packet {
            Packet::SenderReport { ssrc, info, reports } => {
                reception.absorb(ssrc, &info, arrived);
                view(reports);
            }
            Packet::ReceiverReport { reports, .. } => view(reports),
            Packet::Goodbye(bye) => bye.sources().for_each(|ssrc| {
                reception.goodbye(ssrc);
                left = left.or(Some(ssrc));
            }),
            _ => {}
        }
    }
    Ok(left)
}

#[cfg(test)]
mod tests;
