use super::{SipUri, TelUri, Uri, unescape};
use crate::Params;

impl Uri {
    /// Do both name the same resource (RFC 3261 §19.1.4, RFC 3966 §4)? Not transitive: so says the RFC.
    pub fn equivalent(&self, other: &Uri) -> bool {
        match (self, other) {
            (Uri::Sip(a), Uri::Sip(b)) => a.equivalent(b),
            (Uri::Tel(a), Uri::Tel(b)) => a.equivalent(b),
            (Uri::Other(a), Uri::Other(b)) => a == b,
            _ => false,
        }
    }
}

impl SipUri {
    /// RFC 3261 §19.1.4.
    pub fn equivalent(&self, other: &SipUri) -> bool {
        let text = |t: &Option<String>| t.as_deref().map(unescape);
        // User information is compared with case, all else without; a port left out is not its default.
        self.secure == other.secure
            && text(&self.user) == text(&other.user)
            && text(&self.password) == text(&other.password)
            && self.host == other.host
            && self.port == other.port
            && same_params(&self.params, &other.params, is_harmless)
            && sorted_headers(self) == sorted_headers(other)
    }
}

/// Name and value without escapes, lower case; sorted by name.
fn sorted_params(params: &Params) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let text = |t: &str| unescape(t).to_ascii_lowercase();
    let mut all: Vec<_> = params.iter().map(|p| (text(&p.name), p.value.as_deref().map(text))).collect();
    // The first of a name counts.
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all.dedup_by(|later, first| later.0 == first.0);
    all
}

/// Are both the same, apart from parameters on one side only that `ignores` says do not matter?
fn same_params(a: &Params, b: &Params, ignores: fn(&[u8]) -> bool) -> bool {
    if a == b {
        return true;
    }
    let (a, b) = (sorted_params(a), sorted_params(b));
    let mut theirs = b.iter().peekable();
    for mine in &a {
        while let Some(only) = theirs.next_if(|p| p.0 < mine.0) {
            if !ignores(&only.0) {
                return false;
            }
        }
        let agrees = match theirs.next_if(|p| p.0 == mine.0) {
            Some(other) => other.1 == mine.1,
            None => ignores(&mine.0),
        };
        if !agrees {
            return false;
        }
    }
    theirs.all(|only| ignores(&only.0))
}

/// Of SIP parameters on one side only, these few make a difference.
fn is_harmless(name: &[u8]) -> bool {
    !matches!(name, b"user" | b"ttl" | b"method" | b"maddr" | b"transport")
}

/// Headers are never ignored; their order does not matter.
fn sorted_headers(uri: &SipUri) -> Vec<Vec<u8>> {
    let headers = uri.headers.as_deref().unwrap_or("");
    let mut parts: Vec<_> = headers.split('&').map(|h| unescape(h).to_ascii_lowercase()).collect();
    parts.sort();
    parts
}

impl TelUri {
    /// RFC 3966 §4: visual separators and case do not count, all parameters do, in any order.
    pub fn equivalent(&self, other: &TelUri) -> bool {
        self.digits().eq_ignore_ascii_case(&other.digits())
            && same_params(&self.params, &other.params, |_| false)
    }
}
