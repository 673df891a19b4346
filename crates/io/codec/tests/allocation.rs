//! Once constructed, no codec allocates on our side of the line (libopus works on its stack).

#![allow(clippy::unwrap_used, reason = "a test")]

use allocation_counter::measure;
use tandem_audio::MAX_PACKET_SAMPLES;
use tandem_audio::tones::Tone;
use tandem_base::{AudioFormat, LossClass, OpusParams};
use tandem_codec::{EncoderSettings, decoder, encoder};

#[test]
fn packets_good_lost_and_broken_do_not_allocate() {
    let opus = AudioFormat::Opus(OpusParams { inband_fec: true, ..OpusParams::default() });
    for format in [AudioFormat::Pcmu, AudioFormat::Pcma, AudioFormat::G722, opus] {
        let mut encoder = encoder(format, EncoderSettings::default()).unwrap();
        let mut successor = tandem_codec::encoder(format, EncoderSettings::default()).unwrap();
        let mut decoder = decoder(format).unwrap();
        let mut tone = Tone::new(440.0, -10.0, format.sample_rate());
        let mut pcm = vec![0.0; format.sample_rate().ticks_in_ms(20) as usize];
        let (mut payload, mut out) = ([0; 1_275], [0.0; MAX_PACKET_SAMPLES]);
        let mut decoded = 0;
        let allocations = measure(|| {
            for tick in 0..200 {
                tone.fill(&mut pcm);
                let n = encoder.encode(&pcm, &mut payload).unwrap();
                match tick % 10 {
                    3 => decoder.conceal(&mut out[..pcm.len()]),
                    4 => {
                        let _ = decoder.recover(&payload[..n], &mut out);
                        let _ = decoder.decode(&[0xff; 3], &mut out);
                        let _ = decoder.decode(&[], &mut out);
                    }
                    _ => decoded += decoder.decode(&payload[..n], &mut out).unwrap(),
                }
                encoder.set_loss(LossClass::ALL[tick / 20 % 3]);
                let _ = successor.take_over(&*encoder);
            }
            decoder.reset();
            encoder.reset();
        });
        assert_eq!(allocations.count_total, 0, "{format}");
        assert_eq!(decoded, pcm.len() * 160, "{format}");
    }
}
