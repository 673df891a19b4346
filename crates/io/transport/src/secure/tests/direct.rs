use std::time::Duration;

use tandem_base::Fingerprint;
use tandem_testkit::Conditions;

use super::rig::{Closure, Peer, Rig, address, agreement};
use crate::*;

const SOON: Duration = Duration::from_secs(3);

fn rig() -> Rig {
    let conditions = Conditions { delay: Duration::from_millis(10), ..Default::default() };
    Rig::new([Peer::direct(1, "192.0.2.1:4000"), Peer::direct(2, "192.0.2.2:5000")], conditions)
}

/// The first is the server; each is told where the other is.
fn agree(rig: &mut Rig, announced: [&str; 2]) {
    let prints = rig.peers.each_ref().map(Peer::fingerprints);
    let now = rig.now;
    for (n, announced) in announced.into_iter().enumerate() {
        rig.peers[n].transport.announce(address(announced), now);
        let agreed = agreement(None, prints[1 - n].clone(), n == 1, false);
        rig.negotiate(n, &agreed);
    }
}

#[test]
fn phones_shake_hands_between_the_announced_ports() {
    let mut rig = rig();
    agree(&mut rig, ["192.0.2.2:5000", "192.0.2.1:4000"]);
    assert!(rig.run_until_ready(SOON));
    rig.talk();
}

#[test]
fn a_bad_network_delays_the_handshake() {
    let mut rig = rig();
    rig.set_conditions(Conditions {
        loss: 0.2,
        duplicate: 0.1,
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(60),
        reorder: true,
        ..Default::default()
    });
    agree(&mut rig, ["192.0.2.2:5000", "192.0.2.1:4000"]);
    assert!(rig.run_until_ready(Duration::from_secs(30)), "{:?}", rig.peers.each_ref().map(|p| &p.events));
}

#[test]
fn a_phone_behind_a_nat_is_found_where_it_shakes_hands_from() {
    let mut rig = rig();
    agree(&mut rig, ["10.0.0.7:7000", "192.0.2.1:4000"]);
    assert!(rig.run_until_ready(SOON));
    let route = rig.peers[0].transport.destination().unwrap();
    assert_eq!(route.remote, address("192.0.2.2:5000"));
    rig.talk();
}

#[test]
fn whoever_shakes_hands_with_another_certificate_does_not_keep_the_phone_out() {
    let mut rig = rig();
    let mut stranger = Peer::direct(66, "203.0.113.66:6666");
    agree(&mut rig, ["192.0.2.2:5000", "192.0.2.1:4000"]);
    let prints = rig.peers[0].fingerprints();
    stranger.transport.announce(rig.peers[0].address, rig.now);
    let mut hello = Vec::new();
    stranger.transport.negotiate(&agreement(None, prints, true, false), rig.now, &mut hello);
    for output in hello {
        if let SecureOutput::Datagram(datagram) = output {
            let route = Route { local: rig.peers[0].address, remote: stranger.address };
            rig.inject(0, route, &datagram.octets);
        }
    }
    assert!(rig.run_until_ready(Duration::from_secs(10)), "{:?}", rig.peers[0].events);
    assert_eq!(rig.peers[0].transport.destination().unwrap().remote, address("192.0.2.2:5000"));
    rig.talk();
}

#[test]
fn the_wrong_certificate_is_refused() {
    let mut rig = rig();
    let now = rig.now;
    rig.peers[1].transport.announce(address("192.0.2.1:4000"), now);
    rig.peers[0].transport.announce(address("192.0.2.2:5000"), now);
    let wrong = Peer::direct(77, "192.0.2.77:1").fingerprints();
    let right = rig.peers[1].fingerprints();
    rig.negotiate(0, &agreement(None, right, false, false));
    rig.negotiate(1, &agreement(None, wrong, true, false));
    let failed = |rig: &Rig| rig.peers[1].events.contains(&SecureEvent::Failed(DtlsFailure::Fingerprint));
    assert!(rig.run(Duration::from_secs(60), failed), "{:?}", rig.peers[1].events);
    assert!(!rig.peers[1].transport.is_secured());
}

#[test]
fn a_phone_behind_a_nat_with_the_wrong_certificate_is_told_of_before_long() {
    let mut rig = rig();
    let now = rig.now;
    rig.peers[0].transport.announce(address("10.0.0.7:7000"), now);
    rig.peers[1].transport.announce(address("192.0.2.1:4000"), now);
    let wrong = Peer::direct(77, "192.0.2.77:1").fingerprints();
    let right = rig.peers[0].fingerprints();
    rig.negotiate(0, &agreement(None, wrong, false, false));
    rig.negotiate(1, &agreement(None, right, true, false));
    let failed = |rig: &Rig| rig.peers[0].events.contains(&SecureEvent::Failed(DtlsFailure::Fingerprint));
    assert!(rig.run(Duration::from_secs(11), failed), "{:?}", rig.peers[0].events);
    assert!(!rig.peers[0].transport.is_secured());
}

#[test]
fn silence_is_told_in_the_end() {
    let mut rig = rig();
    rig.set_conditions(Conditions { loss: 1.0, ..Default::default() });
    agree(&mut rig, ["192.0.2.2:5000", "192.0.2.1:4000"]);
    let failed = |rig: &Rig| rig.peers[1].events.contains(&SecureEvent::Failed(DtlsFailure::Timeout));
    assert!(rig.run(Duration::from_secs(60), failed));
}

#[test]
fn one_fingerprint_of_the_strongest_kind_must_fit_and_the_weaker_do_not_count() {
    let wrong = Peer::direct(3, "192.0.2.3:5000").fingerprints();
    // Which of the peer's own, which of another's (SHA-256, SHA-384, SHA-512), and whether that is the peer.
    let cases = [
        (vec![0], vec![], true),
        (vec![0], vec![0], true),
        (vec![0], vec![2], false),
        (vec![2], vec![0], true),
        (vec![], vec![0], false),
    ];
    for (own, others, fits) in cases {
        let mut rig = rig();
        let of = |prints: &[Fingerprint], which: &[usize]| -> Vec<Fingerprint> {
            which.iter().map(|n| prints[*n].clone()).collect()
        };
        let [mut expected, second] = [of(&rig.peers[1].fingerprints(), &own), of(&wrong, &others)];
        expected.extend(second);
        let prints = rig.peers[0].fingerprints();
        let now = rig.now;
        rig.peers[0].transport.announce(address("192.0.2.2:5000"), now);
        rig.peers[1].transport.announce(address("192.0.2.1:4000"), now);
        rig.negotiate(0, &agreement(None, expected, false, false));
        rig.negotiate(1, &agreement(None, prints, true, false));
        assert_eq!(rig.run(SOON, |rig| rig.peers[0].transport.is_secured()), fits, "{own:?} {others:?}");
    }
}

#[test]
fn good_bye_is_said_and_heard() {
    let mut rig = rig();
    agree(&mut rig, ["192.0.2.2:5000", "192.0.2.1:4000"]);
    assert!(rig.run_until_ready(SOON));
    rig.with(0, |transport, now, out| transport.close(now, &mut Closure(out)));
    assert!(rig.run(SOON, |rig| rig.peers[1].events.contains(&SecureEvent::Closed)));
}
