use std::ops::AddAssign;
use std::time::Duration;

use tandem_audio::{Activity, Contribution, Kind, Playout, Pulled, Resampler, Sound};
use tandem_base::ClockRate;

use super::dormant::Dormancy;
use super::feed::{Feed, Listening};
use super::treatment::Inward;
use crate::encoding::frame_len;
use crate::packetizer::TICK_MS;

/// From packets to the room's frames, for all formats of one sampling rate.
pub struct Lane {
    rate: ClockRate,
    playout: Playout,
    activity: Activity,
    resampler: Option<Resampler>,
    frame: Vec<f32>,
    speaking: bool,
    pulled: Pulled,
    dormancy: Dormancy,
}

impl Lane {
    /// For decoders at `rate` in a room at `room`.
    pub fn new(rate: ClockRate, room: ClockRate) -> Self {
        let mut lane = Lane {
            rate,
            playout: Playout::new(rate, TICK_MS),
            activity: Activity::new(rate),
            resampler: None,
            frame: vec![0.0; frame_len(rate)],
            speaking: false,
            pulled: Pulled::default(),
            dormancy: Dormancy::default(),
        };
        lane.set_room_rate(room);
        lane
    }

    /// Of the decoders.
    pub fn rate(&self) -> ClockRate {
        self.rate
    }

    /// The room changed its rate.
    pub fn set_room_rate(&mut self, room: ClockRate) {
        // Both are rates of codecs, which are exactly those that a resampler takes.
        self.resampler = if self.rate == room { None } else { Resampler::new(self.rate, room).ok() };
    }

    /// Plays one frame into `out`, which is a tick at the room's rate. `None`: there is nothing to add to a mix, and
    /// `out` was left alone.
    pub fn play(&mut self, mut feed: Feed<'_>, inward: &mut Inward, out: &mut [f32]) -> Option<Sound> {
        let dormancy = Some(self.dormancy).filter(|_| !self.speaking);
        feed.listening =
            Listening { dormancy, opens_above: self.activity.opens_above(), ..Listening::default() };
        self.pulled = self.playout.pull(&mut feed, &mut self.frame);
        let Listening { dormancy, skipped, decoded, voice, .. } = feed.listening;
        self.dormancy = dormancy.unwrap_or_default();
        if skipped && !decoded && !self.speaking {
            return None;
        }
        inward.process(&mut self.frame, self.rate, self.speaking);
        let speaks = self.activity.process(&mut self.frame) == Contribution::Speaks;
        if speaks {
            self.convert(out);
        } else if self.speaking {
            // What the filter still holds must not be heard when the leg speaks next.
            self.forget();
        }
        self.speaking = speaks;
        let activity = &self.activity;
        let (steady, hanging) = (activity.is_steady(), activity.is_hanging());
        speaks.then(|| Sound { level: activity.level(), steady, hanging, voice, kind: Kind::Unknown })
    }

    fn convert(&mut self, out: &mut [f32]) {
        match &mut self.resampler {
            Some(resampler) => {
                resampler.process(&self.frame, out);
            }
            None => out.copy_from_slice(&self.frame),
        }
    }

    fn forget(&mut self) {
        if let Some(resampler) = &mut self.resampler {
            resampler.reset();
        }
    }

    /// What the last tick was made of.
    pub fn pulled(&self) -> Pulled {
        self.pulled
    }

    /// Begins anew: nothing of what was heard before is left.
    pub fn restart(&mut self) {
        self.playout.reset();
        self.activity = Activity::new(self.rate);
        self.speaking = false;
        self.forget();
    }

    /// Decoded or queued and not played yet.
    pub fn delay(&self) -> Duration {
        self.playout.delay()
    }

    /// What was done to the sound so far.
    pub fn repairs(&self) -> Repairs {
        let totals = self.playout.totals();
        let duration = |samples| self.rate.duration_of(samples);
        Repairs {
            concealed: duration(totals.concealed),
            recovered: duration(totals.recovered),
            shortened: duration(totals.removed),
            lengthened: duration(totals.inserted),
        }
    }
}

/// What was done to sound on its way.
#[derive(Clone, Copy, Debug, Default)]
pub struct Repairs {
    /// Made up.
    pub concealed: Duration,
    /// Brought back by FEC or copies.
    pub recovered: Duration,
    /// Taken out.
    pub shortened: Duration,
    /// Put in.
    pub lengthened: Duration,
}

impl AddAssign for Repairs {
    fn add_assign(&mut self, other: Repairs) {
        self.concealed += other.concealed;
        self.recovered += other.recovered;
        self.shortened += other.shortened;
        self.lengthened += other.lengthened;
    }
}
