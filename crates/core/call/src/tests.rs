use proptest::prelude::*;
use tandem_base::{AudioFormat, AudioStream, Blame, Direction, Fault, LocalMedia, MediaTimeout, SrtpPolicy};
use tandem_sdp::{Capabilities, OwnKeys};

use super::*;

fn sdp(direction: &str, codecs: &str) -> Sdp {
    format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n\
         m=audio 4000 RTP/AVP {codecs}\r\na={direction}\r\n"
    )
    .into()
}

fn local() -> LocalMedia {
    LocalMedia { rtp: "198.51.100.1:20000".parse().unwrap(), rtcp: "198.51.100.1:20001".parse().unwrap() }
}

fn call() -> Call {
    Call::new(Capabilities::default(), 7, OwnKeys::new([7; OwnKeys::LEN]))
}

fn step(call: &mut Call, input: Input) -> Vec<Output> {
    let mut out = Vec::new();
    call.handle(input, &mut out);
    out.retain(|o| !matches!(o, Output::Explain(_)));
    out
}

/// A call whose INVITE came with an offer and was answered.
fn agreed() -> Call {
    let mut call = call();
    assert_eq!(step(&mut call, Input::Offered { sdp: sdp("sendrecv", "0 8") }), [Output::OpenMedia]);
    let out = step(&mut call, Input::MediaOpened { local: local() });
    assert!(matches!(&out[..], [Output::ConfigureMedia { .. }, Output::Accept { .. }]), "{out:?}");
    assert!(step(&mut call, Input::Acknowledged { sdp: Sdp::default() }).is_empty());
    call
}

fn released(out: &[Output]) -> &CallEnding {
    match out.last() {
        Some(Output::Released(ending)) => ending,
        _ => panic!("not released: {out:?}"),
    }
}

#[test]
fn an_offer_is_answered_before_the_ack() {
    let call = agreed();
    let stream = &call.negotiated().unwrap().stream;
    assert_eq!(stream.send.format, AudioFormat::Pcmu);
    assert_eq!(stream.remote_rtp, "192.0.2.7:4000".parse().unwrap());
}

#[test]
fn an_invite_without_an_offer_gets_ours_and_the_ack_settles_it() {
    let mut call = call();
    step(&mut call, Input::Offered { sdp: Sdp::default() });
    let out = step(&mut call, Input::MediaOpened { local: local() });
    let [Output::Accept { sdp: offer }] = &out[..] else { panic!("{out:?}") };
    assert!(offer.contains("m=audio 20000"), "{offer}");
    assert_eq!(call.negotiated(), None);
    let out = step(&mut call, Input::Acknowledged { sdp: sdp("sendrecv", "8") });
    let [Output::ConfigureMedia { stream, .. }] = &out[..] else { panic!("{out:?}") };
    assert_eq!(stream.send.format, AudioFormat::Pcma);
}

#[test]
fn an_ack_without_the_answer_ends_the_call_with_a_reason() {
    let mut call = call();
    step(&mut call, Input::Offered { sdp: Sdp::default() });
    step(&mut call, Input::MediaOpened { local: local() });
    let out = step(&mut call, Input::Acknowledged { sdp: Sdp::default() });
    assert!(
        matches!(&out[..2], [Output::HangUp { reason }, Output::CloseMedia] if reason.starts_with("Q.850;cause="))
    );
    assert_eq!(released(&out).by, EndedBy::Ourselves);
}

#[test]
fn hold_and_resume_change_the_direction_and_the_epoch() {
    let mut call = agreed();
    let mut seen = Vec::new();
    for direction in ["sendonly", "sendrecv", "inactive", "recvonly"] {
        let out = step(&mut call, Input::Reoffered { sdp: sdp(direction, "0 8") });
        let [Output::ConfigureMedia { epoch, stream }, Output::Accept { .. }] = &out[..] else {
            panic!("{out:?}")
        };
        seen.push((epoch.0, stream.direction));
    }
    let expected = [Direction::RecvOnly, Direction::SendRecv, Direction::Inactive, Direction::SendOnly];
    assert_eq!(seen, (2..).zip(expected).collect::<Vec<_>>());
}

