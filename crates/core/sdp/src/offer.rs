use serde::{Deserialize, Serialize};
use tandem_base::{
    ClockRate, DtlsSetup, DtlsTransport, HeaderExtensions, Mid, PayloadType, ReceiveFormat, Redundancy,
    SendFormat, Srtp, SrtpPolicy, SrtpSuite, TelephoneEvent,
};

use crate::choice::{about, no_crypto, transport};
use crate::codec::{Channels, event_set};
use crate::crypto::OurCrypto;
use crate::describe::{AudioLine, describe, switched_off};
use crate::remote::{Payload, Profile, Remote, RemoteMedia};
use crate::settle::{self, Formats, Transport};
use crate::{
    Binding, Capabilities, Codec, Description, DtlsSide, Explanation, Line, Local, Meaning, Negotiated,
    Origin, Refusal, RefusalCause, Warning,
};
use crate::{dtls, extensions, redundancy};

/// An offer of ours that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// To be sent, as `application/sdp`.
    pub sdp: Description,
    /// Our side, as it was offered.
    pub local: Local,
    /// Our `o=`.
    pub origin: Origin,
    /// Which m-line is ours, from 0.
    pub line: usize,
    /// All m-lines, in order.
    pub lines: Vec<Line>,
    /// The formats offered, best first.
    pub formats: Vec<Binding>,
    /// Audio in one packet where the answer has no wish, ms.
    pub ptime_ms: u8,
    /// Payload numbers used before this offer.
    pub payloads: Vec<Binding>,
    /// The suites offered, best first, under the tags 1, 2, …
    pub suites: Vec<SrtpSuite>,
    /// May the answer leave the media plain?
    pub plain: bool,
    /// Have Opus two channels with us?
    pub opus_stereo: bool,
    /// The header extensions offered.
    pub extensions: HeaderExtensions,
    /// DTLS-SRTP as it was offered; `None` without.
    pub dtls: Option<DtlsSide>,
}

/// An answer to our offer, accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// What holds from now on.
    pub negotiated: Negotiated,
    /// Why it came out so.
    pub explanation: Explanation,
}

/// Makes an offer (RFC 3264 §5, §8): all our codecs, rtcp-mux, and what `local` wants.
///
/// In a call that has settled something before (`previous`), its m-lines stay where they are, those not ours
/// switched off; payload numbers keep their meaning; the codec in use comes first.
/// [`Capabilities::codecs`] must name at least one codec.
///
/// Keys are offered unless the policy is off; under RTP/SAVP where it demands encryption or the call has that already,
/// else under RTP/AVP (RFC 8643). A call that settled on plain media stays plain.
pub fn offer(capabilities: &Capabilities, local: &Local, previous: Option<&Negotiated>) -> Offer {
    let codecs = codecs(capabilities, previous);
    let formats = number(&meanings(&codecs, capabilities, previous), previous);
    let extensions = previous.map_or_else(extensions::all, |p| p.stream.extensions);
    let extensions = if capabilities.audio_levels { extensions } else { HeaderExtensions::default() };
    let redundancy = previous.and_then(|p| p.stream.redundancy);
    let line = previous.map_or(0, |p| p.line);
    let capabilities = &*capabilities.with(local);
    let dtls = offered_dtls(capabilities, local, previous);
    let suites = if dtls.is_some() { Vec::new() } else { suites(capabilities, previous) };
    let first = match &dtls {
        Some(dtls) if dtls.ice.is_some() => "UDP/TLS/RTP/SAVPF",
        Some(_) => "UDP/TLS/RTP/SAVP",
        None if capabilities.srtp == SrtpPolicy::Required => "RTP/SAVP",
        None => "RTP/AVP",
    };
    let protocol = previous.and_then(|p| p.lines.get(line)).map_or(first, |line| line.protocol.as_str());
    let audio = AudioLine {
        protocol,
        formats: &formats,
        ptime_ms: codecs.first().map_or(20, |codec| codec.packet_ms(capabilities.ptime_ms.into())),
        direction: local.direction,
        rtcp_mux: true,
        media: &local.media,
        channels: Channels { receive: capabilities.opus_stereo, send: capabilities.opus_stereo },
        copies: redundancy.map_or(0, |redundancy| redundancy.copies),
        extensions,
        crypto: &crypto(&suites, local),
        // RFC 8842 §5.2, RFC 9429 §5.2.2: the answer keeps to what stands.
        dtls: dtls.as_ref().map(|dtls| (dtls, DtlsSetup::ActPass)),
    }
    .write();
    let medias: Vec<_> = match previous {
        None => vec![audio],
        Some(previous) => (0..)
            .zip(&previous.lines)
            .map(|(n, other)| if n == line { audio.clone() } else { switched_off(other) })
            .collect(),
    };
    let (origin, sdp) = describe(&medias, dtls.as_ref(), local, previous);
    Offer {
        sdp,
        local: local.clone(),
        origin,
        line,
        lines: medias.iter().map(Line::from).collect(),
        formats,
        ptime_ms: capabilities.ptime_ms,
        payloads: previous.map(|p| p.payloads.clone()).unwrap_or_default(),
        plain: capabilities.srtp != SrtpPolicy::Required,
        opus_stereo: capabilities.opus_stereo,
        extensions,
        suites,
        dtls,
    }
}

