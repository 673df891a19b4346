//! Single decisions, packet by packet.

use super::*;

const TICKS: u32 = 160;

struct Bench {
    buffer: JitterBuffer,
    stream: u32,
}

/// What came out, in short.
#[derive(Debug, PartialEq, Eq)]
enum Out {
    Packet(u64),
    Lost(u32, Option<u8>),
    Gap(u32),
    Empty,
}

use Out::*;

impl Bench {
    fn new() -> Self {
        Bench { buffer: JitterBuffer::new(JitterLimits::NARROW), stream: 0 }
    }

    fn arrival(&self, sequence: u64, timestamp: u32, at: u64) -> Arrival {
        Arrival {
            stream: self.stream,
            sequence: ExtSeq(sequence),
            timestamp,
            payload_type: PayloadType::PCMU,
            clock: ClockRate::HZ_8000,
            marker: false,
            arrived: Time::from_millis(at),
        }
    }

    /// A packet of 20 ms whose octets are the low eight bits of its number.
    fn push(&mut self, sequence: u64, timestamp: u32, at: u64) -> Queued {
        let arrival = self.arrival(sequence, timestamp, at);
        self.buffer.push(&arrival, TICKS, &[sequence.to_le_bytes()[0]; 160])
    }

    fn next(&mut self, at: u64) -> Out {
        match self.buffer.next(Time::from_millis(at)) {
            Next::Packet { sequence, payload, .. } => {
                assert_eq!(payload[0], sequence.0.to_le_bytes()[0]);
                Packet(sequence.0)
            }
            Next::Lost { ticks, following } => Lost(ticks, following.map(|p| p[0])),
            Next::Gap { ticks } => Gap(ticks),
            Next::Empty => Empty,
        }
    }
}

#[test]
fn packets_come_out_in_order_over_the_wrap() {
    let mut bench = Bench::new();
    for (n, sequence) in [0x1_fffe, 0x2_0000, 0x1_ffff, 0x2_0001].into_iter().enumerate() {
        let timestamp = (0xffff_ff00u32).wrapping_add(TICKS * (sequence - 0x1_fffe) as u32);
        assert_eq!(bench.push(sequence, timestamp, 10 + n as u64), Queued::InTime);
    }
    assert_eq!(bench.buffer.queued(), 4 * TICKS);
    for sequence in 0x1_fffe..=0x2_0001 {
        assert_eq!(bench.next(20), Packet(sequence));
    }
    assert_eq!(bench.next(20), Empty);
    assert_eq!(bench.buffer.queued(), 0);
}

#[test]
fn a_hole_is_told_when_a_later_packet_is_there() {
    let mut bench = Bench::new();
    bench.push(10, 1_600, 10);
    bench.push(13, 1_600 + 3 * TICKS, 70);
    assert_eq!(bench.next(80), Packet(10));
    assert_eq!(bench.buffer.queued(), 3 * TICKS, "holes count");
    assert_eq!(bench.next(100), Lost(TICKS, None));
    assert_eq!(bench.next(120), Lost(TICKS, Some(13)));
    assert_eq!(bench.next(140), Packet(13));
    assert_eq!(bench.push(11, 1_600 + TICKS, 141), Queued::Late);
    let counts = bench.buffer.counts();
    assert_eq!((counts.missing, counts.late), (2, 1));
}

#[test]
fn a_hole_is_told_also_after_nothing_was_there() {
    let mut bench = Bench::new();
    bench.push(10, 0, 10);
    assert_eq!(bench.next(20), Packet(10));
    assert_eq!(bench.next(40), Empty);
    bench.push(12, 2 * TICKS, 50);
    assert_eq!(bench.next(60), Lost(TICKS, Some(12)), "the player knows that it has concealed it");
    assert_eq!(bench.next(60), Packet(12));
    assert_eq!(bench.buffer.counts().missing, 1);
}

#[test]
fn a_long_hole_is_silence() {
    let mut bench = Bench::new();
    bench.push(10, 0, 10);
    assert_eq!(bench.next(20), Packet(10));
    for tick in 2..=51 {
        assert_eq!(bench.next(tick * 20), Empty);
    }
    bench.push(61, 51 * TICKS, 1_030);
    assert_eq!(bench.next(1_040), Gap(50 * TICKS));
    assert_eq!(bench.next(1_040), Packet(61));
    assert_eq!(bench.buffer.counts().missing, 50);
}

