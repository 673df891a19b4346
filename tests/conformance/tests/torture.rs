//! Every case of the table against the parser, against the user agent, and over sockets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's set-up fails as a test does")]

use std::collections::BTreeSet;
use std::net::SocketAddr;

use tandem_conformance::{
    Bench, CASES, Case, DatagramPeer, Observed, Outcome, Served, octets, parsed, status, table,
};
use tandem_sip::Message;
use tandem_sip::ua::Protocol;

#[test]
fn the_table_is_whole() {
    let tags: BTreeSet<&str> = CASES.iter().map(|case| case.tag).collect();
    assert_eq!(tags.len(), CASES.len());
    let of = |rfc: u16, section: &str| {
        CASES.iter().filter(|case| case.rfc == rfc && case.section.starts_with(section)).count()
    };
    assert_eq!([of(4475, "3.1.1."), of(4475, "3.1.2."), of(4475, "3.2."), of(4475, "3.3.")], [13, 19, 1, 15]);
    assert_eq!([of(4475, "3.4."), of(5118, "4.")], [1, 12]);
}

#[test]
fn the_parser_reads_each_as_the_rfc_says() {
    let wrong = |case: &&Case| parsed(&octets(case.text)) != case.parsed;
    let wrong: Vec<_> = CASES.iter().filter(wrong).map(|c| (c.tag, parsed(&octets(c.text)))).collect();
    assert_eq!(wrong, []);
}

#[test]
fn what_was_read_is_written_and_read_alike() {
    for case in CASES {
        if let Ok(message) = Message::parse(octets(case.text).into()) {
            assert_eq!(Message::parse(message.to_bytes()), Ok(message), "{}", case.tag);
        }
    }
}

fn check(how: &str, expected: impl Fn(&Case) -> &Outcome, observed: impl Fn(&Case) -> Observed) {
    let observed: Vec<_> = CASES.iter().map(|case| (case, observed(case))).collect();
    let wrong: Vec<_> = observed.iter().filter(|(c, o)| o.outcome() != *expected(c)).collect();
    let lines: Vec<_> = wrong.iter().map(|(c, o)| (c.tag, o.outcome(), expected(c))).collect();
    assert!(wrong.is_empty(), "{how}: {lines:#?}");
    for (case, observed) in &observed {
        observed.answers.iter().for_each(|answer| assert_belongs(case, answer));
    }
}

/// An answer repeats what it answers by, even where that is malformed (RFC 3261 §8.2.6.2).
fn assert_belongs(case: &Case, answer: &[u8]) {
    let (octets, answer) = (octets(case.text), String::from_utf8_lossy(answer).into_owned());
    // Folded lines are unfolded in the answer.
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let asked = words(&String::from_utf8_lossy(&octets));
    let value = |name: &str| answer.lines().find_map(|line| line.strip_prefix(name)).map(words);
    for name in ["Call-ID: ", "CSeq: ", "From: "] {
        let is_repeated = value(name).map_or(case.tag == "insuf", |value| asked.contains(&value));
        assert!(is_repeated || name == "CSeq: " && value(name).is_some(), "{}: {answer}", case.tag);
    }
    let tagged = value("To: ").map_or(case.tag == "insuf", |to| to.replace(' ', "").contains(";tag="));
    assert!(tagged && value("CSeq: ").is_some() && value("Via: ").is_some(), "{}: {answer}", case.tag);
}

#[test]
fn the_user_agent_treats_each_datagram_as_the_rfc_says() {
    check("datagrams", |case| &case.datagram, |case| Bench::new().datagram(&octets(case.text)));
}

#[test]
fn the_user_agent_treats_each_web_socket_message_as_a_datagram() {
    check("WebSocket", |case| &case.datagram, |case| Bench::new().web_socket(&octets(case.text)));
}

#[test]
fn the_user_agent_treats_each_stream_as_the_rfc_says() {
    check("streams", |case| &case.stream, |case| Bench::new().stream(&octets(case.text)));
}

/// A request that is answered by the user agent, to see that what came before it is done with.
fn marker(n: usize) -> Vec<u8> {
    octets(&format!(
        "OPTIONS sip:marker@example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKmarker{n}\n\
         From: <sip:a@example.com>;tag=marker\nTo: <sip:marker@example.com>\nCall-ID: marker\n\
         CSeq: {n} OPTIONS\nl: 0\n\n"
    ))
}

fn is_marker(answer: &[u8]) -> bool {
    String::from_utf8_lossy(answer).contains("z9hG4bKmarker")
}

