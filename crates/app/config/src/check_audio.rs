//! How rooms sound.

use tandem_base::{Agc, ClockRate, Gain, LegSound, RoomAudio};

use crate::document::{Problems, Section};
use crate::value;

/// Those keys of `[rooms]` or of a `[[room]]`; what is absent is as in `default`.
pub(crate) fn room_audio(section: &mut Section<'_>, default: RoomAudio, p: &mut Problems<'_>) -> RoomAudio {
    let loudest = section.take("loudest").and_then(|found| found.number(0, RoomAudio::MOST.into(), p));
    let loudest = loudest.and_then(|found| u16::try_from(found.value).ok());
    RoomAudio {
        loudest: loudest.unwrap_or(default.loudest),
        comfort_noise: flag(section, "comfort_noise", default.comfort_noise, p),
        rate: rate(section, default.rate, p),
        sound: leg_sound(section, default.sound, p),
    }
}

/// `"auto"`, or one of the rates that are mixed at.
fn rate(section: &mut Section<'_>, default: Option<ClockRate>, p: &mut Problems<'_>) -> Option<ClockRate> {
    let found = section.take("rate").and_then(|found| found.word(p));
    found.and_then(|found| found.parse(value::room_rate, p)).map_or(default, |found| found.value)
}

fn leg_sound(section: &mut Section<'_>, default: LegSound, p: &mut Problems<'_>) -> LegSound {
    LegSound {
        gain_in: gain(section, "gain_in", default.gain_in, p),
        gain_out: gain(section, "gain_out", default.gain_out, p),
        agc: agc(section, default.agc, p),
        noise_suppression: flag(section, "noise_suppression", default.noise_suppression, p),
        echo_suppression: flag(section, "echo_suppression", default.echo_suppression, p),
        ..default
    }
}

fn agc(section: &mut Section<'_>, default: Option<Agc>, p: &mut Problems<'_>) -> Option<Agc> {
    let on = flag(section, "agc", default.is_some(), p);
    let limits = default.unwrap_or_default();
    let target = level(section, "agc_target", (-40, -6), p).unwrap_or(limits.target_dbfs);
    let most = level(section, "agc_max_gain", (0, 30), p).and_then(|most| u8::try_from(most).ok());
    let limits = Agc { target_dbfs: target, max_gain_db: most.unwrap_or(limits.max_gain_db) };
    Some(limits).filter(|_| on)
}

fn gain(section: &mut Section<'_>, key: &'static str, default: Gain, p: &mut Problems<'_>) -> Gain {
    let bounds = (Gain::LEAST.db(), Gain::MOST.db());
    level(section, key, bounds, p).and_then(Gain::new).unwrap_or(default)
}

fn level(section: &mut Section<'_>, key: &'static str, bounds: (i8, i8), p: &mut Problems<'_>) -> Option<i8> {
    let found = section.take(key)?.integer(bounds.0.into(), bounds.1.into(), p)?;
    i8::try_from(found.value).ok()
}

fn flag(section: &mut Section<'_>, key: &'static str, default: bool, p: &mut Problems<'_>) -> bool {
    section.take(key).and_then(|found| found.boolean(p)).map_or(default, |found| found.value)
}
