use proptest::prelude::*;

use super::*;

fn join(n: u64) -> Input {
    Input::Join { leg: LegId(n), display_name: format!("caller {n}") }
}

fn step(conference: &mut Conference, input: Input) -> Vec<Output> {
    let mut out = Vec::new();
    conference.handle(input, Time::from_millis(7), &mut out);
    out
}

fn refused_with(out: &[Output]) -> Option<u16> {
    match out {
        [Output::Refused { fault, .. }] => Some(fault.status),
        _ => None,
    }
}

#[test]
fn a_conference_lives_from_first_to_last() {
    let mut c = Conference::new(ConferenceId(1), Policy::default());
    assert_eq!(step(&mut c, join(1)), [Output::Admitted { leg: LegId(1) }]);
    assert_eq!(step(&mut c, join(2)), [Output::Admitted { leg: LegId(2) }]);
    assert_eq!(c.roster()[&LegId(2)].joined, Time::from_millis(7));
    assert_eq!(step(&mut c, Input::Leave { leg: LegId(1) }), [Output::Left { leg: LegId(1) }]);
    let end = step(&mut c, Input::Leave { leg: LegId(2) });
    assert_eq!(end, [Output::Left { leg: LegId(2) }, Output::Ended]);
    assert_eq!(refused_with(&step(&mut c, join(3))), Some(480));
}

#[test]
fn the_active_speaker_is_who_talks_and_stays_until_somebody_else_does() {
    let mut c = Conference::new(ConferenceId(1), Policy::default());
    let mut at = 0;
    let mut talk = |c: &mut Conference, n: u64, talking| {
        let mut out = Vec::new();
        at += 1_000;
        c.handle(Input::Talk { leg: LegId(n), talking }, Time::from_millis(at), &mut out);
        out
    };
    for n in 1..=3 {
        step(&mut c, join(n));
    }
    assert_eq!(talk(&mut c, 9, true), []);
    assert_eq!(talk(&mut c, 2, true), [Output::ActiveSpeaker(Some(LegId(2)))]);
    assert_eq!(talk(&mut c, 3, true), [], "who interrupts");
    assert_eq!(talk(&mut c, 1, true), []);
    assert_eq!(talk(&mut c, 2, false), [Output::ActiveSpeaker(Some(LegId(3)))], "has talked longer");
    assert_eq!(talk(&mut c, 1, false), []);
    assert_eq!(talk(&mut c, 3, false), [], "a pause");
    assert_eq!(c.active_speaker(), Some(LegId(3)));
    let left = step(&mut c, Input::Leave { leg: LegId(3) });
    assert_eq!(left, [Output::Left { leg: LegId(3) }, Output::ActiveSpeaker(None)]);
}

#[test]
fn full_and_locked_rooms_refuse() {
    let mut c = Conference::new(ConferenceId(1), Policy { max_participants: Some(1) });
    step(&mut c, join(1));
    assert_eq!(refused_with(&step(&mut c, join(2))), Some(486));
    step(&mut c, Input::Leave { leg: LegId(9) });
    assert_eq!(c.roster().len(), 1, "a stranger's leaving changes nothing");

    let mut c = Conference::new(ConferenceId(2), Policy::default());
    step(&mut c, join(1));
    step(&mut c, Input::Lock(true));
    assert_eq!(refused_with(&step(&mut c, join(2))), Some(403));
    step(&mut c, Input::Lock(false));
    assert_eq!(step(&mut c, join(2)), [Output::Admitted { leg: LegId(2) }]);
    assert_eq!(refused_with(&step(&mut c, join(2))), Some(500));
}

proptest! {
    #[test]
    fn the_roster_is_who_was_admitted_and_did_not_leave(
        steps in prop::collection::vec((any::<bool>(), 0u64..8), 0..100), max in 1usize..6
    ) {
        let mut c = Conference::new(ConferenceId(1), Policy { max_participants: Some(max) });
        let mut inside = std::collections::BTreeSet::new();
        let mut ended = 0;
        for (joins, n) in steps {
            let input = if joins { join(n) } else { Input::Leave { leg: LegId(n) } };
            for output in step(&mut c, input) {
                match output {
                    Output::Admitted { leg } => prop_assert!(inside.insert(leg)),
                    Output::Left { leg } => prop_assert!(inside.remove(&leg)),
                    Output::Refused { .. } | Output::ActiveSpeaker(_) => {}
                    Output::Ended => ended += 1,
                }
            }
            prop_assert!(inside.len() <= max);
            prop_assert!(c.roster().keys().eq(&inside));
        }
        prop_assert!(ended <= 1);
    }
}
