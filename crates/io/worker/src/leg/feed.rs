use tandem_audio::{AudioDecoder, DescribedNoise, Got, MAX_PACKET_SAMPLES, Source};
use tandem_base::{PayloadType, ReceiveFormat, Time};
use tandem_rtp::{JitterBuffer, Next};

use super::dormant::{Dormancy, Levels, Sealed};

/// One format that the peer may send.
pub struct Decode {
    /// As negotiated.
    pub accepts: ReceiveFormat,
    /// Its decoder.
    pub decoder: Box<dyn AudioDecoder>,
    /// Which lane its samples go to.
    pub lane: usize,
}

impl Decode {
    /// RTP ticks as samples of the decoder.
    fn samples(&self, ticks: u32) -> usize {
        let clock = u64::from(self.accepts.format.clock_rate().hz());
        let rate = u64::from(self.decoder.sample_rate().hz());
        usize::try_from(u64::from(ticks) * rate / clock).unwrap_or(usize::MAX)
    }

    fn samples_of(&self, nanos: i64) -> isize {
        let samples = nanos.saturating_mul(i64::from(self.decoder.sample_rate().hz())) / 1_000_000_000;
        isize::try_from(samples).unwrap_or(0)
    }

    fn decode(&mut self, payload: &[u8], ticks: u32, out: &mut [f32]) -> Got {
        let expected = self.samples(ticks);
        self.decoder.decode(payload, out).map_or(Got::Lost(expected), Got::Decoded)
    }
}

/// A packet of another sampling rate than the present one: decoded ahead, played from the next tick on, when its lane
/// has taken over.
pub struct Ahead {
    /// Which of the formats; `None` when nothing waits.
    pub format: Option<usize>,
    pcm: Vec<f32>,
    got: Got,
}

impl Default for Ahead {
    fn default() -> Self {
        Ahead { format: None, pcm: vec![0.0; MAX_PACKET_SAMPLES], got: Got::Nothing }
    }
}

impl Ahead {
    fn take(&mut self, out: &mut [f32]) -> Got {
        self.format = None;
        for (to, from) in out.iter_mut().zip(&self.pcm) {
            *to = *from;
        }
        self.got
    }
}

/// What is heard of a sender that has said that it is silent.
#[derive(Debug)]
pub enum Pause {
    /// The noise that it has described (RFC 3389).
    Described(DescribedNoise),
    /// Its decoder knows.
    Decoder,
}

/// How closely a feed listens, and what it has found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Listening {
    /// Where the leg does not contribute: spares decoding.
    pub dormancy: Option<Dormancy>,
    /// What is no louder than this (mean square) is not heard.
    pub opens_above: f32,
    /// Something was left undecoded.
    pub skipped: bool,
    /// Something was decoded.
    pub decoded: bool,
    /// Does the sender hear a voice? `None` where it does not tell.
    pub voice: Option<bool>,
}

impl Listening {
    fn may_skip(&mut self, packet: Sealed<'_>) -> bool {
        let opens_above = self.opens_above;
        let skips = self.dormancy.as_mut().is_some_and(|d| d.may_skip(packet, opens_above));
        self.skipped |= skips;
        self.decoded |= !skips;
        self.voice = packet.voice();
        skips
    }
}

/// What playout draws from: the jitter buffer with the decoders behind it.
pub struct Feed<'a> {
    /// Packets in their order.
    pub jitter: &'a mut JitterBuffer,
    /// All formats.
    pub decodes: &'a mut [Decode],
    /// The format of the last packet; its lane is being played.
    pub current: &'a mut usize,
    /// See [`Ahead`].
    pub ahead: &'a mut Ahead,
    /// Has the sender said that it is silent behind the last packet?
    pub pause: &'a mut Option<Pause>,
    /// What headers said.
    pub levels: &'a Levels,
    /// What came of it.
    pub listening: Listening,
    /// The tick.
    pub now: Time,
}

fn position(decodes: &[Decode], payload_type: PayloadType) -> Option<usize> {
    decodes.iter().position(|d| d.accepts.payload_type == payload_type)
}

impl Source for Feed<'_> {
    fn next(&mut self, out: &mut [f32]) -> Got {
        match self.ahead.format {
            Some(format) if format == *self.current => return self.ahead.take(out),
            Some(_) => return Got::Nothing,
            None => {}
        }
        let Some(lane) = self.decodes.get(*self.current).map(|d| d.lane) else { return Got::Nothing };
        match self.jitter.next(self.now) {
            Next::Packet { payload_type, sequence, ticks, payload, restored, .. } => {
                let Some(index) = position(self.decodes, payload_type) else { return Got::Nothing };
                let Some(decode) = self.decodes.get_mut(index) else { return Got::Nothing };
                if decode.lane == lane {
                    *self.current = index;
                    let level = self.levels.of(sequence);
                    let (format, voice_flag) = (decode.accepts.format, self.levels.voice_flag());
                    if self.listening.may_skip(Sealed { format, payload, level, voice_flag }) {
                        let silence = decode.samples(ticks);
                        // Where more waits than there need be, silence is what can be left out.
                        let wanted = usize::try_from(self.wanted()).unwrap_or(0);
                        let enough = self.queued() >= wanted.saturating_add(silence);
                        return Got::Silence(if enough { 0 } else { silence });
                    }
                    return match decode.decode(payload, ticks, out) {
                        Got::Decoded(samples) if restored => Got::Recovered(samples),
                        got => got,
                    };
                }
                self.ahead.format = Some(index);
                self.ahead.got = decode.decode(payload, ticks, &mut self.ahead.pcm);
                Got::Nothing
            }
            Next::Lost { ticks, following } => {
                let Some(decode) = self.decodes.get_mut(*self.current) else { return Got::Nothing };
                let recovered = following.and_then(|next| decode.decoder.recover(next, out));
                recovered.map_or(Got::Lost(decode.samples(ticks)), Got::Recovered)
            }
            Next::Gap { ticks } => {
                self.decodes.get(*self.current).map_or(Got::Nothing, |d| Got::Silence(d.samples(ticks)))
            }
            Next::Empty if self.pause.is_some() => Got::Resting,
            Next::Empty => Got::Nothing,
        }
    }

    fn conceal(&mut self, out: &mut [f32]) {
        match self.decodes.get_mut(*self.current) {
            Some(decode) => decode.decoder.conceal(out),
            None => out.fill(0.0),
        }
    }

    fn comfort(&mut self, out: &mut [f32]) {
        // Nobody hears it where the leg is left out of the mix.
        let heard = self.listening.dormancy.is_none();
        match (&mut self.pause, self.decodes.get_mut(*self.current)) {
            (Some(Pause::Described(noise)), _) if heard => noise.fill(out),
            (Some(Pause::Decoder), Some(decode)) if heard => decode.decoder.comfort(out),
            _ => out.fill(0.0),
        }
    }

    fn queued(&self) -> usize {
        self.decodes.get(*self.current).map_or(0, |d| d.samples(self.jitter.queued()))
    }

    fn wanted(&self) -> isize {
        let wanted = self.jitter.wanted(self.now).zip(self.decodes.get(*self.current));
        wanted.map_or(0, |(nanos, decode)| decode.samples_of(nanos))
    }
}
