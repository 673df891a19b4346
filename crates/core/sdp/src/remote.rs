use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use sdp_types::{AddrType, Attribute, Connection, Media, NetType, Session};
use tandem_base::{Direction, PayloadType};

use crate::bandwidth::Limits;
use crate::codec::meaning;
use crate::crypto::{self, Crypto, Flaw};
use crate::explanation::quotable;
use crate::extensions::{self, Extmap};
use crate::remote_dtls::RemoteDtls;
use crate::{Binding, Line, Meaning, RefusalCause, Warning, normal};

/// Formats of one m-line that are looked at; there are only 128 numbers.
const MAX_FORMATS: usize = 128;

/// A peer's description, as far as offer/answer cares.
#[derive(Debug)]
pub(crate) struct Remote {
    pub(crate) media: Vec<RemoteMedia>,
}

/// One m-line with what the session level says for it.
#[derive(Debug)]
pub(crate) struct RemoteMedia {
    pub(crate) line: Line,
    pub(crate) port: u16,
    pub(crate) address: Address,
    /// As the peer sees it.
    pub(crate) direction: Direction,
    pub(crate) ptime: Option<u32>,
    pub(crate) max_ptime: Option<u32>,
    /// `a=rtcp` (RFC 3605).
    pub(crate) rtcp: Option<(u16, Option<IpAddr>)>,
    pub(crate) rtcp_mux: bool,
    /// `a=crypto` (RFC 4568), in the peer's order.
    pub(crate) crypto: Vec<Result<Crypto, Flaw>>,
    /// `a=extmap` (RFC 8285), as far as it is served.
    pub(crate) extensions: Vec<Extmap>,
    pub(crate) bandwidth: Limits,
    pub(crate) dtls: RemoteDtls,
    pub(crate) payloads: Vec<Payload>,
}

/// What runs over RTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Profile {
    /// As we write it.
    pub(crate) name: &'static str,
    /// Encrypted.
    pub(crate) secure: bool,
    /// By keys from a DTLS handshake.
    pub(crate) dtls: bool,
}

impl Profile {
    /// RFC 3551, RFC 4585, RFC 3711 §12, RFC 5124, RFC 5764 §8.
    const ALL: [Profile; 6] = [
        Profile { name: "RTP/AVP", secure: false, dtls: false },
        Profile { name: "RTP/AVPF", secure: false, dtls: false },
        Profile { name: "RTP/SAVP", secure: true, dtls: false },
        Profile { name: "RTP/SAVPF", secure: true, dtls: false },
        Profile { name: "UDP/TLS/RTP/SAVP", secure: true, dtls: true },
        Profile { name: "UDP/TLS/RTP/SAVPF", secure: true, dtls: true },
    ];
}

/// Where the peer receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    At(IpAddr),
    /// 0.0.0.0 or ::, "send nothing": hold as RFC 2543 had it (RFC 3264 §8.4).
    Nowhere,
    /// A name, or no usable `c=`: wherever its packets come from.
    Unknown,
    Unusable(Warning),
}

/// A format of the peer's.
#[derive(Debug)]
pub(crate) struct Payload {
    pub(crate) binding: Binding,
    /// As the peer named it, fit to be quoted.
    pub(crate) name: String,
    /// The name comes from an `a=rtpmap`.
    pub(crate) mapped: bool,
    pub(crate) fmtp: Option<String>,
}

impl Remote {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Remote, RefusalCause> {
        let mut session = normal::parse(bytes)?;
        if session.medias.is_empty() {
            return Err(RefusalCause::NoMedia);
        }
        let mut media: Vec<_> =
            session.medias.iter().map(|media| RemoteMedia::new(&session, media)).collect();
        forget_repeated_mids(&mut media);
        crypto::wipe(&mut session);
        Ok(Remote { media })
    }
}

/// A mid is one m-line's alone (RFC 5888 §9.2): the first keeps it.
fn forget_repeated_mids(media: &mut [RemoteMedia]) {
    let mut taken = BTreeSet::new();
    for dtls in media.iter_mut().map(|media| &mut media.dtls) {
        if dtls.mid.clone().is_some_and(|mid| !taken.insert(mid)) {
            (dtls.mid, dtls.bundled) = (None, false);
        }
    }
}

impl RemoteMedia {
    fn new(session: &Session, media: &Media) -> Self {
        let own = &media.attributes;
        let both = || own.iter().chain(&session.attributes);
        let milliseconds = |name| value(both(), name).and_then(leading_number);
        RemoteMedia {
            line: Line {
                media: media.media.clone(),
                protocol: media.proto.clone(),
                formats: media.fmt.clone(),
                mid: None,
            },
            port: media.port,
            address: address(media.connections.first().or(session.connection.as_ref())),
            direction: direction(both()),
            ptime: milliseconds("ptime"),
            max_ptime: milliseconds("maxptime"),
            rtcp: value(own.iter(), "rtcp").and_then(rtcp),
            rtcp_mux: own.iter().any(|a| is(a, "rtcp-mux")),
            crypto: crypto::attributes(values(own, "crypto")),
            extensions: extensions::attributes(
                values(own, "extmap").chain(values(&session.attributes, "extmap")),
            ),
            bandwidth: Limits::new(session, media),
            dtls: RemoteDtls::new(session, media),
            payloads: payloads(media),
        }
    }

