use std::net::SocketAddr;

use sdp_types::{Attribute, Connection, Media, Session};
use tandem_base::{ClockRate, Direction, DtlsSetup, HeaderExtensions, LocalMedia, PayloadType};

use crate::codec::Channels;
use crate::crypto::{self, OurCrypto};
use crate::{Binding, Codec, Description, DtlsSide, Line, Local, Meaning, Negotiated, Origin};
use crate::{extensions, redundancy, settle};

/// Our `o=` user name.
const USER_NAME: &str = "tandem";
/// The port of nowhere (RFC 8840 §4.1.1).
const DISCARD: u16 = 9;

/// Our audio m-line.
pub(crate) struct AudioLine<'a> {
    pub(crate) protocol: &'a str,
    pub(crate) formats: &'a [Binding],
    pub(crate) ptime_ms: u8,
    pub(crate) direction: Direction,
    pub(crate) rtcp_mux: bool,
    pub(crate) media: &'a LocalMedia,
    pub(crate) channels: Channels,
    /// Copies that redundant packets may bring.
    pub(crate) copies: u8,
    pub(crate) extensions: HeaderExtensions,
    /// Best first.
    pub(crate) crypto: &'a [OurCrypto],
    /// With what the description says of who begins.
    pub(crate) dtls: Option<(&'a DtlsSide, DtlsSetup)>,
}

impl AudioLine<'_> {
    pub(crate) fn write(&self) -> Media {
        let crypto = self.crypto.iter().map(|crypto| with("crypto", crypto.value()));
        let mut attributes: Vec<_> = crypto.collect();
        for format in self.formats {
            self.describe_format(&mut attributes, *format);
        }
        attributes.extend(extensions::write(self.extensions));
        attributes.push(with("ptime", self.ptime_ms));
        attributes.push(with("maxptime", 60));
        attributes.push(Attribute::new(self.direction.as_str()));
        attributes.extend(self.rtcp_port().map(|port| with("rtcp", port)));
        if self.rtcp_mux {
            attributes.push(Attribute::new("rtcp-mux"));
        }
        attributes.extend(self.dtls.into_iter().flat_map(|(dtls, setup)| dtls.media(setup)));
        let formats: Vec<_> = self.formats.iter().map(|format| format.payload_type.to_string()).collect();
        let (port, connections) = self.destination();
        Media { attributes, connections, ..bare("audio", port, self.protocol, &formats.join(" ")) }
    }

    /// With ICE the m-line names the default candidate (RFC 8839 §4.2.1.2), else our port at the session's address.
    fn destination(&self) -> (u16, Vec<Connection>) {
        match self.dtls.and_then(|(dtls, _)| dtls.destination()) {
            None => (self.media.rtp.port(), Vec::new()),
            Some(at) => {
                let nowhere = SocketAddr::new(settle::unspecified(self.media.rtp.is_ipv4()), DISCARD);
                let at = at.unwrap_or(nowhere);
                (at.port(), vec![Connection::from_ip_addr(at.ip())])
            }
        }
    }

    fn describe_format(&self, attributes: &mut Vec<Attribute>, format: Binding) {
        let number = format.payload_type;
        match format.meaning {
            Meaning::Audio(codec) => describe_codec(attributes, number, codec, self.channels),
            Meaning::Events(clock) => describe_events(attributes, number, clock),
            Meaning::Redundancy(clock) => self.describe_redundancy(attributes, number, clock),
            Meaning::Other => {}
        }
    }

    /// RFC 2198 §5. Its channels are those of the codec's rtpmap.
    fn describe_redundancy(&self, attributes: &mut Vec<Attribute>, number: PayloadType, clock: ClockRate) {
        let of_clock =
            |b: &&Binding| matches!(b.meaning, Meaning::Audio(codec) if codec.clock_rate() == clock);
        let channels = if clock == ClockRate::HZ_48000 { "/2" } else { "" };
        attributes.push(with("rtpmap", format_args!("{number} red/{}{channels}", clock.hz())));
        let codec = self.formats.iter().find(of_clock);
        let fmtp = codec.map(|codec| redundancy::fmtp(codec.payload_type, self.copies));
        attributes.extend(fmtp.map(|fmtp| with("fmtp", format_args!("{number} {fmtp}"))));
    }

    /// Where RTCP is not on the port that follows (RFC 3605); with rtcp-mux it stands for a peer that does without
    /// (RFC 5761 §5.1.1).
    fn rtcp_port(&self) -> Option<u16> {
        let ice = self.dtls.is_some_and(|(dtls, _)| dtls.ice.is_some());
        let port = self.media.rtcp.port();
        (!ice && self.media.rtp.port().checked_add(1) != Some(port)).then_some(port)
    }
}

/// A refused or switched-off m-line: port 0, the rest as it was (RFC 3264 §6).
pub(crate) fn switched_off(line: &Line) -> Media {
    let mid = line.mid.as_ref().map(|mid| with("mid", mid));
    let attributes = mid.into_iter().collect();
    Media { attributes, ..bare(&line.media, 0, &line.protocol, &line.formats) }
}

/// The whole description. Its version stays what it was where nothing changed (RFC 3264 §8).
pub(crate) fn describe(
    media: &[Media],
    dtls: Option<&DtlsSide>,
    local: &Local,
    previous: Option<&Negotiated>,
) -> (Origin, Description) {
    let text = |origin| text(media, dtls, local, origin);
    let Some(previous) = previous else {
        let origin = Origin::first(local);
        return (origin, text(origin));
    };
    let same = text(previous.origin);
    if same == previous.local_sdp {
        return (previous.origin, same);
    }
    let origin = previous.origin.next();
    (origin, text(origin))
}

fn text(media: &[Media], dtls: Option<&DtlsSide>, local: &Local, origin: Origin) -> Description {
    let ip = local.media.rtp.ip();
    let mut line = sdp_types::Origin::with_ip_addr(origin.session_id, origin.version, ip);
    line.set_username(USER_NAME);
    // RFC 3264 §5 recommends a bare "-" as the session name.
    let mut session = Session::new(line, "-");
    session.connection = Some(Connection::from_ip_addr(ip));
    session.attributes = dtls.map(DtlsSide::session).unwrap_or_default();
    session.medias = media.to_vec();
    let text = session.to_string();
    crypto::wipe(&mut session);
    text.into()
}

fn bare(media: &str, port: u16, protocol: &str, formats: &str) -> Media {
    Media {
        media: media.to_owned(),
        port,
        num_ports: None,
        proto: protocol.to_owned(),
        fmt: formats.to_owned(),
        media_title: None,
        connections: Vec::new(),
        bandwidths: Vec::new(),
        key: None,
        attributes: Vec::new(),
    }
}

fn with(name: &str, value: impl ToString) -> Attribute {
    Attribute { attribute: name.to_owned(), value: Some(value.to_string()) }
}

fn describe_codec(attributes: &mut Vec<Attribute>, number: PayloadType, codec: Codec, channels: Channels) {
    attributes.push(with("rtpmap", format_args!("{number} {}", codec.rtpmap())));
    attributes.extend(codec.our_fmtp(channels).map(|fmtp| with("fmtp", format_args!("{number} {fmtp}"))));
}

fn describe_events(attributes: &mut Vec<Attribute>, number: PayloadType, clock: ClockRate) {
    attributes.push(with("rtpmap", format_args!("{number} telephone-event/{}", clock.hz())));
    attributes.push(with("fmtp", format_args!("{number} 0-15")));
}
