use std::any::Any;

use tandem_base::{ClockRate, LossClass};

/// The longest packet there is: 120 ms at 48 kHz (RFC 6716 §3.2.5).
pub const MAX_PACKET_SAMPLES: usize = 5_760;

/// Turns the payloads of one stream into PCM. One decoder per stream: it keeps state.
pub trait AudioDecoder: Send {
    /// The rate of the samples that come out.
    fn sample_rate(&self) -> ClockRate;

    /// Decodes a whole payload of any duration from 2.5 to 120 ms and gives the number of samples written.
    ///
    /// `out` holds at least 120 ms ([`MAX_PACKET_SAMPLES`] is always enough). After an error the stream goes
    /// on: treat the packet as lost.
    ///
    /// # Errors
    /// [`DecodeError`]: the payload is none of this codec, or longer than `out`.
    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, DecodeError>;

    /// How many samples `payload` would decode to; `None` where it is not a valid packet.
    fn samples_in(&self, payload: &[u8]) -> Option<usize>;

    /// Decodes the copy of the lost packet that the packet after it carries (in-band FEC, RFC 6716 §2.1.7).
    ///
    /// Gives the samples written: the duration of one packet like `following`. `None`: the codec or the
    /// packet has no such copy, so conceal. Call it before `following` itself is decoded.
    fn recover(&mut self, following: &[u8], out: &mut [f32]) -> Option<usize>;

    /// Makes up sound for exactly `out.len()` lost samples; fades to silence when losses go on.
    fn conceal(&mut self, out: &mut [f32]);

    /// Goes on with the background noise of a sender that has said that it is silent (DTX), where the codec knows it;
    /// otherwise with silence.
    fn comfort(&mut self, out: &mut [f32]) {
        out.fill(0.0);
    }

    /// Forgets the stream: as newly constructed.
    fn reset(&mut self);
}

/// Turns PCM into the payloads of one stream. One encoder per stream: it keeps state.
pub trait AudioEncoder: Send {
    /// The rate of the samples it takes.
    fn sample_rate(&self) -> ClockRate;

    /// Encodes `pcm` as one packet of 10 to 60 ms and gives its length in octets.
    ///
    /// 1,275 octets of `out` are enough for any codec at any packet time here.
    ///
    /// # Errors
    /// [`EncodeError`]: a duration that the codec has no packet for, or `out` too short.
    fn encode(&mut self, pcm: &[f32], out: &mut [u8]) -> Result<usize, EncodeError>;

    /// How the receiver fares: decides bit rate and redundancy, where the codec has a choice.
    fn set_loss(&mut self, class: LossClass) {
        let _ = class;
    }

    /// What is encoded was sampled at this rate at first: above half of it there is nothing to encode.
    fn set_source_rate(&mut self, rate: ClockRate) {
        let _ = rate;
    }

    /// While it is `true`, frames depend on those before them as little as the codec can: a decoder that heard another
    /// encoder of the same sound until now can go on with this one.
    fn set_independent(&mut self, independent: bool) {
        let _ = independent;
    }

    /// Forgets the stream: as newly constructed.
    fn reset(&mut self);

    /// Goes on in the place of `other`, so that the receiver's decoder does not notice: takes over its state, where
    /// both are of the same codec and that can be done. `false`: nothing has changed.
    fn take_over(&mut self, other: &dyn AudioEncoder) -> bool {
        let _ = other;
        false
    }

    /// For [`AudioEncoder::take_over`]: the encoder itself, where its state can be taken over.
    fn as_any(&self) -> Option<&dyn Any> {
        None
    }
}

/// Why a payload was not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not a payload of this codec.
    #[error("not a valid payload of this codec")]
    Malformed,
    /// Holds more sound than the buffer takes.
    #[error("the payload holds more samples than the buffer takes")]
    TooLong,
}

/// Why PCM was not encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The codec has no packet of this many samples.
    #[error("the codec has no packet of this duration")]
    Duration,
    /// The buffer is too short for the packet.
    #[error("the buffer is too short for the packet")]
    BufferTooShort,
    /// The codec refused, for a reason of its own.
    #[error("the codec failed")]
    Codec,
}
