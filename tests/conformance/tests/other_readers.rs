//! What we write is read alike by other stacks: `rsip`, `rsipstack`, and JsSIP.
//!
//! Where they cannot read what is right, a list says so with the reason; an entry that is no longer needed fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's set-up fails as a test does")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tandem_conformance::{Written, written};
use tandem_sip::{Message, Uri};

/// What every reader must find in a message.
#[derive(Debug, PartialEq)]
struct Facts {
    /// Method or status.
    start: String,
    call_id: String,
    cseq: (u32, String),
    from_tag: Option<String>,
    body: Vec<u8>,
}

fn ours(written: &Written) -> Facts {
    let headers = written.message.headers();
    let cseq = headers.cseq().unwrap();
    let (start, body) = match &written.message {
        Message::Request(request) => (request.method.to_string(), request.body.to_vec()),
        Message::Response(response) => (response.status.to_string(), response.body.to_vec()),
    };
    Facts {
        start,
        call_id: headers.call_id().unwrap().to_owned(),
        cseq: (cseq.number, cseq.method.to_string()),
        from_tag: headers.from().unwrap().tag().map(str::to_owned),
        body,
    }
}

/// Compares all, and the failures with those that are known.
fn compare(reader: &str, read: impl Fn(&Written) -> Option<Facts>, known: &[(&str, &str)]) {
    let failed = |w: &&Written| read(w).is_none_or(|facts| facts != ours(w));
    let all = written();
    let failed: BTreeSet<&str> = all.iter().filter(failed).map(|w| w.name.as_str()).collect();
    let is_known =
        |name: &str| known.iter().any(|(known, _)| name == *known || name.ends_with(&format!(" to {known}")));
    let new: Vec<_> = failed.iter().filter(|name| !is_known(name)).collect();
    assert!(
        new.is_empty(),
        "{reader} does not read {new:#?}: {:#?}",
        all.iter().find(|w| w.name == **new[0]).map(|w| (read(w), ours(w)))
    );
    let needless = |(known, _): &&(&str, &str)| {
        !failed.iter().any(|name| name == known || name.ends_with(&format!(" to {known}")))
    };
    assert_eq!(
        known.iter().filter(needless).collect::<Vec<_>>(),
        Vec::<&(&str, &str)>::new(),
        "{reader} reads these by now"
    );
    assert!(failed.len() * 2 < all.len(), "{reader} reads more than half");
}

#[test]
fn rsip_reads_what_we_write() {
    use rsip::prelude::*;
    let read = |w: &Written| {
        let message = rsip::SipMessage::try_from(w.bytes.as_ref()).ok()?;
        let cseq = message.cseq_header().ok()?.typed().ok()?;
        Some(Facts {
            start: match &message {
                rsip::SipMessage::Request(request) => request.method.to_string(),
                rsip::SipMessage::Response(response) => response.status_code.code().to_string(),
            },
            call_id: message.call_id_header().ok()?.value().to_owned(),
            cseq: (cseq.seq, cseq.method.to_string()),
            from_tag: message.from_header().ok()?.typed().ok()?.tag().map(|tag| tag.value().to_owned()),
            body: message.body().clone(),
        })
    };
    compare("rsip", read, RSIP);
}

#[test]
fn rsipstack_reads_what_we_write() {
    use rsipstack::sip::{HeadersExt, SipMessage, ToTypedHeader};
    let read = |w: &Written| {
        let message = SipMessage::try_from(w.bytes.as_ref()).ok()?;
        let cseq = message.cseq_header().ok()?.typed().ok()?;
        let (start, body) = match &message {
            SipMessage::Request(request) => (request.method.to_string(), request.body.clone()),
            SipMessage::Response(response) => {
                (response.status_code.code().to_string(), response.body.clone())
            }
        };
        Some(Facts {
            start,
            call_id: message.call_id_header().ok()?.value().to_owned(),
            cseq: (cseq.seq, cseq.method.to_string()),
            from_tag: message.from_header().ok()?.typed().ok()?.tag().map(|tag| tag.value().to_owned()),
            body,
        })
    };
    compare("rsipstack", read, RSIPSTACK);
}

