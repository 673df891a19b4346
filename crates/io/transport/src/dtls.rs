//! DTLS 1.2 (RFC 6347) as the origin of SRTP keys (RFC 5764).

mod identity;

use std::fmt;

use dimpl::{Output, SrtpProfile};
use tandem_base::{DtlsRole, Fingerprint, Srtp, SrtpKeying, SrtpMaster, SrtpSuite, Time};
use thiserror::Error;
use zeroize::Zeroizing;

use self::identity::certificate_fits;
pub use self::identity::{Identities, Identity, IdentityError};
use crate::clock::Clock;

/// Octets of the longest datagram or certificate that the handshake gives out.
const LONGEST: usize = 4_096;
/// Outputs of one input: more is a fault of the library, not to be followed for ever.
const OUTPUTS: usize = 256;

/// Why there are no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum DtlsFailure {
    /// The certificate is not the one that the description announced: not the peer, or not what it said.
    #[error("the peer's certificate does not match its fingerprint")]
    Fingerprint,
    /// The peer's certificate cannot be used. RSA is the usual reason: only ECDSA (P-256, P-384) is served.
    #[error("the peer's certificate is unusable")]
    Certificate,
    /// Nothing came, or not in time.
    #[error("the handshake timed out")]
    Timeout,
    /// No common cipher, protection profile or version, or a message out of place.
    #[error("the handshake failed")]
    Protocol,
    /// The peer wants no SRTP, or none of our protection profiles.
    #[error("no common SRTP protection profile")]
    NoProfile,
    /// Our own certificate or configuration cannot be used.
    #[error("our own identity is unusable")]
    Own,
}

/// What an association gives out.
#[derive(Debug)]
pub enum DtlsOutput {
    /// To be sent to the peer.
    Datagram(Vec<u8>),
    /// The handshake is done; the peer is who it said.
    Keys(Box<Srtp>),
    /// The peer said good-bye (`close_notify`).
    Closed,
    /// There will be no keys from this association.
    Failed(DtlsFailure),
}

/// One DTLS association: one handshake.
pub struct Association {
    dtls: dimpl::Dtls,
    clock: Clock,
    role: DtlsRole,
    expected: Vec<Fingerprint>,
    verified: bool,
    connected: bool,
    over: bool,
    keyed: bool,
    deadline: Option<Time>,
    buffer: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Association {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Association").field("role", &self.role).field("keyed", &self.keyed).finish()
    }
}

impl Association {
    /// Begins at the first [`Association::handle_timeout`]. `cookie`: as the server, have the peer prove first that it is
    /// where its packets say (RFC 6347 §4.2.1); ICE has proved it already.
    pub fn new(
        identity: &Identity,
        role: DtlsRole,
        expected: &[Fingerprint],
        cookie: bool,
        clock: Clock,
        now: Time,
    ) -> Self {
        let (config, certificate) = identity.for_dtls(cookie);
        let mut dtls = dimpl::Dtls::new_12(config, certificate, clock.instant(now));
        dtls.set_active(role == DtlsRole::Client);
        Association {
            dtls,
            clock,
            role,
            expected: expected.to_vec(),
            verified: false,
            connected: false,
            over: false,
            keyed: false,
            deadline: Some(now),
            buffer: Zeroizing::new(vec![0; LONGEST]),
        }
    }

    /// When [`Association::handle_timeout`] is due.
    pub const fn deadline(&self) -> Option<Time> {
        self.deadline
    }

    /// Takes a datagram of the peer.
    pub fn receive(&mut self, datagram: &[u8], now: Time, out: &mut impl FnMut(DtlsOutput)) {
        self.step(Some(datagram), now, out);
    }

    /// Begins, repeats, gives up.
    pub fn handle_timeout(&mut self, now: Time, out: &mut impl FnMut(DtlsOutput)) {
        self.step(None, now, out);
    }

    /// Says good-bye.
    pub fn close(&mut self, out: &mut impl FnMut(DtlsOutput)) {
        if !self.over && self.keyed && self.dtls.close().is_ok() {
            self.drain(out);
        }
        self.end();
    }

