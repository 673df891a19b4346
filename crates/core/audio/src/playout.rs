use std::time::Duration;

use tandem_base::ClockRate;

/// What the next packet in order turned out to be. All counts are samples at the decoder's rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Got {
    /// Decoded: this many samples were written.
    Decoded(usize),
    /// Lost, but brought back by FEC: this many samples were written.
    Recovered(usize),
    /// Lost for good: packets behind it are there. It would have been this long.
    Lost(usize),
    /// The sender says that it is silent for this long (comfort noise, DTX, a gap between talk spurts).
    Silence(usize),
    /// No packet is there, neither this nor a later one.
    Nothing,
}

/// Where [`Playout`] gets its sound from: a jitter buffer with a decoder behind it.
pub trait Source {
    /// Takes the next packet in order out of the jitter buffer and decodes it into `out`, which holds 120 ms.
    ///
    /// A packet that is missing while later ones are there is [`Got::Lost`] (or [`Got::Recovered`]) at once:
    /// playout asks only when it needs it. What comes later than that is late.
    fn next(&mut self, out: &mut [f32]) -> Got;

    /// Conceals exactly `out.len()` lost samples ([`crate::AudioDecoder::conceal`]).
    fn conceal(&mut self, out: &mut [f32]);

    /// Samples that wait in the jitter buffer, gaps counted as if they were there.
    fn queued(&self) -> usize;

    /// How long a packet that took the shortest way should wait, in samples: a high percentile of the
    /// measured jitter, 0 on a clean network.
    fn target(&self) -> usize;
}

/// What one tick was made of, in samples at the decoder's rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulled {
    /// Made up, since nothing was there in time or it was lost.
    pub concealed: usize,
    /// Brought back by FEC.
    pub recovered: usize,
    /// Taken out to shorten the delay.
    pub removed: usize,
    /// Put in to lengthen the delay.
    pub inserted: usize,
    /// Delay after this tick: decoded or queued, and not played yet.
    pub delay: usize,
    /// Nothing has been played for so long (or ever) that the frame is silence.
    pub idle: bool,
}

/// The same, summed over the stream's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlayoutTotals {
    /// Samples played, made up or not; idle frames do not count.
    pub played: u64,
    /// Samples made up.
    pub concealed: u64,
    /// Samples brought back by FEC.
    pub recovered: u64,
    /// Samples taken out to shorten the delay.
    pub removed: u64,
    /// Samples put in to lengthen the delay.
    pub inserted: u64,
}

/// Turns packets of any size into exactly one frame a tick and keeps the delay where it should be.
#[derive(Clone, Debug)]
pub struct Playout {
    rate: ClockRate,
    frame: usize,
    totals: PlayoutTotals,
}

impl Playout {
    /// For a decoder at `rate` and frames of `frame_ms` (10 to 60; the tick is 20).
    pub fn new(rate: ClockRate, frame_ms: u32) -> Self {
        let frame = usize::try_from(rate.ticks_in_ms(frame_ms)).unwrap_or(0).max(1);
        Playout { rate, frame, totals: PlayoutTotals::default() }
    }

    /// The rate of the samples, which is the decoder's.
    pub fn rate(&self) -> ClockRate {
        self.rate
    }

    /// Samples of one frame.
    pub fn frame_len(&self) -> usize {
        self.frame
    }

    /// Writes the next frame to `out`, which is [`frame_len`](Playout::frame_len) long.
    pub fn pull(&mut self, source: &mut impl Source, out: &mut [f32]) -> Pulled {
        let _ = source;
        out.fill(0.0);
        Pulled::default()
    }

    /// Delay at present: decoded or queued, and not played yet.
    pub fn delay(&self) -> Duration {
        Duration::ZERO
    }

    /// What has been played so far.
    pub fn totals(&self) -> PlayoutTotals {
        self.totals
    }

    /// Begins a new stream (SSRC change): nothing of the old one is left; totals stay.
    pub fn reset(&mut self) {}
}
