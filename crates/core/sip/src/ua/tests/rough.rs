//! Whatever a bad path does to the order and number of messages: loss, reordering and duplication, in virtual time.
//!
//! | what | in fair weather, or written out | in bad weather |
//! |---|---|---|
//! | old CSeq | `refusals::old_cseq_numbers_are_refused_with_500` | [`requests_that_are_overtaken_are_refused_and_harm_nothing`] |
//! | merged requests | `refusals::a_merged_request_is_refused_with_482`, `refusals::a_copy_of_another_request_is_merged_too` | [`copies_by_several_ways_make_one_call`] |
//! | spirals | `refusals::a_spiral_is_another_call` | [`a_spiral_makes_two_calls_in_whatever_order_it_comes`] |
//! | forked requests | `flows::the_second_fork_to_answer_is_acknowledged_and_hung_up`, `reliable::responses_out_of_order_and_of_several_callees` | [`of_several_callees_one_gets_the_call_and_the_others_are_hung_up`] |
//! | overlapping re-INVITE and UPDATE | `update::reinvite_and_update_meet`, `update::offers_of_the_peer_do_not_overlap`, `refusals::a_second_reinvite_must_wait_for_the_first` | [`offers_that_meet_come_to_an_end_each`] |
//! | glare, both back-offs | `reinvite::glare_is_resolved_by_waiting`, `update::the_owner_of_the_call_waits_longer` | [`offers_that_meet_come_to_an_end_each`] |
//! | failed re-INVITE | `reinvite::a_refused_reinvite_leaves_the_call_as_it_was` | [`a_refused_offer_leaves_the_call_running`] |
//! | ACK overtaken | `overtaken` | `overtaken::calls_that_hold_and_resume_at_once_survive_reordering` |
//! | late ACK | `confirm::a_late_ack_confirms_the_call` | [`an_ack_that_comes_late_confirms_once`] |
//! | missing ACK | `confirm::without_any_ack_the_callee_hangs_up_at_64_t1` | [`without_any_ack_both_sides_end`] |
//! | lost BYE | `hangup::a_bye_that_nobody_answers_ends_the_call_after_timer_f`, `hangup::a_lost_200_is_made_up_for` | [`a_bye_gets_through_or_times_out`] |
//! | 2xx again over TCP | `confirm::a_2xx_is_repeated_on_every_transport_and_then_the_call_is_ended` | [`over_tcp_a_2xx_is_repeated_and_heard_once`] |
//! | whole calls | `normal` | `loss`, `reliable::each_arrives_once_however_bad_the_path`, `update::offers_arrive_once_however_bad_the_path`, `random` |

use std::time::Duration;

use tandem_base::Entropy;
use tandem_testkit::{Conditions, Seeded};

use super::lone::{INVITE, Lone, PEER, response, to_tag, udp};
use super::world::fair;
use super::*;

fn rough() -> Conditions {
    Conditions {
        loss: 0.2,
        duplicate: 0.2,
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(200),
        reorder: true,
        ..Default::default()
    }
}

/// A call that stands, before the weather turns.
fn standing(seed: u64) -> (World, InviteId) {
    let mut world = World::new(fair(), seed);
    let id = established(&mut world, Protocol::Udp);
    world.set_conditions(rough());
    (world, id)
}

/// Lets `seconds` pass; every offer is answered and every question granted. Gives all that was told.
fn play(world: &mut World, seconds: u64) -> Vec<(Who, Event)> {
    let limit = world.now + Duration::from_secs(seconds);
    let mut told = Vec::new();
    loop {
        let more = world.step(limit);
        for who in [Who::Alice, Who::Bob] {
            while let Some(event) = world.peer(who).events.pop_front() {
                match &event {
                    Event::ReInvite { invite, .. } => world.command(who, answer(*invite)),
                    Event::Request { id, .. } => world.command(who, grant(*id)),
                    _ => {}
                }
                told.push((who, event));
            }
        }
        if !more {
            return told;
        }
    }
}

fn grant(request: RequestId) -> Command {
    Command::Respond { request, status: StatusCode::OK, headers: Headers::new(), body: None }
}

fn counted(told: &[(Who, Event)], by: Who, pick: impl Fn(&Event) -> bool) -> usize {
    told.iter().filter(|(who, event)| *who == by && pick(event)).count()
}

