use serde::{Deserialize, Serialize};
use tandem_base::{Mki, SrtpKeying, SrtpSuite, Ssrc};

use super::SrtpError;
use super::cipher::{Cipher, SessionKeys};
use super::header::{RTCP_HEADER, RtpHeader, rtcp_sender};

/// RTP packets that one key may protect (RFC 3711 §9.2), and their numbers.
pub const MAX_RTP: u64 = 1 << 48;
/// RTCP packets that one key may protect (RFC 3711 §9.2).
const MAX_RTCP: u32 = 1 << 31;
/// In the index word of SRTCP: the packet is encrypted (RFC 3711 §3.4).
pub const ENCRYPTED: u32 = 1 << 31;

/// Which packets of ours were protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentPosition {
    /// The last RTP packet: its source, and its roll-over counter and sequence number as one.
    pub rtp: Option<(Ssrc, u64)>,
    /// RTP packets, whatever their key: at least as many as the present one has protected.
    pub packets: u64,
    /// The SRTCP index that comes next.
    pub rtcp: u32,
}

/// Our direction.
#[derive(Debug, Default)]
pub struct Outgoing {
    keys: Option<(SrtpSuite, SrtpKeying, SessionKeys)>,
    pub position: SentPosition,
}

impl Outgoing {
    /// Another key goes on with counters where the old one was (RFC 3711 §3.3.1, §3.4).
    pub fn negotiate(&mut self, suite: SrtpSuite, keying: &SrtpKeying) -> Result<(), SrtpError> {
        if self.keys.as_ref().is_some_and(|(s, k, _)| (*s, k) == (suite, keying)) {
            return Ok(());
        }
        self.keys = None;
        self.keys = Some((suite, keying.clone(), SessionKeys::new(suite, &keying.master)?));
        Ok(())
    }

    /// Our sequence numbers only ever go on; one that came before would give the key stream away.
    fn next_index(&self, header: &RtpHeader) -> Result<u64, SrtpError> {
        let index = match self.position.rtp {
            Some((ssrc, last)) if ssrc == header.ssrc => {
                let [.., high, low] = last.to_be_bytes();
                let ahead = header.sequence.wrapping_sub(u16::from_be_bytes([high, low]));
                if ahead == 0 {
                    return Err(SrtpError::Reused);
                }
                last + u64::from(ahead)
            }
            _ => u64::from(header.sequence),
        };
        if index < MAX_RTP { Ok(index) } else { Err(SrtpError::Exhausted) }
    }

    pub fn protect_rtp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, SrtpError> {
        let header = RtpHeader::parse(buffer.get(..len).ok_or(SrtpError::NoRoom)?)?;
        let index = self.next_index(&header)?;
        let (_, keying, keys) = self.keys.as_ref().ok_or(SrtpError::NoKey)?;
        if self.position.packets >= limit(keying, MAX_RTP) {
            return Err(SrtpError::Exhausted);
        }
        let trailer = keys.rtp.tag_len() + mki_len(keying);
        let packet = buffer.get_mut(..len + trailer).ok_or(SrtpError::NoRoom)?;
        let (body, trailer) = packet.split_at_mut(len);
        self.position.rtp = Some((header.ssrc, index));
        self.position.packets += 1;
        match &keys.rtp {
            Cipher::Counter(counter) => {
                counter.crypt(body, header.len, header.ssrc, index)?;
                // RFC 3711 §3.1: the MKI comes before the tag and is not authenticated.
                let (mki, tag) = trailer.split_at_mut(mki_len(keying));
                write_mki(keying.mki, mki);
                counter.sign(body, &roll_over(index), tag);
            }
            Cipher::Galois(galois) => {
                let (clear, plain) = body.split_at_mut(header.len);
                let written = galois.seal(header.ssrc, index, clear, plain)?;
                // RFC 7714 §7.1: here it comes last.
                let (tag, mki) = trailer.split_at_mut(written.len());
                tag.copy_from_slice(&written);
                write_mki(keying.mki, mki);
            }
        }
        Ok(len + keys.rtp.tag_len() + mki_len(keying))
    }

    pub fn protect_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, SrtpError> {
        let sender = rtcp_sender(buffer.get(..len).ok_or(SrtpError::NoRoom)?)?;
        let index = self.position.rtcp;
        let (_, keying, keys) = self.keys.as_ref().ok_or(SrtpError::NoKey)?;
        if u64::from(index) >= limit(keying, MAX_RTCP.into()) {
            return Err(SrtpError::Exhausted);
        }
        let total = len + 4 + keys.rtcp.tag_len() + mki_len(keying);
        let packet = buffer.get_mut(..total).ok_or(SrtpError::NoRoom)?;
        self.position.rtcp = index + 1;
        let word = (ENCRYPTED | index).to_be_bytes();
        match &keys.rtcp {
            Cipher::Counter(counter) => {
                let (body, trailer) = packet.split_at_mut(len);
                counter.crypt(body, RTCP_HEADER, sender, index.into())?;
                let (index_word, trailer) = trailer.split_at_mut(4);
                index_word.copy_from_slice(&word);
                let (mki, tag) = trailer.split_at_mut(mki_len(keying));
                write_mki(keying.mki, mki);
                counter.sign(body, &word, tag);
            }
            Cipher::Galois(galois) => {
                let (body, trailer) = packet.split_at_mut(len);
                let (clear, plain) = body.split_at_mut(RTCP_HEADER);
                let written = galois.seal(sender, index.into(), &rtcp_associated(clear, word), plain)?;
                let (tag, trailer) = trailer.split_at_mut(written.len());
                tag.copy_from_slice(&written);
                let (index_word, mki) = trailer.split_at_mut(4);
                index_word.copy_from_slice(&word);
                write_mki(keying.mki, mki);
            }
        }
        Ok(total)
    }
}

/// Packets that the key may protect: never more than the suite allows.
fn limit(keying: &SrtpKeying, most: u64) -> u64 {
    keying.lifetime.map_or(most, |lifetime| lifetime.min(most))
}

/// The 32 high bits of an index: what HMAC takes in after the packet (RFC 3711 §4.2).
pub fn roll_over(index: u64) -> [u8; 4] {
    let [_, _, a, b, c, d, _, _] = index.to_be_bytes();
    [a, b, c, d]
}

/// RFC 7714 §9.2: the clear header, then the index word.
pub fn rtcp_associated(clear: &[u8], word: [u8; 4]) -> [u8; 12] {
    let mut all = [0; 12];
    for (to, from) in all.iter_mut().zip(clear.iter().take(RTCP_HEADER).chain(&word)) {
        *to = *from;
    }
    all
}

/// Octets of the MKI on the wire.
pub fn mki_len(keying: &SrtpKeying) -> usize {
    keying.mki.map_or(0, |mki| mki.len.into())
}

fn write_mki(mki: Option<Mki>, to: &mut [u8]) {
    let Some(mki) = mki else { return };
    let value = mki.value.to_be_bytes();
    to.fill(0);
    for (to, from) in to.iter_mut().rev().zip(value.iter().rev()) {
        *to = *from;
    }
}

/// Is this the MKI on the wire?
pub fn is_mki(mki: Mki, wire: &[u8]) -> bool {
    let value = mki.value.to_be_bytes();
    let expected = value.iter().rev().copied().chain(std::iter::repeat(0));
    wire.len() == usize::from(mki.len) && wire.iter().rev().copied().zip(expected).all(|(a, b)| a == b)
}