/// Message (with the answer to it), and what this reader cannot do.
const RSIP: &[(&str, &str)] = &[
    ("wsinv", "white space around the `=` of a parameter"),
    ("intmeth", "a method that it does not know"),
    ("esc02", "a method that it does not know"),
    ("semiuri", "a semicolon in the user part"),
    ("unkscm", "a scheme other than sip and sips"),
    ("another scheme, named Some(\"Alice\")", "a scheme other than sip and sips"),
    ("telephone number, named Some(\"Alice\")", "a scheme other than sip and sips"),
    ("plain, named Some(\"Liddell, Alice; <the \\\"one\\\"> \\\\ only\")", "brackets within quotes"),
    ("IPv6, named Some(\"Alice\")", "IPv6 in the Request-URI"),
    ("IPv6 and port, named Some(\"Alice\")", "IPv6 in the Request-URI"),
    ("ipv6-good", "IPv6 in the Request-URI"),
    ("port-ambiguous", "IPv6 in the Request-URI"),
    ("port-unambiguous", "IPv6 in the Request-URI"),
    ("via-received-param-with-delim", "IPv6 in the Request-URI"),
    ("via-received-param-no-delim", "IPv6 in the Request-URI"),
    ("ipv6-in-sdp", "IPv6 in the Request-URI"),
    ("mult-ip-in-sdp", "IPv6 in the Request-URI"),
    ("ipv6-bug-abnf-3-colons", "IPv6 in the Request-URI"),
    ("ipv6-correct-abnf-2-colons", "IPv6 in the Request-URI"),
];
const RSIPSTACK: &[(&str, &str)] = &[
    ("wsinv", "white space around the `=` of a parameter"),
    ("intmeth", "a method that it does not know"),
    ("esc02", "a method that it does not know"),
];

/// JsSIP's own parser, under node; it is strict where others are not.
#[test]
fn jssip_reads_what_we_write() {
    let place = install();
    let messages: Vec<_> = written().iter().filter_map(for_jssip).collect();
    assert!(messages.len() > 60, "{}", messages.len());
    std::fs::write(place.join("messages.json"), serde_json::to_vec(&messages).unwrap()).unwrap();
    let output = Command::new("node").arg("read.js").current_dir(&place).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let failed: BTreeSet<&str> =
        said.lines().filter_map(|line| line.split_once(": ")).map(|(name, _)| name).collect();
    let is_known =
        |name: &str| JSSIP.iter().any(|(known, _)| name == *known || name.ends_with(&format!(" to {known}")));
    let new: Vec<_> =
        said.lines().filter(|line| !line.split_once(": ").is_some_and(|(name, _)| is_known(name))).collect();
    assert!(
        output.status.success() && new.is_empty(),
        "{new:#?}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let needless = |(known, _): &&(&str, &str)| {
        !failed.iter().any(|name| name == known || name.ends_with(&format!(" to {known}")))
    };
    assert_eq!(
        JSSIP.iter().filter(needless).collect::<Vec<_>>(),
        Vec::<&(&str, &str)>::new(),
        "JsSIP reads these by now"
    );
}

const KEPT: &str = "wrong as its sender wrote it, and copied as it is (RFC 3261 §8.2.6.2)";
const JSSIP: &[(&str, &str)] = &[
    ("wsinv", "it does not look for a second Via behind a comma"),
    ("longreq", "it does not look for a second Via behind a comma"),
    ("badaspec", KEPT),
    ("baddn", KEPT),
    ("ipv6-bug-abnf-3-colons", KEPT),
    ("ipv6-correct-abnf-2-colons", "it compares IPv6 addresses as text"),
    ("unksm2", "a scheme other than sip and sips in From"),
    ("telephone number, named Some(\"Alice\")", "a scheme other than sip and sips in From"),
    ("another scheme, named Some(\"Alice\")", "a scheme other than sip and sips in From"),
];

/// What JsSIP must find; it takes text only.
fn for_jssip(w: &Written) -> Option<serde_json::Value> {
    let text = std::str::from_utf8(&w.bytes).ok()?;
    let (facts, headers) = (ours(w), w.message.headers());
    let address = |address: tandem_sip::NameAddr| {
        let sip = match &address.uri {
            Uri::Sip(uri) => Some((uri.user_text(), uri.host.to_string().to_lowercase(), uri.port)),
            _ => None,
        };
        json!({ "display": address.display.as_ref().filter(|name| !name.is_empty()), "scheme": address.uri.scheme(), "sip": sip, "tag": address.tag() })
    };
    Some(json!({
        "name": w.name,
        "text": text,
        "start": facts.start,
        "callId": facts.call_id,
        "cseq": facts.cseq.0,
        "from": address(headers.from().unwrap()),
        "to": address(headers.to().unwrap()),
        "body": String::from_utf8(facts.body).ok()?,
        "vias": headers.vias().unwrap().len(),
    }))
}

/// JsSIP in a folder of its own, as the lock file has it.
fn install() -> PathBuf {
    let from = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/jssip"));
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("jssip");
    std::fs::create_dir_all(&place).unwrap();
    let lock = std::fs::read(from.join("package-lock.json")).unwrap();
    // What was installed last, once it was whole.
    let done = place.join("installed.json");
    for file in ["package.json", "package-lock.json", "read.js"] {
        std::fs::copy(from.join(file), place.join(file)).unwrap();
    }
    if std::fs::read(&done).is_ok_and(|installed| installed == lock) {
        return place;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    let output =
        npm.current_dir(&place).output().unwrap_or_else(|e| panic!("npm, see scripts/setup --tests: {e}"));
    assert!(output.status.success(), "npm ci: {}", String::from_utf8_lossy(&output.stderr));
    std::fs::write(done, lock).unwrap();
    place
}
