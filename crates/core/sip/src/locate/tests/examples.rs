//! The examples and rules of RFC 3263 §4 and §5.

use super::*;

/// §4.1: the records of the RFC's example.
fn example() -> Zone {
    Zone::default()
        .naptr(
            "example.com",
            &[
                "50 50 SIPS+D2T _sips._tcp.example.com.",
                "90 50 SIP+D2T _sip._tcp.example.com.",
                "100 50 SIP+D2U _sip._udp.example.com.",
            ],
        )
        .srv("_sips._tcp.example.com.", &["0 1 5061 server1.example.com.", "0 2 5061 server2.example.com."])
        .srv("_sip._tcp.example.com.", &["0 1 5060 server1.example.com.", "1 2 5060 server2.example.com."])
        .srv("_sip._udp.example.com.", &["0 1 5060 server2.example.com."])
        .host("server1.example.com.", &["192.0.2.1"])
        .host("server2.example.com.", &["192.0.2.2"])
}

#[test]
fn naptr_says_which_transport_the_domain_prefers_of_those_that_we_speak() {
    let tls = ["tls 192.0.2.1:5061", "tls 192.0.2.2:5061"];
    let tcp = ["tcp 192.0.2.1:5060", "tcp 192.0.2.2:5060"];
    let mut zone = example();
    let mut sorted = zone.of_uri("sip:user@example.com", all());
    sorted.sort();
    assert_eq!(sorted, tls);
    assert_eq!(zone.asked[..2], ["NAPTR example.com", "SRV _sips._tcp.example.com."]);
    // The client of the example speaks TCP and UDP; the orders of 90 and 100 are not mixed (RFC 3403 §4.1).
    let mut zone = example();
    assert_eq!(zone.of_uri("sip:user@example.com", of(&[Transport::Udp, Transport::Tcp])), tcp);
    assert_eq!(zone.asked[..2], ["NAPTR example.com", "SRV _sip._tcp.example.com."]);
    assert_eq!(example().of_uri("sip:user@example.com", of(&[Transport::Udp])), ["udp 192.0.2.2:5060"]);
    // `sips` discards what is not.
    let mut sorted = example().of_uri("sips:user@example.com", all());
    sorted.sort();
    assert_eq!(sorted, tls);
    assert!(example().of_uri("sips:user@example.com", of(&[Transport::Udp, Transport::Tcp])).is_empty());
}

#[test]
fn services_of_one_order_are_tried_by_preference() {
    let mut zone = example().naptr(
        "example.com",
        &["10 20 SIP+D2U _sip._udp.example.com.", "10 10 SIP+D2T _sip._tcp.example.com."],
    );
    let found = zone.of_uri("sip:example.com", all());
    assert_eq!(found, ["tcp 192.0.2.1:5060", "tcp 192.0.2.2:5060", "udp 192.0.2.2:5060"]);
}

#[test]
fn naptr_records_that_are_not_for_us_count_for_nothing() {
    let other_flag = Naptr { flags: "u".to_owned(), ..naptr("1 1 SIP+D2T _sip._tcp.example.com.") };
    let records = vec![
        other_flag,
        naptr("1 1 E2U+sip _sip._tcp.example.com."),
        naptr("1 1 SIP+D2S _sip._sctp.example.com."),
        naptr("1 1 SIP+D2T ."),
        naptr("2 1 sip+d2u _sip._udp.example.com."),
    ];
    let mut zone = example().with(RecordType::Naptr, "example.com", Answer::Naptr(records));
    assert_eq!(zone.of_uri("sip:example.com", all()), ["udp 192.0.2.2:5060"]);
}

