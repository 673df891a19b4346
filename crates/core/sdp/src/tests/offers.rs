use tandem_base::{AudioFormat, ClockRate, OpusParams};

use super::*;

fn first_offer() -> Offer {
    offer(&Capabilities::default(), &local(), None)
}

fn accepted(offer: &Offer, answer: &str) -> Negotiated {
    accept_answer(offer, from_peer(answer).as_bytes(), None).unwrap().negotiated
}

fn rejected(offer: &Offer, answer: &str) -> Refusal {
    accept_answer(offer, from_peer(answer).as_bytes(), None).unwrap_err()
}

#[test]
fn the_first_offer_has_all_that_we_can_do() {
    let expected = "v=0
        o=tandem 7 1 IN IP4 198.51.100.1
        s=-
        c=IN IP4 198.51.100.1
        t=0 0
        m=audio 20000 RTP/AVP 96 9 0 8 97 101
        a=crypto:1 AEAD_AES_256_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis=
        a=crypto:2 AEAD_AES_128_GCM inline:Li8wMTIzNDU2Nzg5Ojs8PT4/QEFCQ0RFRkdISQ==
        a=crypto:3 AES_256_CM_HMAC_SHA1_80 inline:XF1eX2BhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/gIGCg4SFhoeIiQ==
        a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:uLm6u7y9vr/AwcLDxMXGx8jJysvMzc7P0NHS09TV
        a=crypto:5 AES_CM_128_HMAC_SHA1_32 inline:QkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5f
        a=rtpmap:96 opus/48000/2
        a=fmtp:96 useinbandfec=1
        a=rtpmap:9 G722/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:97 telephone-event/48000
        a=fmtp:97 0-15
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15
        a=extmap:1/recvonly urn:ietf:params:rtp-hdrext:ssrc-audio-level
        a=extmap:2/sendonly urn:ietf:params:rtp-hdrext:csrc-audio-level
        a=ptime:20
        a=maxptime:60
        a=sendrecv
        a=rtcp-mux";
    assert_eq!(first_offer().sdp, crlf(expected));
}

#[test]
fn a_plain_answer_is_taken() {
    let settled =
        accepted(&first_offer(), "m=audio 4000 RTP/AVP 8 101\na=rtpmap:101 telephone-event/8000\na=ptime:30");
    let stream = &settled.stream;
    assert_eq!((stream.send.payload_type, stream.send.ptime_ms), (pt(8), 30));
    assert_eq!(stream.receive.len(), 1);
    assert_eq!(stream.telephone_events[0].clock_rate, ClockRate::HZ_8000);
    assert_eq!((stream.remote_rtp, stream.remote_rtcp), (at("192.0.2.7:4000"), at("192.0.2.7:4001")));
    assert_eq!((stream.rtcp_mux, settled.origin.version), (false, 1));
}

#[test]
fn each_side_may_have_its_own_numbers() {
    let answer = "m=audio 4000 RTP/AVP 107 110\na=rtpmap:107 opus/48000/2\na=fmtp:107 useinbandfec=1\n\
        a=rtpmap:110 telephone-event/48000\na=rtcp-mux";
    let settled = accepted(&first_offer(), answer);
    let stream = &settled.stream;
    let fec = AudioFormat::Opus(OpusParams { inband_fec: true, ..OpusParams::default() });
    assert_eq!((stream.send.payload_type, stream.send.format), (pt(107), fec));
    assert_eq!(stream.receive[0].payload_type, pt(96));
    let event = stream.telephone_events[0];
    assert_eq!((event.send_payload_type, event.receive_payload_type), (pt(110), pt(97)));
    assert_eq!((stream.rtcp_mux, stream.remote_rtcp), (true, at("192.0.2.7:4000")));
    let next = offer(&Capabilities::default(), &local(), Some(&settled));
    assert!(next.sdp.contains("a=rtpmap:96 opus/48000/2\r\n"));
    assert!(!next.sdp.contains(":107 "));
}

#[test]
fn an_answer_with_several_codecs_may_use_them_all() {
    let answer = "m=audio 4000 RTP/AVP 0 96 18 101 97\na=rtpmap:96 opus/48000/2\n\
        a=rtpmap:101 telephone-event/8000\na=rtpmap:97 telephone-event/48000";
    let stream = accepted(&first_offer(), answer).stream;
    assert_eq!(stream.send.payload_type, pt(0));
    assert_eq!(stream.receive.iter().map(|r| r.payload_type.get()).collect::<Vec<_>>(), [0, 96]);
    assert_eq!(stream.telephone_events.len(), 2);
}

#[test]
fn an_answer_without_rtpmaps_means_what_was_offered() {
    let stream = accepted(&first_offer(), "m=audio 4000 RTP/AVP 96 97").stream;
    assert_eq!(Codec::of(stream.send.format), Codec::Opus);
    assert_eq!(stream.telephone_events[0].clock_rate, ClockRate::HZ_48000);
}

