use tandem_base::AudioFormat;

use super::silk;

/// Of packets that need not be decoded, one in so many is: a steady hum passes for silence in the sender's eyes.
const PROBE: u8 = 5;

/// Steps of 1.4 dB by which a packet may be louder than the last that was decoded: background noise varies.
const LOUDER: u8 = 3;

/// Spares the decoding of a leg that does not contribute, while its packets say that nobody speaks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dormancy {
    skipped: u8,
    // Gain of the last packet that was decoded though nobody spoke.
    usual: Option<u8>,
}

impl Dormancy {
    /// May this packet of a leg that does not contribute be left undecoded?
    ///
    /// Its flag for voice activity is not enough: speech that begins towards a packet's end comes before the flag that
    /// tells of it. Its gains do tell.
    pub fn may_skip(&mut self, format: AudioFormat, payload: &[u8]) -> bool {
        let gain = silent_gain(format, payload);
        let usual = gain.zip(self.usual).is_some_and(|(gain, usual)| gain <= usual.saturating_add(LOUDER));
        if usual && self.skipped + 1 < PROBE {
            self.skipped += 1;
            return true;
        }
        self.skipped = 0;
        self.usual = gain;
        false
    }
}

/// The gain of a packet in which nobody speaks; only Opus in its SILK and hybrid modes tells.
fn silent_gain(format: AudioFormat, payload: &[u8]) -> Option<u8> {
    if matches!(format, AudioFormat::Opus(_)) { silk::silent_gain(payload) } else { None }
}

#[cfg(test)]
mod tests {
    use tandem_codec::{EncoderSettings, encoder};
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
            let skipped = packets.iter().filter(|p| dormancy.may_skip(OPUS, p)).count();
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
            let skipped: Vec<bool> = packets.iter().map(|p| dormancy.may_skip(OPUS, p)).collect();
            assert!(skipped[..100].iter().filter(|s| **s).count() >= 70);
            assert_eq!(skipped[100..], [false; 3], "begins {late} ms into a packet");
        }
    }

    #[test]
    fn what_does_not_tell_is_decoded() {
        let mut dormancy = Dormancy::default();
        for payload in [&[][..], &[8], &[31 << 3, 0, 0], &[1 << 3 | 4, 0, 0], &[1 << 3 | 1, 0, 0]] {
            for _ in 0..10 {
                assert!(!dormancy.may_skip(OPUS, payload));
            }
        }
        assert!(!(0..10).any(|_| dormancy.may_skip(AudioFormat::Pcmu, &[0xff; 160])));
    }
}
