use std::borrow::Cow;

/// One message of RFC 4475 or RFC 5118 and what is to become of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// 4475 or 5118.
    pub rfc: u16,
    /// Of that RFC.
    pub section: &'static str,
    /// Its name there.
    pub tag: &'static str,
    /// What it tries.
    pub about: &'static str,
    /// What the parser is to say.
    pub parsed: Parsed,
    /// What is to become of it in a datagram or in a message of a WebSocket.
    pub datagram: Outcome,
    /// What is to become of it on a connection (TCP, TLS) on which nothing else comes.
    pub stream: Outcome,
    /// What we do where the RFC lets us choose, and why. Empty where it does not.
    pub choice: &'static str,
    /// The message, in the notation of [`crate::octets`].
    pub text: &'static str,
}

/// What the parser says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// It is a request.
    Request,
    /// It is a response.
    Response,
    /// It is broken, but a request that can be answered: with this status.
    Refused(u16),
    /// It is broken and not to be answered.
    Unreadable,
}

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The application answers, once per request in it, with these statuses.
    Served(Cow<'static, [u16]>),
    /// The user agent answers by itself.
    Answered(u16),
    /// The user agent answers, and the connection is closed.
    Closed(u16),
    /// The connection is closed without an answer.
    Severed,
    /// Nothing happens.
    Dropped,
}

use Outcome::{Answered, Closed, Dropped, Severed};
use Parsed::{Refused, Request, Response, Unreadable};

const fn served(statuses: &'static [u16]) -> Outcome {
    Outcome::Served(Cow::Borrowed(statuses))
}

macro_rules! cases {
    ($($rfc:literal $section:literal $tag:literal, $parsed:expr, $datagram:expr $(, tcp $stream:expr)?;
        $about:literal $(; $choice:literal)?)*) => {
        &[$(Case {
            rfc: $rfc,
            section: $section,
            tag: $tag,
            about: $about,
            parsed: $parsed,
            datagram: $datagram,
            stream: cases!(@first $($stream,)? $datagram),
            choice: cases!(@first $($choice,)? ""),
            text: include_str!(concat!("../messages/rfc", $rfc, "/", $tag, ".sip")),
        }),*]
    };
    (@first $first:expr $(, $second:expr)?) => { $first };
}

