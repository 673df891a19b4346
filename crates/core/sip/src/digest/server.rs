use std::time::Duration;

use tandem_base::{Entropy, Time};

use super::algorithm::{hex, same};
use super::compute::{Inputs, response};
use super::nonces::Nonces;
use super::{Algorithm, Authorization, Challenge, Credentials, Ha1, Hash, Protection};
use crate::{HeaderName, Headers, Request, StatusCode, Uri};

/// As what one challenges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// User agent server or registrar: 401 (RFC 3261 §22.2).
    Server,
    /// Proxy: 407 (§22.3).
    Proxy,
}

/// How an [`Authenticator`] does it.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Where the users are known; shown to them.
    pub realm: String,
    /// As what.
    pub role: Role,
    /// What may be answered by, what is liked best first (RFC 8760 §2.3).
    pub hashes: Vec<Hash>,
    /// How long a nonce may be used.
    pub lifetime: Duration,
    /// The credentials must name the Request-URI (RFC 7616 §3.4.6). Off where a proxy on the way rewrites that.
    pub same_uri: bool,
    /// Most nonces in use that are remembered; beyond, the oldest become stale before their time.
    pub nonces: usize,
}

impl Policy {
    /// 401, SHA-256 before MD5, five minutes, 65,536 nonces in use.
    pub fn new(realm: impl Into<String>) -> Self {
        Policy {
            realm: realm.into(),
            role: Role::Server,
            hashes: vec![Hash::Sha256, Hash::Md5],
            lifetime: Duration::from_secs(300),
            same_uri: true,
            nonces: 65_536,
        }
    }
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is from this user.
    Accepted {
        /// As the credentials name them.
        user: String,
    },
    /// The credentials are right, but their nonce is too old, was used before or is not known: challenge with
    /// `stale`, and the client tries again without asking its user. A replayed request ends here.
    Stale,
    /// The credentials are wrong: challenge anew, or 403.
    Refused,
    /// There are none for this realm that can be read: challenge.
    Missing,
}

/// A server's side. ACK and CANCEL cannot be challenged (RFC 3261 §22.1): do not ask it about them.
#[derive(Debug)]
pub struct Authenticator {
    policy: Policy,
    nonces: Nonces,
    opaque: String,
    /// Stands in for users who do not exist, so that their absence takes as long to find.
    decoy: Credentials,
}

impl Authenticator {
    /// Nonces of one are stale to another.
    pub fn new(policy: Policy, entropy: &mut (impl Entropy + ?Sized)) -> Self {
        let nonces = Nonces::new(policy.lifetime, policy.nonces, entropy);
        let mut random = [0; 24];
        entropy.fill(&mut random);
        let (opaque, password) = random.split_at_checked(8).unwrap_or_default();
        let decoy = Credentials::with_password("", hex(password));
        Authenticator { nonces, opaque: hex(opaque), decoy, policy }
    }

    /// The status to refuse with, and its header lines: one challenge for each hash, best first, all of one nonce.
    pub fn challenge(
        &self,
        stale: bool,
        now: Time,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> (StatusCode, Headers) {
        let nonce = self.nonces.issue(now, entropy);
        let (status, name) = match self.policy.role {
            Role::Server => (StatusCode::UNAUTHORIZED, HeaderName::WwwAuthenticate),
            Role::Proxy => (StatusCode::PROXY_AUTHENTICATION_REQUIRED, HeaderName::ProxyAuthenticate),
        };
        let mut headers = Headers::new();
        for hash in &self.policy.hashes {
            let challenge = Challenge {
                realm: self.policy.realm.clone(),
                nonce: nonce.clone(),
                opaque: Some(self.opaque.clone()),
                stale,
                algorithm: Algorithm::new(*hash),
                protection: Protection::Auth,
                userhash: false,
            };
            headers.push(name.clone(), challenge.to_string());
        }
        (status, headers)
    }

    /// Judges a request. `lookup` finds a user by the name that the credentials give.
    pub fn verify(
        &mut self,
        request: &Request,
        lookup: impl Fn(&str) -> Option<Credentials>,
        now: Time,
    ) -> Verdict {
        let name = match self.policy.role {
            Role::Server => HeaderName::Authorization,
            Role::Proxy => HeaderName::ProxyAuthorization,
        };
        let all = Authorization::all(&request.headers, &name);
        // Neither a hashed name nor a covered body is what our challenges ask for.
        let asked = |given: &Authorization| !given.userhash && !given.integrity;
        let Some(given) = all.into_iter().find(|given| given.realm == self.policy.realm && asked(given))
        else {
            return Verdict::Missing;
        };
        let right = self.is_right(&given, request, lookup);
        let Some(counted) = given.counted.filter(|_| right) else { return Verdict::Refused };
        if self.nonces.use_up(&given.nonce, counted.nc, now) {
            Verdict::Accepted { user: given.username }
        } else {
            Verdict::Stale
        }
    }

    fn is_right(
        &self,
        given: &Authorization,
        request: &Request,
        lookup: impl Fn(&str) -> Option<Credentials>,
    ) -> bool {
        let hash = given.algorithm.hash;
        let offered = !given.algorithm.session && self.policy.hashes.contains(&hash);
        let ha1 = lookup(&given.username).and_then(|user| user.ha1(hash, &self.policy.realm));
        let computed = self.computed(given, ha1.as_ref(), request);
        let matches = same(&computed, &given.response);
        matches && ha1.is_some() && offered && self.names_target(given, request)
    }

    fn computed(
        &self,
        given: &Authorization,
        ha1: Option<&Ha1>,
        request: &Request,
    ) -> super::algorithm::Output {
        let hash = given.algorithm.hash;
        let decoy = self.decoy.ha1(hash, &self.policy.realm);
        let inputs = Inputs {
            algorithm: given.algorithm,
            nonce: &given.nonce,
            counted: given.counted.as_ref(),
            cnonce: given.cnonce(),
            method: &request.method,
            uri: &given.uri,
            body: None,
        };
        ha1.or(decoy.as_ref()).map_or([0; 32], |ha1| response(ha1, &inputs))
    }

    fn names_target(&self, given: &Authorization, request: &Request) -> bool {
        let same = |uri: Uri| uri.equivalent(&request.uri);
        !self.policy.same_uri || Uri::parse(&given.uri).is_some_and(same)
    }
}
