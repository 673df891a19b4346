//! Keys in the description (RFC 4568), offered and answered.

use tandem_base::{Mki, Srtp, SrtpMaster, SrtpPolicy, SrtpSuite};

use super::*;
use SrtpPolicy::{Off, Optional, Required};

/// The keys of RFC 4568's own examples.
const KEY: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
const OTHER: &str = "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";

fn with(srtp: SrtpPolicy) -> Capabilities {
    Capabilities { srtp, ..Capabilities::default() }
}

fn line(profile: &str, crypto: &str) -> String {
    from_peer(&format!("m=audio 4000 {profile} 0\n{crypto}"))
}

fn crypto(tag: u32, key: &str) -> String {
    format!("a=crypto:{tag} AES_CM_128_HMAC_SHA1_80 inline:{key}")
}

fn srtp(answer: &Answer) -> &Srtp {
    answer.negotiated.stream.srtp.as_ref().expect("encrypted")
}

/// One answer's crypto line.
fn told(sdp: &str) -> Vec<&str> {
    sdp.lines().filter(|line| line.starts_with("a=crypto:")).collect()
}

#[test]
fn the_answer_echoes_the_tag_with_a_key_of_its_own() {
    let answer = answered(&line("RTP/SAVP", &crypto(7, KEY)));
    let ours = keys().of(SrtpSuite::AesCm128HmacSha1_80).unwrap();
    assert_eq!(
        told(&answer.sdp),
        [format!("a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:{}", crate::base64::encode(ours.as_bytes()))]
    );
    let srtp = srtp(&answer);
    assert_eq!((srtp.suite, &srtp.send.master), (SrtpSuite::AesCm128HmacSha1_80, &ours));
    let [theirs] = &srtp.receive[..] else { panic!("{srtp:?}") };
    assert_eq!(theirs.master.as_bytes(), crate::base64::decode(KEY, 46).unwrap());
    assert_eq!((theirs.mki, theirs.lifetime), (None, None));
}

#[test]
fn the_policy_decides() {
    let outcome = |policy, profile: &str, crypto: &str| match answer(
        line(profile, crypto).as_bytes(),
        &with(policy),
        &local(),
        None,
    ) {
        Ok(answer) => Ok(answer.negotiated.stream.srtp.is_some()),
        Err(refusal) => Err(refusal.warnings[0].code),
    };
    let key = crypto(1, KEY);
    for profile in ["RTP/SAVP", "RTP/SAVPF"] {
        assert_eq!(outcome(Off, profile, &key), Err(302));
        assert_eq!(outcome(Optional, profile, &key), Ok(true));
        assert_eq!(outcome(Required, profile, &key), Ok(true));
        assert_eq!(outcome(Optional, profile, ""), Err(306));
        assert_eq!(outcome(Required, profile, ""), Err(306));
    }
    for profile in ["RTP/AVP", "RTP/AVPF"] {
        assert_eq!(outcome(Off, profile, &key), Ok(false));
        assert_eq!(outcome(Optional, profile, &key), Ok(true));
        assert_eq!(outcome(Required, profile, &key), Ok(true));
        assert_eq!(outcome(Optional, profile, ""), Ok(false));
        assert_eq!(outcome(Required, profile, ""), Err(302));
    }
}

#[test]
fn a_switched_off_policy_writes_no_key() {
    let plain = answer(line("RTP/AVP", &crypto(1, KEY)).as_bytes(), &with(Off), &local(), None).unwrap();
    assert!(told(&plain.sdp).is_empty());
    let offer = offer(&with(Off), &local(), None);
    assert!(told(&offer.sdp).is_empty() && offer.sdp.contains(" RTP/AVP "));
}

#[test]
fn every_suite_can_be_answered() {
    for suite in SrtpSuite::ALL {
        let octets: Vec<u8> = (100..).take(suite.master_len()).collect();
        let key = crate::base64::encode(&octets);
        for key in [key.as_str(), key.trim_end_matches('=')] {
            let answer = answered(&line("RTP/SAVP", &format!("a=crypto:1 {suite} inline:{key}")));
            let srtp = srtp(&answer);
            assert_eq!(
                (srtp.suite, srtp.receive[0].master.clone()),
                (suite, SrtpMaster::new(suite, &octets).unwrap())
            );
            assert_eq!(srtp.send.master.as_bytes().len(), suite.master_len());
        }
    }
}

