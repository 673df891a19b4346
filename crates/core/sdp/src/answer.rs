use serde::{Deserialize, Serialize};
use tandem_base::{AudioFormat, DtlsTransport, Mid, ReceiveFormat, Redundancy, SendFormat, TelephoneEvent};

use crate::choice::{Choice, Secrecy, about, choose};
use crate::codec::{Channels, event_set};
use crate::crypto::{Crypto, OurCrypto};
use crate::describe::{AudioLine, describe, switched_off};
use crate::dtls::{self, answered_setup};
use crate::extensions::agreed;
use crate::negotiated::remember;
use crate::remote::{Address, Remote, RemoteMedia, value};
use crate::remote_dtls::RemoteIce;
use crate::settle::{self, Formats, Transport};
use crate::{
    Binding, Capabilities, Description, DtlsSide, Explanation, Line, Local, Meaning, Negotiated, Preference,
    Refusal, RefusalCause,
};

/// Our answer to an offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// To be sent, as `application/sdp`.
    pub sdp: Description,
    /// What holds from now on.
    pub negotiated: Negotiated,
    /// Why it came out so.
    pub explanation: Explanation,
}

/// Answers an offer (RFC 3264 §6).
///
/// One audio m-line is accepted, with one codec and telephone events, of its clock if offered; every other m-line is
/// refused with port 0 in its place. Where the policy allows, an encrypted m-line comes before a plain one; the crypto
/// attribute is answered by its tag with a key of our own (RFC 4568 §5.1.2). `previous` is what the call settled before, `None` for
/// its first offer.
///
/// Hold is understood in every style: `a=sendonly`, `a=inactive`, no bandwidth, port 0 within a call, and `c=0.0.0.0`,
/// which leaves
/// [`tandem_base::AudioStream::remote_rtp`] unspecified and nothing to be sent. A `c=` with a host name, or none at
/// all, leaves it unspecified too, but the direction as offered: such a peer is found once its packets arrive
/// (symmetric RTP).
///
/// # Errors
/// A [`Refusal`] when the offer cannot be read or nothing in it can be accepted. What held before still holds then
/// (RFC 3261 §14.2).
pub fn answer(
    offer: &[u8],
    capabilities: &Capabilities,
    local: &Local,
    previous: Option<&Negotiated>,
) -> Result<Answer, Refusal> {
    let remote = Remote::parse(offer)?;
    if let Some(previous) = previous.filter(|_| is_switched_off(&remote)) {
        return Ok(switch_off(&remote, local, previous));
    }
    let ipv4 = local.media.rtp.is_ipv4();
    let capabilities = &*capabilities.with(local);
    let (choice, explanation) = choose(&remote, capabilities, Some(ipv4), previous.map(|p| p.line))?;
    let media = remote.media.get(choice.line).ok_or(RefusalCause::NothingAcceptable)?;
    let negotiated = agree(&remote, media, &choice, capabilities, local, previous)?;
    Ok(Answer { sdp: negotiated.local_sdp.clone(), negotiated, explanation })
}

/// Does it have audio, and all of it with port 0?
fn is_switched_off(remote: &Remote) -> bool {
    let mut audio = remote.media.iter().filter(|media| media.is_audio()).peekable();
    audio.peek().is_some() && audio.all(|media| media.port == 0)
}

/// A peer may take its stream out of a call (RFC 3264 §8.2) and bring it back later: until then nothing flows.
fn switch_off(remote: &Remote, local: &Local, previous: &Negotiated) -> Answer {
    let dtls = previous.dtls.is_some();
    let medias: Vec<_> = remote.media.iter().map(|media| switched_off(&named(media, dtls))).collect();
    let (origin, local_sdp) = describe(&medias, None, local, Some(previous));
    let negotiated = Negotiated {
        stream: settle::stopped(&previous.stream, local.media.rtp.is_ipv4()),
        dtls: previous.dtls.clone(),
        line: previous.line,
        lines: medias.iter().map(Line::from).collect(),
        payloads: previous.payloads.clone(),
        origin,
        local_sdp: local_sdp.clone(),
    };
    let mut explanation = Explanation::default();
    for (n, media) in (0..).zip(&remote.media) {
        let why = if media.is_audio() {
            "switched off by the peer (port 0)"
        } else {
            "refused, only audio is served"
        };
        explanation.line(n, false, why);
    }
    Answer { sdp: local_sdp, negotiated, explanation }
}

