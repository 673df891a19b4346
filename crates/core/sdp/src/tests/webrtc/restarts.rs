use super::*;

fn stages(offers: &[String]) -> Vec<Negotiated> {
    let mut settled: Vec<Negotiated> = Vec::new();
    for (number, offer) in (1..).zip(offers) {
        let answered = answer_web(offer, number, settled.last()).unwrap();
        settled.push(answered.negotiated);
    }
    settled
}

#[test]
fn other_credentials_restart_ice_and_leave_dtls_alone() {
    let same = browser("");
    let restarted = browser_with("actpass", PRINT, "anew", "");
    let settled = stages(&[same.clone(), same, restarted.clone(), restarted]);
    let runs: Vec<_> =
        settled.iter().map(|s| (ice(s).generation, ice(s).local.credentials.clone())).collect();
    assert_eq!(runs, [(0, credentials(1)), (0, credentials(1)), (1, credentials(3)), (1, credentials(3))]);
    assert!(settled.iter().all(|s| transport(s).dtls == transport(&settled[0]).dtls));
    let versions: Vec<_> = settled.iter().map(|s| s.origin.version).collect();
    assert_eq!(versions, [1, 1, 2, 2], "what is the same is said in the same words");
}

#[test]
fn another_certificate_or_role_has_a_new_handshake() {
    let other = PRINT.replace("22", "33");
    let settled = stages(&[
        browser(""),
        browser_with("actpass", &other, "brws", ""),
        browser_with("active", &other, "brws", ""),
        browser_with("actpass", &other, "brws", ""),
    ]);
    let dtls: Vec<_> =
        settled.iter().map(|s| (transport(s).dtls.association, transport(s).dtls.role)).collect();
    use DtlsRole::{Client, Server};
    assert_eq!(dtls, [(0, Client), (1, Client), (2, Server), (2, Server)], "who is open gets what stands");
    assert!(settled.iter().all(|s| ice(s).generation == 0));
}

#[test]
fn another_certificate_of_ours_has_a_new_handshake() {
    let first = answer_web(&browser(""), 1, None).unwrap().negotiated;
    let mut renewed = web(2);
    renewed.dtls.as_mut().unwrap().fingerprints = vec![print(0x77)];
    let offer = crlf(&browser(""));
    let second = answer(offer.as_bytes(), &can(SrtpPolicy::Optional), &renewed, Some(&first)).unwrap();
    assert_eq!(transport(&second.negotiated).dtls.association, 1);
    assert!(second.sdp.contains("a=fingerprint:sha-256 77:77"));
}

#[test]
fn associations_are_named_where_the_offer_names_its_own() {
    let named = |id: &str| browser(&format!("a=tls-id:{id}"));
    let one = "abc3de65cddef001be82";
    let settled = stages(&[named(one), named(one), named("another-one-0123456789"), browser("")]);
    let ids = settled.iter().map(|s| {
        let dtls = &transport(s).dtls;
        (dtls.association, dtls.local_id.as_ref().map(|id| id.to_string()))
    });
    let ours = |number: u8| Some(format!("tandem-{number:0>20}"));
    assert_eq!(ids.collect::<Vec<_>>(), [(0, ours(1)), (0, ours(1)), (1, ours(3)), (2, None)]);
    assert!(settled[0].local_sdp.contains("a=tls-id:tandem-00000000000000000001\r\n"));
    assert!(!settled[3].local_sdp.contains("tls-id"));
}

#[test]
fn who_controls_follows_rfc_8445() {
    let lite = |lite: bool| {
        let mut local = web(1);
        local.dtls.as_mut().unwrap().ice.as_mut().unwrap().lite = lite;
        local
    };
    for (ours, theirs, controlling) in
        [(false, false, false), (true, false, false), (false, true, true), (true, true, false)]
    {
        let offer = if theirs { browser("").replace("t=0 0", "t=0 0\na=ice-lite") } else { browser("") };
        let answered =
            answer(crlf(&offer).as_bytes(), &can(SrtpPolicy::Optional), &lite(ours), None).unwrap();
        assert_eq!(ice(&answered.negotiated).controlling, controlling, "{ours} {theirs}");
        assert_eq!(answered.sdp.contains("a=ice-lite\r\n"), ours);
    }
}

#[test]
fn hold_and_back_leave_transport_and_names() {
    let held = browser("").replace("a=sendrecv", "a=sendonly");
    let off = browser("").replace("m=audio 9", "m=audio 0");
    let settled = stages(&[browser(""), held, off, browser("")]);
    let directions: Vec<_> = settled.iter().map(|s| s.stream.direction).collect();
    use Direction::{Inactive, RecvOnly, SendRecv};
    assert_eq!(directions, [SendRecv, RecvOnly, Inactive, SendRecv]);
    assert!(settled.iter().all(|s| s.dtls == settled[0].dtls));
    assert!(settled[2].local_sdp.ends_with("t=0 0\r\nm=audio 0 UDP/TLS/RTP/SAVPF 111 0\r\na=mid:0\r\n"));
}
