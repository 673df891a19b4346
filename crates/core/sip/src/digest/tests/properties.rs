use proptest::prelude::*;

use super::*;

/// Text as a header field can carry it.
fn text() -> impl Strategy<Value = String> {
    "[ -~äøß€]{0,40}"
}

fn hash() -> impl Strategy<Value = Hash> {
    prop_oneof![Just(Hash::Md5), Just(Hash::Sha256), Just(Hash::Sha512Half)]
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(line in "(Digest )?[ -~é\t]{0,200}") {
        if let Ok(challenge) = Challenge::parse(&line) {
            prop_assert_eq!(Challenge::parse(&challenge.to_string()), Ok(challenge));
        }
        if let Ok(given) = Authorization::parse(&line) {
            prop_assert_eq!(Authorization::parse(&given.to_string()), Ok(given));
        }
    }

    #[test]
    fn what_is_written_is_read_the_same(
        (realm, nonce, user, password) in (text(), text(), text(), text()),
        opaque in proptest::option::of(text()),
        (hash, session, stale, userhash) in (hash(), any::<bool>(), any::<bool>(), any::<bool>()),
        protection in prop_oneof![
            Just(Protection::Legacy), Just(Protection::Auth), Just(Protection::Integrity),
        ],
        nc in 1u32..,
    ) {
        let algorithm = Algorithm { hash, session };
        let challenge = Challenge { realm, nonce, opaque, stale, algorithm, protection, userhash };
        prop_assert_eq!(Challenge::parse(&challenge.to_string()), Ok(challenge.clone()));
        let credentials = Credentials::with_password(user, password);
        let answer = challenge.answer(&credentials, &Method::Message, "sip:b@c", b"body", "cn", nc).unwrap();
        prop_assert_eq!(Authorization::parse(&answer.to_string()), Ok(answer));
    }

    #[test]
    fn client_and_server_agree_on_the_password_alone(
        (realm, user, password, other) in (text(), text(), text(), text()),
        hash in hash(),
    ) {
        let mut policy = Policy::new(realm);
        policy.hashes = vec![hash];
        let mut server = Authenticator::new(policy, &mut Seeded::new(1));
        let mut request = request();
        let refusal = response_of(&server, false, SOON);
        let mut client = Client::new(Credentials::with_password(user.clone(), password.clone()));
        prop_assert!(client.authorize(&mut request, &refusal, &mut Seeded::new(2)));
        let knows = |password: &str| {
            let password = password.to_owned();
            move |name: &str| Some(Credentials::with_password(name, password.clone()))
        };
        if other != password {
            prop_assert_eq!(server.verify(&request, knows(&other), SOON), Verdict::Refused);
        }
        let verdict = server.verify(&request, knows(&password), SOON);
        prop_assert_eq!(verdict, Verdict::Accepted { user });
    }

    /// Whatever the order, no count is taken twice.
    #[test]
    fn no_count_is_taken_twice(counts in proptest::collection::vec(0u32..200, 0..200)) {
        let mut server = Authenticator::new(Policy::new(REALM), &mut Seeded::new(1));
        let refusal = response_of(&server, false, SOON);
        let challenge = Challenge::all(&refusal.headers, &HeaderName::WwwAuthenticate).remove(1);
        let mut taken = std::collections::BTreeSet::new();
        for nc in counts {
            let mut request = request();
            let uri = request.uri.to_string();
            let answer = challenge.answer(&bob(), &request.method, &uri, b"", "cn", nc).unwrap();
            request.headers.push(HeaderName::Authorization, answer.to_string());
            let accepted = matches!(server.verify(&request, lookup, SOON), Verdict::Accepted { .. });
            let highest = taken.last().copied().unwrap_or(0);
            prop_assert_eq!(accepted, nc > 0 && nc + 64 > highest && !taken.contains(&nc));
            if accepted {
                taken.insert(nc);
            }
        }
    }
}
