//! Messages of our own after the ideas of RFC 4475: what is odd but valid, and what must be refused.

use super::*;

/// RFC 4475 §3.1.1.1: every freedom of the grammar at once.
const TORTUOUS: &str = "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n\
    TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n\
    from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n\
    MaX-fOrWaRdS: 0068\r\n\
    Call-ID: wsinv.ndaksdj@192.0.2.1\r\n\
    Content-Length   : 4\r\n\
    cseq: 0009\r\n  INVITE\r\n\
    Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\n\
    s :\r\n\
    NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n\
    UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n\
    Content-Type: application/sdp\r\n\
    Route:\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n\
    v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n\
    m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33\r\n\r\nv=0\n";

#[test]
fn freedoms_of_the_grammar_are_granted() {
    let r = request(TORTUOUS);
    let h = &r.headers;
    assert_eq!(h.to().unwrap().tag(), Some("1918181833n"));
    assert_eq!(h.from().unwrap().display.as_deref(), Some("J Rosenberg \\\""));
    assert_eq!(h.max_forwards(), Ok(Some(68)));
    assert_eq!(h.cseq().unwrap().number, 9);
    assert_eq!(h.text(&HeaderName::Subject), Some(""));
    let branches: Vec<_> = h.vias().unwrap().iter().map(|v| v.branch().unwrap().to_owned()).collect();
    assert_eq!(branches, ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"]);
    assert!(h.routes().unwrap()[0].uri.as_sip().unwrap().is_loose_router());
    assert_eq!(h.contacts().unwrap()[0].params.get("q"), Some("0.33"));
    let new = HeaderName::Other("newfangledheader".to_owned());
    assert_eq!(h.text(&new), Some("newfangled value continued newfangled value"));
    assert_eq!(request(std::str::from_utf8(&r.to_bytes()).unwrap()), r);
}

#[test]
fn odd_but_valid_messages_pass() {
    let base = options("");
    for text in [
        // Unusual tokens as method; extension in the Request-URI.
        base.replace("OPTIONS", "!interesting-Method0123456789_*+`.%indeed'~"),
        base.replace("sip:bob@example.com SIP", "nobodyKnowsThisScheme:totallyopaquecontent SIP"),
        base.replace("sip:bob@example.com SIP", "sip:bob;par=u%40example.net@example.com SIP"),
        base.replace("sip:bob@example.com SIP", "sip:null-%00-null@example.com SIP"),
        base.replace("sip:bob@example.com SIP", "sip:[2001:db8::10] SIP"),
        base.replace("SIP/2.0/UDP", "SIP/2.0/UNKNOWN"),
        base.replace("Alice <", "\"\u{7d20}\u{6674}\u{3089}\u{3057}\u{3044} \\\0\\\x07\" <"),
        base.replace("<sip:bob@example.com>", "<tel:+1-201-555-0123>"),
        base.replace("<sip:bob@example.com>", "isbn:2983792873"),
        base.replace("From: Alice <sip:alice@a.example>", "f:\t<sip:alice@a.example> "),
        options("X-Binary: \u{1}\u{2}\u{7f}\r\nDate: yesterday\r\nContact: *\r\n"),
        format!("\r\n\r\n{base}"),
    ] {
        assert!(parse(&text).is_ok(), "{text}: {:?}", parse(&text));
    }
}

#[test]
fn broken_requests_are_answered_with_the_right_status() {
    let base = options("");
    for (text, status) in [
        (base.replace("sip:bob@example.com SIP", "<sip:bob@example.com> SIP"), 400),
        (base.replace("sip:bob@example.com SIP", "sip:bob@example.com; lr SIP"), 400),
        (base.replace("OPTIONS sip:bob@", "OPTIONS  sip:bob@"), 400),
        (base.replace("sip:bob@example.com SIP", "sip:b%G0b@example.com SIP"), 400),
        (base.replace("example.com SIP/2.0", "example.com SIP/7.0"), 505),
        (base.replace("example.com SIP/2.0", "example.com SIP/2.01"), 505),
        (base.replace("Alice <sip", "\"Alice <sip"), 400),
        (base.replace("<sip:bob@example.com>", "<sip:bob@example.com"), 400),
        (base.replace("<sip:bob@example.com>", "sip:bob@example.com?Route=x"), 400),
        (options("No colon here\r\n"), 400),
        (
            options(" leading fold without a header? \u{0}\r\n")
                .replace("OPTIONS\r\n leading", "OPTIONS\r\n\tx"),
            400,
        ),
        (options("Content-Length: -999\r\n"), 400),
        (options("Content-Length: 9999\r\n"), 400),
        (options("l: 0\r\nContent-Length: 1\r\n"), 400),
        (options("Subject: bare\rreturn\r\n"), 400),
        (options("Subject: bare\nline feed\r\n"), 400),
        (options("Na me: x\r\n"), 400),
        (options(": x\r\n"), 400),
    ] {
        let error = parse(&text).expect_err(&text);
        let answer = error.response(SOURCE.parse().unwrap(), "t").unwrap_or_else(|| panic!("{text}"));
        assert_eq!(answer.status.get(), status, "{text}");
        assert_eq!(answer.headers.call_id(), Ok("c1@a.example"));
    }
}

#[test]
fn what_is_no_request_is_dropped() {
    for text in [
        "",
        "\r\n\r\n",
        "hello",
        "hello\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n",
        "OPTIONS sip:bob@example.com SIP/2.0\r\n\r\n",
        "OPTIONS sip:bob@example.com\r\n\r\n",
        "SIP/2.0 099 Low\r\n\r\n",
        "SIP/2.0 4294967301 High\r\n\r\n",
        "SIP/3.0 200 OK\r\n\r\n",
        "SIP/2.0 200 O\rK\r\n\r\n",
        "SIP/2.0 200 O\nK\r\n\r\n",
        "OPTIONS sip:bob@example.com SIP/2.0",
        "OPT\u{e9}ONS sip:bob@example.com SIP/2.0\r\n\r\n",
    ] {
        assert_eq!(parse(text).expect_err(text).response(SOURCE.parse().unwrap(), "t"), None, "{text}");
    }
    // Cut before the empty line: the head has all that an answer needs.
    let text = options("");
    let error = parse(text.strip_suffix("\r\n").unwrap()).unwrap_err();
    assert_eq!(error.problem(), &Problem::Truncated);
    assert!(error.request().is_some());
}