#[test]
fn a_packet_that_comes_late_but_was_not_given_up_is_played() {
    let mut bench = Bench::new();
    bench.push(10, 0, 10);
    assert_eq!(bench.next(20), Packet(10));
    assert_eq!(bench.buffer.target(), Duration::ZERO);
    assert_eq!(bench.next(40), Empty);
    bench.push(11, TICKS, 45);
    assert_eq!(bench.buffer.target(), Duration::from_millis(20), "a late packet raises it at once");
    bench.push(12, 2 * TICKS, 50);
    assert_eq!(bench.next(60), Packet(11));
    assert_eq!(bench.buffer.level(Time::from_millis(60), Duration::ZERO), Duration::from_millis(20));
    assert_eq!(bench.next(80), Packet(12));
}

#[test]
fn silence_that_was_left_out_is_a_gap_and_no_loss() {
    let mut bench = Bench::new();
    bench.push(10, 0, 10);
    bench.push(11, 5 * TICKS, 11);
    assert_eq!(bench.next(20), Packet(10));
    assert_eq!(bench.next(40), Gap(4 * TICKS));
    assert_eq!(bench.next(120), Packet(11));
    assert_eq!(bench.buffer.counts().missing, 0);
}

#[test]
fn silence_is_told_in_full_after_nothing_was_there() {
    let mut bench = Bench::new();
    bench.push(10, 0, 10);
    assert_eq!(bench.next(20), Packet(10));
    for tick in 2..=51 {
        assert_eq!(bench.next(tick * 20), Empty);
    }
    // One second of silence, and the next talk spurt is on time.
    bench.push(11, 51 * TICKS, 1_030);
    assert_eq!(bench.next(1_040), Gap(50 * TICKS));
    assert_eq!(bench.next(1_040), Packet(11));
    assert_eq!(bench.buffer.target(), Duration::ZERO);
    assert_eq!(bench.buffer.level(Time::from_millis(1_040), Duration::ZERO), Duration::ZERO);
}

#[test]
fn a_pause_without_timestamps_is_a_jump_and_no_delay() {
    let mut bench = Bench::new();
    bench.push(10, 0, 10);
    assert_eq!(bench.next(20), Packet(10));
    assert_eq!(bench.next(40), Empty);
    bench.push(11, TICKS, 9_010);
    assert_eq!(bench.next(9_020), Packet(11));
    bench.push(12, 2 * TICKS, 9_030);
    assert_eq!(bench.next(9_040), Packet(12));
    assert_eq!(bench.buffer.target(), Duration::ZERO);
    assert_eq!(bench.buffer.level(Time::from_millis(9_040), Duration::ZERO), Duration::ZERO);
}

#[test]
fn timestamps_may_jump_either_way() {
    for jump in [0x4000_0000u32, 0xc000_0000, 80_000, 0u32.wrapping_sub(80_000)] {
        let mut bench = Bench::new();
        bench.push(10, 0, 10);
        assert_eq!(bench.next(20), Packet(10));
        bench.push(11, jump, 30);
        assert_eq!(bench.next(40), Packet(11), "{jump}");
        bench.push(13, jump.wrapping_add(2 * TICKS), 60);
        assert_eq!(bench.next(60), Lost(TICKS, Some(13)), "{jump}");
        assert_eq!(bench.next(60), Packet(13), "{jump}");
        assert!(bench.buffer.target() <= Duration::from_millis(20), "{jump}");
    }
}

#[test]
fn a_new_stream_plays_after_the_old_one_and_starts_afresh() {
    let mut bench = Bench::new();
    bench.push(10, 0, 10);
    bench.push(11, TICKS, 11);
    bench.stream = 1;
    assert_eq!(bench.push(4, 900_000, 12), Queued::InTime);
    assert_eq!(bench.next(20), Packet(10));
    assert_eq!(bench.next(40), Packet(11));
    assert_eq!(bench.next(60), Packet(4));
    bench.stream = 0;
    assert_eq!(bench.push(12, 2 * TICKS, 61), Queued::Late);
}

