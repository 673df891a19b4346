//! Redundant audio (RFC 2198).

use tandem_base::Redundancy;

use super::*;

fn agreed(media: &str) -> (Option<(u8, u8)>, String) {
    let answer = answered(&from_peer(media));
    let redundancy = answer.negotiated.stream.redundancy;
    (redundancy.map(|r| (r.receive_payload_type.get(), r.copies)), answer.sdp.to_string())
}

const OPUS: &str = "a=rtpmap:111 opus/48000/2\na=rtpmap:63 red/48000/2\n";

#[test]
fn it_is_answered_where_it_leads_with_the_chosen_codec() {
    let cases = [
        ("m=audio 4000 RTP/AVP 111 63", OPUS, "a=fmtp:63 111/111", Some((63, 1))),
        ("m=audio 4000 RTP/AVP 111 63", OPUS, "a=fmtp:63 111/111/111/111", Some((63, 2))),
        ("m=audio 4000 RTP/AVP 111 63", OPUS, "", Some((63, 0))),
        ("m=audio 4000 RTP/AVP 111 63", OPUS, "a=fmtp:63 111/0", Some((63, 0))),
        ("m=audio 4000 RTP/AVP 111 63", OPUS, "a=fmtp:63 0/111", None),
        ("m=audio 4000 RTP/AVP 111 63", OPUS, "a=fmtp:63 nonsense", None),
        ("m=audio 4000 RTP/AVP 0 121", "a=rtpmap:121 red/8000/1\n", "a=fmtp:121 0/0", Some((121, 1))),
        ("m=audio 4000 RTP/AVP 0 121", "a=rtpmap:121 RED/8000\n", "a=fmtp:121 0 / 0", Some((121, 1))),
        ("m=audio 4000 RTP/AVP 0 63", OPUS, "a=fmtp:63 0/0", None),
        (
            "m=audio 4000 RTP/AVP 0 121 122",
            "a=rtpmap:121 red/8000\na=rtpmap:122 red/8000\na=fmtp:122 0/0/0\n",
            "a=fmtp:121 8/8",
            Some((122, 2)),
        ),
    ];
    for (line, maps, fmtp, expected) in cases {
        assert_eq!(agreed(&format!("{line}\n{maps}{fmtp}")).0, expected, "{line} {fmtp}");
    }
}

#[test]
fn the_answer_keeps_the_order_that_the_peer_prefers() {
    let (_, plain) = agreed(&format!("m=audio 4000 RTP/AVP 111 63\n{OPUS}a=fmtp:63 111/111"));
    assert!(plain.contains("m=audio 20000 RTP/AVP 111 63\r\n"), "{plain}");
    assert!(plain.contains("a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"), "{plain}");
    let offer = from_peer(&format!("m=audio 4000 RTP/AVP 63 111\n{OPUS}a=fmtp:63 111/111"));
    let preferred = answered(&offer);
    assert!(preferred.sdp.contains("m=audio 20000 RTP/AVP 63 111\r\n"), "{}", preferred.sdp);
    assert_eq!(preferred.negotiated.stream.send.payload_type, pt(111), "what we send is plain for now");
    let ours = Capabilities { preference: Preference::Ours, ..Capabilities::default() };
    let ours = answer(offer.as_bytes(), &ours, &local(), None).unwrap();
    assert!(ours.sdp.contains("m=audio 20000 RTP/AVP 111 63\r\n"), "{}", ours.sdp);
}

#[test]
fn it_can_be_switched_off() {
    let off = Capabilities { redundancy: false, ..Capabilities::default() };
    let offer = from_peer(&format!("m=audio 4000 RTP/AVP 63 111\n{OPUS}a=fmtp:63 111/111"));
    let answer = answer(offer.as_bytes(), &off, &local(), None).unwrap();
    assert!(answer.sdp.contains("m=audio 20000 RTP/AVP 111\r\n"), "{}", answer.sdp);
    assert_eq!(answer.negotiated.stream.redundancy, None);
    assert!(answer.explanation.to_string().contains("format 63: red/48000/2: not configured"));
}

#[test]
fn our_later_offers_go_on_with_it() {
    let offered = from_peer(&format!("m=audio 4000 RTP/AVP 111 63 0\n{OPUS}a=fmtp:63 111/111/111"));
    let settled = answered(&offered).negotiated;
    let ours = offer(&Capabilities::default(), &local(), Some(&settled));
    assert!(ours.sdp.contains("a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111/111\r\n"), "{}", ours.sdp);
    let theirs =
        "m=audio 4000 RTP/AVP 100 99\na=rtpmap:100 opus/48000/2\na=rtpmap:99 red/48000/2\na=fmtp:99 100/100";
    let accepted = accept_answer(&ours, from_peer(theirs).as_bytes(), Some(&settled)).unwrap().negotiated;
    let expected = Redundancy { send_payload_type: pt(99), receive_payload_type: pt(63), copies: 1 };
    assert_eq!(accepted.stream.redundancy, Some(expected));
    let without =
        accept_answer(&ours, from_peer("m=audio 4000 RTP/AVP 0").as_bytes(), Some(&settled)).unwrap();
    assert_eq!(without.negotiated.stream.redundancy, None);
    let first = offer(&Capabilities::default(), &local(), None);
    assert!(!first.sdp.contains("red/"), "only where it is in use");
}
