use std::time::Duration;

use tandem_testkit::Conditions;

use super::rig::{Peer, Rig, rtp};
use crate::*;

#[test]
fn media_are_protected_and_opened_without_allocation() {
    let conditions = Conditions { delay: Duration::from_millis(10), ..Default::default() };
    let peers = [Peer::ice(1, "192.0.2.1:4000", false), Peer::ice(2, "192.0.2.2:5000", false)];
    let mut rig = Rig::new(peers, conditions);
    rig.agree();
    assert!(rig.run_until_ready(Duration::from_secs(3)));
    rig.talk();
    let now = rig.now;
    let [a, b] = &mut rig.peers;
    let mut packets: Vec<Vec<u8>> = (1_000..1_100).map(|sequence| rtp(1, sequence)).collect();
    packets.iter_mut().for_each(|packet| packet.resize(packet.len() + SRTP_TRAILER, 0));
    let mut plain = [0; 2_048];
    let mut events: Vec<SecureOutput> = Vec::new();
    let mut opened = 0;
    let counted = allocation_counter::measure(|| {
        for packet in &mut packets {
            let len = packet.len() - SRTP_TRAILER;
            let Some(route) = a.transport.destination() else { return };
            let Ok(len) = a.transport.srtp().protect_rtp(packet, len) else { return };
            let back = Route { local: route.remote, remote: route.local };
            let datagram = packet.get(..len).unwrap_or_default();
            let result = b.transport.receive(back, datagram, &mut plain, now, &mut events);
            opened += usize::from(matches!(result, Opened::Rtp(92)));
        }
    });
    assert_eq!((opened, counted.count_total, events.len()), (100, 0, 0));
}
