use tandem_base::{AudioFormat, ClockRate, EventSet, OpusParams};

use super::*;

fn sent(media: &str) -> (u8, AudioFormat, u8) {
    let send = answered(&from_peer(media)).negotiated.stream.send;
    (send.payload_type.get(), send.format, send.ptime_ms)
}

fn opus(fmtp: &str) -> OpusParams {
    let media = format!("m=audio 4000 RTP/AVP 111\na=rtpmap:111 OPUS/48000/2\na=fmtp:111 {fmtp}");
    let able = Capabilities { opus_stereo: true, ..Capabilities::default() };
    let answer = answer(from_peer(&media).as_bytes(), &able, &local(), None).unwrap();
    match answer.negotiated.stream.send.format {
        AudioFormat::Opus(params) => params,
        other => panic!("{other}"),
    }
}

#[test]
fn opus_parameters_are_the_peers_for_sending_and_ours_for_receiving() {
    let all = "maxplaybackrate=16000; maxaveragebitrate=20000;stereo=1; useinbandfec=1 ;usedtx=1;CBR=1;x;y=z";
    assert_eq!(
        opus(all),
        OpusParams {
            max_playback_rate: 16_000,
            max_average_bitrate: Some(20_000),
            stereo: true,
            inband_fec: true,
            dtx: true,
            cbr: true,
        }
    );
    assert_eq!(opus("x=1"), OpusParams::default());
    let wild = opus("maxplaybackrate=1;maxaveragebitrate=99999999;stereo=yes;useinbandfec=-1");
    assert_eq!((wild.max_playback_rate, wild.max_average_bitrate), (8_000, Some(510_000)));
    assert!(!wild.stereo && !wild.inband_fec);
    let received = answered(&from_peer("m=audio 4000 RTP/AVP 96\na=rtpmap:96 opus/48000/2"));
    let ours = OpusParams { inband_fec: true, ..OpusParams::default() };
    assert_eq!(received.negotiated.stream.receive[0].format, AudioFormat::Opus(ours));
}

#[test]
fn names_and_numbers_are_understood_in_all_their_spellings() {
    let cases: &[(&str, u8, Codec)] = &[
        ("m=audio 4000 RTP/AVP 96\na=rtpmap:96 opus/48000", 96, Codec::Opus),
        ("m=audio 4000 RTP/AVP 96\na=rtpmap:96 opus/48000/1", 96, Codec::Opus),
        ("m=audio 4000 RTP/AVP 9", 9, Codec::G722),
        ("m=audio 4000 RTP/AVP 9\na=rtpmap:9 G722/16000", 9, Codec::G722),
        ("m=audio 4000 RTP/AVP 120\na=rtpmap:120 g722/8000/1", 120, Codec::G722),
        ("m=audio 4000 RTP/AVP 97 0\na=rtpmap:97 PCMU/8000", 97, Codec::Pcmu),
        ("m=audio 4000 RTP/AVP 97 8\na=rtpmap:97 PCMU/16000", 8, Codec::Pcma),
        ("m=audio 4000 RTP/AVP 97 8\na=rtpmap:97 PCMU/8000/2", 8, Codec::Pcma),
        ("m=audio 4000 RTP/AVP 97 8\na=rtpmap:97 opus/8000", 8, Codec::Pcma),
        ("m=audio 4000 RTP/AVP 97 8\na=rtpmap:97 G722/16000", 8, Codec::Pcma),
        ("m=audio 4000 RTP/AVP 0 0 8\na=rtpmap:0 PCMU/8000\na=rtpmap:0 PCMA/8000", 0, Codec::Pcmu),
    ];
    for (media, number, codec) in cases {
        let (sent, format, _) = sent(media);
        assert_eq!((sent, Codec::of(format)), (*number, *codec), "{media}");
    }
}

