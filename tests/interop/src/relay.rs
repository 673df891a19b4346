use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::phone::next_message;
use crate::{Transport, address};

/// Lets who speaks SIP over TCP alone reach a server over TLS, WS or WSS: each connection to it becomes one of those.
///
/// It believes any certificate, as phones are often told to.
pub struct Relay {
    at: SocketAddr,
    /// Dropped with this: the relay and its connections end.
    _stop: oneshot::Sender<()>,
}

impl Relay {
    /// Starts it towards `server`.
    pub fn start(over: Transport, server: SocketAddr) -> Self {
        let listener = std::net::TcpListener::bind((address(), 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let at = listener.local_addr().unwrap();
        let (_stop, stopped) = oneshot::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = accept(TcpListener::from_std(listener).unwrap(), over, server) => {}
                    // Sent or dropped, it means the same.
                    _ = stopped => {}
                }
            });
        });
        Relay { at, _stop }
    }

    /// Where it takes TCP connections.
    pub fn at(&self) -> SocketAddr {
        self.at
    }
}

async fn accept(listener: TcpListener, over: Transport, server: SocketAddr) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(async move {
            // A connection that fails is seen as closed by its client.
            let _ = relay(client, over, server).await;
        });
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

async fn relay(mut client: TcpStream, over: Transport, server: SocketAddr) -> std::io::Result<()> {
    let tcp = TcpStream::connect(server).await?;
    tcp.set_nodelay(true)?;
    client.set_nodelay(true)?;
    let mut stream: Box<dyn Stream> = match over {
        Transport::Tls | Transport::Wss => {
            Box::new(TlsConnector::from(gullible()).connect(ServerName::from(server.ip()), tcp).await?)
        }
        Transport::Udp | Transport::Tcp | Transport::Ws => Box::new(tcp),
    };
    match over {
        Transport::Ws | Transport::Wss => converse(client, stream).await,
        Transport::Udp | Transport::Tcp | Transport::Tls => {
            copy_bidirectional(&mut client, &mut stream).await.map(drop)
        }
    }
}

/// One SIP message is one WebSocket message (RFC 7118 §4.2).
async fn converse(mut client: TcpStream, stream: Box<dyn Stream>) -> std::io::Result<()> {
    let other = std::io::Error::other::<tokio_tungstenite::tungstenite::Error>;
    let mut request = "ws://tandem.example/".into_client_request().map_err(other)?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("sip"));
    let (mut socket, _) = client_async(request, stream).await.map_err(other)?;
    let (mut pending, mut chunk) = (Vec::new(), [0; 4_096]);
    loop {
        tokio::select! {
            read = client.read(&mut chunk) => match read? {
                0 => return socket.close(None).await.map_err(other),
                n => {
                    pending.extend_from_slice(&chunk[..n]);
                    while let Some(message) = next_message(&mut pending) {
                        socket.send(Message::binary(message)).await.map_err(other)?;
                    }
                }
            },
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => client.write_all(text.as_bytes()).await?,
                Some(Ok(Message::Binary(bytes))) => client.write_all(&bytes).await?,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(()),
            },
        }
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn gullible() -> Arc<ClientConfig> {
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
