use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::g711::{alaw_to, ulaw_to};
use crate::{Recording, address, free_port};

/// Stands between a client that cannot record and the server: relays SIP and RTP and keeps the sound.
///
/// SIP over UDP, one call, PCMU or PCMA. The media addresses in offer and answer are replaced by its own, so
/// that both ends send their RTP through it; RTCP on a port of its own goes nowhere.
pub struct Tap {
    at: SocketAddr,
    stop: Arc<AtomicBool>,
    to_client: Arc<Mutex<Vec<i16>>>,
}

/// Two sockets, one for either end, and where these ends are.
struct Relay {
    client_side: UdpSocket,
    server_side: UdpSocket,
    client: Mutex<Option<SocketAddr>>,
    server: Mutex<Option<SocketAddr>>,
}

impl Relay {
    fn new(ip: Ipv4Addr) -> Arc<Self> {
        let socket = || {
            let socket = UdpSocket::bind((ip, free_port(ip))).unwrap();
            socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            socket
        };
        Arc::new(Relay {
            client_side: socket(),
            server_side: socket(),
            client: Mutex::default(),
            server: Mutex::default(),
        })
    }
}

impl Tap {
    /// Relays to the server at `server`.
    pub fn new(server: SocketAddr) -> Self {
        let ip = address();
        let (sip, rtp) = (Relay::new(ip), Relay::new(ip));
        *sip.server.lock().unwrap() = Some(server);
        let at = sip.client_side.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let to_client = Arc::new(Mutex::new(Vec::new()));
        relay_signalling(&sip, &rtp, &stop);
        relay_media(&rtp, &stop, &to_client);
        Tap { at, stop, to_client }
    }

    /// Where the client finds the server.
    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// What the client was sent, in order of arrival.
    pub fn heard(&self) -> Recording {
        Recording { rate: 8_000, samples: self.to_client.lock().unwrap().clone() }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn relay_signalling(sip: &Arc<Relay>, rtp: &Arc<Relay>, stop: &Arc<AtomicBool>) {
    let (s, r) = (sip.clone(), rtp.clone());
    pump(stop, move |buffer| {
        let Ok((n, from)) = s.client_side.recv_from(buffer) else { return };
        *s.client.lock().unwrap() = Some(from);
        let (message, media) = divert(&buffer[..n], r.server_side.local_addr().unwrap());
        if media.is_some() {
            *r.client.lock().unwrap() = media;
        }
        pass(&s.server_side, &s.server, &message);
    });
    let (s, r) = (sip.clone(), rtp.clone());
    pump(stop, move |buffer| {
        let Ok((n, _)) = s.server_side.recv_from(buffer) else { return };
        let (message, media) = divert(&buffer[..n], r.client_side.local_addr().unwrap());
        if media.is_some() {
            *r.server.lock().unwrap() = media;
        }
        pass(&s.client_side, &s.client, &message);
    });
}

fn relay_media(rtp: &Arc<Relay>, stop: &Arc<AtomicBool>, heard: &Arc<Mutex<Vec<i16>>>) {
    let r = rtp.clone();
    pump(stop, move |buffer| {
        let Ok((n, from)) = r.client_side.recv_from(buffer) else { return };
        *r.client.lock().unwrap() = Some(from);
        pass(&r.server_side, &r.server, &buffer[..n]);
    });
    let (r, heard) = (rtp.clone(), heard.clone());
    pump(stop, move |buffer| {
        let Ok((n, _)) = r.server_side.recv_from(buffer) else { return };
        heard.lock().unwrap().extend(decode(&buffer[..n]));
        pass(&r.client_side, &r.client, &buffer[..n]);
    });
}

fn pump(stop: &Arc<AtomicBool>, mut step: impl FnMut(&mut [u8]) + Send + 'static) {
    let stop = stop.clone();
    std::thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        while !stop.load(Ordering::Relaxed) {
            step(&mut buffer);
        }
    });
}

fn pass(socket: &UdpSocket, to: &Mutex<Option<SocketAddr>>, bytes: &[u8]) {
    if let Some(to) = *to.lock().unwrap() {
        let _ = socket.send_to(bytes, to);
    }
}

/// The message with the SDP's address and port replaced by `ours`, and what they were.
///
/// Content-Length is written anew, since the address may be of another length.
fn divert(message: &[u8], ours: SocketAddr) -> (Vec<u8>, Option<SocketAddr>) {
    let text = String::from_utf8_lossy(message);
    let parts = text.split_once("\r\n\r\n").filter(|(_, body)| body.contains("m=audio "));
    let Some((head, body)) = parts else { return (message.to_vec(), None) };
    let mut ip = None;
    let mut port = None;
    let mut out = String::new();
    for line in body.lines() {
        if let Some(value) = line.strip_prefix("c=IN IP4 ") {
            ip = value.trim().parse().ok();
            out += &format!("c=IN IP4 {}\r\n", ours.ip());
        } else if let Some((value, rest)) = line.strip_prefix("m=audio ").and_then(|v| v.split_once(' ')) {
            port = value.parse().ok();
            out += &format!("m=audio {} {rest}\r\n", ours.port());
        } else if !line.starts_with("a=rtcp:") {
            out += &format!("{line}\r\n");
        }
    }
    let head = head.split("\r\n").map(|line| match line.split_once(':') {
        Some((name, _)) if name.trim().eq_ignore_ascii_case("content-length") => {
            format!("{name}: {}\r\n", out.len())
        }
        _ => format!("{line}\r\n"),
    });
    let diverted = head.collect::<String>() + "\r\n" + &out;
    (diverted.into_bytes(), ip.zip(port).map(|(ip, port): (Ipv4Addr, u16)| (ip, port).into()))
}

fn decode(packet: &[u8]) -> Vec<i16> {
    let law = match packet.get(1).map(|kind| kind & 0x7f) {
        Some(0) => ulaw_to,
        Some(8) => alaw_to,
        _ => return Vec::new(),
    };
    let header = 12 + 4 * usize::from(packet[0] & 0x0f);
    packet.get(header..).unwrap_or_default().iter().map(|octet| law(*octet)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_address_is_replaced_and_the_length_is_right() {
        let message = b"INVITE x SIP/2.0\r\nContent-Length: 1\r\n\r\nv=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n";
        let (diverted, was) = divert(message, "127.10.20.30:26000".parse().unwrap());
        assert_eq!(was, Some("127.0.0.1:4000".parse().unwrap()));
        let text = String::from_utf8(diverted).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, "v=0\r\nc=IN IP4 127.10.20.30\r\nm=audio 26000 RTP/AVP 0\r\n");
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())), "{head}");
    }
}
