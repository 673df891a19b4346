use super::buffer::Buffer;
use super::watch::Watch;
use crate::wave::{Match, Spans, is_quiet, search};

/// Waves less alike than this are joined only after [`PATIENCE`] ticks of waiting for better ones.
const ALIKE: f32 = 0.7;
const PATIENCE: u32 = 10;
/// Shortening begins at this much too much delay, ms, and goes on to the shortest pitch period.
const BEGIN_MS: usize = 5;
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
    /// At most so much shorter.
    Shorter(usize),
    /// Longer, by a piece at a time.
    Longer,
}

impl Stretch {
    pub(super) fn new(spans: Spans, frame: usize, per_ms: usize) -> Self {
        Stretch { spans, frame, per_ms, shortening: false, credit: 0.0, waited: 0 }
    }

    /// What the delay of the last second needs, against `target`.
    ///
    /// What waits right after a packet longer than a frame came is no delay: a `packet` counts as a frame. Shorter:
    /// the most that waited is above the target, and the least shows what could be spared without an underrun.
    /// Longer: not even the most that waited reaches the target.
    pub(super) fn need(&mut self, watch: &Watch, target: usize, packet: usize) -> Need {
        let Some((least, most)) = watch.range() else { return Need::Nothing };
        let most = most.saturating_sub(packet.saturating_sub(self.frame));
        let excess = most.saturating_sub(target).min(least);
        let deficit = target.saturating_sub(most);
        // A piece put in may reach beyond the target by nearly its length: it must not be taken out again.
        let margin = if target == 0 { BEGIN_MS * self.per_ms } else { self.spans.longest };
        let begin = if self.shortening { self.spans.shortest } else { margin };
        self.shortening = excess >= begin;
        let need = match (self.shortening, deficit >= self.spans.shortest) {
            (true, _) => Need::Shorter(excess),
            (false, true) => Need::Longer,
            (false, false) => Need::Nothing,
        };
        self.earn(excess.max(deficit));
        need
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

    /// Takes a piece of at most `most` samples out and gives its length; 0 where none is fit.
    pub(super) fn shorten(&mut self, buffer: &mut Buffer, most: usize) -> usize {
        let Spans { shortest, longest, window, .. } = self.spans;
        let waiting = buffer.waiting();
        let spare = waiting.saturating_sub(self.frame).min(waiting.saturating_sub(window));
        let longest = longest.min(most).min(spare);
        if longest < shortest {
            return 0;
        }
        if is_quiet(buffer.ahead(0..self.frame.min(waiting))) {
            buffer.remove(longest, window.min(waiting - longest), 0.0);
            return longest;
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

    /// Puts a piece in and gives its length; 0 where none is fit.
    pub(super) fn lengthen(&mut self, buffer: &mut Buffer) -> usize {
        let Spans { shortest, longest, window, .. } = self.spans;
        let waiting = buffer.waiting();
        let longest = longest.min(waiting);
        if waiting < window || longest < shortest || buffer.room() < longest {
            return 0;
        }
        // The buffer's free space is behind what waits only once it has been moved to the front.
        buffer.tail();
        if is_quiet(buffer.ahead(0..self.frame.min(waiting))) {
            buffer.insert(longest, 0.0);
            return longest;
        }
        let past = &buffer.around(longest, window)[..longest - shortest + window];
        let found = search(buffer.ahead(0..window), past, self.spans);
        let lag = longest - found.offset;
        if !self.accept(found, longest) {
            return 0;
        }
        buffer.insert(lag, found.similarity);
        self.credit -= lag as f32;
        lag
    }

    /// Where the search was too narrow for a low voice's period, there is no hurry: the rest can wait.
    fn accept(&mut self, found: Match, longest: usize) -> bool {
        let impatient = longest == self.spans.longest && self.waited >= PATIENCE;
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
