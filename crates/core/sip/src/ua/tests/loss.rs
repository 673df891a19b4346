use std::time::Duration;

use tandem_testkit::Conditions;

use super::*;

/// The whole call over a path that loses, repeats and reorders. `by` hangs up.
fn complete(loss: f64, seed: u64, by: Who) {
    let rough = Conditions {
        loss,
        duplicate: 0.1,
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(200),
        reorder: true,
        ..Default::default()
    };
    let mut world = World::new(rough, seed);
    world.command(Who::Alice, dial(Protocol::Udp));
    let id = incoming(&mut world);
    world.command(Who::Bob, ring(id));
    world.run_until(world.now + Duration::from_secs(2));
    world.command(Who::Bob, answer(id));
    world.find(Who::Bob, |event| matches!(event, Event::Confirmed { .. }).then_some(()));
    world.find(Who::Alice, |event| matches!(event, Event::Answered { .. }).then_some(()));
    let own = if by == Who::Alice { OUT } else { id };
    world.command(by, bye(own));
    assert!(matches!(world.ended(by.other()), EndCause::Bye { .. }), "seed {seed}");
    assert!(matches!(world.ended(by), EndCause::Local), "seed {seed}");
    world.assert_quiet_end();
}

#[test]
fn calls_complete_with_a_fifth_lost() {
    for seed in 0..40 {
        complete(0.2, seed, if seed % 2 == 0 { Who::Alice } else { Who::Bob });
    }
}

#[test]
fn calls_complete_with_two_fifths_lost() {
    for seed in 0..40 {
        complete(0.4, seed, if seed % 2 == 0 { Who::Bob } else { Who::Alice });
    }
}

#[test]
fn a_call_into_the_void_times_out_after_64_t1() {
    let mut world = World::new(Conditions { loss: 1.0, ..Default::default() }, 1);
    world.command(Who::Alice, dial(Protocol::Udp));
    assert!(matches!(world.ended(Who::Alice), EndCause::Failed(Failure::Timeout)));
    assert_eq!(world.now, ms(32_000));
    assert_eq!(world.times(Who::Alice, "INVITE"), [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    world.assert_quiet_end();
}

#[test]
fn a_refusal_is_repeated_until_acknowledged() {
    let mut world = World::new(super::world::fair(), 1);
    world.drop = |sent| sent.line.starts_with("ACK") && sent.at < Time::from_millis(5_000);
    world.command(Who::Alice, dial(Protocol::Udp));
    let id = incoming(&mut world);
    world.command(Who::Bob, reject(id, 486));
    world.ended(Who::Bob);
    world.ended(Who::Alice);
    world.run_until(ms(30_000));
    assert_eq!(world.times(Who::Bob, "SIP/2.0 486"), [10, 510, 1_510, 3_510, 7_510]);
    assert_eq!(world.count(Who::Alice, "ACK"), 5);
    world.assert_quiet_end();
}
