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

/// Counts upwards.
struct Counting(u8);

impl Entropy for Counting {
    fn fill(&mut self, buffer: &mut [u8]) {
        for octet in buffer {
            self.0 = self.0.wrapping_add(1);
            *octet = self.0;
        }
    }
}

#[test]
fn ice_credentials_have_their_lengths_and_keep_their_secret() {
    let mut entropy = Counting(0);
    let (one, two) =
        (IceCredentials::draw(&mut entropy).unwrap(), IceCredentials::draw(&mut entropy).unwrap());
    assert_eq!((one.ufrag.as_str(), one.password.as_str().len()), ("BCDEFGHI", 24));
    assert!(two.differ_from(&one) && !one.differ_from(&one.clone()));
    assert!(!format!("{one:?}").contains(one.password.as_str()));
    assert_eq!(TlsId::draw(&mut entropy).unwrap().as_str().len(), 24);
}

#[test]
fn texts_are_bounded_by_their_grammars() {
    assert!(
        IceUfrag::new("abc").is_none() && IceUfrag::new("ab c").is_none() && IceUfrag::new("ab+/").is_some()
    );
    assert!(IcePassword::new(&"p".repeat(21)).is_none() && IcePassword::new(&"p".repeat(257)).is_none());
    assert!(Foundation::new("").is_none() && Foundation::new(&"1".repeat(33)).is_none());
    assert!(Mid::new("a b").is_none() && Mid::new("a:b").is_none() && Mid::new("{a}-0").is_some());
    assert!(TlsId::new(&"x".repeat(19)).is_none() && TlsId::new(&"x".repeat(256)).is_none());
}

#[test]
fn fingerprints_have_the_length_of_their_hash() {
    for hash in HashFunction::ALL {
        assert_eq!(HashFunction::from_name(&hash.name().to_ascii_uppercase()), Some(hash));
        assert!(Fingerprint::new(hash, &vec![7; hash.digest_len()]).is_some());
        assert_eq!(Fingerprint::new(hash, &vec![7; hash.digest_len() - 1]), None);
    }
    let print = Fingerprint::new(HashFunction::Sha1, &[0xab; 20]).unwrap();
    assert!(print.to_string().starts_with("sha-1 AB:AB:") && print.to_string().ends_with(":AB"));
}
