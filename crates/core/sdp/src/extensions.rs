//! `a=extmap`: header extensions of RTP (RFC 8285 §5, §6). Those that are served are agreed to, all others left out.

use sdp_types::Attribute;
use tandem_base::{ClientLevel, Direction, ExtensionId, HeaderExtensions};

/// The peer says how loud its packets are (RFC 6464 §4).
const CLIENT_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
/// We say how loud those in our mix are (RFC 6465 §4).
const MIXER_LEVELS: &str = "urn:ietf:params:rtp-hdrext:csrc-audio-level";
/// Attributes of one m-line that are looked at: browsers offer a dozen.
const MAX_EXTMAPS: usize = 64;

/// An extension of the peer's that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extmap {
    id: ExtensionId,
    kind: Kind,
    /// As the peer sees it.
    direction: Direction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    ClientLevel { voice_flag: bool },
    MixerLevels,
}

/// Reads the values of `a=extmap`; where a number is given twice, the first one counts.
pub(crate) fn attributes<'a>(values: impl Iterator<Item = &'a str>) -> Vec<Extmap> {
    let (mut taken, mut known) = (Vec::new(), Vec::new());
    for (id, direction, rest) in values.take(MAX_EXTMAPS).filter_map(head) {
        if taken.contains(&id) {
            continue;
        }
        taken.push(id);
        known.extend(kind(rest).map(|kind| Extmap { id, kind, direction }));
    }
    known
}

/// `number[/direction] URI attributes`. Numbers from 4096 on only stand for choices of an offer (RFC 8285 §6).
fn head(value: &str) -> Option<(ExtensionId, Direction, &str)> {
    let (head, rest) = value.split_once([' ', '\t'])?;
    let (number, direction) = head.split_once('/').unwrap_or((head, "sendrecv"));
    let all = [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive];
    let direction = all.into_iter().find(|d| d.as_str().eq_ignore_ascii_case(direction))?;
    Some((ExtensionId::new(number.parse().ok()?)?, direction, rest))
}

fn kind(rest: &str) -> Option<Kind> {
    let mut words = rest.split_ascii_whitespace();
    match words.next()? {
        // RFC 6464 §4: without a word about it the flag counts.
        CLIENT_LEVEL => {
            Some(Kind::ClientLevel { voice_flag: !words.any(|w| w.eq_ignore_ascii_case("vad=off")) })
        }
        MIXER_LEVELS => Some(Kind::MixerLevels),
        _ => None,
    }
}

/// What of the peer's extensions is agreed to: each way that it is of use.
pub(crate) fn agreed(theirs: &[Extmap]) -> HeaderExtensions {
    let client = theirs.iter().filter(|e| e.direction.sends()).find_map(|e| match e.kind {
        Kind::ClientLevel { voice_flag } => Some(ClientLevel { id: e.id, voice_flag }),
        Kind::MixerLevels => None,
    });
    let mixer = theirs.iter().find(|e| e.direction.receives() && e.kind == Kind::MixerLevels);
    HeaderExtensions { client_level: client, mixer_levels: mixer.map(|e| e.id) }
}

/// What an answer leaves of our offer: it may not give other numbers (RFC 8285 §6).
pub(crate) fn kept(offered: HeaderExtensions, theirs: &[Extmap]) -> HeaderExtensions {
    let answered = agreed(theirs);
    let id = |level: Option<ClientLevel>| level.map(|level| level.id);
    HeaderExtensions {
        client_level: answered.client_level.filter(|level| id(offered.client_level) == Some(level.id)),
        mixer_levels: answered.mixer_levels.filter(|id| offered.mixer_levels == Some(*id)),
    }
}

/// What a first offer of ours has.
pub(crate) fn all() -> HeaderExtensions {
    HeaderExtensions {
        client_level: ExtensionId::new(1).map(|id| ClientLevel { id, voice_flag: true }),
        mixer_levels: ExtensionId::new(2),
    }
}

/// As we write them: the peer sends the one, and we the other.
pub(crate) fn write(extensions: HeaderExtensions) -> impl Iterator<Item = Attribute> {
    let client = extensions.client_level.map(|ClientLevel { id, voice_flag }| {
        let flag = if voice_flag { "" } else { " vad=off" };
        format!("{}/recvonly {CLIENT_LEVEL}{flag}", id.get())
    });
    let mixer = extensions.mixer_levels.map(|id| format!("{}/sendonly {MIXER_LEVELS}", id.get()));
    let attribute = |value| Attribute { attribute: "extmap".to_owned(), value: Some(value) };
    client.into_iter().chain(mixer).map(attribute)
}
