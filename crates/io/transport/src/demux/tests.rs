use std::net::SocketAddr;

use super::*;
use crate::stun::COOKIE;

fn way(port: u16) -> Route {
    Route {
        local: SocketAddr::from(([192, 0, 2, 1], 4_000)),
        remote: SocketAddr::from(([192, 0, 2, 2], port)),
    }
}

/// A check that names who is asked.
fn check(username: &str) -> Vec<u8> {
    let padded = username.len().next_multiple_of(4);
    let mut octets = vec![0, 1, 0, u8::try_from(padded + 4).unwrap()];
    octets.extend(COOKIE);
    octets.extend([7; 12]);
    octets.extend([0, 6, 0, u8::try_from(username.len()).unwrap()]);
    octets.extend(username.bytes());
    octets.resize(20 + 4 + padded, 0);
    octets
}

fn leg(of: Destination<u32>) -> Option<u32> {
    match of {
        Destination::Leg(leg, _) => Some(leg),
        Destination::Stranger => None,
    }
}

const MEDIA: [u8; 12] = [0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1];

#[test]
fn checks_go_by_name_and_all_else_by_address() {
    let mut demux = Demux::new();
    assert!(demux.name(1, "first") && demux.name(2, "second"));
    assert_eq!(leg(demux.route(way(9), &check("second:them"))), Some(2));
    assert_eq!(leg(demux.route(way(9), &MEDIA)), None, "a check proves nothing yet");
    demux.learn(2, way(9));
    assert_eq!(leg(demux.route(way(9), &MEDIA)), Some(2));
    assert_eq!(leg(demux.route(way(9), &[22, 0xfe, 0xfd])), Some(2));
    assert_eq!(leg(demux.route(way(9), &check("first:them"))), Some(1), "the name is worth more");
    demux.learn(1, way(9));
    assert_eq!(leg(demux.route(way(9), &MEDIA)), Some(1), "the port has another user now");
    assert_eq!(leg(demux.route(way(9), &check("nobody:them"))), None);
    assert_eq!(leg(demux.route(way(9), &[0xff; 40])), None);
    assert_eq!(demux.strangers(), Strangers { stun: 1, dtls: 0, media: 1, other: 1 });
}

#[test]
fn an_address_that_one_leg_only_sends_to_stays_with_the_one_that_proved_it() {
    let mut demux = Demux::new();
    demux.name(1, "first");
    demux.name(2, "second");
    demux.expect(1, way(9));
    assert_eq!(leg(demux.route(way(9), &MEDIA)), Some(1));
    demux.expect(2, way(9));
    assert_eq!(leg(demux.route(way(9), &MEDIA)), Some(1));
    demux.learn(2, way(9));
    demux.expect(1, way(9));
    assert_eq!(leg(demux.route(way(9), &MEDIA)), Some(2));
}

#[test]
fn nothing_is_kept_beyond_the_bounds_nor_of_those_who_left() {
    let mut demux = Demux::new();
    demux.name(1, "first");
    (1..1_000).for_each(|port| demux.learn(1, way(port)));
    demux.learn(7, way(5));
    assert_eq!(demux.routes(), 32);
    assert_eq!(leg(demux.route(way(999), &MEDIA)), Some(1));
    for name in ["second", "third"] {
        assert!(demux.name(1, name));
    }
    assert_eq!(leg(demux.route(way(1), &check("first:x"))), None, "two names are understood");
    assert_eq!(leg(demux.route(way(1), &check("second:x"))), Some(1));
    assert!(!demux.name(2, "third"), "taken");
    demux.forget(1);
    assert_eq!((demux.routes(), leg(demux.route(way(1), &check("third:x")))), (0, None));
    assert!(demux.name(2, "third"));
}
