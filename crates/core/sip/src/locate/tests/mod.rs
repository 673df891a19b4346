mod avoided;
mod examples;
mod order;
mod random;

use std::collections::BTreeMap;

use tandem_testkit::Seeded;

use super::*;
use crate::{Transport, Uri, Via};

/// A few records, and what was asked for.
#[derive(Default)]
struct Zone {
    records: BTreeMap<Query, Answer>,
    asked: Vec<String>,
}

/// `order preference service replacement`, all with flag `s`.
fn naptr(text: &str) -> Naptr {
    let [order, preference, service, replacement] = text.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{text}")
    };
    Naptr {
        order: order.parse().unwrap(),
        preference: preference.parse().unwrap(),
        flags: "s".to_owned(),
        service: service.to_owned(),
        replacement: replacement.to_owned(),
    }
}

/// `priority weight port target`.
fn srv(text: &str) -> Srv {
    let [priority, weight, port, target] = text.split(' ').collect::<Vec<_>>()[..] else { panic!("{text}") };
    Srv {
        priority: priority.parse().unwrap(),
        weight: weight.parse().unwrap(),
        port: port.parse().unwrap(),
        target: target.to_owned(),
    }
}

impl Zone {
    fn with(mut self, record: RecordType, name: &str, answer: Answer) -> Self {
        self.records.insert(Query { record, name: name.to_owned() }, answer);
        self
    }

    fn naptr(self, name: &str, records: &[&str]) -> Self {
        self.with(RecordType::Naptr, name, Answer::Naptr(records.iter().map(|text| naptr(text)).collect()))
    }

    fn srv(self, name: &str, records: &[&str]) -> Self {
        self.with(RecordType::Srv, name, Answer::Srv(records.iter().map(|text| srv(text)).collect()))
    }

    /// IPv4 and IPv6 addresses, mixed.
    fn host(mut self, name: &str, addresses: &[&str]) -> Self {
        for (record, is_ipv4) in [(RecordType::A, true), (RecordType::Aaaa, false)] {
            let all = addresses.iter().map(|text| text.parse::<std::net::IpAddr>().unwrap());
            let of_kind: Vec<_> = all.filter(|ip| ip.is_ipv4() == is_ipv4).collect();
            if !of_kind.is_empty() {
                self = self.with(record, name, Answer::Addresses(of_kind));
            }
        }
        self
    }

    /// Where a search ends, each as `udp 192.0.2.1:5060`.
    fn find(&mut self, mut search: Search, seed: u64) -> Vec<String> {
        let mut entropy = Seeded::new(seed);
        let mut rounds = 0;
        while !search.queries().is_empty() {
            rounds += 1;
            assert!(rounds <= 3, "{search:?}");
            for query in search.queries() {
                self.asked.push(query.to_string());
                let answer = self.records.get(&query).cloned().unwrap_or(Answer::Nothing);
                search.answer(&query, answer, &mut entropy);
            }
        }
        let hops = search.hops().unwrap();
        hops.iter().map(|hop| format!("{} {}", hop.transport.param(), hop.remote)).collect()
    }

    fn of_uri(&mut self, uri: &str, reach: Reach) -> Vec<String> {
        self.find(Search::new(Destination::of_uri(&Uri::parse(uri).unwrap()).unwrap(), reach), 1)
    }
}

/// UDP, TCP and TLS over IPv4 and IPv6.
fn all() -> Reach {
    of(&[Transport::Udp, Transport::Tcp, Transport::Tls])
}

fn of(transports: &[Transport]) -> Reach {
    Reach { ipv4: transports.to_vec(), ipv6: transports.to_vec() }
}
