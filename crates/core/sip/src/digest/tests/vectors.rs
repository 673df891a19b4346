//! The examples of the standards, and others that were computed by another program.

use super::*;

fn digest(hash: Hash, session: bool, protection: Protection, nonce: &str, realm: &str) -> Challenge {
    Challenge {
        realm: realm.to_owned(),
        nonce: nonce.to_owned(),
        opaque: None,
        stale: false,
        algorithm: Algorithm { hash, session },
        protection,
        userhash: false,
    }
}

fn answered(challenge: &Challenge, who: (&str, &str), what: (&str, &str), cnonce: &str, nc: u32) -> String {
    let credentials = Credentials::with_password(who.0, who.1);
    let method = Method::parse(what.0).unwrap();
    let line = challenge.answer(&credentials, &method, what.1, b"", cnonce, nc).unwrap().to_string();
    let (_, rest) = line.split_once("response=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// RFC 7616 §3.9.1.
#[test]
fn mufasa_answers_by_md5_and_sha_256() {
    let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
    let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    let answer = |hash| {
        let challenge = digest(hash, false, Protection::Auth, nonce, "http-auth@example.org");
        answered(&challenge, ("Mufasa", "Circle of Life"), ("GET", "/dir/index.html"), cnonce, 1)
    };
    assert_eq!(answer(Hash::Md5), "8ca523f5e9506fed4657c9700eebdbec");
    assert_eq!(answer(Hash::Sha256), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

/// RFC 2617 §3.5.
#[test]
fn mufasa_answered_so_in_1999_already() {
    let nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
    let challenge = digest(Hash::Md5, false, Protection::Auth, nonce, "testrealm@host.com");
    let answer =
        answered(&challenge, ("Mufasa", "Circle Of Life"), ("GET", "/dir/index.html"), "0a4f113b", 1);
    assert_eq!(answer, "6629fae49393a05397450978507c4ef1");
}

/// RFC 2069 §2.4 with its erratum.
#[test]
fn without_qop_the_legacy_form_is_computed() {
    let nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
    let challenge = digest(Hash::Md5, false, Protection::Legacy, nonce, "testrealm@host.com");
    let answer = answered(&challenge, ("Mufasa", "CircleOfLife"), ("GET", "/dir/index.html"), "unused", 1);
    assert_eq!(answer, "1949323746fe6a43ef61f9606e7febea");
}

/// Names beyond ASCII, in the hash of RFC 7616 §3.9.2 (the hashed name there, corrected by its erratum).
#[test]
fn sha_512_256_has_initial_values_of_its_own() {
    let hash = Hash::Sha512Half.of(&["Jäsøn Doe", "api@example.org"]);
    assert_eq!(
        Hash::Sha512Half.hex(&hash),
        "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
    );
}

/// Computed with Python's hashlib.
#[test]
fn sip_requests_are_answered_by_each_algorithm() {
    let answer = |hash, session| {
        let challenge = digest(hash, session, Protection::Auth, "84a4cc6f3082121f32b42a2187831a9e", REALM);
        answered(&challenge, ("bob", "zanzibar"), ("INVITE", "sip:alice@atlanta.example.com"), "0a4f113b", 2)
    };
    assert_eq!(answer(Hash::Md5, false), "92b82e283434fb7210a67a6f9d020c1d");
    assert_eq!(answer(Hash::Md5, true), "4e354ea7be684161d2a0edea1f3adcd2");
    let sha = "44e50f1ef1e47dfde96550dce16377857f2439fd4cb02b5df21356cb8b658111";
    assert_eq!(answer(Hash::Sha256, false), sha);
    let sha = "3a5d4308c470d05fd236100fac305e99dbf04c031393bb77955b782376898dd0";
    assert_eq!(answer(Hash::Sha256, true), sha);
    let sha = "cceed3995aa90b39b72b3305721a850af6ca3973a1a0710a30a21de1ac39bac5";
    assert_eq!(answer(Hash::Sha512Half, false), sha);
    let sha = "f6fd0da755c7fd709ef5fdb56465f69ec28708da228ddc5fbe1f5bd676e7176d";
    assert_eq!(answer(Hash::Sha512Half, true), sha);
}

/// Computed with Python's hashlib.
#[test]
fn a_body_is_covered_and_a_name_hashed_where_the_challenge_asks() {
    let line = |hash| {
        let challenge = Challenge {
            userhash: true,
            ..digest(hash, false, Protection::Integrity, "84a4cc6f3082121f32b42a2187831a9e", REALM)
        };
        let uri = "sip:alice@atlanta.example.com";
        challenge.answer(&bob(), &Method::Invite, uri, b"v=0\r\n", "0a4f113b", 2).unwrap().to_string()
    };
    let (md5, sha) = (line(Hash::Md5), line(Hash::Sha256));
    assert!(md5.contains("response=\"b90d6566245ce5cfde373e900c7da9ee\""), "{md5}");
    assert!(md5.contains("username=\"214a874dd12b113171b21f4249086304\""), "{md5}");
    assert!(md5.contains("qop=auth-int") && md5.contains("userhash=true"), "{md5}");
    let response = "0475d1c8476ced7546e483afff5d6de56517ed568095534a59d8309dde6c36c9";
    let name = "f6b4312e758e63eb7d279c7ef3e1aee233c0636eb200113cfb0016ed6ef177d3";
    assert!(sha.contains(response) && sha.contains(name) && !sha.contains("bob"), "{sha}");
}

#[test]
fn a_session_without_qop_gives_its_cnonce() {
    let challenge = digest(Hash::Md5, true, Protection::Legacy, "84a4cc6f3082121f32b42a2187831a9e", REALM);
    let uri = "sip:alice@atlanta.example.com";
    let line = challenge.answer(&bob(), &Method::Invite, uri, b"", "0a4f113b", 1).unwrap().to_string();
    assert!(line.contains("response=\"ecc1a64dc35c89b7316c6e374be0fe21\""), "{line}");
    assert!(line.contains("cnonce=\"0a4f113b\"") && !line.contains("nc="), "{line}");
}

#[test]
fn what_is_stored_serves_its_own_hash_only() {
    let stored = Ha1::of(Hash::Sha256, "bob", REALM, "zanzibar");
    let read = Ha1::from_hex(Hash::Sha256, &stored.to_hex()).unwrap();
    assert_eq!(read, stored);
    let stored = Credentials::with_stored("bob", vec![read]);
    let challenge = |hash| digest(hash, false, Protection::Auth, "n", REALM);
    let answer = |c: &Credentials, hash| challenge(hash).answer(c, &Method::Bye, "sip:b", b"", "c", 1);
    assert_eq!(answer(&stored, Hash::Sha256), answer(&bob(), Hash::Sha256));
    assert_eq!(answer(&stored, Hash::Md5), None);
    assert_eq!(Ha1::from_hex(Hash::Sha256, "00ff"), None);
    assert_eq!(Ha1::from_hex(Hash::Md5, &"zz".repeat(16)), None);
}

#[test]
fn secrets_do_not_show() {
    let stored = Ha1::of(Hash::Md5, "bob", REALM, "zanzibar");
    let hex = stored.to_hex();
    let client = Client::new(Credentials::with_stored("bob", vec![stored.clone()]));
    let shown = format!("{:?} {stored:?} {client:?} {:?}", bob(), Client::new(bob()));
    assert!(shown.contains("bob") && shown.contains("MD5"), "{shown}");
    assert!(!shown.contains("zanzibar") && !shown.contains(&hex), "{shown}");
}
