use std::fmt::Write;

use crate::{Bench, CASES, Case, Outcome, Parsed, octets, parsed};

/// The table of all cases with what the parser and the user agent make of them now, as Markdown.
pub fn table() -> String {
    let mut out = String::from(
        "# Torture tests: expected and observed\n\n\
         Written by the test `the_table_is_up_to_date`; `TANDEM_BLESS=1 cargo test -p tandem-conformance` writes it\n\
         anew. *served* is answered by the application, *answered* by the user agent itself; *closed* is answered\n\
         and then the connection closed, *severed* closed without an answer. The same outcomes are asserted over\n\
         real sockets of every transport. Where a column says but one thing, expected and observed agree. A WebSocket\n\
         message says itself where it ends, as a datagram does; TCP and TLS are streams.\n",
    );
    for (rfc, title) in [(4475, "RFC 4475"), (5118, "RFC 5118")] {
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "\n## {title}\n\n| § | message | what it is | read as | over UDP, WS, WSS | over TCP, TLS | \
             where the RFC leaves a choice |\n|---|---|---|---|---|---|---|\n"
        );
        for case in CASES.iter().filter(|case| case.rfc == rfc) {
            out.push_str(&row(case));
        }
    }
    out
}

fn row(case: &Case) -> String {
    let octets = octets(case.text);
    let read = compared(&parsed_text(&case.parsed), &parsed_text(&parsed(&octets)));
    let datagram = Bench::new().datagram(&octets).outcome();
    let web_socket = Bench::new().web_socket(&octets).outcome();
    // The one that is wrong is shown.
    let datagram = if datagram == case.datagram { web_socket } else { datagram };
    let datagram = compared(&text(&case.datagram), &text(&datagram));
    let stream = compared(&text(&case.stream), &text(&Bench::new().stream(&octets).outcome()));
    format!(
        "| {} | `{}` | {} | {read} | {datagram} | {stream} | {} |\n",
        case.section, case.tag, case.about, case.choice
    )
}

fn compared(expected: &str, observed: &str) -> String {
    if expected == observed { expected.to_owned() } else { format!("**{observed}**, expected {expected}") }
}

fn parsed_text(parsed: &Parsed) -> String {
    match parsed {
        Parsed::Request => "request".to_owned(),
        Parsed::Response => "response".to_owned(),
        Parsed::Refused(status) => format!("refused, {status}"),
        Parsed::Unreadable => "unreadable".to_owned(),
    }
}

fn text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Served(statuses) => {
            let statuses: Vec<String> = statuses.iter().map(u16::to_string).collect();
            format!("served, {}", statuses.join(" and "))
        }
        Outcome::Answered(status) => format!("answered, {status}"),
        Outcome::Closed(status) => format!("closed, {status}"),
        Outcome::Severed => "severed".to_owned(),
        Outcome::Dropped => "dropped".to_owned(),
    }
}
