//! SIP messages to measure a parser with: a common one, and the worst that fit into a datagram.

/// Octets of the largest UDP payload over IPv4.
pub const LARGEST_DATAGRAM: usize = 65_507;
/// Header line that the parser still takes, its name and line break included.
const LINE: usize = 8_192;

/// An INVITE of 1,200 octets, as phones send them through a proxy.
pub fn common_invite() -> Vec<u8> {
    let sdp = "v=0\r\no=alice 2890844526 2890844526 IN IP4 198.51.100.7\r\ns=-\r\n\
        c=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 40000 RTP/AVP 96 9 0 8 101\r\n\
        a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\na=rtpmap:9 G722/8000\r\n\
        a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
        a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";
    let head = "INVITE sip:1000@tandem.example.com SIP/2.0\r\n\
        Via: SIP/2.0/UDP proxy.example.com:5060;branch=z9hG4bK776asdhds.1;rport\r\n\
        Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKnashds8;received=203.0.113.4;rport=31337\r\n\
        Record-Route: <sip:proxy.example.com;lr;ftag=1928301774>\r\n\
        Max-Forwards: 69\r\nFrom: \"Alice Liddell\" <sip:alice@example.com>;tag=1928301774\r\n\
        To: <sip:1000@tandem.example.com>\r\nCall-ID: a84b4c76e66710@pc33.example.com\r\n\
        CSeq: 314159 INVITE\r\n\
        Contact: <sip:alice@198.51.100.7:5060;ob>;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\"\r\n\
        Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO, UPDATE, PRACK\r\n\
        Supported: replaces, timer, outbound\r\nUser-Agent: ";
    let tail = |agent: usize| {
        let length = sdp.len();
        let agent = "x".repeat(agent);
        format!("{head}{agent}\r\nContent-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{sdp}")
    };
    let bare = tail(0).len();
    tail(1_200usize.saturating_sub(bare)).into_bytes()
}

/// One header line, as long as it may be: `pattern` again and again between `before` and `after`.
fn line(name: &str, before: &str, pattern: &str, after: &str) -> String {
    let around = name.len() + 2 + before.len() + after.len() + 2;
    let times = (LINE - around) / pattern.len();
    format!("{name}: {before}{}{after}\r\n", pattern.repeat(times))
}

/// Whole requests, filled up with `fill` to the size of a datagram.
fn request(method: &str, uri: &str, mandatory: [&str; 5], fill: &str) -> Vec<u8> {
    let [via, from, to, call_id, cseq] = mandatory;
    let mut text = format!("{method} {uri} SIP/2.0\r\n{via}{from}{to}{call_id}{cseq}");
    while !fill.is_empty() && text.len() + fill.len() + 2 <= LARGEST_DATAGRAM {
        text.push_str(fill);
    }
    text.push_str("\r\n");
    text.into_bytes()
}

const VIA: &str = "Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bKx;rport\r\n";
const FROM: &str = "From: <sip:a@example.com>;tag=f\r\n";
const TO: &str = "To: <sip:b@example.com>\r\n";
const CALL_ID: &str = "Call-ID: x\r\n";
const CSEQ: &str = "CSeq: 1 INVITE\r\n";
const URI: &str = "sip:b@example.com";

fn invite(fill: &str) -> Vec<u8> {
    request("INVITE", URI, [VIA, FROM, TO, CALL_ID, CSEQ], fill)
}

/// Datagrams of 64 KiB, each the worst of its kind, with a name.
pub fn worst_datagrams() -> Vec<(&'static str, Vec<u8>)> {
    let long = |pattern: &str| pattern.repeat(LARGEST_DATAGRAM / pattern.len());
    let mut all = lines_of_the_same(&long);
    all.extend(headers_of_the_same());
    all.extend(mandatory_headers());
    all
}

/// No headers, or nothing but one.
fn lines_of_the_same(long: &dyn Fn(&str) -> String) -> Vec<(&'static str, Vec<u8>)> {
    let start = format!("INVITE {URI} SIP/2.0\r\n{VIA}");
    let cut = |mut text: Vec<u8>| {
        text.truncate(LARGEST_DATAGRAM);
        text
    };
    let after_start = |pattern: &str| cut(format!("{start}{}", long(pattern)).into_bytes());
    vec![
        ("line breaks", long("\r\n").into_bytes()),
        (
            "line breaks, then a request",
            cut([long("\r\n").split_at(65_000).0.as_bytes(), &invite("")].concat()),
        ),
        ("zeroes", vec![0; LARGEST_DATAGRAM]),
        ("spaces", long(" ").into_bytes()),
        ("carriage returns", long("\r").into_bytes()),
        (
            "a request line of URI parameters",
            format!("INVITE {URI}{} SIP/2.0\r\n", long(";a=b").split_at(65_000).0).into_bytes(),
        ),
        (
            "a request line of escapes",
            format!("INVITE sip:{}@a SIP/2.0\r\n", long("%41").split_at(65_001).0).into_bytes(),
        ),
        ("a method", long("A").into_bytes()),
        ("a header of folded lines", after_start("X:\r\n a\r\n a\r\n a")),
        ("colons", after_start(":")),
        ("headers without colon", after_start("a\r\n")),
        ("headers without value", after_start("a:\r\n")),
        ("Content-Lengths", after_start("l:0\r\n")),
        ("a header name", after_start("a")),
    ]
}

