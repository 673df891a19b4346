//! What the user agent refuses without asking anybody (RFC 3261 §8.2).
//!
//! | status | test |
//! |---|---|
//! | 400, 405 with Allow, 415 with Accept or Accept-Encoding, 416, 420 with Unsupported, 481, 483, 501, 505 | [`what_cannot_be_served_is_refused_with_the_right_status`] |
//! | 406, 413, 513 | [`what_is_too_large_or_cannot_be_answered_is_refused`] |
//! | 421 with Require | [`without_an_extension_that_we_insist_on_421_says_which`] |
//! | 422 with Min-SE | `timers::too_short_a_session_is_lengthened` |
//! | 482 | [`a_merged_request_is_refused_with_482`], [`a_copy_of_another_request_is_merged_too`] |
//! | 487 | [`an_early_bye_ends_the_call_and_its_invite`], [`an_invite_expires`], `cancel` |
//! | 488 with Warning | of the application: `tests/conformance/tests/rooms.rs`, `crates/app/control/src/tests.rs` |
//! | 491 | [`a_reinvite_meets_491_while_ours_is_pending`], `overtaken::without_its_ack_an_offer_is_refused_with_491_in_200_ms` |
//! | 494 with Security-Server | [`a_security_agreement_is_asked_for_with_494`] |
//! | 500, with Retry-After where there is haste | [`old_cseq_numbers_are_refused_with_500`], [`a_second_reinvite_must_wait_for_the_first`] |
//! | 503 with Retry-After | [`beyond_each_limit_503_is_all_that_happens`] |
//! | 504 | `update::an_offer_left_alone_is_refused_in_five_seconds` |

use super::lone::*;
use super::*;
use crate::HeaderName;

#[test]
fn options_says_what_we_can_do() {
    let mut lone = Lone::new();
    let response = lone.reply(&plain("OPTIONS"));
    assert_eq!(response.status, StatusCode::OK);
    let header = |name| response.headers.text(&name).map(str::to_owned);
    assert_eq!(header(HeaderName::Allow).unwrap(), "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, PRACK, UPDATE");
    assert_eq!(header(HeaderName::Accept).unwrap(), "application/sdp");
    assert_eq!(header(HeaderName::Supported).unwrap(), "replaces, timer, 100rel");
    assert_eq!(header(HeaderName::AllowEvents), None);
    assert!(lone.ua.is_idle(), "nothing is kept of it");
}

#[test]
fn options_within_a_dialog_is_answered_and_outside_of_one_refused() {
    let mut lone = Lone::new();
    let (id, tag) = lone.establish(udp(PEER), INVITE);
    assert_eq!(lone.reply(&within("OPTIONS", 2, &tag)).status, StatusCode::OK);
    assert_eq!(lone.reply(&within("OPTIONS", 3, "nobody")).status, status(481));
    lone.command(bye(id));
    lone.assert_quiet_end();
}

#[test]
fn what_cannot_be_served_is_refused_with_the_right_status() {
    let cases = [
        (
            plain("REGISTER"),
            405,
            Some((HeaderName::Allow, "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, PRACK, UPDATE")),
        ),
        (
            plain("FROBNICATE"),
            501,
            Some((HeaderName::Allow, "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, PRACK, UPDATE")),
        ),
        (INVITE.replace("Max-Forwards: 70", "Max-Forwards: 0"), 483, None),
        (
            INVITE.replace("Max-Forwards: 70", "Require: replaces, 100rel, foo"),
            420,
            Some((HeaderName::Unsupported, "foo")),
        ),
        (INVITE.replacen("sip:1000@192.0.2.2", "urn:service:sos", 1), 416, None),
        (INVITE.replace("application/sdp", "text/plain"), 415, Some((HeaderName::Accept, "application/sdp"))),
        (
            INVITE.replace("Max-Forwards: 70", "Content-Encoding: gzip"),
            415,
            Some((HeaderName::AcceptEncoding, "identity")),
        ),
        (INVITE.replacen("SIP/2.0\n", "SIP/3.0\n", 1), 505, None),
        (INVITE.replace("Contact: <sip:carol@198.51.100.7:5060>\n", ""), 400, None),
        (INVITE.replace("CSeq: 1 INVITE", "CSeq: 1 OPTIONS"), 400, None),
        (INVITE.replace("Content-Length: 5", "Content-Length: 50"), 400, None),
        (plain("BYE"), 481, None),
        (plain("INFO"), 481, None),
        (plain("CANCEL"), 481, None),
        (within("BYE", 2, "nobody"), 481, None),
        (within("INVITE", 2, "nobody"), 481, None),
    ];
    for (text, code, header) in cases {
        let mut lone = Lone::new();
        let response = lone.reply(&text);
        assert_eq!(response.status.get(), code, "{text}");
        assert!(response.headers.to().unwrap().tag().is_some(), "{text}");
        if let Some((name, value)) = header {
            assert_eq!(response.headers.text(&name), Some(value), "{text}");
        }
        // The same request draws the same response, tag and all.
        assert_eq!(lone.reply(&text).to_bytes(), response.to_bytes());
        assert!(lone.ua.is_idle(), "{text}");
        assert_eq!(lone.ua.statistics().refused + lone.ua.statistics().malformed, 2);
    }
}

