//! Datagrams as SRTP and SRTCP under each suite, with and without an MKI: what nobody protected is dropped and leaves
//! nothing behind; what was protected comes out as it went in, and not with one octet changed, nor twice.
#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use tandem_base::{Mki, Srtp, SrtpKeying, SrtpMaster, SrtpSuite, Time};
use tandem_transport::{SRTP_TRAILER, SrtpContext};

#[derive(Arbitrary, Debug)]
struct Run<'a> {
    suite: u8,
    /// Octets of the MKI; none for 0 and for more than 128.
    mki: u8,
    /// Which octet of the protected packet is changed, and how.
    forgery: (u16, u8),
    datagram: &'a [u8],
}

fuzz_target!(|run: Run<'_>| {
    let suite = SrtpSuite::ALL[usize::from(run.suite) % SrtpSuite::ALL.len()];
    let (a, b) = (keying(suite, 1, run.mki), keying(suite, 2, run.mki));
    let mut ours = context(&Srtp { suite, send: a.clone(), receive: vec![b.clone()] });
    let mut theirs = context(&Srtp { suite, send: b, receive: vec![a] });
    for kind in [Kind::Rtp, Kind::Rtcp] {
        drops(&mut theirs, kind, run.datagram);
        carries(&mut ours, &mut theirs, kind, &run);
    }
});

#[derive(Clone, Copy, Debug)]
enum Kind {
    Rtp,
    Rtcp,
}

fn keying(suite: SrtpSuite, seed: u8, mki: u8) -> SrtpKeying {
    let master = SrtpMaster::new(suite, &vec![seed; suite.master_len()]).expect("of its length");
    let mki = (1..=128).contains(&mki).then_some(Mki { value: seed.into(), len: mki });
    SrtpKeying { master, mki, lifetime: None }
}

fn context(srtp: &Srtp) -> SrtpContext {
    let mut context = SrtpContext::new();
    context.negotiate(Some(srtp), Time::ZERO).expect("keys of their length");
    context
}

fn open(context: &mut SrtpContext, kind: Kind, datagram: &[u8]) -> Option<Vec<u8>> {
    let mut out = vec![0; datagram.len()];
    let opened = match kind {
        Kind::Rtp => context.unprotect_rtp(datagram, &mut out, Time::ZERO),
        Kind::Rtcp => context.unprotect_rtcp(datagram, &mut out, Time::ZERO),
    };
    out.truncate(opened.ok()?);
    Some(out)
}

/// To forge a tag of 32 bits is beyond any fuzzer's luck.
fn drops(theirs: &mut SrtpContext, kind: Kind, datagram: &[u8]) {
    let before = theirs.positions();
    assert_eq!(open(theirs, kind, datagram), None, "{kind:?}: a forgery is taken");
    assert_eq!(theirs.positions(), before, "{kind:?}: a forgery left something behind");
}

fn carries(ours: &mut SrtpContext, theirs: &mut SrtpContext, kind: Kind, run: &Run<'_>) {
    let plain = run.datagram;
    let mut sealed = plain.to_vec();
    sealed.resize(plain.len() + SRTP_TRAILER, 0);
    let len = match kind {
        Kind::Rtp => ours.protect_rtp(&mut sealed, plain.len()),
        Kind::Rtcp => ours.protect_rtcp(&mut sealed, plain.len()),
    };
    let Ok(len) = len else { return };
    sealed.truncate(len);
    let mut forged = sealed.clone();
    if let Some(octet) = forged.get_mut(usize::from(run.forgery.0)).filter(|_| run.forgery.1 != 0) {
        *octet ^= run.forgery.1;
        drops(theirs, kind, &forged);
    }
    assert_eq!(open(theirs, kind, &sealed).as_deref(), Some(plain), "{kind:?}: another packet comes out");
    drops(theirs, kind, &sealed);
}
