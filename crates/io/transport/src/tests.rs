use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use proptest::prelude::*;
use tandem_base::{Ssrc, Time};

use crate::*;

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

const A: &str = "192.0.2.1:4000";
const NAT: &str = "198.51.100.7:61000";
const EVIL: &str = "203.0.113.66:4000";

fn negotiated() -> PlainTransport {
    let mut t = PlainTransport::new();
    t.negotiate(at(A), at("192.0.2.1:4001"), false, Time::ZERO);
    t
}

/// A transport that heard `from` send 1, 2, 3 with SSRC 7 at 0, 20, 40 ms.
fn latched(from: &str) -> PlainTransport {
    let mut t = negotiated();
    for n in 1..=3u16 {
        t.accept_rtp(at(from), Ssrc(7), n, Time::from_millis(u64::from(n) * 20 - 20));
    }
    assert_eq!(t.source(), Some(at(from)));
    t
}

#[test]
fn only_an_announced_address_that_is_heard_excludes_all_others() {
    let heard = Time::from_millis(40);
    let t = latched(A);
    assert_eq!(t.settled(heard + Duration::from_millis(199)), Some(at(A)));
    assert_eq!(t.settled(heard + Duration::from_millis(200)), None, "another may continue the stream soon");
    assert_eq!(latched(NAT).settled(heard), None, "the announced address may yet be heard");
    assert_eq!(negotiated().settled(heard), None);
    let mut moved = latched(A);
    moved.negotiate(at(EVIL), at("203.0.113.66:4001"), false, heard);
    assert_eq!(moved.settled(heard), None);
}

#[test]
fn the_announced_address_is_believed_at_once() {
    let mut t = negotiated();
    assert_eq!(t.rtp_destination(), Some(at(A)));
    assert!(t.accept_rtp(at(A), Ssrc(7), 1, Time::ZERO));
    assert!(!t.accept_rtp(at(EVIL), Ssrc(7), 2, Time::ZERO));
}

#[test]
fn a_nat_is_latched_on_to_after_two_consecutive_packets() {
    let mut t = negotiated();
    assert!(!t.accept_rtp(at(NAT), Ssrc(7), 1, Time::ZERO));
    assert!(!t.accept_rtp(at(NAT), Ssrc(7), 9, Time::ZERO), "not consecutive");
    assert!(!t.accept_rtp(at(EVIL), Ssrc(7), 10, Time::ZERO), "not the same address");
    assert!(!t.accept_rtp(at(NAT), Ssrc(7), 10, Time::ZERO));
    assert!(t.accept_rtp(at(NAT), Ssrc(7), 11, Time::ZERO));
    assert_eq!(t.rtp_destination(), Some(at(NAT)));
}

#[test]
fn the_announced_address_takes_a_latch_back_but_nobody_else_does() {
    let mut t = latched(EVIL);
    let now = Time::from_millis(60);
    assert!(!t.accept_rtp(at(NAT), Ssrc(8), 1, now));
    assert!(!t.accept_rtp(at(NAT), Ssrc(8), 2, now));
    assert!(!t.accept_rtp(at(A), Ssrc(8), 1, now), "one packet may be forged");
    assert!(t.accept_rtp(at(A), Ssrc(8), 2, now));
    assert!(!t.accept_rtp(at(EVIL), Ssrc(7), 4, now));
    assert!(!t.accept_rtp(at(EVIL), Ssrc(7), 5, now));
    assert_eq!(t.rtp_destination(), Some(at(A)));
}

