use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};
use tandem_base::{
    Attachment, AudioStream, Blame, Entropy, Epoch, Fault, LegId, LegSound, LocalMedia, MediaEvent,
    MediaTimeouts, RoomAudio, Time,
};
use tandem_transport::{PortPair, PortPool};

use crate::codecs::Codecs;
use crate::command::{Command, Destination, Traveller};
use crate::fan;
use crate::group::Member;
use crate::leg::{Configuration, Leg, Treatment};
use crate::metrics::{Counters, total};
use crate::placement::{self, Emptied, Joined, Placement, Spot};
use crate::random::System;
use crate::sockets::Sockets;
use crate::sys::{Clock, Wake, enable_timestamps, request_realtime};
use crate::thread::{Shared, Thread};
use crate::{StartError, WorkerMetrics, WorkerOptions};

/// How often the workers' load is looked at, at most.
const MEASURED_EACH: Duration = Duration::from_millis(500);

/// The media threads, seen from outside. Shared by reference; every method may be called from any thread.
///
/// Dropping it shuts the threads down as [`Workers::shutdown`] does.
pub struct Workers {
    clock: Clock,
    cname: Option<String>,
    pool: PortPool,
    threads: Vec<Remote>,
    realtime: bool,
    registry: Mutex<Registry>,
}

/// One thread, seen from outside.
struct Remote {
    commands: Sender<Command>,
    wake: Arc<Wake>,
    counters: Arc<Counters>,
    join: Mutex<Option<JoinHandle<()>>>,
}

struct Registry {
    legs: HashMap<LegId, Entry>,
    placement: Placement,
    // When the workers' load was measured, and how long each had been busy by then.
    measured: (Time, Vec<Duration>),
    closed: bool,
}

enum Entry {
    /// It has ports and waits for its first configuration.
    Open { ports: PortPair, timeouts: MediaTimeouts },
    /// A worker has it.
    Placed(Home),
}

/// Where a leg runs.
#[derive(Clone, Copy)]
struct Home {
    spot: Spot,
    attachment: Attachment,
    weight: u32,
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers")
            .field("threads", &self.threads.len())
            .field("realtime", &self.realtime)
            .finish()
    }
}

