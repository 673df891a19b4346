//! What is read in the messages of the table, field by field, and what is close to them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's set-up fails as a test does")]

use tandem_conformance::{Bench, Outcome, case, octets, status};
use tandem_sip::{
    HeaderName, Host, Message, NameAddr, Request, Response, Rport, TelUri, Transport, Uri, unescape,
};

fn request(tag: &str) -> Request {
    read(case(tag).text)
}

fn read(text: &str) -> Request {
    match Message::parse(octets(text).into()) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

fn response(tag: &str) -> Response {
    match Message::parse(octets(case(tag).text).into()) {
        Ok(Message::Response(response)) => response,
        other => panic!("{other:?}"),
    }
}

fn other(name: &str) -> HeaderName {
    HeaderName::parse(name).unwrap()
}

fn v6(text: &str) -> Host {
    Host::V6(text.parse().unwrap())
}

/// What the user agent makes of a datagram.
fn outcome(text: &str) -> Outcome {
    Bench::new().datagram(&octets(text)).outcome()
}

#[test]
fn wsinv() {
    let r = request("wsinv");
    let h = &r.headers;
    assert_eq!(h.to().unwrap().tag(), Some("4711223344n"));
    let from = h.from().unwrap();
    assert_eq!((from.display.as_deref(), from.tag()), (Some("A Caller \\\""), Some("77weiss")));
    assert_eq!((h.max_forwards(), h.cseq().map(|c| c.number)), (Ok(Some(68)), Ok(9)));
    let vias = h.vias().unwrap();
    let branches: Vec<_> = vias.iter().filter_map(|via| via.branch()).collect();
    assert_eq!(branches, ["140wqnzz", "z9hG4bK4zwsinv1", "z9hG4bK4zwsinv2"]);
    assert_eq!(vias[0].known_transport(), Some(Transport::Udp));
    assert_eq!(h.text(&HeaderName::Subject), Some(""));
    assert_eq!(h.text(&other("newfangledheader")), Some("a value that nobody knows and its second line"));
    assert_eq!(h.text(&other("UnknownHeaderWithUnusualValue")), Some(";;,,;;,;"));
    let route = &h.routes().unwrap()[0];
    assert!(route.uri.as_sip().unwrap().is_loose_router());
    let contact = &h.contacts().unwrap()[0];
    assert_eq!(contact.display.as_deref(), Some("Quoted \"string\""));
    assert_eq!((contact.params.get("newparam"), contact.params.get("q")), (Some("newvalue"), Some("0.33")));
    assert!(contact.params.has("secondparam"));
    assert_eq!(h.content_length(), Ok(Some(r.body.len())));
}

#[test]
fn wsinv_without_its_tag_is_served() {
    let text = case("wsinv").text.replace(" ;   tag    = 4711223344n\n", "\n");
    assert_eq!(outcome(&text), Outcome::Served(vec![200].into()));
}

#[test]
fn intmeth() {
    let r = request("intmeth");
    assert_eq!(r.method.as_str(), "!interesting-Method0123456789_*+`.%indeed'~");
    let user = "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*";
    let uri = r.uri.as_sip().unwrap();
    assert_eq!(uri.user.as_deref(), Some(user));
    assert_eq!(uri.password.as_deref(), Some("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"));
    assert_eq!(uri.host, Host::parse("example.com").unwrap());
    let to = r.headers.to().unwrap();
    assert_eq!(to.display.as_deref(), Some("BEL:\u{7} NUL:\u{0} DEL:\u{7f}"));
    let from = r.headers.from().unwrap();
    assert_eq!(from.display.as_deref(), Some("token1~` token2'+_ token3*%!.-"));
    assert_eq!(from.params.get_unquoted("fromParam''~+*_!.-%").as_deref(), Some("работающий"));
    assert_eq!(from.tag(), Some("_token~1'+`*%!-."));
    assert_eq!(r.headers.via().unwrap().branch(), Some("z9hG4bK-.!%66*_+`'~"));
    assert_eq!(r.headers.call_id(), Ok("intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"));
    assert_eq!(r.headers.max_forwards(), Ok(Some(255)));
    assert_eq!(r.headers.text(&other("extensionHeader-!.%*+_`'~")), Some("\u{feff}大停電"));
}

#[test]
fn esc01() {
    let r = request("esc01");
    assert_eq!(r.uri.user_text().as_deref(), Some("sips:user@example.com"));
    assert_eq!(r.headers.to().unwrap().uri.user_text().as_deref(), Some("user"));
    assert!(r.headers.to().unwrap().uri.equivalent(&Uri::parse("sip:user@example.com").unwrap()));
    assert_eq!(r.headers.from().unwrap().uri.user_text().as_deref(), Some("I have spaces"));
    let contact = r.headers.contacts().unwrap().remove(0).uri;
    let contact = contact.as_sip().unwrap();
    assert!(contact.is_loose_router());
    assert_eq!(contact.param_text("name").as_deref(), Some("value%41"));
    assert_eq!(contact.user_text().as_deref(), Some("caller"));
}

#[test]
fn escnull() {
    let r = request("escnull");
    assert_eq!(r.headers.to().unwrap().uri.user_text().as_deref(), Some("null-\0-null"));
    let [one, two] = &r.headers.contacts().unwrap()[..] else { panic!("two contacts") };
    assert_eq!((one.uri.user_text().as_deref(), two.uri.user_text().as_deref()), (Some("\0"), Some("\0\0")));
    assert!(!one.uri.equivalent(&two.uri));
}

#[test]
fn esc02() {
    let r = request("esc02");
    assert_eq!(r.method.as_str(), "RE%47IST%45R");
    assert_eq!(r.headers.to().unwrap().display.as_deref(), Some("%Z%45"));
    assert_eq!(r.headers.contacts().unwrap().len(), 2, "C%6Fntact is another header");
    assert_eq!(r.headers.via().unwrap().branch(), Some("z9hG4bK209%fzsnel234"));
}

#[test]
fn lwsdisp() {
    assert_eq!(request("lwsdisp").headers.from().unwrap().display.as_deref(), Some("caller"));
}

#[test]
fn longreq() {
    let r = request("longreq");
    let vias = r.headers.vias().unwrap();
    assert_eq!(vias.len(), 33);
    assert_eq!((vias[0].host.to_string(), vias[0].branch()), ("sip33.example.com".to_owned(), None));
    assert_eq!(vias[32].received(), Some([192, 0, 2, 5].into()));
    let to = r.headers.to().unwrap();
    assert_eq!(to.display.unwrap().len(), "I have a user name of ".len() + 70 + " proportion".len());
    assert_eq!(to.uri.as_sip().unwrap().params.iter().count(), 3);
    let from = r.headers.from().unwrap();
    assert_eq!(from.tag().unwrap().len(), 2 + 150 + 3);
    assert_eq!(from.params.iter().count(), 3, "a URI without brackets has no parameters");
}

#[test]
fn dblreq() {
    assert_eq!(request("dblreq").body, "");
    let mut bench = Bench::new();
    bench.stream(&octets(case("dblreq").text));
    let methods: Vec<_> = bench.application.asked.iter().map(|r| r.method.as_str().to_owned()).collect();
    assert_eq!(methods, ["REGISTER", "INVITE"]);
}

#[test]
fn semiuri() {
    let r = request("semiuri");
    assert_eq!(r.uri.user_text().as_deref(), Some("user;par=u@example.net"));
    let uri = r.uri.as_sip().unwrap();
    assert!(uri.params.is_empty() && uri.password.is_none());
    assert_eq!(uri.host.to_string(), "example.com");
}

#[test]
fn transports() {
    let vias = request("transports").headers.vias().unwrap();
    let named: Vec<&str> = vias.iter().map(|via| via.transport.as_str()).collect();
    assert_eq!(named, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
    assert_eq!(vias[3].known_transport(), None);
    let answer = Bench::new().datagram(&octets(case("transports").text)).answers.remove(0);
    let Ok(Message::Response(answer)) = Message::parse(answer) else { panic!("a response") };
    assert_eq!(answer.headers.vias().unwrap().len(), 5, "all are given back");
}

#[test]
fn mpart01() {
    let mut bench = Bench::new();
    bench.datagram(&octets(case("mpart01").text));
    let got = &bench.application.asked[0];
    let binary = b"\x30\x82\x01\x52\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x82\x01\x43\x00\x00\xff\r\n\r\nINVITE";
    assert!(got.body.windows(binary.len()).any(|window| window == binary), "octet for octet");
    let kind = got.headers.content_type().unwrap().unwrap();
    assert_eq!((kind.kind.as_str(), kind.params.get("boundary")), ("multipart", Some("7a9cbec02ceef655")));
}

#[test]
fn unreason_and_noreason() {
    let unreason = response("unreason");
    assert_eq!(unreason.status.get(), 200);
    assert_eq!(unreason.reason, "= 2**3 * 5**2 но сто девяносто девять - простое");
    let noreason = response("noreason");
    assert_eq!((noreason.status.get(), noreason.reason.len()), (100, 0));
    assert!(noreason.to_bytes().starts_with(b"SIP/2.0 100 \r\n"));
}

#[test]
fn scalar02_one_by_one() {
    // RFC 4475 §3.1.2.4: the CSeq is what must be refused; an Expires too large is as good as the largest.
    let whole = case("scalar02").text;
    let cseq = whole.replace("36893488147419103232", "1");
    assert_eq!(outcome(&cseq), Outcome::Answered(400), "Max-Forwards");
    let expires = cseq.replace("Max-Forwards: 300", "Max-Forwards: 70");
    assert_eq!(outcome(&expires), Outcome::Served(vec![200].into()));
    assert_eq!(read(&expires).headers.expires(), Ok(Some(u32::MAX)));
    let largest = expires.replace("CSeq: 1 ", "CSeq: 2147483647 ");
    assert_eq!(outcome(&largest), Outcome::Served(vec![200].into()));
    let larger = expires.replace("CSeq: 1 ", "CSeq: 2147483648 ");
    assert_eq!(outcome(&larger), Outcome::Answered(400));
}

#[test]
fn badaspec_and_baddn() {
    let to = request("badaspec").headers.to().unwrap();
    assert_eq!(to.uri, Uri::parse("sip:t.watson@example.org").unwrap());
    let from = request("baddn").headers.from().unwrap();
    assert_eq!(from.to_string(), "\"Bell, Alexander\" <sip:a.g.bell@example.com>;tag=baddntag");
}

#[test]
fn badbranch() {
    // Two calls whose branches are the cookie and nothing else are two calls still.
    let invite = |call: &str| {
        let text = case("inv2543").text.replace("iftgw.example.com\n", "iftgw.example.com;branch=z9hG4bK\n");
        octets(&text.replace("inv2543.1717", call))
    };
    let mut bench = Bench::new();
    for call in ["one", "two"] {
        assert_eq!(bench.datagram(&invite(call)).outcome(), Outcome::Served(vec![200].into()), "{call}");
    }
    assert_eq!(bench.datagram(&invite("one")).asked, 0, "a retransmission");
}

#[test]
fn insuf_is_answered_with_what_there_is() {
    let answer = Bench::new().datagram(&octets(case("insuf").text)).answers.remove(0);
    let text = String::from_utf8(answer.to_vec()).unwrap();
    assert!(
        text.starts_with("SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf")
    );
    assert!(text.contains("\r\nCSeq: 193942 INVITE\r\n") && !text.contains("Call-ID"), "{text}");
}

#[test]
fn unksm2() {
    let r = request("unksm2");
    let schemes = [
        r.headers.to().unwrap().uri,
        r.headers.from().unwrap().uri,
        r.headers.contacts().unwrap().remove(0).uri,
    ];
    assert_eq!(
        schemes.map(|uri| uri.to_string()),
        ["isbn:2983792873", "http://www.example.com", "name:John_Smith"]
    );
}

#[test]
fn refusals_say_what_would_have_been_right() {
    for (tag, header, value) in [
        ("bext01", HeaderName::Unsupported, "nothingSupportsThis, nothingSupportsThisEither"),
        ("invut", HeaderName::Accept, "application/sdp"),
    ] {
        let answer = Bench::new().datagram(&octets(case(tag).text)).answers.remove(0);
        let Ok(Message::Response(answer)) = Message::parse(answer) else { panic!("{tag}") };
        assert_eq!(answer.headers.text(&header), Some(value), "{tag}");
    }
    let answer = Bench::new().datagram(&octets(case("intmeth").text)).answers.remove(0);
    let Ok(Message::Response(answer)) = Message::parse(answer) else { panic!("a response") };
    assert!(answer.headers.allow().unwrap().contains(&tandem_sip::Method::Invite));
}

#[test]
fn zeromf_as_an_invite_is_refused() {
    let text = case("baddate").text.replace("Max-Forwards: 70", "Max-Forwards: 0");
    assert_eq!(outcome(&text), Outcome::Answered(483));
}

#[test]
fn cparam_and_regescrt() {
    let contact = |tag| -> NameAddr { request(tag).headers.contacts().unwrap().remove(0) };
    let first = contact("cparam01");
    assert!(first.params.has("unknownparam") && first.uri.as_sip().unwrap().params.is_empty());
    let second = contact("cparam02");
    assert!(second.params.is_empty() && second.uri.as_sip().unwrap().params.has("unknownparam"));
    let third = contact("regescrt").uri;
    let headers = third.as_sip().unwrap().headers.clone().unwrap();
    assert_eq!(unescape(&headers), b"Route=<sip:sip.example.com>");
}

#[test]
fn accept_is_read_with_ranges() {
    for (accept, status) in [
        ("application/sdp", 200),
        ("text/plain, application/SDP;q=0.5", 200),
        ("application/*", 200),
        ("*/*;q=0.1", 200),
        ("", 406),
        ("application/sdp;q=0", 406),
        ("application/sdp;q=0.000, */*", 200),
        ("text/*", 406),
    ] {
        let text = case("sdp01").text.replace("text/nobodyKnowsThis", accept);
        let observed = Bench::new().datagram(&octets(&text));
        assert_eq!(self::status(&observed.answers[0]), status, "{accept}");
    }
}

#[test]
fn inv2543() {
    let r = request("inv2543");
    assert_eq!((r.headers.from().unwrap().tag(), r.headers.to().unwrap().tag()), (None, None));
    assert_eq!((r.headers.via().unwrap().branch(), r.headers.max_forwards()), (None, Ok(None)));
    let to = r.headers.to().unwrap();
    assert_eq!(to.params.get("user"), Some("phone"), "without brackets, it is the header's");
    let hop = r.headers.record_routes().unwrap().remove(0).uri;
    assert_eq!(hop.as_sip().unwrap().maddr(), Host::parse("ss1.example.com"));
}

#[test]
fn ipv6_references() {
    for (tag, host, port) in [
        ("ipv6-good", "2001:db8::10", None),
        ("port-ambiguous", "2001:db8::10:5070", None),
        ("port-unambiguous", "2001:db8::10", Some(5070)),
        ("ipv6-in-sdp", "2001:db8::10", None),
        ("ipv6-bug-abnf-3-colons", "2001:db8::192.0.2.1", None),
        ("ipv6-correct-abnf-2-colons", "2001:db8::192.0.2.1", None),
    ] {
        let r = request(tag);
        let uri = r.uri.as_sip().unwrap();
        assert_eq!((&uri.host, uri.port), (&v6(host), port), "{tag}");
    }
    let r = request("ipv6-good");
    let via = r.headers.via().unwrap();
    assert_eq!((via.host.clone(), via.port, via.rport()), (v6("2001:db8::9:1"), None, Rport::Absent));
    assert_eq!(r.headers.contacts().unwrap()[0].uri.as_sip().unwrap().host, v6("2001:db8::1"));
    for tag in ["via-received-param-with-delim", "via-received-param-no-delim"] {
        let received = request(tag).headers.via().unwrap().received();
        assert_eq!(received, v6("2001:db8::9:255").ip(), "{tag}");
    }
    let vias = request("mult-ip-in-header").headers.vias().unwrap();
    let hosts: Vec<String> = vias.iter().map(|via| via.host.to_string()).collect();
    assert_eq!(hosts, ["[2001:db8::9:1]", "192.0.2.1", "[2001:db8::9:255]"]);
    let mapped = request("ipv4-mapped-ipv6");
    assert_eq!(mapped.headers.via().unwrap().host, v6("::ffff:192.0.2.10"));
    assert_eq!(mapped.headers.contacts().unwrap()[0].uri.to_string(), "sip:ted@[::ffff:192.0.2.2]");
}

#[test]
fn telephone_numbers() {
    let Some(Uri::Tel(TelUri { number, params })) =
        Uri::parse("tel:+44-(20)-7946.0123;ext=7;phone-context=+44")
    else {
        panic!("a tel: URI")
    };
    assert_eq!(number, "+44-(20)-7946.0123");
    assert_eq!((params.get("ext"), params.get("phone-context")), (Some("7"), Some("+44")));
    let text = case("baddate").text.replace("To: sip:user@example.com", "To: <tel:+44-20-7946-0123;ext=7>");
    assert_eq!(outcome(&text), Outcome::Served(vec![200].into()));
}
