//! Packets that bring copies of those before them (RFC 2198), both ways.

use std::time::Duration;

use allocation_counter::measure;
use tandem_base::{AudioFormat, AudioStream, PayloadType, ReceivedReport, Redundancy, Time};
use tandem_rtp::redundancy::{Block, History, write};

use super::classes::report;
use super::continuity::worst_disturbance;
use super::phone::payload_type;
use super::stage::{FOR_EVER, OPUS, Stage, conference};

use AudioFormat::{Pcma, Pcmu};

fn red() -> PayloadType {
    PayloadType::new(63).unwrap()
}

fn agreed(copies: u8) -> Redundancy {
    Redundancy { send_payload_type: red(), receive_payload_type: red(), copies }
}

fn join(stage: &mut Stage, format: AudioFormat, tone: Option<f64>, copies: u8) -> usize {
    let with = |stream: &mut AudioStream| stream.redundancy = Some(agreed(copies));
    let n = stage.join_with(format, 20, tone, FOR_EVER, with);
    stage.phones[n].redundancy = Some(red());
    n
}

/// A phone speaks for three seconds with `copies` in each packet, of which `lost` never come; what a listener heard in the
/// last second, and what the leg says of it.
fn spoken(format: AudioFormat, copies: u8, lost: impl Fn(usize) -> bool) -> (Vec<i16>, ReceivedReport) {
    let mut stage = conference();
    let n = join(&mut stage, format, Some(440.0), 2);
    let listener = stage.join(format, 20, None);
    stage.phones[n].due = Time::NEVER;
    let address = stage.phones[n].address;
    let mut history = History::new();
    for packet in 0..150 {
        let timestamp = stage.phones[n].timestamp;
        let plain = stage.phones[n].speak();
        let mut out = [0; 1_200];
        let own = (payload_type(format), timestamp, &plain[12..]);
        let len = history.write(copies, own, &mut out);
        history.remember(own.0, timestamp, own.2);
        let redundant = len.map(|len| {
            let mut octets = plain[..12].to_vec();
            octets[1] = octets[1] & 0x80 | red().get();
            octets.extend(&out[..len]);
            octets
        });
        if !lost(packet) {
            stage.arrive(n, address, redundant.as_ref().unwrap_or(&plain));
        }
        stage.run(1);
    }
    let heard = &stage.phones[listener].heard;
    let second = format.sample_rate().hz() as usize;
    let report = stage.group.member(n).unwrap().leg.report().received;
    (heard[heard.len() - second..].to_vec(), report)
}

#[test]
fn what_was_lost_is_heard_from_the_copy_that_follows() {
    for format in [Pcmu, OPUS] {
        let (heard, report) = spoken(format, 1, |packet| packet % 5 == 3);
        assert_eq!(report.lost, 30, "{format}: a loss stays one in the books");
        assert!(report.recovered >= Duration::from_millis(500), "{format}: {report:?}");
        // Until the delay has grown to wait for a copy, some is made up.
        assert!(report.concealed <= Duration::from_millis(100), "{format}: {report:?}");
        if format == Pcmu {
            let [mended, clean] =
                [&heard, &spoken(Pcmu, 1, |_| false).0].map(|heard| worst_disturbance(heard, 440.0, 8_000));
            assert!(mended < clean + 1.0, "{mended} where a clean path has {clean}");
        }
    }
    let (_, without) = spoken(Pcmu, 0, |packet| packet % 5 == 3);
    assert!(without.concealed >= Duration::from_millis(500), "{without:?}");
}

#[test]
fn two_copies_mend_a_loss_of_two() {
    let lost = |packet| packet % 10 >= 8;
    let (_, one) = spoken(Pcmu, 1, lost);
    let (_, two) = spoken(Pcmu, 2, lost);
    assert!(two.recovered > one.recovered + Duration::from_millis(200), "{one:?} {two:?}");
    assert!(two.concealed < one.concealed, "{one:?} {two:?}");
}

#[test]
fn nothing_is_brought_back_where_nothing_was_lost() {
    let (_, report) = spoken(Pcmu, 2, |_| false);
    assert_eq!((report.recovered, report.concealed, report.lost), (Duration::ZERO, Duration::ZERO, 0));
}

/// Hands a packet with this redundant payload to a leg that speaks µ-law.
fn arrive(stage: &mut Stage, n: usize, payload: &[u8]) {
    let packet = stage.phones[n].packet(red(), payload);
    stage.phones[n].timestamp += 160;
    let address = stage.phones[n].address;
    stage.arrive(n, address, &packet);
    stage.run(1);
}

/// What no G.711 table takes for silence.
const SOUND: [u8; 160] = [0x20; 160];

