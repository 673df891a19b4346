use proptest::prelude::*;

use super::*;

const OPUS: PayloadType = PayloadType::PCMA;

fn blocks<'a>(redundant: &Redundant<'a>) -> Vec<(u8, u32, &'a [u8])> {
    let all = redundant.copies().chain([redundant.primary]);
    all.map(|b| (b.payload_type.get(), b.offset, b.payload)).collect()
}

/// RFC 2198 §4, its example in small: a copy of format 7, 160 ticks back, of 3 octets; own sound of format 5.
const EXAMPLE: &[u8] = &[0x87, 0x02, 0x80, 0x03, 0x05, b'a', b'b', b'c', b'd', b'e'];

#[test]
fn every_field_is_found() {
    let redundant = Redundant::parse(EXAMPLE).unwrap();
    assert_eq!(blocks(&redundant), [(7, 160, &b"abc"[..]), (5, 0, &b"de"[..])]);
    let alone = Redundant::parse(&[0x05, b'd', b'e']).unwrap();
    assert_eq!(blocks(&alone), [(5, 0, &b"de"[..])]);
    let largest = [&[0xff, 0xff, 0xff, 0xff, 0x7f][..], &[9; 1_023]].concat();
    let redundant = Redundant::parse(&largest).unwrap();
    assert_eq!(blocks(&redundant), [(127, 16_383, &[9; 1_023][..]), (127, 0, &[])]);
}

#[test]
fn lies_are_refused() {
    assert_eq!(Redundant::parse(&[]), Err(Malformed::Truncated));
    for len in 0..8 {
        assert_eq!(Redundant::parse(&EXAMPLE[..len]), Err(Malformed::Truncated), "cut to {len}");
    }
    assert!(Redundant::parse(&EXAMPLE[..8]).is_ok(), "no own sound is not a lie");
    assert_eq!(Redundant::parse(&[0x80; 200]), Err(Malformed::Blocks));
    assert_eq!(Redundant::parse(&[0x80; 60]), Err(Malformed::Truncated));
    let fifteen = [[0x80, 0, 0, 0]; 15].concat();
    assert_eq!(Redundant::parse(&[&fifteen[..], &[0]].concat()).unwrap().copies().count(), 15);
}

#[test]
fn what_cannot_be_said_is_not_written() {
    let block = |offset, payload| Block { payload_type: OPUS, offset, payload };
    let try_write = |block: Block<'_>, room| write([block].into_iter(), (OPUS, &[1]), &mut vec![0; room]);
    assert_eq!(try_write(block(16_383, &[0; 1_023]), 2_000), Some(1_029));
    assert_eq!(try_write(block(16_384, &[0; 1_023]), 2_000), None);
    assert_eq!(try_write(block(16_383, &[0; 1_024]), 2_000), None);
    assert_eq!(try_write(block(160, &[0; 10]), 15), None);
    assert_eq!(try_write(block(160, &[0; 10]), 16), Some(16));
}

/// What the packet at `timestamp` brings of packets that were sent every 960 ticks.
fn sent(history: &History, count: u8, timestamp: u32) -> Option<Vec<(u32, usize)>> {
    let mut out = [0; 1_200];
    let len = history.write(count, (OPUS, timestamp, &[7; 90]), &mut out)?;
    let redundant = Redundant::parse(&out[..len]).unwrap();
    assert_eq!(redundant.primary.payload, [7; 90]);
    Some(redundant.copies().map(|b| (b.offset, b.payload.len())).collect())
}

#[test]
fn later_packets_bring_the_last_ones_again() {
    let mut history = History::new();
    assert_eq!(sent(&history, 2, 960), None, "nothing was sent yet");
    history.remember(OPUS, 0, &[1; 80]);
    assert_eq!(sent(&history, 2, 960), Some(vec![(960, 80)]));
    history.remember(OPUS, 960, &[2; 70]);
    assert_eq!(sent(&history, 2, 1_920), Some(vec![(1_920, 80), (960, 70)]));
    assert_eq!(sent(&history, 1, 1_920), Some(vec![(960, 70)]));
    assert_eq!(sent(&history, 0, 1_920), None);
    assert_eq!(sent(&history, 9, 1_920).map(|copies| copies.len()), Some(2));
    history.remember(OPUS, 1_920, &[3; 1_024]);
    assert_eq!(sent(&history, 2, 2_880), Some(vec![(1_920, 70)]), "the last is too long to be copied");
    assert_eq!(sent(&history, 1, 2_880), None);
    history.clear();
    assert_eq!(sent(&history, 2, 2_880), None);
}

#[test]
fn what_was_long_ago_is_left_out() {
    let mut history = History::new();
    history.remember(OPUS, 0u32.wrapping_sub(16_383), &[1; 8]);
    assert_eq!(sent(&history, 1, 0), Some(vec![(16_383, 8)]), "over the end of the timestamps");
    assert_eq!(sent(&history, 1, 1), None);
    assert_eq!(sent(&history, 1, 0u32.wrapping_sub(16_383)), None, "of this very moment");
}

#[test]
fn what_does_not_fit_is_left_out() {
    let mut history = History::new();
    history.remember(OPUS, 0, &[1; 600]);
    history.remember(OPUS, 960, &[2; 600]);
    assert_eq!(sent(&history, 2, 1_920), Some(vec![(960, 600)]), "both would be too long");
    let mut out = [0; 300];
    assert_eq!(history.write(2, (OPUS, 1_920, &[7; 90]), &mut out), None);
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        copies in prop::collection::vec((0u8..128, 0u32..1 << 14, prop::collection::vec(any::<u8>(), 0..1_024)), 0..16),
        own in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut out = vec![0; 20_000];
        let block = |(number, offset, payload): &'_ (u8, u32, Vec<u8>)| (PayloadType::new(*number).unwrap(), *offset, payload.clone());
        let owned: Vec<_> = copies.iter().map(block).collect();
        let all = owned.iter().map(|(payload_type, offset, payload)| Block { payload_type: *payload_type, offset: *offset, payload });
        let len = write(all.clone(), (OPUS, &own), &mut out).unwrap();
        let redundant = Redundant::parse(&out[..len]).unwrap();
        prop_assert_eq!(redundant.copies().collect::<Vec<_>>(), all.collect::<Vec<_>>());
        prop_assert_eq!(redundant.primary, Block { payload_type: OPUS, offset: 0, payload: &own });
    }

    #[test]
    fn no_block_lies_outside_its_packet(octets in prop::collection::vec(prop_oneof![Just(0x80u8), Just(0), any::<u8>()], 0..120)) {
        if let Ok(redundant) = Redundant::parse(&octets) {
            let all = redundant.copies().chain([redundant.primary]);
            let total: usize = all.map(|block| block.payload.len()).sum();
            prop_assert_eq!(total + HEAD * redundant.copies().count() + 1, octets.len());
        }
    }
}
