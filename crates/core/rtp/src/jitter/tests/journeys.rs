//! Whole streams over paths of all kinds.

use tandem_testkit::Conditions;

use super::line::{Line, ms};
use super::*;

fn clean() -> Conditions {
    Conditions { delay: ms(10), jitter: Duration::from_micros(300), ..Default::default() }
}

#[test]
fn a_clean_path_adds_no_more_than_the_wait_for_the_tick() {
    for phase in 0..20 {
        let mut line = Line::new(clean(), 20, 0.0, Duration::from_micros(phase * 1_000 + 400), phase);
        line.run(ms(10_000)).assert_sound();
        let (longest, _) = line.waits(Time::ZERO);
        // 10 ms of path, up to a tick of waiting, and a few ms where packets come just before the tick.
        assert!(longest <= ms(10 + 20 + 3), "phase {phase}: {longest:?}");
        let after_start = Time::from_millis(2_000);
        assert_eq!(line.made_up(after_start), 0, "phase {phase}");
        assert_eq!(line.buffer.counts().late, 0);
    }
}

#[test]
fn any_packet_time_plays_without_a_break() {
    for ptime in [10, 20, 30, 40, 50, 60] {
        for phase in [1, 7, 13, 19] {
            let mut line = Line::new(clean(), ptime, 0.0, ms(phase), u64::from(ptime));
            line.run(ms(20_000)).assert_sound();
            assert_eq!(line.made_up(Time::from_millis(4_000)), 0, "ptime {ptime} phase {phase}");
            let (longest, _) = line.waits(Time::from_millis(4_000));
            assert!(longest <= ms(10 + 43), "ptime {ptime} phase {phase}: {longest:?}");
        }
    }
}

#[test]
fn losses_are_told_once_each_and_cost_no_delay() {
    for (percent, seed) in [(1, 1), (3, 2), (10, 3)] {
        let conditions = Conditions { loss: f64::from(percent) / 100.0, ..clean() };
        let mut line = Line::new(conditions, 20, 0.0, ms(5), seed);
        line.run(ms(60_000)).assert_sound();
        let missing = 3_000 - line.arrived as i64;
        let made_up = line.made_up(Time::ZERO) as i64;
        assert!((made_up - missing).abs() <= 3, "{percent} %: {missing} missing, {made_up} made up");
        let (longest, _) = line.waits(Time::ZERO);
        assert!(longest <= ms(10 + 23), "{percent} %: {longest:?}");
        assert!(line.buffer.counts().late == 0);
    }
}

#[test]
fn bursts_of_losses_cost_no_delay_either() {
    let conditions = Conditions { loss: 0.02, burst: 0.6, ..clean() };
    let mut line = Line::new(conditions, 20, 0.0, ms(5), 4);
    line.run(ms(60_000)).assert_sound();
    let (longest, _) = line.waits(Time::ZERO);
    assert!(longest <= ms(10 + 23), "{longest:?}");
}

#[test]
fn jitter_is_covered_and_no_more() {
    for jitter in [5, 10, 20, 40, 60, 80, 100] {
        for reorder in [false, true] {
            let conditions = Conditions { delay: ms(20), jitter: ms(jitter), reorder, ..Default::default() };
            let mut line = Line::new(conditions, 20, 0.0, ms(9), jitter);
            line.run(ms(60_000)).assert_sound();
            let settled = Time::from_millis(6_000);
            let made_up = line.made_up(settled) as f64 / 2_700.0;
            assert!(made_up < 0.05, "{jitter} ms, {reorder}: {made_up} made up");
            let (_, most) = line.waits(settled);
            assert!(most <= ms(20 + jitter + 45), "{jitter} ms, {reorder}: {most:?}");
        }
    }
}

