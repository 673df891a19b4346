use tandem_base::Agc;

use super::Fader;
use crate::level::{FLOOR_DBFS, rms_dbfs};

/// A voice is at least this much above the background noise, dB.
const VOICE_ABOVE_NOISE: f32 = 10.0;
/// What is fainter is nobody's voice, dBFS.
const FAINTEST_VOICE: f32 = -55.0;
/// The most that a loud voice is lowered, dB.
const MOST_CUT: f32 = 20.0;
/// The estimate of the noise rises so much a second …
const NOISE_RISE: f32 = 3.0;
/// … and falls so much, dB.
const NOISE_FALL: f32 = 60.0;
/// The gain rises so much a second while somebody speaks …
const GAIN_RISE: f32 = 6.0;
/// … and falls so much, dB.
const GAIN_FALL: f32 = 40.0;
/// Time constants of the voice's level, s: words and syllables differ, and loud ones count more.
const LOUDER: f32 = 0.2;
/// See [`LOUDER`].
const FAINTER: f32 = 2.0;

/// Automatic gain control of one voice.
///
/// The gain moves only while somebody speaks (10 dB above the background at least), so that pauses are not
/// filled with amplified noise; it stays within the limits of [`Agc`] and never jumps.
#[derive(Clone, Debug)]
pub struct AutomaticGain {
    limits: Agc,
    // Of the voice and of what is behind it, dBFS.
    voice: Option<f32>,
    noise: f32,
    gain_db: f32,
    fader: Fader,
}

impl AutomaticGain {
    /// At 0 dB.
    pub fn new(limits: Agc) -> Self {
        AutomaticGain { limits, voice: None, noise: FAINTEST_VOICE, gain_db: 0.0, fader: Fader::default() }
    }

    /// Other limits; the gain goes on from where it is.
    pub fn set_limits(&mut self, limits: Agc) {
        self.limits = limits;
    }

    /// The gain at present, dB.
    pub fn gain_db(&self) -> f32 {
        self.gain_db
    }

    /// Brings one frame, which takes `seconds`, to its level, in place.
    pub fn process(&mut self, pcm: &mut [f32], seconds: f32) {
        let level = rms_dbfs(pcm);
        self.follow_noise(level, seconds);
        if level > (self.noise + VOICE_ABOVE_NOISE).max(FAINTEST_VOICE) {
            self.follow_voice(level, seconds);
            self.fader.set(10f32.powf(self.gain_db / 20.0));
        }
        self.fader.process(pcm);
    }

    fn follow_noise(&mut self, level: f32, seconds: f32) {
        let level = level.max(FLOOR_DBFS);
        self.noise = if level < self.noise {
            level.max(self.noise - NOISE_FALL * seconds)
        } else {
            level.min(self.noise + NOISE_RISE * seconds)
        };
    }

    fn follow_voice(&mut self, level: f32, seconds: f32) {
        let voice = self.voice.unwrap_or(level);
        let constant = if level > voice { LOUDER } else { FAINTER };
        let voice = voice + (level - voice) * (seconds / constant).min(1.0);
        self.voice = Some(voice);
        let most = f32::from(self.limits.max_gain_db);
        let wanted = (f32::from(self.limits.target_dbfs) - voice).clamp(-MOST_CUT, most);
        let step = (wanted - self.gain_db).clamp(-GAIN_FALL * seconds, GAIN_RISE * seconds);
        self.gain_db += step;
    }
}
