use tandem_audio::{AudioEncoder, Fader};
use tandem_base::{
    AudioFormat, AudioStream, ClockRate, ExtensionId, LegSound, LossClass, PayloadType, Redundancy,
    SendFormat, SentReport, Time,
};
use tandem_rtp::redundancy::History;
use tandem_rtp::{Element, Header, Transmission};
use tandem_transport::SRTP_TRAILER;

use crate::encoding::{Encoding, EncodingKey, MAX_PAYLOAD};
use crate::packetizer::packets_in;
use crate::speakers::Speakers;

use super::secrecy::Secrecy;

/// Octets of the longest packet: header, contributing sources, their levels, payload, what encryption adds.
pub const MAX_DATAGRAM: usize = Header::LEN + 4 * Header::MAX_CSRCS + MAX_LEVELS + MAX_PAYLOAD + SRTP_TRAILER;

/// Octets of a header extension with all levels (RFC 6465 §3, RFC 8285 §4.3), in whole words.
const MAX_LEVELS: usize = 4 + (2 + Header::MAX_CSRCS).next_multiple_of(4);

/// Octets of the longest payload with copies: fits where 1,280 octets go, encrypted and with all else (RFC 8200 §5).
const MAX_REDUNDANT: usize = 960;

/// Ticks that a leg waits for silence before it goes back to a shared encode: three seconds, in which people pause.
const LINGER: u32 = 150;

/// The same where the mix is never quiet: ten seconds.
const LINGER_LOUD: u32 = 500;

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
    /// How loud it hears; other than unity is encoded for it alone.
    pub volume: Fader,
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
    // Headers say how loud those in the mix are.
    levels: Option<ExtensionId>,
    // Copies of what was sent, where that was agreed.
    repeats: Option<Box<Repeats>>,
    // The next packet begins a talk spurt: the first of all, or the first after a pause.
    fresh: bool,
    format: Option<AudioFormat>,
    errors: u64,
}

/// Redundant audio towards a peer (RFC 2198): only while it says that it loses packets.
struct Repeats {
    agreed: Redundancy,
    history: History,
    // In each packet at present.
    copies: u8,
}

impl Repeats {
    /// For what was agreed; `None` where the peer takes no copies.
    fn new(agreed: Option<Redundancy>) -> Option<Box<Self>> {
        let agreed = agreed.filter(|agreed| agreed.copies > 0)?;
        Some(Box::new(Repeats { agreed, history: History::new(), copies: 0 }))
    }
}

impl Outbound {
    /// For a leg that sends as `stream` says.
    pub fn new(
        stream: &AudioStream,
        encoder: Box<dyn AudioEncoder>,
        transmission: Transmission,
        room: ClockRate,
    ) -> Self {
        let own = Encoding::new(EncodingKey::from(stream.send), encoder, room, 0);
        let packets = Packets {
            transmission,
            send: stream.send,
            levels: stream.extensions.mixer_levels,
            repeats: Repeats::new(stream.redundancy),
            fresh: true,
            format: None,
            errors: 0,
        };
        Outbound {
            own,
            alone: false,
            loss: LossClass::default(),
            waited: 0,
            volume: Fader::default(),
            lingered: 0,
            packets,
        }
    }

    /// A new negotiation in a group that has run for `ticks` ticks. SSRC, sequence number and timestamp go on.
    pub fn apply(
        &mut self,
        stream: &AudioStream,
        encoder: Box<dyn AudioEncoder>,
        room: ClockRate,
        ticks: u64,
    ) {
        if !EncodingKey::from(stream.send).is_akin(self.own.key()) {
            self.own = Encoding::new(EncodingKey::from(stream.send), encoder, room, ticks);
            self.alone = false;
            self.heed_reports();
        }
        self.packets.apply(stream);
    }

    /// A codec with a memory goes back to a shared encode where nobody hears it: in the next silence, or after a while in
    /// the next tick in which the mix is `quiet`. Opus, whose encode is dear and whose packets can be made independent, does
    /// not wait for ever.
    pub fn lingers(&self, quiet: bool) -> bool {
        let most = match self.key().format {
            AudioFormat::Pcmu | AudioFormat::Pcma => 0,
            _ if quiet => LINGER,
            AudioFormat::G722 => u32::MAX,
            AudioFormat::Opus(_) => LINGER_LOUD,
        };
        self.alone && self.lingered < most
    }

