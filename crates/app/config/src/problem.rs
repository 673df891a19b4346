use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use tandem_routing::{PatternError, RoomNameError};

/// Why there is no [`Config`](crate::Config).
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It can, but it is wrong: never empty, in the order of the file.
    #[error("{}", lines(file, problems))]
    Wrong {
        /// The name of the file.
        file: String,
        /// What is wrong.
        problems: Vec<Problem>,
    },
}

fn lines(file: &str, problems: &[Problem]) -> String {
    let one = |p: &Problem| {
        let Problem { line, column, key, wrong } = p;
        let colon = if key.is_empty() { "" } else { ": " };
        format!("{file}:{line}:{column}: {key}{colon}{wrong}\n  help: {}", wrong.help())
    };
    problems.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// One wrong thing and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The path of the key (`sip.listen[1]`); empty where the text is not TOML at all.
    pub key: String,
    /// What is wrong.
    pub wrong: Wrong,
}

/// What is wrong: [`Display`](fmt::Display) says it, [`Wrong::help`] says what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The text is not TOML.
    Syntax {
        /// The TOML parser's words.
        message: String,
    },
    /// No such key; often a slip of the finger.
    UnknownKey {
        /// The known key most like it.
        nearest: Option<&'static str>,
        /// All keys that may stand there.
        known: Vec<&'static str>,
    },
    /// A key that must be there is not.
    Missing,
    /// A string where a number belongs, or the like.
    Kind {
        /// What belongs there.
        wanted: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A number out of its range.
    Range {
        /// As written.
        found: String,
        /// The least allowed.
        low: i64,
        /// The greatest allowed.
        high: i64,
    },
    /// Not one of the allowed words.
    Choice {
        /// As written.
        found: String,
        /// The word most like it.
        nearest: Option<&'static str>,
        /// The words.
        known: &'static [&'static str],
    },
    /// Not `PROTOCOL:ADDRESS:PORT`.
    Listener {
        /// As written.
        found: String,
    },
    /// No path.
    Path {
        /// As written.
        found: String,
    },
    /// Not a name that a certificate can be for.
    HostName {
        /// As written.
        found: String,
    },
    /// A `[[tls.host]]` of that name is there already.
    HostTwice {
        /// The name.
        name: String,
        /// Where.
        line: usize,
    },
    /// Needs another key beside it.
    Alone {
        /// The key that is missing.
        wants: &'static str,
    },
    /// Does nothing without another key, or with its present value.
    Idle {
        /// What would make use of it.
        wants: &'static str,
    },
    /// A file that is named cannot be used.
    File {
        /// What is wrong with it, the file named.
        reason: String,
        /// What would be right.
        help: &'static str,
    },
    /// Not an IP address.
    Address {
        /// As written.
        found: String,
    },
    /// Not `ADDRESS:PORT`.
    SocketAddress {
        /// As written.
        found: String,
    },
    /// Neither `ADDRESS` nor `ADDRESS:PORT`.
    NameServer {
        /// As written.
        found: String,
    },
    /// An address where nothing can be bound or reached: multicast, or unspecified where a peer must reach it.
    Unusable {
        /// Which.
        address: IpAddr,
    },
    /// Neither an address nor a domain name, or a port that is none.
    Host {
        /// As written.
        found: String,
    },
    /// Not `FIRST-LAST`.
    Ports {
        /// As written.
        found: String,
    },
    /// RTP ports are even (RFC 3550 §11).
    OddPort {
        /// The first port.
        first: u16,
    },
    /// No room for RTP and RTCP.
    NoPair {
        /// As written.
        found: String,
    },
    /// Not a duration.
    Duration {
        /// As written.
        found: String,
    },
    /// Not a duration within its bounds.
    Wait {
        /// As written.
        found: String,
        /// The shortest.
        low: &'static str,
        /// The longest.
        high: &'static str,
    },
    /// Not how long a session may live without a refresh.
    Session {
        /// As written.
        found: String,
    },
    /// Not the least of it.
    MinSession {
        /// As written.
        found: String,
    },
    /// The least is more than what we want ourselves.
    LongMinSession,
    /// More connections from one address than in all.
    ManyPerSource {
        /// In all.
        max: usize,
    },
    /// Not the name of a room.
    Name {
        /// As written.
        found: String,
        /// Why.
        reason: RoomNameError,
    },
    /// Not a pattern of user parts.
    Pattern {
        /// As written.
        found: String,
        /// Why.
        reason: PatternError,
    },
    /// Nothing to listen on.
    NoListener,
    /// Two claims to one address.
    Bound {
        /// Which.
        address: SocketAddr,
        /// Where the other claim stands.
        line: usize,
    },
    /// A listener inside the range of media ports.
    InMediaPorts {
        /// The listener's port.
        port: u16,
        /// The range.
        ports: crate::PortRange,
    },
    /// Two meanings of one name.
    Named {
        /// Which.
        name: String,
        /// Where the other meaning stands; `None` is a default that nobody wrote.
        line: Option<usize>,
    },
    /// No address of this family is in use there.
    Family {
        /// The address.
        address: IpAddr,
        /// The key that it does not match.
        other: &'static str,
    },
    /// More calls than media ports.
    FewPorts {
        /// Pairs there are.
        pairs: u16,
    },
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::Syntax { message } => write!(f, "not TOML: {message}"),
            Wrong::UnknownKey { .. } => f.write_str("unknown key"),
            Wrong::Missing => f.write_str("missing"),
            Wrong::Kind { wanted, found } => write!(f, "{found} where {wanted} belongs"),
            Wrong::Range { found, low, high } => write!(f, "{found} is not between {low} and {high}"),
            Wrong::Choice { found, .. } => write!(f, "{found:?} is not known"),
            Wrong::Listener { found } => write!(f, "{found:?} is not a listener"),
            Wrong::Path { found } => write!(f, "{found:?} is not a path"),
            Wrong::HostName { found } => write!(f, "{found:?} is not a host name"),
            Wrong::HostTwice { name, line } => write!(f, "{name:?} is taken by line {line} already"),
            Wrong::Alone { wants } => write!(f, "of no use without {wants}"),
            Wrong::Idle { wants } => write!(f, "has no effect unless {wants}"),
            Wrong::File { reason, .. } => f.write_str(reason),
            Wrong::Address { found } => write!(f, "{found:?} is not an IP address"),
            Wrong::SocketAddress { found } => write!(f, "{found:?} is not an address with a port"),
            Wrong::NameServer { found } => write!(f, "{found:?} is not the address of a name server"),
            Wrong::Unusable { address } => write!(f, "{address} cannot be used here"),
            Wrong::Host { found } => {
                write!(f, "{found:?} is neither an address nor a name, with or without a port")
            }
            Wrong::Ports { found } => write!(f, "{found:?} is not a range of ports"),
            Wrong::OddPort { first } => write!(f, "the range starts at {first}, which is odd"),
            Wrong::NoPair { found } => write!(f, "{found:?} has no room for an RTP and an RTCP port"),
            Wrong::Duration { found } => write!(f, "{found:?} is not a duration"),
            Wrong::Wait { found, low, high } => write!(f, "{found:?} is not between {low} and {high}"),
            Wrong::Session { found } => write!(f, "{found:?} is no time for which a session may live"),
            Wrong::MinSession { found } => write!(f, "{found:?} is not the least time for a session"),
            Wrong::LongMinSession => f.write_str("more than sip.session_expires"),
            Wrong::ManyPerSource { max } => write!(f, "more than sip.max_connections, which is {max}"),
            Wrong::Name { found, reason } => write!(f, "{found:?} cannot be dialled: {reason}"),
            Wrong::Pattern { found, reason } => write!(f, "{found:?} is not a pattern: {reason}"),
            Wrong::NoListener => f.write_str("nothing to listen on"),
            Wrong::Bound { address, line } => write!(f, "{address} is taken by line {line} already"),
            Wrong::InMediaPorts { port, ports } => {
                write!(f, "port {port} lies within the media ports {ports}")
            }
            Wrong::Named { name, line: Some(line) } => write!(f, "{name:?} is taken by line {line} already"),
            Wrong::Named { name, line: None } => write!(f, "{name:?} is taken by a default of [services]"),
            Wrong::Family { address, other } => write!(f, "{address} is not of the same family as {other}"),
            Wrong::FewPorts { pairs } => write!(f, "more calls than the media ports can carry: {pairs}"),
        }
    }
}

