//! How calls end, and what is said of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use serde_json::Value;
use tandem_interop::{Baresip, Codec, Config, Phone, Signal, Sipp, SippCalls, Tandem, Transport, until};

const SOON: Duration = Duration::from_secs(15);

#[test]
fn a_cancelled_call_leaves_nothing_behind() {
    let tandem = Tandem::start(&Config::default());
    let mut phone = Phone::new(tandem.at(), 440.0);
    phone.send_invite("1000", &phone.offer("sendrecv"));
    phone.send_cancel();
    // Whichever was first, the answer or the CANCEL (RFC 3261 section 9.2).
    let invite = phone.final_response("INVITE");
    phone.ack(&invite);
    match invite.status() {
        Some(200) => assert_eq!(phone.bye().status(), Some(200)),
        other => assert_eq!(other, Some(487), "{}", invite.start),
    }
    let mut next = Phone::new(tandem.at(), 617.0);
    next.call("1000");
    assert!(next.record(1.0).level_dbfs() < -60.0, "nobody else is in the room");
}

#[test]
fn a_cancel_is_answered_whenever_it_comes() {
    let tandem = Tandem::start(&Config::default());
    let mut phone = Phone::new(tandem.at(), 440.0);
    phone.send_invite("1000", &phone.offer("sendrecv"));
    let answer = phone.cancel();
    assert!(matches!(answer.status(), Some(200 | 481)), "{}", answer.start);
}

#[test]
fn either_side_may_hang_up_and_the_room_lives_on() {
    let config = Config { media: "talk_timeout = \"2s\"".to_owned(), ..Config::default() };
    let mut tandem = Tandem::start(&config);
    let mut phones: Vec<Phone> = [440.0, 617.0, 853.0, 1103.0].map(|hz| Phone::new(tandem.at(), hz)).into();
    for phone in &mut phones {
        phone.call("1000");
    }
    let [alice, bob, carol, dave] = &mut phones[..] else { panic!("four phones") };
    carol.wait_to_hear(&[440.0, 617.0, 1103.0], SOON);
    assert_eq!(alice.bye().status(), Some(200));
    bob.media().silence();
    let bye = bob.wait_bye(SOON);
    let reason = bye.header("Reason").expect("a Reason header");
    assert!(reason.contains("Q.850") || reason.contains("SIP"), "{reason}");
    carol.record(1.5).assert_tones("carol, when two have gone", &[1103.0], &[440.0, 617.0, 853.0]);
    dave.record(1.5).assert_tones("dave, when two have gone", &[853.0], &[440.0, 617.0, 1103.0]);
    tandem.assert_sound();
}

#[test]
fn a_caller_that_never_sends_is_hung_up() {
    let config = Config { media: "setup_timeout = \"2s\"".to_owned(), ..Config::default() };
    let tandem = Tandem::start(&config);
    let mut phone = Phone::new(tandem.at(), 440.0);
    let offer = phone.offer("sendrecv");
    assert_eq!(phone.invite("1000", &offer).status(), Some(200));
    let bye = phone.wait_bye(SOON);
    assert!(bye.header("Reason").is_some(), "{bye:?}");
}

#[test]
fn a_request_for_a_call_that_is_over_is_refused() {
    let tandem = Tandem::start(&Config::default());
    let mut phone = Phone::new(tandem.at(), 440.0);
    phone.call("1000");
    assert_eq!(phone.bye().status(), Some(200));
    assert_eq!(phone.bye().status(), Some(481));
}

fn all_are_hung_up_by(signal: Signal) {
    let mut tandem = Tandem::start(&Config::default());
    let mut phones = [Phone::new(tandem.at(), 440.0), Phone::new(tandem.at(), 617.0)];
    for phone in &mut phones {
        phone.call("1000");
    }
    let mut by_udp = Baresip::start(tandem.at(), &[Codec::Opus], 853.0);
    let mut by_tcp = Baresip::start_over(Transport::Tcp, tandem.at(), &[Codec::Pcmu], 1103.0);
    by_udp.call("echo");
    by_tcp.call("1000");
    phones[0].wait_to_hear(&[617.0, 1103.0], SOON);
    tandem.signal(signal);
    for phone in &phones {
        let bye = phone.wait_bye(SOON);
        assert!(bye.header("Reason").is_some(), "{bye:?}");
    }
    by_udp.wait_event("CALL_CLOSED");
    by_tcp.wait_event("CALL_CLOSED");
    assert_eq!(tandem.wait().code(), Some(0));
}

#[test]
fn sigterm_hangs_up_all_and_leaves() {
    all_are_hung_up_by(Signal::TERM);
}

#[test]
fn sigint_hangs_up_all_and_leaves() {
    all_are_hung_up_by(Signal::INT);
}