    /// In this tick it hears what is encoded for it alone, or its rendition.
    pub fn choose(&mut self, alone: bool, contributes: bool) {
        self.alone = alone;
        self.lingered = if contributes { 0 } else { self.lingered.saturating_add(1) };
    }

    /// What is done to what it hears from now on.
    pub fn adjust(&mut self, sound: LegSound) {
        self.volume.set(if sound.deaf { 0.0 } else { sound.gain_out.factor() });
    }

    /// Takes note of how the peer fares, by its reports.
    pub fn heed_reports(&mut self) {
        let loss =
            if self.key().has_classes() { self.packets.transmission.loss() } else { LossClass::default() };
        if loss != self.loss {
            self.loss = loss;
            self.own.set_loss(loss);
        }
        self.packets.heed_reports();
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
    fn apply(&mut self, stream: &AudioStream) {
        self.transmission.set_clock(stream.send.format.clock_rate());
        if let Some(repeats) = self.repeats.as_mut().filter(|_| stream.send != self.send) {
            // The peer may know neither number nor clock of what was sent before.
            repeats.history.clear();
        }
        self.send = stream.send;
        self.levels = stream.extensions.mixer_levels;
        if stream.redundancy != self.repeats.as_ref().map(|repeats| repeats.agreed) {
            self.repeats = Repeats::new(stream.redundancy);
            self.heed_reports();
        }
    }

    /// One copy for a peer that loses packets, two for one that loses many and hears what is small.
    fn heed_reports(&mut self) {
        let Some(repeats) = &mut self.repeats else { return };
        // Who has not lost a packet yet may still count as one that loses some.
        let lost = self.transmission.statistics().peer.is_some_and(|peer| peer.lost > 0);
        let small = matches!(self.send.format, AudioFormat::Opus(_));
        repeats.copies = match self.transmission.loss() {
            LossClass::Heavy if lost && small => repeats.agreed.copies.min(2),
            LossClass::Lossy | LossClass::Heavy if lost => repeats.agreed.copies.min(1),
            _ => 0,
        };
    }

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
        speakers: &Speakers,
        now: Time,
        buffer: &mut [u8; MAX_DATAGRAM],
        secrecy: &mut Secrecy,
        send: impl FnOnce(&[u8]) -> bool,
    ) -> bool {
        let sent = !payload.is_empty() && self.write(payload, speakers, now, buffer, secrecy, send);
        self.transmission.advance(self.ticks());
        sent
    }

    fn write(
        &mut self,
        payload: &[u8],
        speakers: &Speakers,
        now: Time,
        buffer: &mut [u8; MAX_DATAGRAM],
        secrecy: &mut Secrecy,
        send: impl FnOnce(&[u8]) -> bool,
    ) -> bool {
        let marker = std::mem::take(&mut self.fresh);
        self.format = Some(self.send.format);
        let (csrcs, levels) = (speakers.ssrcs(), speakers.levels());
        let element =
            self.levels.filter(|_| !levels.is_empty()).map(|id| Element { id: id.get(), data: levels });
        let elements = element.as_slice();
        let head = Header::extended_len(csrcs, elements);
        let Some((payload_type, len)) = self.write_body(payload, buffer.get_mut(head..).unwrap_or_default())
        else {
            return false;
        };
        let header = self.transmission.send(payload_type, marker, len, now);
        if header.write_extended(csrcs, elements, buffer).is_none() {
            return false;
        }
        let sealed = secrecy.seal_rtp(buffer, head + len);
        let sent = sealed.and_then(|len| buffer.get(..len)).is_some_and(send);
        self.errors += u64::from(!sent);
        sent
    }

    /// Writes the payload, with copies of those before it where they are wanted and fit; gives what it is and its
    /// length.
    fn write_body(&mut self, payload: &[u8], out: &mut [u8]) -> Option<(PayloadType, usize)> {
        let (plain, timestamp) = (self.send.payload_type, self.transmission.timestamp());
        let repeats = self.repeats.as_mut().filter(|repeats| repeats.copies > 0);
        let repeated = repeats.and_then(|repeats| {
            let room = out.get_mut(..MAX_REDUNDANT)?;
            let len = repeats.history.write(repeats.copies, (plain, timestamp, payload), room);
            repeats.history.remember(plain, timestamp, payload);
            Some((repeats.agreed.send_payload_type, len?))
        });
        if repeated.is_some() {
            return repeated;
        }
        out.get_mut(..payload.len())?.copy_from_slice(payload);
        Some((plain, payload.len()))
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
