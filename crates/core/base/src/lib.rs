//! Tandem's vocabulary: the plain types that every crate speaks.
//!
//! Nothing here does anything; units, ranges and sources stand at each type.

#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod dtls;
mod entropy;
mod event;
mod fault;
mod format;
mod ice;
mod id;
mod media;
mod report;
mod room;
mod sink;
mod sound;
mod srtp;
mod stream;
mod text;
mod time;

pub use dtls::{
    Dtls, DtlsRole, DtlsSetup, DtlsTransport, Fingerprint, HashFunction, MediaTransport, Mid, TlsId,
};
pub use entropy::Entropy;
pub use event::MediaEvent;
pub use fault::{Blame, Fault, Retry};
pub use format::{AudioFormat, OpusParams};
pub use ice::{
    Candidate, CandidateAddress, CandidateKind, CandidateTransport, Foundation, HostName, Ice,
    IceCredentials, IcePassword, IceSide, IceUfrag, TcpType,
};
pub use id::{CallId, ConferenceId, Epoch, LegId};
pub use media::{Bitrate, ClockRate, ExtSeq, PayloadType, Ssrc};
pub use report::{LegReport, ReceivedReport, SentReport};
pub use room::RoomAudio;
pub use sink::Sink;
pub use sound::{Agc, Gain, GainRange, LegSound, LossClass};
pub use srtp::{Mki, Srtp, SrtpKeying, SrtpMaster, SrtpPolicy, SrtpSuite};
pub use stream::{
    Attachment, AudioStream, ClientLevel, Direction, EventSet, ExtensionId, HeaderExtensions, LocalMedia,
    MediaTimeout, MediaTimeouts, ReceiveFormat, Redundancy, SendFormat, TelephoneEvent,
};
pub use text::Unfit;
pub use time::Time;

#[cfg(test)]
mod tests;