#[test]
fn the_uri_may_leave_nothing_to_ask() {
    // URI, where it leads (§4.1, §4.2).
    let cases = [
        ("sip:192.0.2.7", "udp 192.0.2.7:5060"),
        ("sip:192.0.2.7:5070", "udp 192.0.2.7:5070"),
        ("sip:192.0.2.7;transport=tcp", "tcp 192.0.2.7:5060"),
        ("sip:192.0.2.7;transport=TLS", "tls 192.0.2.7:5061"),
        ("sips:192.0.2.7", "tls 192.0.2.7:5061"),
        ("sips:192.0.2.7;transport=tcp", "tls 192.0.2.7:5061"),
        ("sip:[2001:db8::7]", "udp [2001:db8::7]:5060"),
        ("sip:example.com;maddr=192.0.2.8", "udp 192.0.2.8:5060"),
        ("sip:example.com:5088;maddr=192.0.2.8;transport=tcp", "tcp 192.0.2.8:5088"),
    ];
    for (uri, expected) in cases {
        let mut zone = Zone::default();
        assert_eq!(zone.of_uri(uri, all()), [expected], "{uri}");
        assert!(zone.asked.is_empty(), "{uri}: {:?}", zone.asked);
    }
    // What we do not speak.
    assert!(Zone::default().of_uri("sip:192.0.2.7;transport=ws", all()).is_empty());
    let v6_only = Reach { ipv4: Vec::new(), ipv6: vec![Transport::Udp] };
    assert!(Zone::default().of_uri("sip:192.0.2.7", v6_only).is_empty());
}

#[test]
fn transport_and_port_of_the_uri_decide_what_is_asked() {
    // URI, questions, where it leads.
    let cases: [(&str, &[&str], &[&str]); 7] = [
        // A port: A and AAAA alone, by the default transport (§4.1).
        ("sip:example.com:5070", &["AAAA example.com", "A example.com"], &["udp 192.0.2.3:5070"]),
        ("sips:example.com:5070", &["AAAA example.com", "A example.com"], &["tls 192.0.2.3:5070"]),
        (
            "sip:example.com:5070;transport=tcp",
            &["AAAA example.com", "A example.com"],
            &["tcp 192.0.2.3:5070"],
        ),
        // A transport: SRV for it, no NAPTR (§4.2).
        (
            "sip:example.com;transport=udp",
            &["SRV _sip._udp.example.com", "AAAA example.com", "A example.com"],
            &["udp 192.0.2.3:5060"],
        ),
        (
            "sips:example.com;transport=tcp",
            &["SRV _sips._tcp.example.com", "AAAA example.com", "A example.com"],
            &["tls 192.0.2.3:5061"],
        ),
        // Neither: NAPTR, then SRV for each that we speak, then the domain itself (§4.1).
        (
            "sip:example.com",
            &[
                "NAPTR example.com",
                "SRV _sip._udp.example.com",
                "SRV _sip._tcp.example.com",
                "AAAA example.com",
                "A example.com",
            ],
            &["udp 192.0.2.3:5060"],
        ),
        (
            "sips:example.com",
            &["NAPTR example.com", "SRV _sips._tcp.example.com", "AAAA example.com", "A example.com"],
            &["tls 192.0.2.3:5061"],
        ),
    ];
    for (uri, asked, expected) in cases {
        let mut zone = Zone::default().host("example.com", &["192.0.2.3"]);
        assert_eq!(zone.of_uri(uri, all()), expected, "{uri}");
        assert_eq!(zone.asked, asked, "{uri}");
    }
}

#[test]
fn without_naptr_srv_says_which_transports_there_are() {
    let mut zone = Zone::default()
        .srv("_sip._tcp.example.com", &["0 0 5080 a.example.com."])
        .host("a.example.com.", &["192.0.2.5"]);
    assert_eq!(zone.of_uri("sip:example.com", all()), ["tcp 192.0.2.5:5080"]);
    // A service that is decidedly not there (RFC 2782) is not looked for elsewhere.
    let mut zone = Zone::default()
        .srv("_sip._udp.example.com", &["0 0 0 ."])
        .srv("_sip._tcp.example.com", &["0 0 0 ."])
        .host("example.com", &["192.0.2.3"]);
    assert!(zone.of_uri("sip:example.com", all()).is_empty());
}

