use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tandem_base::{Attachment, Time};
use tandem_transport::Component;

use crate::command::Traveller;
use crate::fan::{Annex, AnnexId, Owner};
use crate::group::{Group, Inlet, Member};
use crate::leg::{Configuration, Received, Treatment};
use crate::packetizer::TICK_MS;
use crate::sockets::Sockets;
use crate::surroundings::Surroundings;
use crate::sys::{Intake, Readable, StampOffset};

/// Phases of the tick: groups are spread over them.
pub const PHASES: u64 = 4;

/// From one phase to the next.
pub const SLOT: Duration = Duration::from_millis(TICK_MS as u64 / PHASES);

/// Looks at the readable RTCP sockets of one tick: more than one only where there are very many.
const LOOKS: usize = 4;

/// Datagrams taken from one socket in one tick: a flood costs bounded time, and the kernel drops the rest.
const MOST: usize = 64;

/// A packet that waited for so long has others behind it.
const TICK: Duration = Duration::from_millis(TICK_MS as u64);

/// Where a leg sits in a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which group.
    pub group: usize,
    /// Which seat in it.
    pub seat: usize,
}

impl Place {
    fn token(self) -> u64 {
        (self.group as u64) << 32 | self.seat as u64
    }

    fn from_token(token: u64) -> Place {
        Place { group: (token >> 32) as usize, seat: token as u32 as usize }
    }
}

/// The groups that are ticked at the same point of the 20 ms, with all their sockets.
///
/// RTP sockets are read in every tick: they hold a packet nearly always, and not to be told so is cheaper. RTCP comes
/// every few seconds: there it is cheaper to be told.
pub struct Phase {
    readable: Readable,
    // When sockets were last looked at.
    looked: Time,
    groups: Vec<Option<(Attachment, Group<Sockets>)>>,
    legs: usize,
    /// The slot of 5 ms in which it is due next.
    pub next: u64,
}

impl Phase {
    /// Without groups.
    pub fn new() -> io::Result<Self> {
        Ok(Phase { readable: Readable::new()?, looked: Time::ZERO, groups: Vec::new(), legs: 0, next: 0 })
    }

    /// Nothing to run.
    pub fn is_empty(&self) -> bool {
        // A room whose legs all sit in annexes has none here.
        self.legs == 0 && self.groups.iter().all(Option::is_none)
    }

    /// Conferences in it, without the annexes of others.
    pub fn conferences(&self) -> usize {
        let groups = self.groups.iter().flatten().filter(|(_, g)| !g.is_annex());
        groups.filter(|(a, _)| matches!(a, Attachment::Conference(_))).count()
    }

    /// Annexes in it.
    pub fn annexes(&self) -> usize {
        self.groups.iter().flatten().filter(|(_, g)| g.is_annex()).count()
    }

    /// Shared encoders in it.
    pub fn renditions(&self) -> usize {
        self.groups.iter().flatten().map(|(_, g)| g.renditions()).sum()
    }

    /// To what the leg at `place` is attached.
    pub fn attachment(&self, place: Place) -> Option<Attachment> {
        self.groups.get(place.group)?.as_ref().map(|(a, _)| *a)
    }

    fn group_index(&mut self, attachment: Attachment) -> usize {
        let there = |g: &Option<(Attachment, _)>| g.as_ref().is_some_and(|(a, _)| *a == attachment);
        if let Some(index) = self.groups.iter().position(there) {
            return index;
        }
        let free = self.groups.iter().position(Option::is_none).unwrap_or(self.groups.len());
        if free == self.groups.len() {
            self.groups.push(None);
        }
        if let Some(place) = self.groups.get_mut(free) {
            *place = Some((attachment, Group::new(attachment)));
        }
        free
    }

    fn group(&mut self, index: usize) -> Option<&mut Group<Sockets>> {
        self.groups.get_mut(index)?.as_mut().map(|(_, group)| group)
    }

    /// Takes a leg in.
    ///
    /// # Errors
    /// Where its sockets cannot be watched: then it is given back.
    pub fn insert(
        &mut self,
        member: Traveller,
        attachment: Attachment,
        owner: Option<Box<Owner>>,
    ) -> Result<Place, Traveller> {
        let index = self.group_index(attachment);
        let Some((_, group)) = self.groups.get_mut(index).and_then(Option::as_mut) else {
            return Err(member);
        };
        if let Some(owner) = owner {
            group.belong(owner);
        }
        let place = Place { group: index, seat: group.insert(member) };
        self.legs += 1;
        if self.watch(place).is_ok() {
            return Ok(place);
        }
        // Just put in, so it is there.
        self.remove(place).map_or_else(|| Ok(place), Err)
    }