#[test]
fn telephone_events_leave_no_hole() {
    let mut bench = Bench::new();
    bench.push(10, 0, 10);
    for sequence in 11..16 {
        let event = bench.arrival(sequence, TICKS, sequence);
        bench.buffer.skip(&event);
    }
    bench.push(16, 3 * TICKS, 17);
    assert_eq!(bench.next(20), Packet(10));
    assert_eq!(bench.next(40), Gap(2 * TICKS));
    assert_eq!(bench.next(80), Packet(16));
    assert_eq!(bench.buffer.counts(), JitterCounts::default());
}

#[test]
fn a_hole_of_telephone_events_is_no_missing_audio() {
    let mut bench = Bench::new();
    bench.push(10, 0, 10);
    bench.push(13, TICKS, 12);
    assert_eq!(bench.next(20), Packet(10));
    assert_eq!(bench.next(40), Packet(13), "two numbers are missing, but no time");
}

#[test]
fn another_clock_is_another_timeline() {
    let mut bench = Bench::new();
    bench.push(10, 0, 10);
    let opus = Arrival { clock: ClockRate::HZ_48000, ..bench.arrival(11, 77_777, 30) };
    bench.buffer.push(&opus, 960, &[11; 60]);
    assert_eq!(bench.next(20), Packet(10));
    assert_eq!(bench.buffer.queued(), 960);
    assert_eq!(bench.next(40), Packet(11));
}

#[test]
fn duplicates_are_dropped() {
    let mut bench = Bench::new();
    bench.push(10, 0, 10);
    assert_eq!(bench.push(10, 0, 11), Queued::Duplicate);
    assert_eq!(bench.next(20), Packet(10));
    assert_eq!(bench.next(20), Empty);
    assert_eq!(bench.buffer.counts().duplicates, 1);
}

#[test]
fn too_much_drops_the_oldest() {
    let mut bench = Bench::new();
    for n in 0..40 {
        let queued = bench.push(10 + n, TICKS * n as u32, 10 + n);
        assert_eq!(queued, if n < 25 { Queued::InTime } else { Queued::Overflow }, "{n}");
    }
    assert_eq!(bench.buffer.counts().overflow, 15);
    assert_eq!(bench.next(60), Packet(25), "what was dropped is no hole");
    let long = bench.arrival(99, 0, 70);
    assert_eq!(bench.buffer.push(&long, TICKS, &[0; 6_000]), Queued::Overflow);
}

#[test]
fn clearing_forgets_what_waits() {
    let mut bench = Bench::new();
    bench.push(10, 0, 10);
    bench.push(11, TICKS, 11);
    bench.buffer.clear();
    assert!(bench.buffer.is_empty());
    assert_eq!(bench.next(20), Empty);
    assert_eq!(bench.push(11, TICKS, 21), Queued::Late);
    bench.push(12, 2 * TICKS, 30);
    assert_eq!(bench.next(40), Packet(12));
}

#[test]
fn at_the_target_a_hole_gets_no_patience() {
    let mut bench = Bench::new();
    bench.push(10, 0, 10);
    assert_eq!(bench.next(20), Packet(10));
    assert_eq!(bench.next(40), Empty);
    bench.push(11, TICKS, 95);
    assert_eq!(bench.buffer.target(), Duration::from_millis(60));
    bench.push(13, 3 * TICKS, 96);
    assert_eq!(bench.next(100), Packet(11), "60 ms late, which is what the target asks for");
    assert_eq!(bench.next(120), Lost(TICKS, Some(13)), "no patience at the target");
}