/// Whole requests with as many long headers as go in.
fn headers_of_the_same() -> Vec<(&'static str, Vec<u8>)> {
    let names = ["Via", "Contact", "Route", "Record-Route", "Require", "Accept", "Allow"];
    let kinds: [(&str, &str, &str); 10] = [
        ("commas", "", ","),
        ("opening brackets", "", "<"),
        ("brackets", "", "<>"),
        ("parameters", "<sip:a@b>", ";a=b"),
        ("empty parameters", "<sip:a@b>", ";"),
        ("URI parameters", "<sip:a@b", ";a=b"),
        ("quotes", "", "\"\","),
        ("escaped quotes", "\"", "\\\""),
        ("backslashes", "\"", "\\\\"),
        ("addresses", "<sip:a@b>", ",<sip:a@b>"),
    ];
    let mut all = Vec::new();
    for (kind, before, pattern) in kinds {
        let after = if before.starts_with("<sip:a@b") && !before.ends_with('>') { ">" } else { "" };
        let fill: String = names.iter().map(|name| line(name, before, pattern, after)).collect();
        all.push((kind, invite(&fill)));
    }
    let via = line("Via", "SIP/2.0/UDP a", ",SIP/2.0/UDP a", "");
    let via_parameters = line("Via", "SIP/2.0/UDP a", ";a=b", "");
    let quoted = line("Contact", "\"", "\u{fc}", "\" <sip:a@b>");
    let numbers: String = (0..250).map(|n| format!("X-{n}: {}\r\n", "y".repeat(245))).collect();
    let contacts: String = (0..250).map(|_| format!("m: <sip:{}@b>\r\n", "%41".repeat(80))).collect();
    let tokens = line("Require", "a", ",a", "");
    let folded = line("Contact", "<sip:a@b>", "\r\n ;a=b", "");
    let date = line("Date", "", "a ", "");
    all.extend([
        ("Vias", invite(&via)),
        ("Vias with parameters", invite(&via_parameters)),
        ("display names in UTF-8", invite(&quoted)),
        ("250 unknown headers", invite(&numbers)),
        ("250 Contacts of escapes", invite(&contacts)),
        ("option tags", invite(&tokens)),
        ("folded parameters", invite(&folded)),
        ("words", invite(&date)),
        ("a body of zeroes", [invite(""), vec![0; LARGEST_DATAGRAM - invite("").len()]].concat()),
    ]);
    all
}

/// The mandatory headers themselves, each as long as it may be.
fn mandatory_headers() -> Vec<(&'static str, Vec<u8>)> {
    let contact = line("Contact", "<sip:a@b", ";a=b", ">");
    let routes = line("Record-Route", "<sip:a@b;lr>", ",<sip:a@b;lr>", "");
    let fill = format!("{contact}{routes}{routes}");
    let of = |pattern: &str, before: &str, after: &str| {
        let via = line("Via", "SIP/2.0/UDP 198.51.100.7;branch=z9hG4bKx", pattern, "");
        let from = line("From", before, pattern, after);
        let to = line("To", before, pattern, after);
        let call_id = line("Call-ID", "", "x", "");
        // Of one of these only once, so that it goes on behind the first look.
        let mut text = format!("INVITE {URI} SIP/2.0\r\n{via}{from}{to}{call_id}{CSEQ}{fill}");
        text.push_str("\r\n");
        text.into_bytes()
    };
    let branch = line("Via", "SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK", "x", "");
    let old_branch = line("Via", "SIP/2.0/UDP 198.51.100.7", ";a=b", "");
    vec![
        ("long Via, From, To and Call-ID", of(";a=b", "<sip:a@b>", "")),
        ("long Via, From, To of URI parameters", of(";a=b", "<sip:a@b", ">")),
        ("a long branch", request("INVITE", URI, [&branch, FROM, TO, CALL_ID, CSEQ], &contact)),
        ("a long Via of RFC 2543", request("INVITE", URI, [&old_branch, FROM, TO, CALL_ID, CSEQ], &contact)),
        ("a CSeq that does not fit", request("BYE", URI, [VIA, FROM, TO, CALL_ID, CSEQ], &routes)),
        (
            "a long To tag",
            request(
                "INVITE",
                URI,
                [VIA, FROM, &line("To", "<sip:a@b>;tag=", "x", ""), CALL_ID, CSEQ],
                &contact,
            ),
        ),
        (
            "a long CSeq",
            request("INVITE", URI, [VIA, FROM, TO, CALL_ID, &line("CSeq", "", "1", " INVITE")], &contact),
        ),
    ]
}
