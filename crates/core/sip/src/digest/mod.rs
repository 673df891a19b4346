//! Digest authentication (RFC 3261 §22, RFC 7616, RFC 8760): the server that challenges and the client that answers.
//!
//! A server keeps an [`Authenticator`]: [`Authenticator::challenge`] writes what a 401 or 407 needs, and
//! [`Authenticator::verify`] judges a request. A client keeps a [`Client`] per account: [`Client::authorize`] takes
//! the refused request and its 401 or 407 and writes the credentials into the request; it remains to be sent with a new
//! CSeq and branch. [`Challenge::answer`] is the bare computation.
//!
//! Quality of protection is `auth`; a challenge for `auth-int` alone, without any (RFC 2069), or for a hashed user name is
//! answered but never made. Hashes are MD5, SHA-256 and SHA-512/256; their `-sess` variants are answered but never asked
//! for. Names are hashed as the peer reads
//! them: without the quotes and escapes of the header field. They are UTF-8.

mod algorithm;
mod authorization;
mod challenge;
mod client;
mod compute;
mod credentials;
mod error;
mod nonces;
mod params;
mod server;

#[cfg(test)]
mod tests;

pub use algorithm::{Algorithm, Hash};
pub use authorization::{Authorization, Counted};
pub use challenge::{Challenge, Protection};
pub use client::Client;
pub use credentials::{Credentials, Ha1};
pub use error::DigestError;
pub use server::{Authenticator, Policy, Role, Verdict};
