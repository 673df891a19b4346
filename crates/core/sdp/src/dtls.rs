//! DTLS-SRTP, ICE and BUNDLE as two descriptions settle them (RFC 5763, RFC 8842, RFC 8839, RFC 9143, RFC 9429).

use std::net::SocketAddr;

use sdp_types::Attribute;
use serde::{Deserialize, Serialize};
use tandem_base::{
    Candidate, Dtls, DtlsRole, DtlsSetup, DtlsTransport, Fingerprint, Ice, IceCredentials, IceSide, Mid,
    Ssrc, TlsId,
};

use crate::candidate;
use crate::remote::RemoteMedia;
use crate::remote_dtls::{RemoteDtls, RemoteIce, Setup};

/// Our side of a call that may be encrypted by DTLS-SRTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalDtls {
    /// Our certificate's: at least one. Others than before mean another certificate, and a new handshake.
    pub fingerprints: Vec<Fingerprint>,
    /// For the next association, if there is one: drawn at random for each description.
    pub new_id: TlsId,
    /// `None`: without ICE.
    pub ice: Option<LocalIce>,
    /// What we send under, and by what name (`a=ssrc`, RFC 5576 §4.1).
    pub source: Option<LocalSource>,
}

/// Our ICE agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalIce {
    /// Used where ICE starts anew: drawn at random for each description.
    pub fresh: IceCredentials,
    /// Let our next offer restart ICE (RFC 8839 §4.4.1.1.1).
    pub restart: bool,
    /// Where we can be reached, best first; [`Candidate::MAX`] are written.
    pub candidates: Vec<Candidate>,
    /// We answer checks and make none.
    pub lite: bool,
    /// We take candidates later on.
    pub trickle: bool,
    /// These are all of our candidates.
    pub complete: bool,
}

/// What we send under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalSource {
    /// The SSRC.
    pub ssrc: Ssrc,
    /// The canonical name of RTCP (RFC 7022), one word.
    pub cname: Mid,
}

/// Our side as one description has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DtlsSide {
    /// Our certificate's.
    pub fingerprints: Vec<Fingerprint>,
    /// Our association's name.
    pub id: Option<TlsId>,
    /// Our ICE agent.
    pub ice: Option<IceSide>,
    /// Our m-line's name.
    pub mid: Option<Mid>,
    /// Those that share its transport.
    pub bundle: Vec<Mid>,
    /// RTCP may be of reduced size.
    pub rtcp_rsize: bool,
    /// What we send under.
    pub source: Option<LocalSource>,
}

impl LocalIce {
    fn side(&self, credentials: IceCredentials) -> IceSide {
        let candidates = self.candidates.iter().take(Candidate::MAX).cloned().collect();
        let (lite, trickle, complete) = (self.lite, self.trickle, self.complete);
        IceSide { credentials, candidates, lite, trickle, complete }
    }
}

/// The answer's transport. `None` where the m-line has no part of it; [`obstacle`] names which.
pub(crate) fn answer(
    media: &RemoteMedia,
    local: &LocalDtls,
    previous: Option<&DtlsTransport>,
) -> Option<DtlsTransport> {
    let theirs = &media.dtls;
    let before = previous.map(|previous| &previous.dtls);
    let settled = Settled { local: &local.fingerprints, before, theirs };
    let role = match theirs.setup {
        Setup::Is(DtlsSetup::Passive) => DtlsRole::Client,
        // RFC 4145 §4: who says nothing in an offer is active.
        Setup::Is(DtlsSetup::Active) | Setup::Absent => DtlsRole::Server,
        // RFC 5763 §5: the answerer should be active, since its hello may leave before the answer arrives; but nothing
        // changes while the association stands (RFC 8842 §5.3).
        Setup::Is(DtlsSetup::ActPass) => before
            .filter(|before| settled.is_same(before.role))
            .map_or(DtlsRole::Client, |before| before.role),
        Setup::Unusable => return None,
    };
    // RFC 8842 §5.3: only where the offer has one.
    let ours = theirs.tls_id.as_ref().map(|_| match before {
        Some(Dtls { local_id: Some(id), .. }) if settled.is_same(role) => id.clone(),
        _ => local.new_id.clone(),
    });
    Some(DtlsTransport {
        dtls: settled.dtls(role, ours),
        ice: answer_ice(theirs, local, previous.and_then(|previous| previous.ice.as_ref())),
        mid: theirs.mid.clone(),
        // The others are refused, and leave the group (RFC 9143 §7.3.3).
        bundle: theirs.mid.iter().filter(|_| theirs.bundled).cloned().collect(),
        rtcp_rsize: theirs.rtcp_rsize,
        remote_ssrcs: theirs.ssrcs.clone(),
    })
}