#[test]
fn a_body_that_is_optional_and_unknown_is_taken_off() {
    let mut lone = Lone::new();
    let text = INVITE.replace(
        "Content-Type: application/sdp",
        "Content-Disposition: signal;handling=optional\nContent-Type: application/x-unknown",
    );
    lone.receive(udp(PEER), &text);
    let offered = lone.out.iter().find_map(|output| match output {
        Output::Event(Event::Incoming { request, .. }) => Some(request.body.clone()),
        _ => None,
    });
    assert_eq!(offered.unwrap(), "");
}

#[test]
fn neither_responses_nor_acks_nor_rubbish_are_ever_answered() {
    let mut lone = Lone::new();
    let texts = [
        plain("ACK"),
        plain("ACK").replace("SIP/2.0\n", "SIP/3.0\n"),
        plain("ACK").replace("Call-ID: call-1\n", ""),
        within("ACK", 1, "nobody"),
        "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK0000000000000001\nFrom: <sip:a@b>;tag=1\nTo: <sip:c@d>;tag=2\nCall-ID: x\nCSeq: 1 INVITE\n\n".to_owned(),
        "SIP/2.0 abc\n\n".to_owned(),
        "no SIP at all".to_owned(),
        "INVITE sip:a@b SIP/2.0\n\n".to_owned(),
        "\n\n".to_owned(),
        "\0\0\0\0".to_owned(),
    ];
    for text in texts {
        lone.receive(udp(PEER), &text);
        assert!(lone.out.is_empty(), "{text}: {:?}", lone.out);
    }
    let statistics = lone.ua.statistics();
    assert_eq!((statistics.received, statistics.dropped, statistics.strays), (8, 5, 3));
}

#[test]
fn rubbish_on_a_connection_closes_it() {
    let mut lone = Lone::new();
    lone.receive(tcp(PEER), "GET / HTTP/1.1\nHost: x\n\n");
    assert!(matches!(lone.out[..], [Output::CloseFlow(flow)] if flow == tcp(PEER)));
    let mut framer = crate::StreamFramer::new();
    framer.push(INVITE.replace('\n', "\r\n").replace("Content-Length: 5", "Content-Length: x").as_bytes());
    let error = framer.next_frame().unwrap_err();
    lone.input(Input::Unframed { flow: tcp(PEER), error });
    assert!(lone.sent()[0].1.starts_with("SIP/2.0 400"));
    assert!(matches!(lone.out[..], [Output::Send { .. }, Output::CloseFlow(_)]));
}

#[test]
fn a_merged_request_is_refused_with_482() {
    let mut lone = Lone::new();
    lone.receive(udp(PEER), INVITE);
    let id = lone.incoming();
    let response = lone.reply(&INVITE.replace("z9hG4bKinvite", "z9hG4bKother"));
    assert_eq!(response.status, status(482));
    lone.command(reject(id, 486));
    assert!(lone.sent()[0].1.starts_with("SIP/2.0 486"));
    lone.assert_quiet_end();
}

