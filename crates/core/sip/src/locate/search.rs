use std::net::{IpAddr, SocketAddr};

use tandem_base::Entropy;

use crate::{Host, Transport};

use super::{Answer, Destination, Query, Reach, RecordType, Srv, naptr, srv};

/// Most places that a search ends with.
pub const MOST_HOPS: usize = 16;
/// Most host names whose addresses are asked for.
const MOST_NAMES: usize = 8;
/// Addresses of one answer that are looked at.
const MOST_ADDRESSES: usize = 16;

/// Where to try: what to speak, and with whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hop {
    /// What to speak.
    pub transport: Transport,
    /// With whom.
    pub remote: SocketAddr,
}

/// One search for a server (RFC 3263 §4, §5).
///
/// Ask what [`Search::queries`] lists, hand each answer to [`Search::answer`], and repeat until nothing is listed any
/// more. [`Search::hops`] then has the result.
#[derive(Clone, Debug)]
pub struct Search {
    destination: Destination,
    reach: Reach,
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    /// Which transports does the domain offer (§4.1)?
    Naptr(Query),
    /// Where does it offer each (§4.1, §4.2)?
    Srv(Vec<Service>),
    /// Which addresses do the hosts have (§4.2)?
    Addresses { places: Vec<Place>, names: Vec<Asked<Vec<IpAddr>>> },
    /// Ordered.
    Done(Vec<Hop>),
}

/// A query and what was said to it.
#[derive(Clone, Debug)]
struct Asked<T> {
    query: Query,
    answer: Option<T>,
}

#[derive(Clone, Debug)]
struct Service {
    transport: Transport,
    asked: Asked<Vec<Srv>>,
}

/// A host that serves, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    transport: Transport,
    name: String,
    port: u16,
}

impl Search {
    /// Begins; done at once where the host is an address, or where we do not speak what is wanted.
    pub fn new(destination: Destination, reach: Reach) -> Self {
        let mut search = Search { destination, reach, stage: Stage::Done(Vec::new()) };
        search.stage = search.first();
        search
    }

    fn first(&self) -> Stage {
        let Destination { transport, host, port, .. } = &self.destination;
        if let Some(hop) = self.destination.numeric() {
            return Stage::Done(
                self.reach.reaches(hop.transport, hop.remote.ip()).then_some(hop).into_iter().collect(),
            );
        }
        let Host::Name(name) = host else { return Stage::Done(Vec::new()) };
        // RFC 6761 §6.4: no such name exists. Browsers put it into their Contacts.
        if is_invalid(name) {
            return Stage::Done(Vec::new());
        }
        match (*transport, port) {
            (None, Some(_)) => self.hosts_of_domain(self.fallback()),
            (Some(transport), Some(_)) => self.hosts_of_domain(transport),
            (Some(transport), None) => self.services(vec![(transport, None)]),
            (None, None) => Stage::Naptr(Query { record: RecordType::Naptr, name: name.clone() }),
        }
    }

    /// The domain that is searched for; `None` for an address. A TLS server's certificate must be for it
    /// (RFC 5922 §7.2), whatever the names on the way there.
    pub fn domain(&self) -> Option<&str> {
        match &self.destination.host {
            Host::Name(name) => Some(name.strip_suffix('.').unwrap_or(name)),
            _ => None,
        }
    }

    /// What is yet to be asked in this round; nothing once all is known.
    pub fn queries(&self) -> Vec<Query> {
        match &self.stage {
            Stage::Naptr(query) => vec![query.clone()],
            Stage::Srv(services) => open(services.iter().map(|service| &service.asked)),
            Stage::Addresses { names, .. } => open(names),
            Stage::Done(_) => Vec::new(),
        }
    }

    /// Takes the answer to one of [`Search::queries`]; to any other it is ignored. One of the wrong kind is none.
    pub fn answer(&mut self, query: &Query, answer: Answer, entropy: &mut (impl Entropy + ?Sized)) {
        match &mut self.stage {
            Stage::Naptr(asked) if asked == query => {
                let Answer::Naptr(records) = answer else { return self.stage = self.without_naptr() };
                let found = naptr::services(records, &self.destination, &self.reach);
                self.stage = match found.is_empty() {
                    true => self.without_naptr(),
                    false => self.services(found.into_iter().map(|(t, name)| (t, Some(name))).collect()),
                };
            }
            Stage::Srv(services) => {
                let records = if let Answer::Srv(records) = answer { records } else { Vec::new() };
                note(services.iter_mut().map(|service| &mut service.asked), query, &records);
                if services.iter().all(|service| service.asked.answer.is_some()) {
                    self.stage = self.places(entropy);
                }
            }
            Stage::Addresses { names, .. } => {
                let mut addresses = if let Answer::Addresses(all) = answer { all } else { Vec::new() };
                addresses.truncate(MOST_ADDRESSES);
                note(names.iter_mut(), query, &addresses);
                if names.iter().all(|asked| asked.answer.is_some()) {
                    self.stage = Stage::Done(self.ordered());
                }
            }
            Stage::Naptr(_) | Stage::Done(_) => {}
        }
    }

    /// Where to try, the best first, [`MOST_HOPS`] at most; `None` while queries are open.
    pub fn hops(&self) -> Option<&[Hop]> {
        match &self.stage {
            Stage::Done(hops) => Some(hops),
            _ => None,
        }
    }