fn a_hundred_are_hung_up_by_sigterm(transport: Transport) {
    let mut tandem = Tandem::start(&Config::default());
    let calls = SippCalls {
        scenario: "hung-up",
        user: "1000",
        calls: 100,
        rate: 100,
        transport,
        ..SippCalls::default()
    };
    let sipp = Sipp::start(tandem.at(), &calls);
    until("a hundred calls", SOON, || {
        let lines = tandem.log().lines();
        (lines.iter().filter(|line| line.contains("media agreed")).count() == 100).then_some(())
    });
    // The last of them may still have to acknowledge its answer.
    tandem.signal(Signal::TERM);
    sipp.finish(Duration::from_secs(60)).assert_all(100);
    assert_eq!(tandem.wait().code(), Some(0));
}

#[test]
fn a_hundred_calls_over_udp_are_hung_up_at_once() {
    a_hundred_are_hung_up_by_sigterm(Transport::Udp);
}

#[test]
fn a_hundred_calls_over_tcp_are_hung_up_at_once() {
    a_hundred_are_hung_up_by_sigterm(Transport::Tcp);
}

#[test]
fn the_last_line_of_a_call_has_its_figures() {
    let tandem = Tandem::start(&Config::default());
    let mut phone = Phone::new(tandem.at(), 617.0);
    phone.call("1000");
    let mut caller = Baresip::start(tandem.at(), &[Codec::Opus], 440.0);
    caller.call("1000");
    phone.wait_to_hear(&[440.0], SOON);
    // Both ends report every five seconds or so; baresip's reports after the first of ours give the round trip.
    phone.record(12.0);
    caller.hang_up();
    let figures = wait_for_end(&tandem, "opus");
    let number = |key: &str| figures[key].as_f64().unwrap_or_else(|| panic!("no {key} in {figures}"));
    assert!((12_000.0..30_000.0).contains(&number("duration_ms")), "{figures}");
    // Fifty packets a second, both ways.
    assert!((600.0..1_500.0).contains(&number("rx_packets")), "{figures}");
    assert!((600.0..1_500.0).contains(&number("tx_packets")), "{figures}");
    assert_eq!((number("rx_lost"), number("tx_lost")), (0.0, 0.0), "{figures}");
    assert!(number("rx_jitter_ms") < 20.0 && number("tx_jitter_ms") < 20.0, "{figures}");
    assert!((0.0..50.0).contains(&number("rtt_ms")), "{figures}");
    assert!((4.0..=4.5).contains(&number("rx_mos")) && (4.0..=4.5).contains(&number("tx_mos")), "{figures}");
    let text =
        |key: &str| figures[key].as_str().unwrap_or_else(|| panic!("no {key} in {figures}")).to_owned();
    assert_eq!((text("rx_codec"), text("tx_codec")), ("opus".to_owned(), "opus".to_owned()));
    assert_eq!(text("ended_by"), "peer", "{figures}");
    assert!(!text("cause").is_empty() && text("destination").contains("1000"), "{figures}");
    assert!(text("call").starts_with('c') && text("leg").starts_with('l'), "{figures}");
    assert_eq!(phone.bye().status(), Some(200));
}

#[test]
fn the_last_line_names_the_one_who_fell_silent() {
    let config = Config { media: "talk_timeout = \"2s\"".to_owned(), ..Config::default() };
    let tandem = Tandem::start(&config);
    let mut phone = Phone::new(tandem.at(), 617.0);
    phone.call("echo");
    phone.wait_to_hear(&[617.0], SOON);
    phone.media().silence();
    phone.wait_bye(SOON);
    let figures = wait_for_end(&tandem, "PCMU");
    assert_ne!(figures["ended_by"], "peer", "{figures}");
    assert!(figures["rx_packets"].as_u64().unwrap() >= 20, "{figures}");
}

fn wait_for_end(tandem: &Tandem, codec: &str) -> Value {
    let figures = |line: &str| -> Option<Value> {
        let event: Value = serde_json::from_str(line).ok()?;
        (event["message"] == "call ended" && event["rx_codec"] == codec).then_some(event)
    };
    let line = tandem.log().wait_for("the end of the call", SOON, |line| figures(line).is_some());
    figures(&line).unwrap()
}

/// Who has gone without a word is called away in vain; what was known of the call is written all the same.
#[test]
fn a_peer_that_stays_silent_when_tandem_stops_has_its_record() {
    let mut tandem = Tandem::start(&Config::default());
    let mut gone = Phone::new(tandem.at(), 440.0);
    let mut polite = Phone::new(tandem.at(), 617.0);
    gone.call("1000");
    polite.call("1000");
    polite.wait_to_hear(&[440.0], SOON);
    gone.go_deaf();
    tandem.signal(Signal::TERM);
    polite.wait_bye(SOON);
    assert_eq!(tandem.wait().code(), Some(0));
    let lines = tandem.log().lines();
    let records: Vec<Value> = lines
        .iter()
        .filter(|line| line.contains("\"call ended\""))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(records.len(), 2, "{records:?}");
    for record in records {
        assert_eq!(record["cause"], "the server is shutting down", "{record}");
        assert_eq!((&record["ended_by"], &record["rx_codec"]), (&"us".into(), &"PCMU".into()), "{record}");
        assert!(record["rx_packets"].as_u64().is_some_and(|packets| packets > 20), "{record}");
    }
}
