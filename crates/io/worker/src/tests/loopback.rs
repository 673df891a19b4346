//! The threads themselves, over real sockets.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};
use tandem_base::{
    Attachment, AudioFormat, ConferenceId, Epoch, LegId, LocalMedia, MediaEvent, MediaTimeout, MediaTimeouts,
    RoomAudio,
};

use super::phone::{Phone, stream};
use super::stage::{FOR_EVER, OPUS};
use crate::{WorkerMetrics, WorkerOptions, Workers};

use AudioFormat::Pcmu;

fn start(ports: &str, threads: usize) -> (Workers, Receiver<MediaEvent>) {
    start_with(ports, |options| options.threads = threads)
}

fn start_with(ports: &str, adjust: impl FnOnce(&mut WorkerOptions)) -> (Workers, Receiver<MediaEvent>) {
    let (events, receiver) = bounded(1_024);
    let mut options = WorkerOptions { ports: ports.parse().unwrap(), realtime: false, ..Default::default() };
    adjust(&mut options);
    (Workers::start(options, events).unwrap(), receiver)
}

/// A phone with a socket of its own.
struct Caller {
    phone: Phone,
    socket: UdpSocket,
    local: LocalMedia,
}

fn call(workers: &Workers, n: u16, tone: Option<f64>, attachment: Attachment) -> Caller {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let mut phone = Phone::new(n, Pcmu, 20, tone);
    phone.address = socket.local_addr().unwrap();
    let leg = LegId(u64::from(n));
    let local = workers.open(leg, FOR_EVER).unwrap();
    workers
        .configure(leg, Epoch(1), stream(Pcmu, 20, phone.address), attachment, RoomAudio::default())
        .unwrap();
    Caller { phone, socket, local }
}

