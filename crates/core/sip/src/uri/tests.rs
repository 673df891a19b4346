use proptest::prelude::*;

use super::*;

fn uri(text: &str) -> Uri {
    Uri::parse(text).unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn what_is_read_is_written_back() {
    for text in [
        "sip:alice@atlanta.example",
        "sips:alice:secret@atlanta.example:5061;transport=tcp;lr?subject=x%20y&priority=urgent",
        "sip:192.0.2.7",
        "sip:bob@[2001:db8::9]:5070;lr",
        "sip:%00null-%61@example.com",
        "sip:1_odd.User~(a!b)&c+it$/d?,/;;*:&p=1,w!*pas$wo_d.(x)@example.com",
        "sip:+1-212-555;isub=1411@gw.example;user=phone",
        "sip:room-1@mcu.example;unknown=%3B;flag",
        "tel:+1-201-555-0123;ext=7",
        "tel:*21#;phone-context=example.com",
        "urn:service:sos",
        "http://www.example.com/a?b=c#d",
    ] {
        assert_eq!(uri(text).to_string(), text);
    }
}

#[test]
fn parts_are_told_apart() {
    let Uri::Sip(sip) = uri("SIPS:al%69ce:pw@Host.example:5071;LR;Transport=TCP;maddr=192.0.2.1?a=b") else {
        panic!("sips is SIP");
    };
    assert!(sip.secure && sip.is_loose_router());
    assert_eq!(sip.user_text().as_deref(), Some("alice"));
    assert_eq!(sip.password.as_deref(), Some("pw"));
    assert_eq!(sip.host, Host::Name("hOST.EXAMPLE".to_owned()));
    assert_eq!(sip.port, Some(5071));
    assert_eq!(sip.transport(), Some(Transport::Tcp));
    assert_eq!(sip.maddr().and_then(|h| h.ip()), Some("192.0.2.1".parse().unwrap()));
    assert_eq!(sip.headers.as_deref(), Some("a=b"));
    assert_eq!(uri("tel:+1(201)555-0123").user_text().as_deref(), Some("+12015550123"));
}

#[test]
fn what_breaks_the_grammar_is_refused() {
    for text in [
        "",
        "alice",
        "sip:",
        "sip:@example.com",
        "sip:a b@example.com",
        "sip:alice@exa mple.com",
        "sip:alice@[2001:db8::9",
        "sip:alice@example.com:port",
        "sip:alice@example.com:70000",
        "sip:alice@example.com:+5060",
        "sip:alice@example.com:",
        "sip:al%4xice@example.com",
        "sip:alice%4@example.com",
        "sip:a@b@example.com",
        "<sip:alice@example.com>",
        "sip:alice@example.com;=x",
        "1sip:alice@example.com",
        "tel:",
        "tel:+",
        "tel:alice",
        "urn:",
        "sip:\u{e9}@example.com",
    ] {
        assert_eq!(Uri::parse(text), None, "{text}");
    }
}

#[test]
fn equivalence_follows_the_rfc() {
    // RFC 3261 §19.1.4, the rules one by one.
    for (a, b) in [
        ("sip:%61lice@atlanta.example;transport=TCP", "sip:alice@AtLanTa.example;Transport=tcp"),
        ("sip:carol@chicago.example", "sip:carol@chicago.example;newparam=5"),
        ("sip:carol@chicago.example;security=on", "sip:carol@chicago.example;newparam=5"),
        ("sip:biloxi.example;transport=tcp?to=sip:b&x=y", "sip:biloxi.example;transport=tcp?x=y&to=sip:b"),
        ("tel:+1-201-555-0123", "tel:+12015550123"),
        ("tel:863;ext=1;phone-context=A", "tel:863;phone-context=a;EXT=1"),
    ] {
        assert!(uri(a).equivalent(&uri(b)) && uri(b).equivalent(&uri(a)), "{a} {b}");
    }
    for (a, b) in [
        ("sip:ALICE@atlanta.example", "sip:alice@atlanta.example"),
        ("sip:bob@biloxi.example", "sip:bob@biloxi.example:5060"),
        ("sip:bob@biloxi.example", "sip:bob@biloxi.example;transport=udp"),
        ("sip:bob@biloxi.example", "sips:bob@biloxi.example"),
        ("sip:carol@chicago.example?subject=x", "sip:carol@chicago.example"),
        ("sip:carol@chicago.example;security=on", "sip:carol@chicago.example;security=off"),
        ("sip:bob@192.0.2.4", "sip:bob@phone21.example"),
        ("tel:863;phone-context=a", "tel:863"),
        ("tel:863", "sip:863@example.com"),
    ] {
        assert!(!uri(a).equivalent(&uri(b)) && !uri(b).equivalent(&uri(a)), "{a} {b}");
    }
}

proptest! {
    #[test]
    fn any_text_fits_a_user_part(user in "\\PC{1,40}") {
        let written = SipUri::new(Host::Name("example.com".to_owned())).with_user(&user).to_string();
        prop_assert_eq!(uri(&written).user_text(), Some(user));
    }

    #[test]
    fn any_text_fits_a_parameter(value in "\\PC{1,40}") {
        let sip = SipUri::new(Host::Name("example.com".to_owned())).with_param("x", Some(&value));
        let back = uri(&sip.to_string());
        let raw = back.as_sip().unwrap().params.get("x").unwrap().to_owned();
        prop_assert_eq!(String::from_utf8(unescape(&raw)).unwrap(), value);
    }

    #[test]
    fn reading_and_writing_agree(text in "(sips?|tel|urn):[ -~]{0,40}") {
        if let Some(read) = Uri::parse(&text) {
            prop_assert!(read.equivalent(&read) || matches!(read, Uri::Other(_)));
            prop_assert_eq!(Uri::parse(&read.to_string()), Some(read));
        }
    }
}

#[test]
fn parameter_names_may_be_escaped() {
    let Some(Uri::Sip(uri)) = Uri::parse("sip:a@b.example;%6C%72;t%72ansport=t%63p;n%61me=%25%34%31") else {
        panic!("a SIP URI")
    };
    assert!(uri.is_loose_router());
    assert_eq!(uri.transport(), Some(Transport::Tcp));
    assert_eq!(uri.param_text("name").as_deref(), Some("%41"));
    assert!(
        uri.equivalent(Uri::parse("sip:a@b.example;lr;transport=TCP;name=%2541").unwrap().as_sip().unwrap())
    );
}

#[test]
fn three_colons_before_an_ipv4_address_are_two() {
    for (written, read) in [
        ("[2001:db8:::192.0.2.1]", Some("[2001:db8::c000:201]")),
        ("[2001:db8:::1]", None),
        ("[:::192.0.2.1:::192.0.2.1]", None),
    ] {
        assert_eq!(Host::parse(written).map(|host| host.to_string()).as_deref(), read, "{written}");
    }
}
