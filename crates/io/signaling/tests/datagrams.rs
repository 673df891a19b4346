//! UDP over loopback.

mod common;

use std::time::Duration;

use common::{Datagrams, PATIENCE, Running, config, options, reaches, request, status};
use tandem_signaling::{Advertise, BindError, Counters, Signaling, StreamLimits};
use tandem_sip::ua::{Command, EndCause, Event, InviteId, NewInvite, Protocol, Target};
use tandem_sip::{Headers, Host, Message, Rport, StatusCode, Uri};
use tokio::time::timeout;

#[tokio::test]
async fn options_are_answered() {
    let tandem = Running::start();
    let peer = Datagrams::to(tandem.udp).await;
    peer.send(options("UDP peer.invalid:9", "o1")).await;
    let answer = peer.receive().await;
    assert_eq!(status(&answer), 200);
    let own = peer.0.local_addr().unwrap();
    let via = answer.headers.via().unwrap();
    assert_eq!((via.received(), via.rport()), (Some(own.ip()), Rport::Port(own.port())));
    assert!(answer.headers.to().unwrap().tag().is_some());
}

#[tokio::test]
async fn options_are_answered_over_ipv6() {
    let tandem = Running::with(config("::1", StreamLimits::default()), 1);
    let peer = Datagrams::to(tandem.udp).await;
    peer.send(options(&peer.via(), "o6")).await;
    assert_eq!(status(&peer.receive().await), 200);
}

#[tokio::test]
async fn garbage_is_counted_and_harms_nobody() {
    let tandem = Running::start();
    let peer = Datagrams::to(tandem.udp).await;
    for garbage in
        [&b"\xff\x00\x01garbage"[..], b"GET / HTTP/1.1\r\n\r\n", b"\x80\x60RTP", b"SIP/2.0 200 OK\r\n\r\n"]
    {
        peer.send(garbage).await;
    }
    for keep_alive in [&b""[..], b"\r\n\r\n", b"\0\0\0\0"] {
        peer.send(keep_alive).await;
    }
    peer.send(options(&peer.via(), "o2").replace("Length: 0", "Length: 1")).await;
    assert_eq!(status(&peer.receive().await), 400);
    peer.send(options(&peer.via(), "o3")).await;
    assert_eq!(status(&peer.receive().await), 200);
    reaches(&tandem.counters.malformed_dropped, 4).await;
    assert_eq!(Counters::get(&tandem.counters.malformed_dropped), 4);
    assert_eq!(Counters::get(&tandem.counters.malformed_answered), 1);
    assert_eq!(Counters::get(&tandem.counters.keep_alives), 3);
    assert_eq!(Counters::get(&tandem.counters.datagrams_received), 9);
}

#[tokio::test]
async fn calls_reach_the_application_and_its_commands_the_peer() {
    let mut tandem = Running::start();
    let peer = Datagrams::to(tandem.udp).await;
    peer.send(request("INVITE", &peer.via(), "i1", "")).await;
    assert_eq!(status(&peer.receive().await), 100);
    let Event::Incoming { invite, request, flow } = tandem.event().await else { panic!("a call") };
    assert_eq!(request.uri.user_text().as_deref(), Some("1000"));
    assert_eq!((flow.local, flow.remote), (tandem.udp, peer.0.local_addr().unwrap()));
    let (status_code, headers) = (StatusCode::BUSY_HERE, Headers::new());
    tandem
        .commands
        .send(Command::Reject { invite, status: status_code, reason: None, headers })
        .await
        .unwrap();
    assert_eq!(status(&peer.receive().await), 486);
}

#[tokio::test]
async fn each_peer_sees_the_address_that_it_can_reach() {
    let mut tandem = Running::with(config("0.0.0.0", StreamLimits::default()), 4);
    let reachable = std::net::SocketAddr::new([127, 0, 0, 1].into(), tandem.udp.port());
    let peer = Datagrams::to(reachable).await;
    peer.send(request("INVITE", &peer.via(), "i2", "")).await;
    let Event::Incoming { invite, flow, .. } = tandem.event().await else { panic!("a call") };
    assert_eq!(flow.local, reachable);
    let (status, headers) = (StatusCode::RINGING, Headers::new());
    tandem.commands.send(Command::Provisional { invite, status, headers, body: None }).await.unwrap();
    assert_eq!(common::status(&peer.receive().await), 100);
    let ringing = peer.receive().await;
    let contact = &ringing.headers.contacts().unwrap()[0];
    let uri = contact.uri.as_sip().unwrap();
    assert_eq!((uri.host.ip(), uri.port), (Some(reachable.ip()), Some(reachable.port())));
}