/// Speaks and listens in real time until `done`, for ten seconds at most.
fn converse(callers: &mut [Caller], done: impl Fn(&[Caller]) -> bool) {
    let began = Instant::now();
    let mut due = began;
    while !done(callers) {
        assert!(began.elapsed() < Duration::from_secs(10), "nothing was heard");
        for caller in callers.iter_mut() {
            let packet = caller.phone.speak();
            caller.socket.send_to(&packet, caller.local.rtp).unwrap();
            let mut buffer = [0; 2_048];
            while let Ok(len) = caller.socket.recv(&mut buffer) {
                caller.phone.hear(&buffer[..len]);
            }
        }
        due += Duration::from_millis(20);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}

fn closed(events: &Receiver<MediaEvent>, expected: LegId) -> tandem_base::LegReport {
    loop {
        match events.recv_timeout(Duration::from_secs(5)).unwrap() {
            MediaEvent::Closed { leg, report } if leg == expected => return *report,
            MediaEvent::Talk { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

fn await_metrics(workers: &Workers, wanted: impl Fn(&WorkerMetrics) -> bool) {
    let began = Instant::now();
    while !wanted(&workers.metrics()) {
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", workers.metrics());
        std::thread::sleep(Duration::from_millis(1));
    }
}

const ROOM: Attachment = Attachment::Conference(ConferenceId(1));

#[test]
fn two_callers_hear_each_other_over_sockets() {
    let (workers, events) = start("42000-42099", 1);
    let mut callers = vec![call(&workers, 1, Some(440.0), ROOM), call(&workers, 2, Some(617.0), ROOM)];
    converse(&mut callers, |c| c.iter().all(|c| c.phone.headers.len() >= 60));
    let level = |n: usize, hz| callers[n].phone.level(hz, 400);
    // A busy machine may lose a frame: what matters is who hears whom.
    assert!(level(0, 617.0).abs() < 3.0 && level(1, 440.0).abs() < 3.0);
    assert!(level(0, 440.0) < -30.0 && level(1, 617.0) < -30.0);
    let m = workers.metrics();
    assert_eq!((m.threads, m.legs, m.conferences, m.renditions), (1, 2, 1, 1));
    assert!(m.ticks >= 60 && m.packets_in >= 100 && m.packets_out >= 120, "{m:?}");
    workers.close(LegId(1));
    let report = closed(&events, LegId(1));
    assert!(report.received.packets >= 50 && report.sent.packets >= 60);
    workers.shutdown();
    closed(&events, LegId(2));
    assert_eq!(workers.open(LegId(3), FOR_EVER).unwrap_err().status, 503);
}

#[test]
fn a_leg_moves_to_a_conference_on_another_thread() {
    let (workers, events) = start("42100-42199", 2);
    let other = Attachment::Conference(ConferenceId(2));
    let mut callers = vec![call(&workers, 1, Some(440.0), ROOM), call(&workers, 2, Some(617.0), other)];
    converse(&mut callers, |c| c.iter().all(|c| c.phone.headers.len() >= 10));
    assert!(callers[0].phone.level(617.0, 100) < -30.0, "not in one room yet");
    let stream = stream(Pcmu, 20, callers[0].phone.address);
    workers.configure(LegId(1), Epoch(2), stream, other, RoomAudio::default()).unwrap();
    let (a, b) = (callers[0].phone.headers.len() + 60, callers[1].phone.headers.len() + 60);
    converse(&mut callers, |c| c[0].phone.headers.len() >= a && c[1].phone.headers.len() >= b);
    assert!(callers[0].phone.level(617.0, 400).abs() < 3.0);
    assert!(callers[1].phone.level(440.0, 400).abs() < 3.0);
    assert_eq!(workers.metrics().conferences, 1);
    for n in [1, 2] {
        workers.close(LegId(n));
        closed(&events, LegId(n));
    }
}

#[test]
fn an_idle_worker_wakes_for_a_call_and_rests_again() {
    let (workers, events) = start("42200-42299", 1);
    let limits = MediaTimeouts { setup: Duration::from_millis(100), ..FOR_EVER };
    let local = workers.open(LegId(1), limits).unwrap();
    assert_eq!(local.rtp.port() + 1, local.rtcp.port());
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let stream = stream(Pcmu, 20, peer.local_addr().unwrap());
    workers.configure(LegId(1), Epoch(1), stream, Attachment::Tone, RoomAudio::default()).unwrap();
    let event = events.recv_timeout(Duration::from_secs(5)).unwrap();
    assert_eq!(event, MediaEvent::Timeout { leg: LegId(1), epoch: Epoch(1), kind: MediaTimeout::Setup });
    workers.close(LegId(1));
    closed(&events, LegId(1));
    // The event is told before the figures.
    await_metrics(&workers, |m| (m.legs, m.renditions) == (0, 0));
    let after = workers.metrics();
    // Opened and never configured: only the event is owed.
    workers.open(LegId(2), limits).unwrap();
    workers.close(LegId(2));
    assert_eq!(closed(&events, LegId(2)), Default::default());
    assert_eq!(workers.metrics().ticks, after.ticks, "no tick without legs");
}

#[test]
fn misuse_is_a_fault() {
    let (workers, _events) = start("42300-42399", 1);
    workers.open(LegId(1), FOR_EVER).unwrap();
    assert_eq!(workers.open(LegId(1), FOR_EVER).unwrap_err().status, 500);
    let peer = "127.0.0.1:9".parse().unwrap();
    let missing = workers.configure(LegId(9), Epoch(1), stream(Pcmu, 20, peer), ROOM, RoomAudio::default());
    assert_eq!(missing.unwrap_err().status, 500);
    workers.close(LegId(9));
}

#[test]
fn a_room_too_big_for_one_thread_is_heard_on_both_and_shrinks_again() {
    let (workers, events) = start_with("42400-42499", |o| (o.threads, o.part) = (2, 2));
    let tones = [440.0, 617.0, 1_031.0, 1_409.0].map(Some);
    let mut callers: Vec<Caller> =
        (0u16..).zip(tones).map(|(n, tone)| call(&workers, n, tone, ROOM)).collect();
    // A busy machine may lose a frame: waited for is a time in which it loses none.
    let heard = |c: &[Caller]| {
        c.iter().enumerate().all(|(n, caller)| {
            tones.iter().flatten().enumerate().all(|(m, hz)| {
                let level = caller.phone.level(*hz, 200);
                if n == m { level < -30.0 } else { level.abs() < 1.0 }
            })
        })
    };
    converse(&mut callers, heard);
    let m = workers.metrics();
    assert_eq!((m.legs, m.conferences, m.annexes), (4, 1, 1));
    // The part that mixes loses its legs, the other stays.
    for n in [0, 1] {
        workers.close(LegId(n));
        closed(&events, LegId(n));
    }
    callers.drain(..2);
    let alone = |c: &[Caller]| {
        let level = |hz| c[0].phone.level(hz, 200);
        level(1_409.0).abs() < 1.0 && level(440.0) < -40.0 && level(617.0) < -40.0
    };
    converse(&mut callers, alone);
    for n in [2, 3] {
        workers.close(LegId(n));
        closed(&events, LegId(n));
    }
    await_metrics(&workers, |m| (m.conferences, m.annexes) == (0, 0));
}

#[test]
fn a_hundred_legs_that_join_and_leave_each_second_disturb_nobody() {
    let (workers, events) = start_with("43000-43999", |o| (o.threads, o.part) = (2, 20));
    let mut callers: Vec<Caller> =
        (0..8).map(|n| call(&workers, n, (n < 2).then_some(440.0 + 177.0 * f64::from(n)), ROOM)).collect();
    converse(&mut callers, |c| c.iter().all(|c| c.phone.headers.len() >= 25));
    for caller in &mut callers {
        // What is looked at begins here, when all have joined.
        caller.phone.headers.drain(..caller.phone.headers.len() - 1);
    }
    let before = workers.metrics();
    let (ticks, each) = (150, 10);
    let crowd = std::thread::scope(|scope| {
        let crowd = scope.spawn(|| come_and_go(&workers, Duration::from_millis(each), 300));
        converse(&mut callers, |c| c.iter().all(|c| c.phone.headers.len() >= ticks));
        crowd.join().unwrap()
    });
    let after = workers.metrics();
    assert_eq!(crowd, 300);
    assert_eq!(events.try_iter().filter(|e| !matches!(e, MediaEvent::Closed { .. })).count(), 0);
    let missed = after.missed - before.missed;
    // A shared machine may take a thread's core away now and then.
    assert!(missed * 10 <= after.ticks - before.ticks, "{missed} of {} ticks", after.ticks - before.ticks);
    for (n, caller) in callers.iter().enumerate() {
        // That no sequence number is left out is seen to by the phone.
        let jumps = caller.phone.headers.windows(2);
        let jumps = jumps.filter(|w| w[1].timestamp.wrapping_sub(w[0].timestamp) != 160).count();
        assert!(jumps as u64 <= missed, "phone {n}: {jumps} gaps");
        let others = callers.iter().enumerate().filter(|(m, c)| *m != n && c.phone.tone.is_some());
        for hz in others.filter_map(|(_, c)| c.phone.tone) {
            let level = caller.phone.level(hz, 200);
            assert!(missed > 0 || level.abs() < 1.0, "phone {n}: {level:.1} dB");
        }
    }
}

/// Legs of all codecs join and, ten later, leave; how many did.
fn come_and_go(workers: &Workers, each: Duration, legs: u64) -> u64 {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let began = Instant::now();
    for n in 0..legs + 10 {
        std::thread::sleep((began + each * n as u32).saturating_duration_since(Instant::now()));
        if n < legs {
            let leg = LegId(1_000 + n);
            workers.open(leg, FOR_EVER).unwrap();
            let format = [Pcmu, AudioFormat::Pcma, AudioFormat::G722, OPUS][n as usize % 4];
            let stream = stream(format, 20, peer.local_addr().unwrap());
            workers.configure(leg, Epoch(1), stream, ROOM, RoomAudio::default()).unwrap();
        }
        if n >= 10 {
            workers.close(LegId(990 + n));
        }
    }
    legs
}
