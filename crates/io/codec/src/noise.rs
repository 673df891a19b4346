use std::fmt;
use std::sync::OnceLock;

use nnnoiseless::{DenoiseState, RnnModel};
use tandem_audio::Resampler;
use tandem_base::ClockRate;

/// What the network was trained on: 10 ms at 48 kHz, full scale ±32,768.
const FRAME: usize = DenoiseState::FRAME_SIZE;
const SCALE: f32 = 32_768.0;
/// The longest frame that is taken at once: 20 ms.
const LONGEST: usize = 2 * FRAME;

/// Removes background noise from one voice, by a recurrent network (RNNoise).
///
/// Sound comes out 10 ms later than it went in, and 3.5 ms more at 8 and 16 kHz. The network's weights are shared by all.
pub struct NoiseSuppressor {
    network: Box<DenoiseState<'static>>,
    narrow: Ways,
    wide: Ways,
    buffer: [f32; LONGEST],
    scratch: [f32; FRAME],
}

/// To 48 kHz and back.
struct Ways {
    rate: ClockRate,
    up: Option<Resampler>,
    down: Option<Resampler>,
}

impl Ways {
    fn new(rate: ClockRate) -> Self {
        // These rates are all that a resampler takes, so both are there.
        let (up, down) =
            (Resampler::new(rate, ClockRate::HZ_48000).ok(), Resampler::new(ClockRate::HZ_48000, rate).ok());
        Ways { rate, up, down }
    }
}

impl fmt::Debug for NoiseSuppressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NoiseSuppressor")
    }
}

impl Default for NoiseSuppressor {
    fn default() -> Self {
        static MODEL: OnceLock<RnnModel> = OnceLock::new();
        NoiseSuppressor {
            network: DenoiseState::with_model(MODEL.get_or_init(RnnModel::default)),
            narrow: Ways::new(ClockRate::HZ_8000),
            wide: Ways::new(ClockRate::HZ_16000),
            buffer: [0.0; LONGEST],
            scratch: [0.0; FRAME],
        }
    }
}

impl NoiseSuppressor {
    /// Takes the noise out of 10 or 20 ms at 8, 16 or 48 kHz, in place; anything else is left as it is.
    ///
    /// The first call on a thread plans a Fourier transform, for which it allocates.
    pub fn process(&mut self, pcm: &mut [f32], rate: ClockRate) {
        let frames = pcm.len() / (rate.hz() as usize / 100).max(1);
        let Some(buffer) = self.buffer.get_mut(..frames * FRAME).filter(|b| !b.is_empty()) else { return };
        let ways = match rate {
            ClockRate::HZ_48000 => None,
            rate => [&mut self.narrow, &mut self.wide].into_iter().find(|ways| ways.rate == rate),
        };
        match ways {
            Some(Ways { up: Some(up), down: Some(down), .. }) => {
                up.process(pcm, buffer);
                denoise(&mut self.network, buffer, &mut self.scratch);
                down.process(buffer, pcm);
            }
            None if pcm.len() == buffer.len() => denoise(&mut self.network, pcm, &mut self.scratch),
            _ => {}
        }
    }
}

fn denoise(network: &mut DenoiseState<'static>, pcm: &mut [f32], scratch: &mut [f32; FRAME]) {
    for frame in pcm.as_chunks_mut::<FRAME>().0 {
        frame.iter_mut().for_each(|x| *x *= SCALE);
        network.process_frame(scratch, frame);
        for (x, clean) in frame.iter_mut().zip(scratch.iter()) {
            *x = clean / SCALE;
        }
    }
}