impl Workers {
    /// Starts the threads. What happens later comes over `events`.
    ///
    /// # Errors
    /// When the address cannot be bound or the kernel gives no threads.
    pub fn start(options: WorkerOptions, events: Sender<MediaEvent>) -> Result<Workers, StartError> {
        let WorkerOptions { bind, advertise, ports, cname, realtime, queue, .. } = options;
        let [a, b, ..] = System.next_u32().to_le_bytes();
        let pool = PortPool::new(bind, advertise, ports, u16::from_le_bytes([a, b]))
            .map_err(|source| StartError::Address { address: bind, source })?;
        let clock = Clock::new();
        let count = match options.threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            n => n,
        };
        let started: Vec<(Remote, bool)> = (0..count)
            .map(|n| Remote::start(n, clock, queue.max(1), realtime, events.clone()))
            .collect::<io::Result<_>>()?;
        let realtime = started.iter().all(|(_, realtime)| *realtime);
        let threads = started.into_iter().map(|(remote, _)| remote).collect();
        let registry = Registry {
            legs: HashMap::new(),
            placement: Placement::new(count, options.part),
            measured: (clock.now(), vec![Duration::ZERO; count]),
            closed: false,
        };
        Ok(Workers { clock, cname, pool, threads, realtime, registry: Mutex::new(registry) })
    }

    /// Opens ports for a leg, at once and on the caller's thread. Packets may arrive from now on; they are looked at
    /// once the leg is configured. The time-out for set-up counts from the first `configure`.
    ///
    /// # Errors
    /// 503 when ports or command queues are exhausted, 500 when the leg is open already.
    pub fn open(&self, leg: LegId, timeouts: MediaTimeouts) -> Result<LocalMedia, Fault> {
        let mut registry = self.registry();
        if registry.closed || self.threads.iter().all(|t| t.commands.is_full()) {
            return Err(busy());
        }
        if registry.legs.contains_key(&leg) {
            return Err(ours("the leg's media are open already"));
        }
        let ports = self.pool.open()?;
        // Without the kernel's stamps packets count from when they are read: jitter is measured less well.
        let _ = enable_timestamps(&ports.rtp);
        let local = ports.local();
        registry.legs.insert(leg, Entry::Open { ports, timeouts });
        Ok(local)
    }

    /// Starts a leg's media or changes them: after each accepted offer/answer, and to move it between attachments.
    ///
    /// A conference's audio is made as the latest of its legs' configurations says in `audio`.
    ///
    /// Codecs are made on the caller's thread; the change takes effect at the next tick. Waits where the thread's queue
    /// is full, and for a tick where the leg moves to another thread.
    ///
    /// # Errors
    /// 500 when the leg is not open or an encoder or decoder cannot be made; the leg then stays as it was.
    pub fn configure(
        &self,
        leg: LegId,
        epoch: Epoch,
        stream: AudioStream,
        attachment: Attachment,
        audio: RoomAudio,
    ) -> Result<(), Fault> {
        let codecs = Codecs::new(&stream)?;
        let configuration = Configuration { epoch, stream, codecs, audio };
        let mut registry = self.registry();
        match registry.legs.remove(&leg) {
            None => Err(ours("the leg's media are not open")),
            Some(Entry::Open { ports, timeouts }) => {
                let weight = placement::weight(&configuration.stream);
                let member = self.first(leg, timeouts, configuration, ports);
                self.attach(&mut registry, leg, member, attachment, weight)
            }
            Some(Entry::Placed(home)) if home.attachment == attachment => {
                let weight = placement::weight(&configuration.stream);
                registry.placement.reweigh(attachment, home.spot, home.weight, weight);
                registry.legs.insert(leg, Entry::Placed(Home { weight, ..home }));
                let to = Destination { attachment, phase: home.spot.phase, owner: None };
                self.change(home.spot.worker, leg, configuration, to)
            }
            Some(Entry::Placed(home)) => {
                self.leave(&mut registry, home);
                self.relocate(&mut registry, leg, home.spot.worker, configuration, attachment)
            }
        }
    }

    fn first(
        &self,
        leg: LegId,
        timeouts: MediaTimeouts,
        configuration: Configuration,
        ports: PortPair,
    ) -> Traveller {
        let cname = self.cname.clone().unwrap_or_else(random_cname);
        let leg = Leg::new(leg, timeouts, cname, configuration, &mut System, self.clock.now());
        Box::new(Member { leg, outlet: Sockets::new(ports) })
    }

    fn attach(
        &self,
        registry: &mut Registry,
        leg: LegId,
        member: Traveller,
        attachment: Attachment,
        weight: u32,
    ) -> Result<(), Fault> {
        let (worker, to) = self.place(registry, leg, attachment, weight)?;
        self.tell(worker, Command::Attach { member, to })
    }

    /// Finds a place for a leg; where that is in a new annex of a room, the owner is told.
    fn place(
        &self,
        registry: &mut Registry,
        leg: LegId,
        attachment: Attachment,
        weight: u32,
    ) -> Result<(usize, Destination), Fault> {
        self.measure(registry);
        let Joined { spot, annex_of } = registry.placement.join(attachment, weight);
        registry.legs.insert(leg, Entry::Placed(Home { spot, attachment, weight }));
        let mut to = Destination { attachment, phase: spot.phase, owner: None };
        if let Some(at) = annex_of {
            let (annex, owner) = fan::tie(spot);
            to.owner = Some(owner);
            self.tell(at.worker, Command::Tie { attachment, phase: at.phase, annex })?;
        }
        Ok((spot.worker, to))
    }

    /// A leg's place is free; where it was the last of an annex, the owner is told.
    fn leave(&self, registry: &mut Registry, home: Home) {
        let emptied = registry.placement.leave(home.attachment, home.spot, home.weight);
        if let Some(Emptied { annex, owner }) = emptied {
            let command = Command::Untie { attachment: home.attachment, phase: owner.phase, id: annex };
            // A thread that is gone has no annexes either.
            let _ = self.tell(owner.worker, command);
        }
    }

    /// Tells the placement how busy the workers are, twice a second at most.
    fn measure(&self, registry: &mut Registry) {
        let now = self.clock.now();
        let (at, before) = &mut registry.measured;
        let passed = now.since(*at).as_micros();
        if passed < MEASURED_EACH.as_micros() {
            return;
        }
        *at = now;
        for (worker, (remote, before)) in self.threads.iter().zip(before).enumerate() {
            let busy = remote.counters.busy();
            let share = busy.saturating_sub(*before).as_micros() * 1_000_000 / passed;
            registry.placement.measured(worker, u64::try_from(share).unwrap_or(u64::MAX));
            *before = busy;
        }
    }

    fn change(
        &self,
        worker: usize,
        leg: LegId,
        configuration: Configuration,
        to: Destination,
    ) -> Result<(), Fault> {
        self.tell(worker, Command::Change { leg, configuration: Box::new(configuration), to })
    }

    /// Moves a leg to another attachment, which may live on another worker.
    fn relocate(
        &self,
        registry: &mut Registry,
        leg: LegId,
        from: usize,
        configuration: Configuration,
        attachment: Attachment,
    ) -> Result<(), Fault> {
        let (worker, to) = self.place(registry, leg, attachment, placement::weight(&configuration.stream))?;
        if worker == from {
            return self.change(worker, leg, configuration, to);
        }
        let (reply, handed_over) = bounded(1);
        self.tell(from, Command::Detach { leg, reply })?;
        let member = handed_over.recv().ok().flatten();
        let mut member = member.ok_or_else(|| ours("the leg's media broke down"))?;
        member.leg.apply_elsewhere(configuration, self.clock.now());
        self.tell(worker, Command::Attach { member, to })
    }

    /// Changes what is done to a leg's sound, from the next tick on. What it takes is made on the caller's thread. Waits
    /// where the thread's queue is full.
    ///
    /// # Errors
    /// 500 when the leg was not configured yet.
    pub fn adjust(&self, leg: LegId, sound: LegSound) -> Result<(), Fault> {
        let treatment = Box::new(Treatment::new(sound));
        let registry = self.registry();
        match registry.legs.get(&leg) {
            Some(Entry::Placed(home)) => self.tell(home.spot.worker, Command::Adjust { leg, treatment }),
            _ => Err(ours("the leg's media are not configured")),
        }
    }

    /// Ends a leg: RTCP BYE, then [`MediaEvent::Closed`]. A leg that is not open is ignored.
    pub fn close(&self, leg: LegId) {
        let mut registry = self.registry();
        let told = match registry.legs.remove(&leg) {
            None => Ok(()),
            Some(Entry::Open { ports, .. }) => {
                drop(ports);
                self.tell(0, Command::Abandon { leg })
            }
            Some(Entry::Placed(home)) => {
                let told = self.tell(home.spot.worker, Command::Close { leg });
                self.leave(&mut registry, home);
                told
            }
        };
        // A thread that is gone has closed its legs.
        let _ = told;
    }

    /// Figures of all threads. Cheap: reads counters, takes no lock that a media thread takes.
    pub fn metrics(&self) -> WorkerMetrics {
        total(self.threads.iter().map(|t| &*t.counters))
    }

    /// Do all threads run under SCHED_FIFO?
    pub fn is_realtime(&self) -> bool {
        self.realtime
    }

    /// Closes all legs (RTCP BYE and [`MediaEvent::Closed`] each) and ends the threads. Returns when they have ended,
    /// which takes up to a second where nobody takes the events.
    pub fn shutdown(&self) {
        self.stop();
        for remote in &self.threads {
            let handle = remote.join.lock().unwrap_or_else(PoisonError::into_inner).take();
            // A thread that panicked has ended too.
            let _ = handle.map(JoinHandle::join);
        }
    }

    fn stop(&self) {
        let mut registry = self.registry();
        if std::mem::replace(&mut registry.closed, true) {
            return;
        }
        for (leg, entry) in registry.legs.drain() {
            if matches!(entry, Entry::Open { .. }) {
                let _ = self.tell(0, Command::Abandon { leg });
            }
        }
        for worker in 0..self.threads.len() {
            let _ = self.tell(worker, Command::Stop);
        }
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        // Every change to it is complete before anything that could panic.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while the queue is full.
    fn tell(&self, worker: usize, command: Command) -> Result<(), Fault> {
        let remote = self.threads.get(worker).ok_or_else(busy)?;
        remote.commands.send(command).map_err(|_| ours("the media thread has ended"))?;
        remote.wake.signal();
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // Only where the start was given up half-way does the thread still run.
        let _ = self.commands.try_send(Command::Stop);
        self.wake.signal();
    }
}

