use std::fmt;

use super::{CSeq, HeaderError, HeaderName, HeaderProblem, Headers, NameAddr, Params, Via};
use crate::Method;
use crate::token::{is_token, number, split_outside, trim};

/// `type/subtype;param=value` (RFC 3261 §20.15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    /// Lower case: `application`.
    pub kind: String,
    /// Lower case: `sdp`.
    pub subtype: String,
    /// `boundary` and others.
    pub params: Params,
}

impl MediaType {
    /// `None` when it breaks the grammar.
    pub fn parse(text: &str) -> Option<MediaType> {
        let (essence, params) = text.split_once(';').unwrap_or((text, ""));
        let (kind, subtype) = essence.split_once('/')?;
        let (kind, subtype) = (trim(kind), trim(subtype));
        let fits = is_token(kind) && is_token(subtype);
        fits.then_some(())?;
        Some(MediaType {
            kind: kind.to_ascii_lowercase(),
            subtype: subtype.to_ascii_lowercase(),
            params: Params::parse(params)?,
        })
    }

    /// Is it `kind/subtype`? Give both in lower case.
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind == kind && self.subtype == subtype
    }
}

/// One Reason value: `protocol;cause=n;text="…"` (RFC 3326 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// `SIP`, `Q.850` or another token.
    pub protocol: String,
    /// SIP status or Q.850 cause.
    pub cause: Option<u16>,
    /// For people.
    pub text: Option<String>,
}

impl Reason {
    /// `None` when it breaks the grammar.
    pub fn parse(value: &str) -> Option<Reason> {
        let (protocol, params) = value.split_once(';').unwrap_or((value, ""));
        let params = Params::parse(params)?;
        is_token(trim(protocol)).then(|| Reason {
            protocol: trim(protocol).to_owned(),
            cause: params.get("cause").and_then(number),
            text: params.get_unquoted("text"),
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.protocol)?;
        if let Some(cause) = self.cause {
            write!(f, ";cause={cause}")?;
        }
        match &self.text {
            Some(text) => write!(f, ";text={}", crate::token::quote(text)),
            None => Ok(()),
        }
    }
}

/// Typed views. Each reads its header anew; an error names the header.
impl Headers {
    fn line(&self, name: HeaderName) -> Result<&str, HeaderError> {
        let Some(line) = self.get(&name) else {
            return Err(HeaderError::missing(name));
        };
        std::str::from_utf8(line).map_err(|_| HeaderError::malformed(name))
    }

    /// A header that stands once, read by `parse`.
    fn one<T>(&self, name: HeaderName, parse: fn(&str) -> Option<T>) -> Result<T, HeaderError> {
        parse(self.line(name.clone())?).ok_or(HeaderError::malformed(name))
    }

    /// The same where absence is no error.
    fn maybe<T>(&self, name: HeaderName, parse: fn(&str) -> Option<T>) -> Result<Option<T>, HeaderError> {
        if self.has(&name) { self.one(name, parse).map(Some) } else { Ok(None) }
    }

    /// All values of a header, each read by `parse`.
    fn list<T>(&self, name: &HeaderName, parse: fn(&str) -> Option<T>) -> Result<Vec<T>, HeaderError> {
        let read = |value| parse(value).ok_or(HeaderError::malformed(name.clone()));
        self.values(name)?.into_iter().map(read).collect()
    }

    /// The topmost Via (RFC 3261 §20.42).
    ///
    /// # Errors
    /// Missing or malformed.
    pub fn via(&self) -> Result<Via, HeaderError> {
        let first_value = |line: &str| split_outside(line, b',')?.first().and_then(|v| Via::parse(v));
        self.one(HeaderName::Via, first_value)
    }

    /// All Vias, topmost first.
    ///
    /// # Errors
    /// One is malformed.
    pub fn vias(&self) -> Result<Vec<Via>, HeaderError> {
        self.list(&HeaderName::Via, Via::parse)
    }

    /// RFC 3261 §20.20.
    ///
    /// # Errors
    /// Missing or malformed.
    pub fn from(&self) -> Result<NameAddr, HeaderError> {
        self.one(HeaderName::From, NameAddr::parse)
    }

    /// RFC 3261 §20.39.
    ///
    /// # Errors
    /// Missing or malformed.
    pub fn to(&self) -> Result<NameAddr, HeaderError> {
        self.one(HeaderName::To, NameAddr::parse)
    }

    /// RFC 3261 §20.8: compared byte by byte.
    ///
    /// # Errors
    /// Missing, empty or with white space in it.
    pub fn call_id(&self) -> Result<&str, HeaderError> {
        let id = self.line(HeaderName::CallId)?;
        let fits = !id.is_empty() && !id.contains(|c: char| c.is_ascii_whitespace() || c.is_ascii_control());
        if fits { Ok(id) } else { Err(HeaderError::malformed(HeaderName::CallId)) }
    }

