use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_base::{ExtSeq, SrtpKeying, SrtpSuite, Ssrc, Time};

use super::SrtpError;
use super::cipher::{Cipher, SessionKeys};
use super::header::{RTCP_HEADER, RtpHeader, rtcp_sender};
use super::outgoing::{ENCRYPTED, MAX_RTP, is_mki, mki_len, roll_over, rtcp_associated};
use super::window::Window;

/// How long a key that was replaced is still understood: as long as our answer may be repeated (RFC 3261 §13.3.1.4).
const GRACE: Duration = Duration::from_secs(32);

/// Streams of a peer that are remembered under one key; beyond that the one added first is forgotten.
const STREAMS: usize = 8;

/// Keys that are understood at one time.
const KEYS: usize = 8;

/// Which packets of one of the peer's streams came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamPosition {
    /// Which stream.
    pub ssrc: Ssrc,
    /// RTP, by roll-over counter and sequence number.
    pub rtp: Option<Window>,
    /// RTCP, by index.
    pub rtcp: Option<Window>,
}

/// The peer's direction.
#[derive(Debug, Default)]
pub struct Incoming {
    keys: Vec<Key>,
    /// Authentic packets under a key past its lifetime.
    pub overdue: u64,
}

/// One of the peer's master keys.
#[derive(Debug)]
struct Key {
    suite: SrtpSuite,
    keying: SrtpKeying,
    session: SessionKeys,
    /// No longer negotiated: until when it is understood.
    until: Option<Time>,
    streams: Vec<StreamPosition>,
    /// What an earlier key saw, as a hint to the roll-over counters.
    before: Vec<StreamPosition>,
    /// Authentic packets of RTP and of RTCP.
    taken: [u64; 2],
}

impl Key {
    fn new(suite: SrtpSuite, keying: SrtpKeying, before: Vec<StreamPosition>) -> Result<Self, SrtpError> {
        let session = SessionKeys::new(suite, &keying.master)?;
        let streams = Vec::with_capacity(STREAMS);
        Ok(Key { suite, keying, session, until: None, streams, before, taken: [0; 2] })
    }

    fn is(&self, suite: SrtpSuite, keying: &SrtpKeying) -> bool {
        (self.suite, &self.keying) == (suite, keying)
    }

    fn position(&self, ssrc: Ssrc) -> Option<&StreamPosition> {
        self.streams.iter().find(|s| s.ssrc == ssrc)
    }

    /// Where the packet is authentic only.
    fn position_mut(&mut self, ssrc: Ssrc) -> Option<&mut StreamPosition> {
        if self.position(ssrc).is_none() {
            if self.streams.len() >= STREAMS {
                self.streams.remove(0);
            }
            self.streams.push(StreamPosition { ssrc, rtp: None, rtcp: None });
        }
        self.streams.iter_mut().find(|s| s.ssrc == ssrc)
    }

    /// Indices that the packet may have, the likeliest first (RFC 3711 §3.3.1). Where this key has not seen the stream
    /// yet: as the key before would count; from zero, as peers do that make everything anew; and one
    /// roll-over on, where the first packets were lost just there.
    fn candidates(&self, header: &RtpHeader) -> [Option<u64>; 3] {
        let nearest = |top: u64| ExtSeq(top).nearest(header.sequence).0;
        if let Some(window) = self.position(header.ssrc).and_then(|s| s.rtp) {
            return [Some(nearest(window.top())), None, None];
        }
        let before = self.before.iter().find(|s| s.ssrc == header.ssrc).and_then(|s| s.rtp);
        let continued = before.map(|window| nearest(window.top()));
        let first = u64::from(header.sequence);
        let second = (header.sequence < 0x8000).then_some(first + 0x1_0000);
        let other = |index: &u64| Some(*index) != continued;
        [continued, Some(first).filter(other), second.filter(other)]
    }
}