#[test]
fn everything_at_once_stays_in_order() {
    for seed in 0..20 {
        let conditions = Conditions {
            loss: seed as f64 / 200.0,
            burst: 0.3,
            duplicate: 0.05,
            delay: ms(30),
            jitter: ms(seed * 5),
            reorder: seed % 2 == 0,
        };
        let ppm = if seed % 3 == 0 { 200.0 } else { -200.0 };
        let mut line = Line::new(conditions, 20, ppm, ms(seed), seed);
        line.run(ms(60_000)).assert_sound();
        assert!(line.played.len() as f64 > line.arrived as f64 * 0.93, "seed {seed}");
    }
}

#[test]
fn delay_comes_back_after_a_burst_of_jitter() {
    let mut line = Line::new(clean(), 20, 0.0, ms(6), 5);
    line.run(ms(10_000));
    assert_eq!(line.buffer.target(), Duration::ZERO);
    line.weather(Conditions { jitter: ms(120), reorder: true, ..clean() });
    line.run(ms(5_000));
    assert!(line.buffer.target() >= ms(80), "{:?}", line.buffer.target());
    line.weather(clean());
    line.run(ms(20_000));
    assert_eq!(line.buffer.target(), Duration::ZERO);
    let calm = line.now();
    line.run(ms(5_000)).assert_sound();
    let (longest, _) = line.waits(calm);
    assert!(longest <= ms(10 + 33), "{longest:?}");
    assert_eq!(line.made_up(calm), 0);
}

#[test]
fn an_outage_is_caught_up_with() {
    let mut line = Line::new(clean(), 20, 0.0, ms(6), 6);
    line.run(ms(5_000));
    // All packets of 300 ms come at once, at its end.
    line.weather(Conditions { delay: ms(310), ..Default::default() });
    line.run(ms(20));
    line.weather(clean());
    line.run(ms(25_000));
    let calm = line.now();
    line.run(ms(5_000)).assert_sound();
    assert!(line.waits(calm).0 <= ms(10 + 33), "{:?}", line.waits(calm).0);
}

#[test]
fn a_longer_route_is_soon_taken_for_granted() {
    let mut line = Line::new(clean(), 20, 0.0, ms(6), 7);
    line.run(ms(5_000));
    line.weather(Conditions { delay: ms(75), ..clean() });
    line.run(ms(25_000));
    assert_eq!(line.buffer.target(), Duration::ZERO);
    let calm = line.now();
    line.run(ms(5_000)).assert_sound();
    assert!(line.waits(calm).0 <= ms(75 + 33), "{:?}", line.waits(calm).0);
}

#[test]
fn clocks_that_drift_neither_pile_up_delay_nor_run_dry() {
    for ppm in [-200.0, -50.0, 50.0, 200.0] {
        let mut line = Line::new(clean(), 20, ppm, ms(10), 8);
        line.run(ms(600_000)).assert_sound();
        let (longest, most) = line.waits(Time::from_millis(5_000));
        assert!(longest <= ms(10 + 45), "{ppm} ppm: {longest:?}");
        assert!(most <= ms(10 + 40), "{ppm} ppm: {most:?}");
        // Ten minutes are 120 ms of drift: a handful of slips is all that it may cost.
        assert!(line.made_up(Time::from_millis(5_000)) <= 12, "{ppm} ppm: {}", line.made_up(Time::ZERO));
        assert_eq!(line.buffer.counts().late + line.buffer.counts().overflow, 0, "{ppm} ppm");
    }
}

#[test]
fn fec_gets_the_packet_behind_a_hole() {
    let conditions = Conditions { loss: 0.05, ..clean() };
    let mut line = Line::new(conditions, 20, 0.0, ms(6), 9);
    line.buffer.expect_fec(true);
    line.run(ms(60_000)).assert_sound();
    let settled = Time::from_millis(10_000);
    let missing = line.lost.iter().filter(|(at, _)| *at >= settled).count();
    let recoverable = line.lost.iter().filter(|(at, following)| *at >= settled && *following).count();
    assert!(missing > 80, "{missing}");
    assert!(recoverable * 100 >= missing * 85, "{recoverable} of {missing}");
    assert!(line.waits(settled).0 <= ms(10 + 45));
}