#[test]
fn answers_without_audio_are_refused() {
    let offer = first_offer();
    for (answer, code) in [
        ("m=audio 0 RTP/AVP 0", 399),
        ("m=audio 4000 RTP/SAVP 0", 302),
        ("m=video 4000 RTP/AVP 0", 304),
        ("m=audio 4000 RTP/AVP 18", 305),
        ("m=audio 4000 RTP/AVP 120\na=rtpmap:120 iLBC/8000", 305),
        ("m=audio 4000 RTP/AVP 0\nc=IN IP4 224.0.0.1", 330),
    ] {
        let refusal = rejected(&offer, answer);
        assert_eq!(refusal.cause, RefusalCause::NoAudioAnswered, "{answer}");
        assert_eq!(refusal.warnings[0].code, code, "{answer}");
    }
    assert_eq!(rejected(&offer, "").cause, RefusalCause::NoMedia);
    assert_eq!(accept_answer(&offer, b"nonsense", None).unwrap_err().cause, RefusalCause::NotSdp);
}

#[test]
fn a_later_offer_keeps_lines_numbers_and_the_codec_in_use() {
    let peers = "m=video 5000 RTP/AVP 97\nm=audio 4000 RTP/AVPF 8 97 100 101\na=rtpmap:97 iLBC/8000\n\
        a=rtpmap:100 opus/48000/2\na=rtpmap:101 telephone-event/48000";
    let settled = answered(&from_peer(peers)).negotiated;
    let next = offer(&Capabilities::default(), &local(), Some(&settled));
    let expected = "v=0
        o=tandem 7 2 IN IP4 198.51.100.1
        s=-
        c=IN IP4 198.51.100.1
        t=0 0
        m=video 0 RTP/AVP 97
        m=audio 20000 RTP/AVPF 8 100 9 0 96 101
        a=rtpmap:8 PCMA/8000
        a=rtpmap:100 opus/48000/2
        a=fmtp:100 useinbandfec=1
        a=rtpmap:9 G722/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:96 telephone-event/8000
        a=fmtp:96 0-15
        a=rtpmap:101 telephone-event/48000
        a=fmtp:101 0-15
        a=ptime:20
        a=maxptime:60
        a=sendrecv
        a=rtcp-mux";
    assert_eq!(next.sdp, crlf(expected));
    let answer = "m=video 0 RTP/AVP 97\nm=audio 4000 RTP/AVPF 8";
    let settled = accepted(&next, answer);
    assert_eq!((settled.line, settled.stream.send.payload_type), (1, PayloadType::PCMA));
    assert_eq!(settled.local_sdp, next.sdp);
}

#[test]
fn an_offer_made_in_vain_still_counts_as_a_version() {
    let talk = from_peer("m=audio 4000 RTP/AVP 0");
    let mut settled = answered(&talk).negotiated;
    let before = settled.stream.clone();
    let vain = offer(&Capabilities::default(), &local(), Some(&settled));
    settled.offered_in_vain(&vain);
    assert_eq!((&settled.stream, settled.origin.version), (&before, 2));
    assert_eq!(again(&talk, &settled).negotiated.origin.version, 3);
    let next = offer(&Capabilities::default(), &local(), Some(&settled));
    assert_eq!(next.sdp, vain.sdp, "the same again is no change");
}

#[test]
fn an_offer_on_hold_is_not_answered_into_talking() {
    let quiet = Local { direction: Direction::SendOnly, ..local() };
    let offer = offer(&Capabilities::default(), &quiet, None);
    assert!(offer.sdp.contains("a=sendonly\r\n"));
    let stream = accepted(&offer, "m=audio 4000 RTP/AVP 0\na=sendrecv").stream;
    assert_eq!(stream.direction, Direction::SendOnly);
    let stream = accepted(&offer, "m=audio 4000 RTP/AVP 0\na=inactive").stream;
    assert_eq!(stream.direction, Direction::Inactive);
}

#[test]
fn an_answer_with_a_line_too_many_is_borne_with() {
    let accepted = accept_answer(
        &first_offer(),
        from_peer("m=audio 4000 RTP/AVP 0\nm=video 0 RTP/AVP 96").as_bytes(),
        None,
    )
    .unwrap();
    assert_eq!(accepted.negotiated.lines.len(), 1);
    assert!(accepted.explanation.to_string().contains("another number of m-lines"));
}

#[test]
fn an_offer_survives_being_written_and_read() {
    let offer = first_offer();
    let text = serde_json::to_string(&offer).unwrap();
    assert_eq!(serde_json::from_str::<Offer>(&text).unwrap(), offer);
}