    pub(crate) fn is_audio(&self) -> bool {
        self.line.media.eq_ignore_ascii_case("audio")
    }

    /// The profile, where it is served.
    pub(crate) fn profile(&self) -> Option<Profile> {
        Profile::ALL.into_iter().find(|known| self.line.protocol.eq_ignore_ascii_case(known.name))
    }

    pub(crate) fn audio(&self) -> impl Iterator<Item = (PayloadType, crate::Codec, &Payload)> {
        self.payloads.iter().filter_map(|payload| match payload.binding.meaning {
            Meaning::Audio(codec) => Some((payload.binding.payload_type, codec, payload)),
            _ => None,
        })
    }
}

pub(crate) fn is(attribute: &Attribute, name: &str) -> bool {
    attribute.attribute.trim().eq_ignore_ascii_case(name)
}

pub(crate) fn value<'a>(mut attributes: impl Iterator<Item = &'a Attribute>, name: &str) -> Option<&'a str> {
    attributes.find(|a| is(a, name)).and_then(|a| a.value.as_deref()).map(str::trim)
}

pub(crate) fn values<'a>(attributes: &'a [Attribute], name: &'a str) -> impl Iterator<Item = &'a str> {
    attributes.iter().filter(move |a| is(a, name)).map(|a| a.value.as_deref().unwrap_or_default().trim())
}

/// Some write `ptime:20.0` or `ptime: 20 `.
fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

/// The m-line's own comes first; without any it is both ways (RFC 8866 §6.7).
fn direction<'a>(mut attributes: impl Iterator<Item = &'a Attribute>) -> Direction {
    let all = [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive];
    attributes.find_map(|a| all.into_iter().find(|d| is(a, d.as_str()))).unwrap_or_default()
}

fn address(connection: Option<&Connection>) -> Address {
    let unusable = |code, text: &str| Address::Unusable(Warning { code, text: text.to_owned() });
    let Some(connection) = connection else { return Address::Unknown };
    if connection.nettype != NetType::In {
        return unusable(300, "only network type IN is served");
    }
    if matches!(connection.addrtype, AddrType::Other(_)) {
        return unusable(301, "only address types IP4 and IP6 are served");
    }
    let text = connection.connection_address.split('/').next().unwrap_or_default();
    let Ok(ip) = text.parse::<IpAddr>().map(|ip| ip.to_canonical()) else { return Address::Unknown };
    if ip.is_unspecified() {
        Address::Nowhere
    } else if ip.is_multicast() {
        unusable(330, "multicast is not served")
    } else if is_broadcast(ip) {
        unusable(301, "a broadcast address is no peer")
    } else {
        Address::At(ip)
    }
}

fn is_broadcast(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(v4) if v4.is_broadcast())
}

/// `port [nettype addrtype address]` (RFC 3605 §2.1); an address that is no single host is left out.
fn rtcp(text: &str) -> Option<(u16, Option<IpAddr>)> {
    let mut fields = text.split_whitespace();
    let port = fields.next()?.parse().ok().filter(|port| *port != 0)?;
    let ip = fields.nth(2).and_then(|text| text.parse::<IpAddr>().ok()).map(|ip| ip.to_canonical());
    Some((port, ip.filter(|ip| !ip.is_unspecified() && !ip.is_multicast() && !is_broadcast(*ip))))
}

fn payloads(media: &Media) -> Vec<Payload> {
    let (rtpmaps, fmtps) = (numbered(media, "rtpmap"), numbered(media, "fmtp"));
    let mut payloads: Vec<Payload> = Vec::new();
    for number in media.fmt.split(' ').take(MAX_FORMATS).filter_map(number) {
        if payloads.iter().any(|known| known.binding.payload_type == number) {
            continue;
        }
        let rtpmap = rtpmaps.get(&number).copied();
        payloads.push(Payload {
            binding: Binding { payload_type: number, meaning: meaning(number, rtpmap) },
            name: name(number, rtpmap),
            mapped: rtpmap.is_some(),
            fmtp: fmtps.get(&number).map(|fmtp| (*fmtp).to_owned()),
        });
    }
    payloads
}

fn name(number: PayloadType, rtpmap: Option<&str>) -> String {
    match (rtpmap, meaning(number, None)) {
        (Some(rtpmap), _) => quotable(rtpmap),
        (None, Meaning::Audio(codec)) => codec.rtpmap().to_owned(),
        (None, _) if number == PayloadType::CN => "CN/8000".to_owned(),
        (None, _) => "without rtpmap".to_owned(),
    }
}

fn number(text: &str) -> Option<PayloadType> {
    text.parse().ok().and_then(PayloadType::new)
}

/// Attributes of the form `number rest`; the first of a number counts.
fn numbered<'a>(media: &'a Media, name: &str) -> BTreeMap<PayloadType, &'a str> {
    let mut found = BTreeMap::new();
    for attribute in media.attributes.iter().filter(|a| is(a, name)) {
        let entry = attribute.value.as_deref().map(str::trim).and_then(|value| value.split_once([' ', '\t']));
        if let Some((number, rest)) = entry.and_then(|(n, rest)| Some((number(n)?, rest.trim()))) {
            found.entry(number).or_insert(rest);
        }
    }
    found
}
