//! What happens while a call stands: hold and resume, telephone keys.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use tandem_interop::{Baresip, Codec, Config, Phone, Tandem, until};

const SOON: Duration = Duration::from_secs(10);

/// Nothing arrives at the phone for half a second.
fn wait_for_quiet(phone: &Phone) {
    let mut last = phone.media().counts().packets;
    until("the sound to stop", SOON, || {
        std::thread::sleep(Duration::from_millis(500));
        let now = phone.media().counts().packets;
        (std::mem::replace(&mut last, now) == now).then_some(())
    });
}

#[test]
fn baresip_holds_and_resumes_and_nobody_else_notices() {
    let mut tandem = Tandem::start(&Config::default());
    let mut alice = Baresip::start(tandem.at(), &[Codec::Opus], 440.0);
    let mut bob = Phone::new(tandem.at(), 617.0);
    let mut carol = Phone::new(tandem.at(), 853.0);
    alice.call("1000");
    bob.call("1000");
    carol.call("1000");
    bob.wait_to_hear(&[440.0, 853.0], SOON);
    carol.wait_to_hear(&[440.0, 617.0], SOON);
    alice.hold();
    bob.record(1.5).assert_tones("bob beside a held call", &[853.0], &[617.0]);
    carol.record(1.5).assert_tones("carol beside a held call", &[617.0], &[853.0]);
    alice.resume();
    let before = alice.decoded_seconds();
    until("alice to decode sound again", SOON, || (alice.decoded_seconds() > before + 1.0).then_some(()));
    bob.wait_to_hear(&[440.0, 853.0], SOON);
    bob.record(1.5).assert_tones("bob after the hold", &[440.0, 853.0], &[617.0]);
    alice.hang_up();
    let counts = bob.media().counts();
    assert_eq!((counts.gaps, counts.jumps, counts.sources.len()), (0, 0, 1), "{counts:?}");
    tandem.assert_sound();
}

#[test]
fn a_held_phone_hears_nothing_and_all_again_after_resuming() {
    let tandem = Tandem::start(&Config::default());
    let mut alice = Phone::new(tandem.at(), 440.0);
    let mut bob = Phone::new(tandem.at(), 617.0);
    alice.call("1000");
    bob.call("1000");
    alice.wait_to_hear(&[617.0], SOON);
    for (hold, answered) in [("sendonly", "recvonly"), ("inactive", "inactive")] {
        let answer = alice.reinvite(hold);
        assert_eq!((answer.status(), answer.direction()), (Some(200), Some(answered)), "{hold}");
        wait_for_quiet(&alice);
        let answer = alice.reinvite("sendrecv");
        assert_eq!((answer.status(), answer.direction()), (Some(200), Some("sendrecv")), "after {hold}");
        let start = alice.media().counts().packets;
        until("sound after the hold", SOON, || (alice.media().counts().packets > start + 50).then_some(()));
        alice.record(1.0).assert_tones("alice after the hold", &[617.0], &[440.0]);
        bob.wait_to_hear(&[440.0], SOON);
        bob.record(1.0).assert_tones("bob after the hold", &[440.0], &[617.0]);
    }
    let counts = alice.media().counts();
    assert_eq!(counts.sources.len(), 1, "the source outlives the hold: {counts:?}");
}

#[test]
fn a_hold_by_the_address_0_0_0_0_is_one() {
    let tandem = Tandem::start(&Config::default());
    let mut alice = Phone::new(tandem.at(), 440.0);
    let mut bob = Phone::new(tandem.at(), 617.0);
    alice.call("1000");
    bob.call("1000");
    alice.wait_to_hear(&[617.0], SOON);
    let connection = format!("c=IN IP4 {}", alice.contact().ip());
    let hold = alice.offer("sendrecv").replace(&connection, "c=IN IP4 0.0.0.0");
    assert_eq!(alice.reinvite_with(&hold).status(), Some(200));
    wait_for_quiet(&alice);
    assert_eq!(alice.reinvite("sendrecv").status(), Some(200));
    let start = alice.media().counts().packets;
    until("sound after the hold", SOON, || (alice.media().counts().packets > start + 50).then_some(()));
    alice.record(1.0).assert_tones("alice after the hold", &[617.0], &[440.0]);
}

#[test]
fn keys_are_told_once_each() {
    let tandem = Tandem::start(&Config::default());
    let mut phone = Phone::new(tandem.at(), 617.0);
    phone.call("1000");
    let mut caller = Baresip::start(tandem.at(), &[Codec::Opus], 440.0);
    caller.call("1000");
    phone.wait_to_hear(&[440.0], SOON);
    phone.media().press(7);
    tandem.log().wait_for("key 7", SOON, |line| key(line) == Some('7'));
    caller.dial_tones("5#");
    tandem.log().wait_for("key #", SOON, |line| key(line) == Some('#'));
    phone.record(0.5);
    let keys: String = tandem.log().lines().iter().filter_map(|line| key(line)).collect();
    assert_eq!(keys, "75#");
}

/// The key that a line of the log tells of.
fn key(line: &str) -> Option<char> {
    let event: serde_json::Value = serde_json::from_str(line).ok()?;
    event["digit"].as_str()?.chars().next()
}
