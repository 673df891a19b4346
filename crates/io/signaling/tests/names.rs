//! Calls to names: a name server, SIP servers and signalling, all over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what prepares a test fails as it does"
)]

mod common;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use common::dns::{self, Authority, Reply, Zone};
use common::outward::{call_to, dead_port, dial, refusal, reply, unreachable};
use common::{Datagrams, PATIENCE, Running, Stream, config, options, request, status};
use tandem_signaling::{Counters, StreamLimits};
use tandem_sip::ua::{Command, EndCause, Event, Failure, InviteId, Protocol, Target};
use tandem_sip::{Headers, Message, Method, Request};
use tokio::net::{TcpListener, UdpSocket};
use tokio::time::timeout;

async fn running(dns: SocketAddr) -> Running {
    let mut config = config("127.0.0.1", StreamLimits::default());
    config.dns.servers = vec![dns];
    Running::with(config, 256)
}

/// A SIP server by UDP.
struct Server(UdpSocket);

impl Server {
    async fn new() -> Self {
        Server(UdpSocket::bind("127.0.0.1:0").await.unwrap())
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    async fn receive(&self) -> (Request, SocketAddr) {
        let mut buffer = vec![0; 65_535];
        let (n, from) =
            timeout(PATIENCE, self.0.recv_from(&mut buffer)).await.expect("a request in time").unwrap();
        match Message::parse(Bytes::copy_from_slice(&buffer[..n])).unwrap() {
            Message::Request(request) => (request, from),
            Message::Response(response) => panic!("{response:?}"),
        }
    }

    /// The next request of this method, and answers it.
    async fn answer(&self, method: Method, code: u16) -> Request {
        loop {
            let (request, from) = self.receive().await;
            if request.method == method {
                self.0.send_to(&reply(&request, code), from).await.unwrap();
                return request;
            }
        }
    }
}

fn branch(request: &Request) -> String {
    request.headers.via().unwrap().branch().unwrap().to_owned()
}

#[tokio::test]
async fn a_name_leads_by_naptr_and_srv_past_a_dead_server_to_a_living_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let living = listener.local_addr().unwrap().port();
    let zone = Zone::default()
        .naptr("example.com", 10, "SIP+D2T", "_sip._tcp.example.com")
        .srv(
            "_sip._tcp.example.com",
            &[(1, dead_port().await, "one.example.com"), (2, living, "two.example.com")],
        )
        .host("one.example.com", "127.0.0.1")
        .host("two.example.com", "127.0.0.1");
    let authority = Authority::start(zone).await;
    let mut tandem = running(authority.address).await;
    dial(&tandem, 1, "sip:bob@example.com").await;
    let (socket, _) = timeout(PATIENCE, listener.accept()).await.expect("a connection in time").unwrap();
    let mut server = Stream::over(socket);
    let invite = server.receive_request().await;
    assert_eq!((&invite.method, invite.uri.to_string().as_str()), (&Method::Invite, "sip:bob@example.com"));
    assert_eq!(Counters::get(&tandem.counters.connects_failed), 1);
    server.send(reply(&invite, 486)).await;
    assert_eq!(refusal(&mut tandem).await, 486);
    assert_eq!(Counters::get(&tandem.counters.fail_overs), 1);
    // The second call asks nobody, and does not try the dead server again.
    let asked = [dns::NAPTR, dns::SRV, dns::A].map(|kind| authority.count(kind));
    dial(&tandem, 2, "sip:bob@example.com").await;
    let ack = server.receive_request().await;
    assert_eq!(ack.method, Method::Ack);
    let invite = server.receive_request().await;
    server.send(reply(&invite, 404)).await;
    assert_eq!(refusal(&mut tandem).await, 404);
    assert_eq!([dns::NAPTR, dns::SRV, dns::A].map(|kind| authority.count(kind)), asked);
    assert_eq!(asked[..2], [1, 1]);
    assert_eq!(Counters::get(&tandem.counters.connects_failed), 1);
}