/// Reads the answer to our offer (RFC 3264 §7). `current` is what holds until then, `None` in the first exchange.
///
/// An answer that rejects the stream (port 0) stops what `current` has (RFC 3264 §6, §8.2): nothing flows until one
/// side offers it again.
///
/// # Errors
/// A [`Refusal`] when the answer cannot be read or used, or leaves no audio in the first exchange. What held before
/// still holds then; where nothing did, the call must end.
pub fn accept_answer(
    offer: &Offer,
    answer: &[u8],
    current: Option<&Negotiated>,
) -> Result<Accepted, Refusal> {
    let remote = Remote::parse(answer)?;
    let media = remote.media.get(offer.line).ok_or(RefusalCause::NoAudioAnswered)?;
    if let Some(current) = current.filter(|_| media.is_audio() && media.port == 0) {
        return Ok(rejected(offer, current));
    }
    let ipv4 = offer.local.media.rtp.is_ipv4();
    let dtls = offer.dtls.as_ref();
    let profile = transport(media, Some(ipv4), dtls.is_some()).map_err(|warning| no_audio(offer, warning))?;
    let srtp = encryption(offer, media, profile).map_err(|warning| no_audio(offer, warning))?;
    let dtls = dtls.map(|offered| accept_dtls(offered, media, current)).transpose();
    let dtls = dtls.map_err(|warning| no_audio(offer, warning))?;
    let kept = kept(media, offer);
    let formats = formats(&kept, media, offer).ok_or_else(|| {
        let text = "the answer names none of the codecs that were offered".to_owned();
        no_audio(offer, Warning { code: 305, text })
    })?;
    let explanation = explain(offer, &kept, &formats, remote.media.len());
    let ice = dtls.as_ref().is_some_and(|dtls| dtls.ice.is_some());
    let direction = settle::direction(offer.local.direction, media, ice);
    let theirs = media.payloads.iter().map(|payload| payload.binding);
    let payloads = ours_first(offer, theirs);
    let negotiated = Negotiated {
        stream: settle::stream(media, direction, formats, Transport { rtcp_mux: media.rtcp_mux, ipv4, srtp }),
        dtls,
        line: offer.line,
        lines: offer.lines.clone(),
        payloads,
        origin: offer.origin,
        local_sdp: offer.sdp.clone(),
    };
    Ok(Accepted { negotiated, explanation })
}

