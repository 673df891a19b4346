use tandem_base::{AudioFormat, ClientLevel, ExtSeq};
use tandem_rtp::{AudioLevel, Packet};

use super::silk;

/// Of packets that need not be decoded by their sender's word, one in so many is: a steady hum passes for silence in
/// the sender's eyes, and a level may be a lie.
const PROBE: u8 = 16;

/// Steps of 1.4 dB by which a packet may be louder than the last that was decoded: background noise varies.
const LOUDER: u8 = 3;

/// By so much the loudest part of a packet may exceed the level that its header tells: 6 dB.
const UNEVEN: f32 = 4.0;

/// Opus packets up to this length hold no sound: their sender sends nothing at present (RFC 7587 §3.1.3).
const DTX_OCTETS: usize = 2;

/// A packet, before it is decoded.
#[derive(Clone, Copy, Debug)]
pub struct Sealed<'a> {
    /// How it is encoded.
    pub format: AudioFormat,
    /// Its payload.
    pub payload: &'a [u8],
    /// How loud its header says that it is.
    pub level: Option<AudioLevel>,
    /// Does that tell voices too?
    pub voice_flag: bool,
}

impl Sealed<'_> {
    /// Does its sender hear a voice in it? `None` where that is not told.
    pub fn voice(&self) -> Option<bool> {
        let flag = || silk::voice(self.payload).filter(|_| matches!(self.format, AudioFormat::Opus(_)));
        self.level.filter(|_| self.voice_flag).map(|level| level.voice).or_else(flag)
    }
}

/// Spares the decoding of a leg that does not contribute, while its packets say that there is nothing to hear.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dormancy {
    skipped: u8,
    // Gain of the last packet that was decoded though nobody spoke.
    usual: Option<u8>,
}

/// What packets tell without being decoded.
enum Hint {
    /// No louder than the gate lets pass, for certain.
    Quiet,
    /// The same, by the sender's word.
    Said,
    /// Nothing, or that it should be heard.
    Open,
}

impl Dormancy {
    /// May this packet of a leg that does not contribute be left undecoded? What is no louder than `opens_above` (mean
    /// square) is not heard in any case.
    ///
    /// The flag of Opus for voice activity is not enough: speech that begins towards a packet's end comes before the
    /// flag that tells of it. Its gains do tell.
    pub fn may_skip(&mut self, packet: Sealed<'_>, opens_above: f32) -> bool {
        match self.hint(packet, opens_above) {
            Hint::Quiet => return true,
            Hint::Said if self.skipped + 1 < PROBE => {
                self.skipped += 1;
                return true;
            }
            Hint::Said | Hint::Open => {}
        }
        self.skipped = 0;
        self.usual = silent_gain(packet);
        false
    }

    fn hint(&self, packet: Sealed<'_>, opens_above: f32) -> Hint {
        let Sealed { format, payload, level, .. } = packet;
        let certain = |quiet| if quiet { Hint::Quiet } else { Hint::Open };
        if let Some(power) = tandem_codec::power(format, payload, opens_above) {
            return certain(power <= opens_above);
        }
        if matches!(format, AudioFormat::Opus(_)) && payload.len() <= DTX_OCTETS {
            return Hint::Quiet;
        }
        let said = match level {
            Some(level) => level.power() * UNEVEN <= opens_above,
            None => {
                let gain = silent_gain(packet).zip(self.usual);
                gain.is_some_and(|(gain, usual)| gain <= usual.saturating_add(LOUDER))
            }
        };
        if said { Hint::Said } else { Hint::Open }
    }
}

/// The gain of a packet in which nobody speaks; only Opus in its SILK and hybrid modes tells.
fn silent_gain(packet: Sealed<'_>) -> Option<u8> {
    if matches!(packet.format, AudioFormat::Opus(_)) { silk::silent_gain(packet.payload) } else { None }
}

/// What the headers of packets that wait said of their levels.
#[derive(Clone, Copy, Debug)]
pub struct Levels {
    agreed: Option<ClientLevel>,
    said: [Option<(ExtSeq, AudioLevel)>; 32],
}

impl Levels {
    /// For headers that tell levels as agreed, if so.
    pub fn new(agreed: Option<ClientLevel>) -> Self {
        Levels { agreed, said: [None; 32] }
    }

    fn place(sequence: ExtSeq) -> usize {
        usize::from(sequence.wire() % 32)
    }

    /// Packet `sequence` says this.
    pub fn note(&mut self, sequence: ExtSeq, packet: &Packet<'_>) {
        let Some(agreed) = self.agreed else { return };
        if let Some(place) = self.said.get_mut(Self::place(sequence)) {
            *place = packet.audio_level(agreed.id).map(|level| (sequence, level));
        }
    }

    /// What packet `sequence` said; `None` where it did not, or where too many came after it.
    pub fn of(&self, sequence: ExtSeq) -> Option<AudioLevel> {
        let (at, level) = (*self.said.get(Self::place(sequence))?)?;
        (at == sequence).then_some(level)
    }

    /// Do they tell voices too?
    pub fn voice_flag(&self) -> bool {
        self.agreed.is_some_and(|agreed| agreed.voice_flag)
    }
}

#[cfg(test)]
mod tests {
    use tandem_base::{ExtensionId, PayloadType, Ssrc};
    use tandem_codec::{EncoderSettings, encoder};
    use tandem_rtp::{Element, Header};
    use tandem_testkit::sine;

    use super::*;

    const OPUS: AudioFormat = AudioFormat::Opus(tandem_base::OpusParams {
        max_playback_rate: 48_000,
        max_average_bitrate: None,
        stereo: false,
        inband_fec: true,
        dtx: false,
        cbr: false,
    });

