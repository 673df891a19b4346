use std::any::Any;

use opusic_sys as ffi;
use tandem_audio::{AudioEncoder, EncodeError};
use tandem_base::{AudioFormat, ClockRate, LossClass, OpusParams};

use super::state::{EncoderState, Refused, Setting};
use crate::{CodecError, EncoderSettings};

/// The longest frame that Opus has (RFC 6716 §3.4 R2): no single-frame packet is longer than this.
const MAX_FRAME_OCTETS: usize = 1_275;

/// What a class of receivers gets.
struct Protection {
    fec: bool,
    expected_loss_percent: i32,
    // Of the bit rate that would be sent to who loses nothing, percent.
    bitrate_percent: u64,
}

/// libopus puts copies in only where the rate bears them, and narrows the band for them only where more than 5 % are
/// lost: so that they are there at 24 kbit/s, 10 % are expected at least.
const fn protection(class: LossClass) -> Protection {
    match class {
        LossClass::Clean => Protection { fec: false, expected_loss_percent: 0, bitrate_percent: 100 },
        LossClass::Lossy => Protection { fec: true, expected_loss_percent: 10, bitrate_percent: 115 },
        LossClass::Heavy => Protection { fec: true, expected_loss_percent: 25, bitrate_percent: 85 },
    }
}

pub(crate) struct OpusEncoder {
    state: EncoderState,
    params: OpusParams,
    settings: EncoderSettings,
    class: LossClass,
    source: ClockRate,
}

impl OpusEncoder {
    pub(crate) fn new(params: OpusParams, settings: EncoderSettings) -> Result<Self, CodecError> {
        let fault = |_| CodecError::Setup { format: AudioFormat::Opus(params) };
        let state = EncoderState::new(1).map_err(fault)?;
        let (class, source) = (LossClass::default(), ClockRate::HZ_48000);
        let mut encoder = OpusEncoder { state, params, settings, class, source };
        encoder.configure().map_err(fault)?;
        Ok(encoder)
    }

    fn configure(&mut self) -> Result<(), Refused> {
        self.state.set(Setting::Complexity, i32::from(self.settings.complexity.min(10)))?;
        self.state.set(Setting::Vbr, i32::from(!self.params.cbr))?;
        self.state.set(Setting::Dtx, i32::from(self.params.dtx))?;
        self.state.set(Setting::MaxBand, self.band())?;
        self.protect()
    }

    fn protect(&mut self) -> Result<(), Refused> {
        let protection = protection(self.class);
        let fec = protection.fec && self.params.inband_fec;
        self.state.set(Setting::InbandFec, i32::from(fec))?;
        self.state.set(Setting::ExpectedLoss, protection.expected_loss_percent)?;
        // Without FEC there is nothing to spend more on.
        let percent = if fec { protection.bitrate_percent } else { protection.bitrate_percent.min(100) };
        self.state.set(Setting::Bitrate, self.bitrate(percent))
    }

    /// What we want, but no more than the receiver allows (RFC 7587 §6.1 `maxaveragebitrate`).
    fn bitrate(&self, percent: u64) -> i32 {
        let allowed = u64::from(self.params.max_average_bitrate.unwrap_or(510_000)).clamp(6_000, 510_000);
        let wanted = self.settings.bitrate.0.saturating_mul(percent) / 100;
        i32::try_from(wanted.clamp(6_000, allowed)).unwrap_or(24_000)
    }

    /// What lies above half the receiver's `maxplaybackrate` it would not play (RFC 7587 §6.1, §3.1.1), and above half
    /// the rate of what is encoded there is nothing.
    fn band(&self) -> i32 {
        match self.params.max_playback_rate.min(self.source.hz()) {
            0..=8_000 => ffi::OPUS_BANDWIDTH_NARROWBAND,
            8_001..=12_000 => ffi::OPUS_BANDWIDTH_MEDIUMBAND,
            12_001..=16_000 => ffi::OPUS_BANDWIDTH_WIDEBAND,
            16_001..=24_000 => ffi::OPUS_BANDWIDTH_SUPERWIDEBAND,
            _ => ffi::OPUS_BANDWIDTH_FULLBAND,
        }
    }
}

impl AudioEncoder for OpusEncoder {
    fn sample_rate(&self) -> ClockRate {
        ClockRate::HZ_48000
    }

    fn encode(&mut self, pcm: &[f32], out: &mut [u8]) -> Result<usize, EncodeError> {
        if !matches!(pcm.len() / self.state.channels(), 480 | 960 | 1_920 | 2_880) {
            return Err(EncodeError::Duration);
        }
        let room = out.len().min(MAX_FRAME_OCTETS);
        let out = out.get_mut(..room).unwrap_or_default();
        self.state.encode(pcm, out).map_err(|refused| match refused.0 {
            ffi::OPUS_BUFFER_TOO_SMALL => EncodeError::BufferTooShort,
            _ => EncodeError::Codec,
        })
    }

    fn set_loss(&mut self, class: LossClass) {
        self.class = class;
        // All values are within libopus' ranges.
        let _ = self.protect();
    }

    fn set_source_rate(&mut self, rate: ClockRate) {
        self.source = rate;
        let _ = self.state.set(Setting::MaxBand, self.band());
    }

    fn set_independent(&mut self, independent: bool) {
        let _ = self.state.set(Setting::PredictionDisabled, i32::from(independent));
    }

    fn reset(&mut self) {
        self.state.reset();
    }

    fn take_over(&mut self, other: &dyn AudioEncoder) -> bool {
        let other = other.as_any().and_then(<dyn Any>::downcast_ref::<OpusEncoder>);
        let Some(other) = other.filter(|other| self.state.copy_from(&other.state)) else { return false };
        // With the state came the other's settings.
        if (other.class, other.source, other.params, other.settings)
            != (self.class, self.source, self.params, self.settings)
        {
            let _ = self.configure();
        }
        true
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}
