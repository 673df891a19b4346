//! Checks between values that are right each for itself.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::check::Places;
use crate::document::{Place, Problems};
use crate::model::{Config, Host, Protocol};
use crate::problem::Wrong;

pub(crate) fn check(config: &Config, places: &Places, p: &mut Problems<'_>) {
    listeners(places, p);
    http(config, places, p);
    media_ports(config, places, p);
    families(config, places, p);
    names(places, p);
    let sip = &config.sip;
    if let Some(at) = &places.min_session_expires
        && !sip.session_expires.is_zero()
        && sip.min_session_expires > sip.session_expires
    {
        p.note(at, Wrong::LongMinSession);
    }
    if let Some(at) = &places.max_connections_per_source
        && sip.connections.max_per_source > sip.connections.max
    {
        p.note(at, Wrong::ManyPerSource { max: sip.connections.max });
    }
    let pairs = config.media.ports.pairs();
    if let Some(max_calls) = places.max_calls.as_ref().filter(|max| max.value > u64::from(pairs)) {
        p.note(&max_calls.at, Wrong::FewPorts { pairs });
    }
}

/// Does binding one keep the other from being bound? Port 0 never does.
fn collide(a: SocketAddr, b: SocketAddr) -> bool {
    let same_host = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && a.is_ipv4() == b.is_ipv4() && same_host
}

fn listeners(places: &Places, p: &mut Problems<'_>) {
    for (index, one) in places.listen.iter().enumerate() {
        let earlier = places.listen.iter().take(index);
        let is_udp = one.value.protocol == Protocol::Udp;
        let mut same = earlier.filter(|other| {
            (other.value.protocol == Protocol::Udp) == is_udp
                && collide(other.value.address, one.value.address)
        });
        if let Some(other) = same.next() {
            bound(one.value.address, &one.at, &other.at, p);
        }
    }
}

fn bound(address: SocketAddr, at: &Place, earlier: &Place, p: &mut Problems<'_>) {
    let line = p.line(earlier);
    p.note(at, Wrong::Bound { address, line });
}

fn http(config: &Config, places: &Places, p: &mut Problems<'_>) {
    let Some(at) = &places.http else { return };
    let tcp = places.listen.iter().filter(|found| found.value.protocol != Protocol::Udp);
    for other in tcp.filter(|other| collide(other.value.address, config.http.listen)) {
        bound(config.http.listen, at, &other.at, p);
    }
}

fn media_ports(config: &Config, places: &Places, p: &mut Problems<'_>) {
    let media = |port| SocketAddr::new(config.media.address, port);
    for found in places.listen.iter().filter(|found| found.value.protocol == Protocol::Udp) {
        let port = found.value.address.port();
        let ports = config.media.ports;
        if ports.contains(port) && collide(found.value.address, media(port)) {
            let written = places.ports.as_ref().filter(|_| !found.at.is_somewhere());
            p.note(written.unwrap_or(&found.at), Wrong::InMediaPorts { port, ports });
        }
    }
}

fn families(config: &Config, places: &Places, p: &mut Problems<'_>) {
    if let (Some(at), Some(address)) = (&places.media_advertise, config.media.advertise)
        && address.is_ipv4() != config.media.address.is_ipv4()
    {
        p.note(at, Wrong::Family { address, other: "media.address" });
    }
    if let (Some(at), Some(address)) = (&places.sip_advertise, advertised(config))
        && !config.sip.listen.iter().any(|listener| listener.address.is_ipv4() == address.is_ipv4())
        && !config.sip.listen.is_empty()
    {
        p.note(at, Wrong::Family { address, other: "any of sip.listen" });
    }
}

fn advertised(config: &Config) -> Option<IpAddr> {
    match config.sip.advertise.as_ref()?.host {
        Host::Address(address) => Some(address),
        Host::Name(_) => None,
    }
}

fn names(places: &Places, p: &mut Problems<'_>) {
    let mut taken: BTreeMap<&str, Option<usize>> = BTreeMap::new();
    // A default that nobody wrote comes first, so that the written name is the one that is blamed.
    let (written, defaults): (Vec<_>, Vec<_>) =
        places.names.iter().partition(|found| found.at.is_somewhere());
    for found in defaults.into_iter().chain(written) {
        let name = found.value.as_str();
        match taken.get(name) {
            Some(line) => p.note(&found.at, Wrong::Named { name: name.to_owned(), line: *line }),
            None => {
                let line = found.at.is_somewhere().then(|| p.line(&found.at));
                taken.insert(name, line);
            }
        }
    }
}
