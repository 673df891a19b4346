use proptest::prelude::*;
use sdp_types::{Media, Session};

use super::*;

fn attribute() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("a=setup:actpass"),
        Just("a=setup:active"),
        Just("a=setup:passive"),
        Just("a=setup:holdconn"),
        Just("a=rtcp-mux"),
        Just("a=rtcp-rsize"),
        Just("a=bundle-only"),
        Just("a=ice-ufrag:peer\na=ice-pwd:peerpeerpeerpeerpeerpeer"),
        Just("a=ice-ufrag:peer"),
        Just("a=ice-options:trickle"),
        Just("a=candidate:1 1 udp 2122260223 192.0.2.70 53412 typ host"),
        Just("a=candidate:1 1 tcp 2122260223 x.local 9 typ host tcptype active"),
        Just("a=end-of-candidates"),
        Just("a=tls-id:abc3de65cddef001be82"),
        Just("a=ssrc:7 cname:x"),
        Just("a=sendonly"),
        Just("c=IN IP4 0.0.0.0"),
        Just("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"),
    ]
}

fn media() -> impl Strategy<Value = String> {
    let kind = prop_oneof![4 => Just("audio"), 1 => Just("video"), 1 => Just("application")];
    let port = prop_oneof![1 => Just(0u16), 6 => Just(9)];
    let protocol = prop_oneof![
        6 => Just("UDP/TLS/RTP/SAVPF"), 2 => Just("UDP/TLS/RTP/SAVP"), 1 => Just("RTP/SAVPF"), 1 => Just("RTP/AVP"),
        1 => Just("TCP/DTLS/RTP/SAVPF")
    ];
    let mid = prop_oneof![1 => Just("".to_owned()), 4 => (0u8..4).prop_map(|n| format!("a=mid:{n}\n"))];
    let print = prop_oneof![
        1 => Just("".to_owned()), 1 => Just("a=fingerprint:sha-256 11:22\n".to_owned()),
        6 => Just(format!("a=fingerprint:sha-256 {PRINT}\n"))
    ];
    (kind, port, protocol, mid, print, prop::collection::vec(attribute(), 0..8)).prop_map(
        |(kind, port, protocol, mid, print, more)| {
            format!(
                "m={kind} {port} {protocol} 0 111\na=rtpmap:111 opus/48000/2\n{mid}{print}{}\n",
                more.join("\n")
            )
        },
    )
}

fn an_offer() -> impl Strategy<Value = String> {
    let group = prop_oneof![
        Just(""),
        Just("a=group:BUNDLE 0 1 2\n"),
        Just("a=group:BUNDLE 1 0\n"),
        Just("a=group:LS 0\n")
    ];
    let session = prop_oneof![
        2 => Just("".to_owned()), 1 => Just("a=ice-lite\n".to_owned()),
        1 => Just(format!("a=fingerprint:sha-256 {PRINT}\na=setup:actpass\n"))
    ];
    (group, session, prop::collection::vec(media(), 1..5))
        .prop_map(|(group, session, media)| from_peer(&format!("{group}{session}{}", media.concat())))
}

fn lines(sdp: &str) -> Session {
    Session::parse(sdp.as_bytes()).unwrap()
}

fn value<'a>(media: &'a Media, name: &str) -> Option<&'a str> {
    media.attributes.iter().find(|a| a.attribute == name).and_then(|a| a.value.as_deref())
}

fn group(session: &Session) -> Vec<String> {
    let group = session.attributes.iter().find(|a| a.attribute == "group");
    let words = group.and_then(|a| a.value.as_deref()).unwrap_or_default();
    words.strip_prefix("BUNDLE ").map(|mids| mids.split(' ').map(str::to_owned).collect()).unwrap_or_default()
}

fn has(media: &Media, name: &str) -> bool {
    media.attributes.iter().any(|a| a.attribute == name)
}

