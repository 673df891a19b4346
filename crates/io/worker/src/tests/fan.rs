//! A room in two places: a part that mixes, and an annex 5 ms later.

use std::time::Duration;

use allocation_counter::measure;
use tandem_base::{AudioFormat, ClockRate, Ssrc};

use super::stage::{OPUS, Stage, conference};
use crate::fan::{AnnexId, tie};

use AudioFormat::{G722, Pcma, Pcmu};

const ANNEX: AnnexId = AnnexId { worker: 1, phase: 1 };

/// The owner's stage and its annex's.
struct Parts {
    owner: Stage,
    annex: Stage,
}

impl Parts {
    fn new() -> Self {
        let (mut owner, mut annex) = (conference(), conference());
        let (annex_end, owner_end) = tie(ANNEX);
        owner.group.tie(*annex_end);
        annex.group.belong(owner_end);
        annex.now += Duration::from_millis(5);
        Parts { owner, annex }
    }

    fn join_annex(&mut self, format: AudioFormat, ptime_ms: u8, tone: Option<f64>) -> usize {
        let n = self.annex.join(format, ptime_ms, tone);
        self.annex.phones[n].ssrc = Ssrc(0x2000 + n as u32);
        n
    }

    fn run(&mut self, ticks: usize) {
        for _ in 0..ticks {
            self.owner.run(1);
            self.annex.run(1);
        }
    }

    /// Everybody hears everybody else in the whole room within `tolerance`, and themselves below `own`, dB.
    fn assert_heard(&self, tolerance: f64, own: f64) {
        let phones: Vec<_> = self.owner.phones.iter().chain(&self.annex.phones).collect();
        for (n, phone) in phones.iter().enumerate() {
            for (m, other) in phones.iter().enumerate() {
                let Some(hz) = other.tone else { continue };
                let level = phone.level(hz, 500);
                if n == m {
                    assert!(level < own, "phone {n} hears itself at {level:.1} dB");
                } else {
                    assert!(level.abs() < tolerance, "phone {n} hears phone {m} at {level:.1} dB");
                }
            }
        }
    }
}

#[test]
fn both_parts_hear_each_other_and_nobody_themselves() {
    let mut room = Parts::new();
    room.owner.join(Pcmu, 20, Some(440.0));
    room.owner.join(Pcmu, 20, None);
    room.join_annex(Pcma, 20, Some(617.0));
    room.join_annex(Pcmu, 20, Some(1_031.0));
    room.join_annex(Pcmu, 20, None);
    room.run(75);
    room.assert_heard(0.5, -40.0);
    assert_eq!(room.owner.phones[1].csrcs, [Ssrc(0x1000), Ssrc(0x2000), Ssrc(0x2001)]);
    assert_eq!(room.annex.phones[0].csrcs, [Ssrc(0x1000), Ssrc(0x2001)]);
    for stage in [&room.owner, &room.annex] {
        assert!(stage.phones.iter().all(|p| p.timestamps_are_even(20) && p.headers.len() >= 75));
        assert_eq!(stage.tally.late_frames, 0);
    }
}

#[test]
fn a_room_without_a_limit_hears_all_of_both_parts() {
    let mut room = Parts::new();
    room.owner.audio.loudest = 0;
    room.annex.audio.loudest = 0;
    for n in 0..3 {
        room.owner.join(Pcmu, 20, Some(400.0 + 250.0 * f64::from(n)));
        room.join_annex(Pcmu, 20, Some(525.0 + 250.0 * f64::from(n)));
    }
    room.run(75);
    room.assert_heard(0.5, -35.0);
}

#[test]
fn the_limit_is_that_of_the_whole_room() {
    let mut room = Parts::new();
    for stage in [&mut room.owner, &mut room.annex] {
        stage.audio.loudest = 1;
    }
    room.owner.join(Pcmu, 20, Some(440.0));
    let listener = room.owner.join(Pcmu, 20, None);
    room.join_annex(Pcmu, 20, Some(617.0));
    let other = room.join_annex(Pcmu, 20, None);
    room.run(75);
    for phone in [&room.owner.phones[listener], &room.annex.phones[other]] {
        let (one, two) = (phone.level(440.0, 500), phone.level(617.0, 500));
        assert!((one.abs() < 0.5) != (two.abs() < 0.5), "{one:.1} and {two:.1} dB");
        assert!(one.min(two) < -40.0, "{one:.1} and {two:.1} dB");
        assert_eq!(phone.csrcs.len(), 1);
    }
}

