//! What comes before a connection speaks SIP: TLS, and the upgrade to WebSocket.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tandem_sip::ua::Protocol;
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use crate::tls::Tls;
use crate::websocket::{Socket, upgrade};

/// A connection that an accepted one has become.
#[derive(Debug)]
pub(crate) enum Accepted {
    Tcp(TcpStream),
    Tls(Box<server::TlsStream<TcpStream>>),
    Ws(Box<Socket<TcpStream>>),
    Wss(Box<Socket<server::TlsStream<TcpStream>>>),
}

/// Does what the protocol of a listener asks for first.
pub(crate) async fn accept(
    stream: TcpStream,
    protocol: Protocol,
    tls: Option<&Arc<Tls>>,
) -> io::Result<Accepted> {
    match protocol {
        Protocol::Tls => Ok(Accepted::Tls(Box::new(shake(stream, tls).await?))),
        Protocol::Ws => Ok(Accepted::Ws(Box::new(upgrade(stream).await?))),
        Protocol::Wss => Ok(Accepted::Wss(Box::new(upgrade(shake(stream, tls).await?).await?))),
        Protocol::Tcp | Protocol::Udp => Ok(Accepted::Tcp(stream)),
    }
}

async fn shake(stream: TcpStream, tls: Option<&Arc<Tls>>) -> io::Result<server::TlsStream<TcpStream>> {
    // Asked for anew each time, so that a reloaded certificate is used from now on.
    let config = tls.and_then(|tls| tls.server()).ok_or(io::ErrorKind::Unsupported)?;
    TlsAcceptor::from(config).accept(stream).await
}

/// As a client; the server must prove that it is `name`, or else that address (RFC 5922 §7.2).
pub(crate) async fn connect_tls(
    stream: TcpStream,
    address: IpAddr,
    name: Option<&str>,
    tls: Option<&Arc<Tls>>,
) -> io::Result<client::TlsStream<TcpStream>> {
    let name = match name {
        Some(name) => ServerName::try_from(name.to_owned()).map_err(|_| io::ErrorKind::InvalidInput)?,
        None => ServerName::from(address.to_canonical()),
    };
    let config = tls.ok_or(io::ErrorKind::Unsupported)?.client();
    TlsConnector::from(config).connect(name, stream).await
}
