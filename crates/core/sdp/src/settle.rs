use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tandem_base::{
    AudioStream, Direction, HeaderExtensions, ReceiveFormat, Redundancy, SendFormat, Srtp, TelephoneEvent,
};

use crate::Codec;
use crate::crypto::{Crypto, OurCrypto};
use crate::remote::{Address, RemoteMedia};

/// What both descriptions together say, apart from transport.
pub(crate) struct Formats {
    pub(crate) send: SendFormat,
    pub(crate) receive: Vec<ReceiveFormat>,
    pub(crate) telephone_events: Vec<TelephoneEvent>,
    pub(crate) redundancy: Option<Redundancy>,
    pub(crate) extensions: HeaderExtensions,
}

/// The transport as both descriptions settle it.
pub(crate) struct Transport {
    pub(crate) rtcp_mux: bool,
    /// Our address family.
    pub(crate) ipv4: bool,
    pub(crate) srtp: Option<Srtp>,
}

/// Both sides' keys.
pub(crate) fn srtp(ours: &OurCrypto, theirs: &Crypto) -> Srtp {
    Srtp { suite: ours.suite, send: ours.keying(), receive: theirs.keys.clone() }
}

/// Puts the stream together.
pub(crate) fn stream(
    media: &RemoteMedia,
    direction: Direction,
    formats: Formats,
    transport: Transport,
) -> AudioStream {
    let Transport { rtcp_mux, ipv4, srtp } = transport;
    let remote_rtp = SocketAddr::new(remote_ip(media, ipv4), media.port);
    AudioStream {
        direction,
        send: formats.send,
        receive: formats.receive,
        telephone_events: formats.telephone_events,
        remote_rtp,
        remote_rtcp: if rtcp_mux { remote_rtp } else { remote_rtcp(media, remote_rtp) },
        rtcp_mux,
        srtp,
        extensions: formats.extensions,
        redundancy: formats.redundancy,
    }
}

/// The stream of before with nothing flowing, not even RTCP: one side switched it off by port 0 (RFC 3264 §8.2).
pub(crate) fn stopped(before: &AudioStream, ipv4: bool) -> AudioStream {
    let nowhere = SocketAddr::new(unspecified(ipv4), 0);
    AudioStream {
        direction: Direction::Inactive,
        remote_rtp: nowhere,
        remote_rtcp: nowhere,
        ..before.clone()
    }
}

/// Who sends, seen from us: never more than either side wants (RFC 3264 §6.1), and nothing to "nowhere" (§8.4)
/// or over no bandwidth (§5.1).
///
/// With ICE `c=` says nothing of the kind: an offer begins with 0.0.0.0 where candidates come later (RFC 8840 §4.1.1).
pub(crate) fn direction(wanted: Direction, media: &RemoteMedia, ice: bool) -> Direction {
    let nowhere = !ice && media.address == Address::Nowhere;
    let sends = wanted.sends() && media.direction.receives() && !nowhere;
    let sends = sends && !media.bandwidth.is_nothing();
    Direction::from_flags(sends, wanted.receives() && media.direction.sends())
}

/// The packet length to send: the peer's wish, or else ours, within what it can take (RFC 8866 §6.4).
pub(crate) fn packet_ms(codec: Codec, media: &RemoteMedia, ours: u8) -> u8 {
    let wish = media.ptime.filter(|ms| *ms > 0).unwrap_or(ours.into());
    codec.packet_ms(wish.min(media.max_ptime.filter(|ms| *ms > 0).unwrap_or(60)))
}

fn remote_ip(media: &RemoteMedia, ipv4: bool) -> IpAddr {
    match media.address {
        Address::At(ip) => ip,
        _ => unspecified(ipv4),
    }
}

/// "Nowhere", in our address family.
pub(crate) fn unspecified(ipv4: bool) -> IpAddr {
    if ipv4 { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() }
}

/// By `a=rtcp` (RFC 3605), else the next port (RFC 3550 §11). To a peer that wants nothing goes no RTCP either
/// (RFC 3264 §8.4), nor to one that leaves it no bandwidth; an address of another family is not believed.
fn remote_rtcp(media: &RemoteMedia, rtp: SocketAddr) -> SocketAddr {
    if media.bandwidth.no_rtcp {
        return SocketAddr::new(unspecified(rtp.is_ipv4()), 0);
    }
    let (port, ip) = media.rtcp.unwrap_or((rtp.port().saturating_add(1), None));
    let ip = ip.filter(|ip| ip.is_ipv4() == rtp.is_ipv4() && !rtp.ip().is_unspecified());
    SocketAddr::new(ip.unwrap_or(rtp.ip()), port)
}
