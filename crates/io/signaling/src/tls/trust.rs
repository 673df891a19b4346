use std::path::Path;
use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SignatureScheme};

use super::credentials::certificates;
use super::names::Names;
use super::{ClientCertificates, TlsError};

/// Those who may sign, from a file.
pub(super) fn read(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|source| TlsError::Unusable { path: path.to_owned(), source })?;
    }
    Ok(roots)
}

/// Whom the system trusts. What it has that cannot be read is passed over: others have to live with it too.
fn system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// For those who connect to us: TLS 1.2 or 1.3.
pub(super) fn server(
    names: Names,
    clients: &ClientCertificates,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?;
    let builder = match verifier(clients, provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    Ok(Arc::new(builder.with_cert_resolver(Arc::new(names))))
}

fn verifier(
    clients: &ClientCertificates,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
    let Some(ca) = clients.ca() else { return Ok(None) };
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(read(ca)?), provider.clone());
    let builder = match clients {
        ClientCertificates::Required(_) => builder,
        _ => builder.allow_unauthenticated(),
    };
    let verifier =
        builder.build().map_err(|error| TlsError::Setup(rustls::Error::General(error.to_string())))?;
    Ok(Some(verifier))
}

/// For those whom we connect to: their certificate must be for the name that was asked for.
pub(super) fn client(
    ca: Option<&Path>,
    own: Option<&Arc<CertifiedKey>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<ClientConfig>, TlsError> {
    let roots = ca.map_or_else(|| Ok(system()), read)?;
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?
        .with_root_certificates(roots);
    Ok(Arc::new(match own {
        Some(key) => builder.with_client_cert_resolver(Arc::new(Own(key.clone()))),
        None => builder.with_no_client_auth(),
    }))
}

/// Our certificate, for servers that ask for one.
#[derive(Debug)]
struct Own(Arc<CertifiedKey>);

impl ResolvesClientCert for Own {
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.key.choose_scheme(schemes).map(|_| self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}