/// Judges an offer as [`answer`] would, without ports, and thus without regard to our address family.
///
/// # Errors
/// The [`Refusal`] that the offer would meet.
pub fn examine(offer: &[u8], capabilities: &Capabilities) -> Result<Explanation, Refusal> {
    let remote = Remote::parse(offer)?;
    choose(&remote, capabilities, None, None).map(|(_, explanation)| explanation)
}

fn agree(
    remote: &Remote,
    media: &RemoteMedia,
    choice: &Choice,
    capabilities: &Capabilities,
    local: &Local,
    previous: Option<&Negotiated>,
) -> Result<Negotiated, Refusal> {
    let formats = formats(media, choice, capabilities);
    let dtls = match &choice.secrecy {
        Secrecy::Dtls => Some(settle_dtls(media, local, previous)?),
        Secrecy::Sdes(_) | Secrecy::Plain => None,
    };
    let ice = dtls.as_ref().is_some_and(|(transport, _)| transport.ice.is_some());
    let direction = settle::direction(local.direction, media, ice);
    let bindings = bindings(media, choice, &formats, capabilities);
    // Only what was offered may be answered (RFC 5761 §5.1.1).
    let rtcp_mux = media.rtcp_mux;
    let theirs = match &choice.secrecy {
        Secrecy::Sdes(theirs) => Some(theirs),
        Secrecy::Dtls | Secrecy::Plain => None,
    };
    let ours = theirs.map(|theirs| own_crypto(theirs, local)).transpose()?;
    let audio = AudioLine {
        protocol: choice.profile.name,
        formats: &bindings,
        ptime_ms: formats.send.ptime_ms,
        direction,
        rtcp_mux,
        media: &local.media,
        channels: channels(&formats, capabilities),
        copies: formats.redundancy.map_or(0, |redundancy| redundancy.copies),
        extensions: formats.extensions,
        crypto: ours.as_slice(),
        dtls: dtls.as_ref().map(|(transport, side)| (side, answered_setup(transport.dtls.role))),
    }
    .write();
    let written = |(n, media): (usize, &RemoteMedia)| {
        if n == choice.line { audio.clone() } else { switched_off(&named(media, dtls.is_some())) }
    };
    let medias: Vec<_> = (0..).zip(&remote.media).map(written).collect();
    let (origin, local_sdp) = describe(&medias, dtls.as_ref().map(|(_, side)| side), local, previous);
    let mut payloads = previous.map(|p| p.payloads.clone()).unwrap_or_default();
    remember(&mut payloads, media.payloads.iter().map(|payload| payload.binding));
    let srtp = ours.as_ref().zip(theirs).map(|(ours, theirs)| settle::srtp(ours, theirs));
    let transport = Transport { rtcp_mux, ipv4: local.media.rtp.is_ipv4(), srtp };
    Ok(Negotiated {
        stream: settle::stream(media, direction, formats, transport),
        dtls: dtls.map(|(transport, _)| transport),
        line: choice.line,
        lines: medias.iter().map(Line::from).collect(),
        payloads,
        origin,
        local_sdp,
    })
}

/// The transport, and our side as the answer has it.
fn settle_dtls(
    media: &RemoteMedia,
    local: &Local,
    previous: Option<&Negotiated>,
) -> Result<(DtlsTransport, DtlsSide), Refusal> {
    let ours = local.dtls.as_ref().ok_or(RefusalCause::NothingAcceptable)?;
    let settled = dtls::answer(media, ours, previous.and_then(|previous| previous.dtls.as_ref()));
    let settled = settled.ok_or(RefusalCause::NothingAcceptable)?;
    let ipv4 = local.media.rtp.is_ipv4();
    let is_there = matches!(media.address, Address::At(ip) if ip.is_ipv4() == ipv4);
    if settled.ice.is_none() && media.dtls.ice != RemoteIce::Absent && !is_there {
        let warnings = vec![about(media, 399, "it is reached by ICE alone, which is not served here")];
        let (cause, explanation) = (RefusalCause::NothingAcceptable, Explanation::default());
        return Err(Refusal { cause, warnings, explanation });
    }
    let side = DtlsSide { source: ours.source.clone(), ..DtlsSide::from(&settled) };
    Ok((settled, side))
}

