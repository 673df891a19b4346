//! RTP packets (RFC 3550 §5).

use serde::{Deserialize, Serialize};
use tandem_base::{ExtensionId, PayloadType, Ssrc};

use crate::Malformed;
use crate::extension::{self, AudioLevel, Element, Extension};

/// The fixed header (RFC 3550 §5.1), without what only tells how to parse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// First packet of a talkspurt (RFC 3551 §4.1).
    pub marker: bool,
    /// Which format.
    pub payload_type: PayloadType,
    /// Sequence number as on the wire.
    pub sequence: u16,
    /// Timestamp of the first sample, in ticks of the format's clock.
    pub timestamp: u32,
    /// Whose.
    pub ssrc: Ssrc,
}

impl Header {
    /// Octets of a header without CSRCs.
    pub const LEN: usize = 12;
    /// Most CSRCs that a header can name (RFC 3550 §5.1: CC has four bits).
    pub const MAX_CSRCS: usize = 15;

    /// Writes the header to the start of `out` and says how long it is: the payload goes right behind.
    ///
    /// `None` where there are more than [`Header::MAX_CSRCS`] or `out` is too short; `out` is untouched then.
    pub fn write(&self, csrcs: &[Ssrc], out: &mut [u8]) -> Option<usize> {
        let count = u8::try_from(csrcs.len()).ok().filter(|n| usize::from(*n) <= Self::MAX_CSRCS)?;
        let len = Self::LEN + 4 * csrcs.len();
        let (fixed, list) = out.get_mut(..len)?.split_first_chunk_mut::<{ Self::LEN }>()?;
        *fixed = self.fixed(count);
        for (to, csrc) in list.chunks_exact_mut(4).zip(csrcs) {
            to.copy_from_slice(&csrc.0.to_be_bytes());
        }
        Some(len)
    }

    /// How long [`Header::write_extended`] will find the header.
    pub fn extended_len(csrcs: &[Ssrc], elements: &[Element<'_>]) -> usize {
        Self::LEN + 4 * csrcs.len() + extension::len(elements)
    }

    /// Writes a header extension with these elements behind the CSRCs (RFC 8285): in the one-byte form where it can
    /// carry them, else in the two-byte form. Without elements it is [`Header::write`].
    ///
    /// `None` as there, and for an element that neither form can carry; `out` is of no use then.
    pub fn write_extended(&self, csrcs: &[Ssrc], elements: &[Element<'_>], out: &mut [u8]) -> Option<usize> {
        let len = Self::LEN + 4 * csrcs.len();
        let extension = extension::write(elements, out.get_mut(len..)?)?;
        self.write(csrcs, out)?;
        if let Some(first) = out.first_mut().filter(|_| extension > 0) {
            *first |= 0x10;
        }
        Some(len + extension)
    }

    fn fixed(&self, csrcs: u8) -> [u8; Self::LEN] {
        let [s0, s1] = self.sequence.to_be_bytes();
        let [t0, t1, t2, t3] = self.timestamp.to_be_bytes();
        let [r0, r1, r2, r3] = self.ssrc.0.to_be_bytes();
        let second = u8::from(self.marker) << 7 | self.payload_type.get();
        [0x80 | csrcs, second, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3]
    }
}

/// A parsed packet; borrows the datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The fixed header.
    pub header: Header,
    /// Header extension, if there is one.
    pub extension: Option<Extension<'a>>,
    /// Payload without padding; may be empty.
    pub payload: &'a [u8],
    csrcs: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Parses a datagram that is one RTP packet; every length in it is checked.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Malformed> {
        let (fixed, rest) = datagram.split_first_chunk::<{ Header::LEN }>().ok_or(Malformed::Truncated)?;
        let [first, second, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3] = *fixed;
        if first >> 6 != 2 {
            return Err(Malformed::Version);
        }
        let (csrcs, rest) =
            rest.split_at_checked(4 * usize::from(first & 0x0f)).ok_or(Malformed::Truncated)?;
        let (extension, rest) = if first & 0x10 == 0 { (None, rest) } else { Extension::split(rest)? };
        let payload = if first & 0x20 == 0 { rest } else { unpad(rest)? };
        let header = Header {
            marker: second & 0x80 != 0,
            payload_type: PayloadType::new(second & 0x7f).ok_or(Malformed::PacketType)?,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: Ssrc(u32::from_be_bytes([r0, r1, r2, r3])),
        };
        Ok(Packet { header, extension, payload, csrcs })
    }

    /// Who contributed to a mix: 0 to 15 sources (RFC 3550 §5.1).
    pub fn csrcs(&self) -> Csrcs<'a> {
        Csrcs(self.csrcs)
    }

    /// How loud the packet says that it is, by the element of that number (RFC 6464); the first one counts.
    pub fn audio_level(&self, id: ExtensionId) -> Option<AudioLevel> {
        AudioLevel::parse(self.extension?.find(id)?)
    }
}

/// Removes the padding: its last octet counts itself (RFC 3550 §5.1).
pub(crate) fn unpad(body: &[u8]) -> Result<&[u8], Malformed> {
    let count = usize::from(*body.last().ok_or(Malformed::Padding)?);
    if count == 0 {
        return Err(Malformed::Padding);
    }
    let keep = body.len().checked_sub(count).ok_or(Malformed::Padding)?;
    body.get(..keep).ok_or(Malformed::Padding)
}

/// The contributing sources of a packet.
#[derive(Clone, Debug)]
pub struct Csrcs<'a>(&'a [u8]);

impl Iterator for Csrcs<'_> {
    type Item = Ssrc;

    fn next(&mut self) -> Option<Ssrc> {
        let (word, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(Ssrc(u32::from_be_bytes(*word)))
    }
}

#[cfg(test)]
mod tests;
