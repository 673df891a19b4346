use std::time::Duration;

use tandem_base::{
    Candidate, CandidateAddress, CandidateKind, CandidateTransport, Foundation, HostName, IceCredentials,
    SrtpSuite, TcpType,
};
use tandem_testkit::{Conditions, Seeded};

use super::rig::{Closure, Peer, Rig, address, agreement};
use crate::*;

const SOON: Duration = Duration::from_secs(3);

fn clean() -> Conditions {
    Conditions { delay: Duration::from_millis(10), ..Default::default() }
}

fn pair() -> [Peer; 2] {
    [Peer::ice(1, "192.0.2.1:4000", false), Peer::ice(2, "192.0.2.2:5000", false)]
}

#[test]
fn two_full_agents_find_a_path_and_keys_and_talk() {
    let mut rig = Rig::new(pair(), clean());
    rig.agree();
    assert!(rig.run_until_ready(SOON), "{:?}", rig.peers[0].events);
    let secured = SecureEvent::Secured(SrtpSuite::AeadAes256Gcm);
    assert!(rig.peers.iter().all(|peer| peer.events.contains(&secured)));
    rig.talk();
    assert_eq!(rig.peers[0].transport.drops(), SecureDrops::default());
    assert_eq!(rig.astray, 0);
}

#[test]
fn a_lite_agent_is_found_by_a_full_one() {
    let mut peers = pair();
    peers[0] = Peer::ice(1, "192.0.2.1:4000", true);
    let mut rig = Rig::new(peers, clean());
    rig.agree();
    assert!(rig.run_until_ready(SOON));
    assert_eq!(rig.peers[0].transport.is_controlling(), Some(false));
    rig.talk();
}

#[test]
fn a_bad_network_delays_but_does_not_prevent() {
    for seed in 0..6 {
        let rough = Conditions {
            loss: 0.2,
            duplicate: 0.1,
            delay: Duration::from_millis(20),
            jitter: Duration::from_millis(60),
            reorder: true,
            ..Default::default()
        };
        let peers = [
            Peer::ice(seed * 2 + 1, "192.0.2.1:4000", seed % 2 == 0),
            Peer::ice(50 + seed, "192.0.2.2:5000", false),
        ];
        let mut rig = Rig::new(peers, rough);
        rig.agree();
        assert!(rig.run_until_ready(Duration::from_secs(30)), "seed {seed}: {:?}", rig.peers[0].events);
        rig.set_conditions(clean());
        rig.talk();
    }
}

#[test]
fn both_believing_to_be_in_control_is_settled() {
    let mut rig = Rig::new(pair(), clean());
    let [a, b] = &rig.peers;
    let first = agreement(Some((&a.side, &b.side)), b.fingerprints(), false, true);
    let second = agreement(Some((&b.side, &a.side)), a.fingerprints(), true, true);
    rig.negotiate(0, &first);
    rig.negotiate(1, &second);
    assert!(rig.run_until_ready(SOON));
    let controlling = rig.peers.iter().filter(|peer| peer.transport.is_controlling() == Some(true)).count();
    assert_eq!(controlling, 1);
    rig.talk();
}

#[test]
fn candidates_may_come_later() {
    let mut rig = Rig::new(pair(), clean());
    let candidates = rig.peers.each_mut().map(|peer| std::mem::take(&mut peer.side.candidates));
    rig.agree();
    assert!(!rig.run_until_ready(SOON), "nobody knows where the other is");
    let [of_first, _] = candidates;
    rig.with(1, |transport, now, out| transport.add_remote(&of_first, now, &mut Closure(out)));
    assert!(rig.run_until_ready(SOON), "one side's candidates are enough: the other is peer-reflexive");
    rig.talk();
}

#[test]
fn names_tcp_and_nonsense_are_passed_over() {
    let mut rig = Rig::new(pair(), clean());
    let usable = rig.peers[1].side.candidates[0].clone();
    let with = |address: CandidateAddress, transport| Candidate {
        foundation: Foundation::new("9").unwrap(),
        kind: CandidateKind::Host,
        address,
        transport,
        ..usable.clone()
    };
    let ip = |text: &str| CandidateAddress::Ip(text.parse().unwrap());
    let name = HostName::new("0f7f4a4c-4d4e-4d6e-9a35-2f6f4f2f4c1d.local").unwrap();
    rig.peers[1].side.candidates = vec![
        with(CandidateAddress::Name(name), CandidateTransport::Udp),
        with(ip("192.0.2.2"), CandidateTransport::Tcp(TcpType::Active)),
        with(ip("224.0.0.1"), CandidateTransport::Udp),
        with(ip("255.255.255.255"), CandidateTransport::Udp),
        with(ip("0.0.0.0"), CandidateTransport::Udp),
    ];
    rig.agree();
    assert!(rig.run_until_ready(SOON), "the peer's own checks show where it is");
    assert_eq!(rig.astray, 0, "nothing was sent to where nobody is");
    rig.talk();
}

