use tandem_audio::{AutomaticGain, EchoSuppressor, Fader, level};
use tandem_base::{ClockRate, LegSound};
use tandem_codec::NoiseSuppressor;

use crate::packetizer::TICK_MS;

/// A tick in seconds.
const TICK_SECONDS: f32 = TICK_MS as f32 / 1_000.0;

/// What is fainter is not a candidate to be heard and need not be cleaned: −60 dBFS as a mean square.
const FAINT: f32 = 5.0e-7;

/// What is to be done to a leg's sound, with all that it takes: made on the caller's thread.
#[derive(Debug)]
pub struct Treatment {
    sound: LegSound,
    echo: Option<Box<EchoSuppressor>>,
    noise: Option<Box<NoiseSuppressor>>,
}

impl Treatment {
    /// Makes what `sound` needs.
    pub fn new(sound: LegSound) -> Self {
        Treatment {
            sound,
            echo: sound.echo_suppression.then(Box::default),
            noise: sound.noise_suppression.then(Box::default),
        }
    }

    /// What is to be done.
    pub fn sound(&self) -> LegSound {
        self.sound
    }
}

/// What is done to what a leg says.
#[derive(Debug, Default)]
pub struct Inward {
    fader: Fader,
    agc: Option<AutomaticGain>,
    echo: Option<Box<EchoSuppressor>>,
    noise: Option<Box<NoiseSuppressor>>,
}

impl Inward {
    /// Does as `treatment` says from now on; what is done already goes on with what it has learnt.
    pub fn apply(&mut self, treatment: Treatment) {
        let Treatment { sound, echo, noise } = treatment;
        self.fader.set(if sound.muted { 0.0 } else { sound.gain_in.factor() });
        self.agc = sound.agc.map(|limits| {
            let mut agc = self.agc.take().unwrap_or_else(|| AutomaticGain::new(limits));
            agc.set_limits(limits);
            agc
        });
        self.echo = echo.map(|new| self.echo.take().unwrap_or(new));
        self.noise = noise.map(|new| self.noise.take().unwrap_or(new));
    }

    /// Does it to one tick at `rate`, in place. `wanted`: the leg is part of the mix already.
    pub fn process(&mut self, pcm: &mut [f32], rate: ClockRate, wanted: bool) {
        if let Some(echo) = &mut self.echo {
            echo.process(pcm, ten_ms(rate));
        }
        if let Some(noise) = self.noise.as_mut().filter(|_| wanted || level::mean_square(pcm) > FAINT) {
            noise.process(pcm, rate);
        }
        if let Some(agc) = &mut self.agc {
            agc.process(pcm, TICK_SECONDS);
        }
        if !self.fader.is_idle() {
            self.fader.process(pcm);
        }
    }

    /// What the leg hears in this tick.
    pub fn hears(&mut self, pcm: &[f32]) {
        if let Some(echo) = &mut self.echo {
            echo.sends(pcm, pcm.len() / 2);
        }
    }
}

fn ten_ms(rate: ClockRate) -> usize {
    (rate.hz() / 100) as usize
}
