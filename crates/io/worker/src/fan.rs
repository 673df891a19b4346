//! A room that is too big for one tick: a part of it, the owner, mixes, and annexes elsewhere bring and take.
//!
//! Annexes run in a later phase of the 20 ms, on any worker. In its tick an annex plays out its legs and *offers* the
//! owner what they say, for the owner's next tick; it takes the *mix* that the owner made a phase or more before, and
//! encodes and sends it. So an annex at a distance of one phase hears everybody 5 ms later than the owner's legs do, and
//! is heard 15 ms later. Nobody waits for anybody: what is not there in time is left out, and what was not taken in time
//! gives way to the next.
//!
//! Annexes keep the owner's time: a mix bears the number of its tick, so that timestamps go on as if nothing was
//! between, and the number of the offer that is in it, so that each talker's own sound of then is taken out again.

mod ring;

use tandem_audio::{Gain, Sound};
use tandem_base::{ClockRate, Ssrc};

use self::ring::{Consumer, Producer, ring};
use crate::encoding::frame_len;
use crate::phase::PHASES;
use crate::speakers::Speakers;

/// Ticks for which an annex remembers what its legs said; a mix is never further behind.
const KEPT: usize = 4;

/// Up to so many who may be heard, the owner chooses among all; where more may be, each annex chooses for itself and
/// offers a sum.
pub const MOST_CHOSEN: usize = 8;

/// Frames are made for the highest rate of a room.
const HIGHEST: ClockRate = ClockRate::HZ_48000;

/// One frame of sound that several made.
pub struct Sum {
    /// At which rate.
    pub rate: ClockRate,
    /// Those who are in it.
    pub talkers: usize,
    /// Those who are named as being in it.
    pub speakers: Speakers,
    samples: Vec<f32>,
}

impl Sum {
    fn blank() -> Self {
        Sum { rate: HIGHEST, talkers: 0, speakers: Speakers::new(), samples: vec![0.0; frame_len(HIGHEST)] }
    }

    /// The frame, at its rate.
    pub fn samples(&self) -> &[f32] {
        self.samples.get(..frame_len(self.rate)).unwrap_or_default()
    }

    /// Becomes this one.
    pub fn set(&mut self, rate: ClockRate, talkers: usize, speakers: &Speakers, samples: &[f32]) {
        self.rate = rate;
        self.talkers = talkers;
        self.speakers = *speakers;
        for (to, from) in self.samples.iter_mut().zip(samples) {
            *to = *from;
        }
    }
}

/// A leg that its annex would have heard.
pub struct Voice {
    /// Where it sits in the annex.
    pub seat: usize,
    /// Its source.
    pub ssrc: Option<Ssrc>,
    /// What its frame is like.
    pub sound: Sound,
    frame: Vec<f32>,
}

/// What an annex says in one of its ticks.
pub struct Offer {
    /// Counts the annex's ticks.
    pub number: u64,
    /// The highest rate that any of its legs can use.
    pub wanted: ClockRate,
    /// The rate of all frames.
    pub rate: ClockRate,
    /// All that is heard of the annex; `talkers` is 0 where the owner is to choose.
    pub sum: Sum,
    voices: Vec<Voice>,
    offered: usize,
}

impl Offer {
    fn blank() -> Self {
        let voice =
            || Voice { seat: 0, ssrc: None, sound: Sound::default(), frame: vec![0.0; frame_len(HIGHEST)] };
        Offer {
            number: 0,
            wanted: HIGHEST,
            rate: HIGHEST,
            sum: Sum::blank(),
            voices: (0..2 * MOST_CHOSEN).map(|_| voice()).collect(),
            offered: 0,
        }
    }

    /// Begins anew.
    pub fn begin(&mut self, number: u64, rate: ClockRate, wanted: ClockRate) {
        self.number = number;
        self.rate = rate;
        self.wanted = wanted;
        self.offered = 0;
        self.sum.set(rate, 0, &Speakers::new(), &[]);
    }

    /// Adds a leg, by ascending seat; `false`: there is no room for it.
    pub fn add(&mut self, seat: usize, ssrc: Option<Ssrc>, sound: Sound, frame: &[f32]) -> bool {
        let Some(voice) = self.voices.get_mut(self.offered) else { return false };
        voice.seat = seat;
        voice.ssrc = ssrc;
        voice.sound = sound;
        for (to, from) in voice.frame.iter_mut().zip(frame) {
            *to = *from;
        }
        self.offered += 1;
        true
    }