impl Wrong {
    /// What would be right, in a sentence without a full stop.
    pub fn help(&self) -> String {
        match self {
            Wrong::UnknownKey { nearest, known } => words(*nearest, known),
            Wrong::Choice { nearest, known, .. } => words(*nearest, known),
            Wrong::Range { low, high, .. } => format!("write a whole number from {low} to {high}"),
            Wrong::Wait { low, high, .. } => format!("write a duration from \"{low}\" to \"{high}\""),
            Wrong::Kind { wanted, .. } => format!("write {wanted}"),
            Wrong::OddPort { first } => format!("RTP ports are even: start at {}", first ^ 1),
            Wrong::FewPorts { .. } => "lower it, or widen media.ports: a call takes two ports".to_owned(),
            other => other.fixed_help().to_owned(),
        }
    }

    const fn fixed_help(&self) -> &'static str {
        match self {
            Wrong::Syntax { .. } => "https://toml.io shows how TOML is written",
            Wrong::Missing => "add it",
            Wrong::Listener { .. } => {
                "write PROTOCOL:ADDRESS:PORT with udp, tcp, tls, ws or wss, such as \"udp:0.0.0.0:5060\" or \"tls:[::]:5061\""
            }
            Wrong::Path { .. } => "write the path of a file, such as \"/etc/tandem/certificate.pem\"",
            Wrong::HostName { .. } => "write \"sip.example.com\" or \"*.example.com\"",
            Wrong::HostTwice { .. } => "one certificate for each name: take one of the two out",
            Wrong::Alone { .. } => "add the other, or take this out",
            Wrong::Idle { .. } => "change that, or take this out",
            Wrong::File { help, .. } => help,
            Wrong::Address { .. } => {
                "write an IPv4 or IPv6 address, such as \"192.0.2.10\"; names are not looked up"
            }
            Wrong::SocketAddress { .. } => "write ADDRESS:PORT, such as \"127.0.0.1:8080\" or \"[::1]:8080\"",
            Wrong::NameServer { .. } => "write an IP address, such as \"192.0.2.53\" or \"127.0.0.1:5353\"",
            Wrong::Unusable { .. } => "write the address of one host, such as \"192.0.2.10\"",
            Wrong::Host { .. } => {
                "write \"sip.example.com\", \"203.0.113.5\", \"203.0.113.5:5070\" or \"[2001:db8::5]:5070\""
            }
            Wrong::Ports { .. } | Wrong::NoPair { .. } => {
                "write \"FIRST-LAST\", 1024 or more, the first even and below the last, such as \"20000-29999\""
            }
            Wrong::Duration { .. } => "write a number with ms, s, m or h, such as \"30s\"; \"0\" is never",
            Wrong::Session { .. } => {
                "write whole seconds from \"90s\" to \"24h\", such as \"30m\"; \"0\" is off"
            }
            Wrong::MinSession { .. } => "write whole seconds from \"90s\" to \"24h\"",
            Wrong::LongMinSession => "lower it, or raise sip.session_expires",
            Wrong::ManyPerSource { .. } => "lower it, or raise sip.max_connections",
            Wrong::Name { .. } => {
                "write the user part that callers dial, such as \"1000\" or \"board-meeting\""
            }
            Wrong::Pattern { .. } => {
                "write \"conf-*\", \"10??\", \"[1-3]00\" or a range of numbers such as \"1000-1999\""
            }
            Wrong::NoListener => "write listen = [\"udp:0.0.0.0:5060\", \"tcp:0.0.0.0:5060\"]",
            Wrong::Bound { .. } => "take one of the two out, or give it another port",
            Wrong::InMediaPorts { .. } => "move the listener or media.ports",
            Wrong::Named { .. } => {
                "names are dialled: give one of the two another name (a service is off with \"\")"
            }
            Wrong::Family { .. } => "use IPv4 with IPv4 or IPv6 with IPv6",
            _ => "",
        }
    }
}

fn words(nearest: Option<&str>, known: &[&str]) -> String {
    match nearest {
        Some(nearest) => format!("did you mean {nearest}? Known here: {}", known.join(", ")),
        None => format!("known here: {}", known.join(", ")),
    }
}