/// Hangs up in fair weather: the call was there until now.
fn end(mut world: World) {
    world.set_conditions(fair());
    world.run_until(world.now + Duration::from_secs(1));
    world.command(Who::Alice, bye(OUT));
    assert!(matches!(world.ended(Who::Bob), EndCause::Bye { .. }));
    assert!(matches!(world.ended(Who::Alice), EndCause::Local));
    world.assert_quiet_end();
}

/// The same ones in an order that the seed decides.
fn shuffled<T>(mut all: Vec<T>, seed: u64) -> Vec<T> {
    let mut entropy = Seeded::new(seed);
    for end in (1..all.len()).rev() {
        let at = usize::try_from(entropy.next_u64()).unwrap() % (end + 1);
        all.swap(at, end);
    }
    all
}

#[test]
fn requests_that_are_overtaken_are_refused_and_harm_nothing() {
    let (mut granted, mut refused) = (0, 0);
    for seed in 0..30 {
        let (mut world, _) = standing(seed);
        let ask =
            || Command::Request { invite: OUT, method: Method::Info, headers: Headers::new(), body: None };
        for _ in 0..5 {
            world.command(Who::Alice, ask());
        }
        let told = play(&mut world, 33);
        let heard: Vec<u32> = told
            .iter()
            .filter_map(|(_, event)| match event {
                Event::Request { request, .. } => Some(request.headers.cseq().unwrap().number),
                _ => None,
            })
            .collect();
        assert!(heard.is_sorted_by(|a, b| a < b), "seed {seed}: {heard:?}");
        let mut ends = Vec::new();
        for (_, event) in &told {
            if let Event::Response { result, .. } = event {
                ends.push(result.as_ref().unwrap().status.get());
            }
        }
        assert_eq!(ends.len(), 5, "seed {seed}");
        assert!(ends.iter().all(|code| [200, 500].contains(code)), "seed {seed}: {ends:?}");
        granted += ends.iter().filter(|code| **code == 200).count();
        refused += ends.iter().filter(|code| **code == 500).count();
        end(world);
    }
    assert!(granted > 30 && refused > 30, "{granted} and {refused}");
}

#[test]
fn copies_by_several_ways_make_one_call() {
    for seed in 0..50 {
        let mut lone = Lone::new();
        let branches = ["a", "a", "a", "b", "b", "c"];
        let mut first = None;
        for branch in shuffled(branches.to_vec(), seed) {
            lone.receive(udp(PEER), &INVITE.replace("z9hG4bKinvite", &format!("z9hG4bK{branch}")));
            let drew = lone.sent()[0].1[8..11].to_owned();
            if first.is_none() {
                first = Some((branch, lone.incoming()));
            }
            let expected = if first.is_some_and(|(known, _)| known == branch) { "100" } else { "482" };
            assert_eq!(drew, expected, "seed {seed}");
        }
        assert_eq!(lone.ua.usage_count(), 1);
        lone.command(reject(first.unwrap().1, 486));
        lone.assert_quiet_end();
    }
}

#[test]
fn a_spiral_makes_two_calls_in_whatever_order_it_comes() {
    for seed in 0..50 {
        let mut lone = Lone::new();
        let ways = [("1000", "a"), ("1000", "a"), ("1001", "b"), ("1001", "b"), ("1001", "c")];
        let mut calls = Vec::new();
        for (whom, branch) in shuffled(ways.to_vec(), seed) {
            let text = INVITE.replace("z9hG4bKinvite", &format!("z9hG4bK{branch}"));
            lone.receive(udp(PEER), &text.replacen("sip:1000@", &format!("sip:{whom}@"), 1));
            for output in &lone.out {
                if let Output::Event(Event::Incoming { invite, request, .. }) = output {
                    calls.push((request.uri.user_text().unwrap(), *invite));
                }
            }
        }
        calls.sort();
        let whom: Vec<&str> = calls.iter().map(|(whom, _)| whom.as_str()).collect();
        assert_eq!(whom, ["1000", "1001"], "seed {seed}");
        for (_, id) in calls {
            lone.command(answer(id));
            let tag = to_tag(&lone.sent()[0].1);
            lone.receive(udp(PEER), &super::lone::within("ACK", 1, &tag));
            lone.command(bye(id));
            let bye = lone.request("BYE");
            lone.receive(udp(PEER), &response(&bye, "200 OK", "c1", ""));
        }
        lone.assert_quiet_end();
    }
}

