//! Any payload into any decoder: no more samples than there is room for, and every one a number.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tandem_audio::MAX_PACKET_SAMPLES;
use tandem_base::{AudioFormat, OpusParams};
use tandem_codec::decoder;

fuzz_target!(|data: &[u8]| {
    let Some((choice, payload)) = data.split_first() else { return };
    let format = match choice % 4 {
        0 => AudioFormat::Pcmu,
        1 => AudioFormat::Pcma,
        2 => AudioFormat::G722,
        _ => AudioFormat::Opus(OpusParams::default()),
    };
    let mut decoder = decoder(format).expect("a decoder");
    let mut out = [0.0; MAX_PACKET_SAMPLES];
    // Several packets in one input: an octet of length before each.
    let mut rest = payload;
    while let Some((length, behind)) = rest.split_first() {
        let (packet, next) = behind.split_at(usize::from(*length).min(behind.len()));
        rest = next;
        if choice & 0x80 != 0
            && let Some(n) = decoder.recover(packet, &mut out)
        {
            sound(&out[..n]);
        }
        let announced = decoder.samples_in(packet);
        if let Ok(n) = decoder.decode(packet, &mut out) {
            assert!(announced.is_none_or(|announced| announced == n), "{announced:?} announced, {n} came");
            sound(&out[..n]);
        }
        if choice & 0x40 != 0 {
            decoder.conceal(&mut out[..160]);
            sound(&out[..160]);
        }
    }
});

fn sound(samples: &[f32]) {
    assert!(samples.iter().all(|sample| sample.is_finite()));
}