    fn step(&mut self, datagram: Option<&[u8]>, now: Time, out: &mut impl FnMut(DtlsOutput)) {
        if self.over {
            return;
        }
        let mut stepped = self.dtls.handle_timeout(self.clock.instant(now));
        if let (Ok(()), Some(datagram)) = (&stepped, datagram) {
            stepped = self.dtls.handle_packet(datagram);
        }
        if let Err(error) = stepped {
            // An association that has given its keys is of no further use: media do not depend on it.
            if self.keyed {
                self.end();
            } else {
                self.fail(failure(&error), out);
            }
            return;
        }
        self.drain(out);
    }

    fn drain(&mut self, out: &mut impl FnMut(DtlsOutput)) {
        let mut buffer = std::mem::take(&mut *self.buffer);
        for _ in 0..OUTPUTS {
            if self.over || !self.poll(&mut buffer, out) {
                break;
            }
        }
        *self.buffer = buffer;
        // The keys come last of all that a handshake gives out.
        if self.connected && !self.keyed && !self.over {
            self.fail(DtlsFailure::NoProfile, out);
        }
    }

    /// One output; false after the last.
    fn poll(&mut self, buffer: &mut Vec<u8>, out: &mut impl FnMut(DtlsOutput)) -> bool {
        match self.dtls.poll_output(buffer) {
            Output::Packet(octets) => out(DtlsOutput::Datagram(octets.to_vec())),
            Output::BufferTooSmall { needed } if needed <= LONGEST * 16 => buffer.resize(needed, 0),
            Output::Timeout(at) => {
                self.deadline = Some(self.clock.time(at));
                return false;
            }
            Output::PeerCert(der) => {
                self.verified = certificate_fits(der, &self.expected);
                if !self.verified {
                    self.fail(DtlsFailure::Fingerprint, out);
                }
            }
            Output::KeyingMaterial(material, profile) => self.take_keys(&material, profile, out),
            Output::Connected => self.connected = true,
            Output::CloseNotify => {
                self.end();
                out(DtlsOutput::Closed);
            }
            // Application data is nothing that we asked for.
            _ => {}
        }
        true
    }

    fn take_keys(&mut self, material: &[u8], profile: SrtpProfile, out: &mut impl FnMut(DtlsOutput)) {
        if !self.verified {
            return self.fail(DtlsFailure::Fingerprint, out);
        }
        match keys(material, profile, self.role) {
            Some(srtp) => {
                self.keyed = true;
                out(DtlsOutput::Keys(Box::new(srtp)));
            }
            None => self.fail(DtlsFailure::NoProfile, out),
        }
    }

    fn fail(&mut self, failure: DtlsFailure, out: &mut impl FnMut(DtlsOutput)) {
        self.end();
        out(DtlsOutput::Failed(failure));
    }

    fn end(&mut self) {
        self.over = true;
        self.deadline = None;
    }
}

fn failure(error: &dimpl::Error) -> DtlsFailure {
    match error {
        dimpl::Error::CertificateError(_) => DtlsFailure::Certificate,
        dimpl::Error::Timeout(_) => DtlsFailure::Timeout,
        dimpl::Error::ConfigError(_) => DtlsFailure::Own,
        _ => DtlsFailure::Protocol,
    }
}

/// RFC 5764 §4.2: client's key, server's key, client's salt, server's salt.
fn keys(material: &[u8], profile: SrtpProfile, role: DtlsRole) -> Option<Srtp> {
    let suite = match profile {
        SrtpProfile::AES128_CM_SHA1_80 => SrtpSuite::AesCm128HmacSha1_80,
        SrtpProfile::AEAD_AES_128_GCM => SrtpSuite::AeadAes128Gcm,
        SrtpProfile::AEAD_AES_256_GCM => SrtpSuite::AeadAes256Gcm,
        _ => return None,
    };
    let (keys, salts) = material.split_at_checked(2 * suite.key_len())?;
    let (client_key, server_key) = keys.split_at_checked(suite.key_len())?;
    let (client_salt, server_salt) = salts.split_at_checked(suite.salt_len())?;
    let client = keying(suite, client_key, client_salt)?;
    let server = keying(suite, server_key, server_salt.get(..suite.salt_len())?)?;
    let (send, receive) = if role == DtlsRole::Client { (client, server) } else { (server, client) };
    Some(Srtp { suite, send, receive: vec![receive] })
}

fn keying(suite: SrtpSuite, key: &[u8], salt: &[u8]) -> Option<SrtpKeying> {
    let master = Zeroizing::new([key, salt].concat());
    Some(SrtpKeying { master: SrtpMaster::new(suite, &master)?, mki: None, lifetime: None })
}