impl Incoming {
    /// Keys that stay keep what they saw; those replaced are understood for a while.
    pub fn negotiate(
        &mut self,
        suite: SrtpSuite,
        keyings: &[SrtpKeying],
        now: Time,
    ) -> Result<(), SrtpError> {
        let before = self.positions();
        for key in &mut self.keys {
            let stays = keyings.iter().any(|keying| key.is(suite, keying));
            key.until = if stays { None } else { key.until.or(Some(now + GRACE)) };
        }
        self.keys.retain(|key| key.until.is_none_or(|until| until > now));
        for keying in keyings {
            if !self.keys.iter().any(|key| key.is(suite, keying)) {
                self.keys.push(Key::new(suite, keying.clone(), before.clone())?);
            }
        }
        // Those in force come first.
        self.keys.sort_by_key(|key| key.until.map_or((0, 0), |until| (1, u64::MAX - until.as_nanos())));
        self.keys.truncate(KEYS);
        Ok(())
    }

    /// The positions under all keys in force, by stream.
    pub fn positions(&self) -> Vec<StreamPosition> {
        let mut all: Vec<StreamPosition> = Vec::new();
        for key in self.keys.iter().filter(|key| key.until.is_none()) {
            for stream in key.streams.iter().chain(&key.before) {
                if !all.iter().any(|known| known.ssrc == stream.ssrc) && all.len() < STREAMS {
                    all.push(*stream);
                }
            }
        }
        all
    }

    pub fn resume(&mut self, positions: &[StreamPosition]) {
        for key in &mut self.keys {
            key.streams.extend(positions.iter().take(STREAMS));
        }
    }

    pub fn unprotect_rtp(&mut self, datagram: &[u8], out: &mut [u8], now: Time) -> Result<usize, SrtpError> {
        let header = RtpHeader::parse(datagram)?;
        let mut verdict = SrtpError::Unauthentic;
        for key in self.keys.iter_mut().filter(|key| key.until.is_none_or(|until| until > now)) {
            match key.open_rtp(&header, datagram, out) {
                Ok((len, index)) => {
                    self.overdue += u64::from(key.saw_rtp(header.ssrc, index));
                    return Ok(len);
                }
                Err(SrtpError::Replayed) => verdict = SrtpError::Replayed,
                Err(_) => {}
            }
        }
        Err(verdict)
    }

    pub fn unprotect_rtcp(&mut self, datagram: &[u8], out: &mut [u8], now: Time) -> Result<usize, SrtpError> {
        let sender = rtcp_sender(datagram)?;
        let mut verdict = SrtpError::Unauthentic;
        for key in self.keys.iter_mut().filter(|key| key.until.is_none_or(|until| until > now)) {
            match key.open_rtcp(sender, datagram, out) {
                Ok((len, index)) => {
                    self.overdue += u64::from(key.saw_rtcp(sender, index));
                    return Ok(len);
                }
                Err(SrtpError::Replayed) => verdict = SrtpError::Replayed,
                Err(_) => {}
            }
        }
        Err(verdict)
    }
}

impl Key {
    /// Takes the packet down; says whether the key is past its lifetime.
    fn saw_rtp(&mut self, ssrc: Ssrc, index: u64) -> bool {
        if let Some(stream) = self.position_mut(ssrc) {
            stream.rtp.get_or_insert(Window::new(index)).insert(index);
        }
        let [rtp, _] = &mut self.taken;
        *rtp += 1;
        self.keying.lifetime.is_some_and(|lifetime| *rtp > lifetime)
    }

    /// The same for RTCP.
    fn saw_rtcp(&mut self, ssrc: Ssrc, index: u64) -> bool {
        if let Some(stream) = self.position_mut(ssrc) {
            stream.rtcp.get_or_insert(Window::new(index)).insert(index);
        }
        let [_, rtcp] = &mut self.taken;
        *rtcp += 1;
        self.keying.lifetime.is_some_and(|lifetime| *rtcp > lifetime)
    }

    fn open_rtp(
        &self,
        header: &RtpHeader,
        datagram: &[u8],
        out: &mut [u8],
    ) -> Result<(usize, u64), SrtpError> {
        let window = self.position(header.ssrc).and_then(|s| s.rtp);
        let mut verdict = SrtpError::Unauthentic;
        // RFC 3711 §9.2: no key goes beyond these numbers, where its key stream would begin anew.
        for index in self.candidates(header).into_iter().flatten().filter(|index| *index < MAX_RTP) {
            if window.is_some_and(|window| !window.is_new(index)) {
                return Err(SrtpError::Replayed);
            }
            match self.try_rtp(header, index, datagram, out) {
                Ok(len) => return Ok((len, index)),
                Err(error) => verdict = error,
            }
        }
        Err(verdict)
    }

