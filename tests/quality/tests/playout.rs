//! Playout as the media threads run it, over lines of all kinds: nothing is heard of them that need not be.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use std::sync::OnceLock;
use std::time::Duration;

use tandem_base::{AudioFormat, ClockRate};
use tandem_quality::{Line, Talker, opus, speech};
use tandem_testkit::{Conditions, Network};

const PATH: Duration = Duration::from_millis(10);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn voice(format: AudioFormat) -> Vec<f32> {
    static VOICES: [OnceLock<Vec<f32>>; 3] = [const { OnceLock::new() }; 3];
    let rate = format.sample_rate().hz();
    let index = [8_000, 16_000, 48_000].iter().position(|r| *r == rate).unwrap();
    VOICES[index].get_or_init(|| speech(0, rate)).clone()
}

/// A clean line with a little jitter, as any has, and ticks `phase` behind packets that have crossed it.
fn clean(format: AudioFormat, ptime_ms: u8, phase: Duration, seed: u64) -> Line {
    let conditions = Conditions { delay: PATH, jitter: Duration::from_micros(300), ..Conditions::default() };
    let talker = Talker::new(format, ptime_ms, voice(format));
    let room = format.sample_rate();
    let behind = ms(u64::try_from((PATH + phase).as_millis()).unwrap() % 20);
    Line::new(talker, room, Network::new(conditions, seed), behind)
}

/// What is heard later than it is said, at one place: where said and heard are most alike.
fn delay_at(line: &Line, said: &[f32], rate: ClockRate, at: Duration) -> f64 {
    let per_second = rate.hz() as usize;
    let start = rate.ticks_of(at) as usize;
    let n = per_second / 2;
    let heard = |lag: usize| &line.heard.pcm[start + lag..start + lag + n];
    let excerpt: Vec<f32> = said.iter().cycle().skip(start % said.len()).take(n).copied().collect();
    let likeness = |lag: &usize| -> f32 {
        let (mut product, mut power) = (0.0, 1e-9);
        for (x, y) in excerpt.iter().zip(heard(*lag)) {
            product += x * y;
            power += y * y;
        }
        product / power.sqrt()
    };
    let lags = 0..per_second / 5;
    let best = lags.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).unwrap();
    best as f64 * 1_000.0 / per_second as f64
}

/// Milliseconds put in or taken out from one tick to another.
fn stretched(line: &Line, from: usize, to: usize) -> u128 {
    let at = |tick: usize| line.heard.reports[tick].shortened + line.heard.reports[tick].lengthened;
    (at(to - 1) - at(from)).as_millis()
}

#[test]
fn packets_of_any_length_play_untouched_on_a_clean_line() {
    for ptime_ms in [10, 20, 30, 40, 50, 60] {
        for phase in [1, 4, 9, 12, 16, 19] {
            let mut line = clean(AudioFormat::Pcmu, ptime_ms, ms(phase), phase);
            let end = line.run(secs(12));
            let what = format!("{ptime_ms} ms packets, {phase} ms behind");
            assert_eq!(line.heard.concealed(0, end), Duration::ZERO, "{what}");
            assert!(stretched(&line, 0, end) <= 20, "{what}: {} ms", stretched(&line, 0, end));
            assert_eq!(stretched(&line, end - 400, end), 0, "{what}");
            let delay = delay_at(&line, &voice(AudioFormat::Pcmu), ClockRate::HZ_8000, secs(10));
            let most = f64::from(ptime_ms) + 10.0 + 20.0 + if ptime_ms % 20 == 0 { 1.0 } else { 11.0 };
            assert!(delay <= most, "{what}: {delay} ms");
        }
    }
}

#[test]
fn an_hour_of_a_clock_that_drifts_leaves_no_gap_and_no_delay() {
    for ppm in [100.0, -100.0] {
        let mut line = clean(AudioFormat::Pcmu, 20, ms(7), 3);
        line.talker.ppm = ppm;
        drift(&mut line, ppm, 3_600);
    }
}

#[test]
fn clocks_half_a_per_mille_off_are_followed() {
    for ppm in [500.0, -500.0, 200.0, -200.0] {
        for (format, seconds) in [(AudioFormat::Pcmu, 300), (opus(), 60)] {
            let mut line = clean(format, 20, ms(7), 3);
            line.talker.ppm = ppm;
            drift(&mut line, ppm, seconds);
        }
    }
}

fn drift(line: &mut Line, ppm: f64, seconds: u64) {
    line.watches = true;
    let end = line.run(secs(seconds));
    let report = line.report();
    assert_eq!(line.heard.concealed(0, end), Duration::ZERO, "{ppm}: {report:?}");
    let drift = f64::from(report.drift.unwrap());
    assert!((drift - ppm).abs() < 10.0, "{ppm}: {drift}");
    // What the clocks differ by, and little more, is all that is changed.
    let differ = ppm.abs() * 1e-6 * seconds as f64;
    let changed = (report.shortened + report.lengthened).as_secs_f64();
    assert!(changed < differ * 1.3 + 0.04, "{ppm}: {changed} s instead of {differ}");
    let most = line.heard.reports.iter().skip(50).map(|r| r.playout_delay).max().unwrap();
    assert!(most <= ms(27), "{ppm}: {most:?}");
}

#[test]
fn after_a_stall_of_half_a_second_the_delay_is_back_within_five() {
    for format in [AudioFormat::Pcmu, AudioFormat::G722, opus()] {
        let mut line = clean(format, 20, ms(7), 5);
        line.run(secs(6));
        stall(&mut line, ms(500));
        line.run(ms(4_500));
        let back = line.ticks();
        line.run(secs(5));
        let most = line.heard.reports[back..].iter().map(|r| r.playout_delay).max().unwrap();
        assert!(most <= ms(5), "{format}: {most:?}");
        let path = delay_at(&line, &voice(format), format.sample_rate(), secs(14));
        assert!(path <= 20.0 + 10.0 + 7.0 + 5.0 + if format == opus() { 7.0 } else { 2.0 }, "{path}");
    }
}

/// All that is sent for so long comes at its end.
fn stall(line: &mut Line, time: Duration) {
    let end = line.now + time;
    while line.now < end {
        let delay = (end + PATH).since(line.now);
        line.network.set_conditions(Conditions { delay, ..Conditions::default() });
        line.run(ms(20));
    }
    line.network.set_conditions(Conditions { delay: PATH, ..Conditions::default() });
}

#[test]
fn one_late_packet_does_not_leave_delay_behind() {
    for late in [15, 25, 40, 70, 110, 200] {
        for phase in [2, 10, 18] {
            let mut line = clean(AudioFormat::Pcmu, 20, ms(phase), late);
            let before = line.run(secs(6));
            stall(&mut line, ms(late));
            line.run(secs(3));
            let back = line.ticks();
            line.run(secs(6));
            let most =
                |range: &[tandem_base::ReceivedReport]| range.iter().map(|r| r.playout_delay).max().unwrap();
            let usual = most(&line.heard.reports[before - 100..before]);
            let after = most(&line.heard.reports[back..]);
            assert!(after <= usual + ms(3), "{late} ms late, {phase} ms behind: {after:?}, was {usual:?}");
        }
    }
}
