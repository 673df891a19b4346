//! Playout in virtual time: a sender with its own clock, a network, a jitter buffer without a policy.

use std::collections::BTreeSet;
use std::f64::consts::TAU;
use std::time::Duration;

use tandem_base::{ClockRate, Time};
use tandem_testkit::{Conditions, Network};

use super::*;

const RATE: ClockRate = ClockRate::HZ_8000;
const TICK: Duration = Duration::from_millis(20);

/// A tone in packets, and what arrived of them.
struct Peer {
    rate: ClockRate,
    hz: f64,
    packet: usize,
    /// The sender's clock against ours.
    drift_ppm: f64,
    network: Network<u64>,
    sent: u64,
    arrived: BTreeSet<u64>,
    next: u64,
    /// By how many samples packets may be late.
    target: usize,
    now: Time,
    /// Does each packet carry the one before it?
    fec: bool,
    late: u64,
}

impl Peer {
    fn new(packet_ms: u32, conditions: Conditions) -> Self {
        Peer {
            rate: RATE,
            hz: 200.0,
            packet: RATE.ticks_in_ms(packet_ms) as usize,
            drift_ppm: 0.0,
            network: Network::new(conditions, 7),
            sent: 0,
            arrived: BTreeSet::new(),
            next: 0,
            target: 0,
            now: Time::ZERO,
            fec: false,
            late: 0,
        }
    }

    fn clean(packet_ms: u32) -> Self {
        Peer::new(packet_ms, Conditions { delay: Duration::from_millis(3), ..Conditions::default() })
    }

    fn send_time(&self, n: u64) -> Time {
        let seconds = (n * self.packet as u64) as f64 / f64::from(self.rate.hz());
        Time::from_nanos((seconds * (1.0 - self.drift_ppm * 1e-6) * 1e9) as u64)
    }

    /// Everything sent and arrived up to `now`.
    fn run_to(&mut self, now: Time) {
        self.now = now;
        while self.send_time(self.sent) <= now {
            self.network.send(self.sent, self.send_time(self.sent));
            self.sent += 1;
        }
        while let Some((_, n)) = self.network.receive(now) {
            if n < self.next {
                self.late += 1;
            } else {
                self.arrived.insert(n);
            }
        }
    }

    fn wave(&self, n: u64, out: &mut [f32]) -> usize {
        let start = n * self.packet as u64;
        for (i, x) in out[..self.packet].iter_mut().enumerate() {
            let phase = TAU * self.hz * (start + i as u64) as f64 / f64::from(self.rate.hz());
            *x = (0.5 * phase.sin()) as f32;
        }
        self.packet
    }
}

impl Source for Peer {
    fn next(&mut self, out: &mut [f32]) -> Got {
        if self.arrived.is_empty() {
            return Got::Nothing;
        }
        let n = self.next;
        self.next += 1;
        if self.arrived.remove(&n) {
            Got::Decoded(self.wave(n, out))
        } else if self.fec && self.arrived.contains(&(n + 1)) {
            Got::Recovered(self.wave(n, out))
        } else {
            Got::Lost(self.packet)
        }
    }

    fn conceal(&mut self, out: &mut [f32]) {
        // What a good codec would do; that of a bad one is the codec's own test.
        let mut wave = vec![0.0; self.packet];
        self.wave(self.next - 1, &mut wave);
        out.copy_from_slice(&wave[..out.len()]);
    }

    fn queued(&self) -> usize {
        self.arrived.last().map_or(0, |last| (last + 1 - self.next) as usize * self.packet)
    }

    fn wanted(&self) -> isize {
        let next = self.arrived.last().map_or(self.next, |last| last + 1);
        let path = Duration::from_micros(3_300);
        let target = self.rate.duration_of(self.target as u64);
        let tick = self.rate.ticks_in_ms(20) as i64;
        let until = |n: u64| {
            let due = (self.send_time(n) + path + target).as_nanos() as i64 - self.now.as_nanos() as i64;
            let ticks = (due + 19_999_999).div_euclid(20_000_000) - 1;
            (ticks * tick) as isize - ((n - next) as usize * self.packet) as isize
        };
        (next..next + 3).map(until).max().unwrap()
    }
}

struct Run {
    pcm: Vec<f32>,
    ticks: Vec<Pulled>,
    totals: PlayoutTotals,
}

