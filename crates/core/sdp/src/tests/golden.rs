//! Offers as real kinds of user agents make them, and our whole answers.

use super::*;

/// What stands before the m-lines of each first answer.
const HEAD: &str = "v=0\no=tandem 7 1 IN IP4 198.51.100.1\ns=-\nc=IN IP4 198.51.100.1\nt=0 0\n";

fn expect(offer: &str, media: &str) {
    let sdp = answered(&crlf(offer)).sdp;
    assert_eq!(sdp.replace('\r', ""), crlf(&format!("{HEAD}{media}")).replace('\r', ""));
    assert!(sdp.split('\n').all(|line| line.is_empty() || line.ends_with('\r')), "CRLF throughout");
}

#[test]
fn a_load_generator() {
    expect(
        "v=0
        o=user1 53655765 2353687637 IN IP4 192.0.2.9
        s=-
        c=IN IP4 192.0.2.9
        t=0 0
        m=audio 6000 RTP/AVP 0
        a=rtpmap:0 PCMU/8000",
        "m=audio 20000 RTP/AVP 0
        a=rtpmap:0 PCMU/8000
        a=ptime:20
        a=maxptime:60
        a=sendrecv",
    );
}

#[test]
fn a_desk_phone() {
    expect(
        "v=0
        o=- 20002 20002 IN IP4 192.0.2.21
        s=SDP data
        c=IN IP4 192.0.2.21
        t=0 0
        m=audio 11796 RTP/AVP 9 0 8 18 101
        a=rtpmap:9 G722/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:18 G729/8000
        a=fmtp:18 annexb=no
        a=fmtp:101 0-15
        a=rtpmap:101 telephone-event/8000
        a=ptime:20
        a=sendrecv",
        "m=audio 20000 RTP/AVP 9 101
        a=rtpmap:9 G722/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15
        a=ptime:20
        a=maxptime:60
        a=sendrecv",
    );
}

#[test]
fn a_bare_phone_without_rtpmaps() {
    expect(
        "v=0
        o=root 1 1 IN IP4 192.0.2.22
        s=call
        c=IN IP4 192.0.2.22
        t=0 0
        m=audio 5004 RTP/AVP 8 0 13",
        "m=audio 20000 RTP/AVP 8
        a=rtpmap:8 PCMA/8000
        a=ptime:20
        a=maxptime:60
        a=sendrecv",
    );
}

#[test]
fn a_phone_that_offers_encryption_as_a_second_choice_line() {
    expect(
        "v=0
        o=root 1 1 IN IP4 192.0.2.23
        s=call
        c=IN IP4 192.0.2.23
        t=0 0
        m=audio 60000 RTP/SAVP 9 0 101
        a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj
        a=rtpmap:101 telephone-event/8000
        m=audio 60002 RTP/AVP 9 0 101
        a=rtpmap:9 G722/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15
        a=ptime:20",
        "m=audio 20000 RTP/SAVP 9 101
        a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:uLm6u7y9vr/AwcLDxMXGx8jJysvMzc7P0NHS09TV
        a=rtpmap:9 G722/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15
        a=ptime:20
        a=maxptime:60
        a=sendrecv
        m=audio 0 RTP/AVP 9 0 101",
    );
}

#[test]
fn a_softphone_with_opus_and_rtcp_mux() {
    expect(
        "v=0
        o=- 2890844526 2890844526 IN IP4 192.0.2.24
        s=-
        c=IN IP4 192.0.2.24
        b=AS:64
        t=0 0
        a=tool:softphone 1.0
        m=audio 14938 RTP/AVP 96 0 8 97
        b=TIAS:64000
        a=rtpmap:96 opus/48000/2
        a=fmtp:96 stereo=1;sprop-stereo=1;useinbandfec=1
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:97 telephone-event/48000
        a=fmtp:97 0-15
        a=rtcp:14939
        a=rtcp-mux
        a=ssrc:2063210464 cname:sip:alice@example.org
        a=sendrecv
        a=label:1
        a=ptime:20",
        "m=audio 20000 RTP/AVP 96 97
        a=rtpmap:96 opus/48000/2
        a=fmtp:96 useinbandfec=1
        a=rtpmap:97 telephone-event/48000
        a=fmtp:97 0-15
        a=ptime:20
        a=maxptime:60
        a=sendrecv
        a=rtcp-mux",
    );
}

