//! URIs: `sip`, `sips`, `tel`, and any other scheme kept as it is (RFC 3261 §19.1, RFC 3966).

mod compare;
mod escape;
mod host;
mod parse;
mod write;

pub(crate) use parse::parse_host_port;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use escape::{escape_user, unescape};
pub use host::Host;

use crate::{Param, Params, Transport};

/// A URI.
///
/// `==` compares what is written; [`Uri::equivalent`] compares what is meant. Written in its `Display` form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Uri {
    /// `sip:` or `sips:` (RFC 3261 §19.1.1).
    Sip(SipUri),
    /// `tel:` (RFC 3966).
    Tel(TelUri),
    /// Any other scheme, not looked into.
    Other(OtherUri),
}

/// A `sip:` or `sips:` URI (RFC 3261 §19.1.1). All text is kept as written, escapes included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SipUri {
    /// `sips:`.
    pub secure: bool,
    /// The user part, escaped; see [`SipUri::user_text`].
    pub user: Option<String>,
    /// The password, escaped.
    pub password: Option<String>,
    /// Domain or address.
    pub host: Host,
    /// Its port; `None` for the default of the transport.
    pub port: Option<u16>,
    /// `;transport=tcp;lr` and the like, escaped.
    pub params: Params,
    /// What stands behind the `?`, escaped and unparsed.
    pub headers: Option<String>,
}

/// A `tel:` URI (RFC 3966 §3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TelUri {
    /// As written: `+` for a global number, visual separators kept.
    pub number: String,
    /// `;phone-context=…`, `;ext=…` and the like.
    pub params: Params,
}

/// A URI of a scheme that is not looked into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherUri {
    /// Before the colon, lower case.
    pub scheme: String,
    /// Behind it, as written.
    pub rest: String,
}

/// Not a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed URI")]
pub struct UriError;

impl Uri {
    /// The `sip:` or `sips:` URI in it.
    pub const fn as_sip(&self) -> Option<&SipUri> {
        match self {
            Uri::Sip(uri) => Some(uri),
            _ => None,
        }
    }

    /// The scheme, lower case.
    pub fn scheme(&self) -> &str {
        match self {
            Uri::Sip(SipUri { secure: true, .. }) => "sips",
            Uri::Sip(_) => "sip",
            Uri::Tel(_) => "tel",
            Uri::Other(uri) => &uri.scheme,
        }
    }

    /// The user part of a SIP URI without escapes, or the number of a `tel:` URI without visual separators.
    pub fn user_text(&self) -> Option<String> {
        match self {
            Uri::Sip(uri) => uri.user_text(),
            Uri::Tel(uri) => Some(uri.digits()),
            Uri::Other(_) => None,
        }
    }
}

impl From<SipUri> for Uri {
    fn from(uri: SipUri) -> Uri {
        Uri::Sip(uri)
    }
}

impl SipUri {
    /// `sip:host`.
    pub const fn new(host: Host) -> Self {
        SipUri {
            secure: false,
            user: None,
            password: None,
            host,
            port: None,
            params: Params::new(),
            headers: None,
        }
    }

    /// The same with a user part, which is escaped as needed.
    pub fn with_user(mut self, user: &str) -> Self {
        self.user = Some(escape_user(user));
        self
    }

    /// The same with a port.
    pub const fn with_port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// The same with a parameter; `None` for a flag such as `lr`.
    pub fn with_param(mut self, name: &str, value: Option<&str>) -> Self {
        self.params.remove(name);
        self.params.push_raw(name.to_owned(), value.map(escape::escape_param));
        self
    }

    /// The user part without escapes; bytes that are no UTF-8 are replaced.
    pub fn user_text(&self) -> Option<String> {
        self.user.as_deref().map(|user| String::from_utf8_lossy(&unescape(user)).into_owned())
    }

    /// Loose routing (RFC 3261 §16.12): the `lr` parameter.
    pub fn is_loose_router(&self) -> bool {
        self.param("lr").is_some()
    }

    /// The `transport` parameter, where it names one that we know.
    pub fn transport(&self) -> Option<Transport> {
        Transport::parse(&self.param_text("transport")?)
    }

    /// The `maddr` parameter.
    pub fn maddr(&self) -> Option<Host> {
        Host::parse(&self.param_text("maddr")?)
    }

    /// The parameter of this name, which its writer may have escaped (RFC 3261 §19.1.2).
    pub fn param(&self, name: &str) -> Option<&Param> {
        self.params.iter().find(|p| {
            p.name.eq_ignore_ascii_case(name)
                || p.name.contains('%') && unescape(&p.name).eq_ignore_ascii_case(name.as_bytes())
        })
    }

    /// A parameter's value without escapes; `None` when absent, a flag or no UTF-8.
    pub fn param_text(&self, name: &str) -> Option<String> {
        String::from_utf8(unescape(self.param(name)?.value.as_deref()?)).ok()
    }
}

impl TelUri {
    /// The number without visual separators (RFC 3966 §3).
    pub fn digits(&self) -> String {
        self.number.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')')).collect()
    }
}
