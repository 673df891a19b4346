//! The document, section by section, to a [`Config`].
//!
//! A value that is wrong or absent becomes its default, so that reading goes on; a configuration comes out
//! only where nothing was noted.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::Duration;

use tandem_base::{MediaTimeouts, RoomAudio, SrtpPolicy};
use toml::de::DeValue;

use crate::check_audio::room_audio;
use crate::cross;
use crate::document::{self, Found, Place, Problems, Section};
use crate::model::{
    Config, Connections, Http, Listener, Log, LogFormat, LogLevel, Media, PortRange, Protocol, Room, Rooms,
    Services, Sip,
};
use crate::problem::{Problem, Wrong};
use crate::value;

/// Participants that a limit may name.
const MOST_PARTICIPANTS: u64 = 10_000;
/// Connections that a limit may name.
const MOST_CONNECTIONS: u64 = 1_000_000;
/// Media threads that a configuration may ask for.
const MOST_WORKERS: u64 = 256;

/// Values whose places the cross checks need.
pub(crate) struct Places {
    pub(crate) listen: Vec<Found<Listener>>,
    pub(crate) http: Option<Place>,
    pub(crate) sip_advertise: Option<Place>,
    pub(crate) media_advertise: Option<Place>,
    pub(crate) ports: Option<Place>,
    pub(crate) max_calls: Option<Found<u64>>,
    pub(crate) min_session_expires: Option<Place>,
    pub(crate) max_connections_per_source: Option<Place>,
    pub(crate) names: Vec<Found<String>>,
}

pub(crate) fn config(text: &str) -> Result<Config, Vec<Problem>> {
    let mut problems = Problems::new(text);
    let p = &mut problems;
    let mut root = document::parse(text, p);
    let mut places = Places {
        listen: Vec::new(),
        http: None,
        sip_advertise: None,
        media_advertise: None,
        ports: None,
        max_calls: None,
        min_session_expires: None,
        max_connections_per_source: None,
        names: Vec::new(),
    };
    let media = media(root.section("media", p), &mut places, p);
    let config = Config {
        sip: sip(root.section("sip", p), media.ports, &mut places, p),
        media,
        http: http(root.section("http", p), &mut places, p),
        rooms: rooms(&mut root, &mut places, p),
        services: services(root.section("services", p), &mut places, p),
        log: log(root.section("log", p), p),
        tls: crate::check_tls::tls(root.section("tls", p), p),
    };
    root.finish(p);
    cross::check(&config, &places, p);
    let found = problems.into_vec();
    if found.is_empty() { Ok(config) } else { Err(found) }
}

/// The problem of a file that is no text from `offset` on.
pub(crate) fn not_utf8(bytes: &[u8], offset: usize) -> Vec<Problem> {
    let text = bytes.get(..offset).and_then(|good| str::from_utf8(good).ok()).unwrap_or_default();
    let mut problems = Problems::new(text);
    let message = "this byte is not UTF-8".to_owned();
    problems.note(&Place::at_offset(offset), Wrong::Syntax { message });
    problems.into_vec()
}

pub(crate) fn read<T>(
    section: &mut Section<'_>,
    key: &'static str,
    parse: impl FnOnce(&str) -> Result<T, Wrong>,
    p: &mut Problems<'_>,
) -> Option<Found<T>> {
    section.take(key)?.string(p)?.parse(parse, p)
}