#[tokio::test]
async fn a_server_that_says_503_or_nothing_leads_to_the_next_by_udp() {
    let (silent, busy, idle) = (Server::new().await, Server::new().await, Server::new().await);
    let records = [
        (1, silent.port(), "a.example.com"),
        (2, busy.port(), "a.example.com"),
        (3, idle.port(), "a.example.com"),
    ];
    let zone = Zone::default().srv("_sip._udp.example.com", &records).host("a.example.com", "127.0.0.1");
    let authority = Authority::start(zone).await;
    let mut config = config("127.0.0.1", StreamLimits::default());
    config.dns.servers = vec![authority.address];
    // Timer B: 640 ms.
    config.agent.timing.t1 = Duration::from_millis(10);
    let mut tandem = Running::with(config, 16);
    dial(&tandem, 1, "sip:bob@example.com").await;
    let first = silent.receive().await.0;
    let second = busy.answer(Method::Invite, 503).await;
    let third = idle.answer(Method::Invite, 486).await;
    let branches = [&first, &second, &third].map(branch);
    assert!(branches[0] != branches[1] && branches[1] != branches[2], "{branches:?}");
    assert_eq!(first.headers.call_id(), third.headers.call_id());
    assert_eq!(busy.receive().await.0.method, Method::Ack);
    assert_eq!(refusal(&mut tandem).await, 486);
    assert_eq!(Counters::get(&tandem.counters.fail_overs), 2);
}

