//! Opus, G.711 and G.722 behind one trait; noise suppression.
//!
//! ```
//! use tandem_base::AudioFormat;
//! use tandem_codec::{EncoderSettings, decoder, encoder};
//!
//! let mut encoder = encoder(AudioFormat::Pcmu, EncoderSettings::default())?;
//! let mut decoder = decoder(AudioFormat::Pcmu)?;
//! let mut payload = [0; 160];
//! let mut pcm = [0.0; tandem_audio::MAX_PACKET_SAMPLES];
//! assert_eq!(encoder.encode(&[0.0; 160], &mut payload)?, 160);
//! assert_eq!(decoder.decode(&payload, &mut pcm)?, 160);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod g711;
mod g722;
mod noise;
mod opus;
mod pcm;

use tandem_audio::{AudioDecoder, AudioEncoder};
use tandem_base::{AudioFormat, Bitrate, ClockRate};

pub use noise::NoiseSuppressor;

use self::opus::{OpusDecoder, OpusEncoder};
use g711::{G711Decoder, G711Encoder, Law};
use g722::{G722Decoder, G722Encoder};

/// Why there is no decoder or encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The codec does not run at this sampling rate.
    #[error("{format} does not run at {} Hz", rate.hz())]
    Rate {
        /// The codec.
        format: AudioFormat,
        /// The rate asked for.
        rate: ClockRate,
    },
    /// The codec refused its settings, or there is no memory for it.
    #[error("{format} could not be set up")]
    Setup {
        /// The codec.
        format: AudioFormat,
    },
}

/// How to encode, beyond what the receiver's parameters say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncoderSettings {
    /// Opus: bits a second that we would like, 6,000 to 510,000; the receiver's `maxaveragebitrate` caps it.
    pub bitrate: Bitrate,
    /// Opus: effort, 0 to 10.
    pub complexity: u8,
}

impl Default for EncoderSettings {
    /// Speech: 24 kbit/s, complexity 5.
    fn default() -> Self {
        EncoderSettings { bitrate: Bitrate::kbps(24), complexity: 5 }
    }
}

/// A decoder at the codec's own sampling rate ([`AudioFormat::sample_rate`]).
///
/// # Errors
/// [`CodecError::Setup`] where libopus has no memory.
pub fn decoder(format: AudioFormat) -> Result<Box<dyn AudioDecoder>, CodecError> {
    decoder_at(format, format.sample_rate())
}

/// A decoder whose samples come at `rate`: for Opus 8, 16 or 48 kHz (it costs less and spares a resampler);
/// for the others their own rate only.
///
/// # Errors
/// [`CodecError::Rate`] for another rate, [`CodecError::Setup`] where libopus has no memory.
pub fn decoder_at(format: AudioFormat, rate: ClockRate) -> Result<Box<dyn AudioDecoder>, CodecError> {
    if let AudioFormat::Opus(params) = format {
        return Ok(Box::new(OpusDecoder::new(params, rate)?));
    }
    if rate != format.sample_rate() {
        return Err(CodecError::Rate { format, rate });
    }
    Ok(match format {
        AudioFormat::Pcmu => Box::new(G711Decoder::new(Law::Mu)),
        AudioFormat::Pcma => Box::new(G711Decoder::new(Law::A)),
        AudioFormat::G722 => Box::new(G722Decoder::new()),
        AudioFormat::Opus(params) => Box::new(OpusDecoder::new(params, rate)?),
    })
}

/// An encoder; it takes samples at [`AudioFormat::sample_rate`].
///
/// # Errors
/// [`CodecError::Setup`] where libopus has no memory or refuses the settings.
pub fn encoder(format: AudioFormat, settings: EncoderSettings) -> Result<Box<dyn AudioEncoder>, CodecError> {
    Ok(match format {
        AudioFormat::Pcmu => Box::new(G711Encoder::new(Law::Mu)),
        AudioFormat::Pcma => Box::new(G711Encoder::new(Law::A)),
        AudioFormat::G722 => Box::new(G722Encoder::new()),
        AudioFormat::Opus(params) => Box::new(OpusEncoder::new(params, settings)?),
    })
}

/// Power (mean square; a full-scale sine is 0.5) of the loudest 10 ms of a payload, where that can be told without
/// decoding it: of G.711, by table. Where even the peaks are below `quiet`, it is not exact, but below it too.
///
/// Costs a tenth of what decoding and playing does where it is quiet, else about as much as decoding.
pub fn power(format: AudioFormat, payload: &[u8], quiet: f32) -> Option<f32> {
    match format {
        AudioFormat::Pcmu => Some(g711::power(Law::Mu, payload, quiet)),
        AudioFormat::Pcma => Some(g711::power(Law::A, payload, quiet)),
        AudioFormat::G722 | AudioFormat::Opus(_) => None,
    }
}

/// The packet time that the encoder has and that is nearest to `wanted_ms` from below (10 ms at least).
///
/// G.711 and G.722 have any multiple of 10 ms up to 60; Opus has no 30 and no 50 (RFC 6716 §2.1.4), since one
/// packet of several frames would cost more than it saves.
pub const fn packet_ms(format: AudioFormat, wanted_ms: u8) -> u8 {
    match (format, wanted_ms) {
        (_, ..20) => 10,
        (_, 60..) => 60,
        (AudioFormat::Opus(_), 20..40) => 20,
        (AudioFormat::Opus(_), 40..60) => 40,
        (_, other) => other - other % 10,
    }
}