fn sip(mut section: Section<'_>, ports: PortRange, places: &mut Places, p: &mut Problems<'_>) -> Sip {
    places.listen = listeners(section.take("listen"), p);
    let advertise = read(&mut section, "advertise", value::advertise, p);
    places.sip_advertise = advertise.as_ref().map(|found| found.at.clone());
    places.max_calls = section.take("max_calls").and_then(|found| found.number(1, 32_256, p));
    let dns = name_servers(section.take("dns"), p);
    let session_expires = read(&mut section, "session_expires", value::session, p);
    let min_session_expires = read(&mut section, "min_session_expires", value::min_session, p);
    places.min_session_expires = min_session_expires.as_ref().map(|found| found.at.clone());
    let connections = connections(&mut section, places, p);
    section.finish(p);
    let pairs = u32::from(ports.pairs());
    let max_calls = places.max_calls.as_ref().and_then(|found| u32::try_from(found.value).ok());
    Sip {
        listen: places.listen.iter().map(|found| found.value).collect(),
        advertise: advertise.map(|found| found.value),
        session_expires: session_expires.map_or(Duration::from_secs(1_800), |found| found.value),
        min_session_expires: min_session_expires.map_or(value::LEAST_SESSION, |found| found.value),
        max_calls: max_calls.unwrap_or(pairs),
        dns,
        connections,
    }
}

fn connections(section: &mut Section<'_>, places: &mut Places, p: &mut Problems<'_>) -> Connections {
    let mut most = |key| section.take(key).and_then(|found| found.number(1, MOST_CONNECTIONS, p));
    let (max, per_source) = (most("max_connections"), most("max_connections_per_source"));
    let idle_timeout = read(section, "idle_timeout", value::idle_timeout, p);
    let write_timeout = read(section, "write_timeout", value::write_timeout, p);
    places.max_connections_per_source = per_source.as_ref().map(|found| found.at.clone());
    let max = max.and_then(|found| usize::try_from(found.value).ok()).unwrap_or(16_384);
    let per_source = per_source.and_then(|found| usize::try_from(found.value).ok());
    Connections {
        max,
        // What nobody wrote is never more than what somebody did.
        max_per_source: per_source.unwrap_or(max.min(1_024)),
        idle_timeout: idle_timeout.map_or(Duration::from_secs(3_600), |found| found.value),
        write_timeout: write_timeout.map_or(Duration::from_secs(5), |found| found.value),
    }
}

fn listeners(written: Option<Found<DeValue<'_>>>, p: &mut Problems<'_>) -> Vec<Found<Listener>> {
    let Some(written) = written else { return default_listeners() };
    if written.is_empty_array() {
        p.note(&written.at, Wrong::NoListener);
    }
    let Some(texts) = written.strings(p) else { return default_listeners() };
    texts.into_iter().filter_map(|text| text.parse(value::listener, p)).collect()
}

fn name_servers(written: Option<Found<DeValue<'_>>>, p: &mut Problems<'_>) -> Vec<SocketAddr> {
    let texts = written.and_then(|written| written.strings(p)).unwrap_or_default();
    let servers = texts.into_iter().filter_map(|text| text.parse(value::name_server, p));
    servers.map(|found| found.value).collect()
}

fn default_listeners() -> Vec<Found<Listener>> {
    let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 5060));
    let listener =
        |protocol| Found { value: Listener { protocol, address }, at: Place::nowhere("sip.listen") };
    [Protocol::Udp, Protocol::Tcp].map(listener).to_vec()
}

fn media(mut section: Section<'_>, places: &mut Places, p: &mut Problems<'_>) -> Media {
    let address = read(&mut section, "address", value::local_address, p);
    let advertise = read(&mut section, "advertise", value::public_address, p);
    let ports = read(&mut section, "ports", value::ports, p);
    let workers = section.take("workers").and_then(|found| found.number(0, MOST_WORKERS, p));
    places.media_advertise = advertise.as_ref().map(|found| found.at.clone());
    places.ports = ports.as_ref().map(|found| found.at.clone());
    let mut timeout = |key, default: u64| {
        let written = read(&mut section, key, value::duration, p);
        written.map_or(Duration::from_secs(default), |found| found.value)
    };
    let timeouts = MediaTimeouts {
        setup: timeout("setup_timeout", 30),
        talk: timeout("talk_timeout", 60),
        hold: timeout("hold_timeout", 1_800),
    };
    section.finish(p);
    Media {
        address: address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |found| found.value),
        advertise: advertise.map(|found| found.value),
        ports: ports.map_or(PortRange { first: 20_000, last: 29_999 }, |found| found.value),
        workers: workers.and_then(|found| nonzero(&found)),
        timeouts,
    }
}

