use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::cipher::EncryptingKey;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use tandem_base::{SrtpMaster, SrtpSuite, Ssrc};
use zeroize::{Zeroize, Zeroizing, optimization_barrier};

use super::SrtpError;
use super::derivation::{Purpose, apply, counter_mode, derive};

/// The session keys of one master key.
pub struct SessionKeys {
    pub rtp: Cipher,
    pub rtcp: Cipher,
}

/// One direction's keys for RTP or for RTCP.
pub enum Cipher {
    /// RFC 3711 §4.1.1, §4.2.1.
    Counter(Box<Counter>),
    /// RFC 7714.
    Galois(Box<Galois>),
}

pub struct Counter {
    key: EncryptingKey,
    salt: [u8; 14],
    // With its key already hashed in.
    mac: Hmac<Sha1>,
    tag: usize,
}

pub struct Galois {
    key: LessSafeKey,
    salt: [u8; NONCE_LEN],
}

/// Octets of the GCM tag (RFC 7714 §13.2).
const GCM_TAG: usize = 16;

impl SessionKeys {
    /// Derives them.
    pub fn new(suite: SrtpSuite, master: &SrtpMaster) -> Result<Self, SrtpError> {
        Ok(SessionKeys { rtp: Cipher::new(suite, master, false)?, rtcp: Cipher::new(suite, master, true)? })
    }
}

impl Cipher {
    fn new(suite: SrtpSuite, master: &SrtpMaster, rtcp: bool) -> Result<Self, SrtpError> {
        let parts = master.as_bytes().split_at_checked(suite.key_len());
        let (key, salt) = parts.filter(|(_, salt)| salt.len() == suite.salt_len()).ok_or(SrtpError::NoKey)?;
        let prf = counter_mode(key).ok_or(SrtpError::NoKey)?;
        let session: Zeroizing<[u8; 32]> = Zeroizing::new(derive(&prf, salt, Purpose::Encryption, rtcp)?);
        let session = session.get(..key.len()).ok_or(SrtpError::NoKey)?;
        if suite.is_aead() {
            return Cipher::galois(session, derive(&prf, salt, Purpose::Salt, rtcp)?);
        }
        let authentication: Zeroizing<[u8; 20]> =
            Zeroizing::new(derive(&prf, salt, Purpose::Authentication, rtcp)?);
        Ok(Cipher::Counter(Box::new(Counter {
            key: counter_mode(session).ok_or(SrtpError::NoKey)?,
            salt: derive(&prf, salt, Purpose::Salt, rtcp)?,
            mac: Hmac::new_from_slice(&*authentication).map_err(|_| SrtpError::NoKey)?,
            tag: if rtcp { suite.rtcp_tag_len() } else { suite.rtp_tag_len() },
        })))
    }

    /// With session keys.
    pub fn galois(key: &[u8], salt: [u8; NONCE_LEN]) -> Result<Self, SrtpError> {
        let algorithm = if key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
        let key = UnboundKey::new(algorithm, key).map_err(|_| SrtpError::NoKey)?;
        Ok(Cipher::Galois(Box::new(Galois { key: LessSafeKey::new(key), salt })))
    }

    /// Octets that it adds, without MKI and index word.
    pub fn tag_len(&self) -> usize {
        match self {
            Cipher::Counter(counter) => counter.tag,
            Cipher::Galois(_) => GCM_TAG,
        }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        // The cipher wipes its own key. The hash's wiping would cost every packet's copy of it, so it is overwritten.
        self.salt.zeroize();
        if let Ok(blank) = Hmac::new_from_slice(&[]) {
            self.mac = blank;
            optimization_barrier(&self.mac);
        }
    }
}

impl Drop for Galois {
    fn drop(&mut self) {
        self.salt.zeroize();
    }
}

impl Counter {
    /// RFC 3711 §4.1.1.
    fn iv(&self, ssrc: Ssrc, index: u64) -> [u8; 16] {
        let [_, _, i0, i1, i2, i3, i4, i5] = index.to_be_bytes();
        let [a, b, c, d] = ssrc.0.to_be_bytes();
        let mut iv = [0, 0, 0, 0, a, b, c, d, i0, i1, i2, i3, i4, i5, 0, 0];
        for (octet, salt) in iv.iter_mut().zip(self.salt) {
            *octet ^= salt;
        }
        iv
    }

    /// Encrypts what follows the first `clear` octets, or decrypts it.
    pub fn crypt(&self, packet: &mut [u8], clear: usize, ssrc: Ssrc, index: u64) -> Result<(), SrtpError> {
        let payload = packet.get_mut(clear..).ok_or(SrtpError::Malformed)?;
        apply(&self.key, self.iv(ssrc, index), payload)
    }

    /// Writes the tag over `authenticated` and `after` (the roll-over counter for RTP) into `tag`.
    pub fn sign(&self, authenticated: &[u8], after: &[u8], tag: &mut [u8]) {
        let mut mac = self.mac.clone();
        mac.update(authenticated);
        mac.update(after);
        for (to, from) in tag.iter_mut().zip(mac.finalize().into_bytes()) {
            *to = from;
        }
    }

    /// Compares in constant time.
    pub fn verify(&self, authenticated: &[u8], after: &[u8], tag: &[u8]) -> Result<(), SrtpError> {
        let mut mac = self.mac.clone();
        mac.update(authenticated);
        mac.update(after);
        mac.verify_truncated_left(tag).map_err(|_| SrtpError::Unauthentic)
    }
}

impl Galois {
    /// RFC 7714 §8.1 for RTP (`index` is ROC and sequence number), §9.1 for RTCP: the same shape.
    fn nonce(&self, ssrc: Ssrc, index: u64) -> Nonce {
        let [_, _, i0, i1, i2, i3, i4, i5] = index.to_be_bytes();
        let [a, b, c, d] = ssrc.0.to_be_bytes();
        let mut iv = [0, 0, a, b, c, d, i0, i1, i2, i3, i4, i5];
        for (octet, salt) in iv.iter_mut().zip(self.salt) {
            *octet ^= salt;
        }
        Nonce::assume_unique_for_key(iv)
    }

    /// Encrypts in place; gives the tag.
    pub fn seal(
        &self,
        ssrc: Ssrc,
        index: u64,
        associated: &[u8],
        plain: &mut [u8],
    ) -> Result<[u8; GCM_TAG], SrtpError> {
        let nonce = self.nonce(ssrc, index);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(associated), plain)
            .map_err(|_| SrtpError::NoKey)?;
        tag.as_ref().first_chunk().copied().ok_or(SrtpError::NoKey)
    }

    /// Checks and decrypts in place; the tag stands at the end of `sealed`.
    pub fn open(
        &self,
        ssrc: Ssrc,
        index: u64,
        associated: &[u8],
        sealed: &mut [u8],
    ) -> Result<usize, SrtpError> {
        let nonce = self.nonce(ssrc, index);
        let plain = self
            .key
            .open_in_place(nonce, Aad::from(associated), sealed)
            .map_err(|_| SrtpError::Unauthentic)?;
        Ok(plain.len())
    }
}

impl std::fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionKeys(…)")
    }
}