#[test]
fn of_several_callees_one_gets_the_call_and_the_others_are_hung_up() {
    for seed in 0..60 {
        let mut lone = Lone::new();
        lone.command(dial(Protocol::Udp));
        let invite = lone.request("INVITE");
        let of = |status: &str, tag: &str| {
            let contact = format!("Contact: <sip:{tag}@198.51.100.7>");
            response(&invite, status, tag, &contact)
        };
        let mut all = Vec::new();
        for tag in ["p", "q", "r"] {
            all.extend([of("180 Ringing", tag), of("180 Ringing", tag)]);
            all.extend([of("200 OK", tag), of("200 OK", tag), of("200 OK", tag)]);
        }
        let (mut answered, mut acks, mut byes) = (Vec::new(), 0, Vec::new());
        for text in shuffled(all, seed) {
            lone.receive(udp(PEER), &text);
            for output in &lone.out {
                if let Output::Event(Event::Answered { response, .. }) = output {
                    answered.push(response.headers.to().unwrap().tag().unwrap().to_owned());
                }
            }
            let sent: Vec<String> = lone.sent().into_iter().map(|(_, text)| text).collect();
            acks += sent.iter().filter(|text| text.starts_with("ACK")).count();
            byes.extend(sent.into_iter().filter(|text| text.starts_with("BYE")));
        }
        // Each 2xx is acknowledged each time, each callee but one hung up once.
        assert_eq!((answered.len(), acks, byes.len()), (1, 9, 2), "seed {seed}");
        assert!(
            byes.iter().all(|bye| to_tag(bye).lines().next() != Some(answered[0].as_str())),
            "seed {seed}"
        );
        for bye in byes {
            lone.receive(udp(PEER), &response(&bye, "200 OK", "x", ""));
        }
        assert_eq!(lone.ua.usage_count(), 1);
        lone.command(bye(OUT));
        let last = lone.request("BYE");
        lone.receive(udp(PEER), &response(&last, "200 OK", &answered[0], ""));
        lone.assert_quiet_end();
    }
}

type OfferBy = fn(InviteId, Option<Body>) -> Command;

const OFFERS: [(OfferBy, OfferBy); 4] =
    [(reinvite, reinvite), (reinvite, update), (update, reinvite), (update, update)];

#[test]
fn offers_that_meet_come_to_an_end_each() {
    let is_end =
        |event: &Event| matches!(event, Event::ReInviteAnswered { .. } | Event::ReInviteRejected { .. });
    let is_success = |event: &Event| matches!(event, Event::ReInviteAnswered { .. });
    let mut met = 0;
    for seed in 0..40 {
        for (ours, theirs) in OFFERS {
            let (mut world, id) = standing(seed);
            world.command(Who::Alice, ours(OUT, sdp("from alice")));
            world.command(Who::Bob, theirs(id, sdp("from bob")));
            let told = play(&mut world, 60);
            for who in [Who::Alice, Who::Bob] {
                assert_eq!(counted(&told, who, is_end), 1, "seed {seed} {who:?}");
                assert_eq!(
                    counted(&told, who, |event| matches!(event, Event::Ended { .. })),
                    0,
                    "seed {seed}"
                );
                met += usize::from(world.count(who, "SIP/2.0 491") > 0);
            }
            let successes = [Who::Alice, Who::Bob].map(|who| counted(&told, who, is_success));
            assert!(successes.iter().sum::<usize>() > 0, "seed {seed}");
            // And the next offer passes.
            world.command(Who::Bob, update(id, sdp("again")));
            let told = play(&mut world, 33);
            assert_eq!(counted(&told, Who::Bob, is_success), 1, "seed {seed}");
            end(world);
        }
    }
    assert!(met > 100, "{met}");
}

