//! Who talks: what a sound is taken for, and when talking begins and ends.

/// What a party's frame of one tick is like, where there is anything to hear in it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sound {
    /// How loud, dBFS.
    pub level: f32,
    /// It keeps its level, as no voice does.
    pub steady: bool,
    /// It is only what is left until the party leaves the mix.
    pub hanging: bool,
    /// Does the sender hear a voice in it? `None` where it does not tell.
    pub voice: Option<bool>,
    /// What it is taken for ([`Talk::kind`]).
    pub kind: Kind,
}

/// What a sound is taken for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Not known yet.
    #[default]
    Unknown,
    /// A voice.
    Voice,
    /// Noise, music, a tone.
    Other,
}

/// Talking begins with so many ticks of a voice: 120 ms.
const BEGINS: u32 = 6;
/// It ends with so many without: 600 ms.
const ENDS: u32 = 30;
/// What nobody could judge for so long is taken for a voice: 300 ms.
const PATIENCE: u32 = 15;
/// A sender that heard a voice so long ago hears none any more: 500 ms.
const FORGETS: u32 = 25;
/// A voice is judged anew after two seconds, other sound after one.
const RENEWS: u32 = 100;

/// One party's talking, debounced: begins after 120 ms of a voice, ends after 600 ms without.
///
/// So there are at most three changes in two seconds. Ticks are of 20 ms.
#[derive(Clone, Copy, Debug, Default)]
pub struct Talk {
    kind: Kind,
    /// Ticks since it was judged, or since the sound began.
    age: u32,
    /// Ticks that speak for it, less those that speak against it; while it talks, ticks in a row without a voice.
    count: u32,
    talking: bool,
    talked: u64,
}

impl Talk {
    /// One tick has passed, with this sound or none. `Some(true)`: talking begins, `Some(false)`: it ends.
    pub fn note(&mut self, sound: Option<Sound>) -> Option<bool> {
        self.talked += u64::from(self.talking);
        let Some(sound) = sound else {
            self.kind = Kind::Unknown;
            self.age = 0;
            return self.step(false);
        };
        self.age = self.age.saturating_add(1);
        match sound.voice {
            _ if sound.steady => self.judge(false),
            Some(true) => self.judge(true),
            Some(false) if self.kind != Kind::Voice || self.age > FORGETS => self.judge(false),
            None if self.kind == Kind::Unknown && self.age > PATIENCE => self.judge(true),
            _ => {}
        }
        self.step(!sound.hanging && self.kind != Kind::Other)
    }

    fn step(&mut self, voice: bool) -> Option<bool> {
        if self.talking {
            self.count = if voice { 0 } else { self.count + 1 };
            return self.count_to(ENDS, false);
        }
        self.count = if voice { self.count + 1 } else { self.count.saturating_sub(1) };
        if self.kind == Kind::Voice { self.count_to(BEGINS, true) } else { None }
    }

    fn count_to(&mut self, enough: u32, talking: bool) -> Option<bool> {
        if self.count < enough {
            return None;
        }
        self.talking = talking;
        self.count = 0;
        Some(talking)
    }

    /// Would it help to listen closely to this sound?
    pub fn is_in_doubt(&self, sound: Sound) -> bool {
        let due = match self.kind {
            Kind::Unknown => true,
            Kind::Voice => self.age > RENEWS,
            Kind::Other => self.age > RENEWS / 2,
        };
        due && sound.voice.is_none() && !sound.steady && !sound.hanging
    }

    /// It has been listened to: a voice, or not.
    pub fn judge(&mut self, voice: bool) {
        self.kind = if voice { Kind::Voice } else { Kind::Other };
        self.age = 0;
    }

    /// What its sound is taken for.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Does it talk?
    pub fn is_talking(&self) -> bool {
        self.talking
    }

    /// Ticks in which it has talked so far.
    pub fn talked(&self) -> u64 {
        self.talked
    }

    /// Begins anew elsewhere; what has been counted stays.
    pub fn reset(&mut self) {
        *self = Talk { talked: self.talked, ..Talk::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: Sound =
        Sound { level: -20.0, steady: false, hanging: false, voice: None, kind: Kind::Unknown };

    /// Ticks until something changes.
    fn until(talk: &mut Talk, sound: Option<Sound>, most: usize) -> Option<(usize, bool)> {
        (0..most).find_map(|tick| talk.note(sound).map(|talking| (tick, talking)))
    }

    #[test]
    fn talking_begins_and_ends_with_a_delay() {
        let mut talk = Talk::default();
        assert_eq!(until(&mut talk, Some(SOUND), 5), None);
        assert!(talk.is_in_doubt(SOUND));
        talk.judge(true);
        assert_eq!(until(&mut talk, Some(SOUND), 5), Some((0, true)), "after 120 ms");
        assert_eq!(until(&mut talk, Some(SOUND), 90), None);
        assert_eq!(until(&mut talk, None, 29), None, "a pause");
        assert_eq!(until(&mut talk, Some(SOUND), 10), None);
        assert_eq!(until(&mut talk, None, 90), Some((29, false)));
        assert_eq!(talk.talked(), 1 + 90 + 29 + 10 + 29);
    }

    #[test]
    fn clicks_and_steady_sound_are_no_talk() {
        let mut talk = Talk::default();
        for _ in 0..50 {
            assert_eq!(until(&mut talk, Some(SOUND), 3), None);
            assert_eq!(until(&mut talk, None, 10), None);
        }
        assert_eq!(until(&mut talk, Some(Sound { steady: true, ..SOUND }), 500), None);
        assert_eq!(talk.kind(), Kind::Other);
        assert!(!talk.is_in_doubt(Sound { steady: true, ..SOUND }));
    }

    #[test]
    fn what_is_judged_to_be_noise_is_no_talk_and_asked_about_again() {
        let mut talk = Talk::default();
        talk.note(Some(SOUND));
        talk.judge(false);
        assert_eq!(until(&mut talk, Some(SOUND), 50), None);
        assert!(!talk.is_in_doubt(SOUND));
        assert_eq!(until(&mut talk, Some(SOUND), 1), None);
        assert!(talk.is_in_doubt(SOUND));
        talk.judge(true);
        assert_eq!(until(&mut talk, Some(SOUND), 10), Some((5, true)));
    }

    #[test]
    fn the_sender_s_word_counts() {
        let (mut talk, says) = (Talk::default(), |voice| Some(Sound { voice: Some(voice), ..SOUND }));
        assert_eq!(until(&mut talk, says(false), 100), None);
        assert_eq!(until(&mut talk, says(true), 100), Some((5, true)));
        // A flag that flickers is a voice.
        for _ in 0..50 {
            assert_eq!(until(&mut talk, says(false), 20), None);
            assert_eq!(until(&mut talk, says(true), 1), None);
        }
        assert_eq!(until(&mut talk, says(false), 100), Some((FORGETS as usize + 29, false)));
    }

    #[test]
    fn without_a_judge_sound_is_a_voice() {
        assert_eq!(until(&mut Talk::default(), Some(SOUND), 100), Some((15, true)));
    }
}