/// The peer wants none of our audio any more; that it saw our offer is remembered.
fn rejected(offer: &Offer, current: &Negotiated) -> Accepted {
    let mut negotiated = current.clone();
    negotiated.offered_in_vain(offer);
    negotiated.stream = settle::stopped(&current.stream, offer.local.media.rtp.is_ipv4());
    negotiated.lines.clone_from(&offer.lines);
    let mut explanation = Explanation::default();
    explanation.line(
        offer.line,
        false,
        "rejected by the peer (port 0): nothing flows until it is offered again",
    );
    Accepted { negotiated, explanation }
}

/// DTLS-SRTP stays where it is in use; a first offer has it where nothing else will do.
fn offered_dtls(
    capabilities: &Capabilities,
    local: &Local,
    previous: Option<&Negotiated>,
) -> Option<DtlsSide> {
    let first = previous.is_none() && capabilities.dtls == SrtpPolicy::Required;
    let in_use = previous.and_then(|previous| previous.dtls.as_ref());
    let ours = local.dtls.as_ref().filter(|_| first || in_use.is_some())?;
    Some(dtls::offer(ours, in_use, Mid::new("0")))
}

fn accept_dtls(
    offered: &DtlsSide,
    media: &RemoteMedia,
    current: Option<&Negotiated>,
) -> Result<DtlsTransport, Warning> {
    let why = dtls::obstacle(media);
    let why = why.unwrap_or("its a=setup does not choose between active and passive");
    let current = current.and_then(|current| current.dtls.as_ref());
    let settled = dtls::accept(media, offered, current).filter(|_| dtls::obstacle(media).is_none());
    settled.ok_or_else(|| about(media, 306, why))
}

/// What an offer of ours names of the suites that we have: a line for each of them would make it too long for UDP.
const OFFERED: [SrtpSuite; 5] = [
    SrtpSuite::AeadAes256Gcm,
    SrtpSuite::AeadAes128Gcm,
    SrtpSuite::AesCm256HmacSha1_80,
    SrtpSuite::AesCm128HmacSha1_80,
    SrtpSuite::AesCm128HmacSha1_32,
];

/// Those that we offer: the one in use first, so that nothing changes where nothing has to.
fn suites(capabilities: &Capabilities, previous: Option<&Negotiated>) -> Vec<SrtpSuite> {
    let in_use = previous.map(|p| p.stream.srtp.as_ref().map(|srtp| srtp.suite));
    match (capabilities.srtp, in_use) {
        (SrtpPolicy::Off, _) | (SrtpPolicy::Optional, Some(None)) => Vec::new(),
        (_, in_use) => {
            let in_use = in_use.flatten();
            let mut suites = capabilities.srtp_suites.clone();
            suites.retain(|suite| OFFERED.contains(suite) || Some(*suite) == in_use);
            suites.sort_by_key(|suite| Some(*suite) != in_use);
            suites
        }
    }
}

fn crypto(suites: &[SrtpSuite], local: &Local) -> Vec<OurCrypto> {
    let ours = (1..).zip(suites);
    ours.filter_map(|(tag, suite)| Some(OurCrypto { tag, suite: *suite, key: local.keys.of(*suite)? }))
        .collect()
}

/// The answer takes one of our crypto attributes, by its tag and suite (RFC 4568 §5.1.3), or leaves the media plain
/// where that was open to it (RFC 8643 §3).
fn encryption(offer: &Offer, media: &RemoteMedia, profile: Profile) -> Result<Option<Srtp>, Warning> {
    let offered = offer.lines.get(offer.line).map_or("", |line| line.protocol.as_str());
    let offered_secure = is_secure(offered);
    if profile.secure != offered_secure || profile.dtls != offered.starts_with("UDP/TLS/") {
        return Err(about(media, 302, "another profile was offered"));
    }
    if offer.suites.is_empty() || (media.crypto.is_empty() && offer.plain && !offered_secure) {
        return Ok(None);
    }
    let Some(Ok(theirs)) = media.crypto.first() else { return Err(about(media, 306, &no_crypto(media))) };
    let ours = crypto(&offer.suites, &offer.local).into_iter().find(|ours| ours.tag == theirs.tag);
    match ours.filter(|ours| ours.suite == theirs.suite) {
        Some(ours) => Ok(Some(settle::srtp(&ours, theirs))),
        None => Err(about(media, 306, "its a=crypto answers none that was offered")),
    }
}

