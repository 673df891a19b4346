mod buffer;
mod stretch;
mod watch;

use std::time::Duration;

use tandem_base::ClockRate;

use crate::extension::Extension;
use crate::wave::{Spans, crossfade, search};
use buffer::Buffer;
use stretch::{Need, Stretch};
use watch::Watch;

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
    /// The same, and none is missing: the sender has said that it is silent from here on.
    Resting,
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

    /// What is heard while the sender is silent: by default nothing.
    fn comfort(&mut self, out: &mut [f32]) {
        out.fill(0.0);
    }

    /// Samples that wait in the jitter buffer, gaps counted as if they were there.
    fn queued(&self) -> usize;

    /// What should wait right after this tick, decoded or queued, in samples: enough to play until the next packet will
    /// nearly certainly have come. Negative while it is later than that.
    ///
    /// It counts from the end of what is queued, so that what waits less this does not change with jitter: it is what
    /// there is too much of.
    fn wanted(&self) -> isize;
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

/// What is being played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Silence: nothing has come yet, or not for long.
    Idle,
    /// What was decoded.
    Playing,
    /// Made up from what was played last, since nothing came in time.
    Extending,
}

/// Turns packets of any size into exactly one frame a tick and keeps the delay where it should be.
///
/// - Nothing there in time: the last pitch period goes on, fading to silence within 100 ms. If the packet was
///   only late, it is played after all and the delay has grown by what was made up; if it turns out to be
///   lost, what was made up has stood in for it and the delay has not grown.
/// - More delay for half a second than [`Source::wanted`] asks for: pitch periods are taken out, 6 to 25 % of the playing
///   time; where it is quiet, anything down to a millisecond.
/// - Less than that: pitch periods are put in.
/// - Silence of the sender is as long as the delay likes.
///
/// On a clean network nothing waits: each packet is played in the tick after it came. It holds about 17 KiB
/// at 8 kHz, 100 KiB at 48 kHz.
#[derive(Clone, Debug)]
pub struct Playout {
    rate: ClockRate,
    frame: usize,
    spans: Spans,
    phase: Phase,
    buffer: Buffer,
    extension: Extension,
    join: Vec<f32>,
    watch: Watch,
    stretch: Stretch,
    /// Made up in place of packets that have not turned up, in samples.
    debt: usize,
    /// Has what was made up stood in for lost packets exactly, so that what comes next belongs right behind it?
    settled: bool,
    delay: usize,
    totals: PlayoutTotals,
}

/// Packets taken in one tick at most; a source that goes on and on gives nothing.
const MAX_PACKETS: usize = 1_024;
/// The longest packet, ms.
const MAX_PACKET_MS: u32 = 120;
/// Sound that begins or ends without context is faded over this, ms.
const FADE_MS: u32 = 3;

impl Playout {
    /// For a decoder at `rate` and frames of `frame_ms` (10 to 60; the tick is 20).
    pub fn new(rate: ClockRate, frame_ms: u32) -> Self {
        let samples = |ms| usize::try_from(rate.ticks_in_ms(ms)).unwrap_or(0).max(1);
        let frame_ms = frame_ms.clamp(10, 60);
        let (frame, spans, per_ms) = (samples(frame_ms), Spans::new(rate), samples(1));
        // What waits before a packet is taken, the packet, what may be put before it, and another packet.
        let waiting = frame + spans.longest + spans.window + 3 * samples(MAX_PACKET_MS) + spans.longest;
        Playout {
            rate,
            frame,
            spans,
            phase: Phase::Idle,
            buffer: Buffer::new(spans, waiting),
            extension: Extension::new(rate),
            join: vec![0.0; spans.longest + spans.window],
            watch: Watch::new(usize::try_from(frame_ms).unwrap_or(20)),
            stretch: Stretch::new(spans, frame, per_ms),
            debt: 0,
            settled: false,
            delay: 0,
            totals: PlayoutTotals::default(),
        }
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
        let (out, beyond) = out.split_at_mut(self.frame.min(out.len()));
        beyond.fill(0.0);
        let mut tick = Pulled::default();
        self.fill(source, self.frame, &mut tick);
        self.adapt(source, &mut tick);
        self.make_up(&mut tick);
        tick.idle = self.phase == Phase::Idle && self.buffer.waiting() == 0;
        if tick.idle {
            out.fill(0.0);
            self.watch.clear();
        } else {
            self.buffer.take(out);
        }
        tick.delay = self.buffer.waiting().saturating_add(source.queued());
        if self.phase != Phase::Idle {
            let delay = isize::try_from(tick.delay).unwrap_or(isize::MAX);
            self.watch.note(delay.saturating_sub(source.wanted()));
        }
        self.account(tick);
        tick
    }

