//! A small authoritative name server on loopback, over UDP and TCP.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

pub const A: u16 = 1;
const SOA: u16 = 6;
pub const SRV: u16 = 33;
pub const NAPTR: u16 = 35;

/// What is said to a question.
#[derive(Clone)]
pub enum Reply {
    Records(Vec<Vec<u8>>),
    /// Too long for a datagram: TCP has it.
    ByTcp(Vec<Vec<u8>>),
    Silence,
    /// These octets behind a proper header and question.
    Garbage(Vec<u8>),
}

#[derive(Clone, Default)]
pub struct Zone(BTreeMap<(u16, String), Reply>);

impl Zone {
    pub fn with(mut self, kind: u16, name: &str, reply: Reply) -> Self {
        self.0.insert((kind, name.to_owned()), reply);
        self
    }

    pub fn host(self, name: &str, ip: &str) -> Self {
        let IpAddr::V4(ip) = ip.parse().unwrap() else { panic!("{ip}") };
        self.with(A, name, Reply::Records(vec![ip.octets().to_vec()]))
    }

    /// Priority, port, target.
    pub fn srv(self, name: &str, records: &[(u16, u16, &str)]) -> Self {
        let records = records.iter().map(|(priority, port, target)| srv(*priority, *port, target));
        self.with(SRV, name, Reply::Records(records.collect()))
    }

    pub fn naptr(self, name: &str, order: u16, service: &str, replacement: &str) -> Self {
        let mut data = [order.to_be_bytes(), 1_u16.to_be_bytes()].concat();
        for text in ["s", service, ""] {
            data.push(u8::try_from(text.len()).unwrap());
            data.extend(text.as_bytes());
        }
        data.extend(encoded(replacement));
        self.with(NAPTR, name, Reply::Records(vec![data]))
    }
}

pub fn srv(priority: u16, port: u16, target: &str) -> Vec<u8> {
    let numbers = [priority, 0, port].map(u16::to_be_bytes).concat();
    [numbers, encoded(target)].concat()
}

fn encoded(name: &str) -> Vec<u8> {
    let mut encoded = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        encoded.push(u8::try_from(label.len()).unwrap());
        encoded.extend(label.as_bytes());
    }
    encoded.push(0);
    encoded
}

/// A running name server.
pub struct Authority {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<(u16, String)>>>,
}

impl Authority {
    pub async fn start(zone: Zone) -> Self {
        let (socket, listener) = sockets().await;
        let address = socket.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<_>>> = Arc::default();
        tokio::spawn(by_udp(socket, zone.clone(), asked.clone()));
        tokio::spawn(by_tcp(listener, zone));
        Authority { address, asked }
    }

    /// Questions of this kind that came by UDP.
    pub fn count(&self, kind: u16) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| asked.0 == kind).count()
    }
}

/// Of the same port.
async fn sockets() -> (UdpSocket, TcpListener) {
    for _ in 0..100 {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        if let Ok(listener) = TcpListener::bind(socket.local_addr().unwrap()).await {
            return (socket, listener);
        }
    }
    panic!("no port is free for both");
}

async fn by_udp(socket: UdpSocket, zone: Zone, asked: Arc<Mutex<Vec<(u16, String)>>>) {
    let mut buffer = [0; 4_096];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        let question = Question::read(&buffer[..length]);
        asked.lock().unwrap().push((question.kind, question.name.clone()));
        if let Some(answer) = question.answer(&zone, false) {
            socket.send_to(&answer, from).await.unwrap();
        }
    }
}

async fn by_tcp(listener: TcpListener, zone: Zone) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(one_by_tcp(stream, zone.clone()));
    }
}

async fn one_by_tcp(mut stream: TcpStream, zone: Zone) {
    while let Ok(length) = stream.read_u16().await {
        let mut query = vec![0; usize::from(length)];
        stream.read_exact(&mut query).await.unwrap();
        if let Some(answer) = Question::read(&query).answer(&zone, true) {
            stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
            stream.write_all(&answer).await.unwrap();
        }
    }
}

struct Question {
    id: [u8; 2],
    /// Name, type and class as they came.
    raw: Vec<u8>,
    name: String,
    kind: u16,
}

impl Question {
    fn read(query: &[u8]) -> Self {
        let (mut labels, mut at) = (Vec::new(), 12);
        while query[at] != 0 {
            let end = at + 1 + usize::from(query[at]);
            labels.push(String::from_utf8(query[at + 1..end].to_ascii_lowercase()).unwrap());
            at = end;
        }
        let kind = u16::from_be_bytes([query[at + 1], query[at + 2]]);
        Question { id: [query[0], query[1]], raw: query[12..at + 5].to_vec(), name: labels.join("."), kind }
    }

    fn answer(&self, zone: &Zone, by_tcp: bool) -> Option<Vec<u8>> {
        match zone.0.get(&(self.kind, self.name.clone())) {
            Some(Reply::Silence) => None,
            Some(Reply::Garbage(octets)) => {
                Some([self.header(0, 3, 0).as_slice(), &self.raw, octets.as_slice()].concat())
            }
            Some(Reply::Records(records)) => Some(self.with(records)),
            Some(Reply::ByTcp(records)) if by_tcp => Some(self.with(records)),
            Some(Reply::ByTcp(_)) => Some([self.header(0x0200, 0, 0).as_slice(), &self.raw].concat()),
            None => Some(self.denied(zone)),
        }
    }

    /// QR, AA, RD, RA and more flags; how many answers and authorities.
    fn header(&self, flags: u16, answers: u16, authorities: u16) -> Vec<u8> {
        let counts = [0x8580 | flags, 1, answers, authorities, 0].map(u16::to_be_bytes);
        [self.id.as_slice(), &counts.concat()].concat()
    }

    fn with(&self, records: &[Vec<u8>]) -> Vec<u8> {
        let mut message = self.header(0, u16::try_from(records.len()).unwrap(), 0);
        message.extend(&self.raw);
        for data in records {
            message.extend([0xC0, 12]);
            message.extend(record(self.kind, data));
        }
        message
    }

    /// NXDOMAIN, or no data where the name has other records; with the SOA that lets it be cached (RFC 2308).
    fn denied(&self, zone: &Zone) -> Vec<u8> {
        let exists = zone.0.keys().any(|(_, name)| *name == self.name);
        let mut message = self.header(if exists { 0 } else { 3 }, 0, 1);
        message.extend(&self.raw);
        let numbers = [1_u32, 60, 60, 60, 60].map(u32::to_be_bytes).concat();
        let data = [encoded("ns.example.com"), encoded("root.example.com"), numbers].concat();
        message.extend(encoded("example.com"));
        message.extend(record(SOA, &data));
        message
    }
}

/// Type, class IN, a TTL of a minute, data.
fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let head = [kind.to_be_bytes(), 1_u16.to_be_bytes()].concat();
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    [head.as_slice(), &60_u32.to_be_bytes(), &length, data].concat()
}
