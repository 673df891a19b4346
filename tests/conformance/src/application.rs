use bytes::Bytes;
use tandem_sip::ua::{Body, Command, Event};
use tandem_sip::{HeaderName, Headers, Method, Request, StatusCode, Uri};

/// What the user agent under test serves. REGISTER and MESSAGE too: what the RFCs ask for there must get through
/// to whoever serves it.
pub const METHODS: [Method; 11] = [
    Method::Invite,
    Method::Ack,
    Method::Bye,
    Method::Cancel,
    Method::Options,
    Method::Register,
    Method::Message,
    Method::Info,
    Method::Subscribe,
    Method::Notify,
    Method::Refer,
];

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\n\
    m=audio 40000 RTP/AVP 0\r\n";

/// Answers whatever it is asked: every call, every message, and as the registrar of every SIP address.
#[derive(Debug, Default)]
pub struct Application {
    /// The requests that it got.
    pub asked: Vec<Request>,
}

impl Application {
    /// Takes an event; the command that answers it.
    pub fn hear(&mut self, event: Event) -> Option<Command> {
        match event {
            Event::Incoming { invite, request, .. } => {
                self.asked.push(*request);
                let body = Some(Body::sdp(Bytes::from_static(SDP.as_bytes())));
                Some(Command::Answer { invite, contact_parameters: None, headers: Headers::new(), body })
            }
            Event::Request { id, request, .. } => {
                let (status, headers) = answer(&request);
                self.asked.push(*request);
                Some(Command::Respond { request: id, status, headers, body: None })
            }
            _ => None,
        }
    }
}

fn answer(request: &Request) -> (StatusCode, Headers) {
    if request.method == Method::Register { register(request) } else { (StatusCode::OK, Headers::new()) }
}

/// RFC 3261 §10.3, kept short: every registration is the first one.
fn register(request: &Request) -> (StatusCode, Headers) {
    let mut headers = Headers::new();
    // Credentials that are none that we know are none (RFC 4475 §3.3.7).
    if request.headers.has(&HeaderName::Authorization) {
        headers.push(HeaderName::WwwAuthenticate, "Digest realm=\"example.com\", nonce=\"00\"");
        return (StatusCode::UNAUTHORIZED, headers);
    }
    // RFC 3261 §10.3 step 5: an address of record that is not ours (RFC 4475 §3.3.4).
    if !request.headers.to().is_ok_and(|to| matches!(to.uri, Uri::Sip(_))) {
        return (StatusCode::NOT_FOUND, headers);
    }
    for contact in request.headers.get_all(&HeaderName::Contact) {
        headers.push(HeaderName::Contact, contact.clone());
    }
    (StatusCode::OK, headers)
}
