//! `a=candidate` (RFC 8839 §5.1, RFC 6544 §4.5).

use std::net::{IpAddr, SocketAddr};

use tandem_base::{
    Candidate, CandidateAddress, CandidateKind, CandidateTransport, Foundation, HostName, TcpType,
};

/// Extension attributes of one candidate that are looked at.
const MAX_EXTENSIONS: usize = 16;

/// Reads a value; `None` for what cannot be used: another transport or kind, an address that is no single host, port 0.
pub(crate) fn read(value: &str) -> Option<Candidate> {
    let mut fields = value.split_ascii_whitespace();
    let foundation = Foundation::new(fields.next()?)?;
    let component = fields.next()?.parse().ok().filter(|component| *component != 0)?;
    let transport = fields.next()?;
    let priority = fields.next()?.parse().ok().filter(|priority| (1..1 << 31).contains(priority))?;
    let address = address(fields.next()?)?;
    let port = fields.next()?.parse().ok().filter(|port| *port != 0)?;
    fields.next().filter(|word| word.eq_ignore_ascii_case("typ"))?;
    let kind = kind(fields.next()?)?;
    let rest = Extensions::read(fields);
    let transport = match transport {
        udp if udp.eq_ignore_ascii_case("udp") => CandidateTransport::Udp,
        tcp if tcp.eq_ignore_ascii_case("tcp") => CandidateTransport::Tcp(tcp_type(rest.tcp_type?)?),
        _ => return None,
    };
    let related = rest.related_address.zip(rest.related_port).map(|(ip, port)| SocketAddr::new(ip, port));
    Some(Candidate { foundation, component, transport, priority, address, port, kind, related })
}

/// What follows the kind, in pairs of name and value; those that are unknown are skipped (RFC 8839 §5.1).
#[derive(Default)]
struct Extensions<'a> {
    related_address: Option<IpAddr>,
    related_port: Option<u16>,
    tcp_type: Option<&'a str>,
}

impl<'a> Extensions<'a> {
    fn read(mut fields: impl Iterator<Item = &'a str>) -> Self {
        let mut read = Extensions::default();
        for _ in 0..MAX_EXTENSIONS {
            let (Some(name), Some(value)) = (fields.next(), fields.next()) else { break };
            match name {
                "raddr" => read.related_address = value.parse().ok(),
                "rport" => read.related_port = value.parse().ok(),
                "tcptype" => read.tcp_type = Some(value),
                _ => {}
            }
        }
        read
    }
}

fn address(text: &str) -> Option<CandidateAddress> {
    let Ok(ip) = text.parse::<IpAddr>().map(|ip| ip.to_canonical()) else {
        return HostName::new(text).map(CandidateAddress::Name);
    };
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    (!ip.is_unspecified() && !ip.is_multicast() && !broadcast).then_some(CandidateAddress::Ip(ip))
}

fn kind(text: &str) -> Option<CandidateKind> {
    use CandidateKind::{Host, PeerReflexive, Relayed, ServerReflexive};
    [Host, ServerReflexive, PeerReflexive, Relayed].into_iter().find(|kind| kind.as_str() == text)
}

fn tcp_type(text: &str) -> Option<TcpType> {
    use TcpType::{Active, Passive, SimultaneousOpen};
    [Active, Passive, SimultaneousOpen].into_iter().find(|kind| kind.as_str() == text)
}

/// The value as we write it.
pub(crate) fn write(candidate: &Candidate) -> String {
    let Candidate { foundation, component, priority, port, kind, .. } = candidate;
    let (transport, tcp_type) = match candidate.transport {
        CandidateTransport::Udp => ("udp", String::new()),
        CandidateTransport::Tcp(kind) => ("tcp", format!(" tcptype {}", kind.as_str())),
    };
    let address = match &candidate.address {
        CandidateAddress::Ip(ip) => ip.to_string(),
        CandidateAddress::Name(name) => name.to_string(),
    };
    let related = candidate.related.map(|at| format!(" raddr {} rport {}", at.ip(), at.port()));
    let related = related.unwrap_or_default();
    let kind = kind.as_str();
    format!("{foundation} {component} {transport} {priority} {address} {port} typ {kind}{related}{tcp_type}")
}

/// The default destination (RFC 8839 §4.2.1.2): what is reached from farthest comes first, and UDP alone serves.
pub(crate) fn default(candidates: &[Candidate]) -> Option<SocketAddr> {
    let rank = |kind| match kind {
        CandidateKind::Relayed => 0,
        CandidateKind::ServerReflexive | CandidateKind::PeerReflexive => 1,
        CandidateKind::Host => 2,
    };
    let udp = candidates.iter().filter(|candidate| candidate.transport == CandidateTransport::Udp);
    udp.filter_map(|candidate| Some((rank(candidate.kind), candidate.socket_addr()?)))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, address)| address)
}