/// Retargeted on its way back to us, it is a spiral (RFC 3261 §6): it asks for somebody else.
#[test]
fn a_spiral_is_another_call() {
    let mut lone = Lone::new();
    lone.receive(udp(PEER), INVITE);
    let first = lone.incoming();
    let second = INVITE.replace("z9hG4bKinvite", "z9hG4bKother");
    lone.receive(udp(PEER), &second.replacen("sip:1000@", "sip:1001@", 1));
    let other = lone.incoming();
    assert_ne!(first, other);
    // Parameters are how to get there; the host may be written in any case.
    let merged = INVITE.replace("z9hG4bKinvite", "z9hG4bKthird");
    let merged = merged.replacen("sip:1000@192.0.2.2", "sip:1000@192.0.2.2;transport=udp", 1);
    assert_eq!(lone.reply(&merged).status, status(482));
    for id in [first, other] {
        lone.command(reject(id, 486));
        assert!(lone.sent()[0].1.starts_with("SIP/2.0 486"));
    }
    lone.assert_quiet_end();
}

#[test]
fn a_copy_of_another_request_is_merged_too() {
    let mut config = config(B);
    config.identity.allow.push(Method::Message);
    let mut lone = Lone::with(config);
    lone.receive(udp(PEER), &plain("MESSAGE"));
    assert!(matches!(lone.out[..], [Output::Event(Event::Request { .. })]));
    let again = plain("MESSAGE").replace("z9hG4bKMESSAGE", "z9hG4bKother");
    assert_eq!(lone.reply(&again).status, status(482));
    let spiral = again.replacen("sip:1000@", "sip:1001@", 1);
    lone.receive(udp(PEER), &spiral);
    assert!(matches!(lone.out[..], [Output::Event(Event::Request { .. })]));
    lone.assert_quiet_end();
}

/// RFC 3329 §2.3.1.
#[test]
fn a_security_agreement_is_asked_for_with_494() {
    let client = "Require: sec-agree\nProxy-Require: sec-agree\nSecurity-Client: tls, digest;d-alg=SHA-256";
    let asking = INVITE.replace("Max-Forwards: 70", client);
    // Who knows none refuses the option; a proxy's is not ours to refuse (RFC 3261 §20.29).
    let refusal = Lone::new().reply(&asking);
    assert_eq!(
        (refusal.status, refusal.headers.text(&HeaderName::Unsupported)),
        (status(420), Some("sec-agree"))
    );
    let mut config = config(B);
    config.identity.security = vec!["tls;q=0.2".to_owned(), "digest;q=0.1".to_owned()];
    let mut lone = Lone::with(config);
    for text in [asking.clone(), asking.replace("Require: sec-agree\nProxy", "Proxy")] {
        let refusal = lone.reply(&text);
        assert_eq!(refusal.status, status(494));
        let list = HeaderName::Other("Security-Server".to_owned());
        assert_eq!(refusal.headers.text(&list), Some("tls;q=0.2, digest;q=0.1"));
        assert_eq!(refusal.headers.text(&HeaderName::Require), Some("sec-agree"));
    }
    // Over TLS, and with our own list given back unharmed.
    let tls = Flow { id: FlowId(9), protocol: Protocol::Tls, ..tcp(PEER) };
    let verify = |list: &str| {
        asking
            .replace("SIP/2.0/UDP", "SIP/2.0/TLS")
            .replace("Security-Client", &format!("Security-Verify: {list}\nSecurity-Client"))
    };
    lone.receive(tls, &verify("tls;q=0.2"));
    assert!(lone.sent()[0].1.starts_with("SIP/2.0 494"));
    lone.receive(udp(PEER), &verify("tls;q=0.2, digest;q=0.1").replace("SIP/2.0/TLS", "SIP/2.0/UDP"));
    assert!(lone.sent()[0].1.starts_with("SIP/2.0 494"));
    lone.receive(tls, &verify("TLS;q=0.2, digest;q=0.1"));
    lone.incoming();
    // Who does not ask for it is not bothered.
    lone.receive(udp(PEER), &INVITE.replace("call-1", "call-2").replace("z9hG4bKinvite", "z9hG4bKplain"));
    lone.incoming();
}

#[test]
fn without_an_extension_that_we_insist_on_421_says_which() {
    let mut config = config(B);
    config.identity.demanded = vec!["timer".to_owned(), "100rel".to_owned()];
    let mut lone = Lone::with(config);
    for (line, missing) in [
        ("Max-Forwards: 70", Some("timer, 100rel")),
        ("Supported: Timer", Some("100rel")),
        ("Supported: timer\nRequire: 100rel", None),
    ] {
        lone.receive(udp(PEER), &INVITE.replace("Max-Forwards: 70", line));
        let Some(missing) = missing else {
            lone.incoming();
            continue;
        };
        let (_, text) = &lone.sent()[0];
        assert!(
            text.starts_with("SIP/2.0 421") && text.contains(&format!("\r\nRequire: {missing}\r\n")),
            "{text}"
        );
    }
    assert_eq!(lone.reply(&plain("OPTIONS")).status, StatusCode::OK);
}

