use super::*;

const BODY: &str = "a=ice-ufrag:brws
    a=ice-pwd:brwsbrwsbrwsbrwsbrwsbrws
    m=audio 9 RTP/AVP 0
    a=mid:0
    a=candidate:1 1 UDP 2130706431 192.0.2.70 5000 typ host
    a=candidate:1 2 UDP 2130706430 192.0.2.70 5001 typ host
    a=candidate:2 1 UDP 1694498815 203.0.113.9 45664 typ srflx raddr 192.0.2.70 rport 5000
    a=end-of-candidates
    m=video 9 RTP/AVP 0
    a=mid:1
    a=candidate:3 1 UDP 2130706431 192.0.2.70 6000 typ host";

fn parse(body: &str) -> Result<Fragment, FragmentFlaw> {
    Fragment::parse(crlf(body).as_bytes())
}

#[test]
fn candidates_reach_their_transport() {
    let settled = answer_web(&browser(""), 1, None).unwrap().negotiated;
    assert!(!ice(&settled).remote.complete, "more may come");
    let (found, complete) = parse(BODY).unwrap().of(transport(&settled)).unwrap();
    let ports: Vec<_> = found.iter().map(|candidate| candidate.port).collect();
    assert_eq!((ports, complete), (vec![5000, 45664], true));
    let late = BODY.replace("brws", "gone");
    assert_eq!(parse(&late).unwrap().of(transport(&settled)), None, "of an earlier run");
    let other = BODY.replace("mid:0", "mid:7");
    assert_eq!(parse(&other).unwrap().of(transport(&settled)), None, "of other m-lines");
    let plain = "a=candidate:1 1 UDP 2130706431 192.0.2.70 5000 typ host";
    assert_eq!(parse(plain).unwrap().of(transport(&settled)).unwrap().0.len(), 1);
    assert_eq!(parse("a=end-of-candidates").unwrap().of(transport(&settled)), Some((vec![], true)));
}

#[test]
fn ours_are_read_as_written() {
    let settled = answer_web(&browser(""), 1, None).unwrap().negotiated;
    let ours = Fragment::new(&ice(&settled).local, transport(&settled).mid.as_ref());
    let body = ours.write();
    let expected = "a=ice-ufrag:tdm1
        a=ice-pwd:000000000000000000000001
        m=audio 9 RTP/AVP 0
        a=mid:0
        a=candidate:1 1 udp 2130706431 198.51.100.1 3478 typ host
        a=end-of-candidates";
    assert_eq!(*body, crlf(expected));
    assert_eq!(Fragment::parse(body.as_bytes()).unwrap(), ours);
    assert!(!format!("{body:?}").contains("00001"));
}

#[test]
fn what_cannot_be_read_is_named() {
    for (body, flaw) in [
        ("", FragmentFlaw::Empty),
        ("hello", FragmentFlaw::Empty),
        ("a=ice-ufrag:brws", FragmentFlaw::Credentials),
        ("a=ice-ufrag:b\na=ice-pwd:brwsbrwsbrwsbrwsbrwsbrws", FragmentFlaw::Credentials),
        (&"m=audio 9 RTP/AVP 0\n".repeat(MAX_MEDIA + 1), FragmentFlaw::TooManyMedia),
        (&"a=x\n".repeat(MAX_FRAGMENT / 4), FragmentFlaw::TooLarge),
    ] {
        assert_eq!(parse(body), Err(flaw), "{body:.40}");
    }
}

#[test]
fn fragments_are_bounded() {
    let lines = |section: usize| {
        (0..30).map(move |n| format!("a=candidate:{n} 1 udp 1 192.0.2.{section} 4000 typ host\n"))
    };
    let body: String =
        (0..8).map(|n| format!("m=audio 9 RTP/AVP 0\na=mid:{n}\n{}", lines(n).collect::<String>())).collect();
    let read = parse(&body).unwrap();
    let total: usize = read.sections.iter().map(|section| section.candidates.len()).sum();
    assert_eq!((read.sections.len(), total), (8, Candidate::MAX));
}
