use std::fmt;
use std::net::IpAddr;

/// What is asked of the DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordType {
    /// RFC 3403.
    Naptr,
    /// RFC 2782.
    Srv,
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Query {
    /// What is wanted.
    pub record: RecordType,
    /// Of which name; as written, so perhaps without its last dot.
    pub name: String,
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = match self.record {
            RecordType::Naptr => "NAPTR",
            RecordType::Srv => "SRV",
            RecordType::A => "A",
            RecordType::Aaaa => "AAAA",
        };
        write!(f, "{record} {}", self.name)
    }
}

/// One NAPTR record (RFC 3403 §4.1), without the regular expression that SIP has no use for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naptr {
    /// Lower ones first; once one fits, those of other orders do not count.
    pub order: u16,
    /// Lower ones first within an order.
    pub preference: u16,
    /// `s` for SIP.
    pub flags: String,
    /// `SIP+D2U`, `SIPS+D2T`, …
    pub service: String,
    /// Name whose SRV records tell more.
    pub replacement: String,
}

/// One SRV record (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv {
    /// Lower ones first.
    pub priority: u16,
    /// Share within a priority.
    pub weight: u16,
    /// Where the service listens.
    pub port: u16,
    /// Host; `.` says that there is no such service.
    pub target: String,
}

/// What the DNS says to a [`Query`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To a query for NAPTR.
    Naptr(Vec<Naptr>),
    /// To a query for SRV.
    Srv(Vec<Srv>),
    /// To a query for A or AAAA.
    Addresses(Vec<IpAddr>),
    /// No such name, no such record, no answer in time, or none that can be read.
    Nothing,
}