#[test]
fn our_preference_counts_where_configured() {
    let offer = from_peer("m=audio 4000 RTP/AVP 0 8 9 96\na=rtpmap:96 opus/48000/2");
    let pick = |preference, codecs: &[Codec]| {
        let capabilities = Capabilities { codecs: codecs.to_vec(), preference, ..Default::default() };
        let answer = answer(offer.as_bytes(), &capabilities, &local(), None).unwrap();
        Codec::of(answer.negotiated.stream.send.format)
    };
    let all = [Codec::Opus, Codec::G722, Codec::Pcmu, Codec::Pcma];
    assert_eq!(pick(Preference::Offerer, &all), Codec::Pcmu);
    assert_eq!(pick(Preference::Ours, &all), Codec::Opus);
    assert_eq!(pick(Preference::Ours, &[Codec::Pcma, Codec::Pcmu]), Codec::Pcma);
    assert_eq!(pick(Preference::Offerer, &[Codec::Pcma, Codec::G722]), Codec::Pcma);
}

#[test]
fn packet_lengths_are_what_the_codec_can_do() {
    let pcmu = |lines: &str| sent(&format!("m=audio 4000 RTP/AVP 0\n{lines}")).2;
    let opus = |lines: &str| sent(&format!("m=audio 4000 RTP/AVP 96\na=rtpmap:96 opus/48000/2\n{lines}")).2;
    assert_eq!((pcmu(""), opus("")), (20, 20));
    assert_eq!((pcmu("a=ptime:30"), opus("a=ptime:30")), (30, 20));
    assert_eq!((pcmu("a=ptime:50"), opus("a=ptime:50")), (50, 40));
    assert_eq!((pcmu("a=ptime:5"), pcmu("a=ptime:25"), pcmu("a=ptime:120")), (10, 20, 60));
    assert_eq!((pcmu("a=ptime:20.5"), pcmu("a=ptime:x"), pcmu("a=ptime:0")), (20, 20, 20));
    assert_eq!(
        (pcmu("a=maxptime:10"), pcmu("a=ptime:60\na=maxptime:40"), opus("a=maxptime:3")),
        (10, 40, 10)
    );
    assert_eq!(pcmu("a=ptime:99999999999999999999"), 20);
}

fn events(fmtp: &str) -> EventSet {
    let media = format!("m=audio 4000 RTP/AVP 0 101\na=rtpmap:101 telephone-event/8000\n{fmtp}");
    answered(&from_peer(&media)).negotiated.stream.telephone_events[0].events
}

#[test]
fn telephone_events_are_read_within_bounds() {
    assert_eq!(events(""), EventSet::KEYPAD);
    assert_eq!(events("a=fmtp:101 0-15"), EventSet::KEYPAD);
    assert_eq!(events("a=fmtp:101 0-16"), EventSet::KEYPAD);
    assert_eq!(events("a=fmtp:101 0-255"), EventSet::KEYPAD);
    assert_eq!(events("a=fmtp:101 0-11,66,70"), EventSet(0x0fff));
    assert_eq!(events("a=fmtp:101 1, 3 ,5-6"), EventSet(0b110_1010));
    assert_eq!(events("a=fmtp:101 9-3"), EventSet::KEYPAD);
    assert_eq!(events("a=fmtp:101 0-99999"), EventSet::KEYPAD);
    assert_eq!(events("a=fmtp:101 nonsense"), EventSet::KEYPAD);
}

#[test]
fn telephone_events_go_by_the_codecs_clock_if_they_can() {
    let clocks = |media: &str| {
        let stream = answered(&from_peer(media)).negotiated.stream;
        stream
            .telephone_events
            .iter()
            .map(|e| (e.clock_rate, e.receive_payload_type.get()))
            .collect::<Vec<_>>()
    };
    let both =
        "a=rtpmap:96 opus/48000/2\na=rtpmap:101 telephone-event/8000\na=rtpmap:97 telephone-event/48000";
    assert_eq!(clocks(&format!("m=audio 4000 RTP/AVP 96 101 97\n{both}")), [(ClockRate::HZ_48000, 97)]);
    assert_eq!(clocks(&format!("m=audio 4000 RTP/AVP 9 101 97\n{both}")), [(ClockRate::HZ_8000, 101)]);
    assert_eq!(clocks(&format!("m=audio 4000 RTP/AVP 96 101\n{both}")), [(ClockRate::HZ_8000, 101)]);
    let off = Capabilities { telephone_event: false, ..Default::default() };
    let offer = from_peer(&format!("m=audio 4000 RTP/AVP 9 101\n{both}"));
    let answer = answer(offer.as_bytes(), &off, &local(), None).unwrap();
    assert!(answer.negotiated.stream.telephone_events.is_empty());
    assert!(answer.sdp.contains("m=audio 20000 RTP/AVP 9\r\n"));
}

