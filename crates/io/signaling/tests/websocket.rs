//! SIP over WebSocket (RFC 7118), plain and within TLS.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's set-up fails as a test does"
)]

mod common;

use std::time::Duration;

use common::secure::{Authority, Browser, client, shake, upgrade};
use common::{PATIENCE, Running, all_transports, options, reaches, request, status};
use futures_util::{SinkExt, StreamExt};
use tandem_signaling::tls::{Certificate, Tls, TlsConfig};
use tandem_signaling::{Counters, StreamLimits};
use tandem_sip::ua::{Command, Event, Protocol};
use tandem_sip::{Headers, Method, Response, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as Ws;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};

fn running(limits: StreamLimits) -> (Running, Authority) {
    let authority = Authority::new();
    let certificate = Some(Certificate::Files(authority.sign("a", &["sip.example.com"])));
    let tls = Tls::load(TlsConfig { certificate, ..TlsConfig::default() }).unwrap();
    (Running::with(all_transports("127.0.0.1", limits, tls), 16), authority)
}

fn plain() -> Running {
    running(StreamLimits::default()).0
}

/// What browsers write: they know no address of their own.
fn from_browser(method: &str, transport: &str, branch: &str) -> String {
    request(method, &format!("{transport} df7jal23ls0d.invalid"), branch, "")
        .replace("<sip:peer@127.0.0.1>", "<sip:peer@df7jal23ls0d.invalid;transport=ws>")
}

async fn call<S: AsyncRead + AsyncWrite + Unpin>(
    tandem: &mut Running,
    mut browser: Browser<S>,
    transport: &str,
) {
    browser.send(from_browser("INVITE", transport, "w1")).await;
    let Event::Incoming { invite, .. } = tandem.event().await else { panic!("a call") };
    let answer = Command::Answer { invite, contact_parameters: None, headers: Headers::new(), body: None };
    tandem.commands.send(answer).await.unwrap();
    assert_eq!(status(&browser.receive().await), 100);
    let ok = browser.receive().await;
    assert_eq!(status(&ok), 200);
    let contact = &ok.headers.contacts().unwrap()[0];
    assert_eq!(contact.uri.as_sip().unwrap().params.get("transport"), Some("ws"));
    let tag = ok.headers.to().unwrap().tag().unwrap().to_owned();
    let ack = from_browser("ACK", transport, "w1").replace("branch=z9hG4bKw1", "branch=z9hG4bKw1a");
    browser
        .send(
            ack.replace("To: <sip:1000@tandem.example>", &format!("To: <sip:1000@tandem.example>;tag={tag}")),
        )
        .await;
    assert!(matches!(tandem.event().await, Event::Confirmed { .. }));
    // The Contact leads nowhere: it comes the way that the call came.
    tandem.commands.send(Command::Bye { invite, headers: Headers::new() }).await.unwrap();
    let bye = browser.receive_request().await;
    assert_eq!(bye.method, Method::Bye);
    assert_eq!(bye.headers.via().unwrap().known_transport().map(Protocol::as_str), Some(transport));
    let ok = Response::to_request(&bye, StatusCode::OK, None).to_bytes();
    browser.0.send(Ws::binary(ok)).await.unwrap();
    assert!(matches!(tandem.event().await, Event::Ended { .. }));
}

#[tokio::test]
async fn a_call_goes_both_ways_over_ws() {
    let mut tandem = plain();
    let browser = Browser::to(tandem.address(Protocol::Ws)).await;
    call(&mut tandem, browser, "WS").await;
}

#[tokio::test]
async fn a_call_goes_both_ways_over_wss() {
    let (mut tandem, authority) = running(StreamLimits::default());
    let address = tandem.address(Protocol::Wss);
    let stream = shake(address, "sip.example.com", client(&authority.ca(), None)).await.unwrap();
    let browser = Browser::over(stream, "ws").await;
    call(&mut tandem, browser, "WSS").await;
}

#[tokio::test]
async fn a_browser_that_is_gone_cannot_be_called() {
    let mut tandem = plain();
    let mut browser = Browser::to(tandem.address(Protocol::Ws)).await;
    browser.send(from_browser("INVITE", "WS", "g1")).await;
    let Event::Incoming { invite, .. } = tandem.event().await else { panic!("a call") };
    drop(browser);
    reaches(&tandem.counters.connections_accepted, 1).await;
    let closed = async {
        while Counters::get(&tandem.counters.connections_open) > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, closed).await.expect("the connection is given back");
    let answer = Command::Answer { invite, contact_parameters: None, headers: Headers::new(), body: None };
    tandem.commands.send(answer).await.unwrap();
    reaches(&tandem.counters.unsendable, 1).await;
    assert_eq!(Counters::get(&tandem.counters.connections_begun), 0);
}

