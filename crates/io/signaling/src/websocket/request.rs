//! The request that asks for a WebSocket (RFC 6455 §4.1, §4.2.1).

use std::fmt;

/// Header fields of an upgrade request.
const MAX_FIELDS: usize = 64;

/// What becomes of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Answer with 101.
    Upgrade {
        /// `Sec-WebSocket-Key`.
        key: String,
    },
    Refuse(Refusal),
}

/// A response that ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: &'static str,
    /// Further header fields, each with its line break.
    fields: &'static str,
    /// For people who debug their client.
    pub why: &'static str,
}

impl Verdict {
    pub(super) const TOO_LARGE: Verdict =
        refuse("431 Request Header Fields Too Large", "", "the request is larger than 8 KiB");
    const NOT_HTTP: Verdict = refuse("400 Bad Request", "", "this is not an HTTP request");
}

const fn refuse(status: &'static str, fields: &'static str, why: &'static str) -> Verdict {
    Verdict::Refuse(Refusal { status, fields, why })
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refusal { status, fields, why } = self;
        let length = why.len() + 1;
        write!(
            f,
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n{fields}\r\n{why}\n"
        )
    }
}

/// Judges a whole request head. Any path and any Origin will do: who may call is not decided here.
pub(super) fn judge(head: &[u8]) -> Verdict {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Verdict::TOO_LARGE,
        _ => return Verdict::NOT_HTTP,
    }
    let asked = Asked(request.headers);
    match () {
        () if request.method != Some("GET") => {
            refuse("405 Method Not Allowed", "Allow: GET\r\n", "a WebSocket begins with GET")
        }
        () if request.version != Some(1) => {
            refuse("505 HTTP Version Not Supported", "", "a WebSocket begins with HTTP/1.1")
        }
        () if asked.count("host") != 1 => refuse("400 Bad Request", "", "there must be one Host"),
        () if !asked.has("upgrade", "websocket") || !asked.has("connection", "upgrade") => refuse(
            "426 Upgrade Required",
            "Upgrade: websocket\r\n",
            "this port speaks SIP over WebSocket only",
        ),
        () if !asked.has("sec-websocket-version", "13") => refuse(
            "426 Upgrade Required",
            "Sec-WebSocket-Version: 13\r\n",
            "the version of WebSocket must be 13",
        ),
        // RFC 7118 §4.1: without it the server cannot tell that SIP is meant.
        () if !asked.has("sec-websocket-protocol", "sip") => {
            refuse("400 Bad Request", "", "Sec-WebSocket-Protocol must offer sip")
        }
        () => match asked.key() {
            Some(key) => Verdict::Upgrade { key: key.to_owned() },
            None => refuse("400 Bad Request", "", "Sec-WebSocket-Key must be 16 octets in base64"),
        },
    }
}

struct Asked<'h>(&'h [httparse::Header<'h>]);

impl<'h> Asked<'h> {
    fn values(&self, name: &'static str) -> impl Iterator<Item = &'h str> {
        let of_name = self.0.iter().filter(move |field| field.name.eq_ignore_ascii_case(name));
        of_name.filter_map(|field| str::from_utf8(field.value).ok())
    }

    fn count(&self, name: &'static str) -> usize {
        self.values(name).count()
    }

    /// Is the token in the list?
    fn has(&self, name: &'static str, token: &str) -> bool {
        self.values(name).flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(token))
    }

    fn key(&self) -> Option<&'h str> {
        let mut keys = self.values("sec-websocket-key");
        let key = keys.next()?.trim();
        let digits = key.strip_suffix("==")?;
        let is_base64 = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
        (keys.next().is_none() && digits.len() == 22 && digits.bytes().all(is_base64)).then_some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "GET /any?x HTTP/1.1\r\nHost: tandem.example\r\nUpgrade: WebSocket\r\n\
        Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat, sip\r\nOrigin: https://any.example\r\n\r\n";

    fn status(request: &str) -> String {
        match judge(request.as_bytes()) {
            Verdict::Upgrade { key } => key,
            Verdict::Refuse(refusal) => {
                let answer = refusal.to_string();
                let (head, body) = answer.split_once("\r\n\r\n").unwrap();
                assert!(head.contains(&format!("Content-Length: {}", body.len())), "{answer}");
                answer[9..12].to_owned()
            }
        }
    }

    #[test]
    fn what_browsers_send_is_accepted() {
        assert_eq!(status(GOOD), "dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(status(&GOOD.replace("Sec-WebSocket-P", "sec-websocket-p")), "dGhlIHNhbXBsZSBub25jZQ==");
    }

    #[test]
    fn each_flaw_has_its_answer() {
        for (from, to, answer) in [
            ("chat, sip", "chat", "400"),
            ("Sec-WebSocket-Protocol: chat, sip\r\n", "", "400"),
            ("Version: 13", "Version: 8", "426"),
            ("Upgrade: WebSocket\r\n", "", "426"),
            ("keep-alive, Upgrade", "keep-alive", "426"),
            ("GET", "POST", "405"),
            ("HTTP/1.1", "HTTP/1.0", "505"),
            ("Host: tandem.example\r\n", "", "400"),
            ("Host: tandem.example\r\n", "Host: a\r\nHost: b\r\n", "400"),
            ("dGhlIHNhbXBsZSBub25jZQ==", "short==", "400"),
            ("dGhlIHNhbXBsZSBub25jZQ==", "", "400"),
            ("GET /any?x HTTP/1.1", "INVITE sip:a@b SIP/2.0", "400"),
            ("GET ", "\u{1}GET ", "400"),
        ] {
            assert_eq!(status(&GOOD.replace(from, to)), answer, "{from:?} → {to:?}");
        }
        let many = GOOD.replace("Host:", &("X: y\r\n".repeat(70) + "Host:"));
        assert_eq!(status(&many), "431");
    }
}
