//! One media thread.

use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use tandem_base::{Blame, Fault, LegId, LegReport, MediaEvent, Sink, Time};
use tandem_rtp::telephone_event::Key;

use crate::command::{Command, Destination, Traveller};
use crate::leg::{Configuration, MAX_DATAGRAM, Treatment};
use crate::metrics::{Counters, Population};
use crate::outbox::Outbox;
use crate::phase::{PHASES, Phase, Place, SLOT};
use crate::surroundings::{Surroundings, Tally};
use crate::sys::{Clock, Intake, StampOffset, Wake};

/// Commands carried out before a tick: more wait for the next, so that a burst of calls does not make it late.
const COMMANDS: usize = 32;

/// How long a thread that ends tries to get rid of its last events.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What a thread shares with the outside.
pub struct Shared {
    /// All threads' time.
    pub clock: Clock,
    /// Ends its sleep when it has nothing to do.
    pub wake: Arc<Wake>,
    /// Its figures.
    pub counters: Arc<Counters>,
}

/// A thread's state.
pub struct Thread {
    shared: Shared,
    commands: Receiver<Command>,
    outbox: Outbox,
    phases: Vec<Phase>,
    homes: HashMap<LegId, (usize, Place)>,
    intake: Intake,
    tally: Tally,
    keys: Vec<Key>,
    datagram: Box<[u8; MAX_DATAGRAM]>,
    stopped: bool,
}

impl Thread {
    /// Without legs. Called on the thread itself.
    pub fn new(shared: Shared, commands: Receiver<Command>, events: Sender<MediaEvent>) -> io::Result<Self> {
        Ok(Thread {
            shared,
            commands,
            outbox: Outbox::new(events),
            phases: (0..PHASES).map(|_| Phase::new()).collect::<io::Result<_>>()?,
            homes: HashMap::new(),
            intake: Intake::new(),
            tally: Tally::default(),
            keys: Vec::with_capacity(16),
            datagram: Box::new([0; MAX_DATAGRAM]),
            stopped: false,
        })
    }

    /// Runs until it is told to stop.
    pub fn run(mut self) {
        while !self.stopped {
            self.take_commands();
            self.outbox.flush();
            match self.due() {
                Some(phase) => self.run_phase(phase),
                None => self.rest(),
            }
            self.publish();
        }
        self.end();
    }

    /// The phase that is due first.
    fn due(&self) -> Option<usize> {
        let in_use = self.phases.iter().enumerate().filter(|(_, p)| !p.is_empty());
        in_use.min_by_key(|(_, p)| p.next).map(|(i, _)| i)
    }

    /// Without legs there is nothing to do but to wait for a command.
    fn rest(&mut self) {
        if !self.commands.is_empty() || self.stopped {
            return;
        }
        if self.outbox.waiting() == 0 {
            self.publish();
            self.shared.wake.wait();
        } else {
            self.shared.clock.sleep_until(self.shared.clock.now() + SLOT);
        }
    }

    fn run_phase(&mut self, index: usize) {
        let clock = self.shared.clock;
        let Some(phase) = self.phases.get_mut(index) else { return };
        clock.sleep_until(slot_time(phase.next));
        let stamps = StampOffset::measure(clock);
        let now = stamps.now();
        // A tick that is late by a whole tick or more is given up: the one that is due now is run in its place.
        let missed = slot_of(now).saturating_sub(phase.next) / PHASES;
        phase.next += missed * PHASES;
        self.shared.counters.tick(now.since(slot_time(phase.next)), missed);
        phase.next += PHASES;
        let mut around = Surroundings {
            wall: stamps.wall_clock(),
            tally: &mut self.tally,
            events: &mut self.outbox,
            keys: &mut self.keys,
            datagram: &mut self.datagram,
        };
        phase.tick(now, missed, stamps, &mut self.intake, &mut around);
        self.shared.counters.took(clock.now().since(now));
    }

    fn publish(&self) {
        let population = Population {
            legs: self.homes.len(),
            conferences: self.phases.iter().map(Phase::conferences).sum(),
            annexes: self.phases.iter().map(Phase::annexes).sum(),
            renditions: self.phases.iter().map(Phase::renditions).sum(),
        };
        self.shared.counters.publish(&self.tally, population, self.outbox.waiting());
    }

