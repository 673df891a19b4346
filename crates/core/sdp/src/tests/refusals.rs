use super::*;

fn codes(refusal: &Refusal) -> Vec<u16> {
    refusal.warnings.iter().map(|warning| warning.code).collect()
}

#[test]
fn a_browser_is_refused_because_of_its_profile() {
    let refusal = refused(&from_peer(
        "a=group:BUNDLE 0 1
        m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
        c=IN IP4 0.0.0.0
        a=rtcp:9 IN IP4 0.0.0.0
        a=ice-ufrag:abcd
        a=fingerprint:sha-256 00:11
        a=setup:actpass
        a=mid:0
        a=rtcp-mux
        a=rtpmap:111 opus/48000/2
        m=video 9 UDP/TLS/RTP/SAVPF 96
        a=rtpmap:96 VP8/90000",
    ));
    assert_eq!((refusal.cause, refusal.fault().status), (RefusalCause::NothingAcceptable, 488));
    assert_eq!(codes(&refusal), [302, 304]);
    assert_eq!(
        refusal.warnings[0].header_value("gw.example"),
        "302 gw.example \"audio over UDP/TLS/RTP/SAVPF: only the profiles RTP/AVP, RTP/AVPF, RTP/SAVP and RTP/SAVPF are served\""
    );
    assert_eq!(
        refusal.explanation.to_string(),
        "- m-line 1: refused, audio over UDP/TLS/RTP/SAVPF: only the profiles RTP/AVP, RTP/AVPF, RTP/SAVP and RTP/SAVPF are served\n\
         - m-line 2: refused, video over UDP/TLS/RTP/SAVPF: only audio is served"
    );
}

#[test]
fn every_obstacle_has_its_warning() {
    let cases: &[(&str, u16)] = &[
        ("m=audio 4000 RTP/SAVP 0", 306),
        ("m=audio 4000 UDP/TLS/RTP/SAVP 0", 302),
        ("m=audio 4000 TCP/RTP/AVP 0", 302),
        ("m=video 4000 RTP/AVP 96", 304),
        ("m=image 4000 udptl t38", 304),
        ("m=audio 4000 RTP/AVP 18 3", 305),
        ("m=audio 4000 RTP/AVP 0\na=rtpmap:0 MPEG4-GENERIC/16000/2", 305),
        ("m=audio 4000 RTP/AVP 101\na=rtpmap:101 telephone-event/8000", 305),
        ("m=audio 4000 RTP/AVP", 305),
        ("m=audio 4000 RTP/AVP 96 999 x", 305),
        ("m=audio 4000 RTP/AVP 0\nc=ATM NSAP 47", 300),
        ("m=audio 4000 RTP/AVP 0\nc=IN E164 12345", 301),
        ("m=audio 4000 RTP/AVP 0\nc=IN IP4 255.255.255.255", 301),
        ("m=audio 4000 RTP/AVP 0\nc=IN IP6 2001:db8::7", 301),
        ("m=audio 4000 RTP/AVP 0\nc=IN IP4 224.2.17.12/127", 330),
        ("m=audio 4000 RTP/AVP 0\nc=IN IP6 ff02::1", 330),
        ("m=audio 0 RTP/AVP 0", 399),
    ];
    for (media, code) in cases {
        let refusal = refused(&from_peer(media));
        assert_eq!((refusal.fault().status, codes(&refusal)), (488, vec![*code]), "{media}");
    }
}

#[test]
fn an_ipv4_address_in_ipv6_clothes_is_ipv4() {
    let offer = from_peer("m=audio 4000 RTP/AVP 0\nc=IN IP6 ::ffff:192.0.2.9");
    assert_eq!(answered(&offer).negotiated.stream.remote_rtp, at("192.0.2.9:4000"));
}

#[test]
fn no_media_is_refused() {
    let refusal = refused(&from_peer(""));
    assert_eq!((refusal.cause, refusal.fault().status), (RefusalCause::NoMedia, 488));
}

#[test]
fn without_ports_the_judgement_is_the_same() {
    let capabilities = Capabilities::default();
    let good = from_peer("m=audio 4000 RTP/AVP 0\nm=video 1 RTP/AVP 96");
    assert_eq!(examine(good.as_bytes(), &capabilities).unwrap(), answered(&good).explanation);
    let bad = from_peer("m=audio 4000 RTP/AVP 18");
    assert_eq!(examine(bad.as_bytes(), &capabilities).unwrap_err(), refused(&bad));
}

#[test]
fn the_peers_words_cannot_break_a_header() {
    let offer = "v=0\r\nm=au\"\\dio\u{7f} 4000 \u{e9}RTP/\"x\" 0\r\n";
    let value = refused(offer).warnings[0].header_value("gw");
    assert_eq!(value, "304 gw \"audio over RTP/x: only audio is served\"");
}

#[test]
fn every_format_is_explained() {
    let media = "m=audio 4000 RTP/AVP 18 0 8 13 101 100 97
        a=rtpmap:18 G729/8000
        a=rtpmap:101 telephone-event/8000
        a=rtpmap:100 telephone-event/48000";
    assert_eq!(
        answered(&from_peer(media)).explanation.to_string(),
        "+ m-line 1: accepted, audio both ways, plain\n\
         - m-line 1, format 18: G729/8000: not served\n\
         + m-line 1, format 0: PCMU/8000: chosen, the first by preference that both sides have\n\
         - m-line 1, format 8: PCMA/8000: known, but another comes first\n\
         - m-line 1, format 13: CN/8000: comfort noise is left out\n\
         + m-line 1, format 101: telephone-event/8000: kept, its clock is the codec's\n\
         - m-line 1, format 100: telephone-event/48000: left out, its clock is not that of the chosen codec\n\
         - m-line 1, format 97: without rtpmap: not served"
    );
}
