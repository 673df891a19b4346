use super::*;

fn first() -> Offer {
    offer(&can(SrtpPolicy::Required), &web(1), None)
}

fn peer(setup: &str, ufrag: &str) -> String {
    let answer = browser_with(setup, PRINT, ufrag, "a=rtcp-rsize");
    crlf(&answer.replace("SAVPF 111 0", "SAVPF 96").replace("a=rtpmap:111", "a=rtpmap:96"))
}

fn settle(offer: &Offer, answer: &str, current: Option<&Negotiated>) -> Negotiated {
    accept_answer(offer, answer.as_bytes(), current).unwrap().negotiated
}

#[test]
fn a_first_offer_has_all_that_browsers_want() {
    let offer = first();
    let (session, media) = offer.sdp.split_once("m=").unwrap();
    assert!(session.ends_with("t=0 0\r\na=group:BUNDLE 0\r\na=ice-options:trickle ice2\r\n"), "{session}");
    assert!(media.starts_with("audio 3478 UDP/TLS/RTP/SAVPF 96 9 0 8 97 101\r\nc=IN IP4 198.51.100.1\r\n"));
    let ours = "a=sendrecv\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=mid:0\r\na=msid:tandem audio\r\n\
        a=ssrc:4242 cname:tandem\r\na=setup:actpass\r\na=fingerprint:sha-256 11:11";
    assert!(media.contains(ours), "{media}");
    let end = "a=tls-id:tandem-00000000000000000001\r\na=ice-ufrag:tdm1\r\na=ice-pwd:000000000000000000000001\r\n\
        a=candidate:1 1 udp 2130706431 198.51.100.1 3478 typ host\r\na=end-of-candidates\r\n";
    assert!(media.ends_with(end), "{media}");
}

#[test]
fn roles_and_control_come_of_the_answer() {
    for (setup, role) in [("active", DtlsRole::Server), ("passive", DtlsRole::Client)] {
        let settled = settle(&first(), &peer(setup, "peer"), None);
        assert_eq!(transport(&settled).dtls.role, role);
        assert!(ice(&settled).controlling && transport(&settled).rtcp_rsize);
        assert_eq!(transport(&settled).bundle, [Mid::new("0").unwrap()]);
        assert_eq!(transport(&settled).dtls.local_id, None, "the peer named none");
    }
    for setup in ["actpass", "holdconn"] {
        let refusal = accept_answer(&first(), peer(setup, "peer").as_bytes(), None).unwrap_err();
        assert_eq!((refusal.cause, refusal.warnings[0].code), (RefusalCause::NoAudioAnswered, 306));
    }
    let plain = peer("active", "peer").replace("UDP/TLS/RTP/SAVPF", "RTP/SAVPF");
    assert_eq!(accept_answer(&first(), plain.as_bytes(), None).unwrap_err().warnings[0].code, 302);
}

#[test]
fn a_lite_side_of_ours_never_controls_a_full_one() {
    let mut local = web(1);
    local.dtls.as_mut().unwrap().ice.as_mut().unwrap().lite = true;
    let offer = offer(&can(SrtpPolicy::Required), &local, None);
    assert!(offer.sdp.contains("a=ice-lite\r\n"));
    assert!(!ice(&settle(&offer, &peer("active", "peer"), None)).controlling);
}

#[test]
fn later_offers_keep_all_that_stands() {
    let settled = settle(&first(), &peer("active", "peer"), None);
    let again = offer(&can(SrtpPolicy::Required), &web(2), Some(&settled));
    assert!(again.sdp.contains("a=mid:0\r\n") && again.sdp.contains("a=group:BUNDLE 0\r\n"));
    assert!(again.sdp.contains("a=ice-ufrag:tdm1\r\n") && again.sdp.contains("a=setup:actpass\r\n"));
    let after = settle(&again, &peer("active", "peer"), Some(&settled));
    assert_eq!(after.dtls, settled.dtls);
}

