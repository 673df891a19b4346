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
    /// The user's name is to be hashed (RFC 7616 §3.4.4).
    pub userhash: bool,
}

/// Quality of protection that a challenge offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// None named: the answer has neither nonce count nor cnonce (RFC 2069).
    Legacy,
    /// `auth`.
    Auth,
    /// `auth-int`, and nothing else: the answer covers the body too.
    Integrity,
}

impl Protection {
    /// The best that is offered; without the body where there is a choice, as proxies may rewrite that.
    fn of(offered: &str) -> Option<Self> {
        let names = |name: &str| offered.split(',').any(|qop| qop.trim().eq_ignore_ascii_case(name));
        match (names("auth"), names("auth-int")) {
            (true, _) => Some(Protection::Auth),
            (false, true) => Some(Protection::Integrity),
            (false, false) => None,
        }
    }
}

impl Challenge {
    /// Reads what [`Challenge`] writes and others send.
    ///
    /// # Errors
    /// It is no Digest, breaks the grammar, or calls for an unknown algorithm or quality of protection.
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
            Some(offered) => Protection::of(&offered).ok_or(DigestError::Unsupported("qop"))?,
        };
        Ok(Challenge {
            realm: params.require("realm")?,
            nonce: params.require("nonce")?,
            opaque: params.get("opaque").map(Into::into),
            stale: params.is_true("stale"),
            algorithm,
            protection,
            userhash: params.is_true("userhash"),
        })
    }

    /// The credentials for a request (RFC 7616 §3.4). `uri` is the Request-URI as it is sent; `nc` counts the answers
    /// to this nonce from 1; `cnonce` is random and must be a quoted string's text. `body` counts for
    /// [`Protection::Integrity`] only. `None` where the credentials are stored by another hash.
    pub fn answer(
        &self,
        credentials: &Credentials,
        method: &Method,
        uri: &str,
        body: &[u8],
        cnonce: &str,
        nc: u32,
    ) -> Option<Authorization> {
        let ha1 = credentials.ha1(self.algorithm.hash, &self.realm)?;
        let counted = Counted { cnonce: cnonce.to_owned(), nc };
        let counted = (self.protection != Protection::Legacy).then_some(counted);
        let integrity = self.protection == Protection::Integrity;
        let inputs = Inputs {
            algorithm: self.algorithm,
            nonce: &self.nonce,
            counted: counted.as_ref(),
            cnonce,
            method,
            uri,
            body: integrity.then_some(body),
        };
        Some(Authorization {
            response: response(&ha1, &inputs),
            username: self.name(credentials),
            userhash: self.userhash,
            integrity,
            realm: self.realm.clone(),
            nonce: self.nonce.clone(),
            uri: uri.to_owned(),
            algorithm: self.algorithm,
            opaque: self.opaque.clone(),
            session_cnonce: (counted.is_none() && self.algorithm.session).then(|| cnonce.to_owned()),
            counted,
        })
    }

    /// The user's name as the challenge wants it.
    fn name(&self, credentials: &Credentials) -> String {
        let hash = self.algorithm.hash;
        match self.userhash {
            true => hash.hex(&hash.of(&[credentials.username(), &self.realm])),
            false => credentials.username().to_owned(),
        }
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
        line = match self.protection {
            Protection::Legacy => line,
            Protection::Auth => line.quoted("qop", "auth"),
            Protection::Integrity => line.quoted("qop", "auth-int"),
        };
        if self.userhash {
            line = line.token("userhash", true);
        }
        f.write_str(&line.finish())
    }
}
