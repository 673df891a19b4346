//! Redundant audio (RFC 2198): packets that bring copies of those before them.

use tandem_base::PayloadType;

use crate::Malformed;

mod history;

pub use history::History;

/// Blocks of one packet that are looked at; more is no packet of anybody's.
const MAX_BLOCKS: usize = 16;
/// What the 14 bits of an offset can say, in ticks (RFC 2198 §3).
const MAX_OFFSET: u32 = (1 << 14) - 1;
/// What the 10 bits of a length can say, in octets (RFC 2198 §3).
pub const MAX_COPY: usize = (1 << 10) - 1;
/// Octets of a copy's header; that of the packet's own sound has one.
const HEAD: usize = 4;

/// A part of a redundant payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// Its format.
    pub payload_type: PayloadType,
    /// How far it is behind the packet's timestamp, in ticks; 0 for the packet's own sound.
    pub offset: u32,
    /// Its octets; may be none.
    pub payload: &'a [u8],
}

/// A redundant payload, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redundant<'a> {
    /// The packet's own sound.
    pub primary: Block<'a>,
    heads: &'a [u8],
    data: &'a [u8],
}

impl<'a> Redundant<'a> {
    /// Parses the payload of a packet whose payload type stands for redundant audio; every length in it is checked.
    ///
    /// # Errors
    /// [`Malformed::Truncated`] where a length lies; [`Malformed::Blocks`] where there are more than 16.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Malformed> {
        let count = copies(payload)?;
        let (heads, rest) = payload.split_at_checked(count * HEAD).ok_or(Malformed::Truncated)?;
        let (last, data) = rest.split_first().ok_or(Malformed::Truncated)?;
        let length = heads.chunks_exact(HEAD).filter_map(head).map(|(_, _, len)| len).sum();
        let (data, own) = data.split_at_checked(length).ok_or(Malformed::Truncated)?;
        let payload_type = PayloadType::new(last & 0x7f).ok_or(Malformed::PacketType)?;
        Ok(Redundant { primary: Block { payload_type, offset: 0, payload: own }, heads, data })
    }

    /// The copies, the oldest first as they stand in the packet.
    pub fn copies(&self) -> Copies<'a> {
        Copies { heads: self.heads, data: self.data }
    }
}

/// How many headers come before that of the packet's own sound, whose first bit is not set.
fn copies(payload: &[u8]) -> Result<usize, Malformed> {
    let own = payload.iter().step_by(HEAD).take(MAX_BLOCKS).position(|first| first & 0x80 == 0);
    match own {
        Some(count) => Ok(count),
        None if payload.len() > (MAX_BLOCKS - 1) * HEAD => Err(Malformed::Blocks),
        None => Err(Malformed::Truncated),
    }
}

/// A copy's format, offset and length.
fn head(octets: &[u8]) -> Option<(PayloadType, u32, usize)> {
    let [a, b, c, d] = *octets.first_chunk::<HEAD>()?;
    let offset = u32::from(b) << 6 | u32::from(c >> 2);
    let len = usize::from(c & 0x03) << 8 | usize::from(d);
    Some((PayloadType::new(a & 0x7f)?, offset, len))
}

/// Iterates over the copies in a packet.
#[derive(Clone, Debug)]
pub struct Copies<'a> {
    heads: &'a [u8],
    data: &'a [u8],
}

impl<'a> Iterator for Copies<'a> {
    type Item = Block<'a>;

    fn next(&mut self) -> Option<Block<'a>> {
        let (payload_type, offset, len) = head(self.heads)?;
        self.heads = self.heads.get(HEAD..).unwrap_or_default();
        let (payload, rest) = self.data.split_at_checked(len)?;
        self.data = rest;
        Some(Block { payload_type, offset, payload })
    }
}

/// Writes a redundant payload: the copies, oldest first, and the packet's own sound. Says how long it is.
///
/// `None` where an offset or a length is more than can be said, or `out` is too short.
pub fn write<'b>(
    copies: impl Iterator<Item = Block<'b>> + Clone,
    primary: (PayloadType, &[u8]),
    out: &mut [u8],
) -> Option<usize> {
    let mut at = 0;
    let mut put = |octets: &[u8]| -> Option<()> {
        let end = at + octets.len();
        out.get_mut(at..end)?.copy_from_slice(octets);
        at = end;
        Some(())
    };
    for Block { payload_type, offset, payload } in copies.clone() {
        let (offset, len) = (Some(offset).filter(|o| *o <= MAX_OFFSET)?, u32::try_from(payload.len()).ok()?);
        let len = Some(len).filter(|_| payload.len() <= MAX_COPY)?;
        let word = 1 << 31 | u32::from(payload_type.get()) << 24 | offset << 10 | len;
        put(&word.to_be_bytes())?;
    }
    put(&[primary.0.get()])?;
    for copy in copies {
        put(copy.payload)?;
    }
    put(primary.1)?;
    Some(at)
}

#[cfg(test)]
mod tests;