#[test]
fn what_is_too_large_or_cannot_be_answered_is_refused() {
    let long = "x".repeat(32 * 1024 + 1);
    let large =
        INVITE.replace("Content-Length: 5\n\noffer", &format!("Content-Length: {}\n\n{long}", long.len()));
    let cases = [
        (INVITE.replace("Max-Forwards: 70", "Accept: text/plain"), 406),
        (INVITE.replace("Max-Forwards: 70", "Accept: application/sdp;q=0.0, text/*"), 406),
        (large, 413),
        (plain("OPTIONS").replace("Max-Forwards: 70", &format!("X: {}", "y".repeat(9_000))), 513),
    ];
    for (text, code) in cases {
        let mut lone = Lone::new();
        assert_eq!(lone.reply(&text).status.get(), code);
        assert!(lone.ua.is_idle());
    }
}

#[test]
fn old_cseq_numbers_are_refused_with_500() {
    let mut lone = Lone::new();
    let (id, tag) = lone.establish(udp(PEER), INVITE);
    assert_eq!(lone.reply(&within("OPTIONS", 7, &tag)).status, StatusCode::OK);
    assert_eq!(lone.reply(&within("OPTIONS", 6, &tag)).status, status(500));
    lone.command(bye(id));
    lone.assert_quiet_end();
}

#[test]
fn what_is_said_in_a_dialog_is_said_again_when_asked_again() {
    let mut lone = Lone::new();
    let (id, tag) = lone.establish(udp(PEER), INVITE);
    let options = within("OPTIONS", 2, &tag);
    let first = lone.reply(&options);
    assert_eq!(lone.reply(&options), first);
    lone.command(reinvite(id, sdp("hold")));
    let offer = within("INVITE", 3, &tag);
    let first = lone.reply(&offer);
    assert_eq!(first.status, status(491));
    assert_eq!(lone.reply(&offer), first);
    lone.command(bye(id));
    lone.assert_quiet_end();
}

#[test]
fn a_second_reinvite_must_wait_for_the_first() {
    let mut lone = Lone::new();
    let (id, tag) = lone.establish(udp(PEER), INVITE);
    lone.receive(udp(PEER), &within("INVITE", 2, &tag));
    let response = lone.reply(&within("INVITE", 3, &tag));
    assert_eq!(response.status, status(500));
    let seconds: u32 = response.headers.text(&HeaderName::RetryAfter).unwrap().parse().unwrap();
    assert!(seconds <= 10);
    lone.command(bye(id));
    let lines: Vec<String> = lone.sent().iter().map(|(_, text)| text[..11].to_owned()).collect();
    assert_eq!(lines, ["SIP/2.0 487", "BYE sip:car"]);
    lone.assert_quiet_end();
}

#[test]
fn a_reinvite_meets_491_while_ours_is_pending() {
    let mut lone = Lone::new();
    let (id, tag) = lone.establish(udp(PEER), INVITE);
    lone.command(reinvite(id, sdp("hold")));
    assert_eq!(lone.reply_to_reinvite(&tag), status(491));
    lone.command(bye(id));
    lone.assert_quiet_end();
}

impl Lone {
    fn reply_to_reinvite(&mut self, tag: &str) -> StatusCode {
        self.reply(&within("INVITE", 2, tag)).status
    }
}

#[test]
fn an_early_bye_ends_the_call_and_its_invite() {
    let mut lone = Lone::new();
    lone.receive(udp(PEER), INVITE);
    let id = lone.incoming();
    lone.command(ring(id));
    let tag = to_tag(&lone.sent()[0].1);
    lone.receive(udp(PEER), &within("BYE", 2, &tag));
    let lines: Vec<String> = lone.sent().iter().map(|(_, text)| text[..11].to_owned()).collect();
    assert_eq!(lines, ["SIP/2.0 200", "SIP/2.0 487"]);
    assert!(matches!(lone.out[2], Output::Event(Event::Ended { cause: EndCause::Bye { .. }, .. })));
    lone.assert_quiet_end();
}

