use super::*;

const TALK: &str =
    "m=audio 4000 RTP/AVP 96 0 101\na=rtpmap:96 opus/48000/2\na=rtpmap:101 telephone-event/8000";

#[test]
fn the_same_offer_again_gets_the_same_answer() {
    let offer = from_peer(TALK);
    let first = answered(&offer);
    let second = again(&offer, &first.negotiated);
    assert_eq!(second, first);
    assert_eq!(second.negotiated.origin, Origin { session_id: 7, version: 1 });
}

#[test]
fn hold_and_resume_count_the_version_up() {
    let talk = answered(&from_peer(TALK));
    let hold = again(&from_peer(&format!("{TALK}\na=sendonly")), &talk.negotiated);
    assert_eq!(hold.negotiated.stream.direction, Direction::RecvOnly);
    assert!(hold.sdp.contains("o=tandem 7 2 IN IP4 198.51.100.1\r\n"));
    let still = again(&from_peer(&format!("{TALK}\na=sendonly")), &hold.negotiated);
    assert_eq!(still.negotiated.origin.version, 2);
    let resumed = again(&from_peer(TALK), &still.negotiated);
    assert_eq!(resumed.negotiated.stream, talk.negotiated.stream);
    assert_eq!(resumed.negotiated.origin.version, 3);
}

#[test]
fn a_codec_change_keeps_the_session() {
    let opus = answered(&from_peer(TALK));
    let pcmu = again(&from_peer("m=audio 4000 RTP/AVP 0"), &opus.negotiated);
    assert_eq!(pcmu.negotiated.stream.send.payload_type, PayloadType::PCMU);
    assert_eq!(pcmu.negotiated.origin, Origin { session_id: 7, version: 2 });
    assert!(pcmu.negotiated.payloads.iter().any(|b| b.payload_type == pt(96)), "the number stays taken");
}

#[test]
fn the_line_in_use_stays_in_use() {
    let second = answered(&from_peer("m=audio 0 RTP/AVP 0\nm=audio 4000 RTP/AVP 0"));
    assert_eq!(second.negotiated.line, 1);
    let both = from_peer("m=audio 4002 RTP/AVP 0\nm=audio 4000 RTP/AVP 0");
    let kept = again(&both, &second.negotiated);
    assert_eq!((kept.negotiated.line, kept.negotiated.stream.remote_rtp.port()), (1, 4000));
    let moved = again(&from_peer("m=audio 4002 RTP/AVP 0\nm=audio 0 RTP/AVP 0"), &kept.negotiated);
    assert_eq!((moved.negotiated.line, moved.negotiated.stream.remote_rtp.port()), (0, 4002));
}

#[test]
fn a_new_line_is_refused_in_its_place() {
    let audio = answered(&from_peer("m=audio 4000 RTP/AVP 0"));
    let more = again(&from_peer("m=audio 4000 RTP/AVP 0\nm=video 5000 RTP/AVP 97"), &audio.negotiated);
    assert!(more.sdp.ends_with("m=video 0 RTP/AVP 97\r\n"));
    assert_eq!(more.negotiated.stream, audio.negotiated.stream);
    let media: Vec<_> = more.negotiated.lines.iter().map(|line| line.media.as_str()).collect();
    assert_eq!(media, ["audio", "video"]);
}

#[test]
fn a_refused_offer_changes_nothing() {
    let audio = answered(&from_peer("m=audio 4000 RTP/AVP 0"));
    let before = audio.negotiated.clone();
    let refused = from_peer("m=audio 4000 RTP/AVP 18");
    let refusal = answer(refused.as_bytes(), &Capabilities::default(), &local(), Some(&before)).unwrap_err();
    assert_eq!(refusal.fault().status, 488);
    assert_eq!(audio.negotiated, before);
}

#[test]
fn what_was_settled_survives_being_written_and_read() {
    let settled = answered(&from_peer(TALK)).negotiated;
    let text = serde_json::to_string(&settled).unwrap();
    assert_eq!(serde_json::from_str::<Negotiated>(&text).unwrap(), settled);
}