fn http(mut section: Section<'_>, places: &mut Places, p: &mut Problems<'_>) -> Http {
    let listen = read(&mut section, "listen", value::socket_address, p);
    section.finish(p);
    places.http = listen.as_ref().map(|found| found.at.clone());
    Http { listen: listen.map_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)), |found| found.value) }
}

fn rooms(root: &mut Section<'_>, places: &mut Places, p: &mut Problems<'_>) -> Rooms {
    let mut section = root.section("rooms", p);
    let ad_hoc = section.take("ad_hoc").and_then(|found| found.strings(p)).unwrap_or_else(default_patterns);
    let ad_hoc = ad_hoc.into_iter().filter_map(|text| text.parse(value::pattern, p));
    let ad_hoc = ad_hoc.map(|found| found.value).collect();
    let max_participants = limit(&mut section, p);
    let srtp = srtp(&mut section, p).unwrap_or_default();
    let audio = room_audio(&mut section, RoomAudio::default(), p);
    section.finish(p);
    let mut rooms = Rooms { fixed: Vec::new(), ad_hoc, max_participants, srtp, audio };
    let tables = root.sections("room", p).into_iter();
    rooms.fixed = tables.filter_map(|table| room(table, &rooms, places, p)).collect();
    rooms
}

fn default_patterns() -> Vec<Found<String>> {
    let found = |text: &str| Found { value: text.to_owned(), at: Place::nowhere("rooms.ad_hoc") };
    ["1000-1999", "room-*"].map(found).to_vec()
}

fn room(
    mut section: Section<'_>,
    default: &Rooms,
    places: &mut Places,
    p: &mut Problems<'_>,
) -> Option<Room> {
    let name = section.take("name");
    let max_participants = limit(&mut section, p).or(default.max_participants);
    let srtp = srtp(&mut section, p).unwrap_or(default.srtp);
    let audio = room_audio(&mut section, default.audio, p);
    if name.is_none() {
        p.note(&section.at.child("name"), Wrong::Missing);
    }
    section.finish(p);
    let name = name?.string(p)?.parse(value::name, p)?;
    places.names.push(name.clone());
    Some(Room { name: name.value, max_participants, srtp, audio })
}

fn srtp(section: &mut Section<'_>, p: &mut Problems<'_>) -> Option<SrtpPolicy> {
    read(section, "srtp", value::srtp, p).map(|found| found.value)
}

fn limit(section: &mut Section<'_>, p: &mut Problems<'_>) -> Option<NonZeroUsize> {
    let written = section.take("max_participants")?.number(1, MOST_PARTICIPANTS, p)?;
    nonzero(&written)
}

fn nonzero(found: &Found<u64>) -> Option<NonZeroUsize> {
    usize::try_from(found.value).ok().and_then(NonZeroUsize::new)
}

fn services(mut section: Section<'_>, places: &mut Places, p: &mut Problems<'_>) -> Services {
    let mut service = |key: &'static str| {
        let default = Found { value: Some(key.to_owned()), at: Place::nowhere(key) };
        let found = read(&mut section, key, value::service, p).unwrap_or(default);
        let named = found.value.clone().map(|value| Found { value, at: found.at });
        places.names.extend(named);
        found.value
    };
    let (echo, tone) = (service("echo"), service("tone"));
    let services = Services { echo, tone, srtp: srtp(&mut section, p).unwrap_or_default() };
    section.finish(p);
    services
}

fn log(mut section: Section<'_>, p: &mut Problems<'_>) -> Log {
    let level = read(&mut section, "level", value::level, p);
    let format = read(&mut section, "format", value::format, p);
    section.finish(p);
    Log {
        level: level.map_or(LogLevel::Info, |found| found.value),
        format: format.map_or(LogFormat::Text, |found| found.value),
    }
}
