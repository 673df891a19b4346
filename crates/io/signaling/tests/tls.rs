//! TLS over loopback, and the certificates behind it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's set-up fails as a test does"
)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use common::outward::{call_to, reply};
use common::secure::{Authority, Framed, Server, client, first_certificate, gullible, shake};
use common::{PATIENCE, Running, all_transports, config, options, request, status};
use rustls::ClientConfig;
use tandem_signaling::tls::{
    Certificate, CertificateFiles, ClientCertificates, HostCertificate, Reload, SelfSigned, Tls, TlsConfig,
    TlsError,
};
use tandem_signaling::{Counters, SignalingConfig, StreamLimits};
use tandem_sip::ua::{Command, EndCause, Event, Failure, InviteId, Protocol, Target};
use tandem_sip::{Headers, StatusCode};
use tokio::time::timeout;

fn with(files: &CertificateFiles) -> TlsConfig {
    TlsConfig { certificate: Some(Certificate::Files(files.clone())), ..TlsConfig::default() }
}

fn running(tls: TlsConfig) -> Running {
    Running::with(all_transports("127.0.0.1", StreamLimits::default(), Tls::load(tls).unwrap()), 16)
}

/// One request and its answer, TLS 1.2 and 1.3 alike.
async fn asks(tandem: &Running, config: &Arc<ClientConfig>, branch: &str) -> std::io::Result<Vec<u8>> {
    let stream = shake(tandem.address(Protocol::Tls), "sip.example.com", config.clone()).await?;
    let via = format!("TLS {}", stream.get_ref().0.local_addr()?);
    let shown = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    let mut peer = Framed::over(stream);
    // With TLS 1.3 the server's refusal of a certificate comes after the handshake.
    tokio::io::AsyncWriteExt::write_all(&mut peer.stream, options(&via, branch).as_bytes()).await?;
    let mut first = [0; 1];
    timeout(PATIENCE, tokio::io::AsyncReadExt::read_exact(&mut peer.stream, &mut first))
        .await
        .expect("in time")?;
    assert_eq!(&first, b"S");
    Ok(shown)
}

#[tokio::test]
async fn options_are_answered_in_any_split() {
    let authority = Authority::new();
    let tandem = running(with(&authority.sign("a", &["sip.example.com"])));
    let stream =
        shake(tandem.address(Protocol::Tls), "sip.example.com", client(&authority.ca(), None)).await.unwrap();
    let via = format!("TLS {}", stream.get_ref().0.local_addr().unwrap());
    let mut peer = Framed::over(stream);
    let text = options(&via, "t1") + &options(&via, "t2");
    for part in text.as_bytes().chunks(97) {
        peer.send(part).await;
    }
    for branch in ["t1", "t2"] {
        let answer = peer.receive().await;
        assert_eq!(
            (status(&answer), answer.headers.call_id().unwrap()),
            (200, format!("call-{branch}").as_str())
        );
    }
}

#[tokio::test]
async fn contact_names_the_transport_and_keeps_what_is_secure_secure() {
    let authority = Authority::new();
    let mut tandem = running(with(&authority.sign("a", &["sip.example.com"])));
    let address = tandem.address(Protocol::Tls);
    let stream = shake(address, "sip.example.com", client(&authority.ca(), None)).await.unwrap();
    let via = format!("TLS {}", stream.get_ref().0.local_addr().unwrap());
    let mut peer = Framed::over(stream);
    for (branch, secure) in [("s1", false), ("s2", true)] {
        let mut text = request("INVITE", &via, branch, "");
        if secure {
            text = text
                .replace("sip:1000@", "sips:1000@")
                .replace("<sip:peer@127.0.0.1>", "<sips:peer@127.0.0.1>");
        }
        peer.send(text).await;
        let Event::Incoming { invite, .. } = tandem.event().await else { panic!("a call") };
        let (status_code, headers) = (StatusCode::RINGING, Headers::new());
        let ringing = Command::Provisional { invite, status: status_code, headers, body: None };
        tandem.commands.send(ringing).await.unwrap();
        assert_eq!(status(&peer.receive().await), 100);
        let ringing = peer.receive().await;
        let contacts = ringing.headers.contacts().unwrap();
        let uri = contacts[0].uri.as_sip().unwrap();
        assert_eq!((uri.secure, uri.host.ip(), uri.port), (secure, Some(address.ip()), Some(address.port())));
        assert_eq!(uri.params.get("transport"), (!secure).then_some("tls"));
    }
}

