//! Packets between two contexts.

use proptest::prelude::*;

use super::*;

#[test]
fn every_suite_carries_packets_both_ways() {
    for suite in SrtpSuite::ALL {
        let (mut a, mut b) = pair(suite);
        for n in 0..3 {
            for plain in [rtp(SSRC, n), rtcp(SSRC)] {
                let sealed = protect(&mut a, &plain);
                let is_rtcp = plain[1] >= 192;
                let added = if is_rtcp { suite.rtcp_tag_len() + 4 } else { suite.rtp_tag_len() };
                assert_eq!(sealed.len(), plain.len() + added, "{suite}");
                let clear = if is_rtcp { 8 } else { 12 };
                assert_eq!(sealed[..clear], plain[..clear], "{suite}: the header stays readable");
                assert_ne!(sealed[clear..plain.len()], plain[clear..], "{suite}");
                assert_eq!(unprotect(&mut b, &sealed), Ok(plain), "{suite}");
            }
        }
        let back = protect(&mut b, &rtp(7, 9));
        assert_eq!(unprotect(&mut a, &back), Ok(rtp(7, 9)), "{suite}");
    }
}

#[test]
fn any_changed_bit_is_noticed() {
    for suite in [SrtpSuite::AesCm128HmacSha1_80, SrtpSuite::AesCm256HmacSha1_32, SrtpSuite::AeadAes256Gcm] {
        for plain in [rtp(SSRC, 5), rtcp(SSRC)] {
            let (mut a, mut b) = pair(suite);
            let sealed = protect(&mut a, &plain);
            for octet in 0..sealed.len() {
                let mut forged = sealed.clone();
                forged[octet] ^= 0x04;
                // A changed packet type goes to the other function, and must fail there.
                assert!(unprotect(&mut b, &forged).is_err(), "{suite}: octet {octet}");
            }
            for len in 0..sealed.len() {
                assert!(unprotect(&mut b, &sealed[..len]).is_err(), "{suite}: cut to {len}");
            }
            assert!(b.positions().received.is_empty(), "no state before authentication");
            assert_eq!(unprotect(&mut b, &sealed), Ok(plain));
        }
    }
}

#[test]
fn plain_packets_and_wrong_keys_are_no_good() {
    let suite = SrtpSuite::AesCm128HmacSha1_80;
    let (mut a, mut b) = pair(suite);
    assert_eq!(unprotect(&mut b, &rtp(SSRC, 1)), Err(SrtpError::Unauthentic));
    assert_eq!(unprotect(&mut b, &rtcp(SSRC)), Err(SrtpError::Unauthentic));
    let own = protect(&mut a, &rtp(SSRC, 1));
    assert_eq!(unprotect(&mut a, &own), Err(SrtpError::Unauthentic), "our own packets come back");
    assert_eq!(unprotect(&mut SrtpContext::new(), &own), Err(SrtpError::Unauthentic));
}

#[test]
fn replays_are_dropped_and_late_packets_taken_once() {
    for suite in SrtpSuite::ALL {
        let (mut a, mut b) = pair(suite);
        let sealed: Vec<_> = (1_000..1_200).map(|n| protect(&mut a, &rtp(SSRC, n))).collect();
        for n in (0..200).filter(|n| n % 7 != 3) {
            assert!(unprotect(&mut b, &sealed[n]).is_ok(), "{suite}: {n}");
        }
        for (n, sealed) in sealed.iter().enumerate() {
            // Within 128 of the last one, those left out above are taken now.
            let late = n % 7 == 3 && n + 128 > 199;
            let expected = if late { Ok(rtp(SSRC, 1_000 + n as u16)) } else { Err(SrtpError::Replayed) };
            assert_eq!(unprotect(&mut b, sealed), expected, "{suite}: {n}");
        }
        let report = protect(&mut a, &rtcp(SSRC));
        assert!(unprotect(&mut b, &report).is_ok());
        assert_eq!(unprotect(&mut b, &report), Err(SrtpError::Replayed), "{suite}");
    }
}

#[test]
fn sequence_numbers_roll_over() {
    for suite in [SrtpSuite::AesCm128HmacSha1_80, SrtpSuite::AeadAes128Gcm] {
        let (mut a, mut b) = pair(suite);
        for n in 0..200_000u32 {
            let plain = rtp(SSRC, (n + 65_000) as u16);
            let sealed = protect(&mut a, &plain);
            // Every third is lost.
            if n % 3 != 0 {
                assert_eq!(unprotect(&mut b, &sealed), Ok(plain), "{suite}: {n}");
            }
        }
        assert_eq!(a.positions().sent.rtp.map(|(_, index)| index >> 16), Some(4));
    }
}

#[test]
fn a_first_packet_just_after_a_roll_over_is_understood() {
    let (mut a, mut b) = pair(SrtpSuite::AesCm128HmacSha1_80);
    for n in [65_534, 65_535] {
        protect(&mut a, &rtp(SSRC, n));
    }
    let sealed = protect(&mut a, &rtp(SSRC, 0));
    assert_eq!(unprotect(&mut b, &sealed), Ok(rtp(SSRC, 0)));
}

#[test]
fn a_packet_number_is_never_used_twice() {
    let (mut a, _) = pair(SrtpSuite::AesCm128HmacSha1_80);
    protect(&mut a, &rtp(SSRC, 9));
    let mut buffer = rtp(SSRC, 9);
    buffer.resize(400, 0);
    assert_eq!(a.protect_rtp(&mut buffer, 172), Err(SrtpError::Reused));
}

