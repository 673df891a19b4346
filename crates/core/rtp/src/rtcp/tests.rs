use proptest::prelude::*;
use tandem_base::Ssrc;

use super::*;
use crate::Malformed;

/// By hand after the diagrams of RFC 3550 §6.4.1, §6.5 and §6.6.
const COMPOUND: &[u8] = &[
    0x81, 200, 0, 12, // SR, one block, 13 words
    0x11, 0x22, 0x33, 0x44, // SSRC of sender
    0xb7, 0x05, 0x20, 0x00, 0x54, 0x32, 0x10, 0x00, // NTP
    0x00, 0x00, 0x01, 0x40, // RTP timestamp 320
    0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x01, 0xe0, // 3 packets, 480 octets
    0x55, 0x66, 0x77, 0x88, // block: SSRC_1
    0x40, 0xff, 0xff, 0xfe, // a quarter lost; −2 in all
    0x00, 0x01, 0x00, 0x05, // one cycle, number 5
    0x00, 0x00, 0x00, 0x1f, // jitter 31
    0xb7, 0x05, 0x20, 0x00, 0x00, 0x05, 0x40, 0x00, // LSR, DLSR 5.25 s
    0x81, 202, 0, 4, // SDES, one chunk, 5 words
    0x11, 0x22, 0x33, 0x44, //
    1, 6, b'a', b'@', b'b', b'.', b'c', b'd', 0, 0, 0, 0, // CNAME, end, filled up
    0x81, 203, 0, 3, // BYE, one source, 4 words
    0x11, 0x22, 0x33, 0x44, //
    5, b'a', b'd', b'i', b'e', b'u', 0, 0,
];

const SENDER: Ssrc = Ssrc(0x1122_3344);

fn info() -> SenderInfo {
    SenderInfo { ntp: NtpTimestamp(0xb705_2000_5432_1000), rtp_timestamp: 320, packets: 3, octets: 480 }
}

fn block() -> ReportBlock {
    ReportBlock {
        ssrc: Ssrc(0x5566_7788),
        fraction_lost: 64,
        lost: -2,
        highest_sequence: 0x1_0005,
        jitter: 31,
        last_sr: 0xb705_2000,
        delay_since_last_sr: 0x0005_4000,
    }
}

#[test]
fn a_compound_is_read_as_drawn() {
    let packets: Vec<_> = Compound::parse(COMPOUND).unwrap().collect();
    let [
        Packet::SenderReport { ssrc, info: sent, reports },
        Packet::SourceDescription(sdes),
        Packet::Goodbye(bye),
    ] = packets[..]
    else {
        panic!("{packets:?}")
    };
    assert_eq!((ssrc, sent), (SENDER, info()));
    assert_eq!(reports.collect::<Vec<_>>(), [block()]);
    let items: Vec<_> = sdes.items().collect();
    assert_eq!(items, [Item { ssrc: SENDER, kind: CNAME, text: b"a@b.cd" }]);
    assert_eq!(bye.sources().collect::<Vec<_>>(), [SENDER]);
    assert_eq!(bye.reason, b"adieu");
}

#[test]
fn a_compound_is_written_as_drawn() {
    let mut out = [0xaa; 256];
    let mut writer = Writer::new(&mut out);
    writer.sender_report(SENDER, &info(), &[block()]).unwrap();
    writer.canonical_name(SENDER, "a@b.cd").unwrap();
    writer.goodbye(SENDER, "adieu").unwrap();
    let len = writer.finish();
    assert_eq!(&out[..len], COMPOUND);
}

#[test]
fn any_cut_is_noticed() {
    for len in 0..COMPOUND.len() {
        let whole = [0, 52, 72].contains(&len);
        assert_eq!(Compound::parse(&COMPOUND[..len]).is_ok(), whole && len > 0, "{len}");
    }
}

#[test]
fn what_rfc_3550_forbids_is_refused() {
    let with = |at: usize, value: u8| {
        let mut bytes = COMPOUND.to_vec();
        bytes[at] = value;
        Compound::parse(&bytes).err()
    };
    assert_eq!(with(0, 0x41), Some(Malformed::Version));
    assert_eq!(with(52, 0x01), Some(Malformed::Version), "of the second packet");
    assert_eq!(with(1, 99), Some(Malformed::PacketType));
    assert_eq!(with(0, 0xa1), Some(Malformed::Padding), "padding not in the last packet");
    assert_eq!(with(0, 0x82), Some(Malformed::Truncated), "two blocks where one is");
    assert_eq!(with(61, 30), Some(Malformed::Truncated), "an item longer than its packet");
    assert_eq!(with(80, 9), Some(Malformed::Truncated), "a reason longer than its packet");
    assert_eq!(with(72, 0x84), Some(Malformed::Truncated), "more sources than there are");
    assert_eq!(with(52, 0x83), Some(Malformed::Truncated), "more chunks than there are");
}

