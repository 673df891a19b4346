mod client;
mod parsing;
mod properties;
mod server;
mod vectors;

use std::time::Duration;

use tandem_base::Time;
use tandem_testkit::Seeded;

use super::*;
use crate::{HeaderName, Headers, Method, Request, Response, StatusCode, Uri};

const REALM: &str = "biloxi.example.com";
const SOON: Time = Time::from_millis(1_000);

fn bob() -> Credentials {
    Credentials::with_password("bob", "zanzibar")
}

fn lookup(name: &str) -> Option<Credentials> {
    (name == "bob").then(bob)
}

fn request() -> Request {
    Request::new(Method::Register, Uri::parse("sip:biloxi.example.com").unwrap())
}

fn refusal(status: StatusCode, lines: &[(HeaderName, &str)]) -> Response {
    let mut response = Response::new(status);
    for (name, line) in lines {
        response.headers.push(name.clone(), (*line).to_owned());
    }
    response
}

fn challenged(lines: &[&str]) -> Response {
    let lines: Vec<_> = lines.iter().map(|line| (HeaderName::WwwAuthenticate, *line)).collect();
    refusal(StatusCode::UNAUTHORIZED, &lines)
}

fn response_of(server: &Authenticator, stale: bool, now: Time) -> Response {
    let (status, headers) = server.challenge(stale, now, &mut Seeded::new(now.as_nanos()));
    Response { headers, ..Response::new(status) }
}

fn given(headers: &Headers) -> Vec<Authorization> {
    Authorization::all(headers, &HeaderName::Authorization)
}
