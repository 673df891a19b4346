//! What nobody sends in good faith: the largest datagrams of the worst kinds, and whatever chance makes of messages.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's set-up fails as a test does")]

use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;
use tandem_conformance::{Bench, CASES, octets, status};
use tandem_sip::{HeaderName, Headers, Message, NameAddr, Uri, Via};
use tandem_testkit::{LARGEST_DATAGRAM, worst_datagrams};

/// What grows faster than its input takes seconds here. (`cargo bench -p tandem-sip --bench parse` measures: below a
/// millisecond each.)
const FAR_TOO_LONG: Duration = Duration::from_millis(500);

#[test]
fn the_worst_datagrams_are_answered_in_time_or_dropped() {
    for (name, octets) in worst_datagrams() {
        assert!(
            octets.len() <= LARGEST_DATAGRAM && octets.len() > LARGEST_DATAGRAM * 3 / 4,
            "{name}: {}",
            octets.len()
        );
        let mut bench = Bench::new();
        // The best of three: the machine has other things to do too.
        let least = (0..3).map(|_| timed(&mut bench, &octets)).min().unwrap();
        assert!(least < FAR_TOO_LONG, "{name}: {least:?}");
    }
}

fn timed(bench: &mut Bench, octets: &[u8]) -> Duration {
    let began = Instant::now();
    let observed = bench.datagram(octets);
    let took = began.elapsed();
    // One datagram never draws more than it is.
    let answered: usize = observed.answers.iter().map(Bytes::len).sum();
    assert!(observed.answers.len() <= 1 && answered <= octets.len() + 1_000, "{answered}");
    took
}

#[test]
fn the_worst_are_no_better_on_a_stream() {
    for (name, octets) in worst_datagrams() {
        let began = Instant::now();
        Bench::new().stream(&octets);
        assert!(began.elapsed() < 3 * FAR_TOO_LONG, "{name}");
    }
}

/// What means something in SIP.
const MEANT: &[u8] = b"\r\n\t :;,<>\"\\@?=%/[]";

/// A message of the table with a few octets changed, taken out or doubled.
fn mutilated() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..4u8);
    (prop::sample::select(CASES), prop::collection::vec(change, 1..6)).prop_map(|(case, changes)| {
        let mut octets = octets(case.text);
        for (at, octet, how) in changes {
            let at = at.index(octets.len());
            match how {
                0 => octets[at] = octet,
                1 => drop(octets.remove(at)),
                2 => octets.insert(at, octet),
                // Of what means something, more.
                _ => octets.insert(at, MEANT[usize::from(octet) % MEANT.len()]),
            }
        }
        octets
    })
}

fn is_alike(a: &Message, b: &Message) -> bool {
    match (a, b) {
        (Message::Request(a), Message::Request(b)) => {
            (&a.method, &a.uri, &a.body) == (&b.method, &b.uri, &b.body)
        }
        (Message::Response(a), Message::Response(b)) => {
            (a.status, &a.reason, &a.body) == (b.status, &b.reason, &b.body)
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_read_is_written_and_read_alike(octets in mutilated()) {
        if let Ok(message) = Message::parse(Bytes::from(octets)) {
            // But for a Content-Length that it may have lacked.
            let written = message.to_bytes();
            let again = Message::parse(written.clone());
            prop_assert_eq!(again.as_ref().map(Message::to_bytes), Ok(written));
            prop_assert!(again.is_ok_and(|again| is_alike(&again, &message)));
        }
    }

    #[test]
    fn no_datagram_draws_more_than_one_answer_of_ours_nor_leaves_anything(octets in mutilated()) {
        let mut bench = Bench::new();
        let observed = bench.datagram(&octets);
        prop_assert!(observed.answers.len() <= 1);
        for answer in &observed.answers {
            prop_assert!((200..700).contains(&status(answer)));
            // By Via and CSeq its sender finds it.
            let text = String::from_utf8_lossy(answer);
            prop_assert!(text.contains("\r\nVia: ") && text.contains("\r\nCSeq: "), "{}", text);
        }
        prop_assert!(observed.asked > 0 || bench.agent.is_idle());
    }

    #[test]
    fn a_stream_is_the_same_however_it_is_cut(octets in mutilated(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5)) {
        let frames = |cuts: &[usize]| {
            let mut framer = tandem_sip::StreamFramer::new();
            let mut frames = Vec::new();
            let mut from = 0;
            for to in cuts.iter().copied().chain([octets.len()]) {
                framer.push(&octets[from..to]);
                from = to;
                loop {
                    match framer.next_frame() {
                        Ok(Some(frame)) => frames.push(format!("{frame:?}")),
                        Ok(None) => break,
                        Err(error) => {
                            frames.push(error.to_string());
                            return frames;
                        }
                    }
                }
            }
            frames
        };
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(octets.len())).collect();
        at.sort_unstable();
        prop_assert_eq!(frames(&at), frames(&[]));
    }

    #[test]
    fn values_are_read_as_they_are_written(text in "[ -~\\PC]{0,40}", wrapped in any::<bool>()) {
        let text = if wrapped { format!("<sip:a@b;{text}>;{text}") } else { text };
        if let Some(address) = NameAddr::parse(&text) {
            prop_assert_eq!(NameAddr::parse(&address.to_string()), Some(address));
        }
        if let Some(uri) = Uri::parse(&text) {
            prop_assert_eq!(Uri::parse(&uri.to_string()), Some(uri.clone()));
            prop_assert!(uri.equivalent(&uri));
        }
        if let Some(via) = Via::parse(&format!("SIP/2.0/UDP {text}")) {
            prop_assert_eq!(Via::parse(&via.to_string()), Some(via));
        }
    }

    #[test]
    fn any_display_name_is_given_back(name in "\\PC{0,40}", user in "\\PC{1,20}") {
        let uri = tandem_sip::SipUri::new(tandem_sip::Host::parse("b.example").unwrap()).with_user(&user);
        let address = NameAddr { display: Some(name), ..NameAddr::new(uri.into()) };
        let read = NameAddr::parse(&address.to_string());
        prop_assert_eq!(read.as_ref(), Some(&address));
        prop_assert_eq!(read.unwrap().uri.user_text(), Some(user));
    }

    #[test]
    fn unknown_headers_are_carried_through(name in "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}", value in "[!-~]([\t -~\\PC]{0,60}[!-~])?") {
        let Some(name) = HeaderName::parse(&format!("X{name}")) else { return Ok(()) };
        let mut headers = Headers::new();
        headers.push(name.clone(), value.clone());
        let written = octets(&format!("{}{name}: {value}\nl: 0\n\n", head()));
        let Ok(Message::Request(read)) = Message::parse(Bytes::from(written)) else { panic!("a request") };
        prop_assert_eq!(read.headers.text(&name), Some(value.as_str()));
        let Ok(again) = Message::parse(read.to_bytes()) else { panic!("a request") };
        prop_assert_eq!(again.headers().text(&name), Some(value.as_str()));
    }
}

fn head() -> &'static str {
    "OPTIONS sip:b@example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\nFrom: <sip:a@b>;tag=f\n\
     To: <sip:b@example.com>\nCall-ID: x\nCSeq: 1 OPTIONS\n"
}