    /// Takes packets until `need` samples wait or there are no more.
    fn fill(&mut self, source: &mut impl Source, need: usize, tick: &mut Pulled) {
        for _ in 0..MAX_PACKETS {
            if self.buffer.waiting() >= need {
                return;
            }
            let longest = usize::try_from(self.rate.ticks_in_ms(MAX_PACKET_MS)).unwrap_or(0);
            let tail = self.buffer.tail();
            let longest = longest.min(tail.len());
            match source.next(&mut tail[..longest]) {
                Got::Decoded(n) => {
                    self.settled &= self.debt == 0;
                    self.debt = 0;
                    self.append(source, n.min(longest));
                }
                Got::Recovered(n) => {
                    let kept = self.pay(n.min(longest));
                    tick.recovered += kept;
                    self.append(source, kept);
                }
                Got::Lost(n) => {
                    let n = n.min(longest);
                    // After a long gap the codec has nothing left to go on with: not worth its time.
                    if self.debt < n || self.phase == Phase::Extending {
                        source.conceal(&mut tail[..n]);
                    }
                    let kept = self.pay(n);
                    tick.concealed += kept;
                    self.append(source, kept);
                }
                Got::Silence(n) => self.rest(source, n, need),
                Got::Nothing => return,
                Got::Resting => {
                    let missing = self.frame.saturating_sub(self.buffer.waiting());
                    self.hush(source, missing);
                    self.debt = self.debt.saturating_add(missing);
                    return;
                }
            }
        }
    }

    /// What was made up has stood in for the beginning of a lost packet of `n` samples; leaves the rest in the
    /// tail and gives its length.
    fn pay(&mut self, n: usize) -> usize {
        let paid = self.debt.min(n);
        self.debt -= paid;
        if paid > 0 {
            self.settled = true;
            self.buffer.tail().copy_within(paid..n, 0);
        }
        n - paid
    }

    /// Appends the first `n` samples of the tail to what waits, joined to what is being played.
    fn append(&mut self, source: &impl Source, n: usize) {
        if n == 0 {
            return;
        }
        match self.phase {
            Phase::Playing => self.buffer.commit(n),
            Phase::Extending if !self.extension.is_silent() => self.merge(n),
            Phase::Idle | Phase::Extending => self.begin(source, n),
        }
        self.phase = Phase::Playing;
    }

    /// The first sound after silence: it waits until there is a frame and the delay that is wanted, and fades in.
    fn begin(&mut self, source: &impl Source, n: usize) {
        let fade = usize::try_from(self.rate.ticks_in_ms(FADE_MS)).unwrap_or(1).max(1);
        for (i, x) in self.buffer.tail().iter_mut().take(fade.min(n)).enumerate() {
            *x *= i as f32 / fade as f32;
        }
        let there = (self.buffer.waiting() + n).saturating_add(source.queued());
        let wanted = source.wanted().saturating_add_unsigned(self.frame);
        let wait = usize::try_from(wanted).unwrap_or(0).max(self.frame).saturating_sub(there);
        let room = self.buffer.room().saturating_sub(2 * n);
        let wait = wait.min(room);
        self.buffer.open_tail(wait, n);
        self.buffer.commit(wait + n);
        self.watch.clear();
    }

    /// The first sound after an extension: begins where it fits the extension best, cross-faded.
    fn merge(&mut self, n: usize) {
        let window = self.spans.window.min(n);
        let ahead = self.extension.period() + window;
        let join = &mut self.join[..ahead];
        self.extension.extend(join);
        let ahead = if std::mem::take(&mut self.settled) { window } else { ahead };
        let join = &join[..ahead];
        let found = search(&self.buffer.tail()[..window], join, self.spans);
        let later = found.offset;
        self.buffer.open_tail(later, n);
        let tail = self.buffer.tail();
        tail[..later].copy_from_slice(&join[..later]);
        crossfade(&join[later..], &mut tail[later..later + window], found.similarity);
        self.buffer.commit(later + n);
    }