    /// Those among whom the owner chooses, by ascending seat.
    pub fn voices(&self) -> &[Voice] {
        self.voices.get(..self.offered).unwrap_or_default()
    }

    /// One of them, with its frame.
    pub fn voice(&mut self, seat: usize) -> Option<(&mut [f32], Option<Ssrc>, Sound)> {
        let voice = self.voices.iter_mut().take(self.offered).find(|v| v.seat == seat)?;
        Some((voice.frame.get_mut(..frame_len(self.rate))?, voice.ssrc, voice.sound))
    }
}

/// What there is to hear in one tick of the owner.
pub struct Mix {
    /// Counts the owner's ticks, those included that it skipped.
    pub tick: u64,
    /// Which of the annex's offers is in it.
    pub offer: Option<u64>,
    /// Is that in it as a whole, or by those whom the owner chose?
    pub whole: bool,
    /// Whom it chose, and their gain.
    pub chosen: Vec<(usize, Gain)>,
    /// What everybody says.
    pub sum: Sum,
}

impl Mix {
    fn blank() -> Self {
        let chosen = Vec::with_capacity(2 * MOST_CHOSEN);
        Mix { tick: 0, offer: None, whole: false, chosen, sum: Sum::blank() }
    }
}

/// An annex, seen from the owner.
pub struct Annex {
    /// Which.
    pub id: AnnexId,
    /// What it says.
    pub offers: Consumer<Offer>,
    /// Where the mix goes.
    pub mixes: Producer<Mix>,
    /// What of it is to be heard in the present tick.
    pub offer: Option<Box<Offer>>,
    /// Whom of the offer the owner chose, and their gain.
    pub chosen: Vec<(usize, Gain)>,
}

/// The owner, seen from an annex.
pub struct Owner {
    /// Where goes what the annex says.
    pub offers: Producer<Offer>,
    /// What there is to hear.
    pub mixes: Consumer<Mix>,
    /// The number of the next offer.
    pub number: u64,
    /// The owner's tick that comes next.
    pub next: Option<u64>,
}

/// Tells a room's annexes apart: the worker and the phase that they run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AnnexId {
    /// Which worker.
    pub worker: usize,
    /// Which of its phases.
    pub phase: usize,
}

impl AnnexId {
    /// Orders a room's parts: the owner is 0.
    pub fn part(self) -> usize {
        1 + self.worker * PHASES as usize + self.phase
    }
}

/// Ties an annex to an owner: each end goes where its part of the room runs. Everything is allocated here.
pub fn tie(id: AnnexId) -> (Box<Annex>, Box<Owner>) {
    let (put_offer, take_offer) = ring(Offer::blank);
    let (put_mix, take_mix) = ring(Mix::blank);
    let chosen = Vec::with_capacity(2 * MOST_CHOSEN);
    let annex = Annex { id, offers: take_offer, mixes: put_mix, offer: None, chosen };
    (Box::new(annex), Box::new(Owner { offers: put_offer, mixes: take_mix, number: 0, next: None }))
}

/// What a leg of an annex said of late, for when it comes back in the mix.
#[derive(Default)]
pub struct Past {
    frames: Vec<f32>,
    numbers: [Option<u64>; KEPT],
}

impl Past {
    /// For frames of a length; forgets those of another.
    pub fn new(frame: usize) -> Self {
        Past { frames: vec![0.0; KEPT * frame], numbers: [None; KEPT] }
    }

    fn slot(number: u64) -> usize {
        // A remainder of 4.
        (number % KEPT as u64) as usize
    }

    /// Keeps what went into offer `number`.
    pub fn keep(&mut self, number: u64, frame: &[f32]) {
        let slot = Past::slot(number);
        let kept = self.frames.chunks_exact_mut(frame.len().max(1)).nth(slot);
        if let (Some(kept), Some(place)) = (kept, self.numbers.get_mut(slot)) {
            kept.copy_from_slice(frame);
            *place = Some(number);
        }
    }

    /// Gives back what went into offer `number`; `false` where nothing did, or too long ago.
    pub fn recall(&self, number: u64, frame: &mut [f32]) -> bool {
        let slot = Past::slot(number);
        let kept = self.frames.chunks_exact(frame.len().max(1)).nth(slot);
        let known = self.numbers.get(slot) == Some(&Some(number));
        let Some(kept) = kept.filter(|_| known) else { return false };
        frame.copy_from_slice(kept);
        true
    }
}
