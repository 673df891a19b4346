use std::fmt;

use super::algorithm::Output;
use super::params::{AuthParams, Writer};
use super::{Algorithm, DigestError, Hash};
use crate::{HeaderName, Headers};

/// Most header lines that are read.
const MOST_LINES: usize = 16;

/// One `Authorization` or `Proxy-Authorization` (RFC 7616 §3.4).
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization {
    /// Who asks: a name, or the hash of one.
    pub username: String,
    /// The name is hashed (RFC 7616 §3.4.4).
    pub userhash: bool,
    /// The body is covered: `qop=auth-int`. Never without `counted`.
    pub integrity: bool,
    /// Where the credentials are known.
    pub realm: String,
    /// That of the challenge.
    pub nonce: String,
    /// What was asked for.
    pub uri: String,
    /// That of the challenge.
    pub algorithm: Algorithm,
    /// That of the challenge.
    pub opaque: Option<String>,
    /// With `qop=auth` or `auth-int`; `None` is the legacy form without qop.
    pub counted: Option<Counted>,
    /// The cnonce of a `-sess` algorithm in the legacy form.
    pub(super) session_cnonce: Option<String>,
    pub(super) response: Output,
}

/// What a quality of protection adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The client's own nonce.
    pub cnonce: String,
    /// How often the server's nonce has been used, this time included.
    pub nc: u32,
}

impl Authorization {
    /// Reads one.
    ///
    /// # Errors
    /// It is no Digest, breaks the grammar, lacks something, or uses an unknown algorithm or quality of protection.
    pub fn parse(line: &str) -> Result<Self, DigestError> {
        let all = AuthParams::read(line)?;
        Self::of(all.first().ok_or(DigestError::Malformed)?)
    }

    /// All in the header lines of a name that can be read.
    pub fn all(headers: &Headers, name: &HeaderName) -> Vec<Self> {
        let lines = headers.get_all(name).take(MOST_LINES).filter_map(|line| std::str::from_utf8(line).ok());
        lines.filter_map(|line| Self::parse(line).ok()).collect()
    }

    fn of(params: &AuthParams<'_>) -> Result<Self, DigestError> {
        params.check()?;
        let algorithm = match params.get("algorithm") {
            Some(name) => Algorithm::parse(&name).ok_or(DigestError::Unsupported("algorithm"))?,
            None => Algorithm::new(Hash::Md5),
        };
        let (counted, integrity) = match params.get("qop") {
            Some(qop) => (Some(counted(params)?), is_integrity(&qop)?),
            None => (None, false),
        };
        let response = params.require("response")?;
        Ok(Authorization {
            username: params.require("username")?,
            userhash: params.is_true("userhash"),
            integrity,
            realm: params.require("realm")?,
            nonce: params.require("nonce")?,
            uri: params.require("uri")?,
            algorithm,
            opaque: params.get("opaque").map(Into::into),
            session_cnonce: params.get("cnonce").filter(|_| counted.is_none()).map(Into::into),
            counted,
            response: algorithm.hash.read_hex(&response).ok_or(DigestError::Malformed)?,
        })
    }

    /// The client's own nonce, if it gave one.
    pub(super) fn cnonce(&self) -> &str {
        let counted = self.counted.as_ref().map(|counted| &counted.cnonce);
        counted.or(self.session_cnonce.as_ref()).map_or("", String::as_str)
    }
}

/// RFC 7616 §3.4: with qop, cnonce and nc must be there.
fn counted(params: &AuthParams<'_>) -> Result<Counted, DigestError> {
    let nc = params.require("nc")?;
    let is_count = nc.len() == 8 && nc.bytes().all(|b| b.is_ascii_hexdigit());
    let nc = u32::from_str_radix(&nc, 16).ok().filter(|_| is_count).ok_or(DigestError::Malformed)?;
    Ok(Counted { cnonce: params.require("cnonce")?, nc })
}

fn is_integrity(qop: &str) -> Result<bool, DigestError> {
    let integrity = qop.eq_ignore_ascii_case("auth-int");
    match integrity || qop.eq_ignore_ascii_case("auth") {
        true => Ok(integrity),
        false => Err(DigestError::Unsupported("qop")),
    }
}

impl fmt::Display for Authorization {
    /// The header's value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = Writer::digest()
            .quoted("username", &self.username)
            .quoted("realm", &self.realm)
            .quoted("nonce", &self.nonce)
            .quoted("uri", &self.uri)
            .quoted("response", &self.algorithm.hash.hex(&self.response))
            .token("algorithm", self.algorithm);
        if let Some(cnonce) = &self.session_cnonce {
            line = line.quoted("cnonce", cnonce);
        }
        if let Some(opaque) = &self.opaque {
            line = line.quoted("opaque", opaque);
        }
        if let Some(Counted { cnonce, nc }) = &self.counted {
            let qop = if self.integrity { "auth-int" } else { "auth" };
            line = line.token("qop", qop).quoted("cnonce", cnonce).token("nc", format!("{nc:08x}"));
        }
        if self.userhash {
            line = line.token("userhash", true);
        }
        f.write_str(&line.finish())
    }
}

impl fmt::Debug for Authorization {
    /// Without what could be tried passwords on.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization")
            .field("username", &self.username)
            .field("realm", &self.realm)
            .field("uri", &self.uri)
            .field("algorithm", &self.algorithm)
            .field("counted", &self.counted)
            .finish_non_exhaustive()
    }
}