#[test]
fn a_softphone_with_feedback_profile_and_video() {
    expect(
        "v=0
        o=alice 1664 2375 IN IP4 192.0.2.25
        s=Talk
        c=IN IP4 192.0.2.25
        t=0 0
        a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics
        a=record:off
        m=audio 7078 RTP/AVPF 96 97 98 0 8 101 99
        a=rtpmap:96 opus/48000/2
        a=fmtp:96 useinbandfec=1
        a=rtpmap:97 speex/16000
        a=fmtp:97 vbr=on
        a=rtpmap:98 speex/8000
        a=rtpmap:101 telephone-event/48000
        a=rtpmap:99 telephone-event/8000
        a=rtcp-fb:* trr-int 5000
        a=rtcp-fb:* ccm tmmbr
        m=video 9078 RTP/AVPF 96
        a=rtpmap:96 VP8/90000
        a=rtcp-fb:96 nack pli",
        "m=audio 20000 RTP/AVPF 96 101
        a=rtpmap:96 opus/48000/2
        a=fmtp:96 useinbandfec=1
        a=rtpmap:101 telephone-event/48000
        a=fmtp:101 0-15
        a=ptime:20
        a=maxptime:60
        a=sendrecv
        m=video 0 RTP/AVPF 96",
    );
}

#[test]
fn a_pbx() {
    expect(
        "v=0
        o=- 1406420293 1406420293 IN IP4 192.0.2.30
        s=PBX
        c=IN IP4 192.0.2.30
        t=0 0
        m=audio 15786 RTP/AVP 8 0 3 111 9 101
        a=rtpmap:8 PCMA/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:3 GSM/8000
        a=rtpmap:111 G726-32/8000
        a=rtpmap:9 G722/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-16
        a=ptime:20
        a=maxptime:150
        a=sendrecv",
        "m=audio 20000 RTP/AVP 8 101
        a=rtpmap:8 PCMA/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15
        a=ptime:20
        a=maxptime:60
        a=sendrecv",
    );
}

#[test]
fn a_switch_with_mixed_clocks() {
    expect(
        "v=0
        o=Switch 1700000000 1700000001 IN IP4 192.0.2.31
        s=Switch
        c=IN IP4 192.0.2.31
        t=0 0
        m=audio 24680 RTP/AVP 102 9 0 8 103 101
        a=rtpmap:102 opus/48000/2
        a=fmtp:102 useinbandfec=1; maxaveragebitrate=30000; maxplaybackrate=48000; ptime=20; minptime=10; maxptime=40
        a=rtpmap:9 G722/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:103 telephone-event/48000
        a=fmtp:103 0-16
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-16
        a=ptime:20",
        "m=audio 20000 RTP/AVP 102 103
        a=rtpmap:102 opus/48000/2
        a=fmtp:102 useinbandfec=1
        a=rtpmap:103 telephone-event/48000
        a=fmtp:103 0-15
        a=ptime:20
        a=maxptime:60
        a=sendrecv",
    );
}

#[test]
fn a_carrier_trunk_that_prefers_g729() {
    expect(
        "v=0
        o=SBC 123 456 IN IP4 192.0.2.40
        s=SBC call
        c=IN IP4 192.0.2.41
        t=0 0
        m=audio 30122 RTP/AVP 18 0 100
        a=rtpmap:18 G729/8000
        a=fmtp:18 annexb=no
        a=rtpmap:0 PCMU/8000
        a=rtpmap:100 telephone-event/8000
        a=fmtp:100 0-15
        a=ptime:30",
        "m=audio 20000 RTP/AVP 0 100
        a=rtpmap:0 PCMU/8000
        a=rtpmap:100 telephone-event/8000
        a=fmtp:100 0-15
        a=ptime:30
        a=maxptime:60
        a=sendrecv",
    );
}

#[test]
fn a_room_system() {
    expect(
        "v=0
        o=room 1 1 IN IP4 192.0.2.50
        s=-
        c=IN IP4 192.0.2.50
        b=AS:4064
        t=0 0
        a=sendrecv
        m=audio 2326 RTP/AVP 107 108 109 104 105 9 18 8 0 101
        b=TIAS:128000
        a=rtpmap:107 MP4A-LATM/90000
        a=fmtp:107 profile-level-id=25;object=23;bitrate=128000
        a=rtpmap:108 MP4A-LATM/90000
        a=rtpmap:109 MP4A-LATM/90000
        a=rtpmap:104 G7221/16000
        a=fmtp:104 bitrate=32000
        a=rtpmap:105 G7221/16000
        a=rtpmap:9 G722/8000
        a=rtpmap:18 G729/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15
        a=sendrecv
        m=video 2328 RTP/AVP 97 34
        b=TIAS:4000000
        a=rtpmap:97 H264/90000
        a=rtpmap:34 H263/90000
        a=content:main
        a=label:11
        m=application 5070 UDP/BFCP *
        a=floorctrl:c-s
        m=video 2330 RTP/AVP 97
        a=rtpmap:97 H264/90000
        a=content:slides
        m=application 2332 RTP/AVP 100
        a=rtpmap:100 H224/4800",
        "m=audio 20000 RTP/AVP 9 101
        a=rtpmap:9 G722/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15
        a=ptime:20
        a=maxptime:60
        a=sendrecv
        m=video 0 RTP/AVP 97 34
        m=application 0 UDP/BFCP *
        m=video 0 RTP/AVP 97
        m=application 0 RTP/AVP 100",
    );
}

