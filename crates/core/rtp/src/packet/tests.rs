use proptest::prelude::*;

use super::*;

fn header() -> impl Strategy<Value = Header> {
    (any::<bool>(), 0u8..128, any::<u16>(), any::<u32>(), any::<u32>()).prop_map(
        |(marker, payload_type, sequence, timestamp, ssrc)| Header {
            marker,
            payload_type: PayloadType::new(payload_type).unwrap(),
            sequence,
            timestamp,
            ssrc: Ssrc(ssrc),
        },
    )
}

/// RFC 3550 §5.1: V=2, P=1, X=1, CC=2, M=1, PT=96, with a one-byte extension and four octets of padding.
const FULL: &[u8] = &[
    0xb2, 0xe0, 0x12, 0x34, 0x00, 0x00, 0x00, 0xa0, 0xde, 0xad, 0xbe, 0xef, // fixed header
    0, 0, 0, 1, 0, 0, 0, 2, // CSRCs
    0xbe, 0xde, 0, 2, 0x10, 0xaa, 0x00, 0x51, 0x01, 0x02, 0x00, 0x00, // extension: ids 1 and 5
    b'h', b'e', b'l', b'l', 0, 0, 0, 4, // payload and padding
];

#[test]
fn every_field_is_found() {
    let packet = Packet::parse(FULL).unwrap();
    let expected = Header {
        marker: true,
        payload_type: PayloadType::new(96).unwrap(),
        sequence: 0x1234,
        timestamp: 160,
        ssrc: Ssrc(0xdead_beef),
    };
    assert_eq!(packet.header, expected);
    assert_eq!(packet.csrcs().collect::<Vec<_>>(), [Ssrc(1), Ssrc(2)]);
    assert_eq!(packet.payload, b"hell");
    let extension = packet.extension.unwrap();
    assert_eq!(extension.profile, 0xbede);
    let elements: Vec<_> = extension.elements().map(|e| (e.id, e.data)).collect();
    assert_eq!(elements, [(1, &[0xaa][..]), (5, &[1, 2][..])]);
}

#[test]
fn any_cut_is_noticed_or_harmless() {
    for len in 0..FULL.len() {
        match Packet::parse(&FULL[..len]) {
            Err(Malformed::Truncated | Malformed::Padding) => {}
            // Cut in the padding: the last octet left is a count that may or may not make sense.
            Ok(packet) => assert!(len > 32 && packet.payload.len() < 8, "{len}"),
            Err(other) => panic!("{len}: {other}"),
        }
    }
}

#[test]
fn lies_are_refused() {
    let with = |at: usize, value: u8| {
        let mut bytes = FULL.to_vec();
        bytes[at] = value;
        Packet::parse(&bytes).map(|p| p.payload.len())
    };
    assert_eq!(with(0, 0x72), Err(Malformed::Version));
    assert_eq!(with(39, 0), Err(Malformed::Padding));
    assert_eq!(with(39, 9), Err(Malformed::Padding));
    assert_eq!(with(39, 8), Ok(0), "nothing but padding");
    assert_eq!(with(23, 5), Err(Malformed::Truncated), "extension longer than the packet");
    assert_eq!(with(0, 0xbf), Err(Malformed::Truncated), "15 CSRCs");
}

#[test]
fn what_does_not_fit_is_not_written() {
    let header = Packet::parse(FULL).unwrap().header;
    assert_eq!(header.write(&[Ssrc(1); 16], &mut [0; 200]), None);
    assert_eq!(header.write(&[Ssrc(1); 15], &mut [0; 71]), None);
    assert_eq!(header.write(&[Ssrc(1); 15], &mut [0; 72]), Some(72));
    assert_eq!(header.write(&[], &mut [0; 11]), None);
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        header in header(),
        csrcs in prop::collection::vec(any::<u32>().prop_map(Ssrc), 0..=15),
        payload in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let mut out = [0; 200];
        let len = header.write(&csrcs, &mut out).unwrap();
        out[len..len + payload.len()].copy_from_slice(&payload);
        let packet = Packet::parse(&out[..len + payload.len()]).unwrap();
        prop_assert_eq!(packet.header, header);
        prop_assert_eq!(packet.csrcs().collect::<Vec<_>>(), csrcs);
        prop_assert_eq!(packet.payload, &payload[..]);
        prop_assert_eq!(packet.extension, None);
    }

    #[test]
    fn nothing_panics(mut bytes in prop::collection::vec(any::<u8>(), 0..120), head in any::<bool>()) {
        if let (true, Some(first)) = (head, bytes.first_mut()) {
            *first = *first & 0x3f | 0x80;
        }
        if let Ok(packet) = Packet::parse(&bytes) {
            let extension = packet.extension.map_or(0, |e| e.data.len() + 4);
            prop_assert!(packet.payload.len() + extension + 4 * packet.csrcs().count() + 12 <= bytes.len());
            let elements = packet.extension.into_iter().flat_map(|e| e.elements());
            prop_assert!(elements.map(|e| e.data.len() + 1).sum::<usize>() <= extension);
        }
    }
}