#[test]
fn an_invite_expires() {
    let mut lone = Lone::new();
    lone.receive(udp(PEER), &INVITE.replace("Max-Forwards: 70", "Expires: 20"));
    lone.incoming();
    lone.now = ms(20_000);
    lone.input(Input::Tick);
    assert!(lone.sent()[0].1.starts_with("SIP/2.0 487"));
    assert!(matches!(lone.out[1], Output::Event(Event::Ended { cause: EndCause::Unanswered, .. })));
    lone.assert_quiet_end();
}

#[test]
fn beyond_each_limit_503_is_all_that_happens() {
    let limits = [
        Limits { transactions: 1, ..Limits::default() },
        Limits { transactions_per_source: 1, ..Limits::default() },
        Limits { pending_invites: 1, ..Limits::default() },
        Limits { dialogs: 1, ..Limits::default() },
    ];
    for limits in limits {
        let mut lone = Lone::with(Config { limits, ..config(B) });
        lone.receive(udp(PEER), INVITE);
        let id = lone.incoming();
        let second = INVITE.replace("call-1", "call-2").replace("z9hG4bKinvite", "z9hG4bKsecond");
        let response = lone.reply(&second);
        assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers.text(&HeaderName::RetryAfter), Some("5"));
        assert_eq!((lone.ua.usage_count(), lone.ua.transaction_count()), (1, 1));
        assert_eq!(lone.ua.statistics().overload, 1);
        // What is there goes on.
        lone.command(reject(id, 486));
        assert!(lone.sent()[0].1.starts_with("SIP/2.0 486"));
        lone.assert_quiet_end();
    }
}

#[test]
fn an_invite_let_in_after_its_503_ends_with_the_ack() {
    let mut lone = Lone::new();
    lone.receive(udp(PEER), INVITE);
    lone.receive(udp(PEER), &plain("ACK").replace("z9hG4bKACK", "z9hG4bKinvite"));
    assert!(lone.sent()[0].1.starts_with("SIP/2.0 487"), "{:?}", lone.out);
    assert!(matches!(lone.out[1], Output::Event(Event::Ended { cause: EndCause::Cancelled { .. }, .. })));
    lone.assert_quiet_end();
}

#[test]
fn an_ack_with_the_branch_of_its_invite_confirms_all_the_same() {
    let mut lone = Lone::new();
    lone.receive(udp(PEER), INVITE);
    let id = lone.incoming();
    lone.command(answer(id));
    let tag = to_tag(&lone.sent()[0].1);
    lone.receive(udp(PEER), &within("ACK", 1, &tag).replace("z9hG4bK1ACK", "z9hG4bKinvite"));
    assert!(matches!(lone.out[..], [Output::Event(Event::Confirmed { .. })]), "{:?}", lone.out);
    lone.command(bye(id));
    lone.assert_quiet_end();
}

#[test]
fn hanging_up_works_even_when_the_table_is_full() {
    let limits = Limits { transactions: 1, ..Limits::default() };
    let mut lone = Lone::with(Config { limits, ..config(B) });
    let (_, tag) = lone.establish(udp(PEER), INVITE);
    assert_eq!(lone.ua.transaction_count(), 1);
    lone.receive(udp(PEER), &within("BYE", 2, &tag));
    assert!(lone.sent()[0].1.starts_with("SIP/2.0 200"));
    assert!(matches!(lone.out[1], Output::Event(Event::Ended { cause: EndCause::Bye { .. }, .. })));
    lone.assert_quiet_end();

    let mut lone = Lone::with(Config { limits, ..config(B) });
    let (id, _) = lone.establish(udp(PEER), INVITE);
    lone.command(bye(id));
    assert!(lone.sent()[0].1.starts_with("BYE "));
    lone.assert_quiet_end();
}

#[test]
fn a_request_that_the_application_forgets_is_forgotten() {
    let mut lone = Lone::new();
    let (id, tag) = lone.establish(udp(PEER), INVITE);
    lone.receive(udp(PEER), &within("INFO", 2, &tag));
    let Output::Event(Event::Request { id: request, .. }) = lone.out[0] else { panic!("{:?}", lone.out) };
    lone.now = ms(32_000);
    lone.input(Input::Tick);
    let late = Command::Respond { request, status: StatusCode::OK, headers: Headers::new(), body: None };
    lone.command(late);
    assert_eq!(lone.sent(), []);
    lone.command(bye(id));
    lone.assert_quiet_end();
}