/// How many final answers the outcome has.
fn answers(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::Served(statuses) => statuses.len(),
        Outcome::Answered(_) | Outcome::Closed(_) => 1,
        Outcome::Severed | Outcome::Dropped => 0,
    }
}

async fn over_udp(served: &Served, peer: &DatagramPeer, case: &Case) -> Observed {
    let before = served.asked();
    let mut observed = Observed::default();
    peer.send(&octets(case.text)).await;
    while observed.answers.len() < answers(&case.datagram) {
        observed.answers.push(peer.answer().await);
    }
    // Whatever else there is comes before the answer to this. (A 2xx may come again: nobody acknowledges it.)
    peer.send(&marker(1)).await;
    loop {
        let answer = peer.answer().await;
        if is_marker(&answer) {
            break;
        }
        if !observed.answers.contains(&answer) {
            observed.answers.push(answer);
        }
    }
    observed.asked = served.asked() - before;
    observed
}

fn expected(protocol: Protocol, case: &Case) -> &Outcome {
    match protocol {
        Protocol::Tcp | Protocol::Tls => &case.stream,
        Protocol::Udp | Protocol::Ws | Protocol::Wss => &case.datagram,
    }
}

async fn over_connection(served: &Served, protocol: Protocol, case: &Case) -> Observed {
    let before = served.asked();
    let mut peer = served.connection(protocol).await;
    let mut observed = Observed::default();
    let expected = expected(protocol, case);
    peer.send(&octets(case.text)).await;
    let ends = matches!(expected, Outcome::Closed(_) | Outcome::Severed);
    while observed.answers.len() < answers(expected) {
        observed.answers.extend(peer.answer().await);
    }
    if !ends {
        peer.send(&marker(1)).await;
    }
    loop {
        match peer.answer().await {
            None => {
                observed.closed = true;
                break;
            }
            Some(answer) if is_marker(&answer) => break,
            Some(answer) if observed.answers.contains(&answer) => {}
            Some(answer) => observed.answers.push(answer),
        }
    }
    observed.asked = served.asked() - before;
    observed
}

#[tokio::test]
async fn each_is_met_over_udp() {
    let served = Served::start("127.0.0.1");
    for case in CASES {
        let peer = served.datagrams().await;
        let observed = over_udp(&served, &peer, case).await;
        assert_eq!(observed.outcome(), case.datagram, "{}", case.tag);
    }
}

async fn each_is_met_over(protocol: Protocol) {
    let served = Served::start("127.0.0.1");
    for case in CASES {
        let observed = over_connection(&served, protocol, case).await;
        assert_eq!(observed.outcome(), *expected(protocol, case), "{}", case.tag);
    }
}

#[tokio::test]
async fn each_is_met_over_tcp() {
    each_is_met_over(Protocol::Tcp).await;
}

#[tokio::test]
async fn each_is_met_over_tls() {
    each_is_met_over(Protocol::Tls).await;
}

#[tokio::test]
async fn each_is_met_over_web_socket() {
    each_is_met_over(Protocol::Ws).await;
}

#[tokio::test]
async fn each_is_met_over_web_socket_within_tls() {
    each_is_met_over(Protocol::Wss).await;
}

#[tokio::test]
async fn those_of_ipv6_are_met_over_ipv6() {
    let served = Served::start("::1");
    let own = SocketAddr::new(std::net::Ipv6Addr::LOCALHOST.into(), 5060);
    let peer = DatagramPeer::at(own, served.at(Protocol::Udp)).await;
    for case in CASES.iter().filter(|case| case.rfc == 5118) {
        let observed = over_connection(&served, Protocol::Tcp, case).await;
        assert_eq!(observed.outcome(), case.stream, "{}", case.tag);
        // The same request over TCP and UDP is the same transaction.
        let again =
            case.text.replace("branch=z9hG4bK", "branch=z9hG4bKudp").replace("Call-ID: ", "Call-ID: udp");
        let before = served.asked();
        peer.send(&octets(&again)).await;
        let answer = loop {
            let answer = peer.answer().await;
            // 2xx to earlier ones come again.
            if String::from_utf8_lossy(&answer).contains(&format!("Call-ID: udp{}", case.tag)) {
                break answer;
            }
        };
        let observed = Observed { answers: vec![answer], asked: served.asked() - before, closed: false };
        assert_eq!(observed.outcome(), case.datagram, "{}", case.tag);
    }
}

#[test]
fn the_table_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/CASES.md");
    if std::env::var_os("TANDEM_BLESS").is_some() {
        std::fs::write(path, table()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), table(), "see the head of CASES.md");
}

#[test]
fn statuses_are_read() {
    assert_eq!(status(b"SIP/2.0 481 Nobody\r\n\r\n"), 481);
}
