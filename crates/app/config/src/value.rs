//! Strings to values; what cannot be read says what would be right.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use tandem_base::{ClockRate, SrtpPolicy};
use tandem_routing::{Pattern, check_room_name};

use crate::model::{Advertise, Host, Listener, LogFormat, LogLevel, PortRange, Protocol};
use crate::nearest::nearest;
use crate::problem::Wrong;

/// `udp:0.0.0.0:5060`.
pub(crate) fn listener(text: &str) -> Result<Listener, Wrong> {
    let wrong = || Wrong::Listener { found: text.to_owned() };
    let (protocol, address) = text.split_once(':').ok_or_else(wrong)?;
    let protocol = Protocol::ALL.into_iter().find(|known| known.as_str() == protocol).ok_or_else(wrong)?;
    let address: SocketAddr = address.parse().map_err(|_| wrong())?;
    bindable(address.ip())?;
    Ok(Listener { protocol, address })
}

/// `127.0.0.1:8080`.
pub(crate) fn socket_address(text: &str) -> Result<SocketAddr, Wrong> {
    let address: SocketAddr = text.parse().map_err(|_| Wrong::SocketAddress { found: text.to_owned() })?;
    bindable(address.ip())?;
    Ok(address)
}

/// `192.0.2.53` or `192.0.2.53:5353`.
pub(crate) fn name_server(text: &str) -> Result<SocketAddr, Wrong> {
    let wrong = || Wrong::NameServer { found: text.to_owned() };
    let address = match text.parse::<IpAddr>() {
        Ok(ip) => SocketAddr::new(ip, 53),
        Err(_) => text.parse().ok().filter(|address: &SocketAddr| address.port() != 0).ok_or_else(wrong)?,
    };
    reachable(address.ip())?;
    Ok(address)
}

/// An address to bind to; unspecified is every address of the machine.
pub(crate) fn local_address(text: &str) -> Result<IpAddr, Wrong> {
    let address = text.parse().map_err(|_| Wrong::Address { found: text.to_owned() })?;
    bindable(address)?;
    Ok(address)
}

/// An address for a peer to reach.
pub(crate) fn public_address(text: &str) -> Result<IpAddr, Wrong> {
    let address = text.parse().map_err(|_| Wrong::Address { found: text.to_owned() })?;
    reachable(address)?;
    Ok(address)
}

fn bindable(address: IpAddr) -> Result<(), Wrong> {
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    if address.is_multicast() || broadcast { Err(Wrong::Unusable { address }) } else { Ok(()) }
}

fn reachable(address: IpAddr) -> Result<(), Wrong> {
    if address.is_unspecified() { Err(Wrong::Unusable { address }) } else { bindable(address) }
}

/// A host, with or without a port.
pub(crate) fn advertise(text: &str) -> Result<Advertise, Wrong> {
    let wrong = || Wrong::Host { found: text.to_owned() };
    if let Ok(address) = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        reachable(address)?;
        return Ok(Advertise { host: Host::Address(address), port: None });
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse::<NonZeroU16>().map_err(|_| wrong())?)),
        None => (text, None),
    };
    if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        reachable(address)?;
        return Ok(Advertise { host: Host::Address(address), port });
    }
    if is_domain_name(host) {
        Ok(Advertise { host: Host::Name(host.to_owned()), port })
    } else {
        Err(wrong())
    }
}

/// RFC 3261 §25.1 `hostname`: the last label starts with a letter, so that 1.2.3.400 is no name.
fn is_domain_name(text: &str) -> bool {
    let labels = text.strip_suffix('.').unwrap_or(text).split('.');
    let label = |label: &str| {
        let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        inner && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    let last_is_alphabetic =
        labels.clone().next_back().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_alphabetic()));
    text.len() <= 253 && last_is_alphabetic && labels.clone().all(label)
}

/// `20000-29999`.
pub(crate) fn ports(text: &str) -> Result<PortRange, Wrong> {
    let wrong = || Wrong::Ports { found: text.to_owned() };
    let (first, last) = text.split_once('-').ok_or_else(wrong)?;
    let first: u16 = first.trim().parse().map_err(|_| wrong())?;
    let last: u16 = last.trim().parse().map_err(|_| wrong())?;
    match () {
        () if first < 1024 => Err(wrong()),
        () if last <= first => Err(Wrong::NoPair { found: text.to_owned() }),
        () if first % 2 == 1 => Err(Wrong::OddPort { first }),
        () => Ok(PortRange { first, last }),
    }
}

/// `30s`; at most a day, so that an end stays in sight.
pub(crate) fn duration(text: &str) -> Result<Duration, Wrong> {
    let wrong = || Wrong::Duration { found: text.to_owned() };
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at_checked(digits).ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let millis: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    let duration = Duration::from_millis(number.checked_mul(millis).ok_or_else(wrong)?);
    if duration <= Duration::from_secs(86_400) { Ok(duration) } else { Err(wrong()) }
}

