//! What cannot be served is answered with the status that says why, and with what helps the sender: from the user
//! agent without a transaction where none can be made, and the same over every transport.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's set-up fails as a test does")]

use bytes::Bytes;
use tandem_conformance::{Bench, Observed, Served, StreamPeer, octets, status};
use tandem_sip::ua::Protocol;
use tandem_sip::{HeaderName, Message, Response};

/// A request that is served, without its last header lines and body.
fn head(method: &str, id: &str) -> String {
    format!(
        "{method} sip:user@example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{id}\nMax-Forwards: 70\n\
         From: <sip:caller@example.net>;tag=f{id}\nTo: <sip:user@example.com>\nCall-ID: {id}\nCSeq: 1 {method}\n\
         Contact: <sip:caller@192.0.2.1>\n"
    )
}

const SDP: &str = "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 4000 RTP/AVP 0\n";

fn invite(id: &str) -> String {
    format!("{}Content-Type: application/sdp\nContent-Length: <length/>\n\n{SDP}", head("INVITE", id))
}

fn plain(method: &str, id: &str) -> String {
    format!("{}Content-Length: 0\n\n", head(method, id))
}

/// Request, status, and a header that the answer must have, with a part of its value.
type Refused = (&'static str, String, u16, Option<(HeaderName, &'static str)>);

fn refused() -> Vec<Refused> {
    let long = "x".repeat(8_200);
    vec![
        ("no Contact", invite("400a").replace("Contact: <sip:caller@192.0.2.1>\n", ""), 400, None),
        ("no From", plain("OPTIONS", "400b").replace("From: ", "X-From: "), 400, None),
        ("no type", invite("400c").replace("Content-Type: application/sdp\n", ""), 400, None),
        (
            "method not allowed",
            plain("PUBLISH", "405"),
            405,
            Some((HeaderName::Allow, "INVITE, ACK, BYE, CANCEL")),
        ),
        (
            "nothing to answer with",
            invite("406").replace("Max-Forwards: 70", "Accept: text/plain"),
            406,
            None,
        ),
        (
            "long description",
            invite("413").replace(SDP, &format!("{SDP}a={}\n", "x".repeat(32 * 1024))),
            413,
            None,
        ),
        ("long URI", plain("OPTIONS", "414").replacen("user", &long, 1), 414, None),
        (
            "unknown type",
            invite("415a").replace("application/sdp", "text/html"),
            415,
            Some((HeaderName::Accept, "application/sdp")),
        ),
        (
            "unknown encoding",
            invite("415b").replace("Max-Forwards: 70", "e: gzip"),
            415,
            Some((HeaderName::AcceptEncoding, "identity")),
        ),
        (
            "unknown scheme",
            plain("OPTIONS", "416").replacen("sip:user@example.com", "urn:service:sos", 1),
            416,
            None,
        ),
        (
            "unknown extension",
            invite("420").replace("Max-Forwards: 70", "Require: outbound, x-nonsense"),
            420,
            Some((HeaderName::Unsupported, "x-nonsense")),
        ),
        (
            "no such dialog",
            plain("BYE", "481a").replace("example.com>\nCall", "example.com>;tag=gone\nCall"),
            481,
            None,
        ),
        ("no such transaction", plain("CANCEL", "481b"), 481, None),
        ("no more hops", invite("483").replace("Max-Forwards: 70", "Max-Forwards: 0"), 483, None),
        ("unknown method", plain("FROBNICATE", "501"), 501, Some((HeaderName::Allow, "INVITE"))),
        ("unknown version", plain("OPTIONS", "505").replacen("SIP/2.0", "SIP/3.0", 1), 505, None),
        (
            "long header",
            plain("OPTIONS", "513a").replace("Max-Forwards: 70", &format!("X: {long}")),
            513,
            None,
        ),
        (
            "many headers",
            plain("OPTIONS", "513b").replace("Contact", &format!("{}Contact", "X: y\n".repeat(256))),
            513,
            None,
        ),
    ]
}

fn response(bytes: &Bytes) -> Option<Response> {
    match Message::parse(bytes.clone()) {
        Ok(Message::Response(response)) => Some(response),
        _ => None,
    }
}

fn assert_refused((name, _, expected, header): &Refused, answer: &Bytes) {
    assert_eq!(status(answer), *expected, "{name}: {}", String::from_utf8_lossy(answer));
    if let Some((header, part)) = header {
        let answer = response(answer).unwrap();
        let value = answer.headers.text(header).unwrap_or_else(|| panic!("{name}: no {header}"));
        assert!(value.contains(part), "{name}: {header}: {value}");
    }
}

#[test]
fn the_user_agent_refuses_and_keeps_nothing_of_it() {
    for case in refused() {
        let mut bench = Bench::new();
        let first = bench.datagram(&octets(&case.1));
        let [answer] = &first.answers[..] else { panic!("{}: {:?}", case.0, first.answers) };
        assert_refused(&case, answer);
        assert_eq!(first.asked, 0, "{}", case.0);
        assert!(bench.agent.is_idle(), "{}: a transaction is kept", case.0);
        assert_eq!(
            bench.datagram(&octets(&case.1)).answers,
            first.answers,
            "{}: the same when asked again",
            case.0
        );
        let stream = Bench::new().stream(&octets(&case.1));
        assert_refused(&case, &stream.answers[0]);
    }
}

#[tokio::test]
async fn the_same_over_udp() {
    let served = Served::start("127.0.0.1");
    let peer = served.datagrams().await;
    for case in refused() {
        peer.send(&octets(&case.1)).await;
        assert_refused(&case, &peer.answer().await);
    }
    assert_eq!(served.asked(), 0);
}

