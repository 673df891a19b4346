//! The instruments measure each other before anything is measured with them: no server takes part.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use tandem_interop::{Baresip, Codec, Phone, Sipp, SippCalls, Tap, until};

const NOBODY: &str = "127.0.0.1:9";

#[test]
fn two_baresips_hear_each_other() {
    let bob = Baresip::start(NOBODY.parse().unwrap(), &[Codec::G722, Codec::Opus], 617.0);
    let mut alice = Baresip::start(bob.at(), &[Codec::Opus], 440.0);
    alice.call("phone");
    until("three seconds of sound", Duration::from_secs(10), || {
        alice.heard_so_far().filter(|heard| heard.seconds() > 3.0)
    });
    alice.hang_up();
    alice.heard().last(2.0).assert_tones("alice", &[617.0], &[440.0]);
    bob.wait_event("CALL_CLOSED");
    bob.heard().last(2.0).assert_tones("bob", &[440.0], &[617.0]);
}

#[test]
fn the_phone_hears_baresip_and_baresip_the_phone() {
    let bob = Baresip::start(NOBODY.parse().unwrap(), &[Codec::Pcmu], 617.0);
    let mut phone = Phone::new(bob.at(), 853.0);
    phone.call("phone");
    phone.wait_to_hear(&[617.0], Duration::from_secs(5));
    let heard = phone.record(2.0);
    heard.assert_tones("the phone", &[617.0], &[853.0]);
    assert!(heard.purity_db(&[617.0]) > 30.0, "{}", heard.purity_db(&[617.0]));
    let counts = phone.media().counts();
    assert_eq!((counts.gaps, counts.sources.len()), (0, 1), "{counts:?}");
    assert_eq!(phone.bye().status(), Some(200));
    bob.heard().last(1.0).assert_tones("bob", &[853.0], &[617.0]);
}

#[test]
fn baresip_holds_and_resumes() {
    let mut bob = Baresip::start(NOBODY.parse().unwrap(), &[Codec::Pcmu], 617.0);
    let mut phone = Phone::new(bob.at(), 853.0);
    phone.call("phone");
    phone.wait_to_hear(&[617.0], Duration::from_secs(5));
    bob.hold();
    assert_eq!(phone.wait_request("INVITE").direction(), Some("sendonly"));
    bob.resume();
    assert_eq!(phone.wait_request("INVITE").direction(), Some("sendrecv"));
    let before = bob.decoded_seconds();
    until("bob to decode again", Duration::from_secs(5), || {
        (bob.decoded_seconds() > before + 1.0).then_some(())
    });
    phone.media().silence();
    assert_eq!(phone.bye().status(), Some(200));
}

#[test]
fn sipp_talks_and_the_tap_hears_what_it_is_told() {
    let bob = Baresip::start(NOBODY.parse().unwrap(), &[Codec::Pcma], 617.0);
    let tap = Tap::new(bob.at());
    let calls =
        SippCalls { scenario: "talk", user: "phone", talk: Duration::from_secs(3), ..SippCalls::default() };
    Sipp::start(tap.at(), &calls).finish(Duration::from_secs(20)).assert_all(1);
    tap.heard().last(1.0).assert_tones("sipp", &[617.0], &[853.0]);
    bob.heard().last(1.0).assert_tones("bob", &[853.0], &[617.0]);
}
