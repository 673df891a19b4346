use super::*;

const LIFE: Duration = Duration::from_secs(300);

fn server() -> Authenticator {
    server_with(|_| {})
}

fn server_with(change: impl FnOnce(&mut Policy)) -> Authenticator {
    let mut policy = Policy::new(REALM);
    change(&mut policy);
    Authenticator::new(policy, &mut Seeded::new(42))
}

/// A request of bob's with credentials for a challenge of `server` that was made at `now`.
fn authorized(server: &Authenticator, now: Time) -> Request {
    let mut request = request();
    let refusal = response_of(server, false, now);
    assert!(Client::new(bob()).authorize(&mut request, &refusal, &mut Seeded::new(7)));
    request
}

fn accepted() -> Verdict {
    Verdict::Accepted { user: "bob".to_owned() }
}

/// The same credentials with another count.
fn counted(challenge: &Challenge, nc: u32) -> Request {
    let mut request = request();
    let uri = request.uri.to_string();
    let answer = challenge.answer(&bob(), &request.method, &uri, b"", "cn", nc).unwrap();
    request.headers.push(HeaderName::Authorization, answer.to_string());
    request
}

fn one_challenge(server: &Authenticator, now: Time) -> Challenge {
    Challenge::all(&response_of(server, false, now).headers, &HeaderName::WwwAuthenticate).remove(0)
}