#[tokio::test]
async fn a_name_server_that_is_silent_delays_nobody_else() {
    let zone = Zone::default();
    let silent = ["example.com", "_sip._udp.example.com", "_sip._tcp.example.com"];
    let zone = zone
        .with(dns::NAPTR, silent[0], Reply::Silence)
        .with(dns::SRV, silent[1], Reply::Silence)
        .with(dns::SRV, silent[2], Reply::Silence)
        .with(dns::A, silent[0], Reply::Silence);
    let authority = Authority::start(zone).await;
    let mut tandem = running(authority.address).await;
    let began = Instant::now();
    for n in 0..100 {
        dial(&tandem, n, "sip:bob@example.com").await;
    }
    // A call to a number goes out meanwhile, and requests from outside are answered.
    let server = Server::new().await;
    let remote = server.0.local_addr().unwrap();
    let target = Some(Target::Address { protocol: Protocol::Udp, remote });
    let call = call_to("sip:bob@example.com", target);
    tandem.commands.send(Command::Invite { invite: InviteId::outgoing(500), call }).await.unwrap();
    let (invite, from) = server.receive().await;
    let peer = Datagrams::to(tandem.udp).await;
    for n in 0..20 {
        peer.send(options(&peer.via(), &format!("o{n}"))).await;
        assert_eq!(status(&peer.receive().await), 200);
    }
    // All that while every search is under way: they take three seconds.
    let ended = tandem.events.try_recv();
    assert!(ended.is_err() || began.elapsed() > Duration::from_secs(2), "{ended:?}");
    server.0.send_to(&reply(&invite, 486), from).await.unwrap();
    let mut vain = 0;
    for _ in 0..if ended.is_ok() { 100 } else { 101 } {
        match tandem.event().await {
            Event::Ended { cause: EndCause::Failed(Failure::Unreachable), .. } => vain += 1,
            Event::Ended { cause: EndCause::Failed(Failure::Rejected(_)), .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(vain >= 99, "{vain}");
    assert!(began.elapsed() < PATIENCE / 2, "{:?}", began.elapsed());
    assert_eq!(Counters::get(&tandem.counters.searches_vain), 100);
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_asked_for_once_and_ends_the_call_at_once() {
    let authority = Authority::start(Zone::default()).await;
    let mut tandem = running(authority.address).await;
    let began = Instant::now();
    dial(&tandem, 1, "sip:bob@nowhere.example.com").await;
    unreachable(&mut tandem).await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let asked = [dns::NAPTR, dns::SRV, dns::A].map(|kind| authority.count(kind));
    dial(&tandem, 2, "sip:bob@nowhere.example.com").await;
    unreachable(&mut tandem).await;
    assert_eq!([dns::NAPTR, dns::SRV, dns::A].map(|kind| authority.count(kind)), asked);
    assert_eq!(asked, [1, 2, 1]);
}

#[tokio::test]
async fn garbage_from_the_name_server_is_no_answer() {
    let server = Server::new().await;
    let pointer_loop =
        [0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, 8, 0, 1, 0, 0, 0x13, 0xC4, 0xC0, 0xFF].to_vec();
    let zone = Zone::default()
        .with(dns::NAPTR, "example.com", Reply::Garbage(vec![0xFF; 100]))
        .with(dns::SRV, "_sip._udp.example.com", Reply::Garbage(pointer_loop))
        .with(dns::SRV, "_sip._tcp.example.com", Reply::Records(vec![vec![1, 2, 3]]))
        .with(dns::A, "broken.example.com", Reply::Records(vec![vec![127, 0, 0]]))
        .host("example.com", "127.0.0.1");
    let authority = Authority::start(zone).await;
    let mut tandem = running(authority.address).await;
    dial(&tandem, 1, "sip:bob@broken.example.com").await;
    unreachable(&mut tandem).await;
    // The domain of which nothing else can be read still has an address.
    dial(&tandem, 2, &format!("sip:bob@example.com:{}", server.port())).await;
    server.answer(Method::Invite, 486).await;
    assert_eq!(refusal(&mut tandem).await, 486);
    dial(&tandem, 3, "sip:bob@example.com;transport=tcp").await;
    match tandem.event().await {
        // Whether somebody listens on port 5060 here is not ours to say.
        Event::Ended { cause: EndCause::Failed(_), .. } => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_flood_of_records_leads_to_few_questions_and_few_tries() {
    let server = Server::new().await;
    // 64 KiB of servers, each with a name of its own; the one that lives comes first.
    let mut records = vec![dns::srv(0, server.port(), "live.example.com")];
    records.extend((0..1_500).map(|n| dns::srv(1, 9, &format!("h{n}.example.com"))));
    let zone = Zone::default()
        .with(dns::SRV, "_sip._udp.example.com", Reply::ByTcp(records))
        .host("live.example.com", "127.0.0.1");
    let authority = Authority::start(zone).await;
    let mut tandem = running(authority.address).await;
    dial(&tandem, 1, "sip:bob@example.com").await;
    server.answer(Method::Invite, 486).await;
    assert_eq!(refusal(&mut tandem).await, 486);
    assert!(authority.count(dns::A) <= 16, "{}", authority.count(dns::A));
}

#[tokio::test]
async fn requests_in_a_dialog_go_where_the_name_in_contact_leads() {
    let contact = Server::new().await;
    let zone = Zone::default().srv("_sip._udp.phone.example.com", &[(1, contact.port(), "a.example.com")]);
    let authority = Authority::start(zone.host("a.example.com", "127.0.0.1")).await;
    let mut tandem = running(authority.address).await;
    let peer = Datagrams::to(tandem.udp).await;
    let invite = request("INVITE", &peer.via(), "named", "");
    peer.send(invite.replace("<sip:peer@127.0.0.1>", "<sip:peer@phone.example.com>")).await;
    let Event::Incoming { invite, .. } = tandem.event().await else { panic!("no call") };
    let answer = Command::Answer { invite, contact_parameters: None, headers: Headers::new(), body: None };
    tandem.commands.send(answer).await.unwrap();
    let answered = loop {
        let response = peer.receive().await;
        if response.status.is_success() {
            break response;
        }
    };
    let tag = answered.headers.to().unwrap().tag().unwrap().to_owned();
    let ack = request("ACK", &peer.via(), "named", "")
        .replace("To: <sip:1000@tandem.example>", &format!("To: <sip:1000@tandem.example>;tag={tag}"));
    peer.send(ack.replace("branch=z9hG4bKnamed", "branch=z9hG4bKacked")).await;
    let Event::Confirmed { .. } = tandem.event().await else { panic!("no ACK") };
    tandem.commands.send(Command::Bye { invite, headers: Headers::new() }).await.unwrap();
    let bye = contact.answer(Method::Bye, 200).await;
    assert_eq!(bye.uri.to_string(), "sip:peer@phone.example.com");
    let Event::Ended { cause: EndCause::Local, .. } = tandem.event().await else { panic!("no end") };
}
