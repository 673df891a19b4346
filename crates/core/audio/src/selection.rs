//! Who is heard: the loudest of those who sound, with a preference for voices and for those who are heard already.

use crate::level::FLOOR_DBFS;

/// What a hold on a level loses in a tick of 20 ms, dB: 20 dB a second, so that who pauses for breath stays in.
const DECAY: f32 = 0.4;
/// By so much sound that is no voice counts less, dB.
const HANDICAP: f32 = 20.0;
/// Who is louder than somebody who is heard by so much takes the place at once, dB: no syllable is lost.
const JUMP: f32 = 6.0;
/// Who is louder by so much takes it …
const LEAD: f32 = 3.0;
/// … after so many ticks: 400 ms.
const LEAD_TICKS: u32 = 20;

/// Somebody who sounds in this tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate<Id> {
    /// Who.
    pub id: Id,
    /// How loud this tick's frame is, dBFS.
    pub level: f32,
    /// Is it a voice? Where that is not known yet, it is.
    pub voice: bool,
}

/// A gain that changes over one frame without a click.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gain {
    /// At the frame's beginning, 0.0 to 1.0.
    pub from: f32,
    /// At its end.
    pub to: f32,
}

impl Gain {
    /// Nothing changes.
    pub const UNITY: Gain = Gain { from: 1.0, to: 1.0 };

    /// Applies it in place.
    pub fn apply(self, pcm: &mut [f32]) {
        if self == Gain::UNITY {
            return;
        }
        let step = 1.0 / pcm.len().max(1) as f32;
        for (i, x) in pcm.iter_mut().enumerate() {
            let t = (i as f32 + 0.5) * step;
            // A polynomial that begins and ends level: its spectrum falls off fast enough not to click.
            *x *= self.from + (self.to - self.from) * t * t * (3.0 - 2.0 * t);
        }
    }
}

/// Somebody who sounded in the last tick.
#[derive(Clone, Copy, Debug)]
struct Entry<Id> {
    id: Id,
    /// The loudest of late, dBFS.
    held: f32,
    voice: bool,
    heard: bool,
    /// Ticks in which it has been clearly louder than somebody who is heard.
    leads: u32,
    /// The gain at the end of the tick before; `None` where it begins with this one.
    before: Option<f32>,
    gain: Gain,
}

impl<Id: Copy> Entry<Id> {
    fn next(before: Option<Entry<Id>>, candidate: Candidate<Id>) -> Self {
        let Candidate { id, level, voice } = candidate;
        let held = before.map_or(FLOOR_DBFS, |b| b.held - DECAY).max(level);
        let (heard, leads) = before.map_or((false, 0), |b| (b.heard, b.leads));
        Entry { id, held, voice, heard, leads, before: before.map(|b| b.gain.to), gain: Gain::UNITY }
    }

    fn fade(&mut self) {
        let to = if self.heard { 1.0 } else { 0.0 };
        // What begins with this frame begins as softly as it likes: no ramp.
        self.gain = Gain { from: self.before.unwrap_or(to), to };
    }

    fn rank(&self) -> f32 {
        if self.voice { self.held } else { self.held - HANDICAP }
    }
}

/// Chooses in every tick who is heard: at most so many, the loudest, all where there is no limit.
///
/// Who is heard stays, unless somebody else is clearly louder: by 6 dB at once, by 3 dB after 400 ms. A level is held
/// over pauses (it falls by 20 dB a second), and what is no voice counts 20 dB less. Places change over one frame by
/// ramps; so for one frame more are heard. Equal input gives equal output: of equals, who was offered first.
///
/// Ids are of any kind, so that the candidates of several mixers can be merged: each offers those whom it would choose.
///
/// ```
/// # use tandem_audio::{Candidate, Selection};
/// let mut selection = Selection::new();
/// let candidate = |id, level| Candidate { id, level, voice: true };
/// selection.select(1, [candidate("ann", -30.0), candidate("bob", -20.0)]);
/// assert_eq!(selection.heard().map(|(id, _)| id).collect::<Vec<_>>(), ["bob"]);
/// ```
#[derive(Clone, Debug)]
pub struct Selection<Id> {
    entries: Vec<Entry<Id>>,
    // The tick before.
    former: Vec<Entry<Id>>,
}

impl<Id> Default for Selection<Id> {
    fn default() -> Self {
        Selection { entries: Vec::new(), former: Vec::new() }
    }
}

impl<Id: Copy + Ord> Selection<Id> {
    /// Nobody sounds yet.
    pub fn new() -> Self {
        Selection::default()
    }

    /// Makes room for so many candidates; beyond it a tick allocates.
    pub fn reserve(&mut self, candidates: usize) {
        for list in [&mut self.entries, &mut self.former] {
            list.reserve(candidates.saturating_sub(list.len()));
        }
    }

    /// Forgets somebody: who comes under this id next is another.
    pub fn forget(&mut self, id: Id) {
        self.entries.retain(|e| e.id != id);
    }

