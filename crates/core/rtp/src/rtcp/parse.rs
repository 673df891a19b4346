use tandem_base::Ssrc;

use super::{ReportBlock, SenderInfo, SourceDescription, packet_type, words};
use crate::Malformed;
use crate::packet::unpad;

/// One packet of a compound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// SR (RFC 3550 §6.4.1).
    SenderReport {
        /// Who reports.
        ssrc: Ssrc,
        /// What it sent.
        info: SenderInfo,
        /// What it received.
        reports: Reports<'a>,
    },
    /// RR (RFC 3550 §6.4.2).
    ReceiverReport {
        /// Who reports.
        ssrc: Ssrc,
        /// What it received.
        reports: Reports<'a>,
    },
    /// SDES (RFC 3550 §6.5).
    SourceDescription(SourceDescription<'a>),
    /// BYE (RFC 3550 §6.6).
    Goodbye(Goodbye<'a>),
    /// APP (RFC 3550 §6.7).
    Application(Raw<'a>),
    /// Transport-layer feedback (RFC 4585 §6.2).
    TransportFeedback(Raw<'a>),
    /// Payload-specific feedback (RFC 4585 §6.3).
    PayloadFeedback(Raw<'a>),
    /// XR (RFC 3611).
    ExtendedReport(Raw<'a>),
    /// A type not known here.
    Other(Raw<'a>),
}

impl<'a> Packet<'a> {
    fn from_raw(raw: Raw<'a>) -> Result<Self, Malformed> {
        Ok(match raw.packet_type {
            packet_type::SR => sender_report(raw)?,
            packet_type::RR => {
                let (ssrc, rest) = ssrc(raw.body)?;
                Packet::ReceiverReport { ssrc, reports: Reports::split(raw.count, rest)? }
            }
            packet_type::SDES => Packet::SourceDescription(SourceDescription::checked(raw.count, raw.body)?),
            packet_type::BYE => Packet::Goodbye(Goodbye::checked(raw)?),
            packet_type::APP => Packet::Application(raw),
            packet_type::RTPFB => Packet::TransportFeedback(raw),
            packet_type::PSFB => Packet::PayloadFeedback(raw),
            packet_type::XR => Packet::ExtendedReport(raw),
            _ => Packet::Other(raw),
        })
    }
}

fn sender_report(raw: Raw<'_>) -> Result<Packet<'_>, Malformed> {
    let (ssrc, rest) = ssrc(raw.body)?;
    let (info, rest) = rest.split_first_chunk().ok_or(Malformed::Truncated)?;
    let reports = Reports::split(raw.count, rest)?;
    Ok(Packet::SenderReport { ssrc, info: SenderInfo::from_bytes(info), reports })
}

fn ssrc(body: &[u8]) -> Result<(Ssrc, &[u8]), Malformed> {
    let (word, rest) = body.split_first_chunk().ok_or(Malformed::Truncated)?;
    Ok((Ssrc(u32::from_be_bytes(*word)), rest))
}

/// A packet that is not taken apart here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'a> {
    /// The five bits of the first octet: a count, a subtype or a feedback message type.
    pub count: u8,
    /// The packet type.
    pub packet_type: u8,
    /// All behind the first four octets, without padding.
    pub body: &'a [u8],
}

impl<'a> Raw<'a> {
    /// Takes the first packet off `compound`, which is not empty (RFC 3550 §A.2).
    fn split(compound: &'a [u8]) -> Result<(Self, &'a [u8]), Malformed> {
        let ([first, packet_type, l0, l1], rest) =
            compound.split_first_chunk::<4>().ok_or(Malformed::Truncated)?;
        if first >> 6 != 2 {
            return Err(Malformed::Version);
        }
        let len = 4 * usize::from(u16::from_be_bytes([*l0, *l1]));
        let (body, rest) = rest.split_at_checked(len).ok_or(Malformed::Truncated)?;
        let padded = first & 0x20 != 0;
        // RFC 3550 §6.4.1: only the last packet of a compound may be padded.
        if padded && !rest.is_empty() {
            return Err(Malformed::Padding);
        }
        let body = if padded { unpad(body)? } else { body };
        Ok((Raw { count: first & 0x1f, packet_type: *packet_type, body }, rest))
    }
}

/// The report blocks of an SR or RR: 0 to 31.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reports<'a>(&'a [u8]);

impl<'a> Reports<'a> {
    /// What follows the blocks is a profile's extension (RFC 3550 §6.4.3): ignored.
    fn split(count: u8, body: &'a [u8]) -> Result<Self, Malformed> {
        body.get(..usize::from(count) * ReportBlock::LEN).map(Reports).ok_or(Malformed::Truncated)
    }
}

impl Iterator for Reports<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        let (block, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(ReportBlock::from_bytes(block))
    }
}

/// A BYE: who leaves and why (RFC 3550 §6.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goodbye<'a> {
    sources: &'a [u8],
    /// The reason, meant to be UTF-8; empty where none is given.
    pub reason: &'a [u8],
}

impl<'a> Goodbye<'a> {
    fn checked(raw: Raw<'a>) -> Result<Self, Malformed> {
        let (sources, rest) =
            raw.body.split_at_checked(4 * usize::from(raw.count)).ok_or(Malformed::Truncated)?;
        let reason = match rest.split_first() {
            Some((len, text)) => text.get(..usize::from(*len)).ok_or(Malformed::Truncated)?,
            None => &[],
        };
        Ok(Goodbye { sources, reason })
    }

    /// Who leaves: 0 to 31 sources.
    pub fn sources(&self) -> impl Iterator<Item = Ssrc> + 'a {
        words(self.sources).map(Ssrc)
    }
}

/// A compound packet; every length in it has been checked, so iterating cannot fail.
#[derive(Clone, Debug)]
pub struct Compound<'a>(&'a [u8]);

impl<'a> Compound<'a> {
    /// Checks the whole datagram (RFC 3550 §A.2). A compound of reduced size, without SR or RR in front, is
    /// welcome (RFC 5506 §3.4).
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Malformed> {
        // RFC 5761 §4: types that cannot be mistaken for RTP.
        match datagram {
            [_, 192..=223, ..] => {}
            [_, _, ..] => return Err(Malformed::PacketType),
            _ => return Err(Malformed::Truncated),
        }
        let mut rest = datagram;
        while !rest.is_empty() {
            let (raw, behind) = Raw::split(rest)?;
            Packet::from_raw(raw)?;
            rest = behind;
        }
        Ok(Compound(datagram))
    }
}

impl<'a> Iterator for Compound<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        let (raw, rest) = Raw::split(self.0).ok()?;
        self.0 = rest;
        Packet::from_raw(raw).ok()
    }
}
