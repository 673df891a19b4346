//! `[tls]`: which certificates, and whom to believe.

use std::path::{Path, PathBuf};

/// `[tls]`. Whether the files can be used is for those who read them: [`Tls::files`] tells where each is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// `certificate` and `key`; `None`: a self-signed certificate is made and kept in `directory`.
    pub certificate: Option<CertificateFiles>,
    /// Every `[[tls.host]]`; names distinct, in lower case.
    pub hosts: Vec<TlsHost>,
    /// `directory`: where a self-signed certificate is kept; `None` leaves the choice to the program.
    pub directory: Option<PathBuf>,
    /// `client_certificates` and `client_ca`.
    pub clients: ClientCertificates,
    /// `ca`: who must have signed the certificates of servers that we connect to; `None` is whom the system trusts.
    pub ca: Option<FileName>,
}

/// A certificate with its chain, and its private key; both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, then those that signed it.
    pub certificate: FileName,
    /// The private key.
    pub key: FileName,
}

/// `[[tls.host]]`: a certificate for those who ask for a name (SNI, RFC 6066 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsHost {
    /// `name`: `sip.example.com`, or `*.example.com` for all names one label longer than `example.com`.
    pub name: String,
    /// `certificate` and `key`.
    pub files: CertificateFiles,
}

/// `client_certificates`: whether those who connect must show one, and `client_ca`: who must have signed it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificates {
    /// Not asked for.
    #[default]
    Off,
    /// Asked for; one that is shown must be right.
    Optional {
        /// PEM, any number of certificates.
        ca: FileName,
    },
    /// No connection without.
    Required {
        /// PEM, any number of certificates.
        ca: FileName,
    },
}

/// A file and the place in the configuration where it is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName {
    /// As written: relative to the working directory.
    pub path: PathBuf,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// `tls.certificate`.
    pub key: String,
}

impl Tls {
    /// Every file that is named.
    pub fn files(&self) -> impl Iterator<Item = &FileName> {
        let pairs = self.certificate.iter().chain(self.hosts.iter().map(|host| &host.files));
        let client_ca = match &self.clients {
            ClientCertificates::Off => None,
            ClientCertificates::Optional { ca } | ClientCertificates::Required { ca } => Some(ca),
        };
        pairs.flat_map(|pair| [&pair.certificate, &pair.key]).chain(client_ca).chain(&self.ca)
    }

    /// Where a file is named.
    pub fn place_of(&self, path: &Path) -> Option<&FileName> {
        self.files().find(|file| file.path == path)
    }
}
