use tandem_base::AudioFormat;

/// Of packets that need not be decoded, one in so many is: a steady hum passes for silence in the sender's eyes.
const PROBE: u8 = 5;

/// Spares the decoding of a leg that does not contribute and whose encoder says that nobody speaks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dormancy {
    skipped: u8,
}

impl Dormancy {
    /// May this packet of a leg that does not contribute be left undecoded?
    pub fn may_skip(&mut self, format: AudioFormat, payload: &[u8]) -> bool {
        if !says_inactive(format, payload) || self.skipped + 1 >= PROBE {
            self.skipped = 0;
            return false;
        }
        self.skipped += 1;
        true
    }
}

/// Does the sender's own voice activity detection say that nobody speaks in this packet? Only Opus tells, in its SILK
/// and hybrid modes: the frame begins with one flag for each 20 ms (RFC 6716 §4.2.3), each coded in one even bit.
fn says_inactive(format: AudioFormat, payload: &[u8]) -> bool {
    let (AudioFormat::Opus(_), [toc, flags, ..]) = (format, payload) else { return false };
    // Configurations from 16 on are CELT alone; bit 2 is stereo; the low bits count frames (RFC 6716 §3.1).
    if toc >> 3 >= 16 || toc & 0b111 != 0 {
        return false;
    }
    let frames = match toc >> 3 {
        config @ 0..=11 => (config & 3).max(1),
        _ => 1,
    };
    flags >> (8 - frames) == 0
}

#[cfg(test)]
mod tests {
    use tandem_codec::{EncoderSettings, encoder};
    use tandem_testkit::sine;

    use super::*;

    fn share_of_inactive(ptime_ms: usize, pcm: impl Fn(usize) -> Vec<i16>) -> f64 {
        let opus = AudioFormat::Opus(Default::default());
        let mut encoder = encoder(opus, EncoderSettings::default()).unwrap();
        let packets = 60;
        let inactive = (0..packets).filter(|i| {
            let pcm: Vec<f32> = pcm(i * ptime_ms * 48).iter().map(|s| f32::from(*s) / 32_768.0).collect();
            let mut out = [0; 1_276];
            let len = encoder.encode(&pcm, &mut out).unwrap();
            says_inactive(opus, &out[..len])
        });
        inactive.count() as f64 / packets as f64
    }

    #[test]
    fn silence_is_told_from_speech_like_sound() {
        for ptime in [20, 40, 60] {
            let n = ptime * 48;
            assert!(share_of_inactive(ptime, |_| vec![0; n]) > 0.9, "{ptime} ms");
            // Syllables: a tone that comes and goes.
            let syllables = |start: usize| {
                let level = if (start / 7_200).is_multiple_of(2) { -15.0 } else { -25.0 };
                sine(300.0, level, 48_000, start, n)
            };
            let share = share_of_inactive(ptime, syllables);
            assert!(share < 0.5, "{ptime} ms: {share}");
        }
    }

    #[test]
    fn what_does_not_tell_counts_as_active() {
        let opus = AudioFormat::Opus(Default::default());
        assert!(!says_inactive(AudioFormat::Pcmu, &[0xff; 160]));
        assert!(!says_inactive(opus, &[]) && !says_inactive(opus, &[8]));
        assert!(!says_inactive(opus, &[31 << 3, 0]), "CELT");
        assert!(!says_inactive(opus, &[1 << 3 | 4, 0]), "stereo");
        assert!(says_inactive(opus, &[1 << 3, 0x7f]) && !says_inactive(opus, &[1 << 3, 0x80]));
        assert!(says_inactive(opus, &[3 << 3, 0x1f]) && !says_inactive(opus, &[3 << 3, 0x20]), "60 ms");
    }

    #[test]
    fn one_in_five_is_decoded_all_the_same() {
        let mut dormancy = Dormancy::default();
        let opus = AudioFormat::Opus(Default::default());
        let decoded = (0..100).filter(|_| !dormancy.may_skip(opus, &[8, 0])).count();
        assert_eq!(decoded, 20);
    }
}