fn is_secure(protocol: &str) -> bool {
    let name = protocol.rsplit('/').next().unwrap_or_default();
    name.eq_ignore_ascii_case("SAVP") || name.eq_ignore_ascii_case("SAVPF")
}

/// Our numbers lead, so that later offers find them; the peer's own are only kept free.
fn ours_first(offer: &Offer, theirs: impl Iterator<Item = Binding>) -> Vec<Binding> {
    let mut payloads = offer.formats.clone();
    for binding in offer.payloads.iter().copied().chain(theirs) {
        if !payloads.iter().any(|known| known.payload_type == binding.payload_type) {
            payloads.push(binding);
        }
    }
    payloads
}

fn no_audio(offer: &Offer, warning: Warning) -> Refusal {
    let mut explanation = Explanation::default();
    explanation.line(offer.line, false, format!("not usable, {}", warning.text));
    Refusal { cause: RefusalCause::NoAudioAnswered, warnings: vec![warning], explanation }
}

/// Ours, with the one in use at the front.
fn codecs(capabilities: &Capabilities, previous: Option<&Negotiated>) -> Vec<Codec> {
    let in_use = previous.map(|p| Codec::of(p.stream.send.format));
    let mut codecs = capabilities.codecs.clone();
    codecs.sort_by_key(|codec| Some(*codec) != in_use);
    codecs
}

/// The codecs, redundant audio where that is in use, then telephone events for each of the codecs' clocks.
fn meanings(codecs: &[Codec], capabilities: &Capabilities, previous: Option<&Negotiated>) -> Vec<Meaning> {
    let mut meanings: Vec<_> = codecs.iter().copied().map(Meaning::Audio).collect();
    let redundant = previous.filter(|p| capabilities.redundancy && p.stream.redundancy.is_some());
    meanings.extend(redundant.map(|p| Meaning::Redundancy(p.stream.send.format.clock_rate())));
    for clock in codecs.iter().map(|codec| codec.clock_rate()).filter(|_| capabilities.telephone_event) {
        if !meanings.contains(&Meaning::Events(clock)) {
            meanings.push(Meaning::Events(clock));
        }
    }
    meanings
}

/// Gives each its number: the remembered one, the static one, the customary one, or any that is free.
fn number(meanings: &[Meaning], previous: Option<&Negotiated>) -> Vec<Binding> {
    let known = previous.map(|p| p.payloads.as_slice()).unwrap_or_default();
    let mut given: Vec<Binding> = Vec::new();
    for meaning in meanings {
        let remembered = known.iter().find(|binding| binding.meaning == *meaning).map(|b| b.payload_type);
        let free = |number: &PayloadType| !known.iter().chain(&given).any(|b| b.payload_type == *number);
        let number = remembered
            .or_else(|| customary(*meaning).filter(free))
            .or_else(|| (96..128).filter_map(PayloadType::new).find(free));
        given.extend(number.map(|payload_type| Binding { payload_type, meaning: *meaning }));
    }
    given
}

fn customary(meaning: Meaning) -> Option<PayloadType> {
    match meaning {
        Meaning::Audio(codec) => codec.static_payload_type().or(PayloadType::new(96)),
        Meaning::Events(ClockRate::HZ_8000) => PayloadType::new(101),
        Meaning::Events(_) => PayloadType::new(97),
        Meaning::Redundancy(_) | Meaning::Other => None,
    }
}

/// A format of the answer and the number that we offered it under. The two numbers may differ (RFC 3264 §6.1).
struct Kept<'a> {
    payload: &'a Payload,
    meaning: Meaning,
    ours: PayloadType,
}

fn kept<'a>(media: &'a RemoteMedia, offer: &Offer) -> Vec<Kept<'a>> {
    media.payloads.iter().filter_map(|payload| keep(payload, offer)).collect()
}

