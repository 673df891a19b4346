//! PCM frames, playout, mixing, tones and levels: the audio path between decoder and encoder.
//!
//! PCM is mono `f32`, full scale ±1.0. Nothing here allocates, locks, logs or panics once it is constructed,
//! so that all of it may run in the media tick. In order of use:
//!
//! 1. [`AudioDecoder`] and [`AudioEncoder`]: what a codec offers (implemented in `tandem-codec`);
//! 2. [`Playout`]: packets of any size in, exactly one frame a tick out, delay kept at its target;
//! 3. [`Resampler`]: between 8, 16 and 48 kHz with less than 2 ms of delay;
//! 4. [`Activity`], [`level`]: who sounds, and how loud; [`VoiceDetector`], [`Talk`]: who talks; [`Selection`]: who of
//!    them is heard;
//! 5. [`Fader`], [`AutomaticGain`], [`EchoSuppressor`]: what a leg's own settings ask for;
//! 6. [`Mixer`], [`ComfortNoise`] and [`Limiter`]: the sum, the sum minus own, no digital silence and no clipping;
//! 7. [`FrameAdapter`]: from the tick's frames to the packet time a leg wants.

mod activity;
mod codec;
mod comfort;
mod described;
mod extension;
mod frames;
pub mod level;
mod limiter;
mod mixer;
mod playout;
mod resample;
mod selection;
mod sound;
mod talk;
pub mod tones;
mod voice;
mod wave;

pub use activity::{Activity, Contribution};
pub use codec::{AudioDecoder, AudioEncoder, DecodeError, EncodeError, MAX_PACKET_SAMPLES};
pub use comfort::ComfortNoise;
pub use described::DescribedNoise;
pub use extension::Concealer;
pub use frames::FrameAdapter;
pub use limiter::Limiter;
pub use mixer::Mixer;
pub use playout::{Got, Playout, PlayoutTotals, Pulled, Source};
pub use resample::{Resampler, UnsupportedRates};
pub use selection::{Candidate, Gain, Selection};
pub use sound::{AutomaticGain, EchoSuppressor, Fader};
pub use talk::{Kind, Sound, Talk};
pub use voice::VoiceDetector;
