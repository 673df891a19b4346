use bytes::Bytes;
use tandem_base::Time;
use tandem_sip::ua::{Body, Command, InviteId, NewInvite, Output, Protocol, Target};
use tandem_sip::{
    CSeq, HeaderName, Headers, Host, Message, Method, NameAddr, Request, Response, SipUri, StatusCode,
    TelUri, Uri,
};

use crate::{Bench, CASES, octets, status};

/// A message that our writer wrote.
#[derive(Clone, Debug)]
pub struct Written {
    /// What it is.
    pub name: String,
    /// As it goes on the wire.
    pub bytes: Bytes,
    /// As we read it.
    pub message: Message,
}

impl Written {
    fn new(name: String, bytes: Bytes) -> Self {
        let message = Message::parse(bytes.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
        Written { name, bytes, message }
    }
}

/// Everything that the user agent says on its own, every torture test written anew, and addresses of all kinds.
pub fn written() -> Vec<Written> {
    let mut all = Vec::new();
    for case in CASES {
        if let Ok(message) = Message::parse(octets(case.text).into()) {
            all.push(Written::new(case.tag.to_owned(), message.to_bytes()));
        }
        for answer in Bench::new().datagram(&octets(case.text)).answers {
            // What lacks something is answered by something that does; see `insuf`.
            if Message::parse(answer.clone()).is_ok() {
                all.push(Written::new(format!("{} to {}", status(&answer), case.tag), answer));
            }
        }
    }
    all.extend(call());
    all.extend(addresses());
    all
}

/// A call that we make: INVITE, CANCEL, ACK, BYE.
fn call() -> Vec<Written> {
    let mut bench = Bench::new();
    let (answered, cancelled) = (InviteId::outgoing(1), InviteId::outgoing(2));
    let mut sent = Vec::new();
    let invite = command(&mut bench, Command::Invite { invite: answered, call: new_invite() });
    let ack = receive(&mut bench, respond(&invite[0], StatusCode::OK));
    let bye = command(&mut bench, Command::Bye { invite: answered, headers: Headers::new() });
    let second = command(&mut bench, Command::Invite { invite: cancelled, call: new_invite() });
    receive(&mut bench, respond(&second[0], StatusCode::RINGING));
    let cancel = command(&mut bench, Command::Cancel { invite: cancelled, headers: Headers::new() });
    for (name, messages) in [("INVITE", invite), ("ACK", ack), ("BYE", bye), ("CANCEL", cancel)] {
        sent.extend(messages.into_iter().map(|bytes| Written::new(format!("our {name}"), bytes)));
    }
    sent
}

fn new_invite() -> Box<NewInvite> {
    let remote = Bench::flow(Protocol::Udp).remote;
    let mut headers = Headers::new();
    headers.push(HeaderName::Subject, "Weekly call — Grüße");
    Box::new(NewInvite {
        uri: Uri::parse("sip:peer@198.51.100.7:5060;transport=udp").expect("a URI"),
        target: Some(Target::Address { protocol: Protocol::Udp, remote }),
        from: "\"Room \\\"One\\\", 1st floor\" <sip:1000@tandem.example>".to_owned(),
        to: None,
        contact_user: "1000".to_owned(),
        contact_parameters: ";isfocus".into(),
        routes: vec!["<sip:198.51.100.8;lr>".to_owned()],
        headers,
        body: Some(Body::sdp(Bytes::from_static(b"v=0\r\n"))),
        credentials: None,
    })
}

fn command(bench: &mut Bench, command: Command) -> Vec<Bytes> {
    sent(bench, tandem_sip::ua::Input::Command(command))
}

fn receive(bench: &mut Bench, bytes: Bytes) -> Vec<Bytes> {
    bench.now = bench.now.max(Time::from_millis(10));
    sent(bench, tandem_sip::ua::Input::Received { flow: Bench::flow(Protocol::Udp), bytes })
}

fn sent(bench: &mut Bench, input: tandem_sip::ua::Input) -> Vec<Bytes> {
    let outputs = bench.outputs(input).into_iter();
    outputs
        .filter_map(|output| if let Output::Send { bytes, .. } = output { Some(bytes) } else { None })
        .collect()
}

/// The peer's answer.
fn respond(request: &Bytes, status: StatusCode) -> Bytes {
    let Ok(Message::Request(request)) = Message::parse(request.clone()) else { panic!("a request of ours") };
    let mut response = Response::to_request(&request, status, Some("peer"));
    response.headers.push(HeaderName::Contact, "<sip:peer@198.51.100.7>");
    response.to_bytes()
}

/// Requests with addresses and values of all kinds.
fn addresses() -> Vec<Written> {
    let sip = |host: &str| SipUri::new(Host::parse(host).expect("a host"));
    let tel = |number: &str| Uri::Tel(TelUri { number: number.to_owned(), params: Default::default() });
    let uris: Vec<(&str, Uri)> = vec![
        ("plain", sip("example.com").with_user("alice").into()),
        ("without user", sip("example.com").into()),
        ("IPv4 and port", sip("192.0.2.7").with_user("alice").with_port(5070).into()),
        ("IPv6", sip("[2001:db8::7]").with_user("alice").into()),
        ("IPv6 and port", sip("[2001:db8::7]").with_user("alice").with_port(5070).into()),
        ("user that needs escapes", sip("example.com").with_user("a b@c:%\u{fc}").into()),
        (
            "user of a telephone",
            sip("example.com").with_user("+1-212-555-0101").with_param("user", Some("phone")).into(),
        ),
        (
            "parameters",
            sip("example.com")
                .with_user("a")
                .with_param("transport", Some("tcp"))
                .with_param("lr", None)
                .into(),
        ),
        ("sips", Uri::parse("sips:alice@example.com").expect("a URI")),
        ("telephone number", tel("+12125550101")),
        ("another scheme", Uri::parse("urn:service:sos").expect("a URI")),
    ];
    let names = [
        None,
        Some("Alice"),
        Some("Alice Liddell"),
        Some("Liddell, Alice; <the \"one\"> \\ only"),
        Some("Ärger mit 日本語 и кириллицей 🎧"),
        Some(""),
    ];
    let mut all = Vec::new();
    for (what, uri) in &uris {
        for (n, name) in names.iter().enumerate() {
            // Each name with one address, and each address with one name.
            if n == 1 || *what == "plain" {
                all.push(Written::new(format!("{what}, named {name:?}"), message(uri, *name)));
            }
        }
    }
    all
}

fn message(uri: &Uri, display: Option<&str>) -> Bytes {
    let address = NameAddr { display: display.map(str::to_owned), ..NameAddr::new(uri.clone()) };
    let mut request = Request::new(Method::Message, uri.clone());
    let headers = &mut request.headers;
    headers.push(HeaderName::Via, "SIP/2.0/UDP [2001:db8::9]:5060;branch=z9hG4bKwritten;rport");
    headers.push(HeaderName::MaxForwards, "70");
    headers.push(HeaderName::From, address.clone().with_tag("written").to_string());
    headers.push(HeaderName::To, address.to_string());
    headers.push(HeaderName::CallId, "written@192.0.2.2");
    headers.push(HeaderName::CSeq, CSeq { number: 2_147_483_647, method: Method::Message }.to_string());
    headers.push(HeaderName::ContentType, "text/plain;charset=UTF-8");
    request.body = Bytes::from("Grüße\r\n");
    request.to_bytes()
}