fn keep<'a>(payload: &'a Payload, offer: &Offer) -> Option<Kept<'a>> {
    let number = payload.binding.payload_type;
    let meaning = match payload.binding.meaning {
        // A dynamic number without rtpmap can only be meant as we offered it.
        Meaning::Other if !payload.mapped => {
            offer.formats.iter().find(|offered| offered.payload_type == number)?.meaning
        }
        meaning => meaning,
    };
    let ours = offer.formats.iter().find(|offered| offered.meaning == meaning)?;
    Some(Kept { payload, meaning, ours: ours.payload_type })
}

fn formats(kept: &[Kept<'_>], media: &RemoteMedia, offer: &Offer) -> Option<Formats> {
    let audio = || {
        kept.iter().filter_map(|kept| match kept.meaning {
            Meaning::Audio(codec) => Some((codec, kept)),
            _ => None,
        })
    };
    // The answerer's first is what it prefers (RFC 3264 §7).
    let (codec, first) = audio().next()?;
    let mut receive: Vec<ReceiveFormat> = Vec::new();
    for (codec, kept) in audio() {
        if !receive.iter().any(|known| known.payload_type == kept.ours) {
            let format = codec.received(kept.payload.fmtp.as_deref(), offer.opus_stereo);
            receive.push(ReceiveFormat { payload_type: kept.ours, format });
        }
    }
    let clocks: Vec<_> = audio().map(|(codec, _)| codec.clock_rate()).collect();
    let ptime_ms = settle::packet_ms(codec, media, offer.ptime_ms);
    let format = codec.sent(first.payload.fmtp.as_deref(), offer.opus_stereo);
    let payload_type = first.payload.binding.payload_type;
    Some(Formats {
        send: SendFormat { payload_type, format: media.bandwidth.apply(format, ptime_ms), ptime_ms },
        receive,
        telephone_events: events(kept, &clocks),
        redundancy: redundancy(kept, codec, payload_type),
        extensions: extensions::kept(offer.extensions, &media.extensions),
    })
}

fn redundancy(kept: &[Kept<'_>], codec: Codec, payload_type: PayloadType) -> Option<Redundancy> {
    let kept = kept.iter().find(|kept| kept.meaning == Meaning::Redundancy(codec.clock_rate()))?;
    Some(Redundancy {
        send_payload_type: kept.payload.binding.payload_type,
        receive_payload_type: kept.ours,
        copies: redundancy::copies(kept.payload.fmtp.as_deref(), payload_type)?,
    })
}

/// One kind for each clock of the codecs; where the answer kept none of these, whatever it kept.
fn events(kept: &[Kept<'_>], clocks: &[ClockRate]) -> Vec<TelephoneEvent> {
    let mut events: Vec<TelephoneEvent> = Vec::new();
    for kept in kept {
        if let Meaning::Events(clock_rate) = kept.meaning
            && !events.iter().any(|known| known.clock_rate == clock_rate)
        {
            events.push(TelephoneEvent {
                send_payload_type: kept.payload.binding.payload_type,
                receive_payload_type: kept.ours,
                clock_rate,
                events: event_set(kept.payload.fmtp.as_deref()),
            });
        }
    }
    if events.iter().any(|event| clocks.contains(&event.clock_rate)) {
        events.retain(|event| clocks.contains(&event.clock_rate));
    }
    events
}

fn explain(offer: &Offer, kept: &[Kept<'_>], formats: &Formats, lines: usize) -> Explanation {
    let mut explanation = Explanation::default();
    explanation.line(offer.line, true, "the answer takes our audio");
    for kept in kept {
        let number = kept.payload.binding.payload_type;
        let sent = number == formats.send.payload_type;
        let role = if sent { "we send this" } else { "the peer may send this" };
        explanation.format(offer.line, number, true, format!("{}: {role}", kept.payload.name));
    }
    if lines != offer.lines.len() {
        explanation.line(
            offer.line,
            true,
            "the answer has another number of m-lines than the offer; borne with",
        );
    }
    explanation
}