/// The table.
pub static CASES: &[Case] = cases! {
    4475 "3.1.1.1" "wsinv", Request, Answered(481);
        "white space, folds, case and compact forms wherever the grammar lets them";
        "its To has a tag: it is meant for a dialog that we do not have. Without the tag it is served"
    4475 "3.1.1.2" "intmeth", Request, Answered(501);
        "every character that a method, URI, display name, tag, Call-ID and header name may have";
        "501 rather than 405: nobody knows this method"
    4475 "3.1.1.3" "esc01", Request, served(&[200]);
        "escapes in user parts, parameter names and values"
    4475 "3.1.1.4" "escnull", Request, served(&[200]);
        "escaped NUL octets in user parts"
    4475 "3.1.1.5" "esc02", Request, Answered(501);
        "a percent sign that is no escape: in method, display name, branch and header name"
    4475 "3.1.1.6" "lwsdisp", Request, Answered(200);
        "no white space between display name and bracket"
    4475 "3.1.1.7" "longreq", Request, served(&[200]);
        "long values, and 33 Vias"
    4475 "3.1.1.8" "dblreq", Request, served(&[200]), tcp served(&[200, 200]);
        "a second request behind the first: ignored in a datagram, the next message on a stream"
    4475 "3.1.1.9" "semiuri", Request, Answered(200);
        "a semicolon within the user part"
    4475 "3.1.1.10" "transports", Request, Answered(200);
        "Vias of many transports, one of them unknown"
    4475 "3.1.1.11" "mpart01", Request, served(&[200]);
        "a multipart body with binary octets"
    4475 "3.1.1.12" "unreason", Response, Dropped;
        "a reason phrase in UTF-8"
    4475 "3.1.1.13" "noreason", Response, Dropped;
        "an empty reason phrase"
    4475 "3.1.2.1" "badinv01", Refused(400), Answered(400);
        "separators with nothing between them"
    4475 "3.1.2.2" "clerr", Refused(400), Answered(400), tcp Severed;
        "Content-Length larger than the datagram; on a stream the rest never comes"
    4475 "3.1.2.3" "ncl", Refused(400), Answered(400), tcp Closed(400);
        "negative Content-Length: on a stream, nobody knows where the next message begins"
    4475 "3.1.2.4" "scalar02", Refused(400), Answered(400);
        "numbers too large in CSeq, Max-Forwards, Expires and a parameter"
    4475 "3.1.2.5" "scalarlg", Unreadable, Dropped;
        "numbers too large in a response"
    4475 "3.1.2.6" "quotbal", Refused(400), Answered(400);
        "a quote that stays open"
    4475 "3.1.2.7" "ltgtruri", Refused(400), Answered(400);
        "Request-URI in angle brackets";
        "refused rather than read without them: a sender that builds this builds more that is wrong"
    4475 "3.1.2.8" "lwsruri", Refused(400), Answered(400);
        "white space within the Request-URI";
        "refused: what is left out could be what mattered"
    4475 "3.1.2.9" "lwsstart", Refused(400), Answered(400);
        "two spaces between the parts of the request line";
        "refused, as with all request lines that two readers could read in two ways"
    4475 "3.1.2.10" "trws", Refused(400), Answered(400);
        "spaces at the end of the request line";
        "refused, as the one before"
    4475 "3.1.2.11" "escruri", Refused(400), Answered(400);
        "headers in the Request-URI";
        "refused: to ignore them is to do something else than was asked for, to obey them is worse"
    4475 "3.1.2.12" "baddate", Request, served(&[200]);
        "Date in another zone than GMT";
        "served: Date decides nothing here"
    4475 "3.1.2.13" "regbadct", Refused(400), Answered(400);
        "Contact with headers in its URI but no brackets";
        "refused: behind the question mark, what belongs to the URI is anybody's guess"
    4475 "3.1.2.14" "badaspec", Request, Answered(200);
        "spaces inside the brackets";
        "ignored: there is but one way to read it"
    4475 "3.1.2.15" "baddn", Request, Answered(200);
        "display names that need quotes and have none";
        "quotes are inferred: To and From hold one value, so a comma separates nothing; we write them quoted"
    4475 "3.1.2.16" "badvers", Refused(505), Answered(505);
        "SIP/7.0"
    4475 "3.1.2.17" "mismatch01", Refused(400), Answered(400);
        "CSeq and request line name different methods"
    4475 "3.1.2.18" "mismatch02", Refused(400), Answered(400);
        "the same with an unknown method";
        "400 rather than 501: a message that contradicts itself is not looked into any further"
    4475 "3.1.2.19" "bigcode", Unreadable, Dropped;
        "a status code of ten digits"
    4475 "3.2.1" "badbranch", Request, Answered(200);
        "a branch of the magic cookie alone";
        "matched by the rules of RFC 2543, as if there was no branch"
    4475 "3.3.1" "insuf", Refused(400), Answered(400);
        "neither From nor To nor Call-ID";
        "answered with what there is: by Via and CSeq the sender finds its transaction"
    4475 "3.3.2" "unkscm", Request, Answered(416);
        "Request-URI of an unknown scheme"
    4475 "3.3.3" "novelsc", Request, Answered(416);
        "Request-URI of a known scheme that is not ours"
    4475 "3.3.4" "unksm2", Request, served(&[404]);
        "unknown schemes in To, From and Contact";
        "it reaches the registrar, who knows no such address of record"
    4475 "3.3.5" "bext01", Request, Answered(420);
        "Require and Proxy-Require with unknown options";
        "Unsupported names those of Require: we are no proxy"
    4475 "3.3.6" "invut", Request, Answered(415);
        "a body of unknown type"
    4475 "3.3.7" "regaut01", Request, served(&[401]);
        "Authorization of an unknown scheme";
        "like none at all: it reaches the registrar, who challenges"
    4475 "3.3.8" "multi01", Refused(400), Answered(400);
        "CSeq, Call-ID, From and To twice each"
    4475 "3.3.9" "mcl01", Refused(400), Answered(400), tcp Closed(400);
        "two values of Content-Length that disagree"
    4475 "3.3.10" "bcast", Response, Dropped;
        "a response with the broadcast address in its second Via"
    4475 "3.3.11" "zeromf", Request, Answered(200);
        "OPTIONS with Max-Forwards 0";
        "answered: we are where it wanted to go. An INVITE gets 483, as it would be called on (RFC 7332)"
    4475 "3.3.12" "cparam01", Request, served(&[200]);
        "an unknown parameter of Contact"
    4475 "3.3.13" "cparam02", Request, served(&[200]);
        "an unknown parameter of the URI in Contact"
    4475 "3.3.14" "regescrt", Request, served(&[200]);
        "headers in the URI in Contact"
    4475 "3.3.15" "sdp01", Request, Answered(406);
        "Accept lets no SDP be answered"
    4475 "3.4.1" "inv2543", Request, served(&[200]);
        "INVITE as of RFC 2543: no branch, no tag, no Max-Forwards"
    5118 "4.1" "ipv6-good", Request, served(&[200]);
        "IPv6 references in Request-URI, Via and Contact"
    5118 "4.2" "ipv6-bad", Refused(400), Answered(400);
        "an IPv6 address without brackets in the Request-URI"
    5118 "4.3" "port-ambiguous", Request, served(&[200]);
        "what looks like a port, but is within the brackets"
    5118 "4.4" "port-unambiguous", Request, served(&[200]);
        "a port behind the brackets"
    5118 "4.5" "via-received-param-with-delim", Request, Answered(481);
        "`received` in brackets";
        "read with and without brackets; written without, as the grammar of RFC 3261 has it"
    5118 "4.5" "via-received-param-no-delim", Request, Answered(481);
        "`received` without brackets"
    5118 "4.6" "ipv6-in-sdp", Request, served(&[200]);
        "IPv6 in the session description"
    5118 "4.7" "mult-ip-in-header", Request, Answered(481);
        "IPv6 and IPv4 in the Vias of one request"
    5118 "4.8" "mult-ip-in-sdp", Request, served(&[200]);
        "IPv6 and IPv4 in one session description"
    5118 "4.9" "ipv4-mapped-ipv6", Request, served(&[200]);
        "IPv4-mapped IPv6 addresses in Via, Contact and SDP"
    5118 "4.10" "ipv6-bug-abnf-3-colons", Request, Answered(200);
        "three colons before an embedded IPv4 address, as the grammar of RFC 3261 has it by mistake";
        "read as two; written as two"
    5118 "4.10" "ipv6-correct-abnf-2-colons", Request, Answered(200);
        "two colons there"
};

/// The case of this name.
///
/// # Panics
/// There is none.
pub fn case(tag: &str) -> &'static Case {
    CASES.iter().find(|case| case.tag == tag).unwrap_or_else(|| panic!("no case {tag}"))
}
