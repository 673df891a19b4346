use tandem_testkit::Seeded;

use super::*;
use crate::stun::COOKIE;

fn answer(question: &[u8], port: u16) -> Vec<u8> {
    let mut octets = vec![1, 1, 0, 12];
    octets.extend(&question[4..20]);
    octets.extend([0, 0x20, 0, 8, 0, 1]);
    octets.extend((port ^ u16::from_be_bytes([COOKIE[0], COOKIE[1]])).to_be_bytes());
    octets.extend([198, 51, 100, 7].iter().zip(COOKIE).map(|(a, b)| a ^ b));
    octets
}

#[test]
fn the_server_s_view_is_asked_for_repeated_refreshed_and_given_up() {
    let server: SocketAddr = "203.0.113.1:3478".parse().unwrap();
    let mut address = ReflexiveAddress::new("10.0.0.1:4000".parse().unwrap(), server);
    let mut random = Seeded::new(1);
    let mut sent: Vec<Datagram> = Vec::new();
    address.handle_timeout(&mut random, Time::ZERO, &mut sent);
    assert_eq!(address.deadline(), Time::from_millis(500));
    address.handle_timeout(&mut random, Time::from_millis(500), &mut sent);
    assert_eq!(sent[0], sent[1], "the same question");
    assert_eq!(sent[0].octets.len(), 20);
    let good = answer(&sent[0].octets, 40_000);
    let now = Time::from_millis(600);
    assert!(!address.receive("203.0.113.9:3478".parse().unwrap(), &good, now), "nobody asked you");
    assert!(!address.receive(server, &answer(&[9; 20], 1), now), "nobody asked this");
    assert!(address.receive(server, &good, now));
    assert!(!address.receive(server, &good, now), "answered already");
    assert_eq!(address.mapped(), Some("198.51.100.7:40000".parse().unwrap()));
    assert_eq!(address.deadline(), Time::from_millis(20_600));
    for _ in 0..8 {
        let due = address.deadline();
        address.handle_timeout(&mut random, due, &mut sent);
    }
    assert_eq!(address.mapped(), None);
}