    /// The sender is silent for `n` samples: what it takes to fill this frame and to reach the target.
    fn rest(&mut self, source: &mut impl Source, n: usize, need: usize) {
        let n = n - self.debt.min(n);
        self.debt = 0;
        let wanted = need.saturating_sub(self.buffer.waiting());
        let reserve = usize::try_from(source.wanted()).unwrap_or(0).saturating_sub(source.queued());
        self.hush(source, n.min(wanted.max(reserve)));
    }

    /// Silence, or what the sender has instead, for `n` samples.
    fn hush(&mut self, source: &mut impl Source, n: usize) {
        let n = n.min(self.buffer.room());
        source.comfort(&mut self.buffer.tail()[..n]);
        if n > 0 && self.phase != Phase::Idle {
            self.fade_out(n);
        }
        self.buffer.commit(n);
        self.phase = Phase::Idle;
    }

    /// Ends what waits softly: its end cannot be ramped any more where it has been played, so its last value is.
    fn fade_out(&mut self, n: usize) {
        let fade = usize::try_from(self.rate.ticks_in_ms(FADE_MS)).unwrap_or(1).clamp(1, n);
        let last = self.buffer.past().last().copied().unwrap_or(0.0);
        for (i, x) in self.buffer.tail().iter_mut().take(fade).enumerate() {
            let w = (i + 1) as f32 / fade as f32;
            *x = *x * w + last * (1.0 - w);
        }
    }

    /// Brings the delay nearer to the target.
    fn adapt(&mut self, source: &mut impl Source, tick: &mut Pulled) {
        if self.phase != Phase::Playing || self.buffer.waiting() < self.frame {
            return;
        }
        let need = self.stretch.need(&self.watch);
        if need == Need::Nothing || !self.stretch.is_due() {
            return;
        }
        match need {
            Need::Nothing => {}
            Need::Trim(most) | Need::Shorter(most) => {
                let lookahead = self.stretch.lookahead();
                self.fill(source, lookahead, tick);
                let trims = matches!(need, Need::Trim(_));
                tick.removed = match trims {
                    true => self.stretch.trim(&mut self.buffer, most),
                    false => self.stretch.shorten(&mut self.buffer, most),
                };
                self.watch.shorten(tick.removed);
            }
            Need::Longer(by) => {
                tick.inserted = self.stretch.lengthen(&mut self.buffer, by);
                self.watch.lengthen(tick.inserted);
            }
        }
    }

    /// Makes up what is missing of this frame.
    fn make_up(&mut self, tick: &mut Pulled) {
        let missing = self.frame.saturating_sub(self.buffer.waiting());
        if missing == 0 {
            return;
        }
        if self.phase == Phase::Playing {
            self.extension.start(self.buffer.past());
            self.phase = Phase::Extending;
        }
        self.debt = self.debt.saturating_add(missing);
        if self.phase == Phase::Extending && !self.extension.is_silent() {
            let tail = self.buffer.tail();
            self.extension.extend(&mut tail[..missing]);
            tick.concealed += missing;
            self.buffer.commit(missing);
            return;
        }
        self.phase = Phase::Idle;
        if self.buffer.waiting() > 0 {
            self.buffer.tail()[..missing].fill(0.0);
            self.buffer.commit(missing);
        }
    }

    fn account(&mut self, tick: Pulled) {
        self.delay = tick.delay;
        if tick.idle {
            return;
        }
        let count = |total: &mut u64, n: usize| *total += u64::try_from(n).unwrap_or(0);
        count(&mut self.totals.played, self.frame);
        count(&mut self.totals.concealed, tick.concealed);
        count(&mut self.totals.recovered, tick.recovered);
        count(&mut self.totals.removed, tick.removed);
        count(&mut self.totals.inserted, tick.inserted);
    }

    /// Delay at present: decoded or queued, and not played yet.
    pub fn delay(&self) -> Duration {
        self.rate.duration_of(u64::try_from(self.delay).unwrap_or(u64::MAX))
    }

    /// What has been played so far.
    pub fn totals(&self) -> PlayoutTotals {
        self.totals
    }

    /// Begins a new stream (SSRC change): nothing of the old one is left; totals stay.
    pub fn reset(&mut self) {
        self.phase = Phase::Idle;
        self.buffer.clear();
        self.watch.clear();
        self.stretch.clear();
        self.debt = 0;
        self.settled = false;
        self.delay = 0;
    }
}

#[cfg(test)]
mod tests;
