use tandem_audio::{AudioEncoder, Limiter, Resampler};
use tandem_base::{AudioFormat, ClockRate, LossClass, OpusParams, SendFormat};

use crate::packetizer::{Packetizer, TICK_MS};

/// Octets that any packet of any codec fits into (RFC 6716 §3.4: 1,275 and the TOC octet).
pub const MAX_PAYLOAD: usize = 1_276;

/// Packets that one tick can complete: two of 10 ms.
const MAX_PACKETS: usize = 2;

/// What listeners have in common who can share an encode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodingKey {
    /// Codec and what the receiver asked for.
    pub format: AudioFormat,
    /// Audio in one packet, ms.
    pub ptime_ms: u8,
    /// How its receivers fare, where they are so many that each class has an encode of its own.
    pub class: LossClass,
}

impl From<SendFormat> for EncodingKey {
    fn from(send: SendFormat) -> Self {
        let format = match send.format {
            // All that is mixed is mono, and both who would like stereo and who would not play that.
            AudioFormat::Opus(params) => AudioFormat::Opus(OpusParams { stereo: false, ..params }),
            other => other,
        };
        EncodingKey { format, ptime_ms: send.ptime_ms, class: LossClass::default() }
    }
}

impl EncodingKey {
    /// The same for receivers who fare so.
    pub fn of_class(self, class: LossClass) -> Self {
        EncodingKey { class, ..self }
    }

    /// The same but for how its receivers fare.
    pub fn is_akin(self, other: EncodingKey) -> bool {
        self.of_class(other.class) == other
    }

    /// Does it matter to this codec how its receivers fare?
    pub fn has_classes(self) -> bool {
        matches!(self.format, AudioFormat::Opus(params) if params.inband_fec)
    }

    /// RTP clock ticks of one packet.
    pub fn ticks(self) -> u32 {
        self.format.clock_rate().ticks_in_ms(u32::from(self.ptime_ms))
    }
}

/// Samples of one tick at `rate`.
pub fn frame_len(rate: ClockRate) -> usize {
    usize::try_from(rate.ticks_in_ms(TICK_MS)).unwrap_or(0)
}

/// One payload.
#[derive(Clone, Debug)]
struct Payload {
    bytes: [u8; MAX_PAYLOAD],
    len: usize,
}

/// From the room's frame to payloads: limiter, resampler, packetizer, encoder.
///
/// A contributing leg has one of its own, listeners share one.
pub struct Encoding {
    key: EncodingKey,
    encoder: Box<dyn AudioEncoder>,
    limiter: Limiter,
    resampler: Option<Resampler>,
    packetizer: Packetizer,
    // The last frame at the room's rate and, as scratch, the present one at the codec's.
    heard: Vec<f32>,
    converted: Vec<f32>,
    payloads: Vec<Payload>,
    complete: usize,
    independent: bool,
}

impl Encoding {
    /// For a room at `room`, whose group has run for `ticks` ticks.
    pub fn new(key: EncodingKey, encoder: Box<dyn AudioEncoder>, room: ClockRate, ticks: u64) -> Self {
        let rate = encoder.sample_rate();
        let mut encoding = Encoding {
            key,
            limiter: Limiter::new(room),
            resampler: None,
            packetizer: Packetizer::new(rate, key.ptime_ms, ticks),
            heard: Vec::new(),
            converted: vec![0.0; frame_len(rate)],
            payloads: vec![Payload { bytes: [0; MAX_PAYLOAD], len: 0 }; MAX_PACKETS],
            complete: 0,
            independent: false,
            encoder,
        };
        encoding.encoder.set_loss(key.class);
        encoding.set_room_rate(room);
        encoding
    }

    /// What it encodes to.
    pub fn key(&self) -> EncodingKey {
        self.key
    }

    /// The room changed its rate.
    pub fn set_room_rate(&mut self, room: ClockRate) {
        let rate = self.encoder.sample_rate();
        self.limiter = Limiter::new(room);
        // Both are rates of codecs, which are exactly those that a resampler takes.
        self.resampler = if rate == room { None } else { Resampler::new(room, rate).ok() };
        self.heard = vec![0.0; frame_len(room)];
        self.encoder.set_source_rate(room);
    }

    /// Files it under another class of receivers; what it encodes stays the same.
    pub fn set_class(&mut self, class: LossClass) {
        self.key.class = class;
    }

    /// What was encoded last, at the room's rate.
    pub fn heard(&self) -> &[f32] {
        &self.heard
    }

    /// The next packet depends on those before it as little as the codec can: a receiver comes from another encode of
    /// the same sound.
    pub fn welcome(&mut self) {
        self.independent = true;
        self.encoder.set_independent(true);
    }

    /// Puts the packetizer in step with a group that has run for `ticks` ticks.
    pub fn align(&mut self, ticks: u64) {
        self.packetizer = Packetizer::new(self.encoder.sample_rate(), self.key.ptime_ms, ticks);
    }

    /// Encodes one tick's frame: `render` writes it at the room's rate. Gives the number of packets that were encoded.
    pub fn run(&mut self, render: impl FnOnce(&mut Limiter, &mut [f32])) -> usize {
        render(&mut self.limiter, &mut self.heard);
        match &mut self.resampler {
            Some(resampler) => {
                resampler.process(&self.heard, &mut self.converted);
                self.packetizer.push(&self.converted);
            }
            None => self.packetizer.push(&self.heard),
        }
        self.encode()
    }

    fn encode(&mut self) -> usize {
        self.complete = 0;
        while let Some(pcm) = self.packetizer.take() {
            let Some(payload) = self.payloads.get_mut(self.complete) else { break };
            // An encoder that fails leaves out one packet; the timestamp runs on without it.
            payload.len = self.encoder.encode(pcm, &mut payload.bytes).unwrap_or(0);
            self.complete += 1;
            if std::mem::take(&mut self.independent) {
                self.encoder.set_independent(false);
            }
        }
        self.complete
    }

    /// Lets a tick pass in which nobody listens.
    pub fn pass(&mut self) {
        self.complete = 0;
        self.packetizer.pass(self.converted.len());
    }

    /// The payloads that the last [`Encoding::run`] completed; an empty one was not encoded.
    pub fn payloads(&self) -> impl Iterator<Item = &[u8]> {
        self.payloads.iter().take(self.complete).map(|p| p.bytes.get(..p.len).unwrap_or_default())
    }

    /// Goes on where `other`, which is akin, was after the last tick, so that the receiver's decoder does
    /// not hear the change: every stage gets the same past.
    pub fn continue_from(&mut self, other: &Encoding) {
        self.limiter = other.limiter.clone();
        if let Some(resampler) = &mut self.resampler {
            resampler.reset();
            resampler.process(&other.heard, &mut self.converted);
        }
        self.packetizer.continue_from(&other.packetizer);
        if self.encoder.take_over(&*other.encoder) {
            return;
        }
        self.encoder.reset();
        if let Some(scratch) = self.payloads.first_mut() {
            // The payload is dropped; the encoder's state is what counts, and a failure leaves it fresh.
            let _ = self.encoder.encode(self.packetizer.last(), &mut scratch.bytes);
        }
    }

    /// Forgets what was encoded before: whoever hears this next has not heard it.
    pub fn restart(&mut self) {
        self.encoder.reset();
        if let Some(resampler) = &mut self.resampler {
            resampler.reset();
        }
    }

    /// How its receivers fare.
    pub fn set_loss(&mut self, class: LossClass) {
        self.encoder.set_loss(class);
    }
}
