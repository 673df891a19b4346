use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_base::{ClockRate, Entropy, LossClass, PayloadType, Ssrc, Time};

use crate::ntp;
use crate::rtcp::{ReportBlock, SenderInfo};
use crate::{Header, LossWatch, NtpTimestamp, WallClock};

/// No round trip takes longer than this: a report that says so is nonsense.
const MAX_RTT: Duration = Duration::from_secs(30);

/// What the peer's report blocks say of our stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerView {
    /// Fraction lost in its last interval, in 1/256.
    pub fraction_lost: u8,
    /// Lost since the start; negative where duplicates outnumber losses.
    pub lost: i32,
    /// Interarrival jitter at the peer.
    pub jitter: Duration,
    /// When the report arrived.
    pub at: Time,
}

/// What was sent on one SSRC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransmissionStatistics {
    /// Packets sent.
    pub packets: u64,
    /// Payload octets sent.
    pub octets: u64,
    /// The peer's latest report.
    pub peer: Option<PeerView>,
    /// Latest plausible round-trip time (RFC 3550 §6.4.1).
    pub rtt: Option<Duration>,
}

/// One local SSRC: numbers its packets and keeps the books for its sender reports.
///
/// The timestamp runs with the media, not with the packets: [`Transmission::advance`] moves it for every frame,
/// sent or not, so that silence leaves a gap and nothing ever jumps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Transmission {
    ssrc: Ssrc,
    clock: ClockRate,
    sequence: u16,
    timestamp: u32,
    packets: u64,
    octets: u64,
    last: Option<(Time, u32)>,
    reported: [u32; 2],
    peer: Option<PeerView>,
    rtt: Option<Duration>,
    // Judged anew by whoever takes the stream over.
    #[serde(skip)]
    loss: LossWatch,
}

impl Transmission {
    /// A new source; SSRC, first sequence number and first timestamp are random (RFC 3550 §5.1). The sequence number
    /// begins in the lower half: a peer that misses the first packets of an encrypted stream just before they roll over
    /// could never decrypt those after (RFC 3711 §3.3.1).
    pub fn new(clock: ClockRate, entropy: &mut impl Entropy) -> Self {
        let [s0, s1, ..] = entropy.next_u32().to_be_bytes();
        Transmission {
            ssrc: Ssrc(entropy.next_u32()),
            clock,
            sequence: u16::from_be_bytes([s0 & 0x7f, s1]),
            timestamp: entropy.next_u32(),
            packets: 0,
            octets: 0,
            last: None,
            reported: [0; 2],
            peer: None,
            rtt: None,
            loss: LossWatch::default(),
        }
    }

    /// Our SSRC.
    pub fn ssrc(&self) -> Ssrc {
        self.ssrc
    }

    /// The timestamp that a packet would carry now.
    pub fn timestamp(&self) -> u32 {
        self.timestamp
    }

    /// The clock that timestamps count in.
    pub fn clock(&self) -> ClockRate {
        self.clock
    }

    /// A change of format may change the clock; the timestamp goes on from where it is (RFC 7160 §4.1).
    pub fn set_clock(&mut self, clock: ClockRate) {
        self.clock = clock;
    }

    /// Moves the timestamp by one frame, sent or not.
    pub fn advance(&mut self, ticks: u32) {
        self.timestamp = self.timestamp.wrapping_add(ticks);
    }

    /// The header of the next packet, at the present timestamp; counts it as sent.
    pub fn send(&mut self, payload_type: PayloadType, marker: bool, octets: usize, now: Time) -> Header {
        self.last = Some((now, self.timestamp));
        self.send_at(self.timestamp, payload_type, marker, octets)
    }

    /// The same at a timestamp of the past: telephone events keep that of their start (RFC 4733 §2.1).
    pub fn send_at(
        &mut self,
        timestamp: u32,
        payload_type: PayloadType,
        marker: bool,
        octets: usize,
    ) -> Header {
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        self.packets += 1;
        self.octets += u64::try_from(octets).unwrap_or(0);
        Header { marker, payload_type, sequence, timestamp, ssrc: self.ssrc }
    }

    /// Changes to a new random SSRC after a collision (RFC 3550 §8.2); counts start again.
    pub fn change_ssrc(&mut self, entropy: &mut impl Entropy) {
        let (clock, sequence, timestamp) = (self.clock, self.sequence, self.timestamp);
        *self = Transmission { sequence, timestamp, ..Transmission::new(clock, entropy) };
    }

    /// The sender info of an SR at `now`; `None` before the first packet: then an RR is due (RFC 3550 §6.4).
    pub fn sender_info(&mut self, now: Time, wall: WallClock) -> Option<SenderInfo> {
        let (at, timestamp) = self.last?;
        let ntp = NtpTimestamp::at(now, wall);
        let [_, _, _, _, a, b, c, d] = self.clock.ticks_of(now.since(at)).to_be_bytes();
        self.reported = [ntp.middle(), self.reported[0]];
        Some(SenderInfo {
            ntp,
            rtp_timestamp: timestamp.wrapping_add(u32::from_be_bytes([a, b, c, d])),
            packets: low32(self.packets),
            octets: low32(self.octets),
        })
    }

    /// Takes the peer's report on us, which arrived at `arrived`; one on another SSRC is ignored.
    pub fn absorb(&mut self, block: &ReportBlock, arrived: Time, wall: WallClock) {
        if block.ssrc != self.ssrc {
            return;
        }
        self.peer = Some(PeerView {
            fraction_lost: block.fraction_lost,
            lost: block.lost,
            jitter: self.clock.duration_of(u64::from(block.jitter)),
            at: arrived,
        });
        self.loss.absorb(block.fraction_lost, arrived);
        self.rtt = self.round_trip(block, NtpTimestamp::at(arrived, wall)).or(self.rtt);
    }

    /// RFC 3550 §6.4.1, figure 2: A − LSR − DLSR, for a report on an SR that we did send.
    fn round_trip(&self, block: &ReportBlock, arrived: NtpTimestamp) -> Option<Duration> {
        if block.last_sr == 0 || !self.reported.contains(&block.last_sr) {
            return None;
        }
        let since_sr = arrived.middle().wrapping_sub(block.last_sr);
        // Coarse clocks may make the difference slightly negative: that is a round trip of nothing.
        let units = match since_sr.checked_sub(block.delay_since_last_sr) {
            Some(units) => units,
            None if block.delay_since_last_sr - since_sr < 655 => 0,
            None => return None,
        };
        Some(ntp::from_short(units)).filter(|rtt| *rtt <= MAX_RTT)
    }

    /// How the peer fares with our packets, by its reports.
    pub fn loss(&self) -> LossClass {
        self.loss.class()
    }

    /// The figures so far.
    pub fn statistics(&self) -> TransmissionStatistics {
        TransmissionStatistics { packets: self.packets, octets: self.octets, peer: self.peer, rtt: self.rtt }
    }
}

fn low32(n: u64) -> u32 {
    u32::try_from(n & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}
