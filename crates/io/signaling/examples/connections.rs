//! Opens many WebSocket connections to a server, one request over each, and holds them until its input ends.
//!
//! `connections ADDRESS:PORT NUMBER`: prints `open` once all stand. Sources are 127.8.0.1 and up, 1,000 connections
//! from each.
#![allow(clippy::print_stdout, reason = "a program for scripts")]

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

const PER_SOURCE: u32 = 1_000;

const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address: SocketAddr = arguments.next().ok_or("which address?")?.parse()?;
    let number: u32 = arguments.next().ok_or("how many?")?.parse()?;
    let mut held = Vec::new();
    for n in 0..number {
        held.push(connection(address, n).await?);
    }
    println!("open");
    // Pings are not answered: the server lets them go after a minute and a half.
    tokio::task::spawn_blocking(|| std::io::read_to_string(std::io::stdin())).await??;
    drop(held);
    Ok(())
}

async fn connection(address: SocketAddr, n: u32) -> Result<TcpStream, Box<dyn Error>> {
    let socket = TcpSocket::new_v4()?;
    let source = Ipv4Addr::from_bits(Ipv4Addr::new(127, 8, 0, 1).to_bits() + n / PER_SOURCE);
    socket.bind(SocketAddr::new(source.into(), 0))?;
    let mut stream = socket.connect(address).await?;
    let options = format!(
        "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/WS a.invalid;branch=z9hG4bK{n}\r\nMax-Forwards: 70\r\n\
         From: <sip:a@a.invalid>;tag={n}\r\nTo: <sip:a@b>\r\nCall-ID: {n}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    );
    // A text frame, masked with zeros (RFC 6455 §5.2).
    let length = u16::try_from(options.len())?.to_be_bytes();
    let frame = [&[0x81, 0x80 | 126], &length[..], &[0; 4], options.as_bytes()].concat();
    stream.write_all(UPGRADE.as_bytes()).await?;
    stream.write_all(&frame).await?;
    let mut heard = Vec::new();
    while !heard.windows(6).any(|six| six == b"\r\n\r\n\x81\x7e") || !heard.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut heard).await? == 0 {
            return Err(format!("connection {n} was closed: {}", heard.escape_ascii()).into());
        }
    }
    Ok(stream)
}
