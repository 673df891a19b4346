use tandem_base::Direction::{Inactive, RecvOnly, SendOnly, SendRecv};

use super::*;

/// Our direction, as the stream and as the answer say it.
fn settled(offer: &str) -> Direction {
    let answer = answered(offer);
    let direction = answer.negotiated.stream.direction;
    assert!(answer.sdp.contains(&format!("a={}\r\n", direction.as_str())), "{}", answer.sdp);
    direction
}

#[test]
fn directions_are_answered_in_reverse() {
    let on_media = |direction: &str| settled(&from_peer(&format!("m=audio 4000 RTP/AVP 0\na={direction}")));
    assert_eq!(on_media("sendrecv"), SendRecv);
    assert_eq!(on_media("sendonly"), RecvOnly);
    assert_eq!(on_media("recvonly"), SendOnly);
    assert_eq!(on_media("inactive"), Inactive);
    assert_eq!(settled(&from_peer("m=audio 4000 RTP/AVP 0")), SendRecv);
}

#[test]
fn the_session_level_counts_where_the_media_level_is_silent() {
    assert_eq!(settled(&from_peer("a=sendonly\nm=audio 4000 RTP/AVP 0")), RecvOnly);
    assert_eq!(settled(&from_peer("a=sendonly\nm=audio 4000 RTP/AVP 0\na=inactive")), Inactive);
    assert_eq!(settled(&from_peer("a=inactive\nm=audio 4000 RTP/AVP 0\na=sendrecv")), SendRecv);
}

#[test]
fn no_more_is_answered_than_we_want() {
    let want = |direction, offered: &str| {
        let offer = from_peer(&format!("m=audio 4000 RTP/AVP 0\na={offered}"));
        let local = Local { direction, ..local() };
        answer(offer.as_bytes(), &Capabilities::default(), &local, None).unwrap().negotiated.stream.direction
    };
    assert_eq!(want(SendOnly, "sendrecv"), SendOnly);
    assert_eq!(want(SendOnly, "sendonly"), Inactive);
    assert_eq!(want(Inactive, "sendrecv"), Inactive);
    assert_eq!(want(RecvOnly, "sendonly"), RecvOnly);
}

#[test]
fn old_style_hold_sends_nothing_anywhere() {
    for offer in [
        from_peer("m=audio 4000 RTP/AVP 0\nc=IN IP4 0.0.0.0\na=rtcp:4009 IN IP4 192.0.2.9"),
        crlf("v=0\no=- 1 1 IN IP4 192.0.2.7\ns=-\nc=IN IP4 0.0.0.0\nt=0 0\nm=audio 4000 RTP/AVP 0"),
    ] {
        let stream = answered(&offer).negotiated.stream;
        assert_eq!(stream.direction, RecvOnly);
        assert_eq!(stream.remote_rtp, at("0.0.0.0:4000"));
        assert!(stream.remote_rtcp.ip().is_unspecified());
    }
    assert_eq!(settled(&from_peer("m=audio 4000 RTP/AVP 0\nc=IN IP4 0.0.0.0\na=sendonly")), RecvOnly);
    assert_eq!(settled(&from_peer("m=audio 4000 RTP/AVP 0\nc=IN IP4 0.0.0.0\na=inactive")), Inactive);
}

#[test]
fn a_peer_of_unknown_address_keeps_its_direction() {
    for connection in ["c=IN IP4 phone.example.com", "c=IN IP6 fe80::1%eth0", "c=IN IP4"] {
        let offer = crlf(&format!("v=0\nm=audio 4000 RTP/AVP 0\n{connection}"));
        let stream = answered(&offer).negotiated.stream;
        assert_eq!((stream.direction, stream.remote_rtp), (SendRecv, at("0.0.0.0:4000")), "{connection}");
    }
    let v6 = answer(b"v=0\nm=audio 4000 RTP/AVP 0\n", &Capabilities::default(), &local_v6(), None).unwrap();
    assert_eq!(v6.negotiated.stream.remote_rtp, at("[::]:4000"));
}

#[test]
fn the_media_level_address_counts_first() {
    let stream = answered(&from_peer("m=audio 4000 RTP/AVP 0\nc=IN IP4 192.0.2.99/127")).negotiated.stream;
    assert_eq!(stream.remote_rtp, at("192.0.2.99:4000"));
}

#[test]
fn rtcp_goes_where_the_peer_says() {
    let rtcp = |lines: &str| {
        let offer = from_peer(&format!("m=audio 4000 RTP/AVP 0\n{lines}"));
        let stream = answered(&offer).negotiated.stream;
        (stream.remote_rtcp, stream.rtcp_mux)
    };
    assert_eq!(rtcp(""), (at("192.0.2.7:4001"), false));
    assert_eq!(rtcp("a=rtcp:53020"), (at("192.0.2.7:53020"), false));
    assert_eq!(rtcp("a=rtcp:53020 IN IP4 192.0.2.77"), (at("192.0.2.77:53020"), false));
    assert_eq!(rtcp("a=rtcp:53020\na=rtcp-mux"), (at("192.0.2.7:4000"), true));
    for odd in ["a=rtcp:0", "a=rtcp:x", "a=rtcp:", "a=rtcp:70000"] {
        assert_eq!(rtcp(odd), (at("192.0.2.7:4001"), false), "{odd}");
    }
    for odd in ["224.0.0.1", "0.0.0.0", "255.255.255.255", "2001:db8::9", "host.example"] {
        assert_eq!(rtcp(&format!("a=rtcp:53020 IN IP4 {odd}")), (at("192.0.2.7:53020"), false), "{odd}");
    }
    let last = answered(&from_peer("m=audio 65535 RTP/AVP 0")).negotiated.stream;
    assert_eq!(last.remote_rtcp, at("192.0.2.7:65535"));
}

#[test]
fn rtcp_mux_is_answered_only_where_offered() {
    let sdp = |lines: &str| answered(&from_peer(&format!("m=audio 4000 RTP/AVP 0\n{lines}"))).sdp;
    assert!(sdp("a=rtcp-mux").contains("a=rtcp-mux\r\n"));
    assert!(!sdp("").contains("rtcp"));
}

#[test]
fn our_rtcp_port_is_told_where_it_is_not_the_next() {
    let offer = from_peer("m=audio 4000 RTP/AVP 0");
    let media = LocalMedia { rtcp: at("198.51.100.1:30001"), ..local().media };
    let answer =
        answer(offer.as_bytes(), &Capabilities::default(), &Local { media, ..local() }, None).unwrap();
    assert!(answer.sdp.contains("a=rtcp:30001\r\n"));
}