    fn watch(&mut self, place: Place) -> io::Result<()> {
        let Some((_, group)) = self.groups.get_mut(place.group).and_then(Option::as_mut) else {
            return Ok(());
        };
        let Some(member) = group.member(place.seat) else { return Ok(()) };
        self.readable.add(&member.outlet.pair.rtcp, place.token())
    }

    /// The group of `attachment` gets an annex.
    pub fn tie(&mut self, attachment: Attachment, annex: Annex) {
        let index = self.group_index(attachment);
        if let Some(group) = self.group(index) {
            group.tie(annex);
        }
    }

    /// It has it no more; the group ends with its last leg or annex.
    pub fn untie(&mut self, attachment: Attachment, id: AnnexId) {
        let index = self.group_index(attachment);
        let Some(group) = self.group(index) else { return };
        group.untie(id);
        if group.is_empty() {
            self.groups.get_mut(index).map(Option::take);
        }
    }

    /// Lets a leg out; its group ends with the last.
    pub fn remove(&mut self, place: Place) -> Option<Traveller> {
        let group = self.group(place.group)?;
        let member = group.remove(place.seat)?;
        if group.is_empty() {
            self.groups.get_mut(place.group).map(Option::take);
        }
        self.legs -= 1;
        // A socket that could not be added cannot be removed; either way it is not watched any more.
        let _ = self.readable.remove(&member.outlet.pair.rtcp);
        Some(member)
    }

    /// A leg was negotiated anew.
    pub fn apply(&mut self, place: Place, configuration: Configuration, now: Time) {
        if let Some(group) = self.group(place.group) {
            group.apply(place.seat, configuration, now);
        }
    }

    /// Something else is to be done to a leg's sound.
    pub fn adjust(&mut self, place: Place, treatment: Treatment) {
        if let Some(group) = self.group(place.group) {
            group.adjust(place.seat, treatment);
        }
    }

    /// Runs the tick that is due at `now`, after `missed` that were not run in time.
    pub fn tick(
        &mut self,
        now: Time,
        missed: u64,
        stamps: StampOffset,
        intake: &mut Intake,
        around: &mut Surroundings<'_>,
    ) {
        let mut look = Look { stamps, fresh: self.looked.max(now - TICK), intake };
        self.looked = now;
        self.take_reports(&mut look, around);
        for (_, group) in self.groups.iter_mut().flatten() {
            let run = catch_unwind(AssertUnwindSafe(|| {
                group.skip(missed);
                group.tick(now, &mut look, around);
            }));
            if run.is_err() {
                group.fail(around);
            }
        }
    }

    fn take_reports(&mut self, look: &mut Look<'_>, around: &mut Surroundings<'_>) {
        for _ in 0..LOOKS {
            let more = self.readable.look();
            let mut index = 0;
            while let Some(token) = self.readable.token(index) {
                let place = Place::from_token(token);
                if let Some(group) = self.group(place.group) {
                    look.take_reports(group, place.seat, around);
                }
                index += 1;
            }
            if !more {
                return;
            }
        }
    }
}

/// One look at the sockets of a phase.
struct Look<'a> {
    stamps: StampOffset,
    // What came later was not there at the last look.
    fresh: Time,
    intake: &'a mut Intake,
}

impl Look<'_> {
    /// Takes what came by the socket for RTCP.
    fn take_reports(&mut self, group: &mut Group<Sockets>, seat: usize, around: &mut Surroundings<'_>) {
        for _ in 0..MOST {
            let Some(member) = group.member(seat) else { return };
            let Some(datagram) = self.intake.receive(&member.outlet.pair.rtcp) else { return };
            let arrived = self.stamps.time(datagram.stamp);
            group.receive(seat, Component::Rtcp, datagram.from, datagram.bytes, arrived, around);
        }
    }
}

impl Inlet<Sockets> for Look<'_> {
    /// The socket is not asked for more once it gave what was due in this tick: a burst is read in the next, and does not
    /// come too late by that, since it is one packet a tick that is played.
    fn read(&mut self, member: &mut Member<Sockets>, around: &mut Surroundings<'_>) -> bool {
        let mut reported = false;
        for _ in 0..MOST {
            let Some(datagram) = self.intake.receive(&member.outlet.pair.rtp) else { break };
            let arrived = self.stamps.time(datagram.stamp);
            let received = member.leg.receive(Component::Rtp, datagram.from, datagram.bytes, arrived, around);
            reported |= received == Received::Report;
            if received == Received::Due {
                member.outlet.note_destination(datagram.to);
            }
            if received == Received::Due && datagram.stamp.is_some() && arrived > self.fresh {
                break;
            }
        }
        reported
    }
}
