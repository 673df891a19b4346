use std::net::SocketAddr;
use std::time::Duration;

use tandem_base::{Entropy, Sink, Time};

use crate::Datagram;
use crate::stun::{StunClass, StunOutline, binding_request};

/// When an unanswered request is repeated first; doubled each time (RFC 8489 §6.2.1).
const FIRST_REPEAT: Duration = Duration::from_millis(500);
/// Requests of one question (RFC 8489 §6.2.1, Rc).
const REQUESTS: u32 = 7;
/// How often the NAT's binding is asked for again, which also keeps it (RFC 8445 §11).
const REFRESH: Duration = Duration::from_secs(20);

/// The address under which a STUN server sees one of our sockets: the server-reflexive candidate of all its legs.
#[derive(Clone, Debug)]
pub struct ReflexiveAddress {
    local: SocketAddr,
    server: SocketAddr,
    transaction: [u8; 12],
    requests: u32,
    due: Time,
    mapped: Option<SocketAddr>,
}

impl ReflexiveAddress {
    /// Asks at its first [`ReflexiveAddress::handle_timeout`], which is due at once.
    pub const fn new(local: SocketAddr, server: SocketAddr) -> Self {
        ReflexiveAddress { local, server, transaction: [0; 12], requests: 0, due: Time::ZERO, mapped: None }
    }

    /// The address, while the server answers.
    pub const fn mapped(&self) -> Option<SocketAddr> {
        self.mapped
    }

    /// When it has to be called.
    pub const fn deadline(&self) -> Time {
        self.due
    }

    /// Asks, or repeats the question. An address of which nothing was heard for one whole question is given up.
    pub fn handle_timeout(&mut self, entropy: &mut impl Entropy, now: Time, out: &mut impl Sink<Datagram>) {
        if now < self.due {
            return;
        }
        if self.requests == REQUESTS {
            self.mapped = None;
            self.requests = 0;
        }
        if self.requests == 0 {
            entropy.fill(&mut self.transaction);
        }
        self.due = now + FIRST_REPEAT * (1 << self.requests);
        self.requests += 1;
        let octets = binding_request(self.transaction).to_vec();
        out.emit(Datagram { from: self.local, to: self.server, octets });
    }

    /// Takes the server's answer; true where the address is new or another. Anything else is ignored.
    pub fn receive(&mut self, from: SocketAddr, datagram: &[u8], now: Time) -> bool {
        let answer = StunOutline::parse(datagram).filter(|answer| {
            from == self.server && self.requests > 0 && answer.transaction == self.transaction
        });
        let Some(answer) = answer.filter(|answer| answer.class == StunClass::Success) else { return false };
        self.requests = 0;
        self.due = now + REFRESH;
        let changed = answer.mapped.is_some() && self.mapped != answer.mapped;
        self.mapped = answer.mapped.or(self.mapped);
        changed
    }
}

#[cfg(test)]
mod tests;
