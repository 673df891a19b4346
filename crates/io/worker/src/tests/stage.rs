use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tandem_base::{
    Attachment, AudioFormat, AudioStream, ConferenceId, Epoch, LegId, MediaEvent, MediaTimeouts, OpusParams,
    RoomAudio, Time,
};
use tandem_rtp::telephone_event::Key;
use tandem_rtp::{Kind, WallClock, classify};
use tandem_testkit::Seeded;
use tandem_transport::Component;

use super::phone::{Phone, stream};
use crate::codecs::Codecs;
use crate::group::{Group, Inlet, Member};
use crate::leg::{Configuration, Leg, MAX_DATAGRAM, Outlet, Received};
use crate::surroundings::{Surroundings, Tally};

pub const OPUS: AudioFormat = AudioFormat::Opus(OpusParams {
    max_playback_rate: 48_000,
    max_average_bitrate: None,
    stereo: false,
    inband_fec: true,
    dtx: false,
    cbr: false,
});

pub const FOR_EVER: MediaTimeouts =
    MediaTimeouts { setup: Duration::ZERO, talk: Duration::ZERO, hold: Duration::ZERO };

type Sent = Rc<RefCell<Vec<(SocketAddr, Vec<u8>)>>>;

/// A leg's way out: a list.
pub struct Wire(Sent, Rc<Cell<bool>>);

impl Outlet for Wire {
    fn send(&mut self, _: Component, to: SocketAddr, datagram: &[u8]) -> bool {
        if self.1.get() {
            self.0.borrow_mut().push((to, datagram.to_vec()));
        }
        true
    }
}

/// Sockets that hold nothing: what comes is handed to the group before the tick.
struct Silence;

impl Inlet<Wire> for Silence {
    fn read(&mut self, _: &mut Member<Wire>, _: &mut Surroundings<'_>) -> bool {
        false
    }
}

/// A group with its phones. Phone n sits at seat n and is leg n.
pub struct Stage {
    pub group: Group<Wire>,
    pub phones: Vec<Phone>,
    pub now: Time,
    pub tally: Tally,
    pub events: Vec<MediaEvent>,
    sent: Sent,
    // Is the list kept? Otherwise packets vanish.
    connected: Rc<Cell<bool>>,
    keys: Vec<Key>,
    datagram: Box<[u8; MAX_DATAGRAM]>,
    /// What configurations say of the room from now on.
    pub audio: RoomAudio,
    epoch: u64,
}

pub fn conference() -> Stage {
    Stage::new(Attachment::Conference(ConferenceId(1)))
}

impl Stage {
    pub fn new(attachment: Attachment) -> Self {
        Stage {
            group: Group::new(attachment),
            phones: Vec::new(),
            now: Time::from_millis(20),
            tally: Tally::default(),
            events: Vec::with_capacity(1_024),
            sent: Rc::default(),
            connected: Rc::new(Cell::new(true)),
            keys: Vec::new(),
            datagram: Box::new([0; MAX_DATAGRAM]),
            audio: RoomAudio::default(),
            epoch: 0,
        }
    }

    /// A phone that sends and gets packets of `ptime_ms`.
    pub fn join(&mut self, format: AudioFormat, ptime_ms: u8, tone: Option<f64>) -> usize {
        self.join_with(format, ptime_ms, tone, FOR_EVER, |_| {})
    }

    pub fn join_with(
        &mut self,
        format: AudioFormat,
        ptime_ms: u8,
        tone: Option<f64>,
        timeouts: MediaTimeouts,
        adjust: impl FnOnce(&mut AudioStream),
    ) -> usize {
        let n = self.phones.len();
        let mut phone = Phone::new(n as u16, format, ptime_ms, tone);
        phone.due += (self.now - Duration::from_millis(20)).since(Time::ZERO);
        let mut stream = stream(format, ptime_ms, phone.address);
        adjust(&mut stream);
        let leg = Leg::new(
            LegId(n as u64),
            timeouts,
            format!("phone-{n}"),
            self.configuration(stream),
            &mut Seeded::new(n as u64),
            self.now,
        );
        let seat = self.group.insert(Box::new(Member {
            leg,
            outlet: Wire(Rc::clone(&self.sent), Rc::clone(&self.connected)),
        }));
        assert_eq!(seat, n);
        self.phones.push(phone);
        n
    }

    pub fn configuration(&mut self, stream: AudioStream) -> Configuration {
        self.epoch += 1;
        Configuration {
            epoch: Epoch(self.epoch),
            codecs: Codecs::new(&stream).unwrap(),
            stream,
            audio: self.audio,
        }
    }

