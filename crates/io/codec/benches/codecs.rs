//! CPU per 20 ms and codec, each way.

#![allow(clippy::expect_used, missing_docs, reason = "a benchmark")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tandem_audio::tones::Tone;
use tandem_base::{AudioFormat, OpusParams};
use tandem_codec::{EncoderSettings, decoder, encoder, power};

fn each_way(c: &mut Criterion, name: &str, format: AudioFormat) {
    let mut encoder = encoder(format, EncoderSettings::default()).expect("an encoder");
    let mut decoder = decoder(format).expect("a decoder");
    let rate = format.sample_rate();
    let mut pcm = vec![0.0; rate.ticks_in_ms(20) as usize];
    let mut tone = Tone::new(440.0, -12.0, rate);
    let mut second = Tone::new(1_310.0, -20.0, rate);
    let mut payload = [0; 1_275];
    let mut out = [0.0; 5_760];
    let mut length = 0;
    c.bench_function(&format!("{name} encode"), |b| {
        b.iter(|| {
            tone.fill(&mut pcm);
            second.add(&mut pcm);
            length = encoder.encode(&pcm, &mut payload).expect("a packet");
        })
    });
    c.bench_function(&format!("{name} decode"), |b| {
        b.iter(|| decoder.decode(&payload[..length], &mut out).expect("sound"))
    });
}

fn codecs(c: &mut Criterion) {
    each_way(c, "pcmu", AudioFormat::Pcmu);
    each_way(c, "pcma", AudioFormat::Pcma);
    each_way(c, "g722", AudioFormat::G722);
    let (silence, loud) = ([0xff; 160], [0xa5; 160]);
    c.bench_function("pcmu power of silence", |b| {
        b.iter(|| power(AudioFormat::Pcmu, black_box(&silence), 1e-6))
    });
    c.bench_function("pcmu power of sound", |b| b.iter(|| power(AudioFormat::Pcmu, black_box(&loud), 1e-6)));
    let opus = OpusParams { inband_fec: true, ..OpusParams::default() };
    each_way(c, "opus", AudioFormat::Opus(opus));
}

criterion_group!(benches, codecs);
criterion_main!(benches);
