//! Through a proxy that stays on the way (Kamailio), over every pair of transports: RFC 3261 §16.6, §16.12, and
//! RFC 5658 where the two differ.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use tandem_interop::{Config, Kamailio, Signal, Sipp, SippCalls, Tandem, Transport};

const SOON: Duration = Duration::from_secs(30);

struct Path {
    tandem: Tandem,
    proxy: Kamailio,
    from: Transport,
}

impl Path {
    /// From a caller over `from` through the proxy over `to`.
    fn new(from: Transport, to: Transport) -> Self {
        let media = "setup_timeout = \"3s\"".to_owned();
        let tls = to == Transport::Tls;
        let tandem = Tandem::start(&Config { media, tls, ..Config::default() });
        let next = if tls { tandem.at_tls() } else { tandem.at() };
        Path { proxy: Kamailio::start(next, to), tandem, from }
    }

    fn call(&self, scenario: &'static str, calls: u32) -> Sipp {
        let calls = SippCalls { scenario, calls, rate: 10, transport: self.from, ..SippCalls::default() };
        Sipp::start(self.proxy.at(), &calls)
    }

    /// The server's requests go through the proxy, and so it says.
    fn wait_bye_of_server(&self) {
        let by = format!("proxying BYE from {}", self.tandem.at().ip());
        self.proxy.log().wait_for("the server's BYE", SOON, |line| line.contains(&by));
    }
}

fn both_hang_up(from: Transport, to: Transport) {
    let mut path = Path::new(from, to);
    path.call("proxied", 5).finish(SOON).assert_all(5);
    // Without sound, the server hangs up.
    path.call("hung-up", 2).finish(SOON).assert_all(2);
    path.wait_bye_of_server();
    path.tandem.assert_sound();
}

#[test]
fn from_udp_to_udp() {
    both_hang_up(Transport::Udp, Transport::Udp);
}

#[test]
fn from_udp_to_tcp() {
    both_hang_up(Transport::Udp, Transport::Tcp);
}

#[test]
fn from_tcp_to_udp() {
    both_hang_up(Transport::Tcp, Transport::Udp);
}

#[test]
fn from_tcp_to_tcp() {
    both_hang_up(Transport::Tcp, Transport::Tcp);
}

#[test]
fn from_udp_to_tls() {
    both_hang_up(Transport::Udp, Transport::Tls);
}

#[test]
fn from_tcp_to_tls() {
    both_hang_up(Transport::Tcp, Transport::Tls);
}

/// Those who are called away by the server's end hear it through the proxy too.
#[test]
fn a_server_that_is_stopped_hangs_up_through_the_proxy() {
    let mut path = Path::new(Transport::Udp, Transport::Tcp);
    let caller = path.call("hung-up", 1);
    path.proxy.log().wait_for("the caller's ACK", SOON, |line| line.contains("proxying ACK"));
    path.tandem.signal(Signal::TERM);
    caller.finish(SOON).assert_all(1);
    path.wait_bye_of_server();
    assert_eq!(path.tandem.wait().code(), Some(0));
}
