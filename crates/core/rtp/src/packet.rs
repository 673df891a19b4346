//! RTP packets (RFC 3550 §5) and header extensions (RFC 8285).

use serde::{Deserialize, Serialize};
use tandem_base::{PayloadType, Ssrc};

use crate::Malformed;

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

/// A header extension (RFC 3550 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    /// "Defined by profile": `0xbede` for one-byte elements, `0x100x` for two-byte ones.
    pub profile: u16,
    /// What follows the length word.
    pub data: &'a [u8],
}

impl<'a> Extension<'a> {
    fn split(rest: &'a [u8]) -> Result<(Option<Self>, &'a [u8]), Malformed> {
        let ([p0, p1, l0, l1], rest) = rest.split_first_chunk::<4>().ok_or(Malformed::Truncated)?;
        let words = usize::from(u16::from_be_bytes([*l0, *l1]));
        let (data, rest) = rest.split_at_checked(4 * words).ok_or(Malformed::Truncated)?;
        Ok((Some(Extension { profile: u16::from_be_bytes([*p0, *p1]), data }), rest))
    }

    /// The elements of RFC 8285; none where the profile is another, and none after one that lies.
    pub fn elements(&self) -> Elements<'a> {
        let form = match self.profile {
            0xbede => Form::OneByte,
            0x1000..=0x100f => Form::TwoByte,
            _ => return Elements { form: Form::OneByte, rest: &[] },
        };
        Elements { form, rest: self.data }
    }
}

#[derive(Clone, Copy, Debug)]
enum Form {
    OneByte,
    TwoByte,
}

/// One element of a header extension (RFC 8285 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// The number that `a=extmap` gave it: 1 to 14, or to 255 in the two-byte form.
    pub id: u8,
    /// Its data; may be empty in the two-byte form.
    pub data: &'a [u8],
}

/// Iterates over the elements of an extension.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    form: Form,
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    fn head(&self) -> Option<(u8, usize, &'a [u8])> {
        match (self.form, self.rest) {
            // RFC 8285 §4.2: ID 15 ends the processing.
            (Form::OneByte, [first, rest @ ..]) if first >> 4 < 15 => {
                Some((first >> 4, usize::from(first & 0x0f) + 1, rest))
            }
            (Form::TwoByte, [id, len, rest @ ..]) => Some((*id, usize::from(*len), rest)),
            _ => None,
        }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        // RFC 8285 §4.1: a zero octet between elements is padding.
        while let [0, rest @ ..] = self.rest {
            self.rest = rest;
        }
        let (id, len, rest) = self.head()?;
        let (data, rest) = rest.split_at_checked(len).unwrap_or((&[], &[]));
        self.rest = rest;
        (data.len() == len && id != 0).then_some(Element { id, data })
    }
}

#[cfg(test)]
mod tests;
