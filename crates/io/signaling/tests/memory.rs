//! What a silent connection costs: 16 KiB at the most, of this process's own memory.
//!
//! Alone in its binary, so that nothing else allocates meanwhile. Client and server share the process; the clients are
//! plain sockets without buffers.

#![allow(clippy::print_stdout, reason = "a figure for whoever asks with --nocapture")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's set-up fails as a test does"
)]

mod common;

use std::fs;
use std::net::SocketAddr;

use common::{PATIENCE, Running, config, options, reaches};
use tandem_signaling::{Counters, ListenerConfig, StreamLimits};
use tandem_sip::ua::Protocol;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const CONNECTIONS: usize = 400;
const ALLOWED: usize = 16 * 1024;

/// Octets of memory that are ours alone.
fn resident() -> usize {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1_024
}

const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n";

/// A text frame, masked with zeros (RFC 6455 §5.2).
fn frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81, 0x80 | 126];
    frame.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}

/// A connection over which one request was answered, silent since.
async fn silent(address: SocketAddr, protocol: Protocol, n: usize) -> TcpStream {
    let mut peer = TcpStream::connect(address).await.unwrap();
    let text = options(&format!("{protocol} a.invalid"), &format!("m{n}"));
    let octets = match protocol {
        Protocol::Ws => [UPGRADE.as_bytes(), &frame(&text)].concat(),
        _ => text.into_bytes(),
    };
    peer.write_all(&octets).await.unwrap();
    let mut heard = Vec::with_capacity(2_048);
    let answered = async {
        while !heard.windows(4).any(|four| four == b"200 ") {
            assert_ne!(peer.read_buf(&mut heard).await.unwrap(), 0);
        }
    };
    timeout(PATIENCE, answered).await.expect("an answer in time");
    peer
}

#[tokio::test]
async fn a_silent_connection_costs_little() {
    let mut config = config("127.0.0.1", StreamLimits::default());
    let address = "127.0.0.1:0".parse().unwrap();
    config.listeners.push(ListenerConfig { protocol: Protocol::Ws, address, advertise: None });
    let tandem = Running::with(config, 16);
    for protocol in [Protocol::Tcp, Protocol::Ws] {
        let address = tandem.address(protocol);
        // What is allocated once, whatever the number.
        let mut held = Vec::new();
        for n in 0..50 {
            held.push(silent(address, protocol, n).await);
        }
        let before = resident();
        for n in 0..CONNECTIONS {
            held.push(silent(address, protocol, 50 + n).await);
        }
        let each = resident().saturating_sub(before) / CONNECTIONS;
        println!("{protocol}: {each} octets each");
        assert!(each <= ALLOWED, "{protocol}: {each} octets each");
        assert!(Counters::get(&tandem.counters.connections_open) >= held.len() as u64);
    }
    reaches(&tandem.counters.stream_messages, 2 * (50 + CONNECTIONS as u64)).await;
}
