use tandem_base::{Srtp, Time};
use tandem_transport::{SrtpContext, SrtpError};

/// Octets of the longest datagram that is decrypted: what the sockets take.
const MAX_PLAIN: usize = 2_048;

/// What is encrypted and what is not on the wire of one leg.
#[derive(Debug, Default)]
pub struct Secrecy {
    context: SrtpContext,
    // Where a packet is decrypted to; there once the leg was encrypted.
    plain: Vec<u8>,
    /// Dropped: plain, forged, or under another key.
    pub unauthentic: u64,
    /// Dropped: came before.
    pub replayed: u64,
    exhaustion: Exhaustion,
}

/// Is our key used up?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Exhaustion {
    #[default]
    No,
    /// Nothing goes out any more.
    Yes,
    /// And somebody knows.
    Told,
}

/// Why a datagram was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// It is no packet at all.
    Malformed,
    /// Counted already.
    Unauthentic,
    /// Counted already.
    Replayed,
}

impl Secrecy {
    /// For what was negotiated.
    pub fn new(srtp: Option<&Srtp>, now: Time) -> Self {
        let mut secrecy = Secrecy::default();
        secrecy.negotiate(srtp, now);
        secrecy
    }

    /// A new negotiation: keys that stay go on. Keys that cannot be used leave the leg silent rather than plain.
    pub fn negotiate(&mut self, srtp: Option<&Srtp>, now: Time) {
        let _ = self.context.negotiate(srtp, now);
        self.exhaustion = Exhaustion::No;
        if srtp.is_some() {
            self.plain.resize(MAX_PLAIN, 0);
        }
    }

    /// Is anything encrypted?
    pub fn is_on(&self) -> bool {
        self.context.is_on()
    }

    /// Decrypts an RTP or RTCP packet. The buffer has to be given back by [`Secrecy::give_back`]: it is taken out, so that
    /// the leg can be worked on meanwhile.
    pub fn open(&mut self, rtcp: bool, datagram: &[u8], now: Time) -> Result<(Vec<u8>, usize), Dropped> {
        let mut plain = std::mem::take(&mut self.plain);
        let opened = if rtcp {
            self.context.unprotect_rtcp(datagram, &mut plain, now)
        } else {
            self.context.unprotect_rtp(datagram, &mut plain, now)
        };
        match opened {
            Ok(len) => Ok((plain, len)),
            Err(error) => {
                self.plain = plain;
                Err(self.count(error))
            }
        }
    }

    /// Takes the buffer back.
    pub fn give_back(&mut self, plain: Vec<u8>) {
        self.plain = plain;
    }

    fn count(&mut self, error: SrtpError) -> Dropped {
        match error {
            SrtpError::Malformed | SrtpError::NoRoom => Dropped::Malformed,
            SrtpError::Replayed => {
                self.replayed += 1;
                Dropped::Replayed
            }
            _ => {
                self.unauthentic += 1;
                Dropped::Unauthentic
            }
        }
    }

    /// Encrypts the RTP packet in the first `len` octets where that was agreed; gives its length. `None`: it must not go out.
    pub fn seal_rtp(&mut self, buffer: &mut [u8], len: usize) -> Option<usize> {
        if !self.is_on() {
            return Some(len);
        }
        let sealed = self.context.protect_rtp(buffer, len);
        self.note(sealed)
    }

    /// The same for an RTCP compound.
    pub fn seal_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Option<usize> {
        if !self.is_on() {
            return Some(len);
        }
        let sealed = self.context.protect_rtcp(buffer, len);
        self.note(sealed)
    }

    fn note(&mut self, sealed: Result<usize, SrtpError>) -> Option<usize> {
        if sealed == Err(SrtpError::Exhausted) && self.exhaustion == Exhaustion::No {
            self.exhaustion = Exhaustion::Yes;
        }
        sealed.ok()
    }

    /// Has our key protected all that it may, so that nothing can be sent? True once after each negotiation.
    pub fn take_exhausted(&mut self) -> bool {
        let exhausted = self.exhaustion == Exhaustion::Yes;
        if exhausted {
            self.exhaustion = Exhaustion::Told;
        }
        exhausted
    }

    /// Packets of the peer under a key that is past its lifetime.
    pub fn overdue(&self) -> u64 {
        self.context.overdue()
    }
}