/// How long a connection may be silent.
pub(crate) fn idle_timeout(text: &str) -> Result<Duration, Wrong> {
    between(text, (Duration::from_secs(10), "10s"), (Duration::from_secs(86_400), "24h"))
}

/// How long a message may take to be written.
pub(crate) fn write_timeout(text: &str) -> Result<Duration, Wrong> {
    between(text, (Duration::from_millis(100), "100ms"), (Duration::from_secs(60), "1m"))
}

/// A duration that must end; bounds with how they are written.
fn between(
    text: &str,
    low: (Duration, &'static str),
    high: (Duration, &'static str),
) -> Result<Duration, Wrong> {
    let fits = duration(text).ok().filter(|duration| (low.0..=high.0).contains(duration));
    fits.ok_or_else(|| Wrong::Wait { found: text.to_owned(), low: low.1, high: high.1 })
}

/// The shortest session that RFC 4028 §4 knows.
pub(crate) const LEAST_SESSION: Duration = Duration::from_secs(90);

/// How long a session lives without a refresh; zero is for ever.
pub(crate) fn session(text: &str) -> Result<Duration, Wrong> {
    let wrong = || Wrong::Session { found: text.to_owned() };
    let duration = duration(text).map_err(|_| wrong())?;
    let fits = duration.subsec_nanos() == 0 && (duration.is_zero() || duration >= LEAST_SESSION);
    if fits { Ok(duration) } else { Err(wrong()) }
}

/// The same, but never for ever.
pub(crate) fn min_session(text: &str) -> Result<Duration, Wrong> {
    let wrong = Wrong::MinSession { found: text.to_owned() };
    session(text).ok().filter(|duration| !duration.is_zero()).ok_or(wrong)
}

/// The name of a room: the user part to dial, unescaped.
pub(crate) fn name(text: &str) -> Result<String, Wrong> {
    match check_room_name(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(reason) => Err(Wrong::Name { found: text.to_owned(), reason }),
    }
}

/// The user part of a service; empty is off.
pub(crate) fn service(text: &str) -> Result<Option<String>, Wrong> {
    if text.is_empty() { Ok(None) } else { name(text).map(Some) }
}

/// A pattern of user parts.
pub(crate) fn pattern(text: &str) -> Result<Pattern, Wrong> {
    text.parse().map_err(|reason| Wrong::Pattern { found: text.to_owned(), reason })
}

/// A path; whether there is a file is for those who open it.
pub(crate) fn path(text: &str) -> Result<PathBuf, Wrong> {
    if text.is_empty() || text.contains('\0') {
        Err(Wrong::Path { found: text.to_owned() })
    } else {
        Ok(PathBuf::from(text))
    }
}

/// The name of a `[[tls.host]]`.
pub(crate) fn host_name(text: &str) -> Result<String, Wrong> {
    let name = text.strip_prefix("*.").unwrap_or(text);
    if is_domain_name(name) && !name.ends_with('.') {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(Wrong::HostName { found: text.to_owned() })
    }
}

/// `[tls] client_certificates`.
pub(crate) fn client_certificates(text: &str) -> Result<Demand, Wrong> {
    match text {
        "off" => Ok(Demand::Off),
        "optional" => Ok(Demand::Optional),
        "required" => Ok(Demand::Required),
        _ => Err(choice(text, &["off", "optional", "required"])),
    }
}

/// Whether a certificate is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    Off,
    Optional,
    Required,
}

/// `[log] level`.
pub(crate) fn level(text: &str) -> Result<LogLevel, Wrong> {
    const KNOWN: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];
    const LEVELS: [LogLevel; 6] =
        [LogLevel::Off, LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug, LogLevel::Trace];
    LEVELS.into_iter().find(|level| level.as_str() == text).ok_or_else(|| choice(text, KNOWN))
}

/// `[log] format`.
pub(crate) fn format(text: &str) -> Result<LogFormat, Wrong> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(choice(text, &["text", "json"])),
    }
}

/// `srtp` of rooms and services.
pub(crate) fn srtp(text: &str) -> Result<SrtpPolicy, Wrong> {
    let all = [SrtpPolicy::Off, SrtpPolicy::Optional, SrtpPolicy::Required];
    let found = all.into_iter().find(|policy| policy.as_str() == text);
    found.ok_or_else(|| choice(text, &["off", "optional", "required"]))
}

/// `rate` of rooms; `None` is automatic.
pub(crate) fn room_rate(text: &str) -> Result<Option<ClockRate>, Wrong> {
    match text {
        "auto" => Ok(None),
        "8000" => Ok(Some(ClockRate::HZ_8000)),
        "16000" => Ok(Some(ClockRate::HZ_16000)),
        "48000" => Ok(Some(ClockRate::HZ_48000)),
        _ => Err(choice(text, &["auto", "8000", "16000", "48000"])),
    }
}

fn choice(found: &str, known: &'static [&'static str]) -> Wrong {
    Wrong::Choice { found: found.to_owned(), nearest: nearest(found, known), known }
}
