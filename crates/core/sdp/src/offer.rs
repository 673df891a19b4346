use serde::{Deserialize, Serialize};
use tandem_base::{ClockRate, PayloadType, ReceiveFormat, SendFormat, TelephoneEvent};

use crate::choice::transport;
use crate::codec::event_set;
use crate::describe::{AudioLine, describe, switched_off};
use crate::remote::{Payload, Remote, RemoteMedia};
use crate::settle::{self, Formats};
use crate::{
    Binding, Capabilities, Codec, Explanation, Line, Local, Meaning, Negotiated, Origin, Refusal,
    RefusalCause, Warning,
};

/// An offer of ours that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// To be sent, as `application/sdp`.
    pub sdp: String,
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
pub fn offer(capabilities: &Capabilities, local: &Local, previous: Option<&Negotiated>) -> Offer {
    let codecs = codecs(capabilities, previous);
    let formats = number(&meanings(&codecs, capabilities), previous);
    let line = previous.map_or(0, |p| p.line);
    let protocol = previous.and_then(|p| p.lines.get(line)).map_or("RTP/AVP", |line| line.protocol.as_str());
    let audio = AudioLine {
        protocol,
        formats: &formats,
        ptime_ms: codecs.first().map_or(20, |codec| codec.packet_ms(capabilities.ptime_ms.into())),
        direction: local.direction,
        rtcp_mux: true,
        media: &local.media,
    }
    .write();
    let medias: Vec<_> = match previous {
        None => vec![audio],
        Some(previous) => (0..)
            .zip(&previous.lines)
            .map(|(n, other)| if n == line { audio.clone() } else { switched_off(other) })
            .collect(),
    };
    let (origin, sdp) = describe(&medias, local, previous);
    Offer {
        sdp,
        local: *local,
        origin,
        line,
        lines: medias.iter().map(Line::from).collect(),
        formats,
        ptime_ms: capabilities.ptime_ms,
        payloads: previous.map(|p| p.payloads.clone()).unwrap_or_default(),
    }
}

/// Reads the answer to our offer (RFC 3264 §7).
///
/// # Errors
/// A [`Refusal`] when the answer cannot be read or leaves no audio. What held before still holds then; where
/// nothing did, the call must end.
pub fn accept_answer(offer: &Offer, answer: &[u8]) -> Result<Accepted, Refusal> {
    let remote = Remote::parse(answer)?;
    let media = remote.media.get(offer.line).ok_or(RefusalCause::NoAudioAnswered)?;
    let ipv4 = offer.local.media.rtp.is_ipv4();
    transport(media, Some(ipv4)).map_err(|warning| no_audio(offer, warning))?;
    let kept = kept(media, offer);
    let formats = formats(&kept, media, offer.ptime_ms).ok_or_else(|| {
        let text = "the answer names none of the codecs that were offered".to_owned();
        no_audio(offer, Warning { code: 305, text })
    })?;
    let explanation = explain(offer, &kept, &formats, remote.media.len());
    let direction = settle::direction(offer.local.direction, media);
    let theirs = media.payloads.iter().map(|payload| payload.binding);
    let payloads = ours_first(offer, theirs);
    let negotiated = Negotiated {
        stream: settle::stream(media, direction, formats, media.rtcp_mux, ipv4),
        line: offer.line,
        lines: offer.lines.clone(),
        payloads,
        origin: offer.origin,
        local_sdp: offer.sdp.clone(),
    };
    Ok(Accepted { negotiated, explanation })
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

/// The codecs, then telephone events for each of their clocks.
fn meanings(codecs: &[Codec], capabilities: &Capabilities) -> Vec<Meaning> {
    let mut meanings: Vec<_> = codecs.iter().copied().map(Meaning::Audio).collect();
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
        Meaning::Other => None,
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

fn formats(kept: &[Kept<'_>], media: &RemoteMedia, ptime_ms: u8) -> Option<Formats> {
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
            receive.push(ReceiveFormat { payload_type: kept.ours, format: codec.received() });
        }
    }
    let clocks: Vec<_> = audio().map(|(codec, _)| codec.clock_rate()).collect();
    let ptime_ms = settle::packet_ms(codec, media, ptime_ms);
    let send = SendFormat {
        payload_type: first.payload.binding.payload_type,
        format: codec.with_fmtp(first.payload.fmtp.as_deref()),
        ptime_ms,
    };
    let _ = offer;
    Some(Formats { send, receive, telephone_events: events(kept, &clocks) })
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
