use tandem_base::{Direction, PayloadType, SrtpPolicy};

use crate::crypto::Crypto;
use crate::explanation::quotable;
use crate::remote::{Address, Payload, Profile, Remote, RemoteMedia};
use crate::remote_dtls::RemoteIce;
use crate::{Capabilities, Codec, Explanation, Meaning, Preference, Refusal, RefusalCause, Warning};
use crate::{dtls, redundancy};

/// The m-line and codec that an offer is answered with.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) line: usize,
    pub(crate) profile: Profile,
    pub(crate) secrecy: Secrecy,
    pub(crate) payload_type: PayloadType,
    pub(crate) codec: Codec,
}

/// Where keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Secrecy {
    Plain,
    /// The crypto attribute to answer.
    Sdes(Crypto),
    Dtls,
}

impl Choice {
    /// The telephone events to keep: those of the codec's clock (RFC 4733 §2.1), else any. Phones with Opus often
    /// offer the 8000 Hz kind alone, and their keys are worth more than a clock.
    pub(crate) fn events<'a>(&self, media: &'a RemoteMedia) -> Option<&'a Payload> {
        let kind = |payload: &&Payload| matches!(payload.binding.meaning, Meaning::Events(_));
        let own = Meaning::Events(self.codec.clock_rate());
        let mut offered = media.payloads.iter().filter(kind);
        media.payloads.iter().find(|payload| payload.binding.meaning == own).or_else(|| offered.next())
    }
}

impl Choice {
    /// The redundant audio to take along, and how many copies the peer takes in one packet.
    pub(crate) fn redundancy<'a>(&self, media: &'a RemoteMedia) -> Option<(&'a Payload, u8)> {
        let own = Meaning::Redundancy(self.codec.clock_rate());
        let offered = media.payloads.iter().filter(|payload| payload.binding.meaning == own);
        let copies = |payload: &Payload| redundancy::copies(payload.fmtp.as_deref(), self.payload_type);
        offered.into_iter().find_map(|payload| Some((payload, copies(payload)?)))
    }
}

/// Chooses the m-line and its codec: the one in use before while it can be used, else the first that can be encrypted,
/// else the first that can be used at all.
///
/// `ipv4` is our own address family; `None` leaves it out of account.
pub(crate) fn choose(
    remote: &Remote,
    capabilities: &Capabilities,
    ipv4: Option<bool>,
    previous: Option<usize>,
) -> Result<(Choice, Explanation), Refusal> {
    let verdicts: Vec<_> = (0..).zip(&remote.media).map(|(n, m)| judge(n, m, capabilities, ipv4)).collect();
    let usable = || verdicts.iter().filter_map(|verdict| verdict.as_ref().ok());
    let choice = usable()
        .find(|choice| Some(choice.line) == previous)
        .or_else(|| usable().find(|choice| choice.secrecy != Secrecy::Plain))
        .or_else(|| usable().next())
        .cloned();
    let explanation = explain(remote, capabilities, &verdicts, choice.as_ref());
    match choice {
        Some(choice) => Ok((choice, explanation)),
        None => Err(Refusal {
            cause: RefusalCause::NothingAcceptable,
            warnings: distinct(verdicts.into_iter().filter_map(Result::err)),
            explanation,
        }),
    }
}

fn judge(
    line: usize,
    media: &RemoteMedia,
    capabilities: &Capabilities,
    ipv4: Option<bool>,
) -> Result<Choice, Warning> {
    let profile = transport(media, ipv4, capabilities.dtls != SrtpPolicy::Off)?;
    let secrecy = secrecy(media, profile, capabilities)?;
    let (payload_type, codec) = preferred(media, capabilities).ok_or_else(|| {
        about(media, 305, &format!("none of its codecs is served; known are {}", names(capabilities)))
    })?;
    Ok(Choice { line, profile, secrecy, payload_type, codec })
}

/// DTLS-SRTP under its own profile, and under RTP/SAVP and RTP/SAVPF where these bring a fingerprint and no key that
/// can be used, as early browsers did (RFC 9429 §5.1.2).
fn secrecy(media: &RemoteMedia, profile: Profile, capabilities: &Capabilities) -> Result<Secrecy, Warning> {
    let dtls = || match dtls::obstacle(media) {
        None => Ok(Secrecy::Dtls),
        Some(why) => Err(about(media, 306, why)),
    };
    let prints = profile.secure && media.dtls.has_fingerprints;
    match capabilities.dtls {
        _ if profile.dtls => dtls(),
        SrtpPolicy::Required if prints => dtls(),
        SrtpPolicy::Required => Err(about(media, 302, "only DTLS-SRTP is served here (UDP/TLS/RTP/SAVPF)")),
        SrtpPolicy::Optional if prints => sdes(media, profile, capabilities).or_else(|_| dtls()),
        _ => sdes(media, profile, capabilities),
    }
}

