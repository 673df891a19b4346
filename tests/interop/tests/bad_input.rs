//! What strangers and broken peers send: answered or dropped, and never felt by a call that stands.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use serde_json::Value;
use tandem_interop::{Baresip, Codec, Config, Phone, Recording, Tandem, Transport, address, until};

const SOON: Duration = Duration::from_secs(10);

/// Two phones in a room, and what the second hears while something is done.
struct Pair {
    alice: Phone,
    bob: Phone,
    /// Where the server expects alice's RTP.
    media: SocketAddr,
}

impl Pair {
    fn new(tandem: &Tandem) -> Self {
        let mut alice = Phone::new(tandem.at(), 440.0);
        let mut bob = Phone::new(tandem.at(), 617.0);
        let media = alice.call("1000").rtp_address();
        bob.call("1000");
        alice.wait_to_hear(&[617.0], SOON);
        bob.wait_to_hear_purely(&[440.0], SOON);
        Pair { alice, bob, media }
    }

    /// Bob hears alice, and nothing else, while it is done.
    fn assert_unaffected(&self, tandem: &Tandem, deed: impl Fn(&Phone, SocketAddr)) -> Recording {
        let during = tandem.measure(&[&self.alice], || {
            let start = self.bob.media().heard().seconds();
            deed(&self.alice, self.media);
            self.bob.record(1.0);
            let heard = self.bob.media().heard();
            heard.part(start, heard.seconds()).pure(&[440.0])
        });
        during.assert_tones("bob meanwhile", &[440.0], &[617.0]);
        let counts = self.bob.media().counts();
        assert_eq!((counts.gaps, counts.jumps, counts.sources.len()), (0, 0, 1), "{counts:?}");
        during
    }

    /// Alice hangs up: what the server says of her call.
    fn end(&mut self, tandem: &Tandem) -> Value {
        assert_eq!(self.alice.bye().status(), Some(200));
        let ended = |line: &str| {
            serde_json::from_str(line).ok().filter(|event: &Value| event["message"] == "call ended")
        };
        let line = tandem.log().wait_for("the end of the call", SOON, |line| ended(line).is_some());
        ended(&line).unwrap()
    }
}

#[test]
fn malformed_datagrams_are_refused_or_dropped() {
    let mut tandem = Tandem::start(&Config::default());
    let pair = Pair::new(&tandem);
    let stranger = Phone::new(tandem.at(), 853.0);
    pair.assert_unaffected(&tandem, |_, _| {
        let long = [b"OPTIONS sip:a SIP/2.0\r\nX: ".as_slice(), &[b'x'; 60_000]].concat();
        let many = [b"OPTIONS sip:a SIP/2.0\r\n".as_slice(), &b"A: b\r\n".repeat(5_000), b"\r\n"].concat();
        let noise: Vec<u8> = (0..1_200u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let bad: [&[u8]; 9] = [
            b"",
            b"\r\n\r\n",
            b"\0",
            b"INVITE",
            b"INVITE sip:1000@x SIP/2.0\r\n\r\n",
            b"SIP/2.0 200 OK\r\n\r\n",
            &long,
            &many,
            &noise,
        ];
        for datagram in bad {
            stranger.send_raw(datagram);
        }
    });
    let mut phone = Phone::new(tandem.at(), 853.0);
    assert_eq!(phone.options().status(), Some(200));
    tandem.assert_sound();
}

#[test]
fn what_cannot_be_parsed_but_answered_gets_400() {
    let tandem = Tandem::start(&Config::default());
    let phone = Phone::new(tandem.at(), 853.0);
    let here = phone.contact();
    let request = format!(
        "OPTIONS sip:1000@{} SIP/2.0\r\nVia: SIP/2.0/UDP {here};rport;branch=z9hG4bKbad\r\nMax-Forwards: 70\r\n\
         From: <sip:phone@{here}>;tag=1\r\nTo: <sip:1000@{}>\r\nCall-ID: bad\r\nCSeq: none OPTIONS\r\n\
         Content-Length: 0\r\n\r\n",
        tandem.at(),
        tandem.at()
    );
    phone.send_raw(request.as_bytes());
    let answer = phone.wait_for("the refusal", SOON, |m| m.status().is_some());
    assert_eq!((answer.status(), answer.header("Call-ID")), (Some(400), Some("bad")));
}

#[test]
fn half_messages_over_tcp_hold_up_nobody() {
    let mut tandem = Tandem::start(&Config::default());
    let pair = Pair::new(&tandem);
    let at = tandem.at();
    pair.assert_unaffected(&tandem, |_, _| {
        let mut half = TcpStream::connect(at).unwrap();
        half.write_all(
            b"INVITE sip:1000@x SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\nContent-Le",
        )
        .unwrap();
        let mut body = TcpStream::connect(at).unwrap();
        body.write_all(b"OPTIONS sip:1000@x SIP/2.0\r\nContent-Length: 60000\r\n\r\nabc").unwrap();
        let mut noise = TcpStream::connect(at).unwrap();
        noise.write_all(&[0xff; 4_096]).unwrap();
        let gone = TcpStream::connect(at).unwrap();
        drop(gone);
        let mut caller = Baresip::start_over(Transport::Tcp, at, &[Codec::Pcmu], 853.0);
        caller.call("room-else");
        caller.hang_up();
        drop((half, body, noise));
    });
    tandem.assert_sound();
}

#[test]
fn a_content_length_beyond_all_bounds_ends_the_connection() {
    let tandem = Tandem::start(&Config::default());
    let mut stream = TcpStream::connect(tandem.at()).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.write_all(b"OPTIONS sip:1000@x SIP/2.0\r\nContent-Length: 99999999\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}"),
    }
}