#[test]
fn a_gateway_with_a_switched_off_line_and_two_audio_lines() {
    expect(
        "v=0
        o=- 1 1 IN IP4 192.0.2.60
        s=-
        t=0 0
        m=audio 0 RTP/AVP 0
        m=audio 4000/2 RTP/AVP 8
        c=IN IP4 192.0.2.61
        m=audio 4010 RTP/AVP 0
        c=IN IP4 192.0.2.62",
        "m=audio 0 RTP/AVP 0
        m=audio 20000 RTP/AVP 8
        a=rtpmap:8 PCMA/8000
        a=ptime:20
        a=maxptime:60
        a=sendrecv
        m=audio 0 RTP/AVP 0",
    );
}

#[test]
fn a_fax_gateway_that_offers_audio_too() {
    expect(
        "v=0
        o=- 1 1 IN IP4 192.0.2.63
        s=-
        c=IN IP4 192.0.2.63
        t=0 0
        m=image 4002 udptl t38
        a=T38FaxVersion:0
        m=audio 4000 RTP/AVP 0
        a=silenceSupp:off - - - -",
        "m=image 0 udptl t38
        m=audio 20000 RTP/AVP 0
        a=rtpmap:0 PCMU/8000
        a=ptime:20
        a=maxptime:60
        a=sendrecv",
    );
}

#[test]
fn sloppy_spelling() {
    // No o=, s= or t=, line feeds alone, blanks at the ends and in between, lower case, blank lines.
    let offer = "v=0\nc=IN IP4 192.0.2.70 \n\nm=audio  4000   rtp/avp 97  0 101 \na=rtpmap:97  Pcma/8000/1\n\
        a=rtpmap:101 TELEPHONE-EVENT/8000 \na=ptime: 20\nA line of nonsense\na=\n\n\n";
    let answered = answered(offer);
    assert_eq!(
        answered.sdp,
        crlf(&format!(
            "{HEAD}m=audio 20000 RTP/AVP 97 101
            a=rtpmap:97 PCMA/8000
            a=rtpmap:101 telephone-event/8000
            a=fmtp:101 0-15
            a=ptime:20
            a=maxptime:60
            a=sendrecv"
        ))
    );
    assert_eq!(answered.negotiated.stream.remote_rtp, at("192.0.2.70:4000"));
}

#[test]
fn events_named_before_the_codec() {
    expect(
        "v=0
        o=- 1 1 IN IP4 192.0.2.71
        s=-
        c=IN IP4 192.0.2.71
        t=0 0
        m=audio 4000 RTP/AVP 101 0
        a=rtpmap:101 telephone-event/8000",
        "m=audio 20000 RTP/AVP 0 101
        a=rtpmap:0 PCMU/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15
        a=ptime:20
        a=maxptime:60
        a=sendrecv",
    );
}

#[test]
fn an_ipv6_phone() {
    let offer = crlf(
        "v=0
        o=- 1 1 IN IP6 2001:db8::7
        s=-
        c=IN IP6 2001:db8::7
        t=0 0
        m=audio 4000 RTP/AVP 0",
    );
    let answer = answer(offer.as_bytes(), &Capabilities::default(), &local_v6(), None).unwrap();
    let expected = "v=0
        o=tandem 7 1 IN IP6 2001:db8::1
        s=-
        c=IN IP6 2001:db8::1
        t=0 0
        m=audio 20000 RTP/AVP 0
        a=rtpmap:0 PCMU/8000
        a=ptime:20
        a=maxptime:60
        a=sendrecv";
    assert_eq!(answer.sdp, crlf(expected));
    assert_eq!(answer.negotiated.stream.remote_rtp, at("[2001:db8::7]:4000"));
    assert_eq!(answer.negotiated.stream.remote_rtcp, at("[2001:db8::7]:4001"));
}
