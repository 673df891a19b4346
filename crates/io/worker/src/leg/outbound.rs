use tandem_audio::AudioEncoder;
use tandem_base::{AudioFormat, ClockRate, LossClass, SendFormat, SentReport, Ssrc, Time};
use tandem_rtp::{Header, Transmission};
use tandem_transport::SRTP_TRAILER;

use crate::encoding::{Encoding, EncodingKey, MAX_PAYLOAD};
use crate::packetizer::packets_in;

use super::secrecy::Secrecy;

/// Octets of the longest packet: header, contributing sources, payload, what encryption adds.
pub const MAX_DATAGRAM: usize = Header::LEN + 4 * Header::MAX_CSRCS + MAX_PAYLOAD + SRTP_TRAILER;

/// Ticks that a leg waits for silence before it goes back to a shared encode: three seconds, in which people pause.
const LINGER: u32 = 150;

/// From the room to the peer's packets.
pub struct Outbound {
    /// What this leg alone hears is encoded here.
    pub own: Encoding,
    /// Does it hear what it shares with nobody (it contributes), or its rendition?
    pub alone: bool,
    /// How the peer fares.
    pub loss: LossClass,
    /// Ticks that it has waited to change to the rendition of that class.
    pub waited: u32,
    // Ticks since it last contributed, while it is alone.
    lingered: u32,
    /// Its packets.
    pub packets: Packets,
}

/// Our stream on the wire: what numbers the payloads, wherever they were encoded.
pub struct Packets {
    /// Our SSRC with its sequence number and timestamp.
    pub transmission: Transmission,
    send: SendFormat,
    // The next packet begins a talk spurt: the first of all, or the first after a pause.
    fresh: bool,
    format: Option<AudioFormat>,
    errors: u64,
}

impl Outbound {
    /// For a leg that sends as `send` says.
    pub fn new(
        send: SendFormat,
        encoder: Box<dyn AudioEncoder>,
        transmission: Transmission,
        room: ClockRate,
    ) -> Self {
        let own = Encoding::new(EncodingKey::from(send), encoder, room, 0);
        let packets = Packets { transmission, send, fresh: true, format: None, errors: 0 };
        Outbound { own, alone: false, loss: LossClass::default(), waited: 0, lingered: 0, packets }
    }

    /// A new negotiation in a group that has run for `ticks` ticks. SSRC, sequence number and timestamp go on.
    pub fn apply(&mut self, send: SendFormat, encoder: Box<dyn AudioEncoder>, room: ClockRate, ticks: u64) {
        if !EncodingKey::from(send).is_akin(self.own.key()) {
            self.own = Encoding::new(EncodingKey::from(send), encoder, room, ticks);
            self.alone = false;
            self.heed_reports();
        }
        self.packets.transmission.set_clock(send.format.clock_rate());
        self.packets.send = send;
    }

    /// A codec with a memory goes back to a shared encode where nobody hears it: in the next silence, but does not
    /// wait for ever.
    pub fn lingers(&self) -> bool {
        self.alone && self.lingered < LINGER && self.own.has_memory()
    }

    /// In this tick it hears what is encoded for it alone, or its rendition.
    pub fn choose(&mut self, alone: bool, contributes: bool) {
        self.alone = alone;
        self.lingered = if contributes { 0 } else { self.lingered.saturating_add(1) };
    }

    /// Takes note of how the peer fares, by its reports.
    pub fn heed_reports(&mut self) {
        let loss =
            if self.key().has_classes() { self.packets.transmission.loss() } else { LossClass::default() };
        if loss != self.loss {
            self.loss = loss;
            self.own.set_loss(loss);
        }
    }

    /// Codec, packet time and class of receivers.
    pub fn key(&self) -> EncodingKey {
        self.own.key()
    }

    /// Lets tick number `tick` pass without sending.
    pub fn pause(&mut self, tick: u64) {
        self.own.pass();
        self.packets.pause(tick);
    }
}

impl Packets {
    fn ticks(&self) -> u32 {
        EncodingKey::from(self.send).ticks()
    }

    /// The timestamp runs on over tick number `tick`.
    fn pause(&mut self, tick: u64) {
        for _ in 0..packets_in(tick, self.send.ptime_ms) {
            self.transmission.advance(self.ticks());
        }
        self.fresh = true;
    }

    /// Writes the packet for one payload and hands it to `send`, which says whether the kernel took it. The timestamp
    /// moves on by the packet's sound; a payload that is empty, since its encoder failed, leaves a hole.
    ///
    /// Gives true when a packet went out.
    pub fn packet(
        &mut self,
        payload: &[u8],
        csrcs: &[Ssrc],
        now: Time,
        buffer: &mut [u8; MAX_DATAGRAM],
        secrecy: &mut Secrecy,
        send: impl FnOnce(&[u8]) -> bool,
    ) -> bool {
        let sent = !payload.is_empty() && self.write(payload, csrcs, now, buffer, secrecy, send);
        self.transmission.advance(self.ticks());
        sent
    }

    fn write(
        &mut self,
        payload: &[u8],
        csrcs: &[Ssrc],
        now: Time,
        buffer: &mut [u8; MAX_DATAGRAM],
        secrecy: &mut Secrecy,
        send: impl FnOnce(&[u8]) -> bool,
    ) -> bool {
        let marker = std::mem::take(&mut self.fresh);
        let header = self.transmission.send(self.send.payload_type, marker, payload.len(), now);
        self.format = Some(self.send.format);
        let Some(len) = header.write(csrcs, buffer) else { return false };
        let Some(body) = buffer.get_mut(len..len + payload.len()) else { return false };
        body.copy_from_slice(payload);
        let sealed = secrecy.seal_rtp(buffer, len + payload.len());
        let sent = sealed.and_then(|len| buffer.get(..len)).is_some_and(send);
        self.errors += u64::from(!sent);
        sent
    }

    /// In figures; the caller adds the estimated quality.
    pub fn report(&self) -> SentReport {
        let statistics = self.transmission.statistics();
        SentReport {
            format: self.format,
            packets: statistics.packets,
            octets: statistics.octets,
            send_errors: self.errors,
            lost: statistics.peer.map(|p| p.lost),
            jitter: statistics.peer.map(|p| p.jitter),
            rtt: statistics.rtt,
            mos: None,
        }
    }
}