#[tokio::test]
async fn text_and_binary_with_and_without_content_length() {
    let tandem = plain();
    let mut browser = Browser::to(tandem.address(Protocol::Ws)).await;
    let message = |branch: &str| from_browser("OPTIONS", "WS", branch);
    browser.send(message("m1")).await;
    assert_eq!(status(&browser.receive().await), 200);
    browser.0.send(Ws::binary(message("m2"))).await.unwrap();
    assert_eq!(status(&browser.receive().await), 200);
    browser.send(message("m3").replace("Content-Length: 0\r\n", "")).await;
    assert_eq!(status(&browser.receive().await), 200);
    browser.send(message("m4").replace("Length: 0", "Length: 5")).await;
    assert_eq!(status(&browser.receive().await), 400);
    // Not UTF-8, so the answer is no text either.
    let mut strange = message("m5").into_bytes();
    let at = strange.windows(7).position(|w| w == b"call-m5").unwrap();
    strange[at] = 0xff;
    browser.0.send(Ws::binary(strange)).await.unwrap();
    let (answer, expected) = (browser.next().await, browser.0.send(Ws::text(message("m6"))));
    assert!(matches!(answer, Ws::Binary(_) | Ws::Text(_)), "{answer:?}");
    expected.await.unwrap();
    assert_eq!(browser.receive().await.headers.call_id().unwrap(), "call-m6");
}

#[tokio::test]
async fn fragments_make_one_message_and_pings_may_come_between() {
    let tandem = plain();
    let mut browser = Browser::to(tandem.address(Protocol::Ws)).await;
    let text = from_browser("OPTIONS", "WS", "f1").into_bytes();
    let parts: Vec<_> = text.chunks(50).collect();
    for (index, part) in parts.iter().enumerate() {
        let opcode = if index == 0 { Data::Text } else { Data::Continue };
        let frame = Frame::message(part.to_vec(), OpCode::Data(opcode), index + 1 == parts.len());
        browser.0.send(Ws::Frame(frame)).await.unwrap();
        if index == 2 {
            browser.0.send(Ws::Ping("are you there".into())).await.unwrap();
        }
    }
    let pong = timeout(PATIENCE, browser.0.next()).await.expect("in time").unwrap().unwrap();
    assert_eq!(pong, Ws::Pong("are you there".into()));
    assert_eq!(status(&browser.receive().await), 200);
}

#[tokio::test]
async fn crlf_keeps_the_connection_and_is_answered() {
    let tandem = plain();
    let mut browser = Browser::to(tandem.address(Protocol::Ws)).await;
    browser.send("\r\n\r\n").await;
    assert_eq!(browser.next().await, Ws::text("\r\n"));
    browser.send("\r\n").await;
    browser.send("").await;
    browser.send(from_browser("OPTIONS", "WS", "k1")).await;
    assert_eq!(status(&browser.receive().await), 200);
    assert_eq!(Counters::get(&tandem.counters.keep_alives), 3);
}

#[tokio::test]
async fn what_breaks_the_rules_is_closed_with_its_code() {
    let tandem = plain();
    let closed_with = async |message: Ws| {
        let mut browser = Browser::to(tandem.address(Protocol::Ws)).await;
        // The server may close before all is written.
        let _ = browser.0.send(message).await;
        loop {
            match timeout(PATIENCE, browser.0.next()).await.expect("closed in time") {
                Some(Ok(Ws::Close(Some(close)))) => return close.code,
                Some(Ok(_)) => {}
                other => panic!("no code: {other:?}"),
            }
        }
    };
    let frame = |opcode, text: &[u8]| Ws::Frame(Frame::message(text.to_vec(), OpCode::Data(opcode), true));
    assert_eq!(closed_with(Ws::text("x".repeat(65_537))).await, CloseCode::Size);
    assert_eq!(closed_with(frame(Data::Text, b"\xff\xff")).await, CloseCode::Invalid);
    assert_eq!(closed_with(frame(Data::Continue, b"no beginning")).await, CloseCode::Protocol);
    let reserved = FrameHeader { rsv1: true, ..FrameHeader::default() };
    assert_eq!(closed_with(Ws::Frame(Frame::from_payload(reserved, "x".into()))).await, CloseCode::Protocol);
    let mut other = Browser::to(tandem.address(Protocol::Ws)).await;
    other.send(from_browser("OPTIONS", "WS", "b1")).await;
    assert_eq!(status(&other.receive().await), 200);
}

