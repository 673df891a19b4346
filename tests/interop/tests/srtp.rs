//! Callers with keys in their SDP, in every style, beside plain ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use tandem_interop::{Baresip, Codec, Config, Phone, Tandem, Transport, until};

const SOON: Duration = Duration::from_secs(15);

fn caller(tandem: &Tandem, codec: Codec, hz: f64, mediaenc: &str) -> Baresip {
    Baresip::start_encrypted(Transport::Udp, tandem.at(), &[codec], hz, mediaenc)
}

#[test]
fn encrypted_callers_of_every_style_and_a_plain_one_hear_each_other() {
    let mut tandem = Tandem::start(&Config::default());
    let mut opportunistic = caller(&tandem, Codec::Pcmu, 440.0, "srtp");
    let mut insisting = caller(&tandem, Codec::Opus, 617.0, "srtp-mand");
    let mut feedback = caller(&tandem, Codec::G722, 1103.0, "srtp-mandf");
    let mut plain = Phone::new(tandem.at(), 853.0);
    for caller in [&mut opportunistic, &mut insisting, &mut feedback] {
        caller.call("1000");
    }
    plain.call("1000");
    let all = [440.0, 617.0, 1103.0, 853.0];
    for (caller, own) in [(&opportunistic, 440.0), (&insisting, 617.0), (&feedback, 1103.0)] {
        let others: Vec<f64> = all.into_iter().filter(|hz| *hz != own).collect();
        let heard = until(&format!("the caller of {own} Hz to hear all others"), SOON, || {
            caller.heard_so_far().filter(|heard| heard.ends_with(2.0, &others))
        });
        heard.last(2.0).assert_tones(&format!("the caller of {own} Hz"), &others, &[own]);
    }
    plain.wait_to_hear(&[440.0, 617.0, 1103.0], SOON);
    for caller in [&mut opportunistic, &mut insisting, &mut feedback] {
        caller.hang_up();
    }
    let records = || -> Vec<serde_json::Value> {
        let lines = tandem.log().lines();
        let ended = lines.iter().filter(|line| line.contains("\"call ended\""));
        ended.map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    for record in until("three records", SOON, || Some(records()).filter(|records| records.len() == 3)) {
        assert_eq!(record["srtp"], "AES_CM_128_HMAC_SHA1_80", "{record}");
        assert_eq!((&record["rx_replayed"], &record["rx_malformed"]), (&0.into(), &0.into()), "{record}");
        // baresip sends an RTCP packet before it has keys, and its RTCP BYE after it has thrown them away.
        assert!(record["rx_unauthentic"].as_u64().is_some_and(|n| n <= 2), "{record}");
    }
    tandem.assert_sound();
}

#[test]
fn keys_that_came_over_tls_serve_beside_plain_callers() {
    let tandem = Tandem::start(&Config { tls: true, ..Config::default() });
    let mut secret =
        Baresip::start_encrypted(Transport::Tls, tandem.at_tls(), &[Codec::Opus], 617.0, "srtp-mand");
    let mut plain = Phone::new(tandem.at(), 853.0);
    secret.call("1000");
    plain.call("1000");
    plain.wait_to_hear(&[617.0], SOON);
    until("the encrypted caller to hear the plain one", SOON, || {
        secret.heard_so_far()?.ends_with(1.0, &[853.0]).then_some(())
    });
}

#[test]
fn hold_and_resume_keep_an_encrypted_call_talking() {
    let tandem = Tandem::start(&Config::default());
    let mut caller = caller(&tandem, Codec::Pcmu, 617.0, "srtp-mand");
    let mut plain = Phone::new(tandem.at(), 853.0);
    caller.call("1000");
    plain.call("1000");
    plain.wait_to_hear(&[617.0], SOON);
    caller.hold();
    until("silence from the one that holds", SOON, || {
        (plain.record(0.5).tone_dbfs(617.0) < -50.0).then_some(())
    });
    caller.resume();
    plain.wait_to_hear(&[617.0], SOON);
    let before = caller.decoded_seconds();
    until("the caller to decode again", SOON, || (caller.decoded_seconds() > before + 0.5).then_some(()));
}

/// A session is refreshed (RFC 4028 §7.4) while sound goes on and sequence numbers have begun anew: keys, roll-over
/// counters and sequence stay, and nobody hears of it.
#[test]
fn refreshes_leave_an_encrypted_call_as_it_is() {
    const TIMER: &str = "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n";
    let mut tandem = Tandem::start(&Config::default());
    let mut secret = Phone::new(tandem.at(), 617.0);
    let mut plain = Phone::new(tandem.at(), 853.0);
    let answer = secret.call_encrypted("1000");
    plain.call("1000");
    // By now our sequence numbers have rolled over.
    secret.wait_to_hear_purely(&[853.0], SOON);
    plain.wait_to_hear_purely(&[617.0], SOON);
    let line = |body: &str, start: &str| body.lines().find(|l| l.starts_with(start)).map(ToOwned::to_owned);
    for round in 0..3 {
        let updated = secret.ask("UPDATE", TIMER);
        assert_eq!(updated.status(), Some(200), "{}", updated.start);
        assert_eq!(updated.header("Session-Expires"), Some("90;refresher=uac"), "{round}");
        let offer = secret.encrypted_offer();
        let refreshed = secret.reinvite_with(&offer);
        assert_eq!(refreshed.status(), Some(200), "{}", refreshed.start);
        for start in ["a=crypto:", "o=", "m="] {
            assert_eq!(line(&refreshed.body, start), line(&answer.body, start), "{round}");
        }
        let heard = [(&secret, 853.0), (&plain, 617.0)].map(|(phone, hz)| (phone.record(1.0), hz));
        for (heard, hz) in heard {
            assert!(heard.ends_with(0.9, &[hz]), "{round}: {hz} Hz are gone");
        }
    }
    let counts = secret.media().counts();
    assert_eq!((counts.gaps, counts.jumps, counts.unauthentic), (0, 0, 0), "{counts:?}");
    assert_eq!(counts.sources.len(), 1, "{counts:?}");
    assert_eq!(secret.bye().status(), Some(200));
    let record = tandem.wait_log(&["\"call ended\"", "AES_CM_128_HMAC_SHA1_80"], SOON);
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    for figure in ["rx_lost", "rx_unauthentic", "rx_replayed", "rx_malformed"] {
        assert_eq!(record[figure], 0, "{record}");
    }
    tandem.assert_sound();
}

#[test]
fn a_room_that_requires_encryption_refuses_plain_callers_and_says_why() {
    let sections = "[rooms]\nad_hoc = [\"1000-1999\"]\nsrtp = \"required\"\n".to_owned();
    let tandem = Tandem::start(&Config { sections, ..Config::default() });
    let mut plain = Phone::new(tandem.at(), 440.0);
    let offer = plain.offer_of("sendrecv", "0", "a=rtpmap:0 PCMU/8000\r\n");
    let refusal = plain.invite("1000", &offer);
    assert_eq!(refusal.status(), Some(488), "{}", refusal.start);
    let warning = refusal.header("Warning").expect("a Warning");
    assert!(warning.contains("only encrypted media are served here"), "{warning}");
    let mut encrypted = caller(&tandem, Codec::Pcma, 617.0, "srtp-mand");
    encrypted.call("echo");
    encrypted.hang_up();
    let mut encrypted = caller(&tandem, Codec::Pcma, 617.0, "srtp");
    encrypted.call("1000");
}

#[test]
fn a_room_without_encryption_refuses_who_insists_and_serves_who_does_not() {
    let sections = "[rooms]\nad_hoc = [\"1000-1999\"]\nsrtp = \"off\"\n".to_owned();
    let mut tandem = Tandem::start(&Config { sections, ..Config::default() });
    let mut insisting = caller(&tandem, Codec::Pcma, 617.0, "srtp-mand");
    insisting.dial("1000");
    let closed = insisting.wait_event("CALL_CLOSED");
    assert!(closed["param"].as_str().is_some_and(|why| why.contains("488")), "{closed}");
    let mut flexible = caller(&tandem, Codec::Pcma, 617.0, "srtp");
    flexible.call("1000");
    let mut plain = Phone::new(tandem.at(), 440.0);
    plain.call("1000");
    plain.wait_to_hear(&[617.0], SOON);
    tandem.assert_sound();
}