/// Their credentials tell of a restart (RFC 8839 §4.4.1.1.1), which has new ones of ours for its answer.
fn answer_ice(theirs: &RemoteDtls, local: &LocalDtls, before: Option<&Ice>) -> Option<Ice> {
    let (RemoteIce::Is(remote), Some(local)) = (&theirs.ice, &local.ice) else { return None };
    let going_on = before.filter(|before| !remote.credentials.differ_from(&before.remote.credentials));
    let credentials = going_on.map_or(&local.fresh, |before| &before.local.credentials);
    Some(Ice {
        local: local.side(credentials.clone()),
        remote: remote.clone(),
        // RFC 8445 §6.1.1: the offerer controls, but who is lite never controls one who is not.
        controlling: going_on.map_or(remote.lite && !local.lite, |before| before.controlling),
        generation: generation(before, going_on.is_some()),
    })
}

/// What an offer of ours has. `previous` is what the call has settled, `first` our m-line's name without that.
pub(crate) fn offer(local: &LocalDtls, previous: Option<&DtlsTransport>, first: Option<Mid>) -> DtlsSide {
    let same_certificate = previous.filter(|previous| previous.dtls.local == local.fingerprints);
    let id = same_certificate.map_or(Some(&local.new_id), |previous| previous.dtls.local_id.as_ref());
    let before = previous.and_then(|previous| previous.ice.as_ref());
    let ice = local.ice.as_ref().filter(|_| previous.is_none() || before.is_some()).map(|ice| {
        let kept = before.filter(|_| !ice.restart).map(|before| &before.local.credentials);
        ice.side(kept.unwrap_or(&ice.fresh).clone())
    });
    let mid = previous
        .map_or(first, |previous| previous.mid.clone())
        .filter(|_| ice.is_some() || previous.is_some());
    let bundle = match previous {
        Some(previous) => previous.bundle.clone(),
        None => mid.clone().into_iter().collect(),
    };
    DtlsSide {
        fingerprints: local.fingerprints.clone(),
        id: id.cloned(),
        rtcp_rsize: previous.map_or(ice.is_some(), |previous| previous.rtcp_rsize),
        ice,
        mid,
        bundle,
        source: local.source.clone(),
    }
}

/// What the answer makes of our offer.
pub(crate) fn accept(
    media: &RemoteMedia,
    offered: &DtlsSide,
    previous: Option<&DtlsTransport>,
) -> Option<DtlsTransport> {
    let theirs = &media.dtls;
    let role = match theirs.setup {
        Setup::Is(DtlsSetup::Passive) => DtlsRole::Client,
        // RFC 5763 §5 has the answerer be active; one that does not say so is taken to be.
        Setup::Is(DtlsSetup::Active) | Setup::Absent => DtlsRole::Server,
        Setup::Is(DtlsSetup::ActPass) | Setup::Unusable => return None,
    };
    let before = previous.map(|previous| &previous.dtls);
    let settled = Settled { local: &offered.fingerprints, before, theirs };
    let id = offered.id.clone().filter(|_| theirs.tls_id.is_some());
    Some(DtlsTransport {
        dtls: settled.dtls(role, id),
        ice: accept_ice(theirs, offered, previous.and_then(|previous| previous.ice.as_ref())),
        mid: offered.mid.clone(),
        bundle: if theirs.bundled { offered.bundle.clone() } else { Vec::new() },
        rtcp_rsize: offered.rtcp_rsize && theirs.rtcp_rsize,
        remote_ssrcs: theirs.ssrcs.clone(),
    })
}

fn accept_ice(theirs: &RemoteDtls, offered: &DtlsSide, before: Option<&Ice>) -> Option<Ice> {
    let (RemoteIce::Is(remote), Some(local)) = (&theirs.ice, &offered.ice) else { return None };
    let going_on = before.filter(|before| {
        let ours = local.credentials.differ_from(&before.local.credentials);
        !ours && !remote.credentials.differ_from(&before.remote.credentials)
    });
    Some(Ice {
        local: local.clone(),
        remote: remote.clone(),
        controlling: going_on.map_or(!local.lite || remote.lite, |before| before.controlling),
        generation: generation(before, going_on.is_some()),
    })
}

fn generation(before: Option<&Ice>, goes_on: bool) -> u32 {
    before.map_or(0, |before| before.generation.wrapping_add((!goes_on).into()))
}

/// Both sides' certificates, and what they were before.
struct Settled<'a> {
    local: &'a [Fingerprint],
    theirs: &'a RemoteDtls,
    before: Option<&'a Dtls>,
}

