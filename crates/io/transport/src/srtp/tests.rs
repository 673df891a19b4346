mod contexts;
mod keys;
mod vectors;

use tandem_base::{Mki, Srtp, SrtpKeying, SrtpMaster, SrtpSuite, Time};

use super::*;

fn keying(suite: SrtpSuite, seed: u8) -> SrtpKeying {
    let octets: Vec<u8> = (0..46u8).map(|n| n.wrapping_mul(7) ^ seed).take(suite.master_len()).collect();
    SrtpKeying { master: SrtpMaster::new(suite, &octets).unwrap(), mki: None, lifetime: None }
}

fn with_mki(keying: SrtpKeying, value: u64, len: u8) -> SrtpKeying {
    SrtpKeying { mki: Some(Mki { value, len }), ..keying }
}

/// Sends with `ours` and receives with `theirs`.
fn srtp(suite: SrtpSuite, ours: &SrtpKeying, theirs: &[&SrtpKeying]) -> Srtp {
    Srtp { suite, send: ours.clone(), receive: theirs.iter().map(|&k| k.clone()).collect() }
}

fn context(srtp: &Srtp) -> SrtpContext {
    let mut context = SrtpContext::new();
    context.negotiate(Some(srtp), Time::ZERO).unwrap();
    context
}

/// Two that talk to each other.
fn pair(suite: SrtpSuite) -> (SrtpContext, SrtpContext) {
    let (a, b) = (keying(suite, 1), keying(suite, 2));
    (context(&srtp(suite, &a, &[&b])), context(&srtp(suite, &b, &[&a])))
}

const SSRC: u32 = 0xcafe_babe;

/// An RTP packet with 160 octets of sound.
fn rtp(ssrc: u32, sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend(sequence.to_be_bytes());
    packet.extend(u32::from(sequence).wrapping_mul(160).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend((0..160).map(|n| n as u8));
    packet
}

/// An empty receiver report with a source description behind it.
fn rtcp(ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 201, 0, 1];
    packet.extend(ssrc.to_be_bytes());
    packet.extend([0x81, 202, 0, 3]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend([1, 4, b'a', b'b', b'c', b'd', 0, 0]);
    packet
}

fn protect(context: &mut SrtpContext, packet: &[u8]) -> Vec<u8> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + SRTP_TRAILER, 0);
    let len = if packet[1] >= 192 {
        context.protect_rtcp(&mut buffer, packet.len()).unwrap()
    } else {
        context.protect_rtp(&mut buffer, packet.len()).unwrap()
    };
    buffer.truncate(len);
    buffer
}

fn unprotect_at(context: &mut SrtpContext, datagram: &[u8], now: Time) -> Result<Vec<u8>, SrtpError> {
    let mut out = vec![0; 2048];
    let len = if datagram.get(1).is_some_and(|b| *b >= 192) {
        context.unprotect_rtcp(datagram, &mut out, now)?
    } else {
        context.unprotect_rtp(datagram, &mut out, now)?
    };
    out.truncate(len);
    Ok(out)
}

fn unprotect(context: &mut SrtpContext, datagram: &[u8]) -> Result<Vec<u8>, SrtpError> {
    unprotect_at(context, datagram, Time::ZERO)
}