#[test]
fn a_refresh_offers_the_same_again() {
    let mut call = agreed();
    let said = call.negotiated().unwrap().local_sdp.clone();
    assert_eq!(step(&mut call, Input::RefreshDue), [Output::Offer { sdp: said.clone() }]);
    assert_eq!(step(&mut call, Input::Reanswered { sdp: sdp("sendrecv", "0 8") }), [], "as before");
    let moved =
        String::from_utf8(sdp("sendrecv", "0 8").to_vec()).unwrap().replace("audio 4000", "audio 4010");
    let out = step(&mut call, Input::Reanswered { sdp: moved.into() });
    let [Output::ConfigureMedia { stream, .. }] = &out[..] else { panic!("{out:?}") };
    assert_eq!(stream.remote_rtp.port(), 4_010);
    assert_eq!(step(&mut call, Input::Reanswered { sdp: "garbage".into() }), []);
    assert_eq!(step(&mut call, Input::RefreshDue), [Output::Offer { sdp: said }], "o= stays as it was");
}

#[test]
fn a_bad_reoffer_is_refused_and_the_session_stays() {
    let mut call = agreed();
    let before = call.negotiated().cloned();
    let out = step(&mut call, Input::Reoffered { sdp: sdp("sendrecv", "18") });
    let [Output::Refuse { fault, warnings }] = &out[..] else { panic!("{out:?}") };
    assert_eq!(fault.status, 488);
    assert!(!warnings.is_empty());
    assert_eq!(call.negotiated().cloned(), before);
}

#[test]
fn a_bad_answer_to_a_later_offer_leaves_the_session() {
    let mut call = agreed();
    let stream = call.negotiated().map(|n| n.stream.clone());
    assert!(matches!(
        &step(&mut call, Input::Reoffered { sdp: Sdp::default() })[..],
        [Output::Accept { .. }]
    ));
    assert_eq!(step(&mut call, Input::Acknowledged { sdp: Sdp::default() }), []);
    assert_eq!(call.negotiated().map(|n| n.stream.clone()), stream);
    let out = step(&mut call, Input::Reoffered { sdp: sdp("sendrecv", "0 8") });
    let [.., Output::Accept { sdp }] = &out[..] else { panic!("{out:?}") };
    assert!(sdp.contains(" 3 IN IP4"), "the peer has seen version 2: {sdp}");
}

fn without_port(sdp: &Sdp) -> Sdp {
    String::from_utf8(sdp.to_vec()).unwrap().replace("audio 4000", "audio 0").into()
}

#[test]
fn an_answer_that_rejects_the_stream_leaves_a_silent_call() {
    let mut call = agreed();
    step(&mut call, Input::Reoffered { sdp: Sdp::default() });
    let out = step(&mut call, Input::Acknowledged { sdp: without_port(&sdp("sendrecv", "0 8")) });
    let [Output::ConfigureMedia { stream, .. }] = &out[..] else { panic!("{out:?}") };
    assert_eq!((stream.direction, stream.remote_rtp.port()), (Direction::Inactive, 0));
    let out = step(&mut call, Input::Reoffered { sdp: sdp("sendrecv", "0 8") });
    assert_eq!(configured(&out).direction, Direction::SendRecv, "and it comes back");
    // A refresh may be answered so as well.
    let out = step(&mut call, Input::Reanswered { sdp: without_port(&sdp("sendrecv", "0 8")) });
    assert_eq!(configured(&out).direction, Direction::Inactive);
    let out = step(&mut call, Input::Reanswered { sdp: sdp("sendrecv", "0 8") });
    assert_eq!(configured(&out).direction, Direction::SendRecv);
}

