//! One question to the resolver.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{self, Name, RData, Record};
use tandem_sip::locate::{Answer, Naptr, Query, RecordType, Srv};

use super::DnsConfig;

/// The longest that an answer is kept, whatever its TTL says.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
/// The longest that an answer is kept that says no: what is not there today may be there soon.
const LONGEST_NO: Duration = Duration::from_secs(300);
/// Queries under way with one name server.
const ACTIVE: usize = 1_024;
/// Records of one answer that are read.
const MOST_RECORDS: usize = 128;

/// Asks the servers configured, else those of the system.
pub(super) fn resolver(config: &DnsConfig) -> Result<TokioResolver, NetError> {
    let mut builder = match config.servers.is_empty() {
        true => TokioResolver::builder_tokio()?,
        false => {
            let servers = config.servers.iter().map(name_server).collect();
            let servers = ResolverConfig::from_parts(None, Vec::new(), servers);
            TokioResolver::builder_with_config(servers, TokioRuntimeProvider::default())
        }
    };
    let options = builder.options_mut();
    // Twice within the time of the shortest round.
    options.timeout = config.timeout / 5;
    options.attempts = 2;
    options.cache_size = config.cache;
    options.positive_max_ttl = Some(LONGEST);
    options.negative_max_ttl = Some(LONGEST_NO);
    options.max_active_requests = ACTIVE;
    options.case_randomization = true;
    builder.build()
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = address.port();
    }
    NameServerConfig::new(address.ip(), true, connections)
}

/// What is said to a question; nothing where nobody answers, or with what cannot be read.
pub(super) async fn ask(resolver: &TokioResolver, query: &Query) -> Answer {
    let Some(name) = name_of(query) else { return Answer::Nothing };
    let record = match query.record {
        RecordType::Naptr => rr::RecordType::NAPTR,
        RecordType::Srv => rr::RecordType::SRV,
        RecordType::A => rr::RecordType::A,
        RecordType::Aaaa => rr::RecordType::AAAA,
    };
    match resolver.lookup(name, record).await {
        Ok(found) => read(query.record, found.answers()),
        Err(error) => {
            tracing::debug!(%query, %error, "nothing found");
            Answer::Nothing
        }
    }
}

/// Names with a dot are whole; others are completed by the search list of the system.
fn name_of(query: &Query) -> Option<Name> {
    let mut name = Name::from_ascii(&query.name).ok()?;
    if query.name.contains('.') {
        name.set_fqdn(true);
    }
    Some(name)
}

fn read(wanted: RecordType, records: &[Record]) -> Answer {
    let records = records.iter().take(MOST_RECORDS).map(|record| &record.data);
    match wanted {
        RecordType::Naptr => Answer::Naptr(records.filter_map(naptr).collect()),
        RecordType::Srv => Answer::Srv(records.filter_map(srv).collect()),
        RecordType::A | RecordType::Aaaa => Answer::Addresses(records.filter_map(address).collect()),
    }
}

fn naptr(data: &RData) -> Option<Naptr> {
    let RData::NAPTR(record) = data else { return None };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(Naptr {
        order: record.order,
        preference: record.preference,
        flags: text(&record.flags),
        service: text(&record.services),
        replacement: record.replacement.to_ascii(),
    })
}

fn srv(data: &RData) -> Option<Srv> {
    let RData::SRV(record) = data else { return None };
    Some(Srv {
        priority: record.priority,
        weight: record.weight,
        port: record.port,
        target: record.target.to_ascii(),
    })
}

const fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(record) => Some(IpAddr::V4(record.0)),
        RData::AAAA(record) => Some(IpAddr::V6(record.0)),
        _ => None,
    }
}