    /// Decides on one tick. `most` may be heard, 0: all. `candidates` are all who sound, by ascending id; one that is
    /// out of order is left out, and who is not among them is out without a ramp: its sound has ended.
    pub fn select(&mut self, most: usize, candidates: impl IntoIterator<Item = Candidate<Id>>) {
        self.renew(candidates);
        let most = if most == 0 { self.entries.len() } else { most };
        while self.count() > most {
            let Some(entry) = self.weakest() else { break };
            entry.heard = false;
        }
        for _ in self.count()..most {
            let Some(entry) = self.strongest() else { break };
            entry.heard = true;
        }
        self.contest(most);
        for entry in &mut self.entries {
            entry.fade();
        }
    }

    /// Takes the candidates in; `former` keeps what was.
    fn renew(&mut self, candidates: impl IntoIterator<Item = Candidate<Id>>) {
        std::mem::swap(&mut self.entries, &mut self.former);
        self.entries.clear();
        let mut former = self.former.iter().copied().peekable();
        for candidate in candidates {
            if self.entries.last().is_some_and(|e| e.id >= candidate.id) {
                continue;
            }
            while former.next_if(|f| f.id < candidate.id).is_some() {}
            let before = former.next_if(|f| f.id == candidate.id);
            self.entries.push(Entry::next(before, candidate));
        }
    }

    fn count(&self) -> usize {
        self.entries.iter().filter(|e| e.heard).count()
    }

    /// The one who is heard and comes last; of equals the last.
    fn weakest(&mut self) -> Option<&mut Entry<Id>> {
        let heard = self.entries.iter_mut().rev().filter(|e| e.heard);
        heard.min_by(|a, b| a.rank().total_cmp(&b.rank()))
    }

    /// The one who is not heard and comes first; of equals the first.
    fn strongest(&mut self) -> Option<&mut Entry<Id>> {
        let outside = self.entries.iter_mut().rev().filter(|e| !e.heard);
        outside.max_by(|a, b| a.rank().total_cmp(&b.rank()))
    }

    /// Those who are louder take the places of those who are heard.
    fn contest(&mut self, most: usize) {
        let Some(bar) = self.weakest().map(|e| e.rank()) else { return };
        for entry in self.entries.iter_mut().filter(|e| !e.heard) {
            entry.leads = if entry.rank() >= bar + LEAD { entry.leads + 1 } else { 0 };
        }
        for _ in 0..most {
            let Some(bar) = self.weakest().map(|e| e.rank()) else { return };
            let outside = self.entries.iter_mut().rev().filter(|e| !e.heard);
            let takes = outside.filter(|e| e.rank() >= bar + if e.leads >= LEAD_TICKS { LEAD } else { JUMP });
            let Some(taker) = takes.max_by(|a, b| a.rank().total_cmp(&b.rank())) else { return };
            let taker = taker.id;
            if let Some(loser) = self.weakest() {
                loser.heard = false;
            }
            if let Some(taker) = self.entries.iter_mut().find(|e| e.id == taker) {
                taker.heard = true;
                taker.leads = 0;
            }
        }
    }

    /// Who is in the mix of this tick, with which gain, by ascending id: those who are heard, and those who just were.
    pub fn heard(&self) -> impl Iterator<Item = (Id, Gain)> {
        self.entries.iter().filter(|e| e.gain.from > 0.0 || e.gain.to > 0.0).map(|e| (e.id, e.gain))
    }