#[test]
fn csrcs_extensions_and_padding_are_carried() {
    for suite in SrtpSuite::ALL {
        let (mut a, mut b) = pair(suite);
        let mut plain = rtp(SSRC, 1);
        plain[0] = 0xb2;
        plain.splice(12..12, [1, 2, 3, 4, 5, 6, 7, 8, 0xbe, 0xde, 0, 1, 0x10, 0x7f, 0, 0]);
        plain.extend([0, 0, 0, 4]);
        let sealed = protect(&mut a, &plain);
        assert_eq!(sealed[..28], plain[..28], "{suite}");
        assert_eq!(unprotect(&mut b, &sealed), Ok(plain), "{suite}");
    }
}

#[test]
fn odd_packets_are_malformed() {
    let (_, mut b) = pair(SrtpSuite::AesCm128HmacSha1_80);
    for odd in [&[][..], &[0x80; 11], &[0x00; 60], &[0x9f; 20]] {
        let mut out = [0; 100];
        assert_eq!(b.unprotect_rtp(odd, &mut out, Time::ZERO), Err(SrtpError::Malformed), "{odd:?}");
    }
    let mut out = [0; 100];
    assert_eq!(b.unprotect_rtcp(&[0x80, 200, 0, 1], &mut out, Time::ZERO), Err(SrtpError::Malformed));
    let (mut a, _) = pair(SrtpSuite::AesCm128HmacSha1_80);
    let mut tight = rtp(SSRC, 1);
    assert_eq!(a.protect_rtp(&mut tight, 172), Err(SrtpError::NoRoom));
    assert_eq!(a.protect_rtp(&mut tight, 173), Err(SrtpError::NoRoom));
}

#[test]
fn without_keys_nothing_goes_out() {
    let mut buffer = rtp(SSRC, 1);
    buffer.resize(400, 0);
    assert_eq!(SrtpContext::new().protect_rtp(&mut buffer, 172), Err(SrtpError::NoKey));
    assert_eq!(SrtpContext::new().protect_rtcp(&mut buffer, 172), Err(SrtpError::NoKey));
}

#[test]
fn what_was_seen_survives_being_written_and_read() {
    let suite = SrtpSuite::AesCm128HmacSha1_80;
    let (ka, kb) = (keying(suite, 1), keying(suite, 2));
    let (ours, theirs) = (srtp(suite, &ka, &[&kb]), srtp(suite, &kb, &[&ka]));
    let (mut a, mut b) = (context(&ours), context(&theirs));
    let mut last = Vec::new();
    for n in 0..70_000u32 {
        last = protect(&mut a, &rtp(SSRC, n as u16));
        unprotect(&mut b, &last).unwrap();
    }
    let report = protect(&mut a, &rtcp(SSRC));
    unprotect(&mut b, &report).unwrap();
    let text = serde_json::to_string(&(&ours, a.positions(), &theirs, b.positions())).unwrap();
    let (ours, sent, theirs, seen): (Srtp, SrtpPositions, Srtp, SrtpPositions) =
        serde_json::from_str(&text).unwrap();
    let mut a = SrtpContext::resume(&ours, &sent, Time::ZERO).unwrap();
    let mut b = SrtpContext::resume(&theirs, &seen, Time::ZERO).unwrap();
    assert_eq!(unprotect(&mut b, &last), Err(SrtpError::Replayed));
    assert_eq!(unprotect(&mut b, &report), Err(SrtpError::Replayed));
    let next = rtp(SSRC, 70_000u32 as u16);
    let sealed = protect(&mut a, &next);
    assert_eq!(unprotect(&mut b, &sealed), Ok(next));
    let next = protect(&mut a, &rtcp(SSRC));
    assert_eq!(unprotect(&mut b, &next), Ok(rtcp(SSRC)));
}

#[test]
fn the_streams_of_a_peer_are_bounded() {
    let (mut a, mut b) = pair(SrtpSuite::AeadAes128Gcm);
    for ssrc in 0..100 {
        let sealed = protect(&mut a, &rtp(ssrc, 1));
        assert!(unprotect(&mut b, &sealed).is_ok());
    }
    assert_eq!(b.positions().received.len(), 8);
}

proptest! {
    #[test]
    fn arbitrary_datagrams_are_dropped_and_leave_nothing_behind(
        mut octets in proptest::collection::vec(any::<u8>(), 0..400),
        first in prop_oneof![Just(0x80u8), Just(0x90), Just(0x9f), Just(0xbf), any::<u8>()],
        suite in proptest::sample::select(SrtpSuite::ALL.to_vec()),
        mki in 0u8..=128,
    ) {
        if let Some(octet) = octets.first_mut() {
            *octet = first;
        }
        let key = if mki == 0 { keying(suite, 2) } else { with_mki(keying(suite, 2), 1, mki) };
        let mut b = context(&srtp(suite, &keying(suite, 1), &[&key]));
        let mut out = [0; 400];
        prop_assert!(b.unprotect_rtp(&octets, &mut out, Time::ZERO).is_err());
        prop_assert!(b.unprotect_rtcp(&octets, &mut out, Time::ZERO).is_err());
        prop_assert!(b.positions().received.is_empty());
        let len = octets.len();
        octets.resize(len + SRTP_TRAILER, 0);
        if let Ok(sealed) = b.protect_rtp(&mut octets, len) {
            prop_assert_eq!(sealed, len + suite.rtp_tag_len());
        }
    }
}