/// The most that Opus is sent with to a peer that writes these lines.
fn opus_limit(lines: &str) -> Option<u32> {
    let offer = from_peer(lines);
    match answered(&offer).negotiated.stream.send.format {
        AudioFormat::Opus(params) => params.max_average_bitrate,
        other => panic!("{other:?}"),
    }
}

#[test]
fn bandwidth_lines_limit_opus() {
    let audio = "m=audio 4000 RTP/AVP 96\n";
    let opus = "\na=rtpmap:96 opus/48000/2";
    assert_eq!(opus_limit(&format!("{audio}{opus}")), None);
    assert_eq!(opus_limit(&format!("{audio}b=TIAS:24000{opus}")), Some(24_000));
    // 50 packets a second with 40 octets of headers are 16 kbit/s.
    assert_eq!(opus_limit(&format!("{audio}b=AS:40{opus}")), Some(24_000));
    assert_eq!(opus_limit(&format!("{audio}b=AS:40{opus}\na=ptime:40")), Some(32_000));
    assert_eq!(opus_limit(&format!("b=AS:40\n{audio}{opus}")), Some(24_000), "of the whole session");
    assert_eq!(
        opus_limit(&format!("b=AS:40\n{audio}b=AS:56{opus}")),
        Some(40_000),
        "the m-line's own counts first"
    );
    assert_eq!(
        opus_limit(&format!("{audio}b=AS:40\nb=TIAS:30000{opus}")),
        Some(30_000),
        "the more exact one counts"
    );
    assert_eq!(opus_limit(&format!("{audio}b=AS:1{opus}")), Some(6_000));
    assert_eq!(opus_limit(&format!("{audio}b=AS:18446744073709551615{opus}")), Some(510_000));
    assert_eq!(
        opus_limit(&format!("{audio}b=TIAS:24000{opus}\na=fmtp:96 maxaveragebitrate=16000")),
        Some(16_000)
    );
    assert_eq!(
        opus_limit(&format!("{audio}b=TIAS:12000{opus}\na=fmtp:96 maxaveragebitrate=16000")),
        Some(12_000)
    );
    for odd in ["b=AS", "b=AS:", "b=AS:x", "b=AS:-4", "b=AS:99999999999999999999", "b=:5", "b=X-YZ:1"] {
        assert_eq!(opus_limit(&format!("{audio}{odd}{opus}")), None, "{odd}");
    }
}

#[test]
fn no_bandwidth_is_a_way_to_hold() {
    for line in ["b=AS:0", "b=TIAS:0"] {
        let stream = answered(&from_peer(&format!("m=audio 4000 RTP/AVP 0\n{line}"))).negotiated.stream;
        assert_eq!(stream.direction, Direction::RecvOnly, "{line}");
    }
}

#[test]
fn no_rtcp_goes_where_it_has_no_bandwidth() {
    let rtcp = |lines: &str| {
        let offer = from_peer(&format!("m=audio 4000 RTP/AVP 0\n{lines}"));
        answered(&offer).negotiated.stream.remote_rtcp
    };
    assert_eq!(rtcp("b=RS:0\nb=RR:0"), at("0.0.0.0:0"));
    assert_eq!(rtcp("b=RS:0\nb=RR:2000"), at("192.0.2.7:4001"));
    assert_eq!(rtcp("b=RR:0"), at("192.0.2.7:4001"));
}
