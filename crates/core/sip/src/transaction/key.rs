use std::fmt::Write;

use crate::{Method, Request, Via};

/// What tells one client transaction from all others (RFC 3261 §17.1.3): the random part of our branch, and
/// whether it is the CANCEL that shares its INVITE's branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientKey {
    /// See [`branch`].
    pub branch: u64,
    /// Is it a CANCEL?
    pub cancel: bool,
}

/// The branch of a transaction of ours: the magic cookie (RFC 3261 §8.1.1.7) and 64 random bits.
pub fn branch(random: u64) -> String {
    format!("{}{random:016x}", Via::MAGIC_COOKIE)
}

impl ClientKey {
    /// Of a response: by its top Via and the method of its CSeq. `None` when the branch cannot be one of ours.
    pub fn of_response(via: &Via, method: &Method) -> Option<Self> {
        let random = via.branch()?.strip_prefix(Via::MAGIC_COOKIE).filter(|r| r.len() == 16)?;
        let branch = u64::from_str_radix(random, 16).ok()?;
        Some(ClientKey { branch, cancel: *method == Method::Cancel })
    }
}

/// What tells one server transaction from all others (RFC 3261 §17.2.3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerKey(Box<str>);

impl ServerKey {
    /// Of a request and its top Via. An ACK has the key of its INVITE.
    pub fn of(request: &Request, via: &Via) -> Option<Self> {
        match request.method {
            Method::Ack => Self::with_method(request, via, &Method::Invite),
            ref method => Self::with_method(request, via, method),
        }
    }

    /// Of the INVITE that a CANCEL is about (RFC 3261 §9.2).
    pub fn cancelled(cancel: &Request, via: &Via) -> Option<Self> {
        Self::with_method(cancel, via, &Method::Invite)
    }

    fn with_method(request: &Request, via: &Via, method: &Method) -> Option<Self> {
        // The cookie alone makes nothing unique (RFC 4475 §3.2.1).
        match via.branch().filter(|b| b.len() > Via::MAGIC_COOKIE.len() && b.starts_with(Via::MAGIC_COOKIE)) {
            Some(branch) => Some(Self::of_branch(via, branch, method)),
            None => Self::of_rfc2543(request, via, method),
        }
    }

    fn of_branch(via: &Via, branch: &str, method: &Method) -> Self {
        let mut key = String::with_capacity(branch.len() + 40);
        key.push_str(branch);
        // Host names compare without case; the branch with (RFC 3261 §7.3.1 leaves tokens without case, but no
        // sender changes the case of its own).
        let start = key.len();
        // Writing to a String cannot fail.
        let _ = write!(key, " {}", via.host);
        if let Some(host) = key.get_mut(start..) {
            host.make_ascii_lowercase();
        }
        let _ = write!(key, ":{} {method}", via.port_or_default());
        ServerKey(key.into_boxed_str())
    }

    /// RFC 3261 §17.2.3, second half: senders of RFC 2543 have no unique branch. Their To tag is left out of the
    /// comparison: the CSeq number tells a re-INVITE from its INVITE, and an ACK carries the tag of our response.
    fn of_rfc2543(request: &Request, via: &Via, method: &Method) -> Option<Self> {
        let headers = &request.headers;
        let (from, cseq, call_id) = (headers.from().ok()?, headers.cseq().ok()?, headers.call_id().ok()?);
        let tag = from.tag().unwrap_or("");
        let key = format!("2543 {} {tag} {call_id} {} {via} {method}", request.uri, cseq.number);
        Some(ServerKey(key.into_boxed_str()))
    }
}
