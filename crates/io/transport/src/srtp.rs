//! SRTP and SRTCP (RFC 3711, RFC 6188, RFC 7714): packet processing without sockets, clocks or allocations.

mod cipher;
mod derivation;
mod header;
mod incoming;
mod outgoing;
mod window;

use serde::{Deserialize, Serialize};
use tandem_base::{Srtp, Time};
use thiserror::Error;

use self::incoming::Incoming;
pub use self::incoming::StreamPosition;
use self::outgoing::Outgoing;
pub use self::outgoing::SentPosition;
pub use self::window::Window;

/// Most octets that protection adds to a packet: index word, tag and the longest MKI.
pub const SRTP_TRAILER: usize = 4 + 16 + 128;

/// Why a packet cannot be protected or is to be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SrtpError {
    /// Cut short, or not RTP or RTCP.
    #[error("not an SRTP packet")]
    Malformed,
    /// Plain, forged, or under another key.
    #[error("not authentic")]
    Unauthentic,
    /// Came before, or is too old to tell (RFC 3711 §3.3.2).
    #[error("replayed")]
    Replayed,
    /// The key has protected as many packets as it may (RFC 3711 §9.2, RFC 4568 §6.1). It has to be replaced, or the
    /// stream has to end.
    #[error("the key is used up")]
    Exhausted,
    /// The key has protected a packet of this number already: a second one would give both away.
    #[error("the packet number was used before")]
    Reused,
    /// The packet does not fit into the buffer.
    #[error("the buffer is too small")]
    NoRoom,
    /// No key is known.
    #[error("no key")]
    NoKey,
}

/// What a leg needs to go on where it was, besides the keys: which packets each of them has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SrtpPositions {
    /// Ours.
    pub sent: SentPosition,
    /// The peer's.
    pub received: Vec<StreamPosition>,
}

/// The cryptographic contexts of a leg (RFC 3711 §3.2.3), both ways, for RTP and RTCP.
///
/// A new key goes on with sequence numbers and roll-over counters where the old one was (RFC 3711 §3.3.1); the
/// peer's old key is understood for half a minute more, until it must have heard of the new one. State is made for
/// a peer's stream only once a packet of it was authentic.
#[derive(Debug, Default)]
pub struct SrtpContext {
    on: bool,
    outgoing: Outgoing,
    incoming: Incoming,
}

impl SrtpContext {
    /// Plain RTP: nothing is protected.
    pub fn new() -> Self {
        SrtpContext::default()
    }

    /// Takes what offer and answer settled. Keys that stay keep all that they have seen. `None` is plain RTP from
    /// now on; positions are kept all the same, lest a key that comes back encrypt two packets alike.
    ///
    /// # Errors
    /// When a key does not fit its suite. Nothing is sent or received then.
    pub fn negotiate(&mut self, srtp: Option<&Srtp>, now: Time) -> Result<(), SrtpError> {
        self.on = srtp.is_some();
        let Some(srtp) = srtp else { return Ok(()) };
        self.outgoing.negotiate(srtp.suite, &srtp.send)?;
        self.incoming.negotiate(srtp.suite, &srtp.receive, now)
    }

    /// Goes on where another process was.
    ///
    /// # Errors
    /// As [`SrtpContext::negotiate`].
    pub fn resume(srtp: &Srtp, positions: &SrtpPositions, now: Time) -> Result<Self, SrtpError> {
        let mut context = SrtpContext::new();
        context.negotiate(Some(srtp), now)?;
        context.outgoing.position = positions.sent;
        context.incoming.resume(&positions.received);
        Ok(context)
    }

    /// Where it is.
    pub fn positions(&self) -> SrtpPositions {
        SrtpPositions { sent: self.outgoing.position, received: self.incoming.positions() }
    }

    /// Packets taken although the peer's key was past the lifetime that the peer gave it. Many write one and never
    /// change a key; dropping what is authentic would end long calls for the sake of a number.
    pub const fn overdue(&self) -> u64 {
        self.incoming.overdue
    }

    /// Are packets encrypted?
    pub const fn is_on(&self) -> bool {
        self.on
    }

    /// Encrypts the RTP packet in the first `len` octets of `buffer`, in place; gives its new length, at most
    /// [`SRTP_TRAILER`] more.
    ///
    /// # Errors
    /// [`SrtpError::Exhausted`], [`SrtpError::Reused`], [`SrtpError::NoRoom`], [`SrtpError::NoKey`],
    /// [`SrtpError::Malformed`].
    pub fn protect_rtp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, SrtpError> {
        self.outgoing.protect_rtp(buffer, len)
    }

    /// The same for an RTCP compound.
    ///
    /// # Errors
    /// As [`SrtpContext::protect_rtp`].
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, SrtpError> {
        self.outgoing.protect_rtcp(buffer, len)
    }

    /// Checks and decrypts an SRTP packet into `out`; gives the length of the RTP packet there.
    ///
    /// # Errors
    /// Why it is to be dropped; `out` is of no use then.
    pub fn unprotect_rtp(&mut self, datagram: &[u8], out: &mut [u8], now: Time) -> Result<usize, SrtpError> {
        self.incoming.unprotect_rtp(datagram, out, now)
    }

    /// The same for SRTCP.
    ///
    /// # Errors
    /// As [`SrtpContext::unprotect_rtp`].
    pub fn unprotect_rtcp(&mut self, datagram: &[u8], out: &mut [u8], now: Time) -> Result<usize, SrtpError> {
        self.incoming.unprotect_rtcp(datagram, out, now)
    }
}

#[cfg(test)]
mod tests;
