use serde::{Deserialize, Serialize};
use tandem_base::{Blame, Fault};

use crate::{Pattern, check_room_name, user::unescape};

/// Longest user part that is looked at, bytes; longer ones are nobody's.
const MAX_USER: usize = 1_024;

/// What was asked for, as the request says it: still percent-escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// User part of the request URI; empty where it has none.
    pub user: &'a str,
    /// Host of the request URI.
    pub host: &'a str,
    /// User part of the From URI; empty where it has none.
    pub from_user: &'a str,
}

/// Who answers to which name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Names of the configured rooms.
    pub rooms: Vec<String>,
    /// The user part that gives callers their own sound back; `None` where the service is off.
    pub echo: Option<String>,
    /// The user part that plays a steady test tone; `None` where the service is off.
    pub tone: Option<String>,
    /// User parts that open a room on demand; the first that fits is the reason given.
    pub ad_hoc: Vec<Pattern>,
}

/// Where a call goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Into the room of this name; it opens if it is not open yet.
    Room {
        /// Fulfils [`check_room_name`] unless the table's own name does not.
        name: String,
        /// Why this room.
        by: Match,
    },
    /// To the echo service.
    Echo,
    /// To the test tone.
    Tone,
    /// Nowhere.
    Reject(Fault),
}

/// What a room was found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// It is configured under this name.
    Configured,
    /// An ad hoc pattern fits.
    AdHoc(Pattern),
}

impl std::fmt::Display for Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Decision::Room { name, by: Match::Configured } => write!(f, "room {name}: it is configured"),
            Decision::Room { name, by: Match::AdHoc(pattern) } => {
                write!(f, "room {name}: it fits the ad hoc pattern {pattern}")
            }
            Decision::Echo => f.write_str("the echo service"),
            Decision::Tone => f.write_str("the test tone"),
            Decision::Reject(fault) => write!(f, "nowhere: {fault}"),
        }
    }
}

/// Decides where a call goes; the same answer for the same arguments, always.
///
/// A configured room's exact name comes first, then the services, then the ad hoc patterns. Names
/// are compared case-sensitively (RFC 3261 §19.1.4) after percent-escapes are undone. What fits nothing is
/// rejected with 404 (RFC 3261 §21.4.5).
pub fn decide(request: &Request<'_>, table: &Table) -> Decision {
    if request.user.is_empty() {
        return nobody("the request URI names no user");
    }
    if request.user.len() > MAX_USER {
        return nobody("the user part is too long for any name");
    }
    let Some(user) = unescape(request.user) else {
        return nobody("the user part is not escaped text");
    };
    if table.rooms.iter().any(|room| *room == user) {
        return Decision::Room { name: user.into_owned(), by: Match::Configured };
    }
    let is = |service: &Option<String>| service.as_deref() == Some(&*user);
    if is(&table.echo) {
        Decision::Echo
    } else if is(&table.tone) {
        Decision::Tone
    } else {
        ad_hoc(&user, table)
    }
}

fn ad_hoc(user: &str, table: &Table) -> Decision {
    let Some(pattern) = table.ad_hoc.iter().find(|pattern| pattern.matches(user)) else {
        return nobody("no room, service or ad hoc pattern has this name");
    };
    if check_room_name(user).is_err() {
        return nobody("an ad hoc pattern fits, but the user part cannot be the name of a room");
    }
    Decision::Room { name: user.to_owned(), by: Match::AdHoc(pattern.clone()) }
}

fn nobody(detail: &'static str) -> Decision {
    Decision::Reject(Fault::new(Blame::Peer, 404, detail))
}