#[test]
fn lifetimes_and_key_names_are_understood() {
    let keying = |key: &str| srtp(&answered(&line("RTP/SAVP", &crypto(1, key)))).receive.clone();
    let mki = |value, len| Some(Mki { value, len });
    for (tail, expected) in [
        ("", (None, None)),
        ("|2^20", (Some(1 << 20), None)),
        ("|2^48", (Some(1 << 48), None)),
        ("|1048576", (Some(1 << 20), None)),
        ("|1:4", (None, mki(1, 4))),
        ("|2^31|65535:2", (Some(1 << 31), mki(65_535, 2))),
        ("|0:128", (None, mki(0, 128))),
    ] {
        let [keying] = &keying(&format!("{KEY}{tail}"))[..] else { panic!("{tail}") };
        assert_eq!((keying.lifetime, keying.mki), expected, "{tail}");
    }
    let several = keying(&format!("{KEY}|2^20|1:4;inline:{OTHER}|2^20|2:4"));
    assert_eq!(several.iter().map(|keying| keying.mki).collect::<Vec<_>>(), [mki(1, 4), mki(2, 4)]);
}

#[test]
fn what_cannot_be_kept_to_is_refused_and_says_why() {
    let key = |tail: &str| format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}{tail}");
    let cases = [
        (key(" UNENCRYPTED_SRTP"), "the session parameter UNENCRYPTED_SRTP is not served"),
        (key(" UNENCRYPTED_SRTCP"), "the session parameter UNENCRYPTED_SRTCP is not served"),
        (key(" UNAUTHENTICATED_SRTP"), "UNAUTHENTICATED_SRTP"),
        (key(" WSH=64 KDR=1"), "KDR=1"),
        (key(" FEC_ORDER=FEC_SRTP"), "FEC_ORDER"),
        (key(" x-new"), "x-new"),
        (key("|0"), "no key lives that long"),
        (key("|2^49"), "no key lives that long"),
        (key("|2^999"), "no key lives that long"),
        (key("|3^2"), "no key lives that long"),
        (key("|2^20|2^20"), "it cannot be read"),
        (key("|1:4|2^20"), "it cannot be read"),
        (key("|1:4|1:4"), "it cannot be read"),
        (key("|1:0"), "cannot be told apart"),
        (key("|1:129"), "cannot be told apart"),
        (key("|256:1"), "cannot be told apart"),
        (key("|99999999999999999999:20"), "cannot be told apart"),
        (key(&format!(";inline:{OTHER}")), "cannot be told apart"),
        (key(&format!("|1:4;inline:{OTHER}|1:4")), "cannot be told apart"),
        (key(&format!("|1:4;inline:{OTHER}|2:2")), "cannot be told apart"),
        (
            key(&(2..7).map(|n| format!("|{}:4;inline:{OTHER}", n - 1)).collect::<String>()),
            "cannot be told apart",
        ),
        ("a=crypto:1 AES_CM_128_HMAC_SHA1_80".to_owned(), "it cannot be read"),
        ("a=crypto:".to_owned(), "it cannot be read"),
        ("a=crypto".to_owned(), "it cannot be read"),
        (format!("a=crypto:x AES_CM_128_HMAC_SHA1_80 inline:{KEY}"), "it cannot be read"),
        (format!("a=crypto:+1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"), "it cannot be read"),
        (format!("a=crypto:1234567890 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"), "it cannot be read"),
        (format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 uri:{KEY}"), "it cannot be read"),
        (format!("a=crypto:1 NULL_HMAC_SHA1_80 inline:{KEY}"), "the suite NULL_HMAC_SHA1_80 is not served"),
        (format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{}", &KEY[1..]), "does not fit"),
        (format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{}", KEY.repeat(100)), "does not fit"),
        (format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{}", KEY.replace('c', "-")), "does not fit"),
    ];
    for (attribute, why) in cases {
        let refusal = refused(&line("RTP/SAVP", &attribute));
        let [warning] = &refusal.warnings[..] else { panic!("{refusal:?}") };
        assert_eq!(warning.code, 306, "{attribute}");
        assert!(warning.text.contains(why), "{attribute}: {}", warning.text);
        assert!(!warning.text.contains(&KEY[..20]), "the key itself is not told to anybody");
        // Under the plain profile it saves the call to do without.
        let plain = answered(&line("RTP/AVP", &attribute));
        assert!(plain.negotiated.stream.srtp.is_none() && told(&plain.sdp).is_empty());
    }
}

#[test]
fn the_first_attribute_that_will_do_is_taken() {
    let offer = line(
        "RTP/SAVP",
        &format!(
            "a=crypto:1 F8_128_HMAC_SHA1_80 inline:{KEY}\n{} KDR=3\n{}\n{}",
            crypto(2, KEY),
            crypto(3, OTHER),
            crypto(4, KEY)
        ),
    );
    let answer = answered(&offer);
    assert!(told(&answer.sdp)[0].starts_with("a=crypto:3 "));
    let none = Capabilities { srtp_suites: vec![SrtpSuite::AeadAes128Gcm], ..Capabilities::default() };
    let refusal = super::answer(offer.as_bytes(), &none, &local(), None).unwrap_err();
    assert!(refusal.warnings[0].text.contains("the suite F8_128_HMAC_SHA1_80 is not served"));
    let refusal =
        super::answer(line("RTP/SAVP", &crypto(1, KEY)).as_bytes(), &none, &local(), None).unwrap_err();
    assert!(refusal.warnings[0].text.contains("none of its crypto suites is served"), "{refusal:?}");
}

#[test]
fn keys_stay_over_hold_and_a_new_one_takes_effect() {
    let talk = answered(&line("RTP/SAVP", &crypto(1, KEY)));
    let hold = again(&line("RTP/SAVP", &format!("{}\na=sendonly", crypto(1, KEY))), &talk.negotiated);
    assert_eq!(srtp(&hold), srtp(&talk));
    let renewed = again(&line("RTP/SAVP", &crypto(1, OTHER)), &hold.negotiated);
    assert_eq!(srtp(&renewed).receive[0].master.as_bytes(), crate::base64::decode(OTHER, 46).unwrap());
    assert_eq!(srtp(&renewed).send, srtp(&talk).send, "ours need not change");
    assert_eq!(told(&renewed.sdp), told(&talk.sdp));
    let same = again(&line("RTP/SAVP", &crypto(1, OTHER)), &renewed.negotiated);
    assert_eq!(same, renewed, "o= says that nothing changed");
}

#[test]
fn late_offers_go_by_the_policy() {
    let offered = |policy| offer(&with(policy), &local(), None);
    assert!(offered(Required).sdp.contains("m=audio 20000 RTP/SAVP "));
    let optional = offered(Optional);
    assert!(optional.sdp.contains("m=audio 20000 RTP/AVP "));
    assert_eq!(told(&optional.sdp), told(&offered(Required).sdp));
    assert_eq!(told(&optional.sdp).len(), 5);
    let tagged = |n: usize| optional.suites[n - 1];
    assert_eq!((tagged(1), tagged(4)), (SrtpSuite::AeadAes256Gcm, SrtpSuite::AesCm128HmacSha1_80));
}

/// Takes the answer `media` to an offer under `policy`: encrypted or not, or why not.
fn taken(policy: SrtpPolicy, media: &str) -> Result<bool, String> {
    let offer = offer(&with(policy), &local(), None);
    accept_answer(&offer, from_peer(media).as_bytes(), None)
        .map(|accepted| accepted.negotiated.stream.srtp.is_some())
        .map_err(|refusal| refusal.warnings[0].text.clone())
}

#[test]
fn answers_to_offers_of_ours() {
    let key = crypto(4, KEY);
    assert_eq!(taken(Required, &format!("m=audio 4000 RTP/SAVP 0\n{key}")), Ok(true));
    assert_eq!(taken(Optional, &format!("m=audio 4000 RTP/AVP 0\n{key}")), Ok(true));
    assert_eq!(taken(Optional, "m=audio 4000 RTP/AVP 0"), Ok(false));
    assert_eq!(taken(Off, &format!("m=audio 4000 RTP/AVP 0\n{key}")), Ok(false));
    for (policy, media, why) in [
        (Required, "m=audio 4000 RTP/SAVP 0".to_owned(), "it has no a=crypto"),
        (Required, format!("m=audio 4000 RTP/AVP 0\n{key}"), "another profile was offered"),
        (Optional, format!("m=audio 4000 RTP/SAVP 0\n{key}"), "another profile was offered"),
        (Optional, format!("m=audio 4000 RTP/AVP 0\n{}", crypto(1, KEY)), "answers none that was offered"),
        (Optional, format!("m=audio 4000 RTP/AVP 0\n{}", crypto(9, KEY)), "answers none that was offered"),
        (Optional, format!("m=audio 4000 RTP/AVP 0\n{key} UNENCRYPTED_SRTP"), "UNENCRYPTED_SRTP"),
        (Off, format!("m=audio 4000 RTP/SAVP 0\n{key}"), "another profile was offered"),
    ] {
        let refused = taken(policy, &media).unwrap_err();
        assert!(refused.contains(why), "{media}: {refused}");
    }
}

#[test]
fn later_offers_go_on_with_what_holds() {
    for (first, expected) in [
        (line("RTP/SAVP", &crypto(3, KEY)), Some("RTP/SAVP")),
        (line("RTP/SAVPF", &crypto(3, KEY)), Some("RTP/SAVPF")),
        (line("RTP/AVP", &crypto(3, KEY)), Some("RTP/AVP")),
        (line("RTP/AVP", ""), None),
    ] {
        let settled = answered(&first);
        let next = offer(&Capabilities::default(), &local(), Some(&settled.negotiated));
        let Some(profile) = expected else {
            assert!(told(&next.sdp).is_empty(), "what is plain stays plain: {}", next.sdp);
            continue;
        };
        assert!(next.sdp.contains(&format!("m=audio 20000 {profile} ")));
        let ours = told(&settled.sdp)[0].replace("crypto:3", "crypto:1");
        assert_eq!(told(&next.sdp)[0], ours, "the key in use comes first and is the same");
        let answer = format!("m=audio 4000 {profile} 0\n{}", crypto(1, KEY));
        let accepted = accept_answer(&next, from_peer(&answer).as_bytes(), None).unwrap().negotiated;
        assert_eq!(accepted.stream.srtp, settled.negotiated.stream.srtp);
    }
}

#[test]
fn an_unusual_suite_in_use_is_offered_again() {
    let suite = SrtpSuite::AesCm192HmacSha1_32;
    let key = crate::base64::encode(&[9; 38]);
    let settled = answered(&line("RTP/SAVP", &format!("a=crypto:1 {suite} inline:{key}"))).negotiated;
    let next = offer(&Capabilities::default(), &local(), Some(&settled));
    assert_eq!((next.suites[0], next.suites.len()), (suite, 6));
}

#[test]
fn plain_and_encrypted_may_change_places_within_a_call() {
    let plain = answered(&line("RTP/AVP", ""));
    let encrypted = again(&line("RTP/SAVP", &crypto(1, KEY)), &plain.negotiated);
    assert!(encrypted.negotiated.stream.srtp.is_some());
    let back = again(&line("RTP/AVP", ""), &encrypted.negotiated);
    assert!(back.negotiated.stream.srtp.is_none() && told(&back.sdp).is_empty());
    let refusal =
        answer(line("RTP/AVP", "").as_bytes(), &with(Required), &local(), Some(&encrypted.negotiated));
    assert_eq!(refusal.unwrap_err().fault().status, 488);
}

#[test]
fn nothing_that_is_printed_shows_a_key() {
    let answer = answered(&line("RTP/SAVP", &format!("{}|1:4", crypto(1, KEY))));
    let offer = offer(&Capabilities::default(), &local(), Some(&answer.negotiated));
    let ours = crate::base64::encode(keys().of(SrtpSuite::AesCm128HmacSha1_80).unwrap().as_bytes());
    for shown in [format!("{answer:?}"), format!("{offer:?}"), format!("{:?}", local())] {
        assert!(
            !shown.contains(&ours[..8]) && !shown.contains(&KEY[..8]) && !shown.contains("184, 185"),
            "{shown}"
        );
    }
    assert!(format!("{:?}", answer.sdp).contains("a=crypto:1 AES_CM_128_HMAC_SHA1_80 "));
}

#[test]
fn what_was_settled_survives_being_written_and_read() {
    let settled = answered(&line("RTP/SAVP", &format!("{}|2^31|1:4", crypto(1, KEY)))).negotiated;
    let text = serde_json::to_string(&settled).unwrap();
    assert_eq!(serde_json::from_str::<Negotiated>(&text).unwrap(), settled);
    let offer = offer(&with(Required), &local(), Some(&settled));
    let text = serde_json::to_string(&offer).unwrap();
    assert_eq!(serde_json::from_str::<Offer>(&text).unwrap(), offer);
}
