use super::buffer::Buffer;
use super::watch::Watch;
use crate::wave::{Match, Spans, is_quiet, search};

/// Waves less alike than this are joined only after [`PATIENCE`] ticks of waiting for better ones.
const ALIKE: f32 = 0.7;
const PATIENCE: u32 = 10;
/// Shortening begins at this much too much delay, ms, and goes on to the shortest pitch period.
const BEGIN_MS: usize = 5;
/// A piece put in may be so much longer than it need be, ms: less than what would be taken out again.
const BEYOND_MS: usize = 4;
/// Speed of change as a share of the playing time: from the first at 20 ms off to the second at 100 ms.
const SLOW: f32 = 0.06;
const FAST: f32 = 0.25;
const SLOW_MS: f32 = 20.0;
const FAST_MS: f32 = 100.0;

/// Shortens or lengthens what waits, a pitch period at a time.
///
/// After WSOLA: a piece is taken out or put in where the wave is most like itself, and the seam is
/// cross-faded at even power, so that neither a voice nor noise shows it.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    spans: Spans,
    frame: usize,
    per_ms: usize,
    shortening: bool,
    /// Samples that may be changed now; a change that exceeds it is paid off later.
    credit: f32,
    waited: u32,
}

/// What the delay needs, in samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Nothing,
    /// At most so much shorter, where it is quiet.
    Trim(usize),
    /// At most so much shorter.
    Shorter(usize),
    /// Longer by about so much.
    Longer(usize),
}

impl Stretch {
    pub(super) fn new(spans: Spans, frame: usize, per_ms: usize) -> Self {
        Stretch { spans, frame, per_ms, shortening: false, credit: 0.0, waited: 0 }
    }

    /// What the delay of late needs.
    pub(super) fn need(&mut self, watch: &Watch) -> Need {
        let (excess, deficit) = (watch.excess(), watch.deficit());
        let begin = if self.shortening { self.spans.shortest } else { BEGIN_MS * self.per_ms };
        self.shortening = excess >= begin;
        self.earn(excess.max(deficit));
        if self.shortening {
            Need::Shorter(excess)
        } else if deficit > 0 {
            Need::Longer(deficit)
        } else if excess >= self.per_ms {
            Need::Trim(excess)
        } else {
            Need::Nothing
        }
    }

    fn earn(&mut self, off: usize) {
        let ms = off as f32 / self.per_ms as f32;
        let along = ((ms - SLOW_MS) / (FAST_MS - SLOW_MS)).clamp(0.0, 1.0);
        let speed = SLOW + (FAST - SLOW) * along;
        self.credit = (self.credit + self.frame as f32 * speed).min(self.spans.shortest as f32);
    }

    /// May it act in this tick?
    pub(super) fn is_due(&self) -> bool {
        self.credit >= 0.0
    }

    /// What has to wait for a frame and the longest piece to be taken out.
    pub(super) fn lookahead(&self) -> usize {
        self.frame + self.spans.longest
    }

    /// Takes a piece of at most `most` samples out where it is quiet and gives its length; 0 where it is not.
    pub(super) fn trim(&mut self, buffer: &mut Buffer, most: usize) -> usize {
        let waiting = buffer.waiting();
        let lag = self.spare(waiting).min(most);
        if lag == 0 || !is_quiet(buffer.ahead(0..self.frame.min(waiting))) {
            return 0;
        }
        buffer.remove(lag, self.spans.window.min(waiting - lag), 0.0);
        lag
    }

    /// What may be taken out at once.
    fn spare(&self, waiting: usize) -> usize {
        let Spans { longest, window, .. } = self.spans;
        longest.min(waiting.saturating_sub(self.frame)).min(waiting.saturating_sub(window))
    }

    /// Takes a piece of at most `most` samples out and gives its length; 0 where none is fit.
    pub(super) fn shorten(&mut self, buffer: &mut Buffer, most: usize) -> usize {
        let Spans { shortest, window, .. } = self.spans;
        let trimmed = self.trim(buffer, most);
        if trimmed > 0 {
            return trimmed;
        }
        let waiting = buffer.waiting();
        let longest = self.spare(waiting).min(most);
        if longest < shortest {
            return 0;
        }
        let found = search(buffer.ahead(0..window), buffer.ahead(shortest..longest + window), self.spans);
        let lag = shortest + found.offset;
        if !self.accept(found, longest) {
            return 0;
        }
        buffer.remove(lag, lag.min(waiting - lag), found.similarity);
        self.credit -= lag as f32;
        lag
    }

    /// Puts a piece of about `wanted` samples in and gives its length; 0 where none is fit.
    pub(super) fn lengthen(&mut self, buffer: &mut Buffer, wanted: usize) -> usize {
        let Spans { shortest, longest, window, .. } = self.spans;
        let waiting = buffer.waiting();
        let most = longest.min(waiting).min(buffer.room());
        if waiting < window || most < shortest {
            return 0;
        }
        // The buffer's free space is behind what waits only once it has been moved to the front.
        buffer.tail();
        if is_quiet(buffer.ahead(0..self.frame.min(waiting))) {
            let lag = most.min(wanted);
            buffer.insert(lag, 0.0);
            return lag;
        }
        let most = most.min(wanted + BEYOND_MS * self.per_ms);
        let past = &buffer.around(most, window)[..most - shortest + window];
        let found = search(buffer.ahead(0..window), past, self.spans);
        let lag = most - found.offset;
        if !self.accept(found, most) {
            return 0;
        }
        buffer.insert(lag, found.similarity);
        self.credit -= lag as f32;
        lag
    }

    /// Where the search was too narrow for a low voice's period, there is no hurry: the rest can wait.
    fn accept(&mut self, found: Match, longest: usize) -> bool {
        let wide = longest >= self.spans.longest.min(self.spans.shortest + BEYOND_MS * self.per_ms);
        let impatient = wide && self.waited >= PATIENCE;
        let fit = found.similarity >= ALIKE || impatient;
        self.waited = if fit { 0 } else { self.waited + 1 };
        fit
    }

    pub(super) fn clear(&mut self) {
        self.shortening = false;
        self.credit = 0.0;
        self.waited = 0;
    }
}
