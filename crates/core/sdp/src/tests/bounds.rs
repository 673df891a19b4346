use super::*;

fn cause(sdp: &[u8]) -> RefusalCause {
    answer(sdp, &Capabilities::default(), &local(), None).unwrap_err().cause
}

#[test]
fn size_is_bounded() {
    let mut sdp = from_peer("m=audio 4000 RTP/AVP 0").into_bytes();
    sdp.resize(MAX_SDP, b'\n');
    assert!(answer(&sdp, &Capabilities::default(), &local(), None).is_ok());
    sdp.push(b'\n');
    let refusal = answer(&sdp, &Capabilities::default(), &local(), None).unwrap_err();
    assert_eq!((refusal.cause, refusal.fault().status), (RefusalCause::TooLarge, 413));
}

#[test]
fn media_lines_are_bounded() {
    let lines = |n: usize| from_peer(&"m=audio 4000 RTP/AVP 0\n".repeat(n));
    let most = answered(&lines(MAX_MEDIA));
    assert_eq!(most.negotiated.lines.len(), MAX_MEDIA);
    assert_eq!(cause(lines(MAX_MEDIA + 1).as_bytes()), RefusalCause::TooManyMedia);
}

#[test]
fn attributes_are_bounded_in_each_section() {
    let media = |n: usize| format!("m=audio 4000 RTP/AVP 0\n{}", "a=x\n".repeat(n));
    let two = from_peer(&format!("{}{}", media(MAX_ATTRIBUTES), media(MAX_ATTRIBUTES)));
    assert_eq!(answered(&two).negotiated.line, 0);
    assert_eq!(cause(from_peer(&media(MAX_ATTRIBUTES + 1)).as_bytes()), RefusalCause::TooManyAttributes);
}

#[test]
fn what_is_no_sdp_gets_400() {
    for body in [&b""[..], b"\r\n\r\n", b"hello", b"\xff\xfe\x00", b"v=1\r\nm=audio 4000 RTP/AVP 0\r\n"] {
        let refusal = answer(body, &Capabilities::default(), &local(), None).unwrap_err();
        assert_eq!((refusal.cause, refusal.fault().status), (RefusalCause::NotSdp, 400), "{body:?}");
    }
}

#[test]
fn media_lines_that_cannot_be_read_get_400_with_their_line() {
    for media in ["m=audio", "m=audio x RTP/AVP 0", "m=audio 65536 RTP/AVP 0", "m=audio -1 RTP/AVP 0", "m="] {
        let refusal = refused(&from_peer(media));
        assert_eq!(refusal.fault().status, 400, "{media}");
        assert!(matches!(refusal.cause, RefusalCause::Malformed(_)), "{media}: {refusal}");
    }
    assert_eq!(cause(b"v=0\ns=-\nm=audio\n"), RefusalCause::Malformed(3));
}

#[test]
fn foreign_bytes_do_no_harm() {
    let mut sdp = from_peer("m=audio 4000 RTP/AVP 0").into_bytes();
    sdp.extend_from_slice(b"a=title:\xff\xfe caf\xe9\r\ni=\x00\xff\r\n");
    assert!(answer(&sdp, &Capabilities::default(), &local(), None).is_ok());
}

#[test]
fn a_repeated_connection_line_does_not_count() {
    let offer = from_peer("m=audio 4000 RTP/AVP 0\nc=IN IP4 192.0.2.8\nc=IN IP4 192.0.2.9");
    assert_eq!(answered(&offer).negotiated.stream.remote_rtp, at("192.0.2.8:4000"));
    let offer = from_peer("c=IN IP4 192.0.2.66\nm=audio 4000 RTP/AVP 0\nc=IN IP4");
    assert_eq!(answered(&offer).negotiated.stream.remote_rtp, at("192.0.2.7:4000"));
}