#[test]
fn an_offer_without_a_usable_codec_is_refused_with_a_warning() {
    let tandem = Tandem::start(&Config::default());
    let mut phone = Phone::new(tandem.at(), 853.0);
    let offer = phone.offer_of("sendrecv", "18", "a=rtpmap:18 G729/8000\r\n");
    let answer = phone.invite("1000", &offer);
    assert_eq!(answer.status(), Some(488), "{}", answer.start);
    let warning = answer.header("Warning").expect("a Warning header");
    assert!(warning.starts_with("305 ") || warning.starts_with("304 "), "{warning}");
}

#[test]
fn a_body_that_is_no_sdp_is_refused() {
    let tandem = Tandem::start(&Config::default());
    let mut phone = Phone::new(tandem.at(), 853.0);
    let answer = phone.invite("1000", "this is no SDP\r\n");
    assert!(matches!(answer.status(), Some(400 | 488)), "{}", answer.start);
}

#[test]
fn an_unknown_user_is_not_found() {
    let tandem = Tandem::start(&Config::default());
    let mut phone = Phone::new(tandem.at(), 853.0);
    for user in ["nobody", "2000", "999", "room"] {
        let offer = phone.offer("sendrecv");
        assert_eq!(phone.invite(user, &offer).status(), Some(404), "{user}");
    }
}

#[test]
fn a_stranger_is_not_heard() {
    let mut tandem = Tandem::start(&Config::default());
    let mut pair = Pair::new(&tandem);
    let stranger = UdpSocket::bind((address(), 0)).unwrap();
    let during = pair.assert_unaffected(&tandem, |_, media| {
        let mut packet = vec![0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x77];
        // A square wave of 1 kHz, loud.
        packet.extend([0x80, 0x80, 0x80, 0x80, 0x00, 0x00, 0x00, 0x00].repeat(20));
        for n in 0..100u16 {
            packet[2..4].copy_from_slice(&n.to_be_bytes());
            packet[4..8].copy_from_slice(&(u32::from(n) * 160).to_be_bytes());
            stranger.send_to(&packet, media).unwrap();
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    during.assert_tones("bob beside a stranger", &[440.0], &[1_000.0]);
    // The kernel drops what strangers send while the peer is heard: only what reaches us is counted.
    let figures = pair.end(&tandem);
    assert!(figures["rx_strangers"].as_u64().unwrap() < 100, "{figures}");
    tandem.assert_sound();
}

#[test]
fn truncated_media_are_dropped() {
    let mut tandem = Tandem::start(&Config::default());
    let mut pair = Pair::new(&tandem);
    pair.assert_unaffected(&tandem, |alice, media| {
        let rtcp = SocketAddr::new(media.ip(), media.port() + 1);
        let socket = UdpSocket::bind((alice.contact().ip(), 0)).unwrap();
        let bad: [&[u8]; 12] = [
            b"",
            b"\x80",
            b"\x80\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00",
            b"\x8f\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01",
            b"\x90\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\xbe\xde\xff\xff",
            b"\xa0\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\xff",
            b"\xa0\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00",
            b"\x80\xc8\x00\x06\x00\x00",
            b"\x81\xc9\xff\xff\x00\x00\x00\x01",
            b"\x9f\xc8\x00\x01\x00\x00\x00\x01",
            b"\x81\xca\x00\x02\x00\x00\x00\x01\x01\xff\x41\x42",
            b"\xff\xff\xff\xff\xff\xff\xff\xff",
        ];
        for _ in 0..20 {
            for packet in bad {
                alice.media().send_raw(packet);
                socket.send_to(packet, rtcp).unwrap();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let figures = pair.end(&tandem);
    assert!(figures["rx_malformed"].as_u64().unwrap() >= 20, "{figures}");
    tandem.assert_sound();
}

#[test]
fn the_next_caller_is_served_after_all_that() {
    let mut tandem = Tandem::start(&Config::default());
    let mut phone = Phone::new(tandem.at(), 853.0);
    for _ in 0..200 {
        phone.send_raw(b"INVITE sip:1000@x SIP/2.0\r\nContent-Length: 10\r\n\r\nv");
    }
    until("an answer", SOON, || (phone.options().status() == Some(200)).then_some(()));
    phone.call("echo");
    phone.wait_to_hear(&[853.0], SOON);
    tandem.assert_sound();
}
