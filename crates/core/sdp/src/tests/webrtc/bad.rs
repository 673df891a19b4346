use super::*;

fn refusal(offer: &str) -> (u16, u16, String) {
    let refusal = answer_web(offer, 1, None).unwrap_err();
    (refusal.fault().status, refusal.warnings[0].code, refusal.warnings[0].text.clone())
}

#[test]
fn each_obstacle_has_its_warning() {
    let good = browser("");
    let without =
        |line: &str| good.lines().filter(|l| !l.trim().starts_with(line)).collect::<Vec<_>>().join("\n");
    let with = |from: &str, to: &str| good.replace(from, to);
    let no_prints = "no a=fingerprint can be used (sha-1 to sha-512 are)";
    let no_credentials = "its a=ice-ufrag and a=ice-pwd cannot be used";
    for (offer, why) in [
        (without("a=fingerprint"), "it has no a=fingerprint"),
        (with("sha-256 22", "sha-256 2"), no_prints),
        (with("sha-256 22", "md5 22"), no_prints),
        (with("22:22:22", "22:2g:22"), no_prints),
        (with("22:22:22", "22:22"), no_prints),
        (with("actpass", "holdconn"), "its a=setup is none of actpass, active and passive"),
        (with("actpass", ""), "its a=setup is none of actpass, active and passive"),
        (without("a=ice-pwd"), no_credentials),
        (with("a=ice-ufrag:brws", "a=ice-ufrag:b"), no_credentials),
        (with("a=ice-ufrag:brws", "a=ice-ufrag:br ws"), no_credentials),
        (without("a=rtcp-mux"), "ICE is served with a=rtcp-mux alone"),
    ] {
        let text = format!("audio over UDP/TLS/RTP/SAVPF: {why}");
        assert_eq!(refusal(&offer), (488, 306, text), "{offer}");
    }
}

#[test]
fn dtls_over_tcp_is_refused() {
    let offer = browser("").replace("UDP/TLS", "TCP/DTLS");
    let known = "RTP/AVP, RTP/AVPF, RTP/SAVP, RTP/SAVPF, UDP/TLS/RTP/SAVP and UDP/TLS/RTP/SAVPF";
    let why = format!("audio over TCP/DTLS/RTP/SAVPF: only the profiles {known} are served");
    assert_eq!(refusal(&offer), (488, 302, why));
}

#[test]
fn without_a_certificate_or_the_wish_all_is_as_ever() {
    let why = "audio over UDP/TLS/RTP/SAVPF: only the profiles RTP/AVP, RTP/AVPF, RTP/SAVP and RTP/SAVPF are served";
    for (policy, local) in [(SrtpPolicy::Off, web(1)), (SrtpPolicy::Required, local())] {
        let refusal = answer(crlf(&browser("")).as_bytes(), &can(policy), &local, None).unwrap_err();
        assert_eq!((refusal.warnings[0].code, refusal.warnings[0].text.as_str()), (302, why));
    }
    let plain = from_peer("m=audio 4000 RTP/AVP 0");
    let answered = answer(plain.as_bytes(), &can(SrtpPolicy::Optional), &web(1), None).unwrap();
    assert_eq!(answered, self::answered(&plain));
    assert_eq!(answered.negotiated.transport(), MediaTransport::Plain);
}

#[test]
fn where_it_is_required_nothing_else_will_do() {
    for media in [
        "m=audio 4000 RTP/AVP 0",
        "m=audio 4000 RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj",
    ] {
        let refusal =
            answer(from_peer(media).as_bytes(), &can(SrtpPolicy::Required), &web(1), None).unwrap_err();
        assert!(refusal.warnings[0].text.ends_with("only DTLS-SRTP is served here (UDP/TLS/RTP/SAVPF)"));
    }
}

#[test]
fn a_stream_on_another_ones_transport_is_refused() {
    let offer = browser("").replace("m=audio 9", "m=audio 0").replace("a=mid:0", "a=mid:0\na=bundle-only");
    assert_eq!(
        refusal(&offer).2,
        "audio over UDP/TLS/RTP/SAVPF: it is offered with another m-line's transport alone (bundle-only)"
    );
}

