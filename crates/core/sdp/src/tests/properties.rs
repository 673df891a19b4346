use proptest::prelude::*;
use sdp_types::{Media, Session};

use super::*;

fn media_line() -> impl Strategy<Value = String> {
    let kind = prop_oneof![4 => Just("audio"), 1 => Just("video"), 1 => Just("application")];
    let port = prop_oneof![1 => Just(0u16), 6 => 1024u16..];
    let protocol = prop_oneof![
        5 => Just("RTP/AVP"), 2 => Just("RTP/AVPF"), 1 => Just("rtp/avp"), 2 => Just("RTP/SAVPF"), 2 => Just("RTP/SAVP"),
        1 => Just("TCP")
    ];
    let format = (
        0u8..128,
        prop_oneof![
            Just("opus/48000/2"),
            Just("PCMU/8000"),
            Just("pcma/8000/1"),
            Just("G722/8000"),
            Just("telephone-event/8000"),
            Just("telephone-event/48000"),
            Just("G729/8000"),
            Just("red/8000"),
            Just("red/48000/2"),
            Just("")
        ],
    );
    let attribute = prop_oneof![
        Just("a=sendonly"),
        Just("a=recvonly"),
        Just("a=inactive"),
        Just("a=rtcp-mux"),
        Just("a=ptime:30"),
        Just("c=IN IP4 0.0.0.0"),
        Just("c=IN IP4 192.0.2.9"),
        Just("c=IN IP4 224.0.0.1"),
        Just("a=mid:1"),
        Just("a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level"),
        Just("a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level"),
        Just("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4"),
        Just("a=crypto:2 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw=="),
        Just("a=crypto:3 AES_CM_128_HMAC_SHA1_32 inline:short"),
        Just("b=AS:0"),
        Just("b=TIAS:20000"),
    ];
    let formats =
        prop::collection::btree_map(format.clone().prop_map(|f| f.0), format.prop_map(|f| f.1), 1..8);
    (kind, port, protocol, formats, prop::collection::vec(attribute, 0..4)).prop_map(
        |(kind, port, protocol, formats, attributes)| {
            let numbers: Vec<_> = formats.keys().map(u8::to_string).collect();
            let maps = formats.iter().filter(|(_, name)| !name.is_empty());
            let maps: String = maps.map(|(number, name)| format!("a=rtpmap:{number} {name}\n")).collect();
            format!("m={kind} {port} {protocol} {}\n{maps}{}\n", numbers.join(" "), attributes.join("\n"))
        },
    )
}

fn an_offer() -> impl Strategy<Value = String> {
    prop::collection::vec(media_line(), 1..6).prop_map(|media| from_peer(&media.concat()))
}

fn lines(sdp: &str) -> Vec<Media> {
    Session::parse(sdp.as_bytes()).unwrap().medias
}

fn numbers(media: &Media) -> Vec<&str> {
    media.fmt.split(' ').collect()
}

fn says(media: &Media, attribute: &str) -> bool {
    media.attributes.iter().any(|a| a.attribute == attribute)
}

/// RFC 4568 §5.1.2: one attribute, of a tag and suite that were offered, and never none under a secure profile.
fn check_crypto(offered: &Media, answered: &Media) {
    let crypto = |media: &Media| -> Vec<(String, String)> {
        let values =
            media.attributes.iter().filter(|a| a.attribute == "crypto").filter_map(|a| a.value.clone());
        let name = |value: String| Some((value.split(' ').take(2).collect::<Vec<_>>().join(" "), value));
        values.filter_map(name).collect()
    };
    let (offered_crypto, answered_crypto) = (crypto(offered), crypto(answered));
    assert!(answered_crypto.len() <= 1);
    assert!(!answered.proto.starts_with("RTP/S") || answered_crypto.len() == 1);
    for (name, value) in &answered_crypto {
        assert!(offered_crypto.iter().any(|(known, theirs)| known == name && theirs != value), "{name}");
    }
}