#[test]
fn a_stream_may_go_on_from_another_address_after_silence() {
    let mut t = latched(A);
    let soon = Time::from_millis(100);
    assert!(!t.accept_rtp(at(NAT), Ssrc(7), 4, soon));
    assert!(!t.accept_rtp(at(NAT), Ssrc(7), 5, soon), "the old address spoke just now");
    let later = Time::from_millis(1_000);
    assert!(!t.accept_rtp(at(EVIL), Ssrc(9), 4, later));
    assert!(!t.accept_rtp(at(EVIL), Ssrc(9), 5, later), "another SSRC");
    assert!(!t.accept_rtp(at(EVIL), Ssrc(7), 9_000, later));
    assert!(!t.accept_rtp(at(EVIL), Ssrc(7), 9_001, later), "another place in the sequence");
    assert!(!t.accept_rtp(at(NAT), Ssrc(7), 30, later));
    assert!(t.accept_rtp(at(NAT), Ssrc(7), 31, later));
    assert_eq!(t.source(), Some(at(NAT)));
}

#[test]
fn a_negotiation_with_a_new_address_latches_anew() {
    let mut t = latched(A);
    t.negotiate(at("192.0.2.9:5000"), at("192.0.2.9:5001"), false, Time::from_millis(60));
    assert_eq!(t.rtp_destination(), Some(at("192.0.2.9:5000")));
    assert!(t.accept_rtp(at("192.0.2.9:5000"), Ssrc(8), 1, Time::from_millis(60)));
    assert!(!t.accept_rtp(at(A), Ssrc(7), 4, Time::from_millis(80)));
}

#[test]
fn a_negotiation_with_the_same_address_keeps_a_source_that_speaks() {
    let mut t = latched(NAT);
    t.negotiate(at(A), at("192.0.2.1:4001"), false, Time::from_millis(50));
    assert_eq!(t.rtp_destination(), Some(at(NAT)));
    for n in 1..5 {
        assert!(!t.accept_rtp(at(EVIL), Ssrc(9), n, Time::from_millis(60)));
    }
    // Silent since: a peer that moved comes back with another SSRC.
    assert!(!t.accept_rtp(at(EVIL), Ssrc(9), 50, Time::from_millis(900)));
    assert!(t.accept_rtp(at(EVIL), Ssrc(9), 51, Time::from_millis(900)));
}

#[test]
fn hold_by_an_unspecified_address_sends_nothing_and_keeps_the_latch() {
    let mut t = latched(NAT);
    t.negotiate(at("0.0.0.0:4000"), at("0.0.0.0:4001"), false, Time::from_millis(50));
    assert_eq!(t.rtp_destination(), None);
    assert_eq!(t.rtcp_destination(), None);
    t.negotiate(at(A), at("192.0.2.1:4001"), false, Time::from_millis(70));
    assert_eq!(t.rtp_destination(), Some(at(NAT)));
}

#[test]
fn rtcp_follows_its_own_socket_or_the_multiplex() {
    let mut t = latched(NAT);
    assert_eq!(t.rtcp_destination(), Some((Component::Rtcp, at("192.0.2.1:4001"))));
    assert!(!t.accept_rtcp(at(EVIL), Ssrc(7)));
    assert!(!t.accept_rtcp(at("198.51.100.7:61001"), Ssrc(8)), "another stream's");
    assert!(t.accept_rtcp(at("198.51.100.7:61001"), Ssrc(7)));
    assert_eq!(t.rtcp_destination(), Some((Component::Rtcp, at("198.51.100.7:61001"))));
    t.negotiate(at(A), at(A), true, Time::from_millis(50));
    assert_eq!(t.rtcp_destination(), Some((Component::Rtp, at(NAT))));
}

#[test]
fn mapped_addresses_are_the_same_as_plain_ones() {
    let mut t = negotiated();
    assert!(t.accept_rtp(at("[::ffff:192.0.2.1]:4000"), Ssrc(7), 1, Time::ZERO));
}

#[test]
fn port_ranges_are_checked() {
    let parse = |s: &str| s.parse::<PortRange>();
    assert_eq!(parse("20000-29999").map(PortRange::pairs), Ok(5_000));
    assert_eq!(parse("20001-20004").map(|r| (r.pairs(), r.pair(0), r.pair(1))), Ok((1, Some(20_002), None)));
    assert_eq!(parse("65534-65535").map(|r| r.pair(0)), Ok(Some(65_534)));
    assert_eq!(parse("20000"), Err(PortRangeError::Syntax));
    assert_eq!(parse("20000-70000"), Err(PortRangeError::Syntax));
    assert_eq!(parse("3000-2000"), Err(PortRangeError::Order));
    assert_eq!(parse("10-2000"), Err(PortRangeError::Order));
    assert_eq!(parse("2001-2002"), Err(PortRangeError::NoPair));
    assert_eq!(PortRange::default().to_string(), "20000-29999");
}

