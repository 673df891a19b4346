use super::*;

const MD5: &str = r#"Digest realm="biloxi.example.com", nonce="one", qop="auth""#;
const SHA256: &str = r#"Digest realm="biloxi.example.com", nonce="two", qop="auth", algorithm=SHA-256"#;

fn authorize(client: &mut Client, request: &mut Request, refusal: &Response) -> bool {
    client.authorize(request, refusal, &mut Seeded::new(7))
}

#[test]
fn the_strongest_that_is_known_is_answered() {
    let unknown = r#"Digest realm="biloxi.example.com", nonce="x", qop="auth", algorithm=SHA3-512"#;
    for order in [[MD5, unknown, SHA256], [SHA256, MD5, unknown]] {
        let mut request = request();
        assert!(authorize(&mut Client::new(bob()), &mut request, &challenged(&order)));
        let all = given(&request.headers);
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].algorithm.hash, all[0].nonce.as_str()), (Hash::Sha256, "two"));
        assert_eq!(all[0].uri, "sip:biloxi.example.com");
    }
}

#[test]
fn who_knows_only_a_stored_hash_answers_by_that() {
    let stored = Credentials::with_stored("bob", vec![Ha1::of(Hash::Md5, "bob", REALM, "zanzibar")]);
    let mut request = request();
    assert!(authorize(&mut Client::new(stored), &mut request, &challenged(&[SHA256, MD5])));
    assert_eq!(given(&request.headers)[0].algorithm.hash, Hash::Md5);
}

/// RFC 3261 §22.3: the proxy's credentials stay when the server asks for its own.
#[test]
fn a_proxy_and_a_server_are_both_answered() {
    let (mut client, mut request) = (Client::new(bob()), request());
    let by_proxy = refusal(
        StatusCode::PROXY_AUTHENTICATION_REQUIRED,
        &[(HeaderName::ProxyAuthenticate, r#"Digest realm="proxy", nonce="p", qop="auth""#)],
    );
    assert!(authorize(&mut client, &mut request, &by_proxy));
    assert!(authorize(&mut client, &mut request, &challenged(&[SHA256])));
    let of_proxy = Authorization::all(&request.headers, &HeaderName::ProxyAuthorization);
    assert_eq!((of_proxy.len(), of_proxy[0].realm.as_str()), (1, "proxy"));
    assert_eq!(given(&request.headers)[0].realm, REALM);
}

/// §22.3: proxies that a request forked to may each ask.
#[test]
fn each_realm_is_answered() {
    let mut request = request();
    let other = r#"Digest realm="other", nonce="three", qop="auth""#;
    assert!(authorize(&mut Client::new(bob()), &mut request, &challenged(&[MD5, other])));
    let all = given(&request.headers);
    assert_eq!(all.iter().map(|a| a.realm.as_str()).collect::<Vec<_>>(), [REALM, "other"]);
}

#[test]
fn refused_credentials_are_not_tried_again_but_a_stale_nonce_is() {
    let (mut client, mut request) = (Client::new(bob()), request());
    assert!(authorize(&mut client, &mut request, &challenged(&[MD5])));
    let before = request.clone();
    let again = MD5.replace("one", "fresh");
    assert!(!authorize(&mut client, &mut request, &challenged(&[&again])));
    assert_eq!(request, before);
    assert!(authorize(&mut client, &mut request, &challenged(&[&format!("{again}, stale=true")])));
    let all = given(&request.headers);
    assert_eq!((all.len(), all[0].nonce.as_str()), (1, "fresh"));
}

#[test]
fn each_use_of_a_nonce_is_counted() {
    let mut client = Client::new(bob());
    let mut counts = Vec::new();
    for line in [MD5, MD5, SHA256, MD5] {
        let mut request = request();
        assert!(authorize(&mut client, &mut request, &challenged(&[line])));
        counts.push(given(&request.headers)[0].counted.as_ref().unwrap().nc);
    }
    assert_eq!(counts, [1, 2, 1, 3]);
    for n in 0..100 {
        let line = MD5.replace("one", &n.to_string());
        assert!(authorize(&mut client, &mut request(), &challenged(&[&line])));
    }
    let mut request = request();
    assert!(authorize(&mut client, &mut request, &challenged(&[MD5])));
    assert_eq!(given(&request.headers)[0].counted.as_ref().unwrap().nc, 1);
}

#[test]
fn what_cannot_be_answered_leaves_the_request_alone() {
    let mut request = request();
    let before = request.clone();
    for lines in [&[][..], &["Basic realm=\"r\""], &["Digest realm=\"r\", nonce=\"n\", algorithm=X"]] {
        assert!(!authorize(&mut Client::new(bob()), &mut request, &challenged(lines)));
    }
    assert_eq!(request, before);
}

#[test]
fn what_was_asked_once_is_given_unasked_and_counted() {
    let mut client = Client::new(bob());
    let mut first = request();
    client.prepare(&mut first, &mut Seeded::new(7));
    assert_eq!(given(&first.headers), []);
    assert!(authorize(&mut client, &mut first, &challenged(&[MD5])));
    for nc in 2..5 {
        let mut next = request();
        client.prepare(&mut next, &mut Seeded::new(7));
        let all = given(&next.headers);
        assert_eq!((all.len(), all[0].counted.as_ref().unwrap().nc, all[0].nonce.as_str()), (1, nc, "one"));
    }
    // A realm that has had enough of its nonce is answered once more, and only once.
    let mut next = request();
    client.prepare(&mut next, &mut Seeded::new(7));
    assert!(authorize(&mut client, &mut next, &challenged(&[&MD5.replace("one", "fresh")])));
    assert_eq!(given(&next.headers)[0].nonce, "fresh");
    assert!(!authorize(&mut client, &mut next, &challenged(&[&MD5.replace("one", "other")])));
}

#[test]
fn a_nonce_without_a_count_serves_once() {
    let mut client = Client::new(bob());
    let legacy = r#"Digest realm="biloxi.example.com", nonce="one""#;
    assert!(authorize(&mut client, &mut request(), &challenged(&[legacy])));
    let mut next = request();
    client.prepare(&mut next, &mut Seeded::new(7));
    assert_eq!(given(&next.headers), []);
}

#[test]
fn a_hashed_name_is_known_again() {
    let hashed = MD5.to_owned() + ", userhash=true";
    let (mut client, mut request) = (Client::new(bob()), request());
    assert!(authorize(&mut client, &mut request, &challenged(&[&hashed])));
    assert!(given(&request.headers)[0].userhash);
    assert!(!authorize(&mut client, &mut request, &challenged(&[&hashed.replace("one", "two")])));
    assert!(authorize(&mut client, &mut request, &challenged(&[&format!("{hashed}, stale=true")])));
    assert_eq!(given(&request.headers).len(), 1);
}

#[test]
fn the_body_is_covered_only_where_nothing_else_is_offered() {
    for (qop, integrity) in [("auth-int, auth", false), ("auth-int", true)] {
        let mut request = request();
        let line = MD5.replace("\"auth\"", &format!("\"{qop}\""));
        assert!(authorize(&mut Client::new(bob()), &mut request, &challenged(&[&line])));
        assert_eq!(given(&request.headers)[0].integrity, integrity);
    }
}