#[test]
fn an_answer_without_audio_to_our_first_offer_ends_the_call_with_a_reason() {
    let mut call = call();
    step(&mut call, Input::Offered { sdp: Sdp::default() });
    step(&mut call, Input::MediaOpened { local: local() });
    let out = step(&mut call, Input::Acknowledged { sdp: without_port(&sdp("sendrecv", "0 8")) });
    let [Output::HangUp { reason }, Output::CloseMedia, Output::Released(ending)] = &out[..] else {
        panic!("{out:?}")
    };
    assert_eq!(reason, "Q.850;cause=65;text=\"the answer leaves no audio\"");
    assert_eq!(ending.by, EndedBy::Ourselves);
}

#[test]
fn an_offer_that_crosses_ours_is_put_off() {
    let mut call = agreed();
    step(&mut call, Input::Reoffered { sdp: Sdp::default() });
    let out = step(&mut call, Input::Reoffered { sdp: sdp("sendrecv", "0") });
    assert!(matches!(&out[..], [Output::Refuse { fault, .. }] if fault.status == 491), "{out:?}");
    let out = step(&mut call, Input::Acknowledged { sdp: sdp("sendrecv", "8") });
    assert!(matches!(&out[..], [Output::ConfigureMedia { .. }]), "{out:?}");
}

#[test]
fn the_peers_reason_goes_into_the_record() {
    let ending = |value: &str| {
        let how = PeerEnding::Bye { reason: Some(value.into()) };
        let ending = released(&step(&mut agreed(), Input::SignalingEnded(how))).clone();
        (ending.q850, ending.text.into_owned())
    };
    assert_eq!(ending("Q.850;cause=31;text=\"a;b, \\\"c\\\"\""), (31, "a;b, \"c\"".into()));
    assert_eq!(ending("SIP ; cause=503 ; text=busy, q.850 ;CAUSE=17"), (17, "busy".into()));
    assert_eq!(ending("Q.850;cause=300"), (16, "Q.850;cause=300".into()));
    assert_eq!(ending("X.25;cause=9"), (16, "X.25;cause=9".into()));
    assert_eq!(ending(&"\u{7}\u{e9}".repeat(5_000)), (16, "\u{e9}".repeat(128)));
}

#[test]
fn reasons_read_back_as_written() {
    let reason = Reason::q850(102, "no packets for 30 s; hung up");
    assert_eq!(Reason::parse(&reason.to_string()), [reason]);
    let bare = Reason { protocol: Protocol::Sip, cause: 487, text: String::new() };
    assert_eq!(bare.to_string(), "SIP;cause=487");
    assert_eq!(Reason::parse("Q.850;text=\"no cause\""), []);
}

#[test]
fn an_offer_that_cannot_be_met_opens_no_port() {
    let mut call = call();
    let out = step(&mut call, Input::Offered { sdp: sdp("sendrecv", "18") });
    assert!(
        matches!(&out[..], [Output::Refuse { fault, .. }, Output::Released(_)] if fault.status == 488),
        "{out:?}"
    );
    assert_eq!(released(&out).q850, 65);
}

#[test]
fn no_ports_refuse_the_call() {
    let mut call = call();
    step(&mut call, Input::Offered { sdp: sdp("sendrecv", "0") });
    let fault = Fault::new(Blame::Ourselves, 503, "no ports");
    let out = step(&mut call, Input::MediaRefused(fault.clone()));
    assert!(
        matches!(&out[..], [Output::Refuse { fault: f, .. }, Output::Released(_)] if *f == fault),
        "{out:?}"
    );
}

#[test]
fn silence_ends_the_call_by_bye_with_a_reason() {
    let out = step(&mut agreed(), Input::MediaTimedOut(MediaTimeout::Talk));
    let [Output::HangUp { reason }, Output::CloseMedia, Output::Released(ending)] = &out[..] else {
        panic!("{out:?}")
    };
    assert_eq!(reason, "Q.850;cause=18;text=\"media stopped arriving\"");
    assert_eq!((ending.by, ending.status), (EndedBy::Network, 408));
}

