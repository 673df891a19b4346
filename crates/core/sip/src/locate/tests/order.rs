//! The order of SRV records (RFC 2782).

use super::*;
use crate::locate::srv::order;

fn ports(records: &[&str], seed: u64) -> Vec<u16> {
    let records = records.iter().map(|text| srv(text)).collect();
    order(records, &mut Seeded::new(seed)).iter().map(|record| record.port).collect()
}

/// How often of 10,000 times each port comes first.
fn shares(records: &[&str]) -> BTreeMap<u16, u32> {
    let mut shares = BTreeMap::new();
    let mut entropy = Seeded::new(2_782);
    for _ in 0..10_000 {
        let records = records.iter().map(|text| srv(text)).collect();
        *shares.entry(order(records, &mut entropy)[0].port).or_default() += 1;
    }
    shares
}

#[test]
fn priorities_come_in_order_and_nothing_is_lost() {
    for seed in 0..50 {
        let order =
            ports(&["20 5 3 c.", "10 0 1 a.", "10 9 2 b.", "30 1 4 d.", "10 1 0 e.", "10 1 9 ."], seed);
        assert_eq!(order.len(), 4, "port 0 and no host lead nowhere: {order:?}");
        assert_eq!(order[2..], [3, 4]);
    }
}

#[test]
fn weights_share_the_load() {
    let shares = shares(&["1 60 1 a.", "1 20 2 b.", "1 10 3 c.", "1 10 4 d."]);
    // 101 numbers may be drawn, so the first wins once more; five standard deviations are 250 at most.
    for (port, expected) in [(1, 6_000), (2, 2_000), (3, 1_000), (4, 1_000)] {
        assert!(shares[&port].abs_diff(expected) < 250, "{shares:?}");
    }
}

#[test]
fn weight_zero_is_chosen_seldom_but_at_times() {
    let shares = shares(&["1 99 1 a.", "1 0 2 b."]);
    assert!((20..500).contains(&shares[&2]), "{shares:?}");
    // Where all are zero, one of them comes first all the same.
    let alike = ports(&["1 0 1 a.", "1 0 2 b."], 3);
    assert_eq!(alike.len(), 2);
}

#[test]
fn the_same_numbers_give_the_same_order() {
    let records = ["1 5 1 a.", "1 5 2 b.", "1 5 3 c.", "1 5 4 d."];
    assert_eq!(ports(&records, 7), ports(&records, 7));
    assert!((0..20).any(|seed| ports(&records, seed) != ports(&records, 7)));
}