/// Ticks for so long; `between` may change the weather.
fn run(peer: &mut Peer, seconds: u64, mut between: impl FnMut(&mut Peer, Time)) -> Run {
    let mut playout = Playout::new(peer.rate, 20);
    let mut run = Run { pcm: Vec::new(), ticks: Vec::new(), totals: PlayoutTotals::default() };
    let mut frame = vec![0.0; playout.frame_len()];
    let mut now = Time::from_millis(4);
    while now < Time::from_millis(seconds * 1_000) {
        between(peer, now);
        peer.run_to(now);
        run.ticks.push(playout.pull(peer, &mut frame));
        run.pcm.extend_from_slice(&frame);
        now += TICK;
    }
    run.totals = playout.totals();
    run
}

impl Run {
    fn delay_ms(&self, from_s: usize, to_s: usize) -> Vec<usize> {
        let ticks = &self.ticks[from_s * 50..(to_s * 50).min(self.ticks.len())];
        ticks.iter().map(|t| t.delay / 8).collect()
    }

    fn worst_impurity(&self, hz: f64, rate: ClockRate) -> f64 {
        *self.impurities(hz, rate).last().unwrap()
    }

    /// Of each 20 ms, the best first: what is left without the tone, relative to it, dB. Phase may slip between windows.
    fn impurities(&self, hz: f64, rate: ClockRate) -> Vec<f64> {
        let n = rate.ticks_in_ms(20) as usize;
        let step = TAU * hz / f64::from(rate.hz());
        let impurity = |window: &[f32]| {
            let (mut c, mut s) = (0.0, 0.0);
            for (i, x) in window.iter().enumerate() {
                c += f64::from(*x) * (i as f64 * step).cos() * 2.0 / n as f64;
                s += f64::from(*x) * (i as f64 * step).sin() * 2.0 / n as f64;
            }
            let rest = window
                .iter()
                .enumerate()
                .map(|(i, x)| f64::from(*x) - c * (i as f64 * step).cos() - s * (i as f64 * step).sin());
            let rest: f64 = rest.map(|x| x * x).sum::<f64>() / n as f64;
            10.0 * (rest / 0.125 + 1e-12).log10()
        };
        let mut all: Vec<f64> = self.pcm[n * 3..].chunks_exact(n).map(impurity).collect();
        all.sort_by(f64::total_cmp);
        all
    }

    fn steepest(&self) -> f32 {
        self.pcm.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max)
    }
}

#[test]
fn a_clean_network_adds_no_delay_and_changes_nothing() {
    for packet_ms in [10, 20] {
        let run = run(&mut Peer::clean(packet_ms), 20, |_, _| {});
        assert!(run.delay_ms(1, 20).iter().all(|d| *d == 0), "{packet_ms} ms");
        let t = run.totals;
        assert_eq!((t.concealed, t.removed, t.inserted), (0, 0, 0), "{packet_ms} ms");
        assert!(run.worst_impurity(200.0, RATE) < -60.0);
    }
}

#[test]
fn packets_longer_than_a_frame_wait_for_their_turn_only() {
    for (packet_ms, most) in [(30, 20), (40, 20), (60, 40), (120, 100)] {
        let run = run(&mut Peer::clean(packet_ms), 20, |_, _| {});
        let delays = run.delay_ms(1, 20);
        assert!(delays.iter().all(|d| *d <= most), "{packet_ms} ms: {:?}", delays.iter().max());
        assert!(delays.contains(&0), "{packet_ms} ms");
        assert_eq!(run.totals.concealed, 0, "{packet_ms} ms");
    }
}

#[test]
fn lost_packets_are_stood_in_for_and_the_delay_does_not_grow() {
    let mut peer =
        Peer::new(20, Conditions { loss: 0.05, delay: Duration::from_millis(3), ..Conditions::default() });
    let run = run(&mut peer, 60, |_, _| {});
    let lost = peer.sent as usize - run.ticks.iter().filter(|t| t.concealed == 0).count();
    assert!((80..220).contains(&lost), "{lost}");
    let concealed = run.totals.concealed / 160;
    assert!(concealed.abs_diff(lost as u64) <= 3, "{concealed} of {lost}");
    let delays = run.delay_ms(0, 60);
    assert!(delays.iter().all(|d| *d <= 20), "{:?}", delays.iter().max());
    // Several in a row fade; a single one is not heard.
    let impurities = run.impurities(200.0, RATE);
    let (most, worst) = (impurities[impurities.len() * 98 / 100], impurities[impurities.len() - 1]);
    assert!(most < -40.0 && worst < -12.0, "98 of 100: {most} dB, worst: {worst} dB");
}

