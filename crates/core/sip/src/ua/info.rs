//! INFO (RFC 6086): keys pressed, as older phones and gateways tell them; info packages are not served.

use std::time::Duration;

use crate::token::number;
use crate::{HeaderName, MediaType, StatusCode};

use super::agent::UserAgent;
use super::context::Context;
use super::inspect::Refusal;
use super::receive::Arrival;
use super::{Event, InviteId};

/// How long a key is held where its sender does not say.
const PRESS: Duration = Duration::from_millis(160);
/// The longest press that is believed.
const LONGEST: Duration = Duration::from_secs(10);

/// A key and how long it was held. `None` where the body says no such thing.
fn key(media: &MediaType, body: &[u8]) -> Option<(char, Duration)> {
    let text = std::str::from_utf8(body).ok()?;
    if media.is("application", "dtmf") && !text.contains('=') {
        return Some((signal(text)?, PRESS));
    }
    let value = |name: &str| {
        let mut pairs = text.lines().filter_map(|line| line.split_once('='));
        pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    let held = match value("duration") {
        Some(millis) => Duration::from_millis(number::<u32>(millis)?.into()).min(LONGEST),
        None => PRESS,
    };
    Some((signal(value("signal")?)?, held))
}

/// One key; some write star and pound by their event numbers (RFC 4733 §3.2).
fn signal(text: &str) -> Option<char> {
    let text = text.trim();
    let mut chars = text.chars();
    match (text, chars.next()?, chars.next()) {
        ("10", ..) => Some('*'),
        ("11", ..) => Some('#'),
        (_, one, None) => Some(one.to_ascii_uppercase()).filter(|c| "0123456789*#ABCD".contains(*c)),
        _ => None,
    }
}

impl UserAgent {
    /// The peer's INFO. What is neither a key nor of an info package goes to the application.
    pub(super) fn informed(&mut self, id: InviteId, arrival: Arrival, tag: &str, cx: &mut Context<'_>) {
        let headers = &arrival.request.headers;
        if headers.has(&HeaderName::Other("Info-Package".to_owned())) {
            // RFC 6086 §4.2.2: none is served, and so it says.
            let recv = HeaderName::Other("Recv-Info".to_owned());
            let refusal = Refusal::new(StatusCode::BAD_INFO_PACKAGE).with(recv, "nil");
            return self.refuse_once(&arrival, &refusal, cx);
        }
        let media = headers.content_type().ok().flatten();
        let of_key = |m: &MediaType| m.is("application", "dtmf-relay") || m.is("application", "dtmf");
        let Some(media) = media.filter(of_key) else { return self.deliver(Some(id), arrival, tag, cx) };
        let Some((digit, duration)) = key(&media, &arrival.request.body) else {
            return self.refuse_once(&arrival, &Refusal::new(StatusCode::BAD_REQUEST), cx);
        };
        let response = self.reply_to(&arrival, StatusCode::OK, Some(tag));
        self.answer_now(&arrival, &response, cx);
        cx.event(Event::Digit { invite: id, digit, duration });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, body: &str) -> Option<(char, u128)> {
        key(&MediaType::parse(kind).unwrap(), body.as_bytes()).map(|(digit, held)| (digit, held.as_millis()))
    }

    #[test]
    fn keys_are_read_as_phones_write_them() {
        let relay = "application/dtmf-relay";
        assert_eq!(read(relay, "Signal=5\r\nDuration=160\r\n"), Some(('5', 160)));
        assert_eq!(read(relay, "Signal= #\nDuration= 250"), Some(('#', 250)));
        assert_eq!(read(relay, "signal=11\r\n"), Some(('#', 160)));
        assert_eq!(read(relay, "Signal=d\r\nDuration=4000000000"), Some(('D', 10_000)));
        assert_eq!(read("application/dtmf", "*"), Some(('*', 160)));
        assert_eq!(read("application/dtmf", "Signal=7\nDuration=100"), Some(('7', 100)));
        for wrong in ["", "Signal=", "Signal=12", "Signal=x", "Signal=1\nDuration=long", "5"] {
            assert_eq!(read(relay, wrong), None, "{wrong}");
        }
    }
}