#[test]
fn padding_of_the_last_packet_is_taken_off() {
    let padded = [0xa1, 203, 0, 2, 0, 0, 0, 9, 0, 0, 0, 4];
    let packets: Vec<_> = Compound::parse(&padded).unwrap().collect();
    let [Packet::Goodbye(bye)] = packets[..] else { panic!("{packets:?}") };
    assert_eq!((bye.sources().collect::<Vec<_>>(), bye.reason), (vec![Ssrc(9)], &[][..]));
}

#[test]
fn reduced_size_and_unknown_types_are_welcome() {
    // RFC 5506: a lone PLI (RFC 4585 §6.3.1), then an XR and a type of the future.
    let bytes = [
        0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0x80, 207, 0, 1, 0, 0, 0, 3, 0x85, 210, 0, 0, 0x80, 205, 0,
        0, 0x80, 204, 0, 0,
    ];
    let packets: Vec<_> = Compound::parse(&bytes).unwrap().collect();
    assert!(matches!(
        packets[..],
        [
            Packet::PayloadFeedback(Raw { count: 1, body: &[0, 0, 0, 1, 0, 0, 0, 2], .. }),
            Packet::ExtendedReport(_),
            Packet::Other(Raw { count: 5, packet_type: 210, body: &[] }),
            Packet::TransportFeedback(_),
            Packet::Application(_),
        ]
    ));
}

#[test]
fn what_does_not_fit_is_said() {
    let mut out = [0; 51];
    assert_eq!(Writer::new(&mut out).sender_report(SENDER, &info(), &[block()]), None);
    let mut out = [0; 2_000];
    assert_eq!(Writer::new(&mut out).receiver_report(SENDER, &[block(); 32]), None);
    assert_eq!(Writer::new(&mut out).receiver_report(SENDER, &[block(); 31]), Some(()));
    assert_eq!(Writer::new(&mut out).canonical_name(SENDER, &"x".repeat(256)), None);
}

proptest! {
    #[test]
    fn blocks_survive_the_wire(
        ssrc in any::<u32>(), fraction_lost in any::<u8>(), lost in -0x80_0000..=0x7f_ffff,
        rest in any::<[u32; 4]>(), cname in "[a-z@]{0,40}", reason in "[a-z ]{0,40}",
    ) {
        let [highest_sequence, jitter, last_sr, delay_since_last_sr] = rest;
        let block = ReportBlock { ssrc: Ssrc(ssrc), fraction_lost, lost, highest_sequence, jitter, last_sr, delay_since_last_sr };
        let mut out = [0; 256];
        let mut writer = Writer::new(&mut out);
        writer.receiver_report(SENDER, &[block, block]).unwrap();
        writer.canonical_name(SENDER, &cname).unwrap();
        writer.goodbye(SENDER, &reason).unwrap();
        let len = writer.finish();
        prop_assert!(len.is_multiple_of(4));
        let packets: Vec<_> = Compound::parse(&out[..len]).unwrap().collect();
        let [Packet::ReceiverReport { reports, .. }, Packet::SourceDescription(sdes), Packet::Goodbye(bye)] = packets[..] else {
            panic!("{packets:?}")
        };
        prop_assert_eq!(reports.collect::<Vec<_>>(), [block, block]);
        prop_assert_eq!(sdes.items().next().unwrap().text, cname.as_bytes());
        prop_assert_eq!(bye.reason, reason.as_bytes());
    }

    /// What `parse` lets pass is iterated to its end.
    #[test]
    fn nothing_panics_and_nothing_is_left(bytes in hostile()) {
        let Ok(compound) = Compound::parse(&bytes) else { return Ok(()) };
        let mut words = 0;
        let mut rest = &bytes[..];
        while let [_, _, high, low, ..] = *rest {
            rest = &rest[4 + 4 * usize::from(u16::from_be_bytes([high, low]))..];
            words += 1;
        }
        prop_assert_eq!(compound.clone().count(), words);
        for packet in compound {
            if let Packet::SourceDescription(sdes) = packet {
                prop_assert!(sdes.items().count() <= bytes.len());
            }
        }
    }
}

/// Something like a compound: headers that are right more often than not.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let packet = (0x80u8..0xc0, 198u8..210, prop::collection::vec(any::<u8>(), 0..40), -1i32..2).prop_map(
        |(first, kind, mut body, off)| {
            body.resize(body.len() / 4 * 4, 0);
            let words = u16::try_from(body.len() as i32 / 4 + if off > 0 { 1 } else { 0 }).unwrap();
            let [high, low] = words.to_be_bytes();
            [vec![first & 0xa3, kind, high, low], body].concat()
        },
    );
    prop_oneof![
        3 => prop::collection::vec(packet, 1..5).prop_map(|packets| packets.concat()),
        1 => prop::collection::vec(any::<u8>(), 0..100),
    ]
}