#[test]
fn below_the_target_a_hole_gets_a_tick_of_patience() {
    let mut bench = Bench::new();
    bench.push(10, 0, 10);
    assert_eq!((bench.next(20), bench.next(40)), (Packet(10), Empty));
    for n in [1, 2, 3, 4, 6, 7] {
        // On time, but for the first, so that the level is one tick.
        bench.push(10 + n, TICKS * n as u32, (10 + 20 * n).max(45));
    }
    for n in 1..=4 {
        assert_eq!(bench.next(40 + 20 * n), Packet(10 + n));
    }
    assert_eq!(bench.next(140), Lost(TICKS, Some(16)), "the level is the target");
    assert_eq!(bench.next(160), Packet(16));
    bench.push(15, 5 * TICKS, 165);
    assert_eq!(bench.buffer.target(), Duration::from_millis(60), "55 ms late");
    assert_eq!(bench.next(180), Packet(17));
    bench.push(19, 9 * TICKS, 190);
    assert_eq!(bench.next(200), Empty, "packet 18 may still come");
    bench.push(18, 8 * TICKS, 205);
    assert_eq!(bench.next(220), Packet(18));
    assert_eq!(bench.next(240), Packet(19));
    assert_eq!(bench.buffer.level(Time::from_millis(240), Duration::ZERO), Duration::from_millis(40));
}

#[test]
fn tiny_packets_do_not_make_thousands_of_holes() {
    let mut bench = Bench::new();
    let (first, last) = (bench.arrival(10, 0, 10), bench.arrival(2_500, 3_900, 497));
    bench.buffer.push(&first, 1, &[10]);
    assert_eq!(bench.next(20), Packet(10));
    assert_eq!(bench.next(40), Empty);
    bench.buffer.push(&last, 1, &[196]);
    let lost = (0..).take_while(|_| matches!(bench.next(500), Lost(..))).count();
    assert!((190..=200).contains(&lost), "{lost}");
}

/// A copy of packet `sequence` comes at `at`.
fn restore(b: &mut Bench, sequence: u64, timestamp: u32, at: u64) -> bool {
    let copy = b.arrival(sequence, timestamp, at);
    b.buffer.restore(&copy, TICKS, &[sequence.to_le_bytes()[0]; 160])
}

#[test]
fn a_copy_stands_in_for_what_did_not_come() {
    let mut b = Bench::new();
    b.push(100, 0, 0);
    assert_eq!(b.next(5), Packet(100));
    assert!(restore(&mut b, 101, 160, 40), "101 was lost, 102 brings it");
    assert!(!restore(&mut b, 101, 160, 40), "once is enough");
    b.push(102, 320, 40);
    assert!(!restore(&mut b, 102, 320, 40), "it is there itself");
    assert!(!restore(&mut b, 100, 0, 40), "its turn is over");
    assert_eq!([b.next(45), b.next(45), b.next(45)], [Packet(101), Packet(102), Empty]);
    assert_eq!(b.buffer.counts(), JitterCounts::default());
}

#[test]
fn a_packet_that_comes_after_its_copy_is_a_duplicate() {
    let mut b = Bench::new();
    b.push(100, 0, 0);
    assert!(restore(&mut b, 101, 160, 40));
    b.push(102, 320, 40);
    assert_eq!(b.push(101, 160, 41), Queued::Duplicate);
    assert_eq!([b.next(45), b.next(45), b.next(45)], [Packet(100), Packet(101), Packet(102)]);
    assert_eq!(b.push(101, 160, 46), Queued::Late);
}

#[test]
fn copies_of_what_came_before_the_first_packet_are_left_out() {
    let mut b = Bench::new();
    assert!(!restore(&mut b, 99, 0, 0));
    b.push(100, 160, 0);
    assert!(!restore(&mut b, 99, 0, 0));
    assert_eq!([b.next(5), b.next(5)], [Packet(100), Empty]);
    b.stream = 1;
    assert!(!restore(&mut b, 700, 0, 20), "of a stream that has not begun");
}

#[test]
fn what_copies_mend_is_still_worth_waiting_for() {
    let target = |copies: bool| {
        let mut b = Bench::new();
        b.buffer.expect_fec(true);
        for n in 0..400 {
            let at = n * 20;
            let timestamp = u32::try_from(n).unwrap() * TICKS;
            if n % 10 != 4 {
                if copies && n % 10 == 5 {
                    restore(&mut b, 99 + n, timestamp - TICKS, at);
                }
                b.push(100 + n, timestamp, at);
            }
            while b.next(at + 5) != Empty {}
        }
        b.buffer.target()
    };
    assert_eq!(target(true), target(false));
    assert!(target(true) >= Duration::from_millis(20));
}
