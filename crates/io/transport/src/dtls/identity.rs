use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use dimpl::{Config, DtlsCertificate};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use tandem_base::{Entropy, Fingerprint, HashFunction, Time};
use thiserror::Error;

/// How long a certificate is given to new legs.
const RENEWAL: Duration = Duration::from_secs(7 * 24 * 3_600);

/// A certificate could not be made: the machine's cryptography fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no self-signed certificate can be made")]
pub struct IdentityError;

/// A self-signed ECDSA (P-256) certificate with its key: what a DTLS peer knows us by.
pub struct Identity {
    certificate: DtlsCertificate,
    // Checked thoroughly when made, which takes longer than a handshake: once for all legs. With a cookie, without.
    configs: [Arc<Config>; 2],
    fingerprints: Vec<Fingerprint>,
    made: Time,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.fingerprints).finish()
    }
}

impl Identity {
    /// A new one. Its validity covers all times that a certificate can name: peers go by the fingerprint (RFC 8122 §6.2),
    /// and one with a clock that is wrong has to be let in.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn generate(entropy: &mut impl Entropy, now: Time) -> Result<Self, IdentityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|_| IdentityError)?;
        let mut params = CertificateParams::new(Vec::new()).map_err(|_| IdentityError)?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Tandem");
        // Some peers refuse two certificates of one issuer and equal serial numbers.
        let mut serial = [0; 16];
        entropy.fill(&mut serial);
        params.serial_number = Some(serial.to_vec().into());
        let certificate = params.self_signed(&key).map_err(|_| IdentityError)?.der().to_vec();
        let fingerprints = [HashFunction::Sha256, HashFunction::Sha384, HashFunction::Sha512]
            .iter()
            .filter_map(|hash| fingerprint(*hash, &certificate))
            .collect();
        let certificate = DtlsCertificate { certificate, private_key: key.serialize_der() };
        let config = |cookie| Config::builder().use_server_cookie(cookie).build().map(Arc::new);
        let configs = [config(true).map_err(|_| IdentityError)?, config(false).map_err(|_| IdentityError)?];
        Ok(Identity { certificate, configs, fingerprints, made: now })
    }

    /// Of the certificate, SHA-256 first, which every peer has.
    pub fn fingerprints(&self) -> &[Fingerprint] {
        &self.fingerprints
    }

    pub(super) fn for_dtls(&self, cookie: bool) -> (Arc<Config>, DtlsCertificate) {
        let [with, without] = &self.configs;
        let config = if cookie { with } else { without };
        (config.clone(), self.certificate.clone())
    }
}

/// The process's identities: one at a time for new legs, renewed in time. Legs keep the one that they began with.
#[derive(Clone, Debug, Default)]
pub struct Identities(Option<Arc<Identity>>);

impl Identities {
    /// None is made yet.
    pub const fn new() -> Self {
        Identities(None)
    }

    /// That for a new leg: the last one, or a new one once that is a week old.
    ///
    /// # Errors
    /// [`IdentityError`], where there is none at all; otherwise the old one does longer.
    pub fn current(&mut self, entropy: &mut impl Entropy, now: Time) -> Result<Arc<Identity>, IdentityError> {
        if let Some(identity) = &self.0
            && now.since(identity.made) < RENEWAL
        {
            return Ok(identity.clone());
        }
        let made = Identity::generate(entropy, now).map(Arc::new);
        let identity = match (made, &self.0) {
            (Ok(identity), _) => identity,
            (Err(_), Some(old)) => old.clone(),
            (Err(error), None) => return Err(error),
        };
        self.0 = Some(identity.clone());
        Ok(identity)
    }
}

/// The certificate must have one of the fingerprints of the strongest hash function among them (RFC 8122 §5).
pub(super) fn certificate_fits(der: &[u8], expected: &[Fingerprint]) -> bool {
    let Some(strongest) = expected.iter().map(Fingerprint::hash).max() else { return false };
    let Some(actual) = fingerprint(strongest, der) else { return false };
    expected.iter().take(Fingerprint::MAX).any(|fingerprint| *fingerprint == actual)
}

fn fingerprint(hash: HashFunction, der: &[u8]) -> Option<Fingerprint> {
    let algorithm = match hash {
        HashFunction::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        HashFunction::Sha224 => &digest::SHA224,
        HashFunction::Sha256 => &digest::SHA256,
        HashFunction::Sha384 => &digest::SHA384,
        HashFunction::Sha512 => &digest::SHA512,
    };
    Fingerprint::new(hash, digest::digest(algorithm, der).as_ref())
}