#[test]
fn a_refused_offer_leaves_the_call_running() {
    for seed in 0..30 {
        for offer in [reinvite, update] {
            let (mut world, id) = standing(seed);
            world.command(Who::Alice, offer(OUT, sdp("video?")));
            world.find(Who::Bob, |event| matches!(event, Event::ReInvite { .. }).then_some(()));
            world.command(Who::Bob, reject(id, 488));
            let told = play(&mut world, 40);
            let is_refusal = |event: &Event| match event {
                Event::ReInviteRejected { failure: Failure::Rejected(response), .. } => {
                    response.status == status(488)
                }
                _ => false,
            };
            assert_eq!((counted(&told, Who::Alice, is_refusal), told.len()), (1, 1), "seed {seed}");
            world.command(Who::Alice, offer(OUT, sdp("hold")));
            let told = play(&mut world, 40);
            let accepted = |event: &Event| matches!(event, Event::ReInviteAnswered { .. });
            assert_eq!(counted(&told, Who::Alice, accepted), 1, "seed {seed}");
            end(world);
        }
    }
}

/// A call from Alice in bad weather that Bob answers as soon as it arrives.
fn answered_at_once(seed: u64, protocol: Protocol, conditions: Conditions) -> World {
    let mut world = World::new(conditions, seed);
    world.drop = |sent| sent.line.starts_with("ACK") && sent.at < Time::from_millis(6_000);
    world.command(Who::Alice, dial(protocol));
    let id = incoming(&mut world);
    world.command(Who::Bob, answer(id));
    world
}

fn is_answered(event: &Event) -> bool {
    matches!(event, Event::Answered { .. })
}

fn is_confirmed(event: &Event) -> bool {
    matches!(event, Event::Confirmed { .. })
}

#[test]
fn an_ack_that_comes_late_confirms_once() {
    for seed in 0..30 {
        let mut world = answered_at_once(seed, Protocol::Udp, rough());
        let told = play(&mut world, 40);
        assert_eq!(counted(&told, Who::Alice, is_answered), 1, "seed {seed}");
        assert_eq!(counted(&told, Who::Bob, is_confirmed), 1, "seed {seed}");
        end(world);
    }
}

#[test]
fn without_any_ack_both_sides_end() {
    for seed in 0..30 {
        let mut world = World::new(rough(), seed);
        world.drop = |sent| sent.line.starts_with("ACK");
        world.command(Who::Alice, dial(Protocol::Udp));
        let id = incoming(&mut world);
        let answered = world.now;
        world.command(Who::Bob, answer(id));
        assert!(matches!(world.ended(Who::Bob), EndCause::NoAck), "seed {seed}");
        assert_eq!(world.now.since(answered), Duration::from_secs(32), "seed {seed}");
        assert!(matches!(world.ended(Who::Alice), EndCause::Bye { .. }), "seed {seed}");
        world.assert_quiet_end();
    }
}

#[test]
fn over_tcp_a_2xx_is_repeated_and_heard_once() {
    // TCP keeps the order and loses nothing, but the proxy behind it may.
    let stream = Conditions { jitter: Duration::from_millis(100), ..fair() };
    for seed in 0..20 {
        let mut world = answered_at_once(seed, Protocol::Tcp, stream);
        let told = play(&mut world, 40);
        assert_eq!(counted(&told, Who::Alice, is_answered), 1, "seed {seed}");
        assert_eq!(counted(&told, Who::Bob, is_confirmed), 1, "seed {seed}");
        // At 0, 0.5, 1.5, 3.5 and 7.5 s, each acknowledged.
        assert_eq!(
            (world.count(Who::Bob, "SIP/2.0 200"), world.count(Who::Alice, "ACK")),
            (5, 5),
            "seed {seed}"
        );
        end(world);
    }
}

#[test]
fn a_bye_gets_through_or_times_out() {
    for seed in 0..30 {
        let (mut world, id) = standing(seed);
        let (by, own) = if seed % 2 == 0 { (Who::Alice, OUT) } else { (Who::Bob, id) };
        world.drop = |sent| sent.line.starts_with("BYE") && sent.at < Time::from_millis(4_000);
        world.command(by, bye(own));
        assert!(matches!(world.ended(by.other()), EndCause::Bye { .. }), "seed {seed}");
        assert!(matches!(world.ended(by), EndCause::Local), "seed {seed}");
        world.assert_quiet_end();
    }
    let (mut world, _) = standing(1);
    world.drop = |sent| sent.line.starts_with("BYE");
    let start = world.now;
    world.command(Who::Alice, bye(OUT));
    assert!(matches!(world.ended(Who::Alice), EndCause::Local));
    assert_eq!(world.now.since(start), Duration::from_secs(32));
}
