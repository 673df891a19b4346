use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::sign::CertifiedKey;

use super::{CertificateFiles, TlsError, credentials};

/// Certificate and key in one, so that they cannot be parted.
const FILE: &str = "self-signed.pem";
const DAY: Duration = Duration::from_secs(86_400);
/// Longer than that is refused by some clients (CA/Browser Forum ballot SC-22).
const VALID: Duration = DAY.saturating_mul(397);
/// A clock that is a little behind ours still finds it valid.
const BEFORE: Duration = DAY;
/// A new one is made when this much is left.
const RENEW: Duration = DAY.saturating_mul(30);

/// A certificate that nobody has signed but itself: it encrypts, but proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfSigned {
    /// Where it is kept, in a file that only its owner may read; made if need be.
    pub directory: PathBuf,
    /// Host names and IP addresses it is for; at least one.
    pub names: Vec<String>,
}

impl SelfSigned {
    /// The one that is kept, or a new one where that is missing, unusable, ends within 30 days or lacks a name.
    pub(super) fn obtain(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<CertifiedKey>, TlsError> {
        match self.kept(provider) {
            Some(kept) if self.fits(&kept, provider) => Ok(kept),
            _ => {
                self.make()?;
                tracing::info!(file = %self.path().display(), names = %self.names.join(", "),
                    "made a self-signed certificate: who connects must be told to trust it");
                credentials::load(&self.files(), provider)
            }
        }
    }

    /// Is there one that will do for a while?
    pub(super) fn is_good(&self, provider: &Arc<CryptoProvider>) -> bool {
        self.kept(provider).is_some_and(|kept| self.fits(&kept, provider))
    }

    fn kept(&self, provider: &Arc<CryptoProvider>) -> Option<Arc<CertifiedKey>> {
        credentials::load(&self.files(), provider).ok()
    }

    fn path(&self) -> PathBuf {
        self.directory.join(FILE)
    }

    fn files(&self) -> CertificateFiles {
        CertificateFiles { certificate: self.path(), key: self.path() }
    }

    /// Verifies it as a client that trusts it would, 30 days from now.
    fn fits(&self, kept: &CertifiedKey, provider: &Arc<CryptoProvider>) -> bool {
        let Ok(certificate) = kept.end_entity_cert() else { return false };
        let mut roots = RootCertStore::empty();
        let then = SystemTime::now() + RENEW;
        let Ok(then) = then.duration_since(SystemTime::UNIX_EPOCH) else { return false };
        let then = UnixTime::since_unix_epoch(then);
        if roots.add(certificate.clone().into_owned()).is_err() {
            return false;
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
        let Ok(verifier) = verifier else { return false };
        self.names.iter().all(|name| {
            let name = ServerName::try_from(name.as_str());
            name.is_ok_and(|name| verifier.verify_server_cert(certificate, &[], &name, &[], then).is_ok())
        })
    }

    fn make(&self) -> Result<(), TlsError> {
        let failed = |source| TlsError::Making { names: self.names.clone(), source };
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::new(self.names.clone()).map_err(failed)?;
        let name = self.names.first().map_or("tandem", String::as_str);
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        params.not_before = epoch + now.saturating_sub(BEFORE);
        params.not_after = epoch + (now + VALID - BEFORE);
        let certificate = params.self_signed(&key).map_err(failed)?;
        self.keep(&(certificate.pem() + &key.serialize_pem()))
    }

    /// Readable by its owner alone, and never there in part.
    fn keep(&self, text: &str) -> Result<(), TlsError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| TlsError::Unwritable { path, source }
        };
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&self.directory).map_err(failed(&self.directory))?;
        let (path, fresh) = (self.path(), self.directory.join(format!("{FILE}.new")));
        write(&fresh, text).map_err(failed(&fresh))?;
        fs::rename(&fresh, &path).map_err(failed(&path))
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    // One left behind by another run may have had another mode.
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