#[tokio::test]
async fn the_name_asked_for_chooses_the_certificate() {
    let authority = Authority::new();
    let files = |name: &str, of: &[&str]| authority.sign(name, of);
    let default = files("default", &["sip.example.com"]);
    let exact = files("exact", &["a.example.org"]);
    let wild = files("wild", &["*.example.org"]);
    let host = |name: &str, files: &CertificateFiles| HostCertificate {
        name: name.to_owned(),
        files: files.clone(),
    };
    let hosts = vec![host("a.example.org", &exact), host("*.example.org", &wild)];
    let tandem = running(TlsConfig { hosts, ..with(&default) });
    for (asked, shown) in [
        ("a.example.org", &exact),
        ("A.EXAMPLE.ORG", &exact),
        ("b.example.org", &wild),
        ("x.b.example.org", &default),
        ("sip.example.com", &default),
        ("127.0.0.1", &default),
    ] {
        let stream = shake(tandem.address(Protocol::Tls), asked, gullible()).await.unwrap();
        let certificates = stream.get_ref().1.peer_certificates().unwrap();
        assert_eq!(certificates[0], first_certificate(&shown.certificate), "{asked}");
    }
}

#[tokio::test]
async fn client_certificates_are_asked_for_as_configured() {
    let (authority, strangers) = (Authority::new(), Authority::new());
    let server = authority.sign("server", &["sip.example.com"]);
    let known = authority.sign("client", &["client.example.com"]);
    let stranger = strangers.sign("stranger", &["client.example.com"]);
    let ca = authority.ca();
    for (clients, without, with_known, with_stranger) in [
        (ClientCertificates::Off, true, true, true),
        (ClientCertificates::Optional(ca.clone()), true, true, false),
        (ClientCertificates::Required(ca.clone()), false, true, false),
    ] {
        let tandem = running(TlsConfig { clients: clients.clone(), ..with(&server) });
        for (own, welcome) in [(None, without), (Some(&known), with_known), (Some(&stranger), with_stranger)]
        {
            let outcome = asks(&tandem, &client(&ca, own), "c1").await;
            assert_eq!(outcome.is_ok(), welcome, "{clients:?} {own:?}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn a_reload_shows_the_new_certificate_and_leaves_connections_up() {
    let authority = Authority::new();
    let files = authority.sign("a", &["sip.example.com"]);
    let config = all_transports("127.0.0.1", StreamLimits::default(), Tls::load(with(&files)).unwrap());
    let tls = config.tls.clone().unwrap();
    let tandem = Running::with(config, 16);
    let trust = client(&authority.ca(), None);
    let before = asks(&tandem, &trust, "r1").await.unwrap();
    let stream = shake(tandem.address(Protocol::Tls), "sip.example.com", trust.clone()).await.unwrap();
    let via = format!("TLS {}", stream.get_ref().0.local_addr().unwrap());
    let mut standing = Framed::over(stream);
    standing.send(options(&via, "r2")).await;
    assert_eq!(status(&standing.receive().await), 200);

    assert_eq!(tls.poll(), Reload::Unchanged);
    fs::write(&files.certificate, "half a file").unwrap();
    assert_eq!(tls.poll(), Reload::Failed);
    assert_eq!(tls.poll(), Reload::Unchanged, "it is told once");
    assert!(matches!(tls.reload(), Err(TlsError::NoCertificate { path }) if path == files.certificate));
    assert_eq!(asks(&tandem, &trust, "r3").await.unwrap(), before, "the old one stays");

    authority.sign("a", &["sip.example.com"]);
    assert_eq!(tls.poll(), Reload::Done);
    assert_ne!(asks(&tandem, &trust, "r4").await.unwrap(), before, "the new one is shown");
    standing.send(options(&via, "r5")).await;
    assert_eq!(status(&standing.receive().await), 200);
}

#[test]
fn a_self_signed_certificate_is_made_once_and_for_all_names() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("deep/er");
    let file = directory.join("self-signed.pem");
    let load = |names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let own = SelfSigned { directory: directory.clone(), names };
        Tls::load(TlsConfig { certificate: Some(Certificate::SelfSigned(own)), ..TlsConfig::default() })
    };
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    load(&["sip.example.com", "192.0.2.1", "2001:db8::1"]).unwrap();
    let first = fs::read(&file).unwrap();
    assert_eq!((mode(&file), mode(&directory)), (0o600, 0o700));
    load(&["192.0.2.1", "sip.example.com"]).unwrap();
    assert_eq!(fs::read(&file).unwrap(), first, "it is used again");
    load(&["other.example.com"]).unwrap();
    let second = fs::read(&file).unwrap();
    assert_ne!(second, first, "it lacked a name");
    fs::write(&file, "spoilt").unwrap();
    let tls = load(&["other.example.com"]).unwrap();
    assert!(!fs::read(&file).unwrap().is_empty() && fs::read(&file).unwrap() != second);
    assert_eq!(tls.poll(), Reload::Unchanged);
    fs::remove_file(&file).unwrap();
    assert_eq!(tls.poll(), Reload::Done);
    assert_eq!(mode(&file), 0o600);
}

#[test]
fn a_self_signed_certificate_is_renewed_before_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("self-signed.pem");
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["sip.example.com".to_owned()]).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap();
    params.not_after = rcgen::date_time_ymd(1970, 1, 1) + now + std::time::Duration::from_secs(29 * 86_400);
    fs::write(&file, params.self_signed(&key).unwrap().pem() + &key.serialize_pem()).unwrap();
    let ending = fs::read(&file).unwrap();
    let own = SelfSigned { directory: folder.path().to_owned(), names: vec!["sip.example.com".to_owned()] };
    Tls::load(TlsConfig { certificate: Some(Certificate::SelfSigned(own)), ..TlsConfig::default() }).unwrap();
    assert_ne!(fs::read(&file).unwrap(), ending);
}

