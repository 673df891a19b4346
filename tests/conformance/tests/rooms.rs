//! What the application itself refuses, over sockets: the real control of calls and rooms, without media.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's set-up fails as a test does")]

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use tandem_base::{
    Attachment, AudioStream, Epoch, Fault, LegId, LegSound, LocalMedia, MediaEvent, MediaTimeouts, RoomAudio,
};
use tandem_config::Config;
use tandem_conformance::{DatagramPeer, octets, status};
use tandem_control::{Control, Media, Ports, Settings};
use tandem_signaling::{ListenerConfig, Signaling, SignalingConfig, Stop};
use tandem_sip::ua::Protocol;
use tandem_sip::{HeaderName, Message, Method, Response};
use tandem_testkit::Seeded;
use tokio::sync::{mpsc, oneshot};

/// Ports without anything behind them.
struct Silence;

impl Media for Silence {
    fn open(&self, _: LegId, peer: IpAddr, _: MediaTimeouts) -> Result<LocalMedia, Fault> {
        Ok(LocalMedia { rtp: SocketAddr::new(peer, 20_000), rtcp: SocketAddr::new(peer, 20_001) })
    }

    fn configure(
        &self,
        _: LegId,
        _: Epoch,
        _: AudioStream,
        _: Attachment,
        _: RoomAudio,
    ) -> Result<(), Fault> {
        Ok(())
    }

    fn adjust(&self, _: LegId, _: LegSound) -> Result<(), Fault> {
        Ok(())
    }

    fn close(&self, _: LegId) {}
}

/// What runs until it is dropped.
struct Rooms {
    udp: SocketAddr,
    stop: Stop,
    _told: oneshot::Sender<()>,
    _media: mpsc::Sender<MediaEvent>,
}

impl Rooms {
    fn start() -> Self {
        let address = "127.0.0.1:0".parse().unwrap();
        let listener = ListenerConfig { protocol: Protocol::Udp, address, advertise: None };
        let allow = vec![Method::Invite, Method::Ack, Method::Bye, Method::Cancel, Method::Options];
        let signaling = Signaling::bind(SignalingConfig::new(vec![listener], "Tandem", allow)).unwrap();
        let (udp, stop) = (signaling.local_addresses()[0].1, signaling.stop());
        let (commands, obeyed) = mpsc::channel(64);
        let (tell, events) = mpsc::channel(64);
        let (_media, media_events) = mpsc::channel(64);
        let (_told, stopped) = oneshot::channel();
        tokio::spawn(signaling.run(obeyed, tell));
        let config = Config::parse("test.toml", "[rooms]\nad_hoc = [\"1000-1999\"]\n").unwrap();
        let ports =
            Ports { media: Silence, media_events, commands, events, entropy: Seeded::new(1), stop: stopped };
        tokio::spawn(Control::run(Settings::new(&config), ports));
        Rooms { udp, stop, _told, _media }
    }
}

impl Drop for Rooms {
    fn drop(&mut self) {
        self.stop.drain(Duration::ZERO);
    }
}

fn invite(user: &str, id: &str, media: &str) -> Vec<u8> {
    octets(&format!(
        "INVITE sip:{user}@example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{id}\nMax-Forwards: 70\n\
         From: <sip:caller@example.net>;tag=f{id}\nTo: <sip:{user}@example.com>\nCall-ID: {id}\nCSeq: 1 INVITE\n\
         Contact: <sip:caller@192.0.2.1>\nContent-Type: application/sdp\nContent-Length: <length/>\n\n\
         v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\n{media}"
    ))
}

fn response(bytes: Bytes) -> Response {
    let Ok(Message::Response(response)) = Message::parse(bytes) else { panic!("a response") };
    response
}

#[tokio::test]
async fn an_offer_without_anything_that_we_can_do_gets_488_with_the_reason() {
    let rooms = Rooms::start();
    let peer = DatagramPeer::to(rooms.udp).await;
    for (id, media) in [
        ("codec", "m=audio 4000 RTP/AVP 18\na=rtpmap:18 G729/8000\n"),
        ("video", "m=video 4000 RTP/AVP 96\na=rtpmap:96 VP8/90000\n"),
    ] {
        peer.send(&invite("1000", id, media)).await;
        let answer = peer.answer().await;
        assert_eq!(status(&answer), 488, "{id}");
        let answer = response(answer);
        let warning = answer.headers.text(&HeaderName::Warning).unwrap_or_else(|| panic!("{id}: no Warning"));
        // RFC 3261 §20.43: code, agent, text.
        let mut parts = warning.splitn(3, ' ');
        let code: u16 = parts.next().unwrap().parse().unwrap();
        assert!((300..400).contains(&code), "{warning}");
        assert!(parts.next().is_some_and(|agent| !agent.is_empty()), "{warning}");
        assert!(
            parts.next().is_some_and(|text| text.len() > 4 && text.starts_with('"') && text.ends_with('"')),
            "{warning}"
        );
    }
}

#[tokio::test]
async fn rooms_that_are_not_there_are_not_found_and_those_that_are_answer() {
    let rooms = Rooms::start();
    let peer = DatagramPeer::to(rooms.udp).await;
    let audio = "m=audio 4000 RTP/AVP 0\n";
    for (user, expected) in [("nobody", 404), ("1000", 200)] {
        peer.send(&invite(user, user, audio)).await;
        assert_eq!(status(&peer.answer().await), expected, "{user}");
    }
}

/// What the torture tests hold as a whole call is one for a room as well.
#[tokio::test]
async fn a_torture_test_enters_a_room() {
    let rooms = Rooms::start();
    let peer = DatagramPeer::to(rooms.udp).await;
    // Of media over IPv6 alone, an IPv4 address of ours can do nothing.
    for (tag, expected) in
        [("esc01", 200), ("baddate", 200), ("inv2543", 200), ("mult-ip-in-sdp", 200), ("ipv6-in-sdp", 488)]
    {
        let text = tandem_conformance::case(tag).text;
        let (line, rest) = text.split_once('\n').unwrap();
        let (method, _) = line.split_once(' ').unwrap();
        // The room instead of whom it asks for; a codec that we have instead of the one of 1998.
        let text = format!("{method} sip:1000@example.com SIP/2.0\n{rest}")
            .replace("a=rtpmap:31 LPC", "a=rtpmap:31 H261/90000");
        peer.send(&octets(&text)).await;
        let answer = peer.answer().await;
        let answered = response(answer);
        let warning = answered.headers.text(&HeaderName::Warning);
        assert_eq!(answered.status.get(), expected, "{tag}: {warning:?}");
        assert!(answered.body.starts_with(b"v=0") || warning.is_some_and(|w| w.starts_with("301 ")), "{tag}");
        let id = answered.headers.call_id().unwrap().to_owned();
        let asked = octets(&text);
        assert!(String::from_utf8_lossy(&asked).contains(&id), "{tag}: an answer to another");
    }
}