#[test]
fn lost_consent_is_told_and_ends_all_sending_until_the_peer_is_back() {
    let mut rig = Rig::new(pair(), clean());
    rig.agree();
    assert!(rig.run_until_ready(SOON));
    rig.set_conditions(Conditions { loss: 1.0, ..clean() });
    let cut = rig.now;
    let lost = |rig: &Rig| rig.peers.iter().all(|peer| peer.events.contains(&SecureEvent::Lost));
    assert!(rig.run(Duration::from_secs(31), lost), "RFC 7675 §5.1: within 30 s");
    assert!(rig.now.since(cut) > Duration::from_secs(5), "a short interruption is none");
    assert!(!rig.say(0) && !rig.say(1));
    // As after an ICE restart by the next offer.
    rig.set_conditions(clean());
    restart(&mut rig, 0);
    assert!(rig.run_until_ready(SOON));
    rig.talk();
}

/// One side draws new credentials and offers; the other answers with new ones of its own.
fn restart(rig: &mut Rig, offerer: usize) {
    for (n, peer) in rig.peers.iter_mut().enumerate() {
        peer.side.credentials = IceCredentials::draw(&mut Seeded::new(900 + n as u64)).unwrap();
        peer.events.clear();
    }
    let credentials = rig.peers[offerer].side.credentials.clone();
    rig.peers[offerer].transport.restart(&credentials);
    rig.agree();
}

#[test]
fn an_ice_restart_of_either_side_keeps_media_and_keys() {
    for offerer in [0, 1] {
        let mut rig = Rig::new(pair(), clean());
        rig.agree();
        assert!(rig.run_until_ready(SOON));
        rig.talk();
        restart(&mut rig, offerer);
        rig.talk();
        rig.run(SOON, |_| false);
        for peer in &rig.peers {
            assert!(peer.saw(|event| matches!(event, SecureEvent::Path(_))), "{:?}", peer.events);
            assert!(!peer.saw(|event| matches!(event, SecureEvent::Secured(_) | SecureEvent::Lost)));
        }
        rig.talk();
    }
}

#[test]
fn a_peer_that_moves_to_another_address_is_followed() {
    let mut rig = Rig::new(pair(), clean());
    rig.agree();
    assert!(rig.run_until_ready(SOON));
    rig.talk();
    let new = address("198.51.100.7:40123");
    rig.moved = Some(new);
    let cut = rig.now;
    let followed = |rig: &Rig| rig.peers[1].transport.destination().is_some_and(|route| route.remote == new);
    assert!(rig.run(Duration::from_secs(30), followed), "{:?}", rig.peers[1].events);
    assert!(rig.now.since(cut) < Duration::from_secs(11), "{:?}", rig.now.since(cut));
    assert!(!rig.peers[1].saw(|event| *event == SecureEvent::Lost));
    rig.run(Duration::from_secs(60), |_| false);
    assert!(followed(&rig), "and stays there");
}

#[test]
fn nothing_is_renegotiated_when_nothing_changed() {
    let mut rig = Rig::new(pair(), clean());
    rig.agree();
    assert!(rig.run_until_ready(SOON));
    rig.peers.iter_mut().for_each(|peer| peer.events.clear());
    rig.agree();
    rig.run(SOON, |_| false);
    assert!(rig.peers.iter().all(|peer| peer.events.is_empty()));
    rig.talk();
}

#[test]
fn a_new_association_brings_new_keys_while_the_old_ones_serve() {
    let mut rig = Rig::new(pair(), clean());
    rig.agree();
    assert!(rig.run_until_ready(SOON));
    let [a, b] = &rig.peers;
    let mut first = agreement(Some((&a.side, &b.side)), b.fingerprints(), false, true);
    let mut second = agreement(Some((&b.side, &a.side)), a.fingerprints(), true, false);
    first.dtls.association = 1;
    second.dtls.association = 1;
    rig.peers.iter_mut().for_each(|peer| peer.events.clear());
    rig.negotiate(0, &first);
    assert!(rig.say(0), "old keys serve");
    rig.negotiate(1, &second);
    let secured = |peer: &Peer| peer.saw(|event| matches!(event, SecureEvent::Secured(_)));
    assert!(rig.run(SOON, |rig| rig.peers.iter().all(secured)));
    rig.talk();
}
