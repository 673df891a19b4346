//! What is said on standard output once calls are taken.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use tandem_config::Config;
use tandem_sip::ua::Protocol;

use crate::version;

/// Says what to dial. Scripts may wait for the last line, `ready`.
pub fn announce(config: &Config, listening: &[(Protocol, SocketAddr)]) {
    let mut text = format!("{} takes calls\n", version::PRODUCT);
    for (protocol, address) in listening {
        text += &format!("  listening  {}:{address}\n", protocol.param());
    }
    if let Some((protocol, address)) = listening.first() {
        let place = place(config, *protocol, *address);
        for (user, what) in users(config) {
            text += &format!("  dial       sip:{user}@{place}  {what}\n");
        }
    }
    for (protocol, address) in listening.iter().skip(1) {
        text +=
            &format!("  {:9}  {}\n", format!("by {}", protocol.param()), uri(config, *protocol, *address));
    }
    text += "  console    not in this version\nready\n";
    // Nobody may be reading; the log says the same to whom it may concern.
    let _ = io::stdout().lock().write_all(text.as_bytes());
    tracing::info!(?listening, version = version::LONG, "ready");
}

/// Examples of what can be dialled.
fn users(config: &Config) -> Vec<(String, String)> {
    let mut users: Vec<(String, String)> = Vec::new();
    for room in config.rooms.fixed.iter().take(3) {
        users.push((room.name.clone(), "a room".to_owned()));
    }
    for pattern in config.rooms.ad_hoc.iter().take(3) {
        let text = pattern.to_string();
        let example = match text.split_once('-') {
            Some((first, _)) if !first.is_empty() && first.bytes().all(|b| b.is_ascii_digit()) => {
                first.to_owned()
            }
            _ => text.replace('*', "any"),
        };
        users.push((example, format!("a room, opened on demand ({text})")));
    }
    let services = &config.services;
    users.extend(services.echo.iter().map(|user| (user.clone(), "hear yourself".to_owned())));
    users.extend(services.tone.iter().map(|user| (user.clone(), "hear 1004 Hz".to_owned())));
    users
}

/// How to come by a listener other than the first: whom to dial, or what a browser connects to (RFC 7118 §5).
fn uri(config: &Config, protocol: Protocol, address: SocketAddr) -> String {
    let place = place(config, protocol, address);
    match protocol {
        Protocol::Ws | Protocol::Wss => {
            let server = place.split(';').next().unwrap_or_default();
            format!("{}://{server}", protocol.param())
        }
        _ => format!("sip:{}@{place}", users(config).first().map_or("any", |(user, _)| user)),
    }
}

/// Host, port and transport of a URI that reaches a listener.
fn place(config: &Config, protocol: Protocol, address: SocketAddr) -> String {
    let (host, port) = match &config.sip.advertise {
        Some(advertise) if protocol == Protocol::Udp || protocol == Protocol::Tcp => {
            (advertise.host.to_string(), advertise.port.map_or(address.port(), Into::into))
        }
        Some(advertise) => (advertise.host.to_string(), address.port()),
        None => (host(address.ip()), address.port()),
    };
    let port = if port == protocol.default_port() { String::new() } else { format!(":{port}") };
    let transport = match protocol {
        Protocol::Udp => String::new(),
        other => format!(";transport={}", other.param()),
    };
    format!("{host}{port}{transport}")
}

fn host(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => outside().unwrap_or(Ipv4Addr::LOCALHOST.into()).to_string(),
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) if ip.is_unspecified() => "[::1]".to_owned(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// This machine's address on the way to the rest of the world, by asking the kernel for a route to an address
/// that nobody has (RFC 5737).
pub fn outside() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}
