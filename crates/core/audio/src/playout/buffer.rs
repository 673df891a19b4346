use std::ops::Range;

use crate::wave::{Spans, crossfade, weights};

/// Decoded sound in one piece: the history that has been played, then what waits to be played.
///
/// Places are counted from the playing point; the history lies before it.
#[derive(Clone, Debug)]
pub(super) struct Buffer {
    samples: Vec<f32>,
    head: usize,
    end: usize,
    history: usize,
    /// What may wait, in samples.
    most: usize,
}

/// Everything is moved back to the start when the end is reached, which is every so many histories of 24 ms: moving
/// costs more than the memory.
const TURN: usize = 4;

impl Buffer {
    /// Room for `waiting` samples behind the history.
    pub(super) fn new(spans: Spans, waiting: usize) -> Self {
        let history = spans.history;
        let samples = vec![0.0; history + waiting + TURN * history];
        Buffer { samples, head: history, end: history, history, most: waiting }
    }

    /// Samples that wait.
    pub(super) fn waiting(&self) -> usize {
        self.end - self.head
    }

    /// Samples that may still be appended before something has to be taken.
    pub(super) fn room(&self) -> usize {
        self.most.saturating_sub(self.waiting())
    }

    /// The free space behind what waits: at least [`room`](Buffer::room) long.
    pub(super) fn tail(&mut self) -> &mut [f32] {
        if self.samples.len() - self.end < self.room() {
            let start = self.head - self.history;
            self.samples.copy_within(start..self.end, 0);
            self.end -= start;
            self.head = self.history;
        }
        &mut self.samples[self.end..]
    }

    /// Keeps the first `n` samples of the tail.
    pub(super) fn commit(&mut self, n: usize) {
        self.end = (self.end + n).min(self.samples.len());
    }

    /// Puts `n` zeros between what waits and the first `shifted` samples of the tail.
    pub(super) fn open_tail(&mut self, n: usize, shifted: usize) {
        self.samples.copy_within(self.end..self.end + shifted, self.end + n);
        self.samples[self.end..self.end + n].fill(0.0);
    }

    /// Everything up to the end of what waits; at least the history.
    pub(super) fn past(&self) -> &[f32] {
        &self.samples[..self.end]
    }

    /// Moves the next samples out; `out` is no longer than what waits.
    pub(super) fn take(&mut self, out: &mut [f32]) {
        out.copy_from_slice(&self.samples[self.head..self.head + out.len()]);
        self.head += out.len();
    }

    /// Some of what waits.
    pub(super) fn ahead(&self, range: Range<usize>) -> &[f32] {
        &self.samples[self.head + range.start..self.head + range.end]
    }

    /// From `before` samples before the playing point to `after` behind it.
    pub(super) fn around(&self, before: usize, after: usize) -> &[f32] {
        &self.samples[self.head - before..self.head + after]
    }

    /// Takes `lag` samples out at the playing point, over a cross-fade of `overlap`.
    pub(super) fn remove(&mut self, lag: usize, overlap: usize, similarity: f32) {
        let (start, joined) = self.samples.split_at_mut(self.head + lag);
        crossfade(&start[self.head..self.head + overlap.min(lag)], joined, similarity);
        let history = self.head - self.history..self.head;
        self.samples.copy_within(history.clone(), history.start + lag);
        self.head += lag;
    }

    /// Puts `lag` samples in at the playing point: what comes, fading into what was `lag` before.
    pub(super) fn insert(&mut self, lag: usize, similarity: f32) {
        self.samples.copy_within(self.head..self.end, self.head + lag);
        self.end += lag;
        for i in 0..lag {
            let (come, gone) = weights(i, lag, similarity);
            let at = self.head + i;
            self.samples[at] = self.samples[at + lag] * come + self.samples[at - lag] * gone;
        }
    }

    /// As new.
    pub(super) fn clear(&mut self) {
        self.samples.fill(0.0);
        self.head = self.history;
        self.end = self.history;
    }
}