/// The m-line with the name that the peer gave it, which only WebRTC's answers repeat (RFC 9429 §5.3.1).
fn named(media: &RemoteMedia, dtls: bool) -> Line {
    Line { mid: media.dtls.mid.clone().filter(|_| dtls), ..media.line.clone() }
}

/// The chosen attribute's tag, with our own key (RFC 4568 §5.1.2).
fn own_crypto(theirs: &Crypto, local: &Local) -> Result<OurCrypto, RefusalCause> {
    let key = local.keys.of(theirs.suite).ok_or(RefusalCause::NothingAcceptable)?;
    Ok(OurCrypto { tag: theirs.tag, suite: theirs.suite, key })
}

/// The offerer's numbers serve both directions (RFC 3264 §6.1).
fn formats(media: &RemoteMedia, choice: &Choice, capabilities: &Capabilities) -> Formats {
    let payload_type = choice.payload_type;
    let of_choice = |payload: &&crate::remote::Payload| payload.binding.payload_type == payload_type;
    let fmtp = media.payloads.iter().find(of_choice).and_then(|payload| payload.fmtp.as_deref());
    let ptime_ms = settle::packet_ms(choice.codec, media, capabilities.ptime_ms);
    Formats {
        send: SendFormat {
            payload_type,
            format: media.bandwidth.apply(choice.codec.sent(fmtp, capabilities.opus_stereo), ptime_ms),
            ptime_ms,
        },
        receive: vec![ReceiveFormat {
            payload_type,
            format: choice.codec.received(fmtp, capabilities.opus_stereo),
        }],
        telephone_events: events(media, choice, capabilities).into_iter().collect(),
        redundancy: redundancy(media, choice, capabilities),
        extensions: if capabilities.audio_levels { agreed(&media.extensions) } else { Default::default() },
    }
}

/// Two channels are announced to a peer that wants them (RFC 7587 §6.1).
fn channels(formats: &Formats, capabilities: &Capabilities) -> Channels {
    let send = matches!(formats.send.format, AudioFormat::Opus(params) if params.stereo);
    Channels { receive: capabilities.opus_stereo, send }
}

fn redundancy(media: &RemoteMedia, choice: &Choice, capabilities: &Capabilities) -> Option<Redundancy> {
    let (payload, copies) = choice.redundancy(media).filter(|_| capabilities.redundancy)?;
    let number = payload.binding.payload_type;
    Some(Redundancy { send_payload_type: number, receive_payload_type: number, copies })
}

fn events(media: &RemoteMedia, choice: &Choice, capabilities: &Capabilities) -> Option<TelephoneEvent> {
    let payload = choice.events(media).filter(|_| capabilities.telephone_event)?;
    let (number, clock_rate) = match payload.binding {
        Binding { payload_type, meaning: Meaning::Events(clock_rate) } => (payload_type, clock_rate),
        _ => return None,
    };
    Some(TelephoneEvent {
        send_payload_type: number,
        receive_payload_type: number,
        clock_rate,
        events: event_set(payload.fmtp.as_deref()),
    })
}

fn bindings(
    media: &RemoteMedia,
    choice: &Choice,
    formats: &Formats,
    capabilities: &Capabilities,
) -> Vec<Binding> {
    let answered = |number| {
        number == choice.payload_type
            || formats.redundancy.is_some_and(|redundancy| redundancy.receive_payload_type == number)
            || formats.telephone_events.iter().any(|event| event.receive_payload_type == number)
    };
    let mut bindings: Vec<_> = media.payloads.iter().map(|payload| payload.binding).collect();
    bindings.retain(|binding| answered(binding.payload_type));
    // The codec leads, wherever the offer put its telephone events; who prefers redundant packets is sent none but
    // invited to send them.
    bindings.sort_by_key(|binding| match binding.meaning {
        Meaning::Audio(_) => 0,
        Meaning::Redundancy(_) if capabilities.preference == Preference::Offerer => 0,
        Meaning::Redundancy(_) => 1,
        Meaning::Events(_) | Meaning::Other => 2,
    });
    bindings
}

impl From<&sdp_types::Media> for Line {
    fn from(media: &sdp_types::Media) -> Self {
        let mid = value(media.attributes.iter(), "mid").and_then(Mid::new);
        Line { media: media.media.clone(), protocol: media.proto.clone(), formats: media.fmt.clone(), mid }
    }
}