fn payload(copies: &[Block<'_>], own: PayloadType) -> Vec<u8> {
    let mut out = vec![0; 1_200];
    let len = write(copies.iter().copied(), (own, &SOUND), &mut out).unwrap();
    out.truncate(len);
    out
}

#[test]
fn redundant_payloads_that_lie_are_counted_and_dropped() {
    let mut stage = conference();
    let n = join(&mut stage, Pcmu, None, 1);
    stage.phones[n].due = Time::NEVER;
    let whole = payload(
        &[Block { payload_type: PayloadType::PCMU, offset: 160, payload: &[0xff; 160] }],
        PayloadType::PCMU,
    );
    for len in [0, 1, 3, 4, 5, 100, 164] {
        arrive(&mut stage, n, &whole[..len]);
    }
    // Within itself, of a format that nobody agreed to, blocks without end.
    arrive(&mut stage, n, &payload(&[], red()));
    arrive(&mut stage, n, &payload(&[], PayloadType::new(77 + 30).unwrap()));
    arrive(&mut stage, n, &[0x80; 200]);
    assert_eq!(stage.tally.malformed, 10);
    let report = stage.group.member(n).unwrap().leg.report().received;
    assert_eq!((report.malformed, report.packets), (10, 0));
    // Copies that make no sense do not harm the packet that brings them.
    let odd = |payload_type, offset, payload| Block { payload_type, offset, payload };
    for copy in [
        odd(PayloadType::PCMU, 16_383, &[0xff; 160][..]),
        odd(PayloadType::PCMU, 0, &[0xff; 160]),
        odd(PayloadType::PCMU, 160, &[]),
        odd(PayloadType::PCMU, 7, &[0xff; 1_000]),
        odd(PayloadType::G722, 160, &[0xff; 160]),
        odd(red(), 160, &[0xff; 160]),
    ] {
        arrive(&mut stage, n, &payload(&[copy], PayloadType::PCMU));
    }
    let report = stage.group.member(n).unwrap().leg.report().received;
    assert_eq!((report.malformed, report.packets, report.recovered), (10, 6, Duration::ZERO));
}

#[test]
fn redundant_packets_that_were_not_agreed_are_malformed() {
    let mut stage = conference();
    let n = stage.join(Pcmu, 20, None);
    stage.phones[n].due = Time::NEVER;
    arrive(&mut stage, n, &payload(&[], PayloadType::PCMU));
    assert_eq!(stage.tally.malformed, 1);
}

/// Reports `lost` of 256 every five seconds for so many times; then the copies in what the phone gets.
fn reported(stage: &mut Stage, n: usize, lost: u8, times: usize) -> usize {
    for _ in 0..times {
        report(stage, n, lost);
        stage.skip(200);
        // Once a second it is looked at what was reported.
        stage.run(50);
    }
    stage.phones[n].copies
}

#[test]
fn copies_go_out_while_the_peer_loses_packets_and_no_longer() {
    for (format, copies, some, much) in [(OPUS, 2, 1, 2), (OPUS, 1, 1, 1), (Pcma, 2, 1, 1), (Pcmu, 0, 0, 0)] {
        let mut stage = conference();
        let n = join(&mut stage, format, None, copies);
        stage.phones[n].due = Time::from_millis(1 << 40);
        stage.join(Pcmu, 20, Some(440.0));
        stage.run(50);
        assert_eq!(stage.phones[n].copies, 0, "nobody has reported");
        assert_eq!(reported(&mut stage, n, 0, 3), 0, "nothing is lost");
        assert_eq!(reported(&mut stage, n, 13, 4), some, "{format}: 5 %");
        assert_eq!(reported(&mut stage, n, 64, 6), much, "{format}: 25 %");
        stage.run(50);
        assert!(stage.phones[n].level(440.0, 500).abs() < 2.0, "{format}");
        let last = &stage.phones[n].headers[stage.phones[n].headers.len() - 50..];
        let ticks = format.clock_rate().ticks_in_ms(20);
        assert!(last.windows(2).all(|w| w[1].timestamp.wrapping_sub(w[0].timestamp) == ticks));
        assert_eq!(reported(&mut stage, n, 0, 20), 0, "{format}: it is over");
    }
}

#[test]
fn a_new_format_begins_without_copies_of_the_old_one() {
    let mut stage = conference();
    let n = join(&mut stage, Pcma, None, 1);
    stage.phones[n].due = Time::from_millis(1 << 40);
    stage.join(Pcmu, 20, Some(440.0));
    stage.run(20);
    assert_eq!(reported(&mut stage, n, 26, 3), 1);
    let mut stream = super::phone::stream(Pcmu, 20, stage.phones[n].address);
    stream.redundancy = Some(agreed(1));
    stage.renegotiate(n, stream);
    stage.phones[n].hear_as(Pcmu);
    stage.run(1);
    assert_eq!(stage.phones[n].copies, 0);
    stage.run(1);
    assert_eq!(stage.phones[n].copies, 1);
}

#[test]
fn copies_are_taken_and_sent_without_allocating() {
    let mut stage = conference();
    let n = join(&mut stage, Pcmu, None, 1);
    stage.phones[n].due = Time::from_millis(1 << 40);
    stage.join(Pcmu, 20, Some(440.0));
    stage.run(20);
    assert_eq!(reported(&mut stage, n, 13, 4), 1);
    let block = Block { payload_type: PayloadType::PCMU, offset: 160, payload: &SOUND };
    let redundant = payload(&[block], PayloadType::PCMU);
    let address = stage.phones[n].address;
    for _ in 0..100 {
        let packet = stage.phones[n].packet(red(), &redundant);
        stage.phones[n].timestamp += 160;
        // Every other one is lost.
        if stage.phones[n].sequence.is_multiple_of(2) {
            let allocations = measure(|| {
                stage.arrive(n, address, &packet);
            });
            assert_eq!(allocations.count_total, 0);
        }
        stage.run_measured(1, |step| assert_eq!(measure(step).count_total, 0));
    }
    let report = stage.group.member(n).unwrap().leg.report().received;
    assert!(report.recovered >= Duration::from_millis(800), "{report:?}");
}
