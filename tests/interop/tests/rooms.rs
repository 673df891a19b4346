//! Who is in a room hears the others and not itself, whatever the codec; the test services answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use tandem_interop::{Baresip, Codec, Config, Phone, Sipp, SippCalls, Tandem, Tap, Transport, until};

const SOON: Duration = Duration::from_secs(15);

#[test]
fn opus_pcmu_and_pcma_callers_hear_each_other() {
    let mut tandem = Tandem::start(&Config::default());
    let mut alice = Baresip::start(tandem.at(), &[Codec::Opus], 440.0);
    let mut bob = Baresip::start(tandem.at(), &[Codec::Pcmu], 617.0);
    let tap = Tap::new(tandem.at());
    let talk =
        SippCalls { scenario: "talk", talk: Duration::from_secs(8), tone: 853.0, ..SippCalls::default() };
    let sipp = Sipp::start(tap.at(), &talk);
    alice.call("1000");
    bob.call("1000");
    let (to_alice, to_bob, to_sipp) = until("all three to hear both others for two seconds", SOON, || {
        let (a, b, s) = (alice.heard_so_far()?, bob.heard_so_far()?, tap.heard());
        let all = a.ends_with(2.0, &[617.0, 853.0])
            && b.ends_with(2.0, &[440.0, 853.0])
            && s.ends_with(2.0, &[440.0, 617.0]);
        all.then(|| (a.last(2.0), b.last(2.0), s.last(2.0)))
    });
    to_alice.assert_tones("the Opus caller", &[617.0, 853.0], &[440.0]);
    to_bob.assert_tones("the PCMU caller", &[440.0, 853.0], &[617.0]);
    to_sipp.assert_tones("the PCMA caller", &[440.0, 617.0], &[853.0]);
    alice.hang_up();
    bob.hang_up();
    sipp.finish(Duration::from_secs(20)).assert_all(1);
    tandem.assert_sound();
}

/// One room for all: every transport, both families, with keys and without. Two talk at a time, everybody hears them.
#[test]
fn callers_over_every_transport_over_ipv6_and_with_keys_meet_in_one_room() {
    const SECRET: f64 = 440.0;
    let mut tandem = Tandem::start(&Config { everywhere: true, ..Config::default() });
    let over = |transport| tandem.at_transport(transport);
    let mut secret =
        Baresip::start_encrypted(Transport::Tls, tandem.at_tls(), &[Codec::Opus], SECRET, "srtp-mand");
    let mut phones: Vec<(&str, f64, Phone)> = vec![
        ("UDP", 617.0, Phone::new(tandem.at(), 617.0)),
        ("TCP", 853.0, Phone::over(Transport::Tcp, over(Transport::Tcp), 853.0)),
        ("TLS", 1103.0, Phone::over(Transport::Tls, over(Transport::Tls), 1103.0)),
        ("WS", 1399.0, Phone::over(Transport::Ws, over(Transport::Ws), 1399.0)),
        ("WSS and keys", 1789.0, Phone::over(Transport::Wss, over(Transport::Wss), 1789.0)),
        ("IPv6", 2311.0, Phone::new(tandem.at_ipv6(), 2311.0)),
    ];
    secret.call("1000");
    let mut peers = Vec::new();
    for (how, _, phone) in &mut phones {
        let answer = if *how == "WSS and keys" { phone.call_encrypted("1000") } else { phone.call("1000") };
        assert_eq!(answer.rtp_address().is_ipv6(), *how == "IPv6", "{how}: {}", answer.body);
        phone.media().silence();
        peers.push(answer.rtp_address());
    }
    for talker in 0..phones.len() {
        let hz = phones[talker].1;
        phones[talker].2.media().talk_to(peers[talker]);
        for (n, (_, _, phone)) in phones.iter().enumerate() {
            let heard: &[f64] = if n == talker { &[SECRET] } else { &[SECRET, hz] };
            phone.wait_to_hear(heard, SOON);
        }
        until(&format!("the encrypted Opus caller to hear {}", phones[talker].0), SOON, || {
            secret.heard_so_far()?.ends_with(0.5, &[hz]).then_some(())
        });
        phones[talker].2.media().silence();
    }
    for (how, _, phone) in &mut phones {
        assert_eq!(phone.bye().status(), Some(200), "{how}");
        assert_eq!(phone.media().counts().unauthentic, 0, "{how}");
    }
    tandem.assert_sound();
}

