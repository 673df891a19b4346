//! What a peer's m-line says of DTLS, ICE and BUNDLE.

use sdp_types::{Attribute, Media, Session};
use tandem_base::{
    Candidate, DtlsSetup, DtlsTransport, Fingerprint, HashFunction, IceCredentials, IcePassword, IceSide,
    IceUfrag, Mid, Ssrc, TlsId,
};

use crate::candidate;
use crate::remote::{is, value, values};

/// Groups of one description that are looked at.
const MAX_GROUPS: usize = 8;

/// As far as it is served. What stands at the m-line comes before what the session says (RFC 8122 §5, RFC 8839 §5.4).
#[derive(Debug, Default)]
pub(crate) struct RemoteDtls {
    /// Those that can be checked, strongest first.
    pub(crate) fingerprints: Vec<Fingerprint>,
    /// There were some.
    pub(crate) has_fingerprints: bool,
    pub(crate) setup: Setup,
    pub(crate) tls_id: Option<TlsId>,
    pub(crate) ice: RemoteIce,
    pub(crate) mid: Option<Mid>,
    /// Its mid stands in a BUNDLE group.
    pub(crate) bundled: bool,
    pub(crate) bundle_only: bool,
    pub(crate) rtcp_rsize: bool,
    pub(crate) ssrcs: Vec<Ssrc>,
}

/// `a=setup` (RFC 4145 §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Setup {
    #[default]
    Absent,
    Is(DtlsSetup),
    /// holdconn, or a word that nobody knows.
    Unusable,
}

/// ICE in a description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum RemoteIce {
    #[default]
    Absent,
    Is(IceSide),
    /// Credentials that are incomplete or against the grammar.
    Unusable,
}

impl RemoteDtls {
    pub(crate) fn new(session: &Session, media: &Media) -> Self {
        let (own, common) = (media.attributes.as_slice(), session.attributes.as_slice());
        let either = |name| value(own.iter(), name).or_else(|| value(common.iter(), name));
        let has = |name| own.iter().any(|a| is(a, name));
        let mid = value(own.iter(), "mid").and_then(Mid::new);
        let prints = if has("fingerprint") { own } else { common };
        RemoteDtls {
            fingerprints: fingerprints(prints),
            has_fingerprints: prints.iter().any(|a| is(a, "fingerprint")),
            setup: either("setup").map_or(Setup::Absent, setup),
            tls_id: value(own.iter(), "tls-id").and_then(TlsId::new),
            ice: ice(own, common),
            bundled: mid.as_ref().is_some_and(|mid| is_bundled(mid, common)),
            mid,
            bundle_only: has("bundle-only"),
            rtcp_rsize: has("rtcp-rsize"),
            ssrcs: ssrcs(own),
        }
    }
}

fn fingerprints(attributes: &[Attribute]) -> Vec<Fingerprint> {
    let mut known: Vec<Fingerprint> = Vec::new();
    for print in values(attributes, "fingerprint").take(Fingerprint::MAX).filter_map(fingerprint) {
        if !known.contains(&print) {
            known.push(print);
        }
    }
    known.sort_by_key(|print| std::cmp::Reverse(print.hash()));
    known
}

/// `sha-256 4A:AD:…` (RFC 8122 §5).
fn fingerprint(value: &str) -> Option<Fingerprint> {
    let (hash, digest) = value.split_once([' ', '\t'])?;
    let hash = HashFunction::from_name(hash)?;
    let octets = digest.trim().split(':').take(hash.digest_len() + 1);
    let octet = |text: &str| {
        let is_hex = text.len() == 2 && text.bytes().all(|b| b.is_ascii_hexdigit());
        is_hex.then(|| u8::from_str_radix(text, 16).ok()).flatten()
    };
    Fingerprint::new(hash, &octets.map(octet).collect::<Option<Vec<u8>>>()?)
}

fn setup(word: &str) -> Setup {
    let all = [DtlsSetup::ActPass, DtlsSetup::Active, DtlsSetup::Passive];
    let known = all.into_iter().find(|setup| setup.as_str().eq_ignore_ascii_case(word));
    known.map_or(Setup::Unusable, Setup::Is)
}

fn ice(own: &[Attribute], common: &[Attribute]) -> RemoteIce {
    let either = |name| value(own.iter(), name).or_else(|| value(common.iter(), name));
    let (ufrag, password) = (either("ice-ufrag"), either("ice-pwd"));
    if ufrag.is_none() && password.is_none() {
        return RemoteIce::Absent;
    }
    let Some(credentials) = credentials(ufrag, password) else { return RemoteIce::Unusable };
    let says = |name| own.iter().chain(common).any(|a| is(a, name));
    let options = values(own, "ice-options").chain(values(common, "ice-options"));
    let trickle = options.flat_map(str::split_ascii_whitespace).any(|option| option == "trickle");
    RemoteIce::Is(IceSide {
        credentials,
        candidates: candidates(values(own, "candidate")),
        lite: common.iter().any(|a| is(a, "ice-lite")),
        trickle,
        complete: !trickle || says("end-of-candidates"),
    })
}

/// Both, by their grammar.
pub(crate) fn credentials(ufrag: Option<&str>, password: Option<&str>) -> Option<IceCredentials> {
    Some(IceCredentials { ufrag: IceUfrag::new(ufrag?)?, password: IcePassword::new(password?)? })
}

/// Those of the one component that RTP and RTCP share.
pub(crate) fn candidates<'a>(values: impl Iterator<Item = &'a str>) -> Vec<Candidate> {
    let read = values.take(2 * Candidate::MAX).filter_map(candidate::read);
    read.filter(|candidate| candidate.component == 1).take(Candidate::MAX).collect()
}

/// `group:BUNDLE mid …` (RFC 9143 §4).
fn is_bundled(mid: &Mid, common: &[Attribute]) -> bool {
    values(common, "group").take(MAX_GROUPS).any(|group| {
        let mut words = group.split_ascii_whitespace();
        words.next() == Some("BUNDLE") && words.any(|word| word == mid.as_str())
    })
}

fn ssrcs(own: &[Attribute]) -> Vec<Ssrc> {
    let mut known = Vec::new();
    let number = |value: &str| value.split_ascii_whitespace().next()?.parse().ok().map(Ssrc);
    for ssrc in values(own, "ssrc").take(crate::MAX_ATTRIBUTES).filter_map(number) {
        if !known.contains(&ssrc) && known.len() < DtlsTransport::MAX_SSRCS {
            known.push(ssrc);
        }
    }
    known
}