#[test]
fn a_freed_port_rests() {
    let mut ports = Ports::new("20000-20005".parse().unwrap(), 1);
    assert_eq!(ports.take(Time::ZERO), Some(20_002));
    ports.release(20_002, Time::from_millis(5));
    assert_eq!(ports.take(Time::from_millis(9_000)), Some(20_004));
    // Rested, but behind the one that was never used.
    assert_eq!(ports.take(Time::from_millis(10_005)), Some(20_000));
    assert_eq!(ports.take(Time::from_millis(10_005)), Some(20_002));
    assert_eq!(ports.take(Time::from_millis(10_005)), None);
}

/// A thousand calls a second are not refused because ports rest.
#[test]
fn a_port_rests_shorter_where_there_is_no_other() {
    let mut ports = Ports::new("20000-20003".parse().unwrap(), 0);
    assert_eq!(ports.take(Time::ZERO), Some(20_000));
    assert_eq!(ports.take(Time::ZERO), Some(20_002));
    ports.release(20_002, Time::from_millis(5));
    ports.release(20_000, Time::from_millis(6));
    assert_eq!(ports.take(Time::from_millis(2_004)), None);
    assert_eq!(ports.take(Time::from_millis(2_005)), Some(20_002));
    assert_eq!(ports.take(Time::from_millis(2_005)), None);
    assert_eq!(ports.take(Time::from_millis(2_006)), Some(20_000));
}

proptest! {
    #[test]
    fn no_port_is_ever_handed_out_twice(steps in proptest::collection::vec((any::<bool>(), 0u64..20_000), 1..300)) {
        let mut ports = Ports::new(PortRange::new(30_000, 30_041).unwrap(), 5);
        let mut held = BTreeSet::new();
        let mut now = Time::ZERO;
        for (take, wait) in steps {
            now += Duration::from_millis(wait);
            if take {
                if let Some(port) = ports.take(now) {
                    prop_assert!(port % 2 == 0 && (30_000..=30_040).contains(&port));
                    prop_assert!(held.insert(port));
                }
            } else if let Some(port) = held.pop_first() {
                ports.release(port, now);
            }
            prop_assert_eq!(ports.available() + held.len(), 21);
        }
    }
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[test]
fn sockets_are_bound_in_pairs_and_told_as_advertised() {
    let range = PortRange::new(41_000, 41_099).unwrap();
    let outside = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 5));
    let pool = PortPool::new(LOOPBACK, Some(outside), range, 0).unwrap();
    let pair = pool.open().unwrap();
    let port = pair.rtp.local_addr().unwrap().port();
    assert_eq!(pair.rtcp.local_addr().unwrap(), SocketAddr::new(LOOPBACK, port + 1));
    assert_eq!(pair.local().rtp, SocketAddr::new(outside, port));
    assert_eq!(port % 2, 0);
    let mut buffer = [0; 4];
    assert_eq!(pair.rtp.recv(&mut buffer).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn ports_held_by_others_are_skipped_and_exhaustion_is_a_503() {
    let _other = UdpSocket::bind((LOOPBACK, 41_201)).unwrap();
    let pool = PortPool::new(LOOPBACK, None, PortRange::new(41_200, 41_203).unwrap(), 0).unwrap();
    let pair = pool.open().unwrap();
    assert_eq!(pair.local().rtp.port(), 41_202);
    let fault = pool.open().unwrap_err();
    assert_eq!(fault.status, 503);
    drop(pair);
    assert_eq!(pool.available(), 2, "resting, not lost");
}
