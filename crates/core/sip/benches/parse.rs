//! Reading messages: a common INVITE, and the worst that a datagram can hold, by the parser alone and by the whole
//! user agent.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a benchmark takes time and tells it"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use tandem_base::Time;
use tandem_sip::ua::*;
use tandem_sip::{Host, Message, Method};
use tandem_testkit::{Seeded, common_invite, worst_datagrams};

fn agent() -> UserAgent {
    let local = "192.0.2.2:5060".parse().unwrap_or_else(|_| unreachable!());
    let listener =
        Listener { protocol: Protocol::Udp, local, host: Host::from(local.ip()), port: Some(5060) };
    let identity = Identity {
        listeners: vec![listener],
        product: "Tandem".to_owned(),
        allow: vec![Method::Invite, Method::Ack, Method::Bye, Method::Cancel, Method::Options],
        supported: Vec::new(),
        demanded: Vec::new(),
        security: Vec::new(),
        accept: vec!["application/sdp".to_owned()],
    };
    UserAgent::new(Config {
        identity,
        timing: tandem_sip::transaction::Timing::default(),
        limits: Limits::default(),
    })
}

/// One datagram, to an agent that has seen nothing before. The agent's end is not counted.
fn handle(bytes: &Bytes) -> Duration {
    let (Ok(local), Ok(remote)) = ("192.0.2.2:5060".parse(), "198.51.100.7:5060".parse()) else {
        return Duration::MAX;
    };
    let flow = Flow { id: FlowId(1), protocol: Protocol::Udp, local, remote };
    let (mut agent, mut entropy, mut out) = (agent(), Seeded::new(1), Vec::new());
    let began = Instant::now();
    agent.handle(Input::Received { flow, bytes: bytes.clone() }, Time::ZERO, &mut entropy, &mut out);
    let took = began.elapsed();
    black_box((agent, out));
    took
}

fn common(criterion: &mut Criterion) {
    let bytes = Bytes::from(common_invite());
    criterion.bench_function("parse an INVITE of 1.2 kB", |b| {
        b.iter(|| black_box(Message::parse(black_box(&bytes).clone())));
    });
    let Ok(message) = Message::parse(bytes.clone()) else { return };
    criterion.bench_function("write it", |b| b.iter(|| black_box(black_box(&message).to_bytes())));
}

/// The best of many short runs: what it takes while nobody else has the core.
fn parse_at_best() -> Duration {
    const PER_RUN: u32 = 20;
    let bytes = Bytes::from(common_invite());
    let run = |_| {
        let began = Instant::now();
        (0..PER_RUN).for_each(|_| drop(black_box(Message::parse(black_box(&bytes).clone()))));
        began.elapsed() / PER_RUN
    };
    (0..20_000).map(run).min().unwrap_or_default()
}

/// Not by criterion: it would run each for seconds, of which the making of user agents is most.
fn worst(_: &mut Criterion) {
    const TIMES: usize = 31;
    println!("the common INVITE, parsed only: least {:?}", parse_at_best());
    let all = worst_datagrams().into_iter().chain([("the common INVITE", common_invite())]);
    let mut lines: Vec<(Duration, String)> = all
        .map(|(name, octets)| {
            let bytes = Bytes::from(octets);
            let mut took: Vec<Duration> = (0..TIMES).map(|_| handle(black_box(&bytes))).collect();
            took.sort();
            let (least, median) = (took[0], took[TIMES / 2]);
            let length = bytes.len();
            (least, format!("{name:<40} {length:>6} octets  least {least:>9.1?}  median {median:>9.1?}"))
        })
        .collect();
    lines.sort();
    let table: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
    println!("one datagram through a new user agent, fastest kind first:\n{}", table.join("\n"));
}

criterion_group!(benches, common, worst);
criterion_main!(benches);