    /// RFC 3261 §20.16.
    ///
    /// # Errors
    /// Missing, malformed or 2³¹ and more.
    pub fn cseq(&self) -> Result<CSeq, HeaderError> {
        self.one(HeaderName::CSeq, CSeq::parse)
    }

    /// All Contacts; empty without any (RFC 3261 §20.10).
    ///
    /// # Errors
    /// One is malformed, or it is the `*` of a REGISTER; see [`Headers::has_wildcard_contact`].
    pub fn contacts(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(&HeaderName::Contact, NameAddr::parse)
    }

    /// The first Contact; `None` without any (RFC 3261 §20.10).
    ///
    /// # Errors
    /// It is malformed. Those behind it are not looked at.
    pub fn first_contact(&self) -> Result<Option<NameAddr>, HeaderError> {
        let first_value = |line: &str| split_outside(line, b',')?.first().and_then(|v| NameAddr::parse(v));
        self.maybe(HeaderName::Contact, first_value)
    }

    /// `Contact: *` (RFC 3261 §10.2.2).
    pub fn has_wildcard_contact(&self) -> bool {
        self.text(&HeaderName::Contact) == Some("*")
    }

    /// All Record-Routes in order (RFC 3261 §20.30).
    ///
    /// # Errors
    /// One is malformed.
    pub fn record_routes(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(&HeaderName::RecordRoute, NameAddr::parse)
    }

    /// All Routes in order (RFC 3261 §20.34).
    ///
    /// # Errors
    /// One is malformed.
    pub fn routes(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(&HeaderName::Route, NameAddr::parse)
    }

    /// RFC 3261 §20.22; `None` when absent.
    ///
    /// # Errors
    /// No number from 0 to 255.
    pub fn max_forwards(&self) -> Result<Option<u8>, HeaderError> {
        self.maybe(HeaderName::MaxForwards, number)
    }

    /// RFC 3261 §20.14, in octets; `None` when absent. Lines that repeat the same number are borne with.
    ///
    /// # Errors
    /// No number, or lines that disagree: nobody can tell where the message ends.
    pub fn content_length(&self) -> Result<Option<usize>, HeaderError> {
        let mut length = None;
        for line in self.get_all(&HeaderName::ContentLength) {
            let text = std::str::from_utf8(line).ok();
            let n = text.and_then(number).ok_or(HeaderError::malformed(HeaderName::ContentLength))?;
            if length.is_some_and(|other| other != n) {
                return Err(HeaderError::new(HeaderName::ContentLength, HeaderProblem::Contradictory));
            }
            length = Some(n);
        }
        Ok(length)
    }

    /// RFC 3261 §20.15; `None` when absent.
    ///
    /// # Errors
    /// Malformed.
    pub fn content_type(&self) -> Result<Option<MediaType>, HeaderError> {
        self.maybe(HeaderName::ContentType, MediaType::parse)
    }

    /// RFC 3261 §20.19, in seconds; `None` when absent. A number too large to hold is taken as the largest.
    ///
    /// # Errors
    /// No number.
    pub fn expires(&self) -> Result<Option<u32>, HeaderError> {
        let read = |text: &str| number::<u128>(text).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        self.maybe(HeaderName::Expires, read)
    }

    /// Option tags that the peer requires (RFC 3261 §20.32).
    ///
    /// # Errors
    /// One is no token.
    pub fn require(&self) -> Result<Vec<&str>, HeaderError> {
        self.tokens(&HeaderName::Require)
    }

    /// Option tags that the peer supports (RFC 3261 §20.37).
    ///
    /// # Errors
    /// One is no token.
    pub fn supported(&self) -> Result<Vec<&str>, HeaderError> {
        self.tokens(&HeaderName::Supported)
    }

    /// Methods that the peer allows (RFC 3261 §20.5).
    ///
    /// # Errors
    /// One is no token.
    pub fn allow(&self) -> Result<Vec<Method>, HeaderError> {
        self.list(&HeaderName::Allow, Method::parse)
    }

    /// Reasons, in order (RFC 3326).
    ///
    /// # Errors
    /// One is malformed.
    pub fn reasons(&self) -> Result<Vec<Reason>, HeaderError> {
        self.list(&HeaderName::Reason, Reason::parse)
    }

    /// The first Reason; `None` when absent or malformed: it informs and decides nothing.
    pub fn reason(&self) -> Option<Reason> {
        self.reasons().ok()?.into_iter().next()
    }

    /// A comma-separated list of tokens.
    ///
    /// # Errors
    /// One is no token.
    pub fn tokens(&self, name: &HeaderName) -> Result<Vec<&str>, HeaderError> {
        let values = self.values(name)?;
        if values.iter().all(|v| is_token(v)) {
            Ok(values)
        } else {
            Err(HeaderError::malformed(name.clone()))
        }
    }
}