#[test]
fn the_best_rate_of_any_part_is_that_of_all() {
    let mut room = Parts::new();
    room.owner.join(Pcmu, 20, Some(440.0));
    room.join_annex(Pcmu, 20, Some(617.0));
    room.run(20);
    room.join_annex(G722, 20, Some(800.0));
    room.run(4);
    assert_eq!(room.owner.group.room_rate(), ClockRate::HZ_16000);
    assert_eq!(room.annex.group.room_rate(), ClockRate::HZ_16000);
    room.join_annex(OPUS, 20, Some(1_031.0));
    room.owner.join(OPUS, 60, None);
    room.run(100);
    assert_eq!(room.annex.group.room_rate(), ClockRate::HZ_48000);
    room.assert_heard(1.5, -34.0);
    assert!(room.annex.phones.iter().all(|p| p.timestamps_are_even(20)));
}

#[test]
fn what_the_owner_skips_runs_on_in_the_annex_too() {
    let mut room = Parts::new();
    room.owner.join(Pcmu, 20, Some(440.0));
    let n = room.join_annex(Pcmu, 20, Some(617.0));
    room.run(50);
    let got = room.annex.phones[n].headers.len();
    room.owner.skip(3);
    room.annex.run(3);
    assert_eq!(room.annex.phones[n].headers.len(), got, "there is nothing to hear");
    room.run(50);
    let headers = &room.annex.phones[n].headers;
    let gap = headers[got].timestamp.wrapping_sub(headers[got - 1].timestamp);
    assert_eq!(gap, 4 * 160, "no delay is left behind");
    room.assert_heard(0.5, -40.0);
}

#[test]
fn an_annex_that_stalls_stalls_nobody_else() {
    let mut room = Parts::new();
    let a = room.owner.join(Pcmu, 20, Some(440.0));
    let b = room.owner.join(Pcmu, 20, Some(800.0));
    let c = room.join_annex(Pcmu, 20, Some(617.0));
    room.run(50);
    room.owner.run(50);
    let owner = &room.owner;
    assert!(owner.phones[a].level(800.0, 500).abs() < 0.5 && owner.phones[b].level(440.0, 500).abs() < 0.5);
    assert!(owner.phones[a].level(617.0, 200) < -60.0, "nor is anything heard twice");
    assert!(owner.tally.late_frames >= 47, "{}", owner.tally.late_frames);
    room.annex.now += Duration::from_millis(1_000);
    let before = room.annex.phones[c].headers.len();
    room.run(50);
    room.assert_heard(0.5, -40.0);
    // It gets what waited for it, and is in step then.
    assert!((50..=52).contains(&(room.annex.phones[c].headers.len() - before)));
}

#[test]
fn an_annex_without_an_owner_is_silent_and_lives() {
    let mut room = Parts::new();
    room.owner.join(Pcmu, 20, Some(440.0));
    let n = room.join_annex(Pcmu, 20, Some(617.0));
    room.run(10);
    drop(room.owner);
    let got = room.annex.phones[n].headers.len();
    room.annex.run(20);
    assert!(room.annex.phones[n].headers.len() <= got + 1);
    assert!(room.annex.events.is_empty());
}

#[test]
fn nothing_is_allocated_for_a_tick() {
    for loudest in [0, 4] {
        let mut room = Parts::new();
        for stage in [&mut room.owner, &mut room.annex] {
            stage.audio.loudest = loudest;
        }
        for n in 0..12u16 {
            let format = [Pcmu, G722, OPUS][usize::from(n % 3)];
            let tone = (n % 3 == 0).then_some(400.0 + 90.0 * f64::from(n));
            room.owner.join(format, 20, tone);
            room.join_annex(format, 20, tone.map(|hz| hz + 45.0));
        }
        room.run(50);
        for _ in 0..50 {
            for stage in [&mut room.owner, &mut room.annex] {
                stage.run_measured(1, |step| assert_eq!(measure(step).count_total, 0, "loudest {loudest}"));
            }
        }
    }
}