#[test]
fn a_stream_may_be_switched_off_and_on_again() {
    let talk = answered(&from_peer(TALK));
    let off = TALK.replace("4000", "0");
    let gone = again(&from_peer(&off), &talk.negotiated);
    assert!(gone.sdp.ends_with("t=0 0\r\nm=audio 0 RTP/AVP 96 0 101\r\n"), "{}", gone.sdp);
    let stream = &gone.negotiated.stream;
    assert_eq!((stream.direction, stream.remote_rtp), (Direction::Inactive, at("0.0.0.0:0")));
    assert_eq!((gone.negotiated.line, gone.negotiated.origin.version), (0, 2));
    assert_eq!(again(&from_peer(&off), &gone.negotiated), gone, "again changes nothing");
    let back = again(&from_peer(TALK), &gone.negotiated);
    assert_eq!(back.negotiated.stream, talk.negotiated.stream);
    assert_eq!(back.negotiated.origin.version, 3);
    let moved = format!("{off}\nm=audio 4010 RTP/AVP 0");
    let moved = again(&from_peer(&moved), &gone.negotiated);
    assert_eq!((moved.negotiated.line, moved.negotiated.stream.remote_rtp.port()), (1, 4010));
}

#[test]
fn our_offer_brings_a_switched_off_stream_back() {
    let talk = answered(&from_peer(TALK));
    let gone =
        again(&from_peer(&format!("{}\nm=video 0 RTP/AVP 99", TALK.replace("4000", "0"))), &talk.negotiated);
    let offer = offer(&Capabilities::default(), &local(), Some(&gone.negotiated));
    let lines: Vec<_> = offer.sdp.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(lines, ["m=audio 20000 RTP/AVP 96 9 0 8 97 101", "m=video 0 RTP/AVP 99"]);
}

#[test]
fn an_answer_that_rejects_a_later_offer_stops_the_stream() {
    let talk = answered(&from_peer(TALK)).negotiated;
    let ours = offer(&Capabilities::default(), &local(), Some(&talk));
    let none = from_peer(&TALK.replace("4000", "0"));
    let Accepted { negotiated: gone, explanation } =
        accept_answer(&ours, none.as_bytes(), Some(&talk)).unwrap();
    let nowhere = at("0.0.0.0:0");
    assert_eq!(gone.stream.direction, Direction::Inactive);
    assert_eq!((gone.stream.remote_rtp, gone.stream.remote_rtcp), (nowhere, nowhere));
    assert_eq!(gone.stream.receive, talk.stream.receive, "codecs stay for when it comes back");
    assert!(explanation.to_string().contains("rejected by the peer (port 0)"), "{explanation}");
    assert_eq!(gone.local_sdp, ours.sdp, "what we said last");
    // Either side may offer it again.
    let back = again(&from_peer(TALK), &gone).negotiated;
    assert_eq!(back.stream, talk.stream);
    assert_eq!(back.origin.version, ours.origin.version + 1);
    let next = offer(&Capabilities::default(), &local(), Some(&gone));
    assert!(next.sdp.contains("m=audio 20000 "), "{}", next.sdp);
    let back = accept_answer(&next, from_peer(TALK).as_bytes(), Some(&gone)).unwrap().negotiated;
    assert_eq!(back.stream.direction, Direction::SendRecv);
    // In a first exchange there is nothing to stop.
    let refusal = accept_answer(&ours, none.as_bytes(), None).unwrap_err();
    assert_eq!(refusal.cause, RefusalCause::NoAudioAnswered);
}

#[test]
fn addresses_and_ports_may_change_within_a_call() {
    let first = answered(&from_peer(TALK));
    let moved = TALK.replace("4000", "4100") + "\nc=IN IP4 192.0.2.99\na=rtcp:4200";
    let second = again(&from_peer(&moved), &first.negotiated);
    let stream = &second.negotiated.stream;
    assert_eq!((stream.remote_rtp, stream.remote_rtcp), (at("192.0.2.99:4100"), at("192.0.2.99:4200")));
    assert_eq!(second.negotiated.origin.version, 1, "our own description is the same");
}
