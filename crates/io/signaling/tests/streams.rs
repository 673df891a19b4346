//! TCP over loopback.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{Datagrams, PATIENCE, Running, Stream, config, options, reaches, request, status};
use tandem_signaling::{Counters, StreamLimits};
use tandem_sip::ua::{Command, EndCause, Event, Failure, InviteId, NewInvite, Protocol, Target};
use tandem_sip::{Headers, Response, StatusCode, Uri};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::timeout;

#[tokio::test]
async fn options_are_answered() {
    for ip in ["127.0.0.1", "::1"] {
        let tandem = Running::with(config(ip, StreamLimits::default()), 1);
        let mut peer = Stream::to(tandem.tcp).await;
        peer.send(options(&peer.via(), "o1")).await;
        assert_eq!(status(&peer.receive().await), 200);
        assert_eq!(Counters::get(&tandem.counters.connections_open), 1);
        drop(peer);
        let closed = async {
            while Counters::get(&tandem.counters.connections_open) > 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, closed).await.expect("the connection is given back");
    }
}

#[tokio::test]
async fn the_split_into_segments_makes_no_difference() {
    let tandem = Running::start();
    let mut peer = Stream::to(tandem.tcp).await;
    for octet in options(&peer.via(), "s1").bytes() {
        peer.send([octet]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(status(&peer.receive().await), 200);
    let many: String = (2..12).map(|n| options(&peer.via(), &format!("s{n}"))).collect();
    peer.send(many).await;
    for n in 2..12 {
        let answer = peer.receive().await;
        assert_eq!(
            (status(&answer), answer.headers.call_id().unwrap()),
            (200, format!("call-s{n}").as_str())
        );
    }
    assert_eq!(Counters::get(&tandem.counters.stream_messages), 11);
}

#[tokio::test]
async fn a_burst_is_answered_in_full() {
    const BURST: usize = 2_000;
    let tandem = Running::start();
    let peer = Stream::to(tandem.tcp).await;
    let via = peer.via();
    let burst: String = (0..BURST).map(|n| options(&via, &format!("b{n}"))).collect();
    let (reading, mut writing) = peer.socket.into_split();
    let writing_all = tokio::spawn(async move {
        writing.write_all(burst.as_bytes()).await.unwrap();
        writing
    });
    let mut reading = tokio::io::BufReader::new(reading);
    let (mut answers, mut line) = (0, String::new());
    while answers < BURST {
        line.clear();
        let octets = timeout(PATIENCE, reading.read_line(&mut line)).await.expect("a line in time").unwrap();
        assert_ne!(octets, 0, "closed after {answers} answers");
        answers += usize::from(line.starts_with("SIP/2.0 200"));
    }
    writing_all.await.unwrap();
    assert_eq!(Counters::get(&tandem.counters.peers_stalled), 0);
}

#[tokio::test]
async fn pings_are_answered() {
    let tandem = Running::start();
    let mut peer = Stream::to(tandem.tcp).await;
    peer.send("\r\n\r\n").await;
    let mut pong = [0; 2];
    timeout(PATIENCE, peer.socket.read_exact(&mut pong)).await.expect("a pong in time").unwrap();
    assert_eq!(&pong, b"\r\n");
}

#[tokio::test]
async fn an_unsure_length_is_answered_and_ends_the_connection() {
    let tandem = Running::start();
    for (n, lines) in ["l: 5\r\n", "", "Content-Length : x\r\n"].into_iter().enumerate() {
        let mut peer = Stream::to(tandem.tcp).await;
        let ambiguous = options(&peer.via(), &format!("u{n}"));
        let ambiguous = match lines {
            "" => ambiguous.replace("Content-Length: 0\r\n", ""),
            lines => ambiguous.replace("Content-Length", &format!("{lines}Content-Length")),
        };
        peer.send(ambiguous + &options(&peer.via(), "smuggled")).await;
        let answer = peer.receive().await;
        assert_eq!(
            (status(&answer), answer.headers.call_id().unwrap()),
            (400, format!("call-u{n}").as_str())
        );
        peer.is_closed().await;
    }
    assert_eq!(Counters::get(&tandem.counters.streams_unframed), 3);
    assert_eq!(Counters::get(&tandem.counters.stream_messages), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_never_reads_loses_its_connection_and_harms_nobody() {
    let limits = StreamLimits { write_timeout: Duration::from_millis(500), ..Default::default() };
    let tandem = Running::with(config("127.0.0.1", limits), 16);
    let deaf = TcpSocket::new_v4().unwrap();
    deaf.set_recv_buffer_size(4_096).unwrap();
    let mut deaf = Stream::over(deaf.connect(tandem.tcp).await.unwrap());
    let via = deaf.via();
    static LOST: AtomicBool = AtomicBool::new(false);
    let shouting = tokio::spawn(async move {
        let mut n = 0u64;
        // Until the connection is reset.
        while deaf.socket.write_all(options(&via, &format!("deaf{n}")).as_bytes()).await.is_ok() {
            n += 1;
        }
        LOST.store(true, Ordering::Release);
    });
    let mut other = Stream::to(tandem.tcp).await;
    let datagrams = Datagrams::to(tandem.udp).await;
    let (mut n, mut slowest) = (0, Duration::ZERO);
    let asking = async {
        while !LOST.load(Ordering::Acquire) {
            let asked = tokio::time::Instant::now();
            other.send(options(&other.via(), &format!("t{n}"))).await;
            assert_eq!(status(&other.receive().await), 200);
            datagrams.send(options(&datagrams.via(), &format!("d{n}"))).await;
            assert_eq!(status(&datagrams.receive().await), 200);
            slowest = slowest.max(asked.elapsed());
            n += 1;
        }
    };
    timeout(PATIENCE, asking).await.expect("the deaf peer loses its connection");
    shouting.await.unwrap();
    assert!(n > 0 && slowest < Duration::from_secs(2), "{n} rounds, the slowest {slowest:?}");
    assert!(Counters::get(&tandem.counters.peers_stalled) >= 1);
}

#[tokio::test]
async fn half_a_message_is_not_waited_for_for_ever() {
    let limits = StreamLimits { message_timeout: Duration::from_millis(200), ..Default::default() };
    let tandem = Running::with(config("127.0.0.1", limits), 1);
    let mut silent = Stream::to(tandem.tcp).await;
    assert!(silent.is_closed().await, "nothing at all is too little");
    let mut peer = Stream::to(tandem.tcp).await;
    peer.send(options(&peer.via(), "h1")).await;
    assert_eq!(status(&peer.receive().await), 200);
    peer.send("OPTIONS sip:half").await;
    peer.is_closed().await;
    assert_eq!(Counters::get(&tandem.counters.peers_silent), 2);
}

#[tokio::test]
async fn a_source_has_its_share_of_connections() {
    let limits = StreamLimits { connections_per_source: 2, ..Default::default() };
    let tandem = Running::with(config("127.0.0.1", limits), 1);
    let (mut one, _two) = (Stream::to(tandem.tcp).await, Stream::to(tandem.tcp).await);
    reaches(&tandem.counters.connections_accepted, 2).await;
    Stream::to(tandem.tcp).await.is_closed().await;
    assert_eq!(Counters::get(&tandem.counters.connections_refused), 1);
    one.send(options(&one.via(), "q1")).await;
    assert_eq!(status(&one.receive().await), 200);
}

#[tokio::test]
async fn the_end_of_what_a_peer_says_is_not_the_end_of_its_answers() {
    let mut tandem = Running::start();
    let mut peer = Stream::to(tandem.tcp).await;
    peer.send(request("INVITE", &peer.via(), "e1", "")).await;
    peer.socket.shutdown().await.unwrap();
    let Event::Incoming { invite, .. } = tandem.event().await else { panic!("a call") };
    let (status_code, headers) = (StatusCode::NOT_FOUND, Headers::new());
    tandem
        .commands
        .send(Command::Reject { invite, status: status_code, reason: None, headers })
        .await
        .unwrap();
    assert_eq!(status(&peer.receive().await), 100);
    assert_eq!(status(&peer.receive().await), 404);
}

#[allow(clippy::unwrap_used, reason = "a test's set-up fails as a test does")]
fn call_to(remote: std::net::SocketAddr) -> Box<NewInvite> {
    Box::new(NewInvite {
        uri: Uri::parse("sip:peer@example.com;transport=tcp").unwrap(),
        target: Some(Target::Address { protocol: Protocol::Tcp, remote }),
        from: "<sip:tandem@example.com>".to_owned(),
        to: None,
        contact_user: "1000".to_owned(),
        contact_parameters: "".into(),
        routes: Vec::new(),
        headers: Headers::new(),
        body: None,
        credentials: None,
    })
}

#[tokio::test]
async fn we_can_call_out() {
    let mut tandem = Running::start();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for n in 1..3 {
        let invite = InviteId::outgoing(n);
        let call = call_to(listener.local_addr().unwrap());
        tandem.commands.send(Command::Invite { invite, call }).await.unwrap();
    }
    let (socket, _) = timeout(PATIENCE, listener.accept()).await.expect("a connection in time").unwrap();
    let mut peer = Stream::over(socket);
    for _ in 1..3 {
        // Both over the same connection.
        let request = peer.receive_request().await;
        let contact = request.headers.contacts().unwrap();
        assert_eq!(contact[0].uri.as_sip().unwrap().port, Some(tandem.tcp.port()));
        peer.send(Response::to_request(&request, StatusCode::DECLINE, Some("x")).to_bytes()).await;
        let Event::Ended { cause: EndCause::Failed(Failure::Rejected(response)), .. } = tandem.event().await
        else {
            panic!("the refusal")
        };
        assert_eq!(status(&response), 603);
    }
    assert_eq!(Counters::get(&tandem.counters.connections_begun), 1);
}

#[tokio::test]
async fn a_call_to_nowhere_fails_at_once() {
    let mut tandem = Running::start();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let remote = nobody.local_addr().unwrap();
    drop(nobody);
    let invite = InviteId::outgoing(1);
    tandem.commands.send(Command::Invite { invite, call: call_to(remote) }).await.unwrap();
    let ended = tandem.event().await;
    assert!(matches!(ended, Event::Ended { cause: EndCause::Failed(Failure::Unreachable), .. }), "{ended:?}");
    assert_eq!(Counters::get(&tandem.counters.connects_failed), 1);
}
