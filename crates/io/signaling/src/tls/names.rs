use std::collections::BTreeMap;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::{CertificateFiles, TlsError};

/// Certificates by the name that a client asks for.
#[derive(Debug)]
pub(super) struct Names {
    default: Option<Arc<CertifiedKey>>,
    exact: BTreeMap<String, Arc<CertifiedKey>>,
    /// By what follows `*.`.
    wild: BTreeMap<String, Arc<CertifiedKey>>,
}

impl Names {
    pub(super) const fn new(default: Option<Arc<CertifiedKey>>) -> Self {
        Names { default, exact: BTreeMap::new(), wild: BTreeMap::new() }
    }

    pub(super) const fn default(&self) -> Option<&Arc<CertifiedKey>> {
        self.default.as_ref()
    }

    pub(super) fn add(&mut self, name: &str, key: Arc<CertifiedKey>) {
        match name.strip_prefix("*.") {
            Some(parent) => self.wild.insert(parent.to_owned(), key),
            None => self.exact.insert(name.to_owned(), key),
        };
    }

    fn find(&self, name: &str) -> Option<&Arc<CertifiedKey>> {
        let name = name.to_ascii_lowercase();
        let wild = || name.split_once('.').and_then(|(_, parent)| self.wild.get(parent));
        self.exact.get(&name).or_else(wild)
    }
}

impl ResolvesServerCert for Names {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        hello.server_name().and_then(|name| self.find(name)).or(self.default.as_ref()).cloned()
    }
}

/// Is the certificate for that name?
pub(super) fn covers(key: &CertifiedKey, name: &str, files: &CertificateFiles) -> Result<(), TlsError> {
    let unfit = || TlsError::Name { certificate: files.certificate.clone(), name: name.to_owned() };
    // A name that the wildcard stands for.
    let asked = name.replace('*', "any");
    let asked = ServerName::try_from(asked.as_str()).map_err(|_| unfit())?;
    let certificate = key.end_entity_cert().and_then(ParsedCertificate::try_from).map_err(|_| unfit())?;
    rustls::client::verify_server_name(&certificate, &asked).map_err(|_| unfit())
}
