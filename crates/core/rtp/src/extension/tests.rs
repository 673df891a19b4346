use proptest::prelude::*;
use tandem_base::{PayloadType, Ssrc};

use super::*;
use crate::{Header, Packet};

fn header() -> Header {
    Header { marker: false, payload_type: PayloadType::PCMU, sequence: 7, timestamp: 160, ssrc: Ssrc(0xcafe) }
}

fn id(number: u8) -> ExtensionId {
    ExtensionId::new(number).unwrap()
}

/// A packet with one header extension of these words.
fn extended(profile: u16, data: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; 12];
    header().write(&[], &mut packet).unwrap();
    packet[0] |= 0x10;
    packet.extend(profile.to_be_bytes());
    packet.extend(u16::try_from(data.len() / 4).unwrap().to_be_bytes());
    packet.extend(data);
    packet
}

#[test]
fn two_byte_elements_may_be_empty_or_long() {
    let data = [7, 0, 0, 9, 3, 1, 2, 3];
    let elements: Vec<_> = Extension { profile: 0x1003, data: &data }.elements().collect();
    assert_eq!(elements, [Element { id: 7, data: &[] }, Element { id: 9, data: &[1, 2, 3] }]);
}

#[test]
fn elements_stop_where_they_must() {
    let of = |profile, data| Extension { profile, data }.elements().map(|e| e.id).collect::<Vec<_>>();
    assert_eq!(of(0xbede, &[0x10, 1, 0xf0, 2, 0x20, 3]), [1], "RFC 8285 §4.2: ID 15 ends it");
    assert_eq!(of(0xbede, &[0x10, 1, 0x2f, 2]), [1], "longer than what is there");
    assert_eq!(of(0xbede, &[0x10, 1, 0x05, 2]), [1], "ID 0 with a length");
    assert_eq!(of(0x1234, &[0x10, 1]), [] as [u8; 0], "another profile");
}

#[test]
fn a_packet_tells_how_loud_it_is() {
    let level = |profile, data: &[u8]| Packet::parse(&extended(profile, data)).unwrap().audio_level(id(3));
    let loud = Some(AudioLevel { level: 17, voice: true });
    assert_eq!(level(0xbede, &[0x30, 0x80 | 17, 0, 0]), loud);
    assert_eq!(level(0x1000, &[3, 1, 0x80 | 17, 0]), loud);
    assert_eq!(level(0xbede, &[0x30, 127, 0, 0]), Some(AudioLevel { level: 127, voice: false }));
    assert_eq!(level(0xbede, &[0x10, 0xff, 0x30, 17]).map(|l| l.level), Some(17), "behind another");
    assert_eq!(level(0xbede, &[0x30, 5, 0x30, 9]).map(|l| l.level), Some(5), "the first counts");
    assert_eq!(level(0xbede, &[0x40, 5, 0, 0]), None, "another number");
    assert_eq!(level(0x1000, &[3, 0, 0, 0]), None, "empty");
    assert_eq!(level(0x9999, &[0x30, 5, 0, 0]), None, "another profile");
    assert_eq!(level(0xbede, &[0, 0, 0, 0x3f]), None, "longer than there is");
    let mut plain = [0; 12];
    header().write(&[], &mut plain).unwrap();
    assert_eq!(Packet::parse(&plain).unwrap().audio_level(id(3)), None);
}

#[test]
fn the_shortest_form_that_fits_is_written() {
    let form = |elements: &[Element<'_>]| {
        let mut out = [0; 400];
        let len = header().write_extended(&[Ssrc(1)], elements, &mut out)?;
        assert_eq!(len % 4, 0);
        Packet::parse(&out[..len]).unwrap().extension.map(|e| e.profile)
    };
    let (long, octets) = ([1; 17], [9; 15]);
    assert_eq!(form(&[Element { id: 14, data: &octets }]), Some(0xbede));
    assert_eq!(form(&[Element { id: 16, data: &octets }]), Some(0x1000));
    assert_eq!(form(&[Element { id: 1, data: &long }]), Some(0x1000));
    assert_eq!(form(&[Element { id: 1, data: &[] }]), Some(0x1000));
    assert_eq!(form(&[]), None);
    assert_eq!(form(&[Element { id: 0, data: &octets }]), None);
    assert_eq!(form(&[Element { id: 16, data: &[0; 256] }]), None);
    assert_eq!(header().write_extended(&[], &[Element { id: 1, data: &octets }], &mut [0; 31]), None);
    assert_eq!(header().write_extended(&[], &[Element { id: 1, data: &octets }], &mut [0; 32]), Some(32));
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        elements in prop::collection::vec((1u8..15, prop::collection::vec(any::<u8>(), 0..40)), 0..6),
        csrcs in prop::collection::vec(any::<u32>().prop_map(Ssrc), 0..=15),
        stale in any::<u8>(),
    ) {
        let mut out = [stale; 400];
        let elements: Vec<_> = elements.iter().map(|(id, data)| Element { id: *id, data }).collect();
        let len = header().write_extended(&csrcs, &elements, &mut out).unwrap();
        prop_assert_eq!(len, Header::extended_len(&csrcs, &elements));
        let packet = Packet::parse(&out[..len]).unwrap();
        prop_assert_eq!(packet.header, header());
        prop_assert_eq!(packet.csrcs().collect::<Vec<_>>(), csrcs);
        prop_assert_eq!(packet.payload, &[] as &[u8]);
        prop_assert_eq!(packet.extension.is_some(), !elements.is_empty());
        let read: Vec<_> = packet.extension.into_iter().flat_map(|e| e.elements()).collect();
        prop_assert_eq!(read, elements);
    }

    #[test]
    fn no_element_lies_outside_its_extension(profile in prop_oneof![Just(0xbedeu16), Just(0x1000), any::<u16>()], data in prop::collection::vec(any::<u8>(), 0..80)) {
        let data = &data[..data.len() / 4 * 4];
        let extension = Extension { profile, data };
        let total: usize = extension.elements().map(|e| e.data.len() + 1).sum();
        prop_assert!(total <= data.len());
        for number in 1..15 {
            prop_assert!(extension.find(id(number)).is_none_or(|found| found.len() < data.len()));
        }
    }
}
