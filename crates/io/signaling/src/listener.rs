use std::net::SocketAddr;
use std::time::Duration;

use tandem_sip::ua::{Flow, Protocol};
use tokio::net::{TcpListener, TcpStream};

use crate::Counters;
use crate::connection::{Link, serve};

/// Accepts connections until the task is dropped.
pub(crate) async fn accept(listener: TcpListener, link: Link) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => admit(stream, remote, &link),
            Err(error) => {
                // Mostly too many open files; the connection waits in the kernel meanwhile.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
}

fn admit(stream: TcpStream, remote: SocketAddr, link: &Link) {
    let Some(leave) = link.quota.take(remote.ip()) else {
        Counters::add(&link.counters.connections_refused);
        tracing::debug!(%remote, "too many connections: refused");
        return;
    };
    let Ok(local) = stream.local_addr() else { return };
    Counters::add(&link.counters.connections_accepted);
    let flow = Flow { id: link.next_id(), protocol: Protocol::Tcp, local, remote };
    tracing::debug!(%remote, flow = %flow.id, "connection accepted");
    let link = link.clone();
    tokio::spawn(async move { serve(stream, flow, link, leave).await });
}
