mod bounds;
mod codecs;
mod collection;
mod direction;
mod extensions;
mod golden;
mod offers;
mod properties;
mod redundancy;
mod refusals;
mod renegotiation;
mod srtp;
mod stereo;
mod webrtc;

use std::net::SocketAddr;

use tandem_base::{Direction, LocalMedia, PayloadType};

use crate::*;

fn at(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

/// Octets that tell their place.
fn keys() -> OwnKeys {
    let mut octets = [0; OwnKeys::LEN];
    for (octet, n) in octets.iter_mut().zip((0..=255u8).cycle()) {
        *octet = n;
    }
    OwnKeys::new(octets)
}

fn local() -> Local {
    let media = LocalMedia { rtp: at("198.51.100.1:20000"), rtcp: at("198.51.100.1:20001") };
    Local { session_id: 28, media, direction: Direction::SendRecv, keys: keys(), dtls: None }
}

fn local_v6() -> Local {
    let media = LocalMedia { rtp: at("[2001:db8::1]:20000"), rtcp: at("[2001:db8::1]:20001") };
    Local { media, ..local() }
}

fn pt(number: u8) -> PayloadType {
    PayloadType::new(number).unwrap()
}

/// Session level of a peer at 192.0.2.7, and these media.
fn from_peer(media: &str) -> String {
    crlf(&format!("v=0\no=- 1 1 IN IP4 192.0.2.7\ns=-\nc=IN IP4 192.0.2.7\nt=0 0\n{media}"))
}

/// Lines as the wire has them; the indentation of the test's source goes.
fn crlf(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| format!("{line}\r\n")).collect()
}

fn answered(offer: &str) -> Answer {
    answer(offer.as_bytes(), &Capabilities::default(), &local(), None).unwrap()
}

fn again(offer: &str, previous: &Negotiated) -> Answer {
    answer(offer.as_bytes(), &Capabilities::default(), &local(), Some(previous)).unwrap()
}

fn refused(offer: &str) -> Refusal {
    answer(offer.as_bytes(), &Capabilities::default(), &local(), None).unwrap_err()
}
