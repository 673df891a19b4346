//! Keys that change, have names, or go and come back.

use std::time::Duration;

use super::*;

const SUITE: SrtpSuite = SrtpSuite::AesCm128HmacSha1_80;

fn seconds(n: u64) -> Time {
    Time::from_millis(n * 1_000)
}

#[test]
fn a_new_key_goes_on_with_the_roll_over_counter() {
    let (mut a, mut b) = pair(SUITE);
    for n in 0..70_000u32 {
        let sealed = protect(&mut a, &rtp(SSRC, n as u16));
        unprotect(&mut b, &sealed).unwrap();
    }
    let late = protect(&mut a, &rtp(SSRC, 4_500));
    let (new, b_key) = (keying(SUITE, 9), keying(SUITE, 2));
    b.negotiate(Some(&srtp(SUITE, &b_key, &[&new])), seconds(1)).unwrap();
    a.negotiate(Some(&srtp(SUITE, &new, &[&b_key])), seconds(1)).unwrap();
    let fresh = protect(&mut a, &rtp(SSRC, 4_501));
    assert_eq!(unprotect_at(&mut b, &fresh, seconds(1)), Ok(rtp(SSRC, 4_501)));
    assert_eq!(unprotect_at(&mut b, &late, seconds(2)), Ok(rtp(SSRC, 4_500)), "still on its way");
    assert_eq!(unprotect_at(&mut b, &late, seconds(2)), Err(SrtpError::Replayed));
    assert_eq!(a.positions().sent.rtp.map(|(_, index)| index), Some(0x1_0000 + 4_501));
}

#[test]
fn the_old_key_ends_after_its_time() {
    let (mut a, mut b) = pair(SUITE);
    let old = protect(&mut a, &rtp(SSRC, 1));
    b.negotiate(Some(&srtp(SUITE, &keying(SUITE, 2), &[&keying(SUITE, 9)])), seconds(10)).unwrap();
    let over = seconds(10) + Duration::from_secs(32);
    assert_eq!(unprotect_at(&mut b, &old, over), Err(SrtpError::Unauthentic));
    let just = Time::from_nanos(over.as_nanos() - 1);
    assert_eq!(unprotect_at(&mut b, &old, just), Ok(rtp(SSRC, 1)));
}

#[test]
fn a_peer_that_starts_its_counter_anew_with_a_new_key_is_understood() {
    let (mut a, mut b) = pair(SUITE);
    for n in 0..70_000u32 {
        let sealed = protect(&mut a, &rtp(SSRC, n as u16));
        unprotect(&mut b, &sealed).unwrap();
    }
    let new = keying(SUITE, 9);
    b.negotiate(Some(&srtp(SUITE, &keying(SUITE, 2), &[&new])), seconds(1)).unwrap();
    let mut fresh = context(&srtp(SUITE, &new, &[&keying(SUITE, 2)]));
    let sealed = protect(&mut fresh, &rtp(SSRC, 4_500));
    assert_eq!(unprotect_at(&mut b, &sealed, seconds(1)), Ok(rtp(SSRC, 4_500)));
}

#[test]
fn hold_and_resume_with_the_same_keys_change_nothing() {
    let (mut a, mut b) = pair(SUITE);
    let same = srtp(SUITE, &keying(SUITE, 2), &[&keying(SUITE, 1)]);
    let first = protect(&mut a, &rtp(SSRC, 65_535));
    unprotect(&mut b, &first).unwrap();
    b.negotiate(Some(&same), seconds(5)).unwrap();
    assert_eq!(unprotect(&mut b, &first), Err(SrtpError::Replayed), "it remembers");
    let next = protect(&mut a, &rtp(SSRC, 0));
    assert_eq!(unprotect(&mut b, &next), Ok(rtp(SSRC, 0)), "rolled over while on hold");
}

#[test]
fn a_key_that_comes_back_never_encrypts_two_packets_alike() {
    let a_key = keying(SUITE, 1);
    let other = SrtpSuite::AeadAes128Gcm;
    let on = srtp(SUITE, &a_key, &[&keying(SUITE, 2)]);
    let mut a = context(&on);
    let first = protect(&mut a, &rtp(SSRC, 100));
    for between in [None, Some(srtp(other, &keying(other, 3), &[&keying(other, 4)]))] {
        a.negotiate(between.as_ref(), Time::ZERO).unwrap();
        assert_eq!(a.is_on(), between.is_some());
        a.negotiate(Some(&on), Time::ZERO).unwrap();
        let mut again = rtp(SSRC, 100);
        again.resize(400, 0);
        assert_eq!(a.protect_rtp(&mut again, 172), Err(SrtpError::Reused));
    }
    let index = a.positions().sent.rtp.unwrap().1;
    let next = protect(&mut a, &rtp(SSRC, 99));
    assert!(a.positions().sent.rtp.unwrap().1 > index);
    assert_ne!(first[12..172], next[12..172]);
}

#[test]
fn several_keys_are_told_apart_by_their_mki() {
    for suite in SrtpSuite::ALL {
        let [one, two] = [(1, 1), (5, 2)].map(|(seed, mki)| with_mki(keying(suite, seed), mki, 4));
        let back = with_mki(keying(suite, 3), 0x0102_0304_0506_0708, 128);
        let mut b = context(&srtp(suite, &back, &[&one, &two]));
        for (n, key) in [(10, &one), (11, &two), (12, &one)] {
            let mut a = context(&srtp(suite, key, &[&back]));
            for plain in [rtp(SSRC + u32::from(n), n), rtcp(SSRC + u32::from(n))] {
                let sealed = protect(&mut a, &plain);
                assert_eq!(unprotect(&mut b, &sealed), Ok(plain), "{suite}");
            }
            let answer = protect(&mut b, &rtp(7, n));
            assert_eq!(answer.len(), 172 + suite.rtp_tag_len() + 128);
            assert_eq!(unprotect(&mut a, &answer), Ok(rtp(7, n)), "{suite}");
        }
        let unknown = with_mki(keying(suite, 1), 3, 4);
        let sealed = protect(&mut context(&srtp(suite, &unknown, &[&back])), &rtp(SSRC, 50));
        assert_eq!(unprotect(&mut b, &sealed), Err(SrtpError::Unauthentic), "{suite}");
    }
}