    /// Negotiates anew.
    pub fn renegotiate(&mut self, n: usize, stream: AudioStream) {
        let configuration = self.configuration(stream);
        self.group.apply(n, configuration, self.now);
    }

    /// Something arrives for leg `n` just now.
    pub fn arrive(&mut self, n: usize, from: SocketAddr, datagram: &[u8]) -> bool {
        self.arrive_at(n, from, datagram, self.now)
    }

    /// True where it is what was due in this tick.
    pub fn arrive_at(&mut self, n: usize, from: SocketAddr, datagram: &[u8], at: Time) -> bool {
        let component = if classify(datagram) == Kind::Rtcp { Component::Rtcp } else { Component::Rtp };
        let (group, mut around) = self.split();
        let received = group.receive(n, component, Some(from), Some(datagram), at, &mut around);
        received == Some(Received::Due)
    }

    /// Something arrives that was longer than the kernel had room for.
    pub fn arrive_cut(&mut self, n: usize, from: SocketAddr) {
        let now = self.now;
        let (group, mut around) = self.split();
        group.receive(n, Component::Rtp, Some(from), None, now, &mut around);
    }

    fn split(&mut self) -> (&mut Group<Wire>, Surroundings<'_>) {
        let around = Surroundings {
            wall: WallClock(Duration::from_secs(1_700_000_000)),
            tally: &mut self.tally,
            events: &mut self.events,
            keys: &mut self.keys,
            datagram: &mut self.datagram,
        };
        (&mut self.group, around)
    }

    /// Runs so many ticks: phones speak at their own time in between, and hear what the tick sent.
    pub fn run(&mut self, ticks: usize) {
        for _ in 0..ticks {
            self.speak();
            self.tick();
            self.deliver();
            self.now += Duration::from_millis(20);
        }
    }

    fn speak(&mut self) {
        for n in 0..self.phones.len() {
            while self.phones[n].due <= self.now {
                let phone = &mut self.phones[n];
                let (at, from, packet) = (phone.due, phone.address, phone.speak());
                phone.due += Duration::from_millis(u64::from(phone.ptime_ms));
                self.arrive_at(n, from, &packet, at);
            }
        }
    }

    /// One tick alone.
    pub fn tick(&mut self) {
        let now = self.now;
        let (group, mut around) = self.split();
        group.tick(now, &mut Silence, &mut around);
    }

    pub fn skip(&mut self, ticks: u64) {
        self.group.skip(ticks);
        self.now += Duration::from_millis(20) * ticks as u32;
    }

    /// Phones hear what was sent.
    pub fn deliver(&mut self) {
        for (to, datagram) in self.sent.take() {
            let phone = self.phones.iter_mut().find(|p| p.address.port() == to.port() & !1);
            let phone = phone.expect("sent to nobody");
            let datagram = phone.open(&datagram, self.now);
            match classify(&datagram) {
                Kind::Rtp => phone.hear(&datagram),
                Kind::Rtcp => phone.rtcp.push(datagram),
                other => panic!("sent {other:?}"),
            }
        }
    }

    /// Takes a leg out.
    pub fn leave(&mut self, n: usize) -> Box<Member<Wire>> {
        self.group.remove(n).unwrap()
    }

    /// Runs ticks with nobody listening; each packet that arrives and each tick is a step for `measure`.
    pub fn run_measured(&mut self, ticks: usize, mut measure: impl FnMut(&mut dyn FnMut())) {
        self.connected.set(false);
        for _ in 0..ticks {
            for n in 0..self.phones.len() {
                while self.phones[n].due <= self.now {
                    let phone = &mut self.phones[n];
                    let (at, from, packet) = (phone.due, phone.address, phone.speak());
                    phone.due += Duration::from_millis(u64::from(phone.ptime_ms));
                    measure(&mut || {
                        self.arrive_at(n, from, &packet, at);
                    });
                }
            }
            measure(&mut || self.tick());
            self.now += Duration::from_millis(20);
        }
    }

    /// Closes a leg's sockets as a worker would; gives the RTCP that says so.
    pub fn goodbye(&mut self, n: usize) -> Vec<u8> {
        let mut member = self.leave(n);
        let now = self.now;
        let (_, mut around) = self.split();
        member.leg.goodbye(now, &mut member.outlet, &mut around);
        self.sent.take().pop().unwrap().1
    }
}