#[tokio::test]
async fn an_advertised_address_stands_in_contact() {
    let mut config = config("127.0.0.1", StreamLimits::default());
    let host = Host::Name("sip.example.com".to_owned());
    config.listeners[0].advertise = Some(Advertise { host: host.clone(), port: Some(5099) });
    let mut tandem = Running::with(config, 4);
    let peer = Datagrams::to(tandem.udp).await;
    peer.send(request("INVITE", &peer.via(), "i3", "")).await;
    let Event::Incoming { invite, .. } = tandem.event().await else { panic!("a call") };
    let (status, headers) = (StatusCode::RINGING, Headers::new());
    tandem.commands.send(Command::Provisional { invite, status, headers, body: None }).await.unwrap();
    peer.receive().await;
    let ringing = peer.receive().await;
    let contacts = ringing.headers.contacts().unwrap();
    let uri = contacts[0].uri.as_sip().unwrap();
    assert_eq!((&uri.host, uri.port), (&host, Some(5099)));
}

#[tokio::test]
async fn no_event_is_lost_while_the_application_is_behind() {
    const CALLS: usize = 60;
    let mut tandem = Running::with(config("127.0.0.1", StreamLimits::default()), 1);
    let peer = Datagrams::to(tandem.udp).await;
    for n in 0..CALLS {
        peer.send(request("INVITE", &peer.via(), &format!("b{n}"), "")).await;
    }
    reaches(&tandem.counters.reading_paused, 1).await;
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < CALLS {
        if let Event::Incoming { request, .. } = tandem.event().await {
            assert!(seen.insert(request.headers.call_id().unwrap().to_owned()));
        }
    }
}

#[tokio::test]
async fn we_can_call_out_from_the_right_address() {
    let mut tandem = Running::with(config("0.0.0.0", StreamLimits::default()), 4);
    let peer = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let invite = InviteId::outgoing(1);
    let target = Target::Address { protocol: Protocol::Udp, remote: peer.local_addr().unwrap() };
    let call = Box::new(call_to(target));
    tandem.commands.send(Command::Invite { invite, call }).await.unwrap();
    let mut buffer = vec![0; 65_535];
    let (n, source) = timeout(PATIENCE, peer.recv_from(&mut buffer)).await.expect("in time").unwrap();
    let Message::Request(request) = Message::parse(buffer[..n].to_vec().into()).unwrap() else { panic!() };
    let via = request.headers.via().unwrap();
    assert_eq!((via.host.ip(), via.port), (Some(source.ip()), Some(source.port())));
    assert_eq!(source.port(), tandem.udp.port());
    let busy = tandem_sip::Response::to_request(&request, StatusCode::BUSY_HERE, Some("x"));
    peer.send_to(&busy.to_bytes(), source).await.unwrap();
    assert!(matches!(tandem.event().await, Event::Ended { cause: EndCause::Failed(_), .. }));
    assert_eq!(Counters::get(&tandem.counters.datagrams_sent), 2, "INVITE and ACK, nothing twice");
}

#[allow(clippy::unwrap_used, reason = "a test's set-up fails as a test does")]
fn call_to(target: Target) -> NewInvite {
    NewInvite {
        uri: Uri::parse("sip:peer@example.com").unwrap(),
        target: Some(target),
        from: "<sip:tandem@example.com>".to_owned(),
        to: None,
        contact_user: String::new(),
        contact_parameters: "".into(),
        routes: Vec::new(),
        headers: Headers::new(),
        body: None,
        credentials: None,
    }
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let taken_tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let bind = |listener: usize, address| {
        let mut config = config("127.0.0.1", StreamLimits::default());
        config.listeners[listener].address = address;
        Signaling::bind(config).unwrap_err()
    };
    for (i, protocol, address) in
        [(0, "udp", taken.local_addr().unwrap()), (1, "tcp", taken_tcp.local_addr().unwrap())]
    {
        let error = bind(i, address);
        assert!(matches!(&error, BindError::Address { address: named, .. } if *named == address));
        assert!(error.to_string().contains(&format!("{protocol}:{address}")), "{error}");
    }
    let mut tls = config("127.0.0.1", StreamLimits::default());
    tls.listeners[0].protocol = Protocol::Tls;
    assert!(matches!(Signaling::bind(tls), Err(BindError::Certificate { .. })));
}

#[tokio::test]
async fn a_drain_ends_when_nothing_is_left_or_the_grace_is_over() {
    let idle = Running::start();
    idle.stop.drain(Duration::from_secs(3_600));
    timeout(PATIENCE, idle.task).await.expect("idle: at once").unwrap();

    let mut busy = Running::start();
    let peer = Datagrams::to(busy.udp).await;
    peer.send(request("INVITE", &peer.via(), "d1", "")).await;
    assert!(matches!(busy.event().await, Event::Incoming { .. }));
    busy.stop.drain(Duration::from_millis(200));
    timeout(PATIENCE, busy.task).await.expect("busy: after the grace").unwrap();
    // Its address is free again.
    std::net::UdpSocket::bind(busy.udp).unwrap();
    std::net::TcpListener::bind(busy.tcp).unwrap();
}