async fn the_same_over(protocol: Protocol) {
    let served = Served::start("127.0.0.1");
    for case in refused() {
        let mut peer = served.connection(protocol).await;
        peer.send(&octets(&case.1)).await;
        assert_refused(&case, &peer.answer().await.unwrap());
    }
    assert_eq!(served.asked(), 0);
}

#[tokio::test]
async fn the_same_over_tcp() {
    the_same_over(Protocol::Tcp).await;
}

#[tokio::test]
async fn the_same_over_tls() {
    the_same_over(Protocol::Tls).await;
}

#[tokio::test]
async fn the_same_over_web_socket() {
    the_same_over(Protocol::Ws).await;
}

#[tokio::test]
async fn the_same_over_web_socket_within_tls() {
    the_same_over(Protocol::Wss).await;
}

/// Content-Length alone makes it too large: it is refused before it is all there.
#[tokio::test]
async fn a_message_of_more_than_64_kib_is_refused_before_it_is_there() {
    let text = plain("OPTIONS", "513c").replace("Content-Length: 0", "Content-Length: 70000");
    let observed = Bench::new().stream(&octets(&text));
    assert_eq!((observed.closed, observed.answers.len()), (true, 1));
    assert_eq!(status(&observed.answers[0]), 513);
    let served = Served::start("127.0.0.1");
    for protocol in [Protocol::Tcp, Protocol::Tls] {
        let mut peer = served.connection(protocol).await;
        peer.send(&octets(&text)).await;
        assert_eq!(status(&peer.answer().await.unwrap()), 513);
        assert_eq!(peer.answer().await, None, "closed");
    }
}

/// A request in the dialog that an answer set up.
fn within(method: &str, id: &str, cseq: u32, answer: &Bytes, body: bool) -> Vec<u8> {
    let answer = response(answer).unwrap();
    let tag = answer.headers.to().unwrap().tag().unwrap().to_owned();
    let text = if body { invite(id) } else { plain(method, id) };
    let text = text
        .replace(&format!("branch=z9hG4bK{id}"), &format!("branch=z9hG4bK{id}-{cseq}-{method}"))
        .replace("<sip:user@example.com>\n", &format!("<sip:user@example.com>;tag={tag}\n"))
        .replace(&format!("CSeq: 1 {method}"), &format!("CSeq: {cseq} {method}"));
    octets(&text)
}

/// Answers of others within the dialog are passed over.
fn only(observed: Observed) -> Bytes {
    let [answer] = &observed.answers[..] else { panic!("{observed:?}") };
    answer.clone()
}

#[test]
fn glare_and_haste_in_virtual_time() {
    let mut bench = Bench::new();
    let accepted = only(bench.datagram(&octets(&invite("dialog"))));
    assert_eq!(status(&accepted), 200);
    // It overtakes the ACK (RFC 5407 §3.1.4), and the application takes its time over it …
    assert_eq!(bench.datagram(&within("INVITE", "dialog", 3, &accepted, true)).answers, Vec::<Bytes>::new());
    bench.datagram(&within("ACK", "dialog", 1, &accepted, false));
    // … so that the next one must wait (RFC 3261 §14.2).
    let hasty = only(bench.datagram(&within("INVITE", "dialog", 4, &accepted, true)));
    assert_hasty(&hasty);
    // An old CSeq (RFC 3261 §12.2.2).
    assert_eq!(status(&only(bench.datagram(&within("OPTIONS", "dialog", 2, &accepted, false)))), 500);
}

fn assert_hasty(answer: &Bytes) {
    assert_eq!(status(answer), 500);
    let answer = response(answer).unwrap();
    let seconds: u32 = answer.headers.text(&HeaderName::RetryAfter).unwrap().parse().unwrap();
    assert!(seconds <= 10, "{seconds}");
}

#[test]
fn a_merged_request_in_virtual_time() {
    let mut bench = Bench::new();
    bench.datagram(&octets(&invite("merged")));
    let again = invite("merged").replace("branch=z9hG4bKmerged", "branch=z9hG4bKother");
    let answer = only(bench.datagram(&octets(&again)));
    assert_eq!(status(&answer), 482);
    assert_eq!(bench.application.asked.len(), 1);
}

async fn glare_haste_and_merging_over(protocol: Protocol) {
    let served = Served::start("127.0.0.1");
    let mut peer = served.connection(protocol).await;
    peer.send(&octets(&invite("dialog"))).await;
    let accepted = peer.answer().await.unwrap();
    assert_eq!(status(&accepted), 200);
    // The 200 to the first comes again and again until it is acknowledged.
    let again = invite("dialog").replace("branch=z9hG4bKdialog", "branch=z9hG4bKother");
    peer.send(&octets(&again)).await;
    assert_eq!(status(&next_but(&mut peer, &accepted).await), 482);
    peer.send(&within("INVITE", "dialog", 3, &accepted, true)).await;
    peer.send(&within("ACK", "dialog", 1, &accepted, false)).await;
    peer.send(&within("INVITE", "dialog", 4, &accepted, true)).await;
    assert_hasty(&next_but(&mut peer, &accepted).await);
    peer.send(&within("OPTIONS", "dialog", 2, &accepted, false)).await;
    assert_eq!(status(&next_but(&mut peer, &accepted).await), 500);
}

#[tokio::test]
async fn glare_haste_and_merging_over_tcp() {
    glare_haste_and_merging_over(Protocol::Tcp).await;
}

#[tokio::test]
async fn glare_haste_and_merging_over_web_socket_within_tls() {
    glare_haste_and_merging_over(Protocol::Wss).await;
}

async fn next_but(peer: &mut StreamPeer, known: &Bytes) -> Bytes {
    loop {
        let answer = peer.answer().await.unwrap();
        if answer != *known {
            return answer;
        }
    }
}