#[test]
fn fec_is_used_where_there_is_delay_enough_for_it() {
    let mut peer =
        Peer::new(20, Conditions { loss: 0.05, delay: Duration::from_millis(3), ..Conditions::default() });
    peer.fec = true;
    peer.target = 240;
    let run = run(&mut peer, 60, |_, _| {});
    assert!(run.totals.recovered > 100 * 160, "{:?}", run.totals);
    assert!(run.totals.concealed < 30 * 160, "{:?}", run.totals);
    assert!(run.worst_impurity(200.0, RATE) < -25.0);
}

#[test]
fn a_target_that_rises_by_a_packet_makes_fec_usable() {
    let mut peer =
        Peer::new(20, Conditions { loss: 0.05, delay: Duration::from_millis(3), ..Conditions::default() });
    peer.fec = true;
    let run = run(&mut peer, 60, |peer, now| {
        peer.target = if now.as_millis() > 10_000 { 160 } else { 0 };
    });
    let of = |from: usize, to: usize, what: fn(&Pulled) -> usize| -> usize {
        run.ticks[from * 50..to * 50].iter().map(what).sum()
    };
    assert_eq!(of(0, 10, |t| t.recovered), 0, "too late without delay");
    assert!(of(15, 60, |t| t.recovered) > 80 * 160);
    assert!(of(15, 60, |t| t.concealed) < 10 * 160);
    assert!(run.delay_ms(15, 60).iter().all(|d| *d <= 60));
}

#[test]
fn jitter_within_the_target_is_not_heard() {
    let jitter = Duration::from_millis(50);
    let conditions =
        Conditions { delay: Duration::from_millis(3), jitter, reorder: true, ..Conditions::default() };
    let mut peer = Peer::new(20, conditions);
    peer.target = 480;
    let run = run(&mut peer, 60, |_, _| {});
    assert!(run.totals.concealed <= 4 * 160, "{:?}", run.totals);
    let delays = run.delay_ms(5, 60);
    // The target, less than a pitch period of margin, a packet that came early.
    assert!(delays.iter().all(|d| *d < 60 + 15 + 20), "{:?}", delays.iter().max());
}

#[test]
fn jitter_that_nobody_told_of_is_borne() {
    let jitter = Duration::from_millis(60);
    let conditions = Conditions { delay: Duration::from_millis(3), jitter, ..Conditions::default() };
    let mut peer = Peer::new(20, conditions);
    let run = run(&mut peer, 60, |_, _| {});
    let share = run.totals.concealed as f64 / run.totals.played as f64;
    assert!(share < 0.08, "{share}");
    assert!(run.delay_ms(5, 60).iter().all(|d| *d <= 100));
}

#[test]
fn a_clock_that_drifts_never_makes_the_delay_creep() {
    for (drift_ppm, packet_ms) in [(200.0, 20), (-200.0, 20), (200.0, 30), (-200.0, 60), (50.0, 10)] {
        let mut peer = Peer::clean(packet_ms);
        peer.drift_ppm = drift_ppm;
        let run = run(&mut peer, 600, |_, _| {});
        let what = format!("{drift_ppm} ppm, {packet_ms} ms: {:?}", run.totals);
        let delays = run.delay_ms(1, 600);
        let most = delays.iter().max().unwrap();
        assert!(*most <= packet_ms as usize + 20, "{most} ms; {what}");
        // 120 ms of drift: nothing but that is changed, and none of it by concealment.
        assert!(run.totals.removed + run.totals.inserted <= 2 * 960, "{what}");
        assert_eq!(run.totals.concealed, 0, "{what}");
        assert!(run.worst_impurity(200.0, RATE) < -25.0, "{} dB; {what}", run.worst_impurity(200.0, RATE));
    }
}

#[test]
fn after_a_stall_of_half_a_second_the_delay_is_back_within_five() {
    let base = Duration::from_millis(3);
    let mut peer = Peer::clean(20);
    let run = run(&mut peer, 20, |peer, now| {
        // From 5.0 to 5.5 s everything is held up, then it comes at once.
        let held = Time::from_millis(5_500).since(now);
        let stalled = now >= Time::from_millis(5_000) && held > Duration::ZERO;
        let delay = if stalled { held.max(base) } else { base };
        peer.network.set_conditions(Conditions { delay, ..Conditions::default() });
    });
    let after = run.delay_ms(5, 20);
    assert!(after.iter().max().unwrap() >= &440, "the stall was there: {:?}", after.iter().max());
    let back = &after[25 + 250..];
    assert!(back.iter().all(|d| *d <= 5), "{:?}", back.iter().max());
    // Stretching is heard as little as the tone's purity says; the stall itself is a gap.
    let tail = Run { pcm: run.pcm[8_000 * 6..].to_vec(), ticks: Vec::new(), totals: run.totals };
    assert!(tail.worst_impurity(200.0, RATE) < -25.0, "{}", tail.worst_impurity(200.0, RATE));
    assert!(run.totals.removed >= 440 * 8);
}