#[test]
fn what_is_offered_is_bounded() {
    let candidates: String =
        (0..300).map(|n| format!("a=candidate:{n} 1 udp 1 192.0.2.1 {} typ host\n", 4000 + n)).collect();
    let prints = format!("a=fingerprint:sha-256 {PRINT}\n").repeat(20);
    let ssrcs: String = (0..50).map(|n| format!("a=ssrc:{n} cname:x\n")).collect();
    let answered = answer_web(&browser(&format!("{candidates}{prints}{ssrcs}")), 1, None).unwrap();
    assert_eq!(ice(&answered.negotiated).remote.candidates.len(), Candidate::MAX);
    assert_eq!(transport(&answered.negotiated).dtls.remote, [print(0x22)]);
    assert_eq!(transport(&answered.negotiated).remote_ssrcs.len(), DtlsTransport::MAX_SSRCS);
}

#[test]
fn candidates_that_cannot_be_used_are_left_out() {
    let answered = answer_web(
        &browser(
            "a=candidate:1 1 udp 2122260223 7f3a9c1e-0d7e-4b1a-9c53-0a64d1b7c111.local 53412 typ host generation 0
            a=candidate:2 1 tcp 1518280447 192.0.2.70 9 typ host tcptype active
            a=candidate:3 1 UDP 1686052607 203.0.113.9 53412 typ srflx raddr 192.0.2.70 rport 53412
            a=candidate:4 1 udp 1 2001:db8::7 53412 typ host
            a=candidate:5 2 udp 1 192.0.2.70 53413 typ host
            a=candidate:6 1 udp 1 0.0.0.0 53413 typ host
            a=candidate:7 1 udp 1 224.0.0.1 53413 typ host
            a=candidate:8 1 udp 0 192.0.2.70 53413 typ host
            a=candidate:9 1 udp 1 192.0.2.70 0 typ host
            a=candidate:10 1 udp 1 192.0.2.70 65536 typ host
            a=candidate:11 1 tcp 1 192.0.2.70 9 typ host
            a=candidate:12 1 dccp 1 192.0.2.70 9 typ host
            a=candidate:13 1 udp 1 192.0.2.70 9 typ token
            a=candidate:14 1 udp 1 192.0.2.70 9
            a=candidate:15 1 udp 1 no name 9 typ host
            a=candidate:",
        ),
        1,
        None,
    );
    let answered = answered.unwrap();
    let found = &ice(&answered.negotiated).remote.candidates;
    let names: Vec<_> = found.iter().map(|candidate| candidate.foundation.as_str()).collect();
    assert_eq!(names, ["1", "2", "3", "4"]);
    assert_eq!(found[0].socket_addr(), None);
    assert_eq!(found[1].transport, CandidateTransport::Tcp(TcpType::Active));
    assert_eq!(
        (found[2].kind, found[2].related),
        (CandidateKind::ServerReflexive, Some(at("192.0.2.70:53412")))
    );
    for candidate in found {
        assert_eq!(crate::candidate::read(&crate::candidate::write(candidate)).as_ref(), Some(candidate));
    }
}

#[test]
fn secrets_are_not_shown() {
    let answered = answer_web(&browser(""), 1, None).unwrap();
    let shown = format!("{answered:?}");
    assert!(!shown.contains("brwsbrws") && !shown.contains("000000001"), "{shown}");
    assert!(answered.sdp.contains("a=ice-pwd:000000000000000000000001\r\n"));
}

#[test]
fn addresses_count_wherever_ice_does_not() {
    let media = "m=audio 4000 RTP/SAVPF 0\nc=IN IP6 2001:db8::7\na=rtcp-mux\n\
        a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\n\
        a=ice-ufrag:peer\na=ice-pwd:peerpeerpeerpeerpeerpeer\n";
    assert_eq!(refusal(&from_peer(media)).1, 301, "keys from the description go without ICE");
    let elsewhere = browser("").replace("IP4 0.0.0.0", "IP6 2001:db8::7");
    assert!(answer_web(&elsewhere, 1, None).is_ok());
}

#[test]
fn without_ice_a_peer_must_be_where_it_says() {
    let with = |address: &str| {
        let offer = crlf(&browser("").replace("IP4 0.0.0.0", address));
        answer(offer.as_bytes(), &can(SrtpPolicy::Optional), &phone(), None)
    };
    let settled = with("IP4 192.0.2.70").unwrap().negotiated;
    assert_eq!((transport(&settled).ice.as_ref(), settled.stream.remote_rtp), (None, at("192.0.2.70:9")));
    for address in ["IP4 0.0.0.0", "IP6 2001:db8::7", "IP4 browser.example"] {
        let why = "audio over UDP/TLS/RTP/SAVPF: it is reached by ICE alone, which is not served here";
        assert_eq!(with(address).unwrap_err().warnings[0].text, why);
    }
}