    /// §4.1: "if no NAPTR records are found, the client constructs SRV queries for those transport protocols it
    /// supports".
    fn without_naptr(&self) -> Stage {
        let supported: &[Transport] =
            if self.destination.secure { &[Transport::Tls] } else { &[Transport::Udp, Transport::Tcp] };
        let spoken = supported.iter().filter(|transport| self.reach.speaks(**transport));
        self.services(spoken.map(|transport| (*transport, None)).collect())
    }

    /// Asks for SRV of these names, or of those made from the domain.
    fn services(&self, wanted: Vec<(Transport, Option<String>)>) -> Stage {
        let Host::Name(domain) = &self.destination.host else { return Stage::Done(Vec::new()) };
        let services: Vec<Service> = wanted
            .into_iter()
            .filter(|(transport, _)| self.reach.speaks(*transport))
            .map(|(transport, name)| {
                let name = name.unwrap_or_else(|| format!("{}.{domain}", service_labels(transport)));
                let asked = Asked { query: Query { record: RecordType::Srv, name }, answer: None };
                Service { transport, asked }
            })
            .collect();
        if services.is_empty() { Stage::Done(Vec::new()) } else { Stage::Srv(services) }
    }

    /// From the SRV records to hosts; without any, the domain itself is one (§4.2).
    fn places(&mut self, entropy: &mut (impl Entropy + ?Sized)) -> Stage {
        let Stage::Srv(services) = &mut self.stage else { return Stage::Done(Vec::new()) };
        let services = std::mem::take(services);
        let preferred = services.first().map(|service| service.transport);
        let some =
            services.iter().any(|s| s.asked.answer.as_ref().is_some_and(|records| !records.is_empty()));
        if !some {
            // With NAPTR or by the URI the transport is known; else it is the default one.
            let known = if services.len() == 1 { preferred } else { None };
            return self.hosts_of_domain(known.unwrap_or_else(|| self.fallback()));
        }
        let mut places = Vec::new();
        for Service { transport, asked } in services {
            for Srv { target, port, .. } in srv::order(asked.answer.unwrap_or_default(), entropy) {
                places.push(Place { transport, name: target, port });
            }
        }
        self.hosts(places)
    }

    /// Where nobody says which: the default transport, or what we speak.
    fn fallback(&self) -> Transport {
        let default = self.destination.default_transport();
        let speaks = self.destination.secure || self.reach.speaks(default);
        if speaks { default } else { Transport::Tcp }
    }

    fn hosts_of_domain(&self, transport: Transport) -> Stage {
        let Host::Name(name) = &self.destination.host else { return Stage::Done(Vec::new()) };
        let port = self.destination.port.unwrap_or(transport.default_port());
        self.hosts(vec![Place { transport, name: name.clone(), port }])
    }

    /// RFC 7984 §3: both kinds of addresses are asked for, of those that we can use.
    fn hosts(&self, mut places: Vec<Place>) -> Stage {
        places.truncate(MOST_HOPS);
        let mut names: Vec<Asked<Vec<IpAddr>>> = Vec::new();
        for Place { transport, name, .. } in &places {
            let kinds = [(RecordType::Aaaa, &self.reach.ipv6), (RecordType::A, &self.reach.ipv4)];
            for (record, _) in kinds.into_iter().filter(|(_, spoken)| spoken.contains(transport)) {
                let query = Query { record, name: name.clone() };
                let is_known = names.iter().any(|asked| asked.query == query);
                if !is_known && names.len() < 2 * MOST_NAMES {
                    names.push(Asked { query, answer: None });
                }
            }
        }
        if names.is_empty() { Stage::Done(Vec::new()) } else { Stage::Addresses { places, names } }
    }

    /// All addresses of one host before those of the next (RFC 7984 §4), IPv6 before IPv4 (RFC 6724 §2.1).
    fn ordered(&self) -> Vec<Hop> {
        let Stage::Addresses { places, names } = &self.stage else { return Vec::new() };
        let mut hops: Vec<Hop> = Vec::new();
        for Place { transport, name, port } in places {
            for record in [RecordType::Aaaa, RecordType::A] {
                let of_name = names.iter().filter(|a| a.query.record == record && a.query.name == *name);
                for ip in of_name.flat_map(|asked| asked.answer.iter().flatten()) {
                    let hop =
                        Hop { transport: *transport, remote: SocketAddr::new(ip.to_canonical(), *port) };
                    if is_host(&hop.remote.ip())
                        && self.reach.reaches(*transport, hop.remote.ip())
                        && !hops.contains(&hop)
                    {
                        hops.push(hop);
                    }
                }
            }
        }
        hops.truncate(MOST_HOPS);
        hops
    }
}

fn open<'a, T: 'a>(asked: impl IntoIterator<Item = &'a Asked<T>>) -> Vec<Query> {
    asked.into_iter().filter(|asked| asked.answer.is_none()).map(|asked| asked.query.clone()).collect()
}

fn note<'a, T: Clone + 'a>(all: impl Iterator<Item = &'a mut Asked<T>>, query: &Query, answer: &T) {
    for asked in all.filter(|asked| asked.query == *query && asked.answer.is_none()) {
        asked.answer = Some(answer.clone());
    }
}

/// RFC 3263 §4.2, RFC 2782; WebSocket has none of its own, and is asked for as in the field.
const fn service_labels(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
        Transport::Ws => "_sip._ws",
        Transport::Wss => "_sips._ws",
    }
}

fn is_invalid(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.rsplit('.').next().is_some_and(|label| label.eq_ignore_ascii_case("invalid"))
}

/// Can one host be addressed by it?
fn is_host(ip: &IpAddr) -> bool {
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    !ip.is_unspecified() && !ip.is_multicast() && !broadcast
}