/// The status of the answer to a request, and whether the connection is closed after it.
async fn refused(tandem: &Running, request: &[u8]) -> String {
    let mut peer = TcpStream::connect(tandem.address(Protocol::Ws)).await.unwrap();
    // What is too large is not read to its end.
    let _ = peer.write_all(request).await;
    let _ = peer.shutdown().await;
    let mut answer = Vec::new();
    timeout(PATIENCE, peer.read_to_end(&mut answer)).await.expect("closed in time").unwrap();
    String::from_utf8(answer).unwrap().get(9..12).unwrap_or("none").to_owned()
}

#[tokio::test]
async fn bad_upgrades_are_refused() {
    let tandem = plain();
    let upgraded = tokio_tungstenite::client_async(
        {
            let mut request = upgrade("ws");
            request.headers_mut().remove("Sec-WebSocket-Protocol");
            request
        },
        TcpStream::connect(tandem.address(Protocol::Ws)).await.unwrap(),
    );
    let error = timeout(PATIENCE, upgraded).await.expect("in time").unwrap_err().to_string();
    assert!(error.contains("400"), "{error}");
    let get = "GET / HTTP/1.1\r\nHost: a\r\n";
    assert_eq!(refused(&tandem, format!("{get}\r\n").as_bytes()).await, "426");
    assert_eq!(refused(&tandem, options("TCP a", "x").as_bytes()).await, "400");
    assert_eq!(refused(&tandem, format!("{get}X: {}", "y".repeat(9_000)).as_bytes()).await, "431");
    assert_eq!(refused(&tandem, b"GET / HT").await, "none");
    assert_eq!(refused(&tandem, b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n").await, "400");
    reaches(&tandem.counters.handshakes_failed, 6).await;
    assert_eq!(Counters::get(&tandem.counters.half_open), 0);
}

#[tokio::test]
async fn an_upgrade_in_pieces_with_a_message_behind_it_is_understood() {
    let tandem = plain();
    let mut peer = TcpStream::connect(tandem.address(Protocol::Ws)).await.unwrap();
    let head = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n";
    let (pieces, last) = head.as_bytes().split_at(head.len() - 20);
    for piece in pieces.chunks(10) {
        peer.write_all(piece).await.unwrap();
        peer.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    // Masked with zeros: four octets.
    let mut last = last.to_vec();
    last.extend([0x81, 0x84, 0, 0, 0, 0]);
    last.extend(b"\r\n\r\n");
    peer.write_all(&last).await.unwrap();
    let mut answer = Vec::new();
    let answered = async {
        while !answer.ends_with(b"\x81\x02\r\n") {
            assert_ne!(peer.read_buf(&mut answer).await.unwrap(), 0);
        }
    };
    timeout(PATIENCE, answered).await.expect("a pong in time");
    assert!(String::from_utf8_lossy(&answer).contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}

#[tokio::test]
async fn a_silent_peer_is_pinged_and_then_left() {
    let limits = StreamLimits { ping_interval: Duration::from_millis(100), ..StreamLimits::default() };
    let (tandem, _authority) = running(limits);
    let mut alive = Browser::to(tandem.address(Protocol::Ws)).await;
    let mut silent = Browser::to(tandem.address(Protocol::Ws)).await.0;
    // Reading answers pings; not reading is silence.
    let listening = async {
        loop {
            let _ = alive.0.next().await;
        }
    };
    let left = async {
        reaches(&tandem.counters.peers_silent, 1).await;
    };
    tokio::select! {
        () = left => {}
        () = listening => {}
    }
    // It may find the connection closed when it answers the pings that it has not read.
    let last = async { while let Some(Ok(Ws::Ping(_))) = silent.next().await {} };
    timeout(PATIENCE, last).await.expect("closed in time");
    alive.send(from_browser("OPTIONS", "WS", "p1")).await;
    assert_eq!(status(&alive.receive().await), 200);
    assert_eq!(Counters::get(&tandem.counters.peers_silent), 1);
}