    /// How loud the quietest of those who are heard has been of late, as it counts, dBFS; `None` while there is room
    /// for more than `most`. Who is not 3 dB louder need not be listened to.
    pub fn bar(&self, most: usize) -> Option<f32> {
        if most == 0 || self.count() < most {
            return None;
        }
        let heard = self.entries.iter().filter(|e| e.heard);
        heard.map(Entry::rank).min_by(f32::total_cmp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs ticks with these levels, by id; gives who is in the mix of the last.
    fn run(selection: &mut Selection<usize>, most: usize, levels: &[f32], ticks: usize) -> Vec<usize> {
        for _ in 0..ticks {
            selection.select(most, voices(levels));
        }
        ids(selection)
    }

    fn voices(levels: &[f32]) -> impl Iterator<Item = Candidate<usize>> {
        levels.iter().enumerate().map(|(id, level)| Candidate { id, level: *level, voice: true })
    }

    fn ids(selection: &Selection<usize>) -> Vec<usize> {
        selection.heard().map(|(id, _)| id).collect()
    }

    #[test]
    fn the_loudest_are_heard_and_without_a_limit_all() {
        let levels = [-40.0, -20.0, -30.0, -25.0];
        assert_eq!(run(&mut Selection::new(), 2, &levels, 1), [1, 3]);
        assert_eq!(run(&mut Selection::new(), 0, &levels, 1), [0, 1, 2, 3]);
        assert_eq!(run(&mut Selection::new(), 9, &levels, 1), [0, 1, 2, 3]);
    }

    #[test]
    fn equals_do_not_take_turns() {
        let mut selection = Selection::new();
        assert_eq!(run(&mut selection, 2, &[-20.0; 5], 1), [0, 1]);
        for tick in 0..2_000usize {
            // Within the 3 dB by which a steady noise varies.
            let levels: Vec<f32> = (0..5).map(|i| -20.0 - (tick * 7 + i * 5) as f32 % 3.0).collect();
            assert_eq!(run(&mut selection, 2, &levels, 1), [0, 1], "tick {tick}");
        }
    }

    #[test]
    fn who_is_clearly_louder_is_in_at_once() {
        let mut selection = Selection::new();
        run(&mut selection, 2, &[-30.0, -28.0, -50.0], 50);
        assert_eq!(run(&mut selection, 2, &[-30.0, -28.0, -24.0], 1), [0, 1, 2], "two places change hands");
        let gains: Vec<Gain> = selection.heard().map(|(_, gain)| gain).collect();
        assert_eq!(gains, [Gain { from: 1.0, to: 0.0 }, Gain::UNITY, Gain { from: 0.0, to: 1.0 }]);
        assert_eq!(run(&mut selection, 2, &[-30.0, -28.0, -24.0], 1), [1, 2]);
    }

    #[test]
    fn who_is_a_little_louder_is_in_after_a_while() {
        let mut selection = Selection::new();
        run(&mut selection, 1, &[-30.0, -60.0], 50);
        assert_eq!(run(&mut selection, 1, &[-30.0, -26.0], 19), [0]);
        assert_eq!(run(&mut selection, 1, &[-30.0, -26.0], 2), [1]);
    }

    #[test]
    fn a_pause_for_breath_loses_no_place() {
        let mut selection = Selection::new();
        run(&mut selection, 1, &[-20.0, -24.0], 50);
        assert_eq!(run(&mut selection, 1, &[-55.0, -24.0], 20), [0], "400 ms");
        assert_eq!(run(&mut selection, 1, &[-55.0, -24.0], 20), [1], "800 ms");
    }

    #[test]
    fn noise_makes_room_for_voices() {
        let mut selection = Selection::new();
        let noise = |id, voice| Candidate { id, level: -30.0, voice };
        selection.select(2, [noise(0, false), noise(1, false)]);
        assert_eq!(ids(&selection), [0, 1], "nobody else wants the place");
        let voice = Candidate { id: 2, level: -40.0, voice: true };
        selection.select(2, [noise(0, false), noise(1, false), voice]);
        selection.select(2, [noise(0, false), noise(1, false), voice]);
        assert_eq!(ids(&selection), [0, 2]);
    }

    #[test]
    fn who_ends_frees_a_place_without_a_ramp_and_who_begins_needs_none() {
        let mut selection = Selection::new();
        run(&mut selection, 1, &[-20.0, -24.0], 5);
        selection.select(1, [Candidate { id: 7, level: -50.0, voice: true }]);
        assert_eq!(selection.heard().collect::<Vec<_>>(), [(7, Gain::UNITY)]);
    }

    #[test]
    fn a_smaller_room_hears_fewer() {
        let mut selection = Selection::new();
        run(&mut selection, 0, &[-20.0, -24.0, -22.0], 5);
        run(&mut selection, 1, &[-20.0, -24.0, -22.0], 2);
        assert_eq!(ids(&selection), [0]);
    }

    #[test]
    fn the_bar_is_that_of_the_quietest() {
        let mut selection = Selection::new();
        run(&mut selection, 2, &[-20.0, -24.0, -50.0], 1);
        assert_eq!((selection.bar(2), selection.bar(3), selection.bar(0)), (Some(-24.0), None, None));
    }

    #[test]
    fn what_is_out_of_order_is_left_out() {
        let mut selection = Selection::new();
        selection.select(0, [3, 1, 3, 4].map(|id| Candidate { id, level: -20.0, voice: true }));
        assert_eq!(ids(&selection), [3, 4]);
        selection.forget(3);
        assert_eq!(ids(&selection), [4]);
    }

    #[test]
    fn entering_and_leaving_do_not_click() {
        // A tone of 400 Hz at -18 dBFS, 8 kHz; what is above 1 kHz is the click.
        let mut pcm: Vec<f32> =
            (0..800).map(|i| 0.126 * (std::f32::consts::TAU * 0.05 * i as f32).sin()).collect();
        pcm[..160].fill(0.0);
        Gain { from: 0.0, to: 1.0 }.apply(&mut pcm[160..320]);
        Gain { from: 1.0, to: 0.0 }.apply(&mut pcm[480..640]);
        pcm[640..].fill(0.0);
        let worst = (9..40).map(|k| {
            let turn = std::f32::consts::TAU * k as f32 / 80.0;
            // Hann windows of 30 ms around the ramps, each 100 Hz for itself.
            [120, 440].map(|from| {
                let (mut c, mut s) = (0.0, 0.0);
                for (i, x) in pcm[from..from + 240].iter().enumerate() {
                    let x = x * (std::f32::consts::PI * i as f32 / 240.0).sin().powi(2);
                    c += x * (turn * i as f32).cos();
                    s += x * (turn * i as f32).sin();
                }
                20.0 * ((c * c + s * s).sqrt() / 60.0).log10()
            })
        });
        let worst = worst.flatten().fold(f32::MIN, f32::max);
        assert!(worst < -60.0, "{worst:.1} dBFS");
    }
}
