use std::io;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem;

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// There is no such file, or we may not read it.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not PEM.
    #[error("{} is not PEM: {source}", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: pem::Error,
    },
    /// It holds no certificate.
    #[error("{} holds no certificate", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// It holds no private key.
    #[error("{} holds no private key", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// It holds something that cannot be used.
    #[error("{} cannot be used: {source}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
    /// Certificate and key are not of one pair.
    #[error("the key in {} does not belong to the certificate in {}", key.display(), certificate.display())]
    Mismatch {
        /// One file.
        certificate: PathBuf,
        /// The other.
        key: PathBuf,
    },
    /// The certificate is not for the name that it is to be shown for.
    #[error("the certificate in {} is not for {name}", certificate.display())]
    Name {
        /// The file.
        certificate: PathBuf,
        /// The name.
        name: String,
    },
    /// A self-signed certificate cannot be kept.
    #[error("{} cannot be written: {source}", path.display())]
    Unwritable {
        /// File or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A self-signed certificate cannot be made.
    #[error("no certificate can be made for {}: {source}", names.join(", "))]
    Making {
        /// What it was to be for.
        names: Vec<String>,
        /// What is wrong.
        source: rcgen::Error,
    },
    /// The protocols or the trust do not fit together.
    #[error("TLS cannot be set up: {0}")]
    Setup(rustls::Error),
}

impl TlsError {
    /// The file that is to blame.
    pub fn path(&self) -> Option<&Path> {
        match self {
            TlsError::Unreadable { path, .. }
            | TlsError::NotPem { path, .. }
            | TlsError::NoCertificate { path }
            | TlsError::NoKey { path }
            | TlsError::Unusable { path, .. }
            | TlsError::Unwritable { path, .. } => Some(path),
            TlsError::Mismatch { key, .. } => Some(key),
            TlsError::Name { certificate, .. } => Some(certificate),
            TlsError::Making { .. } | TlsError::Setup(_) => None,
        }
    }

    /// What would be right, in a sentence without a full stop.
    pub const fn help(&self) -> &'static str {
        match self {
            TlsError::Unreadable { .. } => "name a file that is there and that Tandem may read",
            TlsError::NotPem { .. } | TlsError::NoCertificate { .. } => {
                "write PEM: -----BEGIN CERTIFICATE-----, the server's own first, then those that signed it"
            }
            TlsError::NoKey { .. } => "write PEM: -----BEGIN PRIVATE KEY-----, not encrypted",
            TlsError::Unusable { .. } => {
                "use RSA, ECDSA (P-256, P-384, P-521) or Ed25519, in X.509 version 3"
            }
            TlsError::Mismatch { .. } => "name the key that the certificate was made for",
            TlsError::Name { .. } => "name a certificate whose subjectAltName has that name",
            TlsError::Unwritable { .. } => "let tls.directory name a directory that Tandem may write to",
            TlsError::Making { .. } | TlsError::Setup(_) => "configure tls.certificate and tls.key",
        }
    }
}
