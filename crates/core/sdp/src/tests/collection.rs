//! More offers as real kinds of user agents make them, each with the whole answer or the Warning that it must get.
//!
//! A case is a title (`# …`), the offer, and after `=>` our m-lines, `inline:OURS` for our key of that suite; or, on
//! the same line, the Warning's code and text.

use sdp_types::Session;

use super::*;

const FILES: [&str; 5] = [
    include_str!("golden/phones.txt"),
    include_str!("golden/exchanges.txt"),
    include_str!("golden/carriers.txt"),
    include_str!("golden/browsers.txt"),
    include_str!("golden/rooms.txt"),
];

struct Case {
    title: &'static str,
    offer: String,
    /// What stands on the line of `=>`, and after it.
    expected: (&'static str, &'static str),
}

fn cases() -> Vec<Case> {
    let blocks = FILES.iter().flat_map(|file| file.split("\n\n"));
    blocks.map(str::trim).filter(|block| !block.is_empty()).map(case).collect()
}

fn case(block: &'static str) -> Case {
    let (title, rest) = block.split_once('\n').unwrap();
    let (offer, expected) = rest.split_once("\n=>").unwrap();
    let expected = expected.split_once('\n').unwrap_or((expected, ""));
    let offer = offer.lines().map(|line| format!("{line}\r\n")).collect();
    Case { title: title.strip_prefix("# ").unwrap(), offer, expected: (expected.0.trim(), expected.1) }
}

/// The m-lines, keys of ours made out.
fn media_of(sdp: &str) -> String {
    let media = sdp.split_once("\r\nt=0 0\r\n").unwrap().1.replace('\r', "");
    let lines = media.lines().map(|line| match line.split_once(" inline:") {
        Some((before, key)) => {
            let suite = before.split(' ').nth(1).and_then(tandem_base::SrtpSuite::from_name).unwrap();
            assert_eq!(key, crate::base64::encode(keys().of(suite).unwrap().as_bytes()), "{line}");
            format!("{before} inline:OURS")
        }
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn each_offer_gets_the_answer_that_it_should() {
    let mut wrong = Vec::new();
    for Case { title, offer, expected: (refusal, media) } in cases() {
        let (got, wanted) = match answer(offer.as_bytes(), &Capabilities::default(), &local(), None) {
            Ok(answer) => (media_of(&answer.sdp), media.trim()),
            Err(refused) => {
                assert_eq!(refused.fault().status, 488, "{title}");
                let warning = &refused.warnings[0];
                (format!("{} {}", warning.code, warning.text), refusal)
            }
        };
        if got != wanted {
            wrong.push(format!("# {title}\nexpected:\n{wanted}\ngot:\n{got}\n"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_are_sixty_of_them_and_more() {
    let named = include_str!("golden.rs").matches("#[test]").count();
    assert!(cases().len() + named >= 60, "{} and {named}", cases().len());
}

#[test]
fn each_offer_again_changes_nothing() {
    for Case { title, offer, .. } in cases() {
        if let Ok(first) = answer(offer.as_bytes(), &Capabilities::default(), &local(), None) {
            assert_eq!(again(&offer, &first.negotiated), first, "{title}");
        }
    }
}

/// Where a strict reader takes the offer as it came, our tolerant one sees the same; and it takes all our answers.
#[test]
fn a_strict_reader_sees_the_same() {
    let mut compared = 0;
    for Case { title, offer, .. } in cases() {
        if let Ok(strict) = Session::parse(offer.as_bytes()) {
            compared += 1;
            let ours = crate::normal::parse(offer.as_bytes()).unwrap();
            assert_eq!(ours.medias.len(), strict.medias.len(), "{title}");
            for (ours, strict) in ours.medias.iter().zip(&strict.medias) {
                let line = |m: &sdp_types::Media| (m.media.clone(), m.port, m.proto.clone(), m.fmt.clone());
                assert_eq!(line(ours), line(strict), "{title}");
                assert_eq!(ours.attributes, strict.attributes, "{title}");
                assert_eq!(ours.bandwidths, strict.bandwidths, "{title}");
                assert_eq!(ours.connections, strict.connections, "{title}");
            }
        }
        if let Ok(answer) = answer(offer.as_bytes(), &Capabilities::default(), &local(), None) {
            let read = Session::parse(answer.sdp.as_bytes()).unwrap();
            assert_eq!(read.to_string(), *answer.sdp, "{title}");
        }
    }
    assert!(compared >= 40, "{compared} compared");
}
