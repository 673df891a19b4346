//! Offers as browsers and others with DTLS-SRTP make them, and all that our answers say after `t=0 0`.
//!
//! A case is a title (`# …`), the offer, and after `=>` the answer; `a=OURS` stands for the lines of our certificate
//! and our ICE agent.

use sdp_types::Session;

use super::*;

const CASES: &str = include_str!("../golden/webrtc.txt");

fn cases() -> impl Iterator<Item = (&'static str, String, &'static str)> {
    CASES.split("\n\n").map(str::trim).filter(|block| !block.is_empty()).map(|block| {
        let (title, rest) = block.split_once('\n').unwrap();
        let (offer, answer) = rest.split_once("\n=>\n").unwrap();
        (title, crlf(offer), answer)
    })
}

/// Our lines made out.
fn shortened(answered: &Answer) -> String {
    let text = answered.sdp.split_once("\r\nt=0 0\r\n").unwrap().1.replace('\r', "");
    let print = format!("a=fingerprint:{}\n", print(0x11));
    let ice = "a=ice-ufrag:tdm1\na=ice-pwd:000000000000000000000001\n\
        a=candidate:1 1 udp 2130706431 198.51.100.1 3478 typ host\na=end-of-candidates\n";
    text.replace(ice, "a=OURS:ICE\n").replace(&print, "a=OURS\n").trim().to_owned()
}

fn answer_to(offer: &str) -> Result<Answer, Refusal> {
    answer(offer.as_bytes(), &can(SrtpPolicy::Optional), &web(1), None)
}

#[test]
fn each_offer_gets_the_answer_that_it_should() {
    let mut wrong = Vec::new();
    for (title, offer, expected) in cases() {
        let got = match answer_to(&offer) {
            Ok(answered) => shortened(&answered),
            Err(refusal) => format!("{} {}", refusal.warnings[0].code, refusal.warnings[0].text),
        };
        if got != expected {
            wrong.push(format!("{title}\nexpected:\n{expected}\ngot:\n{got}\n"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases().count() >= 12);
}

#[test]
fn each_offer_again_changes_nothing_and_answers_are_read_as_written() {
    for (title, offer, _) in cases() {
        let Ok(first) = answer_to(&offer) else { continue };
        assert_eq!(
            answer(offer.as_bytes(), &can(SrtpPolicy::Optional), &web(2), Some(&first.negotiated)).unwrap(),
            first,
            "{title}"
        );
        assert_eq!(Session::parse(first.sdp.as_bytes()).unwrap().to_string(), *first.sdp, "{title}");
    }
}

#[test]
fn the_transport_of_a_browser() {
    let (_, offer, _) = cases().next().unwrap();
    let answered = answer_to(&offer).unwrap();
    let MediaTransport::Dtls(settled) = answered.negotiated.transport() else { panic!("DTLS-SRTP") };
    let ice = settled.ice.unwrap();
    assert_eq!((settled.dtls.role, ice.controlling, ice.generation), (DtlsRole::Client, false, 0));
    assert_eq!((ice.remote.trickle, ice.remote.complete, ice.remote.candidates.len()), (true, false, 3));
    assert_eq!(settled.remote_ssrcs, [Ssrc(1_862_207_231)]);
    assert_eq!(settled.bundle, [Mid::new("0").unwrap()]);
    assert!(answered.negotiated.stream.rtcp_mux);
    assert_eq!(
        answered.explanation.to_string().lines().next().unwrap(),
        "+ m-line 1: accepted, audio both ways, encrypted by DTLS-SRTP over ICE"
    );
}
