//! Calls to names over TLS: NAPTR and SRV lead to a server (RFC 3263), its certificate must be for the name that was
//! asked for (RFC 5922 §7.1), not for where the records lead.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what prepares a test fails as it does"
)]

mod common;

use std::net::SocketAddr;

use common::dns::{self, Authority as NameServer, Zone};
use common::outward::{dead_port, dial, refusal, reply, unreachable};
use common::secure::{Authority, Server};
use common::{Running, all_transports};
use tandem_signaling::tls::{Certificate, Tls, TlsConfig};
use tandem_signaling::{Counters, StreamLimits};
use tandem_sip::Method;
use tandem_sip::ua::Protocol;

/// Believes what `authority` has signed.
fn running(authority: &Authority, dns: SocketAddr) -> Running {
    let certificate = Some(Certificate::Files(authority.sign("ours", &["ours.example"])));
    let trust = TlsConfig { certificate, servers_ca: Some(authority.ca()), ..TlsConfig::default() };
    let mut config = all_transports("127.0.0.1", StreamLimits::default(), Tls::load(trust).unwrap());
    config.dns.servers = vec![dns];
    Running::with(config, 16)
}

/// Servers of example.com in the order in which they are to be tried, by SRV and NAPTR.
fn zone(ports: &[u16]) -> Zone {
    let targets = ["one.example.com", "two.example.com", "three.example.com"];
    let records: Vec<(u16, u16, &str)> =
        (1..).zip(ports).zip(targets).map(|((priority, port), target)| (priority, *port, target)).collect();
    let zone = Zone::default()
        .naptr("example.com", 10, "SIPS+D2T", "_sips._tcp.example.com")
        .srv("_sips._tcp.example.com", &records);
    targets.into_iter().fold(zone, |zone, target| zone.host(target, "127.0.0.1"))
}

async fn server(authority: &Authority, file: &str, name: &str) -> Server {
    Server::with(&authority.sign(file, &[name])).await
}

#[tokio::test]
async fn a_name_leads_by_naptr_and_srv_past_a_dead_server_to_one_with_the_certificate_of_that_name() {
    let authority = Authority::new();
    let living = server(&authority, "living", "example.com").await;
    let names = NameServer::start(zone(&[dead_port().await, living.address().port()])).await;
    let mut tandem = running(&authority, names.address);
    dial(&tandem, 1, "sip:bob@example.com").await;
    let mut peer = living.accept().await.unwrap();
    let invite = peer.receive_request().await;
    assert_eq!((&invite.method, invite.uri.to_string().as_str()), (&Method::Invite, "sip:bob@example.com"));
    assert_eq!(invite.headers.via().unwrap().known_transport(), Some(Protocol::Tls));
    peer.send(reply(&invite, 486)).await;
    assert_eq!(refusal(&mut tandem).await, 486);
    let failed = Counters::get(&tandem.counters.connects_failed);
    assert_eq!((failed, Counters::get(&tandem.counters.fail_overs)), (1, 1));
    assert_eq!([dns::NAPTR, dns::SRV].map(|kind| names.count(kind)), [1, 1]);
    // The connection that was proved to be to example.com serves the next call, too.
    dial(&tandem, 2, "sips:carol@example.com").await;
    assert_eq!(peer.receive_request().await.method, Method::Ack);
    let invite = peer.receive_request().await;
    assert_eq!(invite.uri.to_string(), "sips:carol@example.com");
    assert!(invite.headers.contacts().unwrap()[0].uri.as_sip().unwrap().secure);
    peer.send(reply(&invite, 404)).await;
    assert_eq!(refusal(&mut tandem).await, 404);
    assert_eq!(Counters::get(&tandem.counters.connects_failed), 1);
}

#[tokio::test]
async fn who_shows_a_certificate_of_another_name_is_told_nothing_and_the_next_is_tried() {
    let (authority, strangers) = (Authority::new(), Authority::new());
    // Of the SRV target, which whoever spoofs DNS may choose.
    let target = server(&authority, "target", "one.example.com").await;
    let stranger = server(&strangers, "stranger", "example.com").await;
    let right = server(&authority, "right", "example.com").await;
    let ports = [&target, &stranger, &right].map(|server| server.address().port());
    let names = NameServer::start(zone(&ports)).await;
    let mut tandem = running(&authority, names.address);
    dial(&tandem, 1, "sip:bob@example.com").await;
    for wrong in [&target, &stranger] {
        assert!(heard(wrong).await.is_none(), "it got a request");
    }
    let mut peer = right.accept().await.unwrap();
    let invite = peer.receive_request().await;
    peer.send(reply(&invite, 486)).await;
    assert_eq!(refusal(&mut tandem).await, 486);
    let failed = Counters::get(&tandem.counters.connects_failed);
    assert_eq!((failed, Counters::get(&tandem.counters.fail_overs)), (2, 2));
}

#[tokio::test]
async fn with_wrong_certificates_alone_the_call_fails_and_nothing_is_sent_unencrypted() {
    let authority = Authority::new();
    let wrong = server(&authority, "wrong", "other.example.com").await;
    let names = NameServer::start(zone(&[wrong.address().port()])).await;
    let mut tandem = running(&authority, names.address);
    dial(&tandem, 1, "sips:bob@example.com").await;
    assert!(heard(&wrong).await.is_none(), "it got a request");
    unreachable(&mut tandem).await;
    assert_eq!(Counters::get(&tandem.counters.connections_begun), 1);
}

/// The first octet that comes over the next connection; with TLS 1.3, the server's side of the handshake may well
/// succeed before the client says no.
async fn heard(server: &Server) -> Option<u8> {
    let mut peer = server.accept().await.ok()?;
    let mut octet = [0; 1];
    let read = tokio::io::AsyncReadExt::read(&mut peer.stream, &mut octet);
    match tokio::time::timeout(common::PATIENCE, read).await.expect("an end in time") {
        Ok(1) => Some(octet[0]),
        _ => None,
    }
}