    /// Above -57 dBFS a gate opens.
    const QUIET: f32 = 1e-6;

    fn sealed(format: AudioFormat, payload: &[u8]) -> Sealed<'_> {
        Sealed { format, payload, level: None, voice_flag: false }
    }

    fn packets(pcm: impl Iterator<Item = Vec<i16>>) -> Vec<Vec<u8>> {
        let mut encoder = encoder(OPUS, EncoderSettings::default()).unwrap();
        let encode = |pcm: Vec<i16>| {
            let pcm: Vec<f32> = pcm.iter().map(|s| f32::from(*s) / 32_768.0).collect();
            let mut out = [0; 1_276];
            let len = encoder.encode(&pcm, &mut out).unwrap();
            out[..len].to_vec()
        };
        pcm.map(encode).collect()
    }

    fn noise(n: usize, peak: i16, seed: &mut u32) -> Vec<i16> {
        let next = |_| {
            *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((i64::from(*seed >> 16) - 32_768) * i64::from(peak) / 32_768) as i16
        };
        (0..n).map(next).collect()
    }

    #[test]
    fn silence_and_steady_noise_need_not_be_decoded() {
        for peak in [0, 8] {
            let mut seed = 7;
            let mut dormancy = Dormancy::default();
            let packets = packets((0..200).map(|_| noise(960, peak, &mut seed)));
            let skipped = packets.iter().filter(|p| dormancy.may_skip(sealed(OPUS, p), QUIET)).count();
            assert!(skipped >= 140, "noise of {peak}: {skipped} of 200");
        }
    }

    #[test]
    fn what_begins_at_a_packets_end_is_decoded_with_it() {
        for late in [0, 5, 10, 15] {
            let zeros = late * 48;
            let mut dormancy = Dormancy::default();
            let onset = |i: usize| {
                let mut pcm = sine(300.0, -20.0, 48_000, i * 960, 960);
                if i == 0 {
                    pcm[..zeros].fill(0);
                }
                pcm
            };
            let silence = (0..100).map(|_| vec![0; 960]);
            let packets = packets(silence.chain((0..3).map(onset)));
            let skipped: Vec<bool> =
                packets.iter().map(|p| dormancy.may_skip(sealed(OPUS, p), QUIET)).collect();
            assert!(skipped[..100].iter().filter(|s| **s).count() >= 70);
            assert_eq!(skipped[100..], [false; 3], "begins {late} ms into a packet");
        }
    }

    #[test]
    fn what_does_not_tell_is_decoded() {
        let mut dormancy = Dormancy::default();
        for payload in [&[31 << 3, 0, 0][..], &[1 << 3 | 4, 0, 0], &[1 << 3 | 1, 0, 0]] {
            for _ in 0..30 {
                assert!(!dormancy.may_skip(sealed(OPUS, payload), QUIET));
            }
        }
        assert!(!(0..30).any(|_| dormancy.may_skip(sealed(AudioFormat::G722, &[0xff; 160]), QUIET)));
    }

    #[test]
    fn g711_tells_exactly() {
        let mut dormancy = Dormancy::default();
        let mut payload = [0xff; 160];
        payload[150] = 0xf0;
        assert!((0..100).all(|_| dormancy.may_skip(sealed(AudioFormat::Pcmu, &payload), QUIET)));
        payload[80..].fill(0xf4);
        assert!(!dormancy.may_skip(sealed(AudioFormat::Pcmu, &payload), QUIET));
        assert!(dormancy.may_skip(sealed(AudioFormat::Pcmu, &payload), 1e-4), "below the noise of the leg");
    }

    #[test]
    fn what_the_sender_says_of_its_level_is_believed_and_checked_now_and_then() {
        let say = |level| Sealed {
            level: Some(AudioLevel { level, voice: false }),
            ..sealed(AudioFormat::G722, &[0; 160])
        };
        let mut dormancy = Dormancy::default();
        let skipped = (0..160).filter(|_| dormancy.may_skip(say(127), QUIET)).count();
        assert_eq!(skipped, 150);
        assert!(!(0..30).any(|_| dormancy.may_skip(say(60), QUIET)));
    }

    #[test]
    fn dtx_is_silence() {
        let mut dormancy = Dormancy::default();
        assert!((0..100).all(|_| dormancy.may_skip(sealed(OPUS, &[31 << 3]), QUIET)));
    }

    #[test]
    fn levels_belong_to_their_packets() {
        let id = ExtensionId::new(3).unwrap();
        let mut levels = Levels::new(Some(ClientLevel { id, voice_flag: true }));
        let note = |levels: &mut Levels, sequence: u64, elements: &[Element<'_>]| {
            let header = Header {
                marker: false,
                payload_type: PayloadType::PCMU,
                sequence: ExtSeq(sequence).wire(),
                timestamp: 0,
                ssrc: Ssrc(1),
            };
            let mut datagram = [0; 40];
            let len = header.write_extended(&[], elements, &mut datagram).unwrap();
            levels.note(ExtSeq(sequence), &Packet::parse(&datagram[..len]).unwrap());
        };
        let said = |octet: &'static [u8; 1]| [Element { id: 3, data: octet }];
        note(&mut levels, 65_540, &said(&[0x80 | 9]));
        note(&mut levels, 65_541, &said(&[10]));
        assert_eq!(levels.of(ExtSeq(65_540)), Some(AudioLevel { level: 9, voice: true }));
        assert_eq!(levels.of(ExtSeq(65_541)), Some(AudioLevel { level: 10, voice: false }));
        assert_eq!(levels.of(ExtSeq(65_572)), None);
        note(&mut levels, 65_572, &[]);
        assert_eq!(levels.of(ExtSeq(65_540)), None);
    }
}
