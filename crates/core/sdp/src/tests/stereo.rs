//! Opus with two channels (RFC 7587 §6.1).

use tandem_base::{AudioFormat, OpusParams};

use super::*;

fn able() -> Capabilities {
    Capabilities { opus_stereo: true, ..Capabilities::default() }
}

fn offer_with(fmtp: &str) -> String {
    from_peer(&format!("m=audio 4000 RTP/AVP 111\na=rtpmap:111 opus/48000/2\na=fmtp:111 {fmtp}"))
}

/// Do we send, do we receive two channels?
fn stereo(negotiated: &Negotiated) -> (bool, bool) {
    let of = |format| matches!(format, AudioFormat::Opus(OpusParams { stereo: true, .. }));
    (of(negotiated.stream.send.format), of(negotiated.stream.receive[0].format))
}

#[test]
fn two_channels_go_where_both_sides_want_them() {
    let cases = [
        ("stereo=1;sprop-stereo=1", (true, true), "useinbandfec=1;stereo=1;sprop-stereo=1"),
        ("stereo=1", (true, false), "useinbandfec=1;stereo=1;sprop-stereo=1"),
        ("sprop-stereo=1", (false, true), "useinbandfec=1;stereo=1"),
        ("stereo=0; sprop-stereo=0", (false, false), "useinbandfec=1;stereo=1"),
        ("SPROP-STEREO = 1;useinbandfec=1", (false, true), "useinbandfec=1;stereo=1"),
    ];
    for (theirs, expected, ours) in cases {
        let answer = answer(offer_with(theirs).as_bytes(), &able(), &local(), None).unwrap();
        assert_eq!(stereo(&answer.negotiated), expected, "{theirs}");
        assert!(answer.sdp.contains(&format!("a=fmtp:111 {ours}\r\n")), "{theirs}: {}", answer.sdp);
        let again = crate::answer(offer_with(theirs).as_bytes(), &able(), &local(), Some(&answer.negotiated));
        assert_eq!(again.unwrap(), answer, "{theirs}");
    }
}

#[test]
fn without_two_channels_of_ours_there_is_one() {
    let answer = answered(&offer_with("stereo=1;sprop-stereo=1;maxaveragebitrate=64000"));
    assert_eq!(stereo(&answer.negotiated), (false, false));
    assert!(answer.sdp.contains("a=fmtp:111 useinbandfec=1\r\n"), "{}", answer.sdp);
    let AudioFormat::Opus(params) = answer.negotiated.stream.send.format else { panic!("no Opus") };
    assert_eq!(params.max_average_bitrate, Some(64_000), "all else is obeyed");
}

#[test]
fn our_offers_say_what_we_can() {
    let ours = offer(&able(), &local(), None);
    assert!(ours.sdp.contains("a=fmtp:96 useinbandfec=1;stereo=1;sprop-stereo=1\r\n"), "{}", ours.sdp);
    let answer = "m=audio 4000 RTP/AVP 96\na=rtpmap:96 opus/48000/2\na=fmtp:96 stereo=1";
    let settled = accept_answer(&ours, from_peer(answer).as_bytes(), None).unwrap().negotiated;
    assert_eq!(stereo(&settled), (true, false));
    let mono = offer(&Capabilities::default(), &local(), None);
    let settled = accept_answer(&mono, from_peer(answer).as_bytes(), None).unwrap().negotiated;
    assert_eq!(stereo(&settled), (false, false));
}
