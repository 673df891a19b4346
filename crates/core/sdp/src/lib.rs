//! SDP offer/answer (RFC 3264) as pure functions.
//!
//! [`answer`] reads a peer's offer and writes our answer; [`offer`] writes ours and [`accept_answer`] reads what
//! the peer makes of it. What was settled is a [`Negotiated`]: plain data to hand back in with the next offer or
//! answer of the same call, so that m-lines keep their number and order, payload numbers keep their meaning and
//! the version in `o=` grows only when something changes. [`examine`] judges an offer without any ports.
//!
//! Media are encrypted as [`Capabilities::srtp`] wants it, with keys exchanged by `a=crypto` (RFC 4568) under RTP/SAVP or
//! RTP/SAVPF, or under RTP/AVP or RTP/AVPF where both sides can (RFC 8643).
//!
//! With a [`LocalDtls`], and where [`Capabilities::dtls`] wants it, keys come from DTLS-SRTP under UDP/TLS/RTP/SAVP or
//! UDP/TLS/RTP/SAVPF, with ICE as browsers do it or without; candidates that come later are a [`Fragment`].
//! [`Negotiated::transport`] is what the leg's transport needs of all this.
//!
//! Redundant audio (RFC 2198) and audio levels in header extensions (RFC 6464, RFC 6465) are agreed to where the peer has
//! them; two channels of Opus where [`Capabilities::opus_stereo`] says so.
//!
//! ```
//! use tandem_base::{Direction, LocalMedia};
//! use tandem_sdp::{Capabilities, Local, OwnKeys, answer};
//!
//! let offer = b"v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n\
//!     m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";
//! let media = LocalMedia {
//!     rtp: "198.51.100.1:20000".parse().unwrap(),
//!     rtcp: "198.51.100.1:20001".parse().unwrap(),
//! };
//! let keys = OwnKeys::new([7; OwnKeys::LEN]); // random, in earnest
//! let local = Local { session_id: 7, media, direction: Direction::SendRecv, keys, dtls: None };
//! let answered = answer(offer, &Capabilities::default(), &local, None).unwrap();
//! assert!(answered.sdp.contains("m=audio 20000 RTP/AVP 0 101"));
//! assert_eq!(answered.negotiated.stream.remote_rtp.port(), 4000);
//! ```

#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod answer;
mod bandwidth;
mod base64;
mod candidate;
mod capabilities;
mod choice;
mod codec;
mod crypto;
mod describe;
mod description;
mod dtls;
mod explanation;
mod extensions;
mod fragment;
mod negotiated;
mod normal;
mod offer;
mod redundancy;
mod refusal;
mod remote;
mod remote_dtls;
mod settle;

pub use answer::{Answer, answer, examine};
pub use capabilities::{Capabilities, Local, Preference};
pub use codec::Codec;
pub use crypto::OwnKeys;
pub use description::Description;
pub use dtls::{DtlsSide, LocalDtls, LocalIce, LocalSource};
pub use explanation::{Explanation, Remark};
pub use fragment::{Fragment, FragmentFlaw, FragmentSection, MAX_FRAGMENT};
pub use negotiated::{Binding, Line, Meaning, Negotiated, Origin};
pub use normal::{MAX_ATTRIBUTES, MAX_MEDIA, MAX_SDP};
pub use offer::{Accepted, Offer, accept_answer, offer};
pub use refusal::{Refusal, RefusalCause, Warning};

#[cfg(test)]
mod tests;
