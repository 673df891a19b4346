//! Certificates, and TLS and WebSocket peers.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's set-up fails as a test does"
)]

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
use tandem_signaling::tls::CertificateFiles;
use tandem_sip::{Frame, Message, Request, Response, StreamFramer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, server};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Ws;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request as Upgrade;

use super::PATIENCE;

/// Signs certificates, and keeps them in a folder of its own.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub folder: tempfile::TempDir,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Authority { issuer, folder }
    }

    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Signs a certificate for these names, into `FILE.pem` and `FILE.key`.
    pub fn sign(&self, file: &str, names: &[&str]) -> CertificateFiles {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &self.issuer).unwrap();
        let files = CertificateFiles {
            certificate: self.path(&format!("{file}.pem")),
            key: self.path(&format!("{file}.key")),
        };
        fs::write(&files.certificate, certificate.pem()).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }
}

pub fn first_certificate(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path).unwrap()
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// A client that believes those of `ca`, and shows `own`.
pub fn client(ca: &Path, own: Option<&CertificateFiles>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(first_certificate(ca)).unwrap();
    let builder =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let builder = builder.with_root_certificates(roots);
    Arc::new(match own {
        None => builder.with_no_client_auth(),
        Some(own) => {
            let key = PrivateKeyDer::from_pem_file(&own.key).unwrap();
            builder.with_client_auth_cert(vec![first_certificate(&own.certificate)], key).unwrap()
        }
    })
}

/// A client that believes anybody, as phones do with self-signed certificates.
pub fn gullible() -> Arc<ClientConfig> {
    let builder =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody)).with_no_client_auth())
}

#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

/// A TLS connection, as a client.
pub async fn shake(
    address: SocketAddr,
    name: &str,
    config: Arc<ClientConfig>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let shaking = TlsConnector::from(config).connect(name, stream);
    timeout(PATIENCE, shaking).await.expect("a handshake in time")
}

/// A SIP server over TLS.
pub struct Server {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Server {
    /// Shows this certificate.
    pub async fn with(files: &CertificateFiles) -> Self {
        let key = PrivateKeyDer::from_pem_file(&files.key).unwrap();
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![first_certificate(&files.certificate)], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Server { listener, acceptor: TlsAcceptor::from(Arc::new(config)) }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// The next who connects, or why that came to nothing.
    pub async fn accept(&self) -> std::io::Result<Framed<server::TlsStream<TcpStream>>> {
        let accepting = async {
            let (stream, _) = self.listener.accept().await?;
            self.acceptor.accept(stream).await
        };
        timeout(PATIENCE, accepting).await.expect("a connection in time").map(Framed::over)
    }
}

/// SIP over any stream.
pub struct Framed<S> {
    pub stream: S,
    framer: StreamFramer,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Framed<S> {
    pub fn over(stream: S) -> Self {
        Framed { stream, framer: StreamFramer::new() }
    }

    pub async fn send(&mut self, message: impl AsRef<[u8]>) {
        self.stream.write_all(message.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    async fn message(&mut self) -> Message {
        loop {
            if let Some(Frame::Message(bytes)) = self.framer.next_frame().unwrap() {
                return Message::parse(bytes).unwrap();
            }
            let mut buffer = [0; 4_096];
            let n = timeout(PATIENCE, self.stream.read(&mut buffer)).await.expect("octets in time").unwrap();
            assert_ne!(n, 0, "closed instead of a message");
            self.framer.push(&buffer[..n]);
        }
    }

    pub async fn receive(&mut self) -> Response {
        let Message::Response(response) = self.message().await else { panic!("a response") };
        response
    }

    pub async fn receive_request(&mut self) -> Request {
        let Message::Request(request) = self.message().await else { panic!("a request") };
        request
    }
}

/// A WebSocket peer.
pub struct Browser<S>(pub WebSocketStream<S>);

impl Browser<TcpStream> {
    pub async fn to(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap(), "ws").await
    }
}

/// What a browser asks for.
pub fn upgrade(scheme: &str) -> Upgrade {
    let mut request = format!("{scheme}://tandem.example/").into_client_request().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", "sip".parse().unwrap());
    request.headers_mut().insert("Origin", "https://web.example".parse().unwrap());
    request
}

impl<S: AsyncRead + AsyncWrite + Unpin> Browser<S> {
    pub async fn over(stream: S, scheme: &str) -> Self {
        let upgraded = tokio_tungstenite::client_async(upgrade(scheme), stream);
        let (socket, answer) = timeout(PATIENCE, upgraded).await.expect("an upgrade in time").unwrap();
        assert_eq!(answer.headers().get("Sec-WebSocket-Protocol").unwrap(), "sip");
        Browser(socket)
    }

    pub async fn send(&mut self, message: impl Into<String>) {
        self.0.send(Ws::text(message.into())).await.unwrap();
    }

    /// The next that is neither ping nor pong.
    pub async fn next(&mut self) -> Ws {
        loop {
            let next = timeout(PATIENCE, self.0.next()).await.expect("a message in time");
            match next.expect("a message").unwrap() {
                Ws::Ping(_) | Ws::Pong(_) => {}
                message => return message,
            }
        }
    }

    pub async fn receive(&mut self) -> Response {
        let Message::Response(response) = parse(self.next().await) else { panic!("a response") };
        response
    }

    pub async fn receive_request(&mut self) -> Request {
        let Message::Request(request) = parse(self.next().await) else { panic!("a request") };
        request
    }
}

fn parse(message: Ws) -> Message {
    let bytes: Bytes = match message {
        Ws::Text(text) => text.into(),
        Ws::Binary(bytes) => bytes,
        other => panic!("{other:?}"),
    };
    Message::parse(bytes).unwrap()
}
