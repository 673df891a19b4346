//! Many calls, and calls over TCP, TLS and WebSocket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use tandem_interop::{Baresip, Codec, Config, Phone, Sipp, SippCalls, Tandem, Transport, until};

const SOON: Duration = Duration::from_secs(15);

#[test]
fn a_caller_over_tcp_is_heard_and_hears() {
    let mut tandem = Tandem::start(&Config::default());
    let mut alice = Baresip::start_over(Transport::Tcp, tandem.at(), &[Codec::Opus], 440.0);
    let mut bob = Phone::new(tandem.at(), 617.0);
    alice.call("1000");
    bob.call("1000");
    bob.wait_to_hear(&[440.0], SOON);
    until("the caller over TCP to hear", SOON, || {
        alice.heard_so_far()?.ends_with(1.0, &[617.0]).then_some(())
    });
    alice.hang_up();
    tandem.assert_sound();
}

fn three_hundred(transport: Transport) {
    let mut tandem = Tandem::start(&Config { everywhere: true, ..Config::default() });
    let calls = SippCalls { user: "1000", calls: 300, rate: 50, transport, ..SippCalls::default() };
    Sipp::start(tandem.at_transport(transport), &calls).finish(Duration::from_secs(60)).assert_all(300);
    tandem.assert_sound();
    // The room is over: who comes now is alone.
    let mut phone = Phone::new(tandem.at(), 617.0);
    phone.call("1000");
    assert!(phone.record(1.0).level_dbfs() < -60.0);
    assert_eq!(phone.bye().status(), Some(200));
}

#[test]
fn three_hundred_calls_over_udp() {
    three_hundred(Transport::Udp);
}

#[test]
fn three_hundred_calls_over_tcp() {
    three_hundred(Transport::Tcp);
}

#[test]
fn three_hundred_calls_over_tls() {
    three_hundred(Transport::Tls);
}

#[test]
fn three_hundred_calls_over_web_socket() {
    three_hundred(Transport::Ws);
}

#[test]
fn a_caller_over_tls_is_heard_and_hears() {
    let mut tandem = Tandem::start(&Config { tls: true, ..Config::default() });
    let mut alice = Baresip::start_over(Transport::Tls, tandem.at_tls(), &[Codec::Opus], 440.0);
    let mut bob = Phone::new(tandem.at(), 617.0);
    alice.call("1000");
    bob.call("1000");
    bob.wait_to_hear(&[440.0], SOON);
    until("the caller over TLS to hear", SOON, || {
        alice.heard_so_far()?.ends_with(1.0, &[617.0]).then_some(())
    });
    alice.hang_up();
    tandem.assert_sound();
}