fn sdes(media: &RemoteMedia, profile: Profile, capabilities: &Capabilities) -> Result<Secrecy, Warning> {
    encryption(media, profile, capabilities).map(|crypto| crypto.map_or(Secrecy::Plain, Secrecy::Sdes))
}

/// The crypto attribute to take: the first that we can (RFC 4568 §5.1.2); `None` leaves the media plain.
fn encryption(
    media: &RemoteMedia,
    profile: Profile,
    capabilities: &Capabilities,
) -> Result<Option<Crypto>, Warning> {
    let served = |crypto: &&Crypto| capabilities.srtp_suites.contains(&crypto.suite);
    let usable = media.crypto.iter().flatten().find(served).cloned();
    match (capabilities.srtp, profile.secure, usable) {
        (SrtpPolicy::Off, true, _) => Err(about(media, 302, "encrypted media are switched off here")),
        (SrtpPolicy::Off, false, _) => Ok(None),
        (_, _, Some(crypto)) => Ok(Some(crypto)),
        (_, true, None) => Err(about(media, 306, &no_crypto(media))),
        (SrtpPolicy::Required, false, None) => {
            Err(about(media, 302, "only encrypted media are served here (RTP/SAVP with a=crypto)"))
        }
        (SrtpPolicy::Optional, false, None) => Ok(None),
    }
}

/// Why no crypto attribute will do.
pub(crate) fn no_crypto(media: &RemoteMedia) -> String {
    match media.crypto.iter().find_map(|crypto| crypto.as_ref().err()) {
        Some(flaw) => format!("no a=crypto can be used: {flaw}"),
        None if media.crypto.is_empty() => "it has no a=crypto".to_owned(),
        None => "none of its crypto suites is served".to_owned(),
    }
}

/// Can the m-line carry our audio, whatever its codecs? Its profile if so.
///
/// `dtls` says whether DTLS-SRTP is served; with ICE candidates count, and not `c=`.
pub(crate) fn transport(media: &RemoteMedia, ipv4: Option<bool>, dtls: bool) -> Result<Profile, Warning> {
    if !media.is_audio() {
        return Err(about(media, 304, "only audio is served"));
    }
    if media.port == 0 && media.dtls.bundle_only && dtls {
        // RFC 9143 §7.3.3: it lives on another m-line's transport, and audio is all that we take.
        return Err(about(media, 399, "it is offered with another m-line's transport alone (bundle-only)"));
    }
    if media.port == 0 {
        return Err(about(media, 399, "it is switched off (port 0)"));
    }
    let profile = media.profile().filter(|profile| dtls || !profile.dtls).ok_or_else(|| {
        let known = if dtls { PROFILES_WITH_DTLS } else { PROFILES };
        about(media, 302, &format!("only the profiles {known} are served"))
    })?;
    if profile.dtls && media.dtls.ice != RemoteIce::Absent {
        return Ok(profile);
    }
    match (&media.address, ipv4) {
        (Address::Unusable(warning), _) => Err(about(media, warning.code, &warning.text)),
        (Address::At(ip), Some(ipv4)) if ip.is_ipv4() != ipv4 => {
            let family = if ipv4 { "IPv4" } else { "IPv6" };
            Err(about(media, 301, &format!("our media address is {family}")))
        }
        _ => Ok(profile),
    }
}

const PROFILES: &str = "RTP/AVP, RTP/AVPF, RTP/SAVP and RTP/SAVPF";
const PROFILES_WITH_DTLS: &str =
    "RTP/AVP, RTP/AVPF, RTP/SAVP, RTP/SAVPF, UDP/TLS/RTP/SAVP and UDP/TLS/RTP/SAVPF";

pub(crate) fn about(media: &RemoteMedia, code: u16, why: &str) -> Warning {
    let (kind, protocol) = (quotable(&media.line.media), quotable(&media.line.protocol));
    Warning { code, text: format!("{kind} over {protocol}: {why}") }
}

fn names(capabilities: &Capabilities) -> String {
    let names: Vec<_> = capabilities.codecs.iter().map(|codec| codec.rtpmap()).collect();
    names.join(", ")
}

fn preferred(media: &RemoteMedia, capabilities: &Capabilities) -> Option<(PayloadType, Codec)> {
    let offered = || media.audio().map(|(number, codec, _)| (number, codec));
    match capabilities.preference {
        Preference::Offerer => offered().find(|(_, codec)| capabilities.codecs.contains(codec)),
        Preference::Ours => {
            capabilities.codecs.iter().find_map(|ours| offered().find(|(_, codec)| codec == ours))
        }
    }
}

fn distinct(warnings: impl Iterator<Item = Warning>) -> Vec<Warning> {
    let mut distinct: Vec<Warning> = Vec::new();
    for warning in warnings {
        if !distinct.contains(&warning) {
            distinct.push(warning);
        }
    }
    distinct
}

