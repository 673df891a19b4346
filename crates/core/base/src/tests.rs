use std::time::Duration;

use super::*;

#[test]
fn time_saturates_at_both_ends() {
    assert_eq!(Time::ZERO - Duration::from_secs(1), Time::ZERO);
    assert_eq!(Time::NEVER + Duration::from_secs(1), Time::NEVER);
    assert_eq!(Time::from_millis(5).since(Time::from_millis(9)), Duration::ZERO);
}

#[test]
fn extended_sequence_finds_the_nearest_cycle() {
    let at = ExtSeq(0x1_fffe);
    assert_eq!(at.nearest(0xffff), ExtSeq(0x1_ffff));
    assert_eq!(at.nearest(0x0001), ExtSeq(0x2_0001));
    assert_eq!(at.nearest(0xff00), ExtSeq(0x1_ff00));
    assert_eq!(ExtSeq(0x2_0001).nearest(0xfffe), ExtSeq(0x1_fffe));
    assert_eq!(ExtSeq(3).nearest(0xfffe), ExtSeq(0xfffe), "nothing lies before the first cycle");
    assert_eq!(at.wire(), 0xfffe);
}

#[test]
fn clock_rates_convert_exactly() {
    assert_eq!(ClockRate::HZ_48000.ticks_in_ms(20), 960);
    assert_eq!(ClockRate::HZ_8000.duration_of(160), Duration::from_millis(20));
    assert_eq!(ClockRate::HZ_8000.ticks_of(Duration::from_millis(20)), 160);
    assert_eq!(ClockRate::new(0), None);
}

#[test]
fn directions_reverse() {
    assert_eq!(Direction::SendOnly.reversed(), Direction::RecvOnly);
    assert_eq!(Direction::SendRecv.reversed(), Direction::SendRecv);
    assert_eq!(Direction::Inactive.reversed(), Direction::Inactive);
}

#[test]
fn causes_follow_rfc_3398() {
    let cause = |status| Fault::new(Blame::Peer, status, "x").q850();
    assert_eq!((cause(404), cause(486), cause(488), cause(503), cause(500)), (1, 17, 65, 41, 41));
}

#[test]
fn only_the_keypad_is_in_an_event_set() {
    assert!(EventSet::KEYPAD.contains(15));
    assert!(!EventSet::KEYPAD.contains(16));
    assert!(!EventSet(0b1).contains(1));
}