#[test]
fn each_ending_says_who_and_why() {
    let end = |how| released(&step(&mut agreed(), Input::SignalingEnded(how))).clone();
    let bye = end(PeerEnding::Bye { reason: Some("SIP;cause=200".into()) });
    assert_eq!((bye.by, bye.q850, &*bye.text), (EndedBy::Peer, 16, "SIP;cause=200"));
    assert_eq!(end(PeerEnding::NoAck).by, EndedBy::Network);
    assert_eq!(end(PeerEnding::Lost).status, 408);
    assert_eq!(end(PeerEnding::Cancelled { reason: None }).status, 487);
    let out = step(&mut agreed(), Input::HangUp(Departure::Normal { text: "good bye" }));
    assert_eq!(out[0], Output::HangUp { reason: "Q.850;cause=16;text=\"good bye\"".into() });
}

#[test]
fn a_reason_cannot_break_out_of_its_quotes() {
    let ending = CallEnding::normal(EndedBy::Ourselves, "a\"b\\c\r\nd");
    assert_eq!(ending.reason_value(), "Q.850;cause=16;text=\"abcd\"");
}

fn any_input() -> impl Strategy<Value = Input> {
    let body = || {
        prop_oneof![
            Just(Sdp::default()),
            Just(sdp("sendrecv", "0 8")),
            Just(sdp("sendonly", "8")),
            Just(sdp("sendrecv", "18")),
            Just(Sdp::from("garbage")),
        ]
    };
    prop_oneof![
        body().prop_map(|sdp| Input::Offered { sdp }),
        Just(Input::MediaOpened { local: local() }),
        Just(Input::MediaRefused(Fault::new(Blame::Ourselves, 503, "no ports"))),
        body().prop_map(|sdp| Input::Acknowledged { sdp }),
        body().prop_map(|sdp| Input::Reoffered { sdp }),
        Just(Input::RefreshDue),
        body().prop_map(|sdp| Input::Reanswered { sdp }),
        Just(Input::MediaTimedOut(MediaTimeout::Setup)),
        Just(Input::HangUp(Departure::Normal { text: "bye" })),
        Just(Input::SignalingEnded(PeerEnding::Lost)),
    ]
}

proptest! {
    #[test]
    fn any_reason_is_read_without_harm(value in "(Q.850|SIP)?[ ;,=a-z0-9\"\\\\é]{0,60}") {
        for reason in Reason::parse(&value) {
            prop_assert!(reason.text.chars().count() <= 128);
            prop_assert!(reason.to_string().chars().all(|c| !c.is_control()));
        }
    }

    #[test]
    fn every_call_is_released_once_and_closes_what_it_opened(
        inputs in prop::collection::vec(any_input(), 0..30)
    ) {
        let mut call = call();
        let (mut open, mut closed, mut released) = (false, 0, 0);
        let mut inputs = inputs;
        inputs.push(Input::SignalingEnded(PeerEnding::Ours));
        for input in inputs {
            let mut out = Vec::new();
            open |= matches!((call.stage(), &input), (Stage::Opening { .. }, Input::MediaOpened { .. }));
            call.handle(input, &mut out);
            for output in out {
                prop_assert_eq!(released, 0, "something after the release: {:?}", output);
                match output {
                    Output::Released(_) => released += 1,
                    Output::CloseMedia => closed += 1,
                    Output::ConfigureMedia { .. } => prop_assert!(open),
                    _ => {}
                }
            }
        }
        prop_assert_eq!(released, 1);
        prop_assert_eq!(closed, usize::from(open));
    }

    #[test]
    fn what_a_call_lives_on_can_be_written_and_read_back(direction in "sendrecv|sendonly|inactive") {
        let mut call = agreed();
        step(&mut call, Input::Reoffered { sdp: sdp(&direction, "8") });
        let written = serde_json::to_string(&call).unwrap();
        prop_assert_eq!(serde_json::from_str::<Call>(&written).unwrap(), call);
    }
}

/// An offer under RTP/SAVP with one key.
fn secret(direction: &str, key: char) -> Sdp {
    let key = key.to_string().repeat(40);
    let sdp = String::from_utf8(sdp(direction, "0").to_vec()).unwrap().replace("RTP/AVP", "RTP/SAVP");
    format!("{sdp}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}\r\n").into()
}

