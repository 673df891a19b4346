//! From NAPTR records to transports (RFC 3263 §4.1).

use crate::Transport;

use super::{Destination, Naptr, Reach};

/// Records of one answer that are looked at.
const MOST_RECORDS: usize = 64;
/// Services that are followed up.
const MOST_SERVICES: usize = 4;

/// Transport and name for SRV, in the order in which the domain wants them used; empty when nothing fits.
pub(super) fn services(
    mut records: Vec<Naptr>,
    destination: &Destination,
    reach: &Reach,
) -> Vec<(Transport, String)> {
    records.truncate(MOST_RECORDS);
    let mut fitting: Vec<(u16, u16, Transport, String)> = records
        .into_iter()
        .filter(|record| record.flags.eq_ignore_ascii_case("s") && record.replacement.len() > 1)
        .filter_map(|record| {
            let transport = service(&record.service, destination.secure)?;
            Some((record.order, record.preference, transport, record.replacement))
        })
        .filter(|(_, _, transport, _)| reach.speaks(*transport))
        .collect();
    fitting.sort_by_key(|(order, preference, ..)| (*order, *preference));
    // RFC 3403 §4.1: once a match is found, records of a different order must not be considered.
    let lowest = fitting.first().map(|record| record.0);
    let chosen = fitting.into_iter().filter(|record| Some(record.0) == lowest);
    chosen.take(MOST_SERVICES).map(|(_, _, transport, name)| (transport, name)).collect()
}

/// RFC 3263 §4.1, RFC 7118 §8.3. `sips` takes those that are secure only.
fn service(text: &str, secure: bool) -> Option<Transport> {
    let (scheme, transport) = text.split_once('+')?;
    let of_sips = scheme.eq_ignore_ascii_case("SIPS");
    if !of_sips && (secure || !scheme.eq_ignore_ascii_case("SIP")) {
        return None;
    }
    match (transport.to_ascii_uppercase().as_str(), of_sips) {
        ("D2U", false) => Some(Transport::Udp),
        ("D2T", false) => Some(Transport::Tcp),
        ("D2T", true) => Some(Transport::Tls),
        ("D2W", false) => Some(Transport::Ws),
        ("D2W", true) => Some(Transport::Wss),
        _ => None,
    }
}
