use std::time::Duration;

use tandem_base::Entropy;
use tandem_testkit::{Conditions, Seeded};

use super::rig::{Peer, Rig, address, agreement, rtp};
use crate::*;

const SOON: Duration = Duration::from_secs(3);

fn connected() -> Rig {
    let conditions = Conditions { delay: Duration::from_millis(10), ..Default::default() };
    let peers = [Peer::ice(1, "192.0.2.1:4000", false), Peer::ice(2, "192.0.2.2:5000", false)];
    let mut rig = Rig::new(peers, conditions);
    rig.agree();
    assert!(rig.run_until_ready(SOON));
    rig
}

fn way(rig: &Rig, remote: &str) -> Route {
    Route { local: rig.peers[0].address, remote: address(remote) }
}

#[test]
fn the_wrong_certificate_is_refused_and_said_so() {
    let conditions = Conditions { delay: Duration::from_millis(10), ..Default::default() };
    let peers = [Peer::ice(1, "192.0.2.1:4000", false), Peer::ice(2, "192.0.2.2:5000", false)];
    let mut rig = Rig::new(peers, conditions);
    let wrong = Peer::ice(9, "192.0.2.9:1", false).fingerprints();
    let [a, b] = &rig.peers;
    let first = agreement(Some((&a.side, &b.side)), wrong, false, true);
    let second = agreement(Some((&b.side, &a.side)), a.fingerprints(), true, false);
    rig.negotiate(0, &first);
    rig.negotiate(1, &second);
    let refused = SecureEvent::Failed(DtlsFailure::Fingerprint);
    assert!(rig.run(SOON, |rig| rig.peers[0].events.contains(&refused)));
    assert!(!rig.peers[0].transport.is_secured());
    assert_eq!(rig.peers[0].transport.destination(), None);
}

#[test]
fn media_before_keys_forged_media_and_strangers_are_counted_and_dropped() {
    let mut early = Peer::ice(5, "192.0.2.5:4000", false);
    let route = Route { local: early.address, remote: address("192.0.2.2:5000") };
    let mut plain = [0; 2_048];
    let opened =
        early.transport.receive(route, &rtp(1, 1), &mut plain, tandem_base::Time::ZERO, &mut Vec::new());
    assert_eq!((opened, early.transport.drops().early), (Opened::Nothing, 1));

    let mut rig = connected();
    let peers = way(&rig, "192.0.2.2:5000");
    let mut forged = rtp(2, 77);
    forged.extend([0; 16]);
    assert_eq!(rig.inject(0, peers, &forged), Opened::Nothing);
    assert_eq!(rig.inject(0, way(&rig, "203.0.113.9:9"), &forged), Opened::Nothing);
    let drops = rig.peers[0].transport.drops();
    assert_eq!((drops.unauthentic, drops.strangers), (1, 1));
    rig.talk();
}

#[test]
fn a_packet_counts_once_even_where_it_comes_twice() {
    let mut rig = connected();
    rig.set_conditions(Conditions { delay: Duration::from_millis(10), duplicate: 1.0, ..Default::default() });
    rig.talk();
    assert_eq!(rig.peers[0].transport.drops().replayed, 10);
}

#[test]
fn no_noise_of_any_protocol_breaks_anything() {
    let mut rig = connected();
    let mut random = Seeded::new(3);
    let good = [rtp(2, 5), hello(), checks(&mut rig)];
    for n in 0..4_000_u32 {
        let mut datagram = good[n as usize % good.len()].clone();
        for _ in 0..=random.next_u32() % 4 {
            let at = random.next_u32() as usize % datagram.len();
            datagram[at] ^= 1 << (random.next_u32() % 8);
        }
        if n % 2 == 0 {
            datagram.truncate(random.next_u32() as usize % (datagram.len() + 1));
        }
        let remote = if n % 3 == 0 { "203.0.113.9:9" } else { "192.0.2.2:5000" };
        let route = way(&rig, remote);
        assert_eq!(rig.inject(0, route, &datagram), Opened::Nothing);
    }
    assert_eq!(rig.peers[0].transport.destination().unwrap().remote, address("192.0.2.2:5000"));
    rig.talk();
}

/// A ClientHello of somebody.
fn hello() -> Vec<u8> {
    let mut peer = Peer::direct(8, "192.0.2.8:8");
    let mut outputs = Vec::new();
    let now = tandem_base::Time::from_millis(1);
    peer.transport.announce(address("192.0.2.1:1"), now);
    let prints = peer.fingerprints();
    peer.transport.negotiate(&agreement(None, prints, true, false), now, &mut outputs);
    outputs
        .into_iter()
        .find_map(|output| match output {
            SecureOutput::Datagram(datagram) => Some(datagram.octets),
            SecureOutput::Event(_) => None,
        })
        .unwrap()
}

/// A check of the second's, never delivered.
fn checks(rig: &mut Rig) -> Vec<u8> {
    let mut peer = Peer::ice(2, "192.0.2.2:5000", false);
    peer.side = rig.peers[1].side.clone();
    let mut outputs = Vec::new();
    let [a, _] = &rig.peers;
    let agreed = agreement(Some((&peer.side, &a.side)), a.fingerprints(), true, false);
    peer.transport.negotiate(&agreed, tandem_base::Time::from_millis(1), &mut outputs);
    let mut octets = outputs.into_iter().filter_map(|output| match output {
        SecureOutput::Datagram(datagram) => Some(datagram.octets),
        SecureOutput::Event(_) => None,
    });
    let check = octets.next().unwrap();
    // A changed check is not authentic, an unchanged one is: the last octet is the fingerprint's, which is not signed.
    check[..check.len() - 8].to_vec()
}

#[test]
fn an_authentic_peer_cannot_fill_our_memory_with_addresses() {
    let mut rig = connected();
    let agreed_side = rig.peers[0].side.clone();
    for n in 0..200_u16 {
        let at = format!("198.51.100.{}:{}", n % 250 + 1, 1_000 + n);
        let mut other = Peer::ice(2, &at, false);
        other.side.credentials = rig.peers[1].side.credentials.clone();
        let prints = rig.peers[0].fingerprints();
        let mut outputs = Vec::new();
        let agreed = agreement(Some((&other.side, &agreed_side)), prints, true, false);
        other.transport.negotiate(&agreed, rig.now, &mut outputs);
        for output in outputs {
            if let SecureOutput::Datagram(datagram) = output {
                rig.inject(0, way(&rig, &at), &datagram.octets);
            }
        }
    }
    let proved = rig.peers[0].events.iter().filter(|event| matches!(event, SecureEvent::Proved(_))).count();
    assert_eq!(proved, 32);
}
