use std::collections::VecDeque;

use tandem_base::Entropy;

use super::algorithm::hex;
use super::{Authorization, Challenge, Credentials, Protection};
use crate::{HeaderName, Headers, Request, Response};

/// Most nonces whose use is remembered; the oldest is forgotten first.
const MOST_NONCES: usize = 8;
/// Most realms whose challenge is remembered, alike.
const MOST_REALMS: usize = 4;

/// The challenges of a server, and of a proxy, and what answers each (RFC 3261 §22.2, §22.3).
const PAIRS: [(HeaderName, HeaderName); 2] = [
    (HeaderName::WwwAuthenticate, HeaderName::Authorization),
    (HeaderName::ProxyAuthenticate, HeaderName::ProxyAuthorization),
];

/// One that answers challenges for an account.
#[derive(Clone, Debug)]
pub struct Client {
    credentials: Credentials,
    /// Nonces with how often each was answered.
    used: VecDeque<(String, u32)>,
    /// The last challenge of each realm, with the header that answers it.
    known: VecDeque<(HeaderName, Challenge)>,
}

impl Client {
    /// For these credentials, in whatever realm asks for them.
    pub const fn new(credentials: Credentials) -> Self {
        Client { credentials, used: VecDeque::new(), known: VecDeque::new() }
    }

    /// Writes the answers to the challenges of `refusal` into `request`, each in place of one for the same realm.
    /// Of several for one realm the strongest is answered, the first of equal ones (RFC 8760 §2.4). The request is then
    /// to be sent anew, with the next CSeq and a branch of its own (RFC 3261 §22.2).
    ///
    /// False, and nothing is changed, where nothing can be answered, or where a realm refuses credentials that the
    /// request carries already and that were made for its challenge, be it for another reason than the age of the nonce:
    /// trying again would be in vain.
    pub fn authorize(
        &mut self,
        request: &mut Request,
        refusal: &Response,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> bool {
        let mut headers = request.headers.clone();
        let mut answered = false;
        for (question, answer) in PAIRS {
            for challenge in self.best(&refusal.headers, &question) {
                let is_tried = |given: &Authorization| is_answer(given, &challenge);
                let tried = Authorization::all(&headers, &answer).iter().any(is_tried);
                let Some(value) =
                    self.line(&challenge, request, entropy).filter(|_| !tried || challenge.stale)
                else {
                    return false;
                };
                replace(&mut headers, &answer, &challenge.realm, value);
                self.remember(&answer, challenge);
                answered = true;
            }
        }
        if answered {
            request.headers = headers;
        }
        answered
    }

    /// Writes credentials into a request before anybody asks, for each realm that has asked before (RFC 3261 §22.2, §22.3).
    /// Only for the same call: they say nothing to others.
    pub fn prepare(&mut self, request: &mut Request, entropy: &mut (impl Entropy + ?Sized)) {
        for (answer, challenge) in self.known.clone() {
            if let Some(value) = self.line(&challenge, request, entropy) {
                replace(&mut request.headers, &answer, &challenge.realm, value);
            }
        }
    }

    fn remember(&mut self, answer: &HeaderName, challenge: Challenge) {
        self.known.retain(|(name, known)| (name, &known.realm) != (answer, &challenge.realm));
        // Without a count each answer is a replay.
        if challenge.protection == Protection::Legacy {
            return;
        }
        if self.known.len() >= MOST_REALMS {
            self.known.pop_front();
        }
        self.known.push_back((answer.clone(), challenge));
    }

    /// The strongest for each realm.
    fn best(&self, headers: &Headers, name: &HeaderName) -> Vec<Challenge> {
        let mut best: Vec<Challenge> = Vec::new();
        for challenge in Challenge::all(headers, name) {
            if self.credentials.ha1(challenge.algorithm.hash, &challenge.realm).is_none() {
                continue;
            }
            match best.iter_mut().find(|known| known.realm == challenge.realm) {
                Some(known) if known.algorithm.hash < challenge.algorithm.hash => *known = challenge,
                Some(_) => {}
                None => best.push(challenge),
            }
        }
        best
    }

    fn line(
        &mut self,
        challenge: &Challenge,
        request: &Request,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Option<String> {
        let mut random = [0; 16];
        entropy.fill(&mut random);
        let nc = self.count(&challenge.nonce);
        let uri = request.uri.to_string();
        let (method, body) = (&request.method, &request.body);
        let answer = challenge.answer(&self.credentials, method, &uri, body, &hex(&random), nc)?;
        Some(answer.to_string())
    }

    /// How often this nonce is used with this time (RFC 7616 §3.4: `nc`).
    fn count(&mut self, nonce: &str) -> u32 {
        if let Some((_, count)) = self.used.iter_mut().find(|(known, _)| known == nonce) {
            *count = count.saturating_add(1);
            return *count;
        }
        if self.used.len() >= MOST_NONCES {
            self.used.pop_front();
        }
        self.used.push_back((nonce.to_owned(), 1));
        1
    }
}

/// Were these made for this challenge, or for another first one of its realm? Those given unasked, by a nonce that has
/// served before, were not.
fn is_answer(given: &Authorization, challenge: &Challenge) -> bool {
    let first = given.counted.as_ref().is_none_or(|counted| counted.nc == 1);
    given.realm == challenge.realm && (first || given.nonce == challenge.nonce)
}

/// Puts the credentials for a realm in place of those that are there.
fn replace(headers: &mut Headers, name: &HeaderName, realm: &str, value: String) {
    let is_old = |text: Option<&str>| {
        text.and_then(|text| Authorization::parse(text).ok()).is_some_and(|old| old.realm == realm)
    };
    *headers = headers.iter().filter(|line| line.name != *name || !is_old(line.text())).cloned().collect();
    headers.push(name.clone(), value);
}
