//! A conference without sockets and threads, for measurements: datagrams in, ticks, nothing out.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use tandem_base::{
    Attachment, AudioStream, ConferenceId, Entropy, Epoch, Fault, LegId, MediaEvent, MediaTimeouts,
    RoomAudio, Time,
};
use tandem_rtp::WallClock;
use tandem_rtp::telephone_event::Key;
use tandem_transport::Component;

use crate::codecs::Codecs;
use crate::group::{Group, Inlet, Member};
use crate::leg::{Configuration, Leg, MAX_DATAGRAM, Outlet};
use crate::surroundings::{Surroundings, Tally};

/// A conference whose packets go nowhere.
pub struct Conference {
    group: Group<Nowhere>,
    audio: RoomAudio,
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

impl Inlet<Nowhere> for Nowhere {
    fn read(&mut self, _: &mut Member<Nowhere>, _: &mut Surroundings<'_>) -> bool {
        false
    }
}

impl fmt::Debug for Conference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Conference({} packets out)", self.tally.packets_out)
    }
}

impl Conference {
    /// Without legs.
    pub fn new(audio: RoomAudio) -> Self {
        Conference {
            group: Group::new(Attachment::Conference(ConferenceId(1))),
            audio,
            tally: Tally::default(),
            events: Vec::new(),
            keys: Vec::with_capacity(16),
            datagram: Box::new([0; MAX_DATAGRAM]),
        }
    }

    /// Takes a leg in; gives its seat.
    ///
    /// # Errors
    /// 500 where a codec cannot be had.
    pub fn join(
        &mut self,
        leg: LegId,
        stream: AudioStream,
        entropy: &mut impl Entropy,
        now: Time,
    ) -> Result<usize, Fault> {
        let codecs = Codecs::new(&stream)?;
        let never = MediaTimeouts { setup: Duration::ZERO, talk: Duration::ZERO, hold: Duration::ZERO };
        let configuration = Configuration { epoch: Epoch(1), stream, codecs, audio: self.audio };
        let leg = Leg::new(leg, never, "harness".to_owned(), configuration, entropy, now);
        Ok(self.group.insert(Box::new(Member { leg, outlet: Nowhere })))
    }

    /// A datagram arrives for the leg at `seat`.
    pub fn receive(&mut self, seat: usize, from: SocketAddr, datagram: &[u8], now: Time) {
        let (group, mut around) = self.split();
        group.receive(seat, Component::Rtp, Some(from), Some(datagram), now, &mut around);
    }

    /// One tick.
    pub fn tick(&mut self, now: Time) {
        let (group, mut around) = self.split();
        group.tick(now, &mut Nowhere, &mut around);
    }

    /// Packets that were encoded and sent so far.
    pub fn counts(&self) -> (u64, u64) {
        (self.tally.encodes, self.tally.packets_out)
    }

    fn split(&mut self) -> (&mut Group<Nowhere>, Surroundings<'_>) {
        let around = Surroundings {
            wall: WallClock(Duration::from_secs(1_700_000_000)),
            tally: &mut self.tally,
            events: &mut self.events,
            keys: &mut self.keys,
            datagram: &mut self.datagram,
        };
        (&mut self.group, around)
    }
}
