//! A header line as a challenge and as credentials: what is read can be written and is read the same, every challenge
//! that is read can be answered, and nothing of a stranger is accepted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tandem_base::Time;
use tandem_sip::digest::{Authenticator, Authorization, Challenge, Client, Credentials, Policy, Verdict};
use tandem_sip::{HeaderName, Method, Request, Response, StatusCode, Uri};
use tandem_testkit::Seeded;

fuzz_target!(|line: &str| {
    // A header line has no breaks, and what is written has escapes that count where values are bounded.
    if line.len() > 500 || line.contains(['\r', '\n']) {
        return;
    }
    if let Ok(challenge) = Challenge::parse(line) {
        assert_eq!(Challenge::parse(&challenge.to_string()).as_ref(), Ok(&challenge));
        answer(line);
    }
    if let Ok(given) = Authorization::parse(line) {
        assert_eq!(Authorization::parse(&given.to_string()), Ok(given));
        verify(line);
    }
});

fn request() -> Request {
    Request::new(Method::Invite, Uri::parse("sip:bob@biloxi.example.com").expect("it is a URI"))
}

fn answer(line: &str) {
    let mut refusal = Response::new(StatusCode::UNAUTHORIZED);
    refusal.headers.push(HeaderName::WwwAuthenticate, line.to_owned());
    let mut request = request();
    let mut client = Client::new(Credentials::with_password("bob", "zanzibar"));
    if client.authorize(&mut request, &refusal, &mut Seeded::new(1)) {
        assert!(!Authorization::all(&request.headers, &HeaderName::Authorization).is_empty());
    }
}

fn verify(line: &str) {
    let mut server = Authenticator::new(Policy::new("biloxi.example.com"), &mut Seeded::new(2));
    let mut request = request();
    request.headers.push(HeaderName::Authorization, line.to_owned());
    let lookup = |name: &str| Some(Credentials::with_password(name, "zanzibar"));
    let verdict = server.verify(&request, lookup, Time::from_millis(1));
    assert!(!matches!(verdict, Verdict::Accepted { .. }), "its nonce is not ours");
}
