use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Mutex;
use std::time::Duration;

use super::Message;
use crate::{Relay, Transport};

/// How long [`Line::receive`] waits at most.
const TURN: Duration = Duration::from_millis(50);

/// What carries a phone's SIP.
pub(super) struct Line {
    transport: Transport,
    wire: Wire,
    /// What makes the connection one of TLS, WS or WSS.
    _relay: Option<Relay>,
}

enum Wire {
    Datagrams { socket: UdpSocket, server: SocketAddr },
    Stream { socket: TcpStream, pending: Mutex<Vec<u8>> },
}

impl Line {
    /// From this address of ours to the server.
    pub fn new(ip: IpAddr, transport: Transport, server: SocketAddr) -> Self {
        if transport == Transport::Udp {
            let socket = UdpSocket::bind((ip, 0)).unwrap();
            socket.set_read_timeout(Some(TURN)).unwrap();
            return Line { transport, wire: Wire::Datagrams { socket, server }, _relay: None };
        }
        let relay = (transport != Transport::Tcp).then(|| Relay::start(transport, server));
        let socket = TcpStream::connect(relay.as_ref().map_or(server, Relay::at)).unwrap();
        socket.set_read_timeout(Some(TURN)).unwrap();
        socket.set_nodelay(true).unwrap();
        Line { transport, wire: Wire::Stream { socket, pending: Mutex::default() }, _relay: relay }
    }

    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// Our end.
    pub fn local(&self) -> SocketAddr {
        match &self.wire {
            Wire::Datagrams { socket, .. } => socket.local_addr().unwrap(),
            Wire::Stream { socket, .. } => socket.local_addr().unwrap(),
        }
    }

    /// What Via and Contact say: those over WebSocket know no address of their own (RFC 7118 §5).
    pub fn host(&self) -> String {
        match self.transport {
            Transport::Ws | Transport::Wss => format!("phone{}.invalid", self.local().port()),
            _ => self.local().to_string(),
        }
    }

    /// The URI where we are reached.
    pub fn contact(&self) -> String {
        let parameter = match self.transport {
            Transport::Udp => "",
            Transport::Tcp => ";transport=tcp",
            Transport::Tls => ";transport=tls",
            Transport::Ws | Transport::Wss => ";transport=ws",
        };
        format!("sip:phone@{}{parameter}", self.host())
    }

    /// To the server.
    pub fn send(&self, bytes: &[u8]) {
        match &self.wire {
            Wire::Datagrams { socket, server } => drop(socket.send_to(bytes, server).unwrap()),
            Wire::Stream { socket, .. } => (&*socket).write_all(bytes).unwrap(),
        }
    }

    /// To where a request came from.
    pub fn answer(&self, bytes: &[u8], to: Option<SocketAddr>) {
        // Who asked may be gone by now.
        let _ = match (&self.wire, to) {
            (Wire::Datagrams { socket, .. }, Some(to)) => socket.send_to(bytes, to).map(drop),
            (Wire::Datagrams { socket, server }, None) => socket.send_to(bytes, server).map(drop),
            (Wire::Stream { socket, .. }, _) => (&*socket).write_all(bytes),
        };
    }

    /// The next message and, of a datagram, where it came from; `None` when none came for a moment.
    pub fn receive(&self) -> Option<(Message, Option<SocketAddr>)> {
        let mut buffer = vec![0; 65_536];
        match &self.wire {
            Wire::Datagrams { socket, .. } => {
                let (n, from) = socket.recv_from(&mut buffer).ok()?;
                Some((Message::parse(&buffer[..n])?, Some(from)))
            }
            Wire::Stream { socket, pending } => {
                let mut pending = pending.lock().unwrap();
                let mut message = next_message(&mut pending);
                if message.is_none() {
                    match (&*socket).read(&mut buffer) {
                        Ok(0) => std::thread::sleep(TURN),
                        Ok(n) => pending.extend_from_slice(&buffer[..n]),
                        Err(_) => {}
                    }
                    message = next_message(&mut pending);
                }
                Some((Message::parse(&message?)?, None))
            }
        }
    }
}

/// Cuts the first whole message off what came over a stream (RFC 3261 §18.3).
pub(crate) fn next_message(pending: &mut Vec<u8>) -> Option<Vec<u8>> {
    let start = pending.iter().position(|octet| !octet.is_ascii_whitespace())?;
    let head = start + pending[start..].windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&pending[start..head]).to_ascii_lowercase();
    let length = text.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        matches!(name.trim(), "content-length" | "l").then(|| value.trim().parse::<usize>().ok())?
    });
    let end = head + length.unwrap_or(0);
    if pending.len() < end {
        return None;
    }
    let rest = pending.split_off(end);
    let message = std::mem::replace(pending, rest);
    Some(message[start..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_from_a_stream() {
        let mut pending = b"\r\n\r\nA\r\nl: 3\r\n\r\nxyzB\r\nContent-Length: 2\r\n\r\nx".to_vec();
        assert_eq!(next_message(&mut pending).unwrap(), b"A\r\nl: 3\r\n\r\nxyz");
        assert_eq!(next_message(&mut pending), None);
        pending.push(b'y');
        assert_eq!(next_message(&mut pending).unwrap(), b"B\r\nContent-Length: 2\r\n\r\nxy");
        assert!(pending.is_empty());
    }
}