#[test]
fn an_offer_restarts_ice() {
    let settled = settle(&first(), &peer("active", "peer"), None);
    let mut local = web(2);
    local.dtls.as_mut().unwrap().ice.as_mut().unwrap().restart = true;
    let again = offer(&can(SrtpPolicy::Required), &local, Some(&settled));
    assert!(again.sdp.contains("a=ice-ufrag:tdm2\r\n"));
    let after = settle(&again, &peer("active", "anew"), Some(&settled));
    assert_eq!((ice(&after).generation, transport(&after).dtls.association), (1, 0));
    assert_eq!(ice(&after).local.credentials, credentials(2));
}

#[test]
fn refused_lines_stay_where_they_are_with_their_names() {
    let mut theirs = browser("");
    theirs.push_str("\nm=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:1\na=rtpmap:96 VP8/90000");
    let theirs = theirs.replace("BUNDLE 0", "BUNDLE 0 1");
    let settled = answer_web(&theirs, 1, None).unwrap().negotiated;
    let ours = offer(&can(SrtpPolicy::Optional), &web(2), Some(&settled));
    assert!(ours.sdp.contains("a=group:BUNDLE 0\r\n"));
    assert!(ours.sdp.ends_with("m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n"), "{}", &*ours.sdp);
}

#[test]
fn before_the_first_candidate_the_default_is_nowhere() {
    let mut local = web(1);
    let ice = local.dtls.as_mut().unwrap().ice.as_mut().unwrap();
    (ice.candidates, ice.complete) = (Vec::new(), false);
    let offer = offer(&can(SrtpPolicy::Required), &local, None);
    assert!(offer.sdp.contains("m=audio 9 UDP/TLS/RTP/SAVPF 96 9 0 8 97 101\r\nc=IN IP4 0.0.0.0\r\n"));
    assert!(!offer.sdp.contains("end-of-candidates"));
}

#[test]
fn phones_are_offered_dtls_without_ice() {
    let offer = offer(&can(SrtpPolicy::Required), &phone(), None);
    assert!(offer.sdp.contains("m=audio 20000 UDP/TLS/RTP/SAVP 96 9 0 8 97 101\r\na=rtpmap"));
    assert!(!offer.sdp.contains("ice-") && !offer.sdp.contains("a=group") && !offer.sdp.contains("a=mid"));
    let answer = from_peer(&format!(
        "m=audio 4000 UDP/TLS/RTP/SAVP 0\na=setup:active\na=fingerprint:SHA-256 {PRINT}\na=rtcp-mux"
    ));
    let settled = settle(&offer, &answer, None);
    assert_eq!((transport(&settled).ice.as_ref(), settled.stream.remote_rtp), (None, at("192.0.2.7:4000")));
    assert!(matches!(settled.transport(), MediaTransport::Dtls(dtls) if dtls.dtls.role == DtlsRole::Server));
}

#[test]
fn the_best_known_address_is_the_default() {
    let mut local = web(1);
    let ice = local.dtls.as_mut().unwrap().ice.as_mut().unwrap();
    ice.candidates = vec![
        candidate("1 1 tcp 9 198.51.100.1 443 typ host tcptype passive"),
        candidate("2 1 udp 8 10.0.0.1 3478 typ host"),
        candidate("3 1 udp 7 198.51.100.9 3478 typ srflx raddr 10.0.0.1 rport 3478"),
    ];
    let sdp = offer(&can(SrtpPolicy::Required), &local, None).sdp;
    assert!(sdp.contains("m=audio 3478 ") && sdp.contains("c=IN IP4 198.51.100.9\r\n"));
    assert!(sdp.contains("a=candidate:1 1 tcp 9 198.51.100.1 443 typ host tcptype passive\r\n"));
    assert!(sdp.contains("a=candidate:3 1 udp 7 198.51.100.9 3478 typ srflx raddr 10.0.0.1 rport 3478\r\n"));
}
