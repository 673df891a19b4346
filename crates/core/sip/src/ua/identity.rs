use std::net::SocketAddr;
use std::time::Duration;

use crate::transaction::Timing;
use crate::{Host, Method};

use super::{Flow, Protocol, Target};

/// A socket that we listen on, and the address by which the world reaches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// What it speaks.
    pub protocol: Protocol,
    /// Bound address; its IP may be the wildcard.
    pub local: SocketAddr,
    /// What Via `sent-by` and Contact say.
    pub host: Host,
    /// Its port; `None` leaves it out, which means the default of the protocol.
    pub port: Option<u16>,
}

/// Who we are, as our messages tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// At least one. The first that fits a flow or a target speaks for it.
    pub listeners: Vec<Listener>,
    /// `Server` and `User-Agent` (RFC 3261 §20.35, §20.41); empty for neither.
    pub product: String,
    /// `Allow`: the methods served. Others known to SIP get 405, unknown ones 501.
    pub allow: Vec<Method>,
    /// `Supported`: the option tags understood (RFC 3261 §20.37); any other in Require gets 420. What the user agent
    /// does by itself (`100rel`, `timer` where [`Limits::session_expires`] says so) needs not be named.
    pub supported: Vec<String>,
    /// The option tags without which no call is taken: an INVITE that neither supports nor requires each of them gets 421
    /// (RFC 3261 §21.4.15).
    pub demanded: Vec<String>,
    /// `Security-Server` (RFC 3329 §2.2): the mechanisms that a client may agree on, as `tls;q=0.2`. Empty where security
    /// agreement is not known: who requires it then gets 420.
    pub security: Vec<String>,
    /// `Accept`: the media types understood as the body of INVITE (RFC 3261 §20.1); others get 415.
    pub accept: Vec<String>,
}

impl Identity {
    /// Adds an address that a wildcard listener turned out to have. Known ones are left alone.
    pub fn learn(&mut self, listener: Listener) {
        let is_known = |l: &Listener| l.protocol == listener.protocol && l.local == listener.local;
        if !self.listeners.iter().any(is_known) {
            self.listeners.push(listener);
        }
    }

    /// What a flow is known as: the listener at its local address, else one of its protocol and port, else of
    /// its protocol and address family.
    pub fn for_flow(&self, flow: &Flow) -> Option<&Listener> {
        let of_protocol = || self.listeners.iter().filter(|l| l.protocol == flow.protocol);
        let family = |l: &&Listener| l.local.is_ipv4() == flow.local.is_ipv4();
        of_protocol()
            .find(|l| l.local == flow.local)
            .or_else(|| of_protocol().filter(family).find(|l| l.local.port() == flow.local.port()))
            .or_else(|| of_protocol().find(family))
            .or_else(|| of_protocol().next())
    }

    /// What to call ourselves towards a target.
    pub fn for_target(&self, target: &Target) -> Option<&Listener> {
        match target {
            Target::Flow(flow) => self.for_flow(flow),
            Target::Address { protocol, remote } => {
                let of_protocol = || self.listeners.iter().filter(|l| l.protocol == *protocol);
                of_protocol().find(|l| l.local.is_ipv4() == remote.is_ipv4()).or_else(|| of_protocol().next())
            }
        }
    }
}

/// What the user agent may hold at once. Beyond each, requests are refused with 503 and Retry-After.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Transactions, those that only absorb retransmissions included (up to 32 s each). Requests of our own may
    /// take as many again.
    pub transactions: usize,
    /// Server transactions per source IP address, counted the same way.
    pub transactions_per_source: usize,
    /// Unanswered INVITEs from outside.
    pub pending_invites: usize,
    /// Dialogs.
    pub dialogs: usize,
    /// How long an INVITE may go unanswered, either way, before it is given up.
    pub ringing: Duration,
    /// What Retry-After says (RFC 3261 §20.33).
    pub retry_after: Duration,
    /// How long a session may go without a refresh (RFC 4028), whole seconds; zero turns session timers off.
    pub session_expires: Duration,
    /// The least of it that a peer may ask for: `Min-SE` (RFC 4028 §5), 90 s at least.
    pub min_session_expires: Duration,
}

impl Default for Limits {
    /// Room for about a thousand calls a second.
    fn default() -> Self {
        Limits {
            transactions: 131_072,
            transactions_per_source: 65_536,
            pending_invites: 4_096,
            dialogs: 16_384,
            ringing: Duration::from_secs(180),
            retry_after: Duration::from_secs(5),
            session_expires: Duration::from_secs(1_800),
            min_session_expires: Duration::from_secs(90),
        }
    }
}

/// All that a [`super::UserAgent`] must be told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who we are.
    pub identity: Identity,
    /// Protocol timers.
    pub timing: Timing,
    /// Bounds.
    pub limits: Limits,
}