/// RFC 3264 §6: what any answer must be, whatever the offer.
fn check(offer: &str, answer: &str) {
    let (offered, answered) = (lines(offer), lines(answer));
    assert_eq!(offered.len(), answered.len());
    let accepted = answered.iter().filter(|media| media.port != 0).count();
    assert_eq!(accepted, 1, "one stream and no more");
    for (offered, answered) in offered.iter().zip(&answered) {
        assert_eq!(offered.media, answered.media);
        if answered.port == 0 {
            assert_eq!((&offered.fmt, &offered.proto), (&answered.fmt, &answered.proto));
            continue;
        }
        assert_ne!(offered.port, 0);
        assert_eq!(offered.proto.to_ascii_uppercase(), answered.proto);
        assert!(numbers(answered).iter().all(|number| numbers(offered).contains(number)));
        assert!(says(offered, "rtcp-mux") || !says(answered, "rtcp-mux"));
        check_crypto(offered, answered);
        let first =
            |names: [&'static str; 3]| offered.attributes.iter().find(|a| names.contains(&&*a.attribute));
        let theirs = first(["sendonly", "recvonly", "inactive"]).map_or("sendrecv", |a| a.attribute.as_str());
        let allowed: &[&str] = match theirs {
            "sendrecv" => &["sendrecv", "recvonly"],
            "sendonly" => &["recvonly", "inactive"],
            "recvonly" => &["sendonly", "inactive"],
            _ => &["inactive"],
        };
        assert!(allowed.iter().any(|direction| says(answered, direction)), "{theirs}: {answer}");
    }
}

fn same_meaning(before: &[Binding], after: &[Binding]) -> bool {
    before.iter().all(|b| after.iter().all(|a| a.payload_type != b.payload_type || a.meaning == b.meaning))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn answers_fit_their_offers(sdp in an_offer()) {
        match answer(sdp.as_bytes(), &Capabilities::default(), &local(), None) {
            Ok(answer) => {
                check(&sdp, &answer.sdp);
                let stream = &answer.negotiated.stream;
                prop_assert_eq!(answer.negotiated.lines.len(), lines(&sdp).len());
                prop_assert!(!stream.receive.is_empty());
                prop_assert!((10..=60).contains(&stream.send.ptime_ms) && stream.send.ptime_ms % 10 == 0);
            }
            Err(refusal) => {
                prop_assert_eq!(refusal.fault().status, 488);
                prop_assert!(!refusal.warnings.is_empty());
                prop_assert!(refusal.explanation.remarks.iter().all(|remark| !remark.accepted));
            }
        }
    }

    #[test]
    fn answering_again_changes_nothing(sdp in an_offer()) {
        if let Ok(first) = answer(sdp.as_bytes(), &Capabilities::default(), &local(), None) {
            prop_assert_eq!(again(&sdp, &first.negotiated), first);
        }
    }

    #[test]
    fn the_version_grows_by_one_exactly_on_change(offers in prop::collection::vec(an_offer(), 2..8)) {
        let mut previous: Option<Negotiated> = None;
        for sdp in offers {
            let Ok(next) = answer(sdp.as_bytes(), &Capabilities::default(), &local(), previous.as_ref()) else {
                continue;
            };
            if let Some(previous) = previous {
                let step = u64::from(next.sdp != previous.local_sdp);
                prop_assert_eq!(next.negotiated.origin.version, previous.origin.version + step);
                prop_assert_eq!(next.negotiated.origin.session_id, previous.origin.session_id);
            }
            previous = Some(next.negotiated);
        }
    }

    #[test]
    fn our_offers_keep_lines_and_numbers(sdp in an_offer()) {
        let Ok(first) = answer(sdp.as_bytes(), &Capabilities::default(), &local(), None) else { return Ok(()) };
        let settled = first.negotiated;
        let ours = offer(&Capabilities::default(), &local(), Some(&settled));
        let (before, after) = (lines(&sdp), lines(&ours.sdp));
        prop_assert!(before.iter().map(|m| &m.media).eq(after.iter().map(|m| &m.media)));
        prop_assert!(same_meaning(&settled.payloads, &ours.formats));
        let distinct: std::collections::BTreeSet<_> = ours.formats.iter().map(|b| b.payload_type).collect();
        prop_assert_eq!(distinct.len(), ours.formats.len());
        prop_assert_eq!(Codec::of(settled.stream.send.format), match ours.formats[0].meaning {
            Meaning::Audio(codec) => codec,
            other => panic!("{other:?} leads"),
        });
    }

    #[test]
    fn two_of_us_agree(a in prop::sample::subsequence(ALL.to_vec(), 1..=4), b in prop::sample::subsequence(ALL.to_vec(), 1..=4)) {
        let can = |codecs: &[Codec]| Capabilities { codecs: codecs.to_vec(), ..Default::default() };
        let ours = offer(&can(&a), &local(), None);
        let theirs = answer(ours.sdp.as_bytes(), &can(&b), &local(), None);
        prop_assert_eq!(theirs.is_ok(), a.iter().any(|codec| b.contains(codec)));
        if let Ok(theirs) = theirs {
            let settled = accept_answer(&ours, theirs.sdp.as_bytes(), None).unwrap().negotiated;
            prop_assert_eq!(settled.stream.send, theirs.negotiated.stream.send);
            prop_assert_eq!(settled.stream.receive, theirs.negotiated.stream.receive);
            prop_assert_eq!(settled.stream.telephone_events, theirs.negotiated.stream.telephone_events);
            prop_assert_eq!(settled.stream.direction, theirs.negotiated.stream.direction.reversed());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = answer(&bytes, &Capabilities::default(), &local(), None);
        let _ = accept_answer(&offer(&Capabilities::default(), &local(), None), &bytes, None);
    }

    #[test]
    fn damaged_offers_never_panic_and_answers_stay_readable(
        sdp in an_offer(), damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)
    ) {
        let mut bytes = sdp.into_bytes();
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(answer) = answer(&bytes, &Capabilities::default(), &local(), None) {
            prop_assert_eq!(lines(&answer.sdp).len(), answer.negotiated.lines.len());
        }
    }

    #[test]
    fn lines_of_nonsense_never_panic(
        lines in prop::collection::vec("([vcam]=)?[ -~]{0,30}|a=(rtpmap|fmtp|ptime|rtcp):[0-9 /a-z;=,-]{0,20}", 0..30)
    ) {
        let sdp = format!("v=0\r\n{}\r\nm=audio 4000 RTP/AVP 0\r\n{}", lines.join("\r\n"), lines.join("\n"));
        let _ = answer(sdp.as_bytes(), &Capabilities::default(), &local(), None);
    }
}

const ALL: [Codec; 4] = [Codec::Opus, Codec::G722, Codec::Pcmu, Codec::Pcma];