#[test]
fn a_naptr_record_whose_srv_is_missing_leaves_its_transport() {
    let mut zone = Zone::default()
        .naptr("example.com", &["1 1 SIP+D2T _sip._tcp.elsewhere.example."])
        .host("example.com", &["192.0.2.3"]);
    assert_eq!(zone.of_uri("sip:example.com", all()), ["tcp 192.0.2.3:5060"]);
}

#[test]
fn what_cannot_be_located_is_no_destination() {
    for uri in [
        "tel:+4930123",
        "mailto:a@example.com",
        "sip:example.com;transport=sctp",
        "sips:example.com;transport=udp",
    ] {
        assert_eq!(Destination::of_uri(&Uri::parse(uri).unwrap()), None, "{uri}");
    }
    // RFC 6761 §6.4: nobody is asked for what cannot exist.
    let mut zone = Zone::default();
    assert!(zone.of_uri("sip:a1b2c3.invalid;transport=tcp", all()).is_empty());
    assert!(zone.asked.is_empty());
}

#[test]
fn both_kinds_of_address_are_asked_for_and_ipv6_is_tried_first() {
    let zone = || {
        Zone::default()
            .srv("_sip._udp.example.com", &["1 0 5060 a.example.com.", "2 0 5060 b.example.com."])
            .host("a.example.com.", &["192.0.2.1", "2001:db8::1", "192.0.2.11"])
            .host("b.example.com.", &["2001:db8::2", "192.0.2.2"])
    };
    // RFC 7984 §4: all addresses of one server before those of the next.
    let found = zone().of_uri("sip:example.com", all());
    let expected = [
        "udp [2001:db8::1]:5060",
        "udp 192.0.2.1:5060",
        "udp 192.0.2.11:5060",
        "udp [2001:db8::2]:5060",
        "udp 192.0.2.2:5060",
    ];
    assert_eq!(found, expected);
    let v4 = Reach { ipv4: vec![Transport::Udp], ipv6: Vec::new() };
    let mut zone = zone();
    let found = zone.of_uri("sip:example.com", v4);
    assert_eq!(found, ["udp 192.0.2.1:5060", "udp 192.0.2.11:5060", "udp 192.0.2.2:5060"]);
    assert!(!zone.asked.iter().any(|asked| asked.starts_with("AAAA")), "{:?}", zone.asked);
}

#[test]
fn addresses_that_are_none_are_left_out() {
    let mut zone = Zone::default().host(
        "example.com",
        &["0.0.0.0", "224.0.1.75", "255.255.255.255", "ff02::1", "::", "::ffff:192.0.2.9", "192.0.2.9"],
    );
    assert_eq!(zone.of_uri("sip:example.com:5060", all()), ["udp 192.0.2.9:5060"]);
}

#[test]
fn responses_go_where_sent_by_leads() {
    // §5: the transport is that of the request; a port asks for addresses, none for SRV.
    let zone = || {
        Zone::default()
            .srv("_sip._tcp.proxy.example", &["0 0 5090 a.example.com."])
            .srv("_sips._tcp.proxy.example", &["0 0 5091 a.example.com."])
            .host("a.example.com.", &["192.0.2.5"])
            .host("proxy.example", &["192.0.2.6"])
    };
    let cases = [
        ("TCP proxy.example", "tcp 192.0.2.5:5090"),
        ("TLS proxy.example", "tls 192.0.2.5:5091"),
        ("TCP proxy.example:5070", "tcp 192.0.2.6:5070"),
        ("UDP proxy.example", "udp 192.0.2.6:5060"),
        ("TCP 192.0.2.7", "tcp 192.0.2.7:5060"),
        ("TCP proxy.example:5070;maddr=198.51.100.1", "tcp 192.0.2.6:5070"),
    ];
    for (sent_by, expected) in cases {
        let via = Via::parse(&format!("SIP/2.0/{sent_by};branch=z9hG4bKx")).unwrap();
        let search = Search::new(Destination::of_response(&via).unwrap(), all());
        assert_eq!(zone().find(search, 1), [expected], "{sent_by}");
    }
}