#[test]
fn a_key_of_another_length_shuts_the_leg() {
    let mut context = SrtpContext::new();
    let short = keying(SUITE, 1);
    let wrong = srtp(SrtpSuite::AesCm256HmacSha1_80, &short, &[&short]);
    assert_eq!(context.negotiate(Some(&wrong), Time::ZERO), Err(SrtpError::NoKey));
    assert!(context.is_on());
    let mut buffer = rtp(SSRC, 1);
    buffer.resize(400, 0);
    assert_eq!(context.protect_rtp(&mut buffer, 172), Err(SrtpError::NoKey));
}

fn living(suite: SrtpSuite, seed: u8, lifetime: u64) -> SrtpKeying {
    SrtpKeying { lifetime: Some(lifetime), ..keying(suite, seed) }
}

/// What [`protect`] would have to send.
fn try_protect(context: &mut SrtpContext, plain: &[u8]) -> Result<usize, SrtpError> {
    let mut buffer = plain.to_vec();
    buffer.resize(plain.len() + SRTP_TRAILER, 0);
    if plain[1] >= 192 {
        context.protect_rtcp(&mut buffer, plain.len())
    } else {
        context.protect_rtp(&mut buffer, plain.len())
    }
}

#[test]
fn a_key_protects_no_more_packets_than_its_lifetime() {
    for suite in SrtpSuite::ALL {
        let mut a = context(&srtp(suite, &living(suite, 1, 5), &[&keying(suite, 2)]));
        for n in 0..5 {
            protect(&mut a, &rtp(SSRC, 10 + n));
            protect(&mut a, &rtcp(SSRC));
        }
        for plain in [rtp(SSRC, 20), rtp(SSRC, 21), rtcp(SSRC)] {
            assert_eq!(try_protect(&mut a, &plain), Err(SrtpError::Exhausted), "{suite}");
        }
        // Not even after the same key was negotiated again, or in another process.
        let same = srtp(suite, &living(suite, 1, 5), &[&keying(suite, 2)]);
        a.negotiate(Some(&same), seconds(1)).unwrap();
        assert_eq!(try_protect(&mut a, &rtp(SSRC, 22)), Err(SrtpError::Exhausted));
        let mut resumed = SrtpContext::resume(&same, &a.positions(), seconds(1)).unwrap();
        assert_eq!(try_protect(&mut resumed, &rtp(SSRC, 22)), Err(SrtpError::Exhausted));
    }
}

#[test]
fn no_key_goes_beyond_what_its_suite_allows() {
    for lifetime in [None, Some(1 << 48)] {
        let ours = SrtpKeying { lifetime, ..keying(SUITE, 1) };
        let keys = srtp(SUITE, &ours, &[&keying(SUITE, 2)]);
        let sent = |rtp, rtcp, packets| SrtpPositions {
            sent: SentPosition { rtp: Some((tandem_base::Ssrc(SSRC), rtp)), rtcp, packets },
            received: Vec::new(),
        };
        let at = |positions: &SrtpPositions| SrtpContext::resume(&keys, positions, Time::ZERO).unwrap();
        let mut last = at(&sent((1 << 48) - 2, (1 << 31) - 1, (1 << 48) - 2));
        protect(&mut last, &rtp(SSRC, 0xffff));
        protect(&mut last, &rtcp(SSRC));
        assert_eq!(try_protect(&mut last, &rtp(SSRC, 0)), Err(SrtpError::Exhausted), "numbers are used up");
        assert_eq!(try_protect(&mut last, &rtcp(SSRC)), Err(SrtpError::Exhausted));
        let mut counted = at(&sent(7, 7, 1 << 48));
        assert_eq!(try_protect(&mut counted, &rtp(SSRC, 8)), Err(SrtpError::Exhausted), "packets are");
    }
}

#[test]
fn a_peer_that_outlives_its_key_is_heard_and_counted() {
    let suite = SrtpSuite::AeadAes128Gcm;
    let mut a = context(&srtp(suite, &keying(suite, 1), &[&keying(suite, 2)]));
    let mut b = context(&srtp(suite, &keying(suite, 2), &[&living(suite, 1, 3)]));
    for n in 0..5 {
        let sealed = protect(&mut a, &rtp(SSRC, n));
        assert_eq!(unprotect(&mut b, &sealed), Ok(rtp(SSRC, n)));
        let sealed = protect(&mut a, &rtcp(SSRC));
        assert_eq!(unprotect(&mut b, &sealed), Ok(rtcp(SSRC)));
        assert_eq!(b.overdue(), 2 * u64::from(n).saturating_sub(2));
    }
    let forged = rtp(SSRC, 9);
    assert!(unprotect(&mut b, &forged).is_err());
    assert_eq!(b.overdue(), 4, "what is not authentic does not count");
}

#[test]
fn nothing_that_is_printed_shows_a_key() {
    let (a, _) = pair(SUITE);
    let shown = format!("{a:?}");
    assert!(shown.contains("SessionKeys(…)") && shown.contains("SrtpMaster(…)"), "{shown}");
}