/// RFC 8842 §5.3, RFC 8839 §4.3, RFC 9143 §7.3, RFC 9429 §5.3.
fn check(offer: &str, answer: &str) {
    let (offered, answered) = (lines(offer), lines(answer));
    assert_eq!(offered.medias.len(), answered.medias.len());
    let (theirs, ours) = (group(&offered), group(&answered));
    assert!(ours.iter().all(|mid| theirs.contains(mid)), "{ours:?} of {theirs:?}");
    for (offered, answered) in offered.medias.iter().zip(&answered.medias) {
        assert_eq!((&offered.media, &offered.proto), (&answered.media, &answered.proto));
        if let Some(mid) = value(answered, "mid") {
            assert_eq!(Some(mid), value(offered, "mid"));
            assert!(
                answered.port != 0 || !ours.iter().any(|ours| ours == mid),
                "refused lines leave the group"
            );
        }
        if answered.port == 0 || !has(answered, "fingerprint") {
            continue;
        }
        let setup = value(answered, "setup").unwrap();
        match value(offered, "setup") {
            Some("active") => assert_eq!(setup, "passive"),
            Some("passive") => assert_eq!(setup, "active"),
            _ => assert!(["active", "passive"].contains(&setup)),
        }
        assert_eq!(has(answered, "ice-ufrag"), has(answered, "ice-pwd"));
        assert!(!has(answered, "ice-ufrag") || has(offered, "ice-ufrag") && has(answered, "rtcp-mux"));
        assert!(!has(answered, "tls-id") || has(offered, "tls-id"));
        assert!(!has(answered, "crypto"), "one kind of keys");
        for name in ["rtcp-mux", "rtcp-rsize"] {
            assert!(!has(answered, name) || has(offered, name), "{name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn answers_fit_their_offers(sdp in an_offer()) {
        match answer(sdp.as_bytes(), &can(SrtpPolicy::Optional), &web(1), None) {
            Ok(answer) => {
                check(&sdp, &answer.sdp);
                let again = self::answer(sdp.as_bytes(), &can(SrtpPolicy::Optional), &web(2), Some(&answer.negotiated));
                prop_assert_eq!(again.unwrap(), answer, "the same again changes nothing, whatever is fresh");
            }
            Err(refusal) => {
                prop_assert_eq!(refusal.fault().status, 488);
                prop_assert!(!refusal.warnings.is_empty());
            }
        }
    }

    #[test]
    fn our_offers_keep_lines_and_names(sdp in an_offer()) {
        let Ok(first) = answer(sdp.as_bytes(), &can(SrtpPolicy::Optional), &web(1), None) else { return Ok(()) };
        let settled = first.negotiated;
        let ours = offer(&can(SrtpPolicy::Optional), &web(2), Some(&settled));
        let (before, after) = (lines(&first.sdp), lines(&ours.sdp));
        prop_assert_eq!(group(&before), group(&after));
        for (before, after) in before.medias.iter().zip(&after.medias) {
            prop_assert_eq!((&before.media, &before.proto), (&after.media, &after.proto));
            prop_assert_eq!(value(before, "mid"), value(after, "mid"));
            prop_assert_eq!(value(before, "ice-ufrag"), value(after, "ice-ufrag"));
        }
    }

    #[test]
    fn two_of_us_agree(sides in prop::array::uniform2(any::<bool>()), ice in any::<bool>()) {
        let side = |number: u8, lite: bool| {
            let mut local = web(number);
            let dtls = local.dtls.as_mut().unwrap();
            dtls.ice.as_mut().unwrap().lite = lite;
            dtls.ice = dtls.ice.take().filter(|_| ice);
            local
        };
        let ours = offer(&can(SrtpPolicy::Required), &side(1, sides[0]), None);
        let theirs = answer(ours.sdp.as_bytes(), &can(SrtpPolicy::Optional), &side(2, sides[1]), None).unwrap();
        let settled = accept_answer(&ours, theirs.sdp.as_bytes(), None).unwrap().negotiated;
        let (one, two) = (transport(&settled), transport(&theirs.negotiated));
        prop_assert_eq!((one.dtls.role, two.dtls.role), (DtlsRole::Server, DtlsRole::Client));
        prop_assert_eq!((&one.dtls.local, &one.dtls.local_id), (&two.dtls.remote, &two.dtls.remote_id));
        prop_assert_eq!((&one.dtls.remote, &one.dtls.remote_id), (&two.dtls.local, &two.dtls.local_id));
        prop_assert_eq!((&one.mid, &one.bundle), (&two.mid, &two.bundle));
        prop_assert_eq!((one.ice.is_some(), two.ice.is_some()), (ice, ice));
        if let (Some(one), Some(two)) = (&one.ice, &two.ice) {
            prop_assert_eq!((&one.local, &one.remote), (&two.remote, &two.local));
            prop_assert!(one.controlling != two.controlling, "one of the two");
        }
    }

    #[test]
    fn fragments_of_any_kind_do_no_harm(
        lines in prop::collection::vec("(a=(mid|candidate|ice-ufrag|ice-pwd|end-of-candidates|x)[: a-z0-9.]{0,40}|m=[ -~]{0,9}|[ -~]{0,20})", 0..40)
    ) {
        if let Ok(fragment) = Fragment::parse(lines.join("\r\n").as_bytes()) {
            prop_assert_eq!(Fragment::parse(fragment.write().as_bytes()), Ok(fragment));
        }
    }

    #[test]
    fn what_was_settled_can_be_kept(sdp in an_offer()) {
        if let Ok(answer) = answer(sdp.as_bytes(), &can(SrtpPolicy::Optional), &web(1), None) {
            let text = serde_json::to_string(&answer.negotiated).unwrap();
            prop_assert_eq!(serde_json::from_str::<Negotiated>(&text).unwrap(), answer.negotiated);
        }
    }
}