    fn take_commands(&mut self) {
        for _ in 0..COMMANDS {
            let Ok(command) = self.commands.try_recv() else { return };
            let leg = command.leg();
            let done = catch_unwind(AssertUnwindSafe(|| self.obey(command)));
            if let (Err(_), Some(leg)) = (done, leg) {
                self.fail(leg, "a command for the leg's media broke down");
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Attach { member, to } => self.attach(member, to),
            Command::Change { leg, configuration, to } => self.change(leg, *configuration, to),
            Command::Adjust { leg, treatment } => self.adjust(leg, *treatment),
            Command::Tie { attachment, phase, annex } => {
                self.begin_phase(phase);
                self.phases.get_mut(phase).map(|p| p.tie(attachment, *annex)).unwrap_or_default();
            }
            Command::Untie { attachment, phase, id } => {
                self.phases.get_mut(phase).map(|p| p.untie(attachment, id)).unwrap_or_default();
            }
            Command::Detach { leg, reply } => {
                // Whoever asked waits for it; if not, the leg is gone with its thread.
                let _ = reply.send(self.detach(leg));
            }
            Command::Close { leg } => self.close(leg),
            Command::Abandon { leg } => self.outbox.emit(MediaEvent::Closed { leg, report: Box::default() }),
            Command::Stop => self.stopped = true,
        }
    }

    fn attach(&mut self, member: Traveller, to: Destination) {
        let leg = member.leg.id();
        self.begin_phase(to.phase);
        let Some(phase) = self.phases.get_mut(to.phase) else { return };
        match phase.insert(member, to.attachment, to.owner) {
            Ok(place) => {
                self.homes.insert(leg, (to.phase, place));
            }
            Err(_) => self.fail(leg, "the leg's sockets cannot be watched"),
        }
    }

    /// One that was empty is due in the next slot that is its own.
    fn begin_phase(&mut self, index: usize) {
        let next_slot = slot_of(self.shared.clock.now()) + 1;
        let Some(phase) = self.phases.get_mut(index) else { return };
        if phase.is_empty() {
            phase.next = next_slot + (index as u64 + PHASES - next_slot % PHASES) % PHASES;
        }
    }

    fn change(&mut self, leg: LegId, configuration: Configuration, to: Destination) {
        let now = self.shared.clock.now();
        let Some(&(index, place)) = self.homes.get(&leg) else { return };
        let Some(phase) = self.phases.get_mut(index) else { return };
        if index == to.phase && phase.attachment(place) == Some(to.attachment) {
            return phase.apply(place, configuration, now);
        }
        if let Some(mut member) = self.detach(leg) {
            member.leg.apply_elsewhere(configuration, now);
            self.attach(member, to);
        }
    }

    fn adjust(&mut self, leg: LegId, treatment: Treatment) {
        let Some(&(index, place)) = self.homes.get(&leg) else { return };
        if let Some(phase) = self.phases.get_mut(index) {
            phase.adjust(place, treatment);
        }
    }

    fn detach(&mut self, leg: LegId) -> Option<Traveller> {
        let (phase, place) = self.homes.remove(&leg)?;
        self.phases.get_mut(phase)?.remove(place)
    }

    fn close(&mut self, leg: LegId) {
        let mut report = LegReport::default();
        if let Some(mut member) = self.detach(leg) {
            let now = self.shared.clock.now();
            let mut around = Surroundings {
                wall: StampOffset::measure(self.shared.clock).wall_clock(),
                tally: &mut self.tally,
                events: &mut self.outbox,
                keys: &mut self.keys,
                datagram: &mut self.datagram,
            };
            member.leg.goodbye(now, &mut member.outlet, &mut around);
            report = member.leg.report();
        }
        self.outbox.emit(MediaEvent::Closed { leg, report: Box::new(report) });
    }

    fn fail(&mut self, leg: LegId, why: &'static str) {
        let fault = Fault::new(Blame::Ourselves, 500, why);
        self.outbox.emit(MediaEvent::Failed { leg, fault });
    }

    fn end(&mut self) {
        // Whatever was sent before the threads were stopped is owed its events.
        while let Ok(command) = self.commands.try_recv() {
            self.obey(command);
        }
        let legs: Vec<LegId> = self.homes.keys().copied().collect();
        for leg in legs {
            self.close(leg);
        }
        let deadline = self.shared.clock.now() + LAST_WORDS;
        while self.outbox.waiting() > 0 && self.shared.clock.now() < deadline {
            self.shared.clock.sleep_until(self.shared.clock.now() + SLOT);
            self.outbox.flush();
        }
        self.publish();
    }
}

fn slot_time(slot: u64) -> Time {
    Time::from_nanos(slot.saturating_mul(SLOT.as_nanos() as u64))
}

fn slot_of(now: Time) -> u64 {
    now.as_nanos() / (SLOT.as_nanos() as u64)
}
