use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tandem_sip::ua::{Flow, Protocol};
use tokio::net::{TcpListener, TcpStream};

use crate::Counters;
use crate::connection::{Link, serve};

/// Accepts connections until the task is dropped.
pub(crate) async fn accept(listener: TcpListener, protocol: Protocol, link: Arc<Link>) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => admit(stream, protocol, remote, &link),
            Err(error) => {
                // Mostly too many open files; the connection waits in the kernel meanwhile.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
}

fn admit(stream: TcpStream, protocol: Protocol, remote: SocketAddr, link: &Arc<Link>) {
    let Some(leave) = link.quota.take(remote.ip()) else {
        Counters::add(&link.counters.connections_refused);
        tracing::debug!(%remote, "too many connections: refused");
        return;
    };
    // What shakes no hands first is never half open.
    let half_open = (protocol != Protocol::Tcp).then(|| link.half_open.take(remote.ip()));
    if let Some(None) = half_open {
        Counters::add(&link.counters.half_open_refused);
        tracing::debug!(%remote, "too many handshakes under way: refused");
        return;
    }
    let Ok(local) = stream.local_addr() else { return };
    Counters::add(&link.counters.connections_accepted);
    let flow = Flow { id: link.next_id(), protocol, local, remote };
    tracing::debug!(%remote, flow = %flow.id, protocol = protocol.param(), "connection accepted");
    tokio::spawn(serve(stream, flow, link.clone(), leave, half_open.flatten()));
}
