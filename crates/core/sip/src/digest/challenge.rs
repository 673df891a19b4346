use std::fmt;

use super::compute::{Inputs, response};
use super::params::{AuthParams, Writer};
use super::{Algorithm, Authorization, Counted, Credentials, DigestError, Hash};
use crate::{HeaderName, Headers, Method};

/// Most header lines that are read.
const MOST_LINES: usize = 16;

/// One `WWW-Authenticate` or `Proxy-Authenticate` (RFC 7616 §3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Where the credentials are known.
    pub realm: String,
    /// To be given back.
    pub nonce: String,
    /// To be given back, if there.
    pub opaque: Option<String>,
    /// The credentials were right, just the nonce was too old.
    pub stale: bool,
    /// By which to answer.
    pub algorithm: Algorithm,
    /// What the answer covers.
    pub protection: Protection,
}

/// Quality of protection that a challenge offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// None named: the answer has neither nonce count nor cnonce (RFC 2069).
    Legacy,
    /// `auth`.
    Auth,
}

impl Challenge {
    /// Reads what [`Challenge`] writes and others send.
    ///
    /// # Errors
    /// It is no Digest, breaks the grammar, or calls for an unknown algorithm or for `auth-int` alone.
    pub fn parse(line: &str) -> Result<Self, DigestError> {
        let all = AuthParams::read(line)?;
        Self::of(all.first().ok_or(DigestError::Malformed)?)
    }

    /// All in the header lines of a name that can be answered, as they come.
    pub fn all(headers: &Headers, name: &HeaderName) -> Vec<Self> {
        let lines = headers.get_all(name).take(MOST_LINES).filter_map(|line| std::str::from_utf8(line).ok());
        let read = |line| AuthParams::read(line).unwrap_or_default();
        lines.flat_map(read).filter_map(|params| Self::of(&params).ok()).collect()
    }

    fn of(params: &AuthParams<'_>) -> Result<Self, DigestError> {
        params.check()?;
        // RFC 7616 §3.3: MD5 unless it says otherwise.
        let algorithm = match params.get("algorithm") {
            Some(name) => Algorithm::parse(&name).ok_or(DigestError::Unsupported("algorithm"))?,
            None => Algorithm::new(Hash::Md5),
        };
        let protection = match params.get("qop") {
            None => Protection::Legacy,
            Some(offered) if offered.split(',').any(|qop| qop.trim().eq_ignore_ascii_case("auth")) => {
                Protection::Auth
            }
            Some(_) => return Err(DigestError::Unsupported("qop")),
        };
        Ok(Challenge {
            realm: params.require("realm")?,
            nonce: params.require("nonce")?,
            opaque: params.get("opaque").map(Into::into),
            stale: params.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
            algorithm,
            protection,
        })
    }

    /// The credentials for a request (RFC 7616 §3.4). `uri` is the Request-URI as it is sent; `nc` counts the answers
    /// to this nonce from 1; `cnonce` is random and must be a quoted string's text. `None` where the credentials are
    /// stored by another hash.
    pub fn answer(
        &self,
        credentials: &Credentials,
        method: &Method,
        uri: &str,
        cnonce: &str,
        nc: u32,
    ) -> Option<Authorization> {
        let ha1 = credentials.ha1(self.algorithm.hash, &self.realm)?;
        let counted = Counted { cnonce: cnonce.to_owned(), nc };
        let counted = (self.protection == Protection::Auth).then_some(counted);
        let inputs = Inputs {
            algorithm: self.algorithm,
            nonce: &self.nonce,
            counted: counted.as_ref(),
            cnonce,
            method,
            uri,
        };
        Some(Authorization {
            response: response(&ha1, &inputs),
            username: credentials.username().to_owned(),
            realm: self.realm.clone(),
            nonce: self.nonce.clone(),
            uri: uri.to_owned(),
            algorithm: self.algorithm,
            opaque: self.opaque.clone(),
            session_cnonce: (counted.is_none() && self.algorithm.session).then(|| cnonce.to_owned()),
            counted,
        })
    }
}

impl fmt::Display for Challenge {
    /// The header's value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = Writer::digest().quoted("realm", &self.realm).quoted("nonce", &self.nonce);
        if let Some(opaque) = &self.opaque {
            line = line.quoted("opaque", opaque);
        }
        if self.stale {
            line = line.token("stale", true);
        }
        line = line.token("algorithm", self.algorithm);
        if self.protection == Protection::Auth {
            line = line.quoted("qop", "auth");
        }
        f.write_str(&line.finish())
    }
}