#[test]
fn delay_grows_to_a_target_that_rises_and_sinks_with_it() {
    for rate in [RATE, ClockRate::HZ_48000] {
        let mut peer = Peer::clean(20);
        peer.rate = rate;
        peer.hz = 220.0;
        peer.packet = rate.ticks_in_ms(20) as usize;
        let per_ms = rate.ticks_in_ms(1) as usize;
        let run = run(&mut peer, 30, |peer, now| {
            peer.target = if (5_000..18_000).contains(&now.as_millis()) { 80 * per_ms } else { 0 };
        });
        let raised = run.ticks[17 * 50].delay / per_ms;
        assert!((77..=95).contains(&raised), "{raised} ms");
        let last = run.ticks.last().unwrap().delay / per_ms;
        assert!(last <= 5, "{last} ms");
        assert_eq!(run.totals.concealed, 0);
        let impurity = run.worst_impurity(220.0, rate);
        assert!(impurity < -25.0, "{} Hz: {impurity} dB", rate.hz());
    }
}

#[test]
fn a_stream_that_ends_fades_to_silence_and_another_begins_cleanly() {
    let mut peer = Peer::clean(20);
    let run = run(&mut peer, 10, |peer, now| {
        let gone = (4_000..6_000).contains(&now.as_millis());
        let loss = if gone { 1.0 } else { 0.0 };
        let delay = Duration::from_millis(3);
        peer.network.set_conditions(Conditions { loss, delay, ..Conditions::default() });
    });
    assert!(run.pcm[8_000 * 42 / 10..8_000 * 59 / 10].iter().all(|x| *x == 0.0));
    assert!(run.ticks[250].idle && !run.ticks[450].idle);
    assert!(run.totals.concealed <= 6 * 160, "{:?}", run.totals);
    assert!(run.delay_ms(6, 10).iter().all(|d| *d == 0), "what is gone is not waited for");
    assert!(run.steepest() < 0.12, "{}", run.steepest());
}

/// Speaks for a while, then says that it is silent, as comfort noise packets do.
struct Spurts {
    given: usize,
    queued: usize,
}

impl Source for Spurts {
    fn next(&mut self, out: &mut [f32]) -> Got {
        self.given += 1;
        match self.given % 100 {
            0..50 => {
                out[..160].fill(0.25);
                Got::Decoded(160)
            }
            _ => Got::Silence(4_000),
        }
    }
    fn conceal(&mut self, out: &mut [f32]) {
        out.fill(0.0);
    }
    fn queued(&self) -> usize {
        self.queued
    }
    fn wanted(&self) -> isize {
        0
    }
}

#[test]
fn silence_of_the_sender_is_no_longer_than_needed() {
    let mut playout = Playout::new(RATE, 20);
    let mut source = Spurts { given: 0, queued: 0 };
    let mut frame = [0.0; 160];
    for _ in 0..500 {
        let tick = playout.pull(&mut source, &mut frame);
        assert!(!tick.idle && tick.concealed == 0 && tick.delay == 0);
    }
    assert_eq!(source.given, 500, "one step a tick, however long the silence claims to be");
}

/// Promises nothing reasonable.
struct Hostile(u32);

impl Source for Hostile {
    fn next(&mut self, out: &mut [f32]) -> Got {
        self.0 += 1;
        let n = [0, 1, 7, 160, out.len(), out.len() + 1, usize::MAX][self.0 as usize % 7];
        match self.0 / 3 % 5 {
            0 => Got::Decoded(n),
            1 => Got::Recovered(n),
            2 => Got::Lost(n),
            3 => Got::Silence(n),
            _ => Got::Nothing,
        }
    }
    fn conceal(&mut self, out: &mut [f32]) {
        out.fill(0.1);
    }
    fn queued(&self) -> usize {
        [0, 100_000][self.0 as usize / 50 % 2]
    }
    fn wanted(&self) -> isize {
        [0, isize::MAX / 2, isize::MIN, 3_000][self.0 as usize / 70 % 4]
    }
}

#[test]
fn an_absurd_source_is_borne() {
    for rate in [RATE, ClockRate::HZ_48000] {
        for frame_ms in [10, 20, 60] {
            let mut playout = Playout::new(rate, frame_ms);
            let mut out = vec![0.0; playout.frame_len()];
            let mut source = Hostile(0);
            for _ in 0..5_000 {
                playout.pull(&mut source, &mut out);
            }
            assert!(out.iter().all(|x| x.is_finite() && x.abs() <= 1.0));
        }
    }
}
