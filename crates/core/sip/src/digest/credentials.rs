use std::fmt;

use serde::{Deserialize, Serialize};

use super::Hash;
use super::algorithm::Output;

/// The hash of user name, realm and password, by which a server knows a user without the password
/// (RFC 7616 §3.4.2). Whoever has it can answer challenges of its realm: a secret, kept out of `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ha1 {
    hash: Hash,
    output: Output,
}

impl Ha1 {
    /// Of a password.
    pub fn of(hash: Hash, username: &str, realm: &str, password: &str) -> Self {
        Ha1 { hash, output: hash.of(&[username, realm, password]) }
    }

    /// From the hexadecimal form that is stored; `None` when it is not [`Hash::size`] octets.
    pub fn from_hex(hash: Hash, text: &str) -> Option<Self> {
        Some(Ha1 { hash, output: hash.read_hex(text)? })
    }

    /// The hexadecimal form to be stored.
    pub fn to_hex(&self) -> String {
        self.hash.hex(&self.output)
    }

    /// By which hash function it was made.
    pub const fn hash(&self) -> Hash {
        self.hash
    }
}

impl fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ha1({}, …)", self.hash.name())
    }
}

/// Who one is and what proves it. The secret is kept out of `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    username: String,
    secret: Secret,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Secret {
    Password(String),
    Stored(Vec<Ha1>),
}

impl Credentials {
    /// For any realm and algorithm.
    pub fn with_password(username: impl Into<String>, password: impl Into<String>) -> Self {
        Credentials { username: username.into(), secret: Secret::Password(password.into()) }
    }

    /// For the one realm and the algorithms that `stored` was made for.
    pub fn with_stored(username: impl Into<String>, stored: Vec<Ha1>) -> Self {
        Credentials { username: username.into(), secret: Secret::Stored(stored) }
    }

    /// The user's name.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// `None` where what is stored is of other hashes.
    pub fn ha1(&self, hash: Hash, realm: &str) -> Option<Ha1> {
        match &self.secret {
            Secret::Password(password) => Some(Ha1::of(hash, &self.username, realm, password)),
            Secret::Stored(all) => all.iter().find(|ha1| ha1.hash == hash).cloned(),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}
