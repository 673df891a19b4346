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
            && same_sip_params(&self.params, &other.params)
            && sorted_headers(self) == sorted_headers(other)
    }
}

fn same(a: Option<&str>, b: Option<&str>) -> bool {
    let text = |t: Option<&str>| t.map(|t| unescape(t).to_ascii_lowercase());
    text(a) == text(b)
}

/// Parameters on both sides must match; of those on one side only, these few make a difference.
fn same_sip_params(a: &Params, b: &Params) -> bool {
    const DECISIVE: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];
    let agrees = |mine: &Params, other: &Params| {
        mine.iter().all(|p| match other.find(&p.name) {
            Some(theirs) => same(p.value.as_deref(), theirs.value.as_deref()),
            None => !DECISIVE.iter().any(|name| p.name.eq_ignore_ascii_case(name)),
        })
    };
    agrees(a, b) && agrees(b, a)
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
        let agrees = |mine: &Params, other: &Params| {
            mine.iter().all(|p| {
                other.find(&p.name).is_some_and(|theirs| same(p.value.as_deref(), theirs.value.as_deref()))
            })
        };
        self.digits().eq_ignore_ascii_case(&other.digits())
            && agrees(&self.params, &other.params)
            && agrees(&other.params, &self.params)
    }
}