impl Remote {
    /// Starts thread `n`; says whether it is under SCHED_FIFO.
    fn start(
        n: usize,
        clock: Clock,
        queue: usize,
        realtime: bool,
        events: Sender<MediaEvent>,
    ) -> io::Result<(Remote, bool)> {
        let (commands, receiver) = bounded(queue);
        let wake = Arc::new(Wake::new()?);
        let counters = Arc::new(Counters::default());
        let shared = Shared { clock, wake: Arc::clone(&wake), counters: Arc::clone(&counters) };
        let (ready, started) = bounded(1);
        let body = move || {
            let realtime = realtime && request_realtime();
            match Thread::new(shared, receiver, events) {
                Ok(thread) => {
                    // Nobody waits for it only where the start was given up.
                    let _ = ready.send(Ok(realtime));
                    thread.run();
                }
                Err(error) => drop(ready.send(Err(error))),
            }
        };
        let join = thread::Builder::new().name(format!("media-{n}")).spawn(body)?;
        let realtime = started.recv().map_err(|_| io::Error::other("a media thread ended at once"))??;
        Ok((Remote { commands, wake, counters, join: Mutex::new(Some(join)) }, realtime))
    }
}

/// 96 random bits (RFC 7022 §5 asks for at least that).
fn random_cname() -> String {
    let mut bytes = [0; 12];
    System.fill(&mut bytes);
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn busy() -> Fault {
    Fault::new(Blame::Ourselves, 503, "media threads are busy").retry_after(Duration::from_secs(5))
}

fn ours(detail: &'static str) -> Fault {
    Fault::new(Blame::Ourselves, 500, detail)
}