#[test]
fn a_wideband_and_a_narrowband_caller_hear_each_other() {
    let mut tandem = Tandem::start(&Config::default());
    let mut wide = Baresip::start(tandem.at(), &[Codec::G722], 440.0);
    let mut narrow = Phone::new(tandem.at(), 617.0);
    wide.call("room-wide");
    narrow.call("room-wide");
    narrow.wait_to_hear(&[440.0], SOON);
    let heard = narrow.record(2.0);
    heard.assert_tones("the PCMU phone", &[440.0], &[617.0]);
    until("the G.722 caller to hear the phone for two seconds", SOON, || {
        wide.heard_so_far()?.ends_with(2.0, &[617.0]).then_some(())
    });
    let counts = narrow.media().counts();
    assert_eq!((counts.gaps, counts.jumps, counts.sources.len()), (0, 0, 1), "{counts:?}");
    wide.hang_up();
    wide.heard().last(1.0).assert_tones("the G.722 caller", &[617.0], &[440.0]);
    tandem.assert_sound();
}

#[test]
fn rooms_do_not_hear_each_other() {
    let tandem = Tandem::start(&Config::default());
    let mut phones: Vec<Phone> = [440.0, 617.0, 853.0].map(|hz| Phone::new(tandem.at(), hz)).into();
    for (phone, room) in phones.iter_mut().zip(["1001", "1001", "1002"]) {
        phone.call(room);
    }
    phones[0].wait_to_hear(&[617.0], SOON);
    phones[0].record(1.0).assert_tones("the first of room 1001", &[617.0], &[440.0, 853.0]);
    phones[1].record(1.0).assert_tones("the second of room 1001", &[440.0], &[617.0, 853.0]);
    let alone = phones[2].record(1.0).level_dbfs();
    assert!(alone < -60.0, "alone in room 1002 there is nothing to hear, but {alone:.1} dBFS");
}

#[test]
fn the_echo_service_returns_the_voice_as_it_was() {
    let tandem = Tandem::start(&Config::default());
    let mut phone = Phone::new(tandem.at(), 617.0);
    phone.call("echo");
    phone.wait_to_hear_purely(&[617.0], SOON);
    let heard = tandem.measure(&[&phone], || phone.record(3.0).pure(&[617.0]));
    assert!((heard.tone_dbfs(617.0) + 12.0).abs() < 1.0, "{:.1} dBFS", heard.tone_dbfs(617.0));
}

#[test]
fn the_echo_service_speaks_opus() {
    let tandem = Tandem::start(&Config::default());
    let mut caller = Baresip::start(tandem.at(), &[Codec::Opus], 617.0);
    caller.call("echo");
    let heard = until("two seconds of echo", SOON, || {
        caller.heard_so_far().filter(|heard| heard.ends_with(2.0, &[617.0]))
    });
    let level = heard.last(2.0).tone_dbfs(617.0);
    assert!((level + 12.0).abs() < 2.0, "{level:.1} dBFS");
}

#[test]
fn the_tone_service_plays_1004_hz_at_minus_16_in_every_codec() {
    let tandem = Tandem::start(&Config::default());
    let mut phone = Phone::new(tandem.at(), 617.0);
    phone.call("tone");
    phone.wait_to_hear(&[1004.0], SOON);
    let heard = tandem.measure(&[], || phone.record(3.0).pure(&[1004.0]));
    assert!((heard.tone_dbfs(1004.0) + 16.0).abs() < 0.5, "{:.2} dBFS", heard.tone_dbfs(1004.0));
    for codec in [Codec::Opus, Codec::G722, Codec::Pcma] {
        let mut caller = Baresip::start(tandem.at(), &[codec], 617.0);
        caller.call("tone");
        let heard = until(&format!("the tone by {codec:?}"), SOON, || {
            caller.heard_so_far().filter(|heard| heard.ends_with(2.0, &[1004.0]))
        });
        let level = heard.last(2.0).tone_dbfs(1004.0);
        assert!((level + 16.0).abs() < 1.5, "{codec:?}: {level:.1} dBFS");
        caller.hang_up();
    }
}

#[test]
fn every_packet_time_is_served_both_ways() {
    let tandem = Tandem::start(&Config::default());
    for ms in [10, 20, 30, 40, 60] {
        let mut phone = Phone::new(tandem.at(), 617.0);
        phone.media().set_packet_ms(ms);
        let attributes = format!("a=rtpmap:0 PCMU/8000\r\na=ptime:{ms}\r\n");
        let offer = phone.offer_of("sendrecv", "0", &attributes);
        let answer = phone.invite("echo", &offer);
        assert_eq!(answer.status(), Some(200), "{ms} ms: {}", answer.start);
        phone.media().talk_to(answer.rtp_address());
        phone.wait_to_hear_purely(&[617.0], SOON);
        tandem.measure(&[&phone], || phone.record(1.0).pure(&[617.0]).map_err(|e| format!("{ms} ms: {e}")));
        let counts = phone.media().counts();
        assert_eq!((counts.packet_ms, counts.gaps, counts.jumps), (ms as usize, 0, 0), "{counts:?}");
        assert_eq!(phone.bye().status(), Some(200));
    }
}