fn configured(out: &[Output]) -> &AudioStream {
    match out {
        [Output::ConfigureMedia { stream, .. }, ..] => stream,
        _ => panic!("{out:?}"),
    }
}

#[test]
fn an_encrypted_call_keeps_its_keys_over_hold_and_takes_new_ones() {
    let mut call = call();
    step(&mut call, Input::Offered { sdp: secret("sendrecv", 'A') });
    let talk = configured(&step(&mut call, Input::MediaOpened { local: local() })).clone();
    let keys = talk.srtp.clone().expect("encrypted");
    let held = configured(&step(&mut call, Input::Reoffered { sdp: secret("sendonly", 'A') })).clone();
    assert_eq!((held.direction, held.srtp.as_ref()), (Direction::RecvOnly, Some(&keys)));
    let renewed = configured(&step(&mut call, Input::Reoffered { sdp: secret("sendrecv", 'B') })).clone();
    let renewed = renewed.srtp.expect("encrypted");
    assert_ne!(renewed.receive, keys.receive);
    assert_eq!(renewed.send, keys.send);
    let text = serde_json::to_string(&call).unwrap();
    assert_eq!(serde_json::from_str::<Call>(&text).unwrap(), call, "keys are handed over");
}

/// Keys of ours and of the peer's, in base64 as on the wire and as octets.
fn assert_no_key(shown: &str) {
    for key in ["AAAAAAAA", "BwcHBwcH", "7, 7, 7", "0, 0, 0, 0"] {
        assert!(!shown.contains(key), "{key} in {shown}");
    }
}

#[test]
fn nothing_that_is_printed_of_a_call_shows_a_key() {
    let mut call = call();
    let mut shown = Vec::new();
    let mut run = |input: Input| {
        shown.push(format!("{input:?}"));
        let mut out = Vec::new();
        call.handle(input, &mut out);
        shown.push(format!("{call:?} {out:?}"));
        out
    };
    run(Input::Offered { sdp: secret("sendrecv", 'A') });
    let out = run(Input::MediaOpened { local: local() });
    let ours =
        out.iter().find_map(|o| if let Output::Accept { sdp } = o { Some(sdp.to_string()) } else { None });
    assert!(ours.unwrap().contains("inline:BwcHBwcH"), "the key itself is there");
    run(Input::Acknowledged { sdp: Sdp::default() });
    run(Input::RefreshDue);
    run(Input::Reanswered { sdp: secret("sendonly", 'A') });
    run(Input::Reoffered { sdp: Sdp::default() });
    run(Input::Acknowledged { sdp: secret("sendrecv", 'A') });
    run(Input::Reoffered { sdp: secret("inactive", 'A') });
    shown.iter().for_each(|shown| assert_no_key(shown));
    assert!(
        shown.iter().any(|shown| shown.contains("a=crypto:1 AES_CM_128_HMAC_SHA1_80")),
        "all but the key"
    );
}

#[test]
fn a_call_that_must_be_encrypted_refuses_to_become_plain() {
    let required = Capabilities { srtp: SrtpPolicy::Required, ..Capabilities::default() };
    let mut call = Call::new(required.clone(), 7, OwnKeys::new([7; OwnKeys::LEN]));
    step(&mut call, Input::Offered { sdp: secret("sendrecv", 'A') });
    step(&mut call, Input::MediaOpened { local: local() });
    let before = call.clone();
    let out = step(&mut call, Input::Reoffered { sdp: sdp("sendrecv", "0") });
    let [Output::Refuse { fault, warnings }] = &out[..] else { panic!("{out:?}") };
    assert_eq!((fault.status, warnings[0].code), (488, 302));
    assert_eq!(call, before, "and goes on as it was");
    let mut plain = Call::new(required, 7, OwnKeys::new([7; OwnKeys::LEN]));
    let out = step(&mut plain, Input::Offered { sdp: sdp("sendrecv", "0") });
    assert!(matches!(&out[..], [Output::Refuse { .. }, Output::Released(_)]), "no port is opened: {out:?}");
}
