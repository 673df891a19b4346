use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;
use crate::{Host, Method, Uri};

fn via(text: &str) -> Via {
    Via::parse(text).unwrap_or_else(|| panic!("{text}"))
}

fn name_addr(text: &str) -> NameAddr {
    NameAddr::parse(text).unwrap_or_else(|| panic!("{text}"))
}

fn headers(lines: &[(HeaderName, &'static str)]) -> Headers {
    lines.iter().map(|(name, value)| Header::new(name.clone(), *value)).collect()
}

#[test]
fn names_have_many_spellings() {
    for (text, name) in [
        ("v", HeaderName::Via),
        ("VIA", HeaderName::Via),
        ("l", HeaderName::ContentLength),
        ("CONTENT-length", HeaderName::ContentLength),
        ("i", HeaderName::CallId),
        ("call-id", HeaderName::CallId),
        ("X", HeaderName::SessionExpires),
        ("P-Custom", HeaderName::Other("p-cusTOM".to_owned())),
    ] {
        assert_eq!(HeaderName::parse(text), Some(name), "{text}");
    }
    assert_eq!(HeaderName::parse("Via:"), None);
    assert_eq!(HeaderName::parse(""), None);
    assert_ne!(HeaderName::Via, HeaderName::To);
}

#[test]
fn values_are_split_outside_quotes_and_brackets() {
    let list = headers(&[
        (HeaderName::Contact, r#""Doe, \"J\" <x>" <sip:a,b@example.com>;q=1, <sip:c@example.com>"#),
        (HeaderName::To, "<sip:x@example.com>"),
        (HeaderName::Contact, "sip:d@example.com , "),
    ]);
    let contacts = list.contacts().unwrap();
    assert_eq!(contacts.len(), 3);
    assert_eq!(contacts[0].display.as_deref(), Some(r#"Doe, "J" <x>"#));
    assert_eq!(contacts[0].uri, Uri::parse("sip:a,b@example.com").unwrap());
    assert_eq!(contacts[2].uri.to_string(), "sip:d@example.com");
    let open = headers(&[(HeaderName::Contact, r#""never closed <sip:a@example.com>"#)]);
    assert_eq!(open.contacts(), Err(HeaderError::malformed(HeaderName::Contact)));
}

#[test]
fn addresses_have_many_forms() {
    let bare = name_addr("sip:alice@example.com;tag=abc");
    assert_eq!((bare.tag(), bare.uri.to_string().as_str()), (Some("abc"), "sip:alice@example.com"));
    let tokens = name_addr("Alice Liddell <sip:alice@example.com;lr>;TAG = 1");
    assert_eq!((tokens.display.as_deref(), tokens.tag()), (Some("Alice Liddell"), Some("1")));
    let tel = name_addr("<tel:+12015550123>");
    assert_eq!(tel.to_string(), "<tel:+12015550123>");
    let binary = name_addr("\"NUL:\\\0 BEL:\\\x07\" <sip:a@example.com>");
    assert_eq!(name_addr(&binary.to_string()), binary);
    for broken in
        ["", "<sip:a@example.com", "sip:a@example.com?x=y", "\"a <sip:b@c>", "<sip:a@b> x", "a\" <sip:b@c>"]
    {
        assert_eq!(NameAddr::parse(broken), None, "{broken}");
    }
}

#[test]
fn vias_bear_white_space() {
    let v =
        via("SIP  / 2.0  /  UDP\tfirst.example.com: 4000;ttl=16 ;maddr=192.0.2.1 ; branch = z9hG4bKa7;rport");
    assert_eq!(v.host, Host::Name("first.example.com".to_owned()));
    assert_eq!((v.port, v.branch(), v.rport()), (Some(4000), Some("z9hG4bKa7"), Rport::Requested));
    assert_eq!(v.response_address(), Some("192.0.2.1:4000".parse().unwrap()));
    assert_eq!(via("SIP/2.0/FOO [2001:db8::1]").known_transport(), None);
    for broken in ["SIP/3.0/UDP a", "SIP/2.0/UDP", "SIP/2.0 a", "SIP/2.0/UDP a:b", "SIP/2.0/UDP a b", "UDP a"]
    {
        assert_eq!(Via::parse(broken), None, "{broken}");
    }
}

#[test]
fn stamping_a_via_notes_the_true_source() {
    let source: SocketAddr = "192.0.2.9:6000".parse().unwrap();
    let stamped = |text: &str| {
        let mut v = via(text);
        v.stamp(source);
        (v.to_string(), v.response_address().map(|a| a.to_string()))
    };
    let to = |address: &str| Some(address.to_owned());
    // RFC 3261 §18.2.1: only when sent-by is something else.
    assert_eq!(
        stamped("SIP/2.0/UDP 192.0.2.9:5070"),
        ("SIP/2.0/UDP 192.0.2.9:5070".into(), to("192.0.2.9:5070"))
    );
    assert_eq!(
        stamped("SIP/2.0/UDP pc.example:5070"),
        ("SIP/2.0/UDP pc.example:5070;received=192.0.2.9".into(), to("192.0.2.9:5070"))
    );
    // RFC 3581 §4: always, and the port too.
    assert_eq!(
        stamped("SIP/2.0/UDP 192.0.2.9;rport;branch=x"),
        ("SIP/2.0/UDP 192.0.2.9;rport=6000;branch=x;received=192.0.2.9".into(), to("192.0.2.9:6000"))
    );
    // What the sender claims is not believed.
    assert_eq!(
        stamped("SIP/2.0/UDP 192.0.2.9;received=198.51.100.1"),
        ("SIP/2.0/UDP 192.0.2.9".into(), to("192.0.2.9:5060"))
    );
    assert_eq!(via("SIP/2.0/UDP pc.example").response_address(), None);
}

#[test]
fn only_the_topmost_via_is_stamped() {
    let mut list = headers(&[
        (HeaderName::Via, "SIP/2.0/UDP a.example;branch=1, SIP/2.0/UDP b.example;branch=2"),
        (HeaderName::Via, "SIP/2.0/UDP c.example;branch=3"),
    ]);
    list.stamp_via("192.0.2.9:6000".parse().unwrap()).unwrap();
    let lines: Vec<_> = list.iter().map(|h| h.text().unwrap()).collect();
    assert_eq!(
        lines,
        [
            "SIP/2.0/UDP a.example;branch=1;received=192.0.2.9, SIP/2.0/UDP b.example;branch=2",
            "SIP/2.0/UDP c.example;branch=3"
        ]
    );
    list.replace_top_value(&HeaderName::Via, None).unwrap();
    assert_eq!(list.via().unwrap().branch(), Some("2"));
    list.replace_top_value(&HeaderName::Via, None).unwrap();
    list.replace_top_value(&HeaderName::Via, None).unwrap();
    assert_eq!(list.via(), Err(HeaderError::missing(HeaderName::Via)));
}

#[test]
fn numbers_are_bounded() {
    let seq = |text: &str| CSeq::parse(text).map(|c| c.number);
    assert_eq!(seq("0009 \t INVITE"), Some(9));
    assert_eq!(seq("2147483647 ACK"), Some(2_147_483_647));
    for broken in ["2147483648 ACK", "36893488147419103232 ACK", "-1 ACK", "+1 ACK", "1", "1 A B", " ACK"] {
        assert_eq!(seq(broken), None, "{broken}");
    }
    let hops = |text: &'static str| headers(&[(HeaderName::MaxForwards, text)]).max_forwards();
    assert_eq!(hops("255"), Ok(Some(255)));
    assert_eq!(hops("256"), Err(HeaderError::malformed(HeaderName::MaxForwards)));
    assert_eq!(headers(&[]).max_forwards(), Ok(None));
    assert_eq!(headers(&[(HeaderName::Expires, "99999999999999999999")]).expires(), Ok(Some(u32::MAX)));
}

#[test]
fn content_lengths_must_agree() {
    let length = |values: &[&'static str]| {
        let lines: Vec<_> = values.iter().map(|v| (HeaderName::ContentLength, *v)).collect();
        headers(&lines).content_length()
    };
    assert_eq!(length(&[]), Ok(None));
    assert_eq!(length(&["7", "007"]), Ok(Some(7)));
    assert_eq!(length(&["7", "8"]).unwrap_err().problem, HeaderProblem::Contradictory);
    for broken in ["-1", "+1", "1 2", "1,1", "", "0x10", "99999999999999999999999"] {
        assert_eq!(length(&[broken]).unwrap_err().problem, HeaderProblem::Malformed, "{broken}");
    }
}

#[test]
fn lists_of_tokens_span_lines() {
    let list = headers(&[
        (HeaderName::Supported, "timer, 100rel"),
        (HeaderName::Allow, "INVITE,ACK , NEW"),
        (HeaderName::Supported, "replaces"),
        (HeaderName::Require, "a b"),
        (HeaderName::Reason, "Q.850;cause=16;text=\"Normal, clearing\", SIP;cause=200"),
        (HeaderName::ContentType, "Application / SDP ; charset=\"utf-8\""),
    ]);
    assert_eq!(list.supported().unwrap(), ["timer", "100rel", "replaces"]);
    assert_eq!(list.allow().unwrap(), [Method::Invite, Method::Ack, Method::Other("NEW".to_owned())]);
    assert!(list.require().is_err());
    let reason = list.reason().unwrap();
    assert_eq!((reason.cause, reason.text.as_deref()), (Some(16), Some("Normal, clearing")));
    assert_eq!(reason.to_string(), "Q.850;cause=16;text=\"Normal, clearing\"");
    assert!(list.content_type().unwrap().unwrap().is("application", "sdp"));
}

#[test]
fn no_value_can_add_a_line() {
    let mut list = Headers::new();
    list.push(HeaderName::Subject, "x\r\nVia: forged".to_owned());
    let mut out = Vec::new();
    list.write(&mut out, 0);
    assert_eq!(String::from_utf8(out).unwrap(), "Subject: x  Via: forged\r\nContent-Length: 0\r\n");
}

#[test]
fn lines_are_replaced_in_their_place() {
    let mut list = headers(&[(HeaderName::To, "1"), (HeaderName::Route, "a"), (HeaderName::Route, "b")]);
    list.replace_first(HeaderName::To, "2");
    list.push_front(HeaderName::Via, "v");
    list.set(HeaderName::Route, "c");
    assert!(!list.remove(&HeaderName::From));
    let all: Vec<_> = list.iter().map(|h| (h.name.as_str(), h.text().unwrap())).collect();
    assert_eq!(all, [("Via", "v"), ("To", "2"), ("Route", "c")]);
}

proptest! {
    #[test]
    fn any_display_name_survives(display in "[^\r\n]{1,30}", tag in "[a-z0-9.-]{1,12}") {
        let mut address = NameAddr::new(Uri::parse("sip:a@example.com").unwrap()).with_tag(&tag);
        address.display = Some(display);
        prop_assert_eq!(NameAddr::parse(&address.to_string()), Some(address));
    }

    #[test]
    fn what_is_read_is_written_alike(text in "[ -~\t]{0,60}") {
        if let Some(read) = NameAddr::parse(&text) {
            prop_assert_eq!(NameAddr::parse(&read.to_string()), Some(read));
        }
        if let Some(read) = Via::parse(&format!("SIP/2.0/UDP {text}")) {
            prop_assert_eq!(Via::parse(&read.to_string()), Some(read));
        }
        if let Some(read) = Reason::parse(&text) {
            prop_assert_eq!(Reason::parse(&read.to_string()), Some(read));
        }
    }

    #[test]
    fn any_parameter_value_survives(value in "[^\r\n]{0,30}") {
        let mut params = Params::new();
        params.set("x", Some(&value));
        let back = Params::parse(params.to_string().strip_prefix(';').unwrap()).unwrap();
        prop_assert_eq!(back.get_unquoted("x"), Some(value));
    }
}
