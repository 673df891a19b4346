use super::*;

#[test]
fn a_challenge_is_read_however_it_is_written() {
    // RFC 3261 §20.44.
    let line = r#"Digest realm="atlanta.com", domain="sip:boxesbybob.com", qop="auth", nonce="f84f1cec41e6cbe5aea9c8e88d359", opaque="", stale=FALSE, algorithm=MD5"#;
    let challenge = Challenge::parse(line).unwrap();
    assert_eq!((challenge.realm.as_str(), challenge.opaque.as_deref()), ("atlanta.com", Some("")));
    assert_eq!((challenge.stale, challenge.protection), (false, Protection::Auth));
    let odd = "dIgEsT  NONCE = \"a\\\"b\" ,realm=plain,, Algorithm=\"sha-256-SESS\",qop=\"auth-int , AUTH\",stale=\"true\"";
    let challenge = Challenge::parse(odd).unwrap();
    assert_eq!((challenge.nonce.as_str(), challenge.realm.as_str()), ("a\"b", "plain"));
    assert_eq!(challenge.algorithm, Algorithm { hash: Hash::Sha256, session: true });
    assert!(challenge.stale);
    let legacy = Challenge::parse(r#"Digest realm="r", nonce="n""#).unwrap();
    assert_eq!((legacy.algorithm, legacy.protection), (Algorithm::new(Hash::Md5), Protection::Legacy));
}

#[test]
fn what_cannot_be_answered_says_why() {
    let problem = |line: &str| Challenge::parse(line).unwrap_err();
    assert_eq!(problem(r#"Digest nonce="n""#), DigestError::Missing("realm"));
    assert_eq!(problem(r#"Digest realm="r""#), DigestError::Missing("nonce"));
    assert_eq!(problem("Basic realm=\"r\", nonce=\"n\""), DigestError::Unsupported("scheme"));
    assert_eq!(problem("Negotiate"), DigestError::Unsupported("scheme"));
    let unknown = r#"Digest realm="r", nonce="n", algorithm=AKAv1-MD5"#;
    assert_eq!(problem(unknown), DigestError::Unsupported("algorithm"));
    let other = r#"Digest realm="r", nonce="n", qop="token""#;
    assert_eq!(problem(other), DigestError::Unsupported("qop"));
    for broken in [
        "",
        ",",
        "Digest realm=\"r, nonce=\"n\"",
        "Digest realm=\"r\", nonce=\"n\", nonce=\"m\"",
        "Digest realm=\"r\", nonce=",
        "Digest realm=\"r\", nonce=n n",
        "realm=\"r\", nonce=\"n\"",
    ] {
        assert_eq!(problem(broken), DigestError::Malformed, "{broken}");
    }
}

#[test]
fn what_is_too_long_or_too_many_is_refused() {
    let long = format!("Digest realm=\"r\", nonce=\"{}\"", "n".repeat(1_023));
    assert_eq!(Challenge::parse(&long), Err(DigestError::Malformed));
    let many = (0..32).map(|n| format!(", p{n}=1")).collect::<String>();
    let many = format!("Digest realm=\"r\", nonce=\"n\"{many}");
    assert_eq!(Challenge::parse(&many), Err(DigestError::Malformed));
    let schemes = "Digest realm=\"r\",".repeat(17);
    assert_eq!(Challenge::parse(&schemes), Err(DigestError::Malformed));
}

/// RFC 7235 §4.1.
#[test]
fn several_challenges_may_share_a_line() {
    let mut headers = Headers::new();
    let line = r#"Negotiate, Digest realm="a, b", nonce="1", Basic realm="x", Digest realm="c", nonce="2", algorithm=SHA-256"#;
    headers.push(HeaderName::WwwAuthenticate, line);
    headers.push(HeaderName::WwwAuthenticate, "Digest realm=\"d\", nonce=\"3");
    headers.push(HeaderName::WwwAuthenticate, r#"Digest realm="e", nonce="4""#);
    let all = Challenge::all(&headers, &HeaderName::WwwAuthenticate);
    let realms: Vec<&str> = all.iter().map(|challenge| challenge.realm.as_str()).collect();
    assert_eq!(realms, ["a, b", "c", "e"]);
}

/// RFC 3261 §20.7 and §22.4.
#[test]
fn credentials_are_read_or_refused() {
    let line = r#"Digest username="bob", realm="biloxi.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="sip:bob@biloxi.com", qop=auth, nc=0000000A, cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41""#;
    let read = Authorization::parse(line).unwrap();
    assert_eq!((read.username.as_str(), read.uri.as_str()), ("bob", "sip:bob@biloxi.com"));
    assert_eq!(read.counted, Some(Counted { cnonce: "0a4f113b".to_owned(), nc: 10 }));
    let problem = |from: &str, to: &str| Authorization::parse(&line.replace(from, to)).unwrap_err();
    assert_eq!(problem("qop=auth", "qop=token"), DigestError::Unsupported("qop"));
    let more = Authorization::parse(&line.replace("qop=auth", "qop=auth-int, userhash=true")).unwrap();
    assert_eq!((more.integrity, more.userhash), (true, true));
    assert_eq!((read.integrity, read.userhash), (false, false));
    assert_eq!(problem("nc=0000000A, ", ""), DigestError::Missing("nc"));
    assert_eq!(problem("cnonce=\"0a4f113b\", ", ""), DigestError::Missing("cnonce"));
    for nc in ["nc=A", "nc=+000000A", "nc=0000000G", "nc=00000000A"] {
        assert_eq!(problem("nc=0000000A", nc), DigestError::Malformed, "{nc}");
    }
    assert_eq!(problem("6629fae4", "629fae4"), DigestError::Malformed);
    for name in ["username", "realm", "nonce", "uri", "response"] {
        let Err(error) = Authorization::parse(&line.replacen(&format!("{name}=\""), "x=\"", 1)) else {
            panic!("{name} is not asked for");
        };
        assert!(error == DigestError::Missing(name) || name == "nonce", "{name}: {error}");
    }
}

#[test]
fn names_are_escaped_and_hashed_as_they_read() {
    let tricky = r#"a "quoted\ näme", x=1"#;
    let challenge =
        Challenge::parse(&format!("Digest realm={}, nonce=n, qop=auth", crate::token::quote(tricky)));
    let challenge = challenge.unwrap();
    assert_eq!(challenge.realm, tricky);
    let credentials = Credentials::with_password(tricky, "p");
    let answer = challenge.answer(&credentials, &Method::Invite, "sip:b", b"", "c", 1).unwrap();
    let read = Authorization::parse(&answer.to_string()).unwrap();
    assert_eq!(read, answer);
    assert_eq!((read.username.as_str(), read.realm.as_str()), (tricky, tricky));
    assert!(!answer.to_string().contains(['\r', '\n']));
}
