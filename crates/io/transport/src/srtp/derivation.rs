use aws_lc_rs::cipher::{AES_128, AES_192, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};

use super::SrtpError;

/// What a session key is for (RFC 3711 §4.3.1, §4.3.2); those of RTCP are 3 higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Encryption = 0,
    Authentication = 1,
    Salt = 2,
}

/// AES in counter mode under this key; `None` where its length is none of AES.
pub fn counter_mode(key: &[u8]) -> Option<EncryptingKey> {
    let algorithm = match key.len() {
        16 => &AES_128,
        24 => &AES_192,
        32 => &AES_256,
        _ => return None,
    };
    EncryptingKey::ctr(UnboundCipherKey::new(algorithm, key).ok()?).ok()
}

/// Encrypts or decrypts in place.
pub fn apply(key: &EncryptingKey, iv: [u8; 16], octets: &mut [u8]) -> Result<(), SrtpError> {
    let context = EncryptionContext::Iv128(iv.into());
    key.less_safe_encrypt(octets, context).map(|_| ()).map_err(|_| SrtpError::NoKey)
}

/// The first `N` octets that the PRF gives for one purpose, at a key derivation rate of 0 (RFC 3711 §4.3.3; RFC 6188 §3
/// for longer keys; RFC 7714 §11 for the shorter salt, which is filled up with zeros).
pub fn derive<const N: usize>(
    master: &EncryptingKey,
    salt: &[u8],
    purpose: Purpose,
    rtcp: bool,
) -> Result<[u8; N], SrtpError> {
    let mut iv = [0; 16];
    iv.get_mut(..salt.len()).ok_or(SrtpError::NoKey)?.copy_from_slice(salt);
    let [.., label, _, _, _, _, _, _, _, _] = &mut iv;
    *label ^= purpose as u8 + if rtcp { 3 } else { 0 };
    let mut octets = [0; N];
    apply(master, iv, &mut octets)?;
    Ok(octets)
}