fn explain(
    remote: &Remote,
    capabilities: &Capabilities,
    verdicts: &[Result<Choice, Warning>],
    choice: Option<&Choice>,
) -> Explanation {
    let mut explanation = Explanation::default();
    for ((n, media), verdict) in (0..).zip(&remote.media).zip(verdicts) {
        match (verdict, choice) {
            (Err(warning), _) => {
                explanation.line(n, false, format!("refused, {}", warning.text));
                if warning.code == 305 {
                    explain_formats(&mut explanation, n, media, capabilities, None);
                }
            }
            (Ok(_), Some(choice)) if choice.line == n => {
                explanation.line(
                    n,
                    true,
                    format!("accepted, {}, {}", standing(media, choice), kept_secret(media, choice)),
                );
                explain_formats(&mut explanation, n, media, capabilities, Some(choice));
            }
            (Ok(_), _) => explanation.line(n, false, "refused, one audio stream is enough"),
        }
    }
    explanation
}

/// How the media are kept from others.
fn kept_secret(media: &RemoteMedia, choice: &Choice) -> String {
    match &choice.secrecy {
        Secrecy::Sdes(crypto) if choice.profile.secure => format!("encrypted by {}", crypto.suite),
        Secrecy::Sdes(crypto) => format!("encrypted by {} where plain would do", crypto.suite),
        Secrecy::Dtls if media.dtls.ice == RemoteIce::Absent => "encrypted by DTLS-SRTP".to_owned(),
        Secrecy::Dtls => "encrypted by DTLS-SRTP over ICE".to_owned(),
        Secrecy::Plain => "plain".to_owned(),
    }
}

fn standing(media: &RemoteMedia, choice: &Choice) -> String {
    let direction = match media.direction {
        Direction::SendRecv => "audio both ways",
        Direction::SendOnly => "the peer only sends (hold)",
        Direction::RecvOnly => "the peer only receives",
        Direction::Inactive => "nobody sends (hold)",
    };
    let by_ice = choice.secrecy == Secrecy::Dtls && media.dtls.ice != RemoteIce::Absent;
    match &media.address {
        Address::Nowhere | Address::Unknown if by_ice => direction.to_owned(),
        Address::Nowhere => format!("{direction}; its address says to send nothing (hold as in RFC 2543)"),
        Address::Unknown => format!("{direction}; its address shows once packets come"),
        _ if media.bandwidth.is_nothing() => {
            format!("{direction}; its bandwidth says to send nothing (hold)")
        }
        _ => direction.to_owned(),
    }
}

fn explain_formats(
    explanation: &mut Explanation,
    line: usize,
    media: &RemoteMedia,
    capabilities: &Capabilities,
    choice: Option<&Choice>,
) {
    for payload in &media.payloads {
        let (accepted, why) = judge_format(payload, media, capabilities, choice);
        let text = format!("{}: {why}", payload.name);
        explanation.format(line, payload.binding.payload_type, accepted, text);
    }
}

fn judge_format(
    payload: &Payload,
    media: &RemoteMedia,
    capabilities: &Capabilities,
    choice: Option<&Choice>,
) -> (bool, &'static str) {
    match (payload.binding.meaning, choice) {
        (Meaning::Audio(codec), _) if !capabilities.codecs.contains(&codec) => (false, "not configured"),
        (Meaning::Audio(_), Some(choice)) if choice.payload_type == payload.binding.payload_type => {
            (true, "chosen, the first by preference that both sides have")
        }
        (Meaning::Audio(_), _) => (false, "known, but another comes first"),
        (Meaning::Events(_), _) if !capabilities.telephone_event => (false, "not configured"),
        (Meaning::Events(clock), Some(choice))
            if choice.events(media).is_some_and(|p| p.binding == payload.binding) =>
        {
            (
                true,
                if clock == choice.codec.clock_rate() {
                    "kept, its clock is the codec's"
                } else {
                    "kept for want of the codec's clock"
                },
            )
        }
        (Meaning::Events(_), _) => (false, "left out, its clock is not that of the chosen codec"),
        (Meaning::Redundancy(_), _) if !capabilities.redundancy => (false, "not configured"),
        (Meaning::Redundancy(_), Some(choice))
            if choice.redundancy(media).is_some_and(|(p, _)| p.binding == payload.binding) =>
        {
            (true, "kept, packets may bring copies of those before them")
        }
        (Meaning::Redundancy(_), _) => (false, "left out, it does not lead with the chosen codec"),
        (Meaning::Other, _) if payload.binding.payload_type == PayloadType::CN => {
            (false, "comfort noise is left out")
        }
        (Meaning::Other, _) => (false, "not served"),
    }
}
