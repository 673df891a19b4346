use std::net::SocketAddr;
use std::time::Duration;

use tandem_base::{
    Attachment, AudioStream, ConferenceId, Epoch, Fault, LegId, MediaEvent, MediaTimeouts, RoomAudio, Time,
};
use tandem_rtp::WallClock;
use tandem_rtp::telephone_event::Key;
use tandem_transport::Component;

use crate::codecs::Codecs;
use crate::group::{Group, Inlet, Member};
use crate::leg::{Configuration, Leg, MAX_DATAGRAM, Outlet};
use crate::packetizer::TICK_MS;
use crate::random::System;
use crate::surroundings::{Surroundings, Tally};

const FOR_EVER: MediaTimeouts =
    MediaTimeouts { setup: Duration::ZERO, talk: Duration::ZERO, hold: Duration::ZERO };

/// A conference without sockets and threads, in time of its own: legs, mixing and renditions as the media threads run
/// them. What it sends goes nowhere.
///
/// To measure what a tick costs.
pub struct Rehearsal {
    group: Group<Nowhere>,
    audio: RoomAudio,
    now: Time,
    tally: Tally,
    events: Vec<MediaEvent>,
    keys: Vec<Key>,
    datagram: Box<[u8; MAX_DATAGRAM]>,
}

struct Nowhere;

impl Outlet for Nowhere {
    fn send(&mut self, _: Component, _: SocketAddr, _: &[u8]) -> bool {
        true
    }
}

/// What comes is handed over before the tick.
impl Inlet<Nowhere> for Nowhere {
    fn read(&mut self, _: &mut Member<Nowhere>, _: &mut Surroundings<'_>) -> bool {
        false
    }
}

impl Rehearsal {
    /// An empty room.
    pub fn new(audio: RoomAudio) -> Self {
        Rehearsal {
            group: Group::new(Attachment::Conference(ConferenceId(0))),
            audio,
            now: Time::from_millis(TICK_MS.into()),
            tally: Tally::default(),
            events: Vec::new(),
            keys: Vec::with_capacity(16),
            datagram: Box::new([0; MAX_DATAGRAM]),
        }
    }

    /// A leg joins; gives its seat, by which the other methods know it.
    ///
    /// # Errors
    /// 500 where a codec cannot be had.
    pub fn join(&mut self, stream: AudioStream) -> Result<usize, Fault> {
        let codecs = Codecs::new(&stream)?;
        let configuration = Configuration { epoch: Epoch(1), stream, codecs, audio: self.audio };
        let leg = Leg::new(LegId(0), FOR_EVER, String::new(), configuration, &mut System, self.now);
        Ok(self.group.insert(Box::new(Member { leg, outlet: Nowhere })))
    }

    /// A leg leaves.
    pub fn leave(&mut self, seat: usize) {
        self.group.remove(seat);
    }

    /// A datagram arrives for the leg at `seat` just now.
    pub fn arrive(&mut self, seat: usize, from: SocketAddr, datagram: &[u8]) {
        let now = self.now;
        let (group, mut around) = self.split();
        group.receive(seat, Component::Rtp, Some(from), Some(datagram), now, &mut around);
    }

    /// One tick, and 20 ms pass.
    pub fn tick(&mut self) {
        let now = self.now;
        let (group, mut around) = self.split();
        group.tick(now, &mut Nowhere, &mut around);
        self.now += Duration::from_millis(TICK_MS.into());
    }

    /// RTP packets that were sent so far.
    pub fn packets_out(&self) -> u64 {
        self.tally.packets_out
    }

    fn split(&mut self) -> (&mut Group<Nowhere>, Surroundings<'_>) {
        let around = Surroundings {
            wall: WallClock(Duration::ZERO),
            tally: &mut self.tally,
            events: &mut self.events,
            keys: &mut self.keys,
            datagram: &mut self.datagram,
        };
        (&mut self.group, around)
    }
}
