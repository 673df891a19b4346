//! libopus' encoder in memory of our own, so that its state can be copied.
#![allow(unsafe_code)] // Foreign code.

use std::ffi::c_int;

use opusic_sys as ffi;
use tandem_base::ClockRate;

/// libopus refused, or has no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) c_int);

/// What can be set, each with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    /// Bits a second.
    Bitrate,
    /// The widest band: [`Band`].
    MaxBand,
    /// 0: constant bit rate.
    Vbr,
    /// 0 to 10.
    Complexity,
    /// 0 or 1.
    InbandFec,
    /// Percent.
    ExpectedLoss,
    /// 0 or 1.
    Dtx,
    /// 1: the next frames do without what came before them, as far as that is possible.
    PredictionDisabled,
}

impl Setting {
    const fn request(self) -> c_int {
        match self {
            Setting::Bitrate => ffi::OPUS_SET_BITRATE_REQUEST,
            Setting::MaxBand => ffi::OPUS_SET_MAX_BANDWIDTH_REQUEST,
            Setting::Vbr => ffi::OPUS_SET_VBR_REQUEST,
            Setting::Complexity => ffi::OPUS_SET_COMPLEXITY_REQUEST,
            Setting::InbandFec => ffi::OPUS_SET_INBAND_FEC_REQUEST,
            Setting::ExpectedLoss => ffi::OPUS_SET_PACKET_LOSS_PERC_REQUEST,
            Setting::Dtx => ffi::OPUS_SET_DTX_REQUEST,
            Setting::PredictionDisabled => ffi::OPUS_SET_PREDICTION_DISABLED_REQUEST,
        }
    }
}

/// An encoder at 48 kHz for speech.
pub(crate) struct EncoderState {
    // What libopus keeps, aligned as its allocator would align it.
    memory: Box<[u128]>,
    channels: usize,
}

impl EncoderState {
    /// For one channel or two.
    pub(crate) fn new(channels: usize) -> Result<Self, Refused> {
        let count = if channels == 2 { 2 } else { 1 };
        // SAFETY: takes a number, gives a number.
        let size = unsafe { ffi::opus_encoder_get_size(count) };
        let words = usize::try_from(size).unwrap_or(0).div_ceil(size_of::<u128>());
        let mut state =
            EncoderState { memory: vec![0; words].into(), channels: if count == 2 { 2 } else { 1 } };
        let rate = ClockRate::HZ_48000.hz().cast_signed();
        // SAFETY: the memory has the size that libopus asked for with as many channels, and is aligned to 16 octets.
        let result =
            unsafe { ffi::opus_encoder_init(state.pointer(), rate, count, ffi::OPUS_APPLICATION_VOIP) };
        checked(result).map(|_| state)
    }

    fn pointer(&mut self) -> *mut ffi::OpusEncoder {
        self.memory.as_mut_ptr().cast()
    }

    /// Samples of all channels together that a tick of so many milliseconds has are `channels` times those of one.
    pub(crate) fn channels(&self) -> usize {
        self.channels
    }

    pub(crate) fn set(&mut self, setting: Setting, value: i32) -> Result<(), Refused> {
        // SAFETY: the state was initialised by `new`; each of these requests takes one `opus_int32`.
        checked(unsafe { ffi::opus_encoder_ctl(self.pointer(), setting.request(), value) }).map(drop)
    }

    /// As newly made; settings stay.
    pub(crate) fn reset(&mut self) {
        // SAFETY: the state was initialised by `new`; the request takes no argument. It cannot fail.
        unsafe { ffi::opus_encoder_ctl(self.pointer(), ffi::OPUS_RESET_STATE) };
    }

    /// Encodes one frame: samples of the channels alternate. Gives the packet's length.
    pub(crate) fn encode(&mut self, pcm: &[f32], out: &mut [u8]) -> Result<usize, Refused> {
        let samples = c_int::try_from(pcm.len() / self.channels).unwrap_or(0);
        let room = i32::try_from(out.len()).unwrap_or(i32::MAX);
        // SAFETY: the state was initialised by `new`; libopus reads `samples` times its channels, which `pcm` has,
        // and writes no more than `room` octets, which `out` has.
        let length =
            unsafe { ffi::opus_encode_float(self.pointer(), pcm.as_ptr(), samples, out.as_mut_ptr(), room) };
        checked(length).map(|length| usize::try_from(length).unwrap_or(0))
    }

    /// Becomes a copy of `other`, settings included. `false`: it has another number of channels.
    ///
    /// libopus' state is one block without pointers into itself, to be copied as it is (`opus.h`).
    pub(crate) fn copy_from(&mut self, other: &EncoderState) -> bool {
        if self.memory.len() != other.memory.len() || self.channels != other.channels {
            return false;
        }
        self.memory.copy_from_slice(&other.memory);
        true
    }
}

fn checked(result: c_int) -> Result<c_int, Refused> {
    if result < 0 { Err(Refused(result)) } else { Ok(result) }
}
