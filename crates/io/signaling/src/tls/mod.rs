//! Certificates for TLS and WSS, reloaded while connections stay up, and trust for connections of ours.

mod credentials;
mod error;
mod names;
mod self_signed;
mod trust;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, ServerConfig};

pub use error::TlsError;
pub use self_signed::SelfSigned;

use names::Names;

/// Which certificates to show, and whom to believe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// Shown to whoever asks for none of the names below; without it nothing can be listened on.
    pub certificate: Option<Certificate>,
    /// Shown to those who ask for a name (SNI, RFC 6066 §3).
    pub hosts: Vec<HostCertificate>,
    /// Whether those who connect must show a certificate.
    pub clients: ClientCertificates,
    /// PEM: who must have signed the certificates of servers that we connect to. `None` is whom the system trusts.
    pub servers_ca: Option<PathBuf>,
}

/// Where a certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// From files. It is also shown to servers that ask us for one.
    Files(CertificateFiles),
    /// Made by ourselves.
    SelfSigned(SelfSigned),
}

/// A certificate with its chain, and its private key; both PEM, maybe in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, then those that signed it.
    pub certificate: PathBuf,
    /// PKCS #8, PKCS #1 or SEC1.
    pub key: PathBuf,
}

/// A certificate for one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostCertificate {
    /// In lower case; `*.example.com` is every name one label longer than `example.com`.
    pub name: String,
    /// Must be valid for the name.
    pub files: CertificateFiles,
}

/// Whether those who connect must show a certificate, signed by one of a PEM file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificates {
    /// They are not asked.
    #[default]
    Off,
    /// They may; a wrong one ends the handshake.
    Optional(PathBuf),
    /// They must.
    Required(PathBuf),
}

/// Certificates and trust as loaded; handshakes take what is there at the time.
#[derive(Debug)]
pub struct Tls {
    config: TlsConfig,
    present: RwLock<Present>,
}

#[derive(Debug)]
struct Present {
    server: Option<Arc<ServerConfig>>,
    client: Arc<ClientConfig>,
    /// The files as they were when they were last read, or when that failed.
    seen: Vec<Option<Stamp>>,
}

/// What changes when a file is replaced: modification time and length.
type Stamp = (SystemTime, u64);

/// What [`Tls::poll`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// No file has changed.
    Unchanged,
    /// New handshakes use what the files hold now.
    Done,
    /// The files cannot be used; all is as before. The log says why.
    Failed,
}

impl Tls {
    /// Everything that is wrong with the files of a configuration; nothing is written.
    pub fn check(config: &TlsConfig) -> Vec<TlsError> {
        let provider = provider();
        let pairs = config.pairs().filter_map(|(files, name)| {
            let key = credentials::load(files, &provider);
            key.and_then(|key| name.map_or(Ok(()), |name| names::covers(&key, name, files))).err()
        });
        let client_ca = config.clients.ca().and_then(|ca| trust::read(ca).err());
        let servers_ca = config.servers_ca.as_deref().and_then(|ca| trust::read(ca).err());
        pairs.chain(client_ca).chain(servers_ca).collect()
    }

    /// Reads all files; makes a self-signed certificate where one is asked for and there is none, or where that
    /// which is there ends soon or lacks a name.
    ///
    /// # Errors
    /// The first that [`Tls::check`] would tell, or the self-signed certificate cannot be kept.
    pub fn load(config: TlsConfig) -> Result<Self, TlsError> {
        let present = RwLock::new(config.read()?);
        Ok(Tls { config, present })
    }

    /// Reads all files anew. Connections that stand are left alone; should a file be unusable, so is all else.
    ///
    /// # Errors
    /// As [`Tls::load`]; it is in the log already.
    pub fn reload(&self) -> Result<(), TlsError> {
        match self.config.read() {
            Ok(present) => {
                *self.present.write().unwrap_or_else(PoisonError::into_inner) = present;
                tracing::info!("certificates reloaded");
                Ok(())
            }
            Err(error) => {
                tracing::warn!(file = error.path().map(|path| path.display().to_string()), %error,
                    "the certificates stay as they are: a new one cannot be used");
                self.present.write().unwrap_or_else(PoisonError::into_inner).seen = self.config.stamps();
                Err(error)
            }
        }
    }

    /// Reloads if a file has changed, or a certificate of our own making is near its end. To be called now and then.
    pub fn poll(&self) -> Reload {
        let ends = match &self.config.certificate {
            Some(Certificate::SelfSigned(own)) => !own.is_good(&provider()),
            _ => false,
        };
        let changed =
            self.present.read().unwrap_or_else(PoisonError::into_inner).seen != self.config.stamps();
        match (changed || ends).then(|| self.reload()) {
            None => Reload::Unchanged,
            Some(Ok(())) => Reload::Done,
            Some(Err(_)) => Reload::Failed,
        }
    }

    /// For handshakes with those who connect; `None` without a certificate.
    pub(crate) fn server(&self) -> Option<Arc<ServerConfig>> {
        self.present.read().unwrap_or_else(PoisonError::into_inner).server.clone()
    }

    /// For handshakes with those whom we connect to.
    pub(crate) fn client(&self) -> Arc<ClientConfig> {
        self.present.read().unwrap_or_else(PoisonError::into_inner).client.clone()
    }
}

impl TlsConfig {
    /// Every pair of files, with the name it must be good for.
    fn pairs(&self) -> impl Iterator<Item = (&CertificateFiles, Option<&str>)> {
        let default = match &self.certificate {
            Some(Certificate::Files(files)) => Some((files, None)),
            _ => None,
        };
        default.into_iter().chain(self.hosts.iter().map(|host| (&host.files, Some(host.name.as_str()))))
    }

    fn paths(&self) -> impl Iterator<Item = &Path> {
        let pairs = self.pairs().flat_map(|(files, _)| [files.certificate.as_path(), files.key.as_path()]);
        pairs.chain(self.clients.ca()).chain(self.servers_ca.as_deref())
    }

    fn stamps(&self) -> Vec<Option<Stamp>> {
        let stamp = |path: &Path| {
            let seen = fs::metadata(path).ok()?;
            Some((seen.modified().ok()?, seen.len()))
        };
        self.paths().map(stamp).collect()
    }

    fn read(&self) -> Result<Present, TlsError> {
        // Before anything is read, so that what changes meanwhile is seen as changed.
        let seen = self.stamps();
        let provider = provider();
        let own = match &self.certificate {
            None => None,
            Some(Certificate::Files(files)) => Some(credentials::load(files, &provider)?),
            Some(Certificate::SelfSigned(own)) => Some(own.obtain(&provider)?),
        };
        let mut names = Names::new(own);
        for host in &self.hosts {
            let key = credentials::load(&host.files, &provider)?;
            names::covers(&key, &host.name, &host.files)?;
            names.add(&host.name, key);
        }
        let is_shown = matches!(self.certificate, Some(Certificate::Files(_)));
        let client =
            trust::client(self.servers_ca.as_deref(), names.default().filter(|_| is_shown), &provider)?;
        let server = names.default().is_some().then(|| trust::server(names, &self.clients, &provider));
        Ok(Present { server: server.transpose()?, client, seen })
    }
}

impl ClientCertificates {
    fn ca(&self) -> Option<&Path> {
        match self {
            ClientCertificates::Off => None,
            ClientCertificates::Optional(ca) | ClientCertificates::Required(ca) => Some(ca),
        }
    }
}

/// The one cryptographic library, named so that no other can slip in through a feature.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
