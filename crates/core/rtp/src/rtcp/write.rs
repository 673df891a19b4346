use tandem_base::Ssrc;

use super::{CNAME, ReportBlock, SenderInfo, packet_type};

/// Writes a compound packet by packet; each call says `None` where the room does not suffice, and the compound is
/// then of no use.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl<'a> Writer<'a> {
    /// Writes to the start of `out`.
    pub fn new(out: &'a mut [u8]) -> Self {
        Writer { out, len: 0 }
    }

    /// An SR with at most 31 blocks (RFC 3550 §6.4.1).
    pub fn sender_report(&mut self, ssrc: Ssrc, info: &SenderInfo, blocks: &[ReportBlock]) -> Option<()> {
        let start = self.open(packet_type::SR, count(blocks.len())?)?;
        self.word(ssrc.0)?;
        info.to_words().into_iter().try_for_each(|w| self.word(w))?;
        self.blocks(blocks)?;
        self.close(start)
    }

    /// An RR with at most 31 blocks (RFC 3550 §6.4.2).
    pub fn receiver_report(&mut self, ssrc: Ssrc, blocks: &[ReportBlock]) -> Option<()> {
        let start = self.open(packet_type::RR, count(blocks.len())?)?;
        self.word(ssrc.0)?;
        self.blocks(blocks)?;
        self.close(start)
    }

    /// An SDES with one chunk and nothing but the CNAME, at most 255 octets (RFC 3550 §6.5.1).
    pub fn canonical_name(&mut self, ssrc: Ssrc, cname: &str) -> Option<()> {
        let start = self.open(packet_type::SDES, 1)?;
        self.word(ssrc.0)?;
        self.put(&[CNAME, u8::try_from(cname.len()).ok()?])?;
        self.put(cname.as_bytes())?;
        // RFC 3550 §6.5: at least one null octet ends the list.
        self.put(&[0])?;
        self.close(start)
    }

    /// A BYE of one source; no reason where it is empty, at most 255 octets (RFC 3550 §6.6).
    pub fn goodbye(&mut self, ssrc: Ssrc, reason: &str) -> Option<()> {
        let start = self.open(packet_type::BYE, 1)?;
        self.word(ssrc.0)?;
        if !reason.is_empty() {
            self.put(&[u8::try_from(reason.len()).ok()?])?;
            self.put(reason.as_bytes())?;
        }
        self.close(start)
    }

    /// How long the compound is.
    pub fn finish(self) -> usize {
        self.len
    }

    fn blocks(&mut self, blocks: &[ReportBlock]) -> Option<()> {
        blocks.iter().flat_map(|b| b.to_words()).try_for_each(|w| self.word(w))
    }

    fn open(&mut self, packet_type: u8, count: u8) -> Option<usize> {
        let start = self.len;
        self.put(&[0x80 | count, packet_type, 0, 0])?;
        Some(start)
    }

    /// Fills up to a whole word and notes the length in words less one (RFC 3550 §6.4.1).
    fn close(&mut self, start: usize) -> Option<()> {
        while !self.len.is_multiple_of(4) {
            self.put(&[0])?;
        }
        let words = u16::try_from((self.len - start) / 4 - 1).ok()?;
        self.out.get_mut(start + 2..start + 4)?.copy_from_slice(&words.to_be_bytes());
        Some(())
    }

    fn word(&mut self, word: u32) -> Option<()> {
        self.put(&word.to_be_bytes())
    }

    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.len + bytes.len();
        self.out.get_mut(self.len..end)?.copy_from_slice(bytes);
        self.len = end;
        Some(())
    }
}

fn count(n: usize) -> Option<u8> {
    u8::try_from(n).ok().filter(|n| *n <= 31)
}