    fn try_rtp(
        &self,
        header: &RtpHeader,
        index: u64,
        datagram: &[u8],
        out: &mut [u8],
    ) -> Result<usize, SrtpError> {
        let mki_len = mki_len(&self.keying);
        match &self.session.rtp {
            Cipher::Counter(counter) => {
                let (rest, tag) = split_end(datagram, self.session.rtp.tag_len())?;
                let (body, mki) = split_end(rest, mki_len)?;
                self.check_mki(mki)?;
                counter.verify(body, &roll_over(index), tag)?;
                let body = copy(body, out)?;
                counter.crypt(body, header.len, header.ssrc, index)?;
                Ok(body.len())
            }
            Cipher::Galois(galois) => {
                let (body, mki) = split_end(datagram, mki_len)?;
                self.check_mki(mki)?;
                let body = copy(body, out)?;
                let (clear, sealed) = body.split_at_mut_checked(header.len).ok_or(SrtpError::Malformed)?;
                Ok(clear.len() + galois.open(header.ssrc, index, clear, sealed)?)
            }
        }
    }

    fn open_rtcp(&self, sender: Ssrc, datagram: &[u8], out: &mut [u8]) -> Result<(usize, u64), SrtpError> {
        let mki_len = mki_len(&self.keying);
        let tag_len = self.session.rtcp.tag_len();
        // RFC 3711 §3.4: index word, MKI, tag; RFC 7714 §7.2: tag, index word, MKI.
        let aead = self.suite.is_aead();
        let (rest, tag) = if aead { (datagram, &[][..]) } else { split_end(datagram, tag_len)? };
        let (rest, mki) = split_end(rest, mki_len)?;
        self.check_mki(mki)?;
        let (body, word) = split_end(rest, 4)?;
        let word = *word.first_chunk::<4>().ok_or(SrtpError::Malformed)?;
        let index = u32::from_be_bytes(word);
        if index & ENCRYPTED == 0 {
            // Not negotiated (RFC 4568 §6.3.2), so it is not to be had.
            return Err(SrtpError::Unauthentic);
        }
        let index = u64::from(index & !ENCRYPTED);
        let window = self.position(sender).and_then(|s| s.rtcp);
        if window.is_some_and(|window| !window.is_new(index)) {
            return Err(SrtpError::Replayed);
        }
        match &self.session.rtcp {
            Cipher::Counter(counter) => {
                counter.verify(body, &word, tag)?;
                let body = copy(body, out)?;
                counter.crypt(body, RTCP_HEADER, sender, index)?;
                Ok((body.len(), index))
            }
            Cipher::Galois(galois) => {
                let body = copy(body, out)?;
                let (clear, sealed) = body.split_at_mut_checked(RTCP_HEADER).ok_or(SrtpError::Malformed)?;
                let len = galois.open(sender, index, &rtcp_associated(clear, word), sealed)?;
                Ok((clear.len() + len, index))
            }
        }
    }

    fn check_mki(&self, wire: &[u8]) -> Result<(), SrtpError> {
        if self.keying.mki.is_none_or(|mki| is_mki(mki, wire)) { Ok(()) } else { Err(SrtpError::Unauthentic) }
    }
}

fn split_end(octets: &[u8], len: usize) -> Result<(&[u8], &[u8]), SrtpError> {
    let at = octets.len().checked_sub(len).ok_or(SrtpError::Malformed)?;
    octets.split_at_checked(at).ok_or(SrtpError::Malformed)
}

fn copy<'o>(octets: &[u8], out: &'o mut [u8]) -> Result<&'o mut [u8], SrtpError> {
    let out = out.get_mut(..octets.len()).ok_or(SrtpError::NoRoom)?;
    out.copy_from_slice(octets);
    Ok(out)
}