impl Settled<'_> {
    /// Does the association go on? Others are a change of role, certificate or `a=tls-id` (RFC 8842 §3.1).
    fn is_same(&self, role: DtlsRole) -> bool {
        self.before.is_some_and(|before| {
            (before.role, before.remote.as_slice(), before.remote_id.as_ref())
                == (role, self.theirs.fingerprints.as_slice(), self.theirs.tls_id.as_ref())
                && before.local == self.local
        })
    }

    fn dtls(&self, role: DtlsRole, local_id: Option<TlsId>) -> Dtls {
        let count = self.before.map_or(0, |before| before.association);
        let another = self.before.is_some() && !self.is_same(role);
        Dtls {
            role,
            local: self.local.to_vec(),
            remote: self.theirs.fingerprints.clone(),
            association: count.wrapping_add(another.into()),
            local_id,
            remote_id: self.theirs.tls_id.clone(),
        }
    }
}

/// Why DTLS cannot be had with this m-line; the same for offers and answers.
pub(crate) fn obstacle(media: &RemoteMedia) -> Option<&'static str> {
    let theirs = &media.dtls;
    match (&theirs.setup, &theirs.ice) {
        _ if !theirs.has_fingerprints => Some("it has no a=fingerprint"),
        _ if theirs.fingerprints.is_empty() => Some("no a=fingerprint can be used (sha-1 to sha-512 are)"),
        (Setup::Unusable, _) => Some("its a=setup is none of actpass, active and passive"),
        (_, RemoteIce::Unusable) => Some("its a=ice-ufrag and a=ice-pwd cannot be used"),
        (_, RemoteIce::Is(_)) if !media.rtcp_mux => Some("ICE is served with a=rtcp-mux alone"),
        _ => None,
    }
}

impl From<&DtlsTransport> for DtlsSide {
    fn from(settled: &DtlsTransport) -> Self {
        DtlsSide {
            fingerprints: settled.dtls.local.clone(),
            id: settled.dtls.local_id.clone(),
            ice: settled.ice.as_ref().map(|ice| ice.local.clone()),
            mid: settled.mid.clone(),
            bundle: settled.bundle.clone(),
            rtcp_rsize: settled.rtcp_rsize,
            source: None,
        }
    }
}

impl DtlsSide {
    /// What stands at the session level.
    pub(crate) fn session(&self) -> Vec<Attribute> {
        let mut attributes = Vec::new();
        if !self.bundle.is_empty() {
            let mids: Vec<_> = self.bundle.iter().map(Mid::as_str).collect();
            attributes.push(with("group", format!("BUNDLE {}", mids.join(" "))));
        }
        if let Some(ice) = &self.ice {
            attributes.extend(ice.lite.then(|| Attribute::new("ice-lite")));
            // RFC 8445 §10: ice2 is who keeps to that rather than to RFC 5245.
            let options = if ice.trickle { "trickle ice2" } else { "ice2" };
            attributes.push(with("ice-options", options.to_owned()));
        }
        attributes
    }

    /// What stands at the m-line.
    pub(crate) fn media(&self, setup: DtlsSetup) -> Vec<Attribute> {
        let mut attributes = Vec::new();
        attributes.extend(self.rtcp_rsize.then(|| Attribute::new("rtcp-rsize")));
        attributes.extend(self.mid.as_ref().map(|mid| with("mid", mid.to_string())));
        if let Some(LocalSource { ssrc, cname }) = &self.source {
            // Browsers hand a track to the page within a stream (RFC 8830 §2).
            attributes.push(with("msid", "tandem audio".to_owned()));
            attributes.push(with("ssrc", format!("{} cname:{cname}", ssrc.0)));
        }
        attributes.push(with("setup", setup.as_str().to_owned()));
        attributes.extend(self.fingerprints.iter().map(|print| with("fingerprint", print.to_string())));
        attributes.extend(self.id.as_ref().map(|id| with("tls-id", id.to_string())));
        attributes.extend(self.ice.iter().flat_map(ice_lines));
        attributes
    }

    /// Where we receive by default; `None` leaves it to the ports of a leg without ICE. Before the first candidate
    /// nobody is told of a place (RFC 8840 §4.1.1).
    pub(crate) fn destination(&self) -> Option<Option<SocketAddr>> {
        self.ice.as_ref().map(|ice| candidate::default(&ice.candidates))
    }
}

/// Who begins, as our answer says it.
pub(crate) const fn answered_setup(role: DtlsRole) -> DtlsSetup {
    match role {
        DtlsRole::Client => DtlsSetup::Active,
        DtlsRole::Server => DtlsSetup::Passive,
    }
}

fn ice_lines(ice: &IceSide) -> Vec<Attribute> {
    let mut attributes = vec![
        with("ice-ufrag", ice.credentials.ufrag.to_string()),
        with("ice-pwd", ice.credentials.password.as_str().to_owned()),
    ];
    attributes.extend(ice.candidates.iter().map(|each| with("candidate", candidate::write(each))));
    attributes.extend(ice.complete.then(|| Attribute::new("end-of-candidates")));
    attributes
}

fn with(name: &str, value: String) -> Attribute {
    Attribute { attribute: name.to_owned(), value: Some(value) }
}