#[test]
fn everything_wrong_with_the_files_is_told() {
    let authority = Authority::new();
    let (a, b) = (authority.sign("a", &["a.example"]), authority.sign("b", &["b.example"]));
    let pair = |certificate: &Path, key: &Path| CertificateFiles {
        certificate: certificate.into(),
        key: key.into(),
    };
    let told = |files: CertificateFiles| {
        let errors = Tls::check(&with(&files));
        let [error] = &errors[..] else { panic!("{errors:?}") };
        (error.path().unwrap().to_owned(), error.to_string())
    };
    let nowhere = authority.path("nowhere");
    let (path, text) = told(pair(&nowhere, &a.key));
    assert!(path == nowhere && text.contains("cannot be read"), "{text}");
    let (path, text) = told(pair(&a.certificate, &b.key));
    assert!(path == b.key && text.contains("does not belong to the certificate"), "{text}");
    let (path, text) = told(pair(&a.certificate, &a.certificate));
    assert!(path == a.certificate && text.contains("holds no private key"), "{text}");
    let (path, text) = told(pair(&a.key, &a.key));
    assert!(path == a.key && text.contains("holds no certificate"), "{text}");
    let (path, text) = told(pair(authority.folder.path(), &a.key));
    assert!(path == authority.folder.path() && text.contains("not a regular file"), "{text}");
    fs::write(&nowhere, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let (path, text) = told(pair(&nowhere, &a.key));
    assert!(path == nowhere && text.contains("cannot be used"), "{text}");

    let hosts = vec![HostCertificate { name: "b.example".to_owned(), files: a.clone() }];
    let clients = ClientCertificates::Required(authority.path("no-ca"));
    let errors = Tls::check(&TlsConfig { hosts, clients, servers_ca: Some(b.key), ..with(&a) });
    let texts: Vec<String> = errors.iter().map(TlsError::to_string).collect();
    assert!(texts[0].contains("is not for b.example"), "{texts:?}");
    assert!(texts[1].contains("no-ca cannot be read") && texts[2].contains("no certificate"), "{texts:?}");
    assert_eq!(texts.len(), 3);
    assert!(errors.iter().all(|error| !error.help().is_empty()));
    assert!(Tls::check(&with(&a)).is_empty());
}

/// We call a server by its address; its certificate is signed by `signer` for `name`, we believe `trusted`.
async fn call_out(signer: &Authority, name: &str, trusted: &Authority) -> Option<u16> {
    let files = signer.sign("callee", &[name]);
    let server = Server::with(&files).await;
    let target = Target::Address { protocol: Protocol::Tls, remote: server.address() };
    let ours = TlsConfig { servers_ca: Some(trusted.ca()), ..with(&trusted.sign("ours", &["ours.example"])) };
    let mut tandem = running(ours);
    let call = call_to("sip:peer@127.0.0.1;transport=tls", Some(target));
    tandem.commands.send(Command::Invite { invite: InviteId::outgoing(1), call }).await.unwrap();
    let answering = tokio::spawn(async move {
        let Ok(mut peer) = server.accept().await else { return };
        let request = peer.receive_request().await;
        assert_eq!(request.headers.via().unwrap().known_transport(), Some(Protocol::Tls));
        peer.send(reply(&request, 603)).await;
        // Until the other side closes.
        let _ = peer.receive_request().await;
    });
    let outcome = match tandem.event().await {
        Event::Ended { cause: EndCause::Failed(Failure::Rejected(response)), .. } => Some(status(&response)),
        Event::Ended { cause: EndCause::Failed(Failure::Unreachable), .. } => {
            assert_eq!(Counters::get(&tandem.counters.connects_failed), 1);
            None
        }
        other => panic!("{other:?}"),
    };
    answering.abort();
    outcome
}

#[tokio::test]
async fn we_connect_only_to_whom_we_can_verify() {
    let (known, stranger) = (Authority::new(), Authority::new());
    assert_eq!(call_out(&known, "127.0.0.1", &known).await, Some(603));
    assert_eq!(call_out(&known, "127.0.0.2", &known).await, None, "it is somebody else");
    assert_eq!(call_out(&stranger, "127.0.0.1", &known).await, None, "nobody known says so");
}

#[tokio::test]
async fn ipv6_is_served_alike() {
    let authority = Authority::new();
    let tls = Tls::load(with(&authority.sign("a", &["::1"]))).unwrap();
    let config: SignalingConfig = all_transports("::1", StreamLimits::default(), tls);
    let tandem = Running::with(config, 16);
    let stream = shake(tandem.address(Protocol::Tls), "::1", client(&authority.ca(), None)).await.unwrap();
    let via = format!("TLS {}", stream.get_ref().0.local_addr().unwrap());
    let mut peer = Framed::over(stream);
    peer.send(options(&via, "v6")).await;
    assert_eq!(status(&peer.receive().await), 200);
}

#[tokio::test]
async fn without_a_certificate_tls_is_not_listened_on() {
    let mut config = config("127.0.0.1", StreamLimits::default());
    config.tls = Some(Arc::new(Tls::load(TlsConfig::default()).unwrap()));
    config.listeners[1].protocol = Protocol::Wss;
    let error = tandem_signaling::Signaling::bind(config).unwrap_err();
    assert!(error.to_string().contains("wss:127.0.0.1:0: there is no certificate"), "{error}");
}
