//! What SRTP costs for one packet of G.711: 172 octets of RTP.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tandem_base::{Srtp, SrtpKeying, SrtpMaster, SrtpSuite, Time};
use tandem_transport::{SRTP_TRAILER, SrtpContext};

fn context(suite: SrtpSuite) -> SrtpContext {
    let master = SrtpMaster::new(suite, &vec![7; suite.master_len()]).unwrap();
    let keying = SrtpKeying { master, mki: None, lifetime: None };
    let mut context = SrtpContext::new();
    context
        .negotiate(Some(&Srtp { suite, send: keying.clone(), receive: vec![keying] }), Time::ZERO)
        .unwrap();
    context
}

fn packet(sequence: u16) -> [u8; 172 + SRTP_TRAILER] {
    let mut packet = [0x55; 172 + SRTP_TRAILER];
    packet[0] = 0x80;
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet
}

fn srtp(c: &mut Criterion) {
    for suite in [SrtpSuite::AesCm128HmacSha1_80, SrtpSuite::AesCm256HmacSha1_80, SrtpSuite::AeadAes128Gcm] {
        let (mut sender, mut sequence) = (context(suite), 0u16);
        c.bench_function(&format!("protect {suite}"), |b| {
            b.iter(|| {
                sequence = sequence.wrapping_add(1);
                sender.protect_rtp(&mut packet(sequence), 172)
            });
        });
        let (mut sender, mut receiver, mut sequence) = (context(suite), context(suite), 0u16);
        c.bench_function(&format!("unprotect {suite}"), |b| {
            let sealed = || {
                sequence = sequence.wrapping_add(1);
                let mut sealed = packet(sequence);
                let len = sender.protect_rtp(&mut sealed, 172).unwrap();
                (sealed, len)
            };
            let mut out = [0; 400];
            let open = |(sealed, len): ([u8; 172 + SRTP_TRAILER], usize)| {
                receiver.unprotect_rtp(&sealed[..len], &mut out, Time::ZERO).unwrap()
            };
            b.iter_batched(sealed, open, BatchSize::SmallInput);
        });
    }
}

criterion_group!(benches, srtp);
criterion_main!(benches);