#[test]
fn it_offers_the_strongest_first() {
    let server = server();
    let response = response_of(&server, true, SOON);
    assert_eq!(response.status, StatusCode::UNAUTHORIZED);
    let all = Challenge::all(&response.headers, &HeaderName::WwwAuthenticate);
    let hashes: Vec<Hash> = all.iter().map(|challenge| challenge.algorithm.hash).collect();
    assert_eq!(hashes, [Hash::Sha256, Hash::Md5]);
    assert!(all.iter().all(|c| c.stale && c.protection == Protection::Auth && c.realm == REALM));
    let proxy = server_with(|policy| policy.role = Role::Proxy);
    let response = response_of(&proxy, false, SOON);
    assert_eq!(response.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    assert!(response.headers.has(&HeaderName::ProxyAuthenticate));
}

#[test]
fn right_credentials_are_accepted_by_each_hash() {
    for hash in [Hash::Md5, Hash::Sha256, Hash::Sha512Half] {
        let mut server = server_with(|policy| policy.hashes = vec![hash]);
        let request = authorized(&server, SOON);
        assert_eq!(given(&request.headers)[0].algorithm.hash, hash);
        assert_eq!(server.verify(&request, lookup, SOON), accepted());
    }
}

#[test]
fn a_stored_hash_is_as_good_as_the_password() {
    let mut server = server();
    let request = authorized(&server, SOON);
    let stored = |name: &str| {
        let ha1 = Ha1::of(Hash::Sha256, name, REALM, "zanzibar");
        Some(Credentials::with_stored(name, vec![ha1]))
    };
    assert_eq!(server.verify(&request, stored, SOON), accepted());
}

#[test]
fn wrong_credentials_are_refused() {
    let mut server = server();
    let right = authorized(&server, SOON);
    let other = |_: &str| Some(Credentials::with_password("bob", "other"));
    assert_eq!(server.verify(&right, other, SOON), Verdict::Refused);
    assert_eq!(server.verify(&right, |_| None, SOON), Verdict::Refused);
    let method = Request { method: Method::Invite, ..right.clone() };
    assert_eq!(server.verify(&method, lookup, SOON), Verdict::Refused);
    let line = right.headers.text(&HeaderName::Authorization).unwrap().to_owned();
    for (from, to) in [("SHA-256", "SHA-256-sess"), ("qop=auth, ", ""), ("nc=00000001", "nc=00000002")] {
        let mut changed = right.clone();
        assert!(line.contains(from));
        changed.headers.set(HeaderName::Authorization, line.replace(from, to));
        assert_eq!(server.verify(&changed, lookup, SOON), Verdict::Refused, "{to}");
    }
    assert_eq!(server.verify(&right, lookup, SOON), accepted());
}

#[test]
fn a_hash_that_was_not_offered_is_refused() {
    let mut server = server_with(|policy| policy.hashes = vec![Hash::Sha256]);
    let mut challenge = one_challenge(&server, SOON);
    challenge.algorithm = Algorithm::new(Hash::Md5);
    assert_eq!(server.verify(&counted(&challenge, 1), lookup, SOON), Verdict::Refused);
    challenge.algorithm = Algorithm::new(Hash::Sha256);
    challenge.protection = Protection::Legacy;
    assert_eq!(server.verify(&counted(&challenge, 1), lookup, SOON), Verdict::Refused);
}

#[test]
fn credentials_for_another_target_are_refused_where_that_counts() {
    for (same_uri, verdict) in [(true, Verdict::Refused), (false, accepted())] {
        let mut server = server_with(|policy| policy.same_uri = same_uri);
        let mut request = authorized(&server, SOON);
        request.uri = Uri::parse("sip:other.example.com").unwrap();
        assert_eq!(server.verify(&request, lookup, SOON), verdict);
    }
    let mut server = server();
    let mut request = authorized(&server, SOON);
    request.uri = Uri::parse("sip:BILOXI.example.com").unwrap();
    assert_eq!(server.verify(&request, lookup, SOON), accepted());
}

#[test]
fn without_credentials_for_the_realm_there_are_none() {
    let mut server = server();
    let mut request = request();
    assert_eq!(server.verify(&request, lookup, SOON), Verdict::Missing);
    let other = server_with(|policy| policy.realm = "elsewhere".to_owned());
    let foreign = authorized(&other, SOON);
    assert_eq!(server.verify(&foreign, lookup, SOON), Verdict::Missing);
    request.headers.push(HeaderName::Authorization, "Digest username=\"bob");
    request.headers.push(HeaderName::Authorization, "Basic Zm9vOmJhcg==");
    assert_eq!(server.verify(&request, lookup, SOON), Verdict::Missing);
    // Among others, the right ones are found.
    let right = authorized(&server, SOON);
    let line = right.headers.get(&HeaderName::Authorization).unwrap().clone();
    request.headers.push(HeaderName::Authorization, line);
    assert_eq!(server.verify(&request, lookup, SOON), accepted());
}

#[test]
fn a_nonce_ages() {
    let mut server = server();
    let challenge = one_challenge(&server, SOON);
    assert_eq!(server.verify(&counted(&challenge, 1), lookup, SOON + LIFE), accepted());
    let late = SOON + LIFE + Duration::from_nanos(1);
    assert_eq!(server.verify(&counted(&challenge, 2), lookup, late), Verdict::Stale);
    assert!(format!("{server:?}").contains("used: 0"), "{server:?}");
}

/// A wrong password must not be taken for an old nonce, or clients would try it for ever.
#[test]
fn an_old_nonce_with_wrong_credentials_is_not_stale() {
    let mut server = server();
    let request = authorized(&server, SOON);
    let late = SOON + LIFE * 2;
    assert_eq!(server.verify(&request, |_| None, late), Verdict::Refused);
    assert_eq!(server.verify(&request, lookup, late), Verdict::Stale);
}

#[test]
fn foreign_nonces_are_stale() {
    let mut server = server();
    let mut policy = Policy::new(REALM);
    policy.nonces = 1;
    let restarted = Authenticator::new(policy, &mut Seeded::new(43));
    assert_eq!(server.verify(&authorized(&restarted, SOON), lookup, SOON), Verdict::Stale);
    let mut challenge = one_challenge(&server, SOON);
    for nonce in ["", "00", "é", &"0".repeat(64)] {
        challenge.nonce = nonce.to_owned();
        assert_eq!(server.verify(&counted(&challenge, 1), lookup, SOON), Verdict::Stale, "{nonce}");
    }
    let mut changed = one_challenge(&server, SOON);
    let last = if changed.nonce.ends_with('0') { "1" } else { "0" };
    changed.nonce.replace_range(63.., last);
    assert_eq!(server.verify(&counted(&changed, 1), lookup, SOON), Verdict::Stale);
}

#[test]
fn a_request_cannot_be_replayed() {
    let mut server = server();
    let request = authorized(&server, SOON);
    assert_eq!(server.verify(&request, lookup, SOON), accepted());
    assert_eq!(server.verify(&request, lookup, SOON), Verdict::Stale);
}

#[test]
fn requests_may_overtake_each_other_within_the_window() {
    let mut server = server();
    let challenge = one_challenge(&server, SOON);
    let mut verdict = |nc| server.verify(&counted(&challenge, nc), lookup, SOON);
    for nc in [5, 3, 70, 7, 69] {
        assert_eq!(verdict(nc), accepted(), "{nc}");
    }
    for nc in [0, 5, 3, 70, 7, 69, 6] {
        assert_eq!(verdict(nc), Verdict::Stale, "{nc}");
    }
    assert_eq!(verdict(8), accepted());
    assert_eq!(verdict(u32::MAX), accepted());
    assert_eq!(verdict(u32::MAX), Verdict::Stale);
    assert_eq!(verdict(u32::MAX - 63), accepted());
    assert_eq!(verdict(u32::MAX - 64), Verdict::Stale);
}

#[test]
fn a_forgotten_nonce_stays_used() {
    let mut server = server_with(|policy| policy.nonces = 2);
    let at = |n: u64| SOON + Duration::from_millis(n);
    let all: Vec<_> = (0..4).map(|n| one_challenge(&server, at(n))).collect();
    for challenge in &all[..3] {
        assert_eq!(server.verify(&counted(challenge, 1), lookup, at(9)), accepted());
    }
    // The first had to give way.
    assert_eq!(server.verify(&counted(&all[0], 1), lookup, at(9)), Verdict::Stale);
    assert_eq!(server.verify(&counted(&all[0], 2), lookup, at(9)), Verdict::Stale);
    assert_eq!(server.verify(&counted(&all[2], 2), lookup, at(9)), accepted());
    assert_eq!(server.verify(&counted(&all[3], 1), lookup, at(9)), accepted());
    assert!(format!("{server:?}").contains("used: 2"), "{server:?}");
}
