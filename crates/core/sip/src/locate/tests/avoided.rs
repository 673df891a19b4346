use std::net::SocketAddr;
use std::time::Duration;

use tandem_base::Time;

use super::*;

fn address(n: u16) -> SocketAddr {
    SocketAddr::new([192, 0, 2, 1].into(), n)
}

#[test]
fn it_lasts_as_long_as_asked_and_is_for_one_transport() {
    let mut avoided = Avoided::default();
    let second = Duration::from_secs(1);
    avoided.add(Transport::Udp, address(1), 10 * second, Time::ZERO);
    assert!(avoided.contains(Transport::Udp, address(1), Time::from_millis(9_999)));
    assert!(!avoided.contains(Transport::Udp, address(1), Time::from_millis(10_000)));
    assert!(!avoided.contains(Transport::Tcp, address(1), Time::ZERO));
    assert!(!avoided.contains(Transport::Udp, address(2), Time::ZERO));
    // A word from it ends it.
    avoided.clear(Transport::Udp, address(1));
    assert!(avoided.is_empty());
    // Nobody can ask to be left alone for ever.
    avoided.add(Transport::Udp, address(1), Duration::MAX, Time::ZERO);
    assert!(!avoided.contains(Transport::Udp, address(1), Time::from_millis(3_600_000)));
}

#[test]
fn it_is_bounded_and_forgets_what_would_end_first() {
    let mut avoided = Avoided::default();
    for n in 0..5_000_u16 {
        avoided.add(Transport::Udp, address(n), Duration::from_secs(60), Time::from_millis(u64::from(n)));
        assert!(avoided.len() <= 1_024);
    }
    let now = Time::from_millis(5_000);
    assert!(avoided.contains(Transport::Udp, address(4_999), now));
    assert!(!avoided.contains(Transport::Udp, address(0), now));
}
