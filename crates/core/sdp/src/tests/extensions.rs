//! `a=extmap` (RFC 8285) and the audio levels that it is for.

use tandem_base::{ClientLevel, ExtensionId, HeaderExtensions};

use super::*;

const CLIENT: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
const MIXER: &str = "urn:ietf:params:rtp-hdrext:csrc-audio-level";

fn id(number: u8) -> ExtensionId {
    ExtensionId::new(number).unwrap()
}

fn levels(client: Option<(u8, bool)>, mixer: Option<u8>) -> HeaderExtensions {
    HeaderExtensions {
        client_level: client.map(|(number, voice_flag)| ClientLevel { id: id(number), voice_flag }),
        mixer_levels: mixer.map(id),
    }
}

/// What is agreed, and our own `a=extmap` lines.
fn agreed(attributes: &str) -> (HeaderExtensions, Vec<String>) {
    let answer = answered(&from_peer(&format!("m=audio 4000 RTP/AVP 0\n{attributes}")));
    (answer.negotiated.stream.extensions, extmaps(&answer.sdp))
}

fn extmaps(sdp: &str) -> Vec<String> {
    sdp.lines().filter_map(|line| line.strip_prefix("a=extmap:")).map(str::to_owned).collect()
}

#[test]
fn each_level_is_agreed_to_the_way_that_it_goes() {
    let cases = [
        (format!("a=extmap:1 {CLIENT}"), levels(Some((1, true)), None)),
        (format!("a=extmap:14/sendonly {CLIENT} vad=on"), levels(Some((14, true)), None)),
        (format!("a=extmap:3/sendrecv {CLIENT} vad=off"), levels(Some((3, false)), None)),
        (format!("a=extmap:200 {MIXER}"), levels(None, Some(200))),
        (
            format!("a=extmap:2/recvonly {MIXER}\na=extmap:1/sendonly {CLIENT}"),
            levels(Some((1, true)), Some(2)),
        ),
        // Nobody listens, or nobody speaks.
        (format!("a=extmap:1/recvonly {CLIENT}\na=extmap:2/sendonly {MIXER}"), levels(None, None)),
        (format!("a=extmap:1/inactive {CLIENT}\na=extmap:2/inactive {MIXER}"), levels(None, None)),
    ];
    for (attributes, expected) in cases {
        assert_eq!(agreed(&attributes).0, expected, "{attributes}");
    }
    let (_, ours) = agreed(&format!("a=extmap:7 {CLIENT} vad=off\na=extmap:9 {MIXER}"));
    assert_eq!(ours, [format!("7/recvonly {CLIENT} vad=off"), format!("9/sendonly {MIXER}")]);
}

#[test]
fn what_is_not_served_or_makes_no_sense_is_left_out() {
    let others = "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\n\
        a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\n\
        a=extmap:5 urn:ietf:params:rtp-hdrext:encrypt urn:ietf:params:rtp-hdrext:ssrc-audio-level";
    assert_eq!(agreed(others), (HeaderExtensions::default(), Vec::new()));
    for number in ["0", "15", "256", "4096", "-1", "x", "", "1/both"] {
        let (extensions, ours) = agreed(&format!("a=extmap:{number} {CLIENT}"));
        assert_eq!((extensions, ours.len()), (HeaderExtensions::default(), 0), "{number}");
    }
    let twice = format!("a=extmap:3 urn:x\na=extmap:3 {CLIENT}\na=extmap:4 {CLIENT}\na=extmap:6 {CLIENT}");
    assert_eq!(agreed(&twice).0, levels(Some((4, true)), None), "the first of a number counts");
    let many: String = (0..500).map(|n| format!("a=extmap:{} urn:x\n", n % 250 + 16)).collect();
    assert_eq!(agreed(&format!("{many}a=extmap:1 {CLIENT}")).0, HeaderExtensions::default(), "bounded");
}

#[test]
fn the_session_level_counts_for_its_media() {
    let offer = crlf(&format!(
        "v=0\no=- 1 1 IN IP4 192.0.2.7\ns=-\nc=IN IP4 192.0.2.7\nt=0 0\na=extmap:5 {CLIENT}\nm=audio 4000 RTP/AVP 0"
    ));
    assert_eq!(answered(&offer).negotiated.stream.extensions, levels(Some((5, true)), None));
}

#[test]
fn levels_can_be_switched_off() {
    let off = Capabilities { audio_levels: false, ..Capabilities::default() };
    let sdp = from_peer(&format!("m=audio 4000 RTP/AVP 0\na=extmap:1 {CLIENT}"));
    let answer = answer(sdp.as_bytes(), &off, &local(), None).unwrap();
    assert_eq!(answer.negotiated.stream.extensions, HeaderExtensions::default());
    assert!(!answer.sdp.contains("extmap") && !offer(&off, &local(), None).sdp.contains("extmap"));
}

#[test]
fn our_offer_keeps_only_what_its_answer_confirms() {
    let ours = offer(&Capabilities::default(), &local(), None);
    assert_eq!(extmaps(&ours.sdp), [format!("1/recvonly {CLIENT}"), format!("2/sendonly {MIXER}")]);
    let settled = |attributes: &str| {
        let answer = from_peer(&format!("m=audio 4000 RTP/AVP 0\n{attributes}"));
        accept_answer(&ours, answer.as_bytes(), None).unwrap().negotiated
    };
    let both = format!("a=extmap:1/sendonly {CLIENT}\na=extmap:2/recvonly {MIXER}");
    assert_eq!(settled(&both).stream.extensions, levels(Some((1, true)), Some(2)));
    assert_eq!(settled("").stream.extensions, HeaderExtensions::default());
    let renumbered = format!("a=extmap:2 {CLIENT}\na=extmap:1 {MIXER}");
    assert_eq!(settled(&renumbered).stream.extensions, HeaderExtensions::default());
    // Later offers repeat what holds, with its numbers, and nothing that might mean something else by now.
    let later =
        |previous: &Negotiated| extmaps(&offer(&Capabilities::default(), &local(), Some(previous)).sdp);
    assert_eq!(later(&settled(&both)).len(), 2);
    assert_eq!(later(&settled("")).len(), 0);
    let theirs = answered(&from_peer(&format!("m=audio 4000 RTP/AVP 0\na=extmap:7 {CLIENT}")));
    assert_eq!(later(&theirs.negotiated), [format!("7/recvonly {CLIENT}")]);
}
