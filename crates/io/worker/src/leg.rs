//! One leg's media without its sockets: datagrams and frames in, frames and datagrams out.

mod dormant;
mod feed;
mod inbound;
mod lane;
mod outbound;
mod patience;
mod quality;
mod secrecy;
mod silk;
mod treatment;

use std::net::SocketAddr;
use std::time::Duration;

use tandem_audio::{AudioEncoder, Sound, Talk};
use tandem_base::{
    AudioStream, Blame, ClockRate, Direction, Entropy, Epoch, Fault, LegId, LegReport, LossClass, MediaEvent,
    MediaTimeouts, RoomAudio, Ssrc, Time,
};
use tandem_rtp::telephone_event::Key;
use tandem_rtp::{Kind, Packet, ReportSchedule, Transmission, classify, report};
use tandem_transport::{Component, PlainTransport, SRTP_TRAILER};

pub use self::inbound::{Inbound, Taken};
pub use self::outbound::{MAX_DATAGRAM, Outbound, Packets};
use self::patience::Patience;
use self::secrecy::{Dropped, Secrecy};
pub use self::treatment::Treatment;
use crate::codecs::Codecs;
use crate::encoding::EncodingKey;
use crate::packetizer::TICK_MS;
use crate::random::Spread;
use crate::speakers::Speakers;
use crate::surroundings::Surroundings;

/// The rate that lanes and encodings have before a room sets its own.
const NO_ROOM: ClockRate = ClockRate::HZ_8000;

/// How long a tick is.
const TICK: Duration = Duration::from_millis(TICK_MS as u64);

/// Octets of the longest RTCP compound that we send.
const MAX_RTCP: usize = 256;

/// Where a leg's datagrams go: its sockets, or a test's list.
pub trait Outlet {
    /// Sends; false where the kernel refused.
    fn send(&mut self, component: Component, to: SocketAddr, datagram: &[u8]) -> bool;

    /// RTP from others than `peer` is not wanted now; `None`: it may be. Told in every tick.
    fn settle(&mut self, _peer: Option<SocketAddr>) {}
}

/// What a leg is to be from now on.
pub struct Configuration {
    /// Which negotiation.
    pub epoch: Epoch,
    /// What was agreed.
    pub stream: AudioStream,
    /// What it takes.
    pub codecs: Codecs,
    /// How the audio of the room that it is in is made.
    pub audio: RoomAudio,
}

/// What a datagram was good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Taken, or dropped and counted.
    Nothing,
    /// A packet of sound that follows the last one and lasts until the next tick.
    Due,
    /// The peer's report said what share of our packets it loses.
    Report,
}

/// One party's media.
pub struct Leg {
    id: LegId,
    epoch: Epoch,
    direction: Direction,
    audio: RoomAudio,
    transport: PlainTransport,
    secrecy: Secrecy,
    inbound: Inbound,
    /// When the peer talks.
    pub talk: Talk,
    /// Towards the peer.
    pub outbound: Outbound,
    patience: Patience,
    // For a rendition, if the group has none yet for this leg's format.
    spare: Option<Box<dyn AudioEncoder>>,
    cname: String,
    schedule: ReportSchedule,
    spread: Spread,
    strangers: u64,
    malformed: u64,
}

impl Leg {
    /// A leg that was just configured for the first time.
    pub fn new(
        id: LegId,
        timeouts: MediaTimeouts,
        cname: String,
        configuration: Configuration,
        entropy: &mut impl Entropy,
        now: Time,
    ) -> Self {
        let Configuration { epoch, stream, codecs, audio } = configuration;
        let mut transport = PlainTransport::new();
        transport.negotiate(stream.remote_rtp, stream.remote_rtcp, stream.rtcp_mux, now);
        let transmission = Transmission::new(stream.send.format.clock_rate(), entropy);
        let mut spread = Spread::new(entropy.next_u64());
        Leg {
            id,
            epoch,
            direction: stream.direction,
            audio,
            transport,
            secrecy: Secrecy::new(stream.srtp.as_ref(), now),
            inbound: Inbound::new(&stream, codecs.decoders, NO_ROOM),
            talk: Talk::default(),
            outbound: Outbound::new(&stream, codecs.encoder, transmission, NO_ROOM),
            patience: Patience::new(timeouts, talks(stream.direction), now),
            spare: Some(codecs.shared),
            cname,
            schedule: ReportSchedule::new(now, &mut spread),
            spread,
            strangers: 0,
            malformed: 0,
        }
    }

    /// A new negotiation, in a group of `room` rate that has run for `ticks` ticks. An older one than that in force
    /// is ignored.
    pub fn apply(&mut self, configuration: Configuration, room: ClockRate, ticks: u64, now: Time) {
        let Configuration { epoch, stream, codecs, audio } = configuration;
        if epoch < self.epoch {
            // Another group may still need an encoder of the format in force.
            self.spare =
                Some(codecs.shared).filter(|_| EncodingKey::from(stream.send) == self.outbound.key());
            return;
        }
        self.epoch = epoch;
        self.audio = audio;
        self.transport.negotiate(stream.remote_rtp, stream.remote_rtcp, stream.rtcp_mux, now);
        self.secrecy.negotiate(stream.srtp.as_ref(), now);
        self.inbound.apply(&stream, codecs.decoders);
        self.outbound.apply(&stream, codecs.encoder, room, ticks);
        if stream.direction.receives() != self.direction.receives() {
            self.inbound.restart();
        }
        self.direction = stream.direction;
        self.spare = Some(codecs.shared);
        self.patience.configure(talks(stream.direction), now);
    }

    /// The same between groups: the next one sets its rate when the leg enters it.
    pub fn apply_elsewhere(&mut self, configuration: Configuration, now: Time) {
        self.apply(configuration, NO_ROOM, 0, now);
    }

    /// An encoder for a rendition of this leg's format; there once after each configuration.
    pub fn take_spare(&mut self) -> Option<Box<dyn AudioEncoder>> {
        self.spare.take()
    }

    /// Does as `treatment` says to its sound from now on.
    pub fn adjust(&mut self, treatment: Treatment) {
        self.outbound.adjust(treatment.sound());
        self.inbound.inward.apply(treatment);
    }

    /// What it hears in this tick, where that is encoded for others as well.
    pub fn hears(&mut self, pcm: &[f32]) {
        self.inbound.inward.hears(pcm);
    }

    /// The same where it was encoded for it alone.
    pub fn hears_own(&mut self) {
        self.inbound.inward.hears(self.outbound.own.heard());
    }

    /// Which leg.
    pub fn id(&self) -> LegId {
        self.id
    }

    /// How the audio of the room that it is in is made, as its latest configuration says.
    pub fn room_audio(&self) -> RoomAudio {
        self.audio
    }

    /// The group's room has this rate, and has run for `ticks` ticks.
    pub fn enter(&mut self, room: ClockRate, ticks: u64) {
        self.set_room_rate(room);
        self.outbound.own.align(ticks);
        self.outbound.own.set_class(LossClass::default());
        self.outbound.alone = false;
        self.talk.reset();
    }

    /// The room changed its rate.
    pub fn set_room_rate(&mut self, room: ClockRate) {
        self.inbound.set_room_rate(room);
        self.outbound.own.set_room_rate(room);
    }

    /// Is there somewhere to send sound to?
    pub fn sends(&self) -> bool {
        self.direction.sends() && self.transport.rtp_destination().is_some()
    }

    /// The peer's SSRC.
    pub fn remote_ssrc(&self) -> Option<Ssrc> {
        self.inbound.reception.ssrc()
    }

    /// Takes a datagram from the peer or from anybody else.
    pub fn receive(
        &mut self,
        component: Component,
        from: Option<SocketAddr>,
        datagram: Option<&[u8]>,
        arrived: Time,
        around: &mut Surroundings<'_>,
    ) -> Received {
        let (Some(from), Some(datagram)) = (from, datagram) else {
            self.count_malformed(around);
            return Received::Nothing;
        };
        let rtcp = match classify(datagram) {
            Kind::Rtp if component == Component::Rtp => false,
            Kind::Rtcp => true,
            _ => {
                self.count_malformed(around);
                return Received::Nothing;
            }
        };
        if self.secrecy.is_on() {
            return self.receive_secret(rtcp, from, datagram, arrived, around);
        }
        self.receive_plain(rtcp, from, datagram, arrived, around)
    }

    /// Nothing that an encrypted leg gets is looked at before it proves authentic, not even where it comes from.
    fn receive_secret(
        &mut self,
        rtcp: bool,
        from: SocketAddr,
        datagram: &[u8],
        arrived: Time,
        around: &mut Surroundings<'_>,
    ) -> Received {
        match self.secrecy.open(rtcp, datagram, arrived) {
            Ok((plain, len)) => {
                let packet = plain.get(..len).unwrap_or_default();
                let received = self.receive_plain(rtcp, from, packet, arrived, around);
                self.secrecy.give_back(plain);
                return received;
            }
            Err(Dropped::Malformed) => self.count_malformed(around),
            Err(Dropped::Unauthentic) => around.tally.unauthentic += 1,
            Err(Dropped::Replayed) => around.tally.replayed += 1,
        }
        Received::Nothing
    }

    fn receive_plain(
        &mut self,
        rtcp: bool,
        from: SocketAddr,
        packet: &[u8],
        arrived: Time,
        around: &mut Surroundings<'_>,
    ) -> Received {
        if rtcp {
            return self.receive_rtcp(from, packet, arrived, around);
        }
        self.receive_rtp(from, packet, arrived, around)
    }

    fn receive_rtp(
        &mut self,
        from: SocketAddr,
        datagram: &[u8],
        arrived: Time,
        around: &mut Surroundings<'_>,
    ) -> Received {
        let packet = match Packet::parse(datagram) {
            Ok(packet) if self.inbound.knows(&packet) => packet,
            _ => {
                self.count_malformed(around);
                return Received::Nothing;
            }
        };
        if !self.transport.accept_rtp(from, packet.header.ssrc, packet.header.sequence, arrived) {
            self.count_stranger(around);
            return Received::Nothing;
        }
        around.keys.clear();
        let taken = self.inbound.take(&packet, arrived, self.direction.receives(), around.keys);
        match taken {
            Taken::Accepted | Taken::Due => {
                around.tally.packets_in += 1;
                self.patience.heard_rtp(arrived);
            }
            Taken::Refused => {}
            Taken::Malformed => self.count_malformed(around),
        }
        self.tell_keys(around);
        if taken == Taken::Due { Received::Due } else { Received::Nothing }
    }

    fn receive_rtcp(
        &mut self,
        from: SocketAddr,
        datagram: &[u8],
        arrived: Time,
        around: &mut Surroundings<'_>,
    ) -> Received {
        let Some(sender) = datagram.get(4..8).and_then(|b| b.first_chunk::<4>()) else {
            self.count_malformed(around);
            return Received::Nothing;
        };
        if !self.transport.accept_rtcp(from, Ssrc(u32::from_be_bytes(*sender))) {
            self.count_stranger(around);
            return Received::Nothing;
        }
        let books = (&mut self.outbound.packets.transmission, &mut self.inbound.reception);
        match report::absorb(datagram, books.0, books.1, arrived, around.wall) {
            Ok(_) => {
                self.patience.heard_rtcp(arrived);
                self.outbound.heed_reports();
                return Received::Report;
            }
            Err(_) => self.count_malformed(around),
        }
        Received::Nothing
    }

    fn count_malformed(&mut self, around: &mut Surroundings<'_>) {
        self.malformed += 1;
        around.tally.malformed += 1;
    }

    fn count_stranger(&mut self, around: &mut Surroundings<'_>) {
        self.strangers += 1;
        around.tally.strangers += 1;
    }

    fn tell_keys(&mut self, around: &mut Surroundings<'_>) {
        for Key { event, duration } in around.keys.drain(..) {
            if let Some(digit) = tandem_audio::tones::Digit::from_event(event) {
                let digit = digit.as_char();
                around.events.emit(MediaEvent::Digit { leg: self.id, digit, duration });
            }
        }
    }

    /// What time alone brings about: time-outs, keys that were never released, reports.
    pub fn pass_time(&mut self, now: Time, outlet: &mut impl Outlet, around: &mut Surroundings<'_>) {
        outlet.settle(self.transport.settled(now));
        if let Some(kind) = self.patience.expired(now) {
            around.events.emit(MediaEvent::Timeout { leg: self.id, epoch: self.epoch, kind });
        }
        if self.secrecy.take_exhausted() {
            // RFC 3711 §9.2: rather no media than media under a key that is used up.
            let fault =
                Fault::new(Blame::Policy, 500, "the SRTP key has protected as many packets as it may");
            around.events.emit(MediaEvent::Failed { leg: self.id, fault });
        }
        around.keys.clear();
        self.inbound.expire_keys(now, around.keys);
        self.tell_keys(around);
        if self.schedule.deadline() <= now {
            self.send_rtcp(None, now, outlet, around);
            self.schedule.sent(now, &mut self.spread);
        }
    }

    fn send_rtcp(
        &mut self,
        goodbye: Option<&str>,
        now: Time,
        outlet: &mut impl Outlet,
        around: &mut Surroundings<'_>,
    ) {
        let Some((component, to)) = self.transport.rtcp_destination() else { return };
        let mut buffer = [0; MAX_RTCP + SRTP_TRAILER];
        let books = (&mut self.outbound.packets.transmission, &mut self.inbound.reception);
        let len = report::compose(
            books.0,
            books.1,
            &self.cname,
            goodbye,
            now,
            around.wall,
            &mut buffer[..MAX_RTCP],
        );
        let len = len.and_then(|n| self.secrecy.seal_rtcp(&mut buffer, n));
        if let Some(datagram) = len.and_then(|n| buffer.get(..n)) {
            outlet.send(component, to, datagram);
        }
    }

    /// Says goodbye by RTCP (RFC 3550 §6.6).
    pub fn goodbye(&mut self, now: Time, outlet: &mut impl Outlet, around: &mut Surroundings<'_>) {
        self.send_rtcp(Some("leg closed"), now, outlet, around);
    }

    /// Plays one tick of the peer's sound into `out`, at the room's rate; `None`: nothing to add to the mix.
    pub fn play(&mut self, now: Time, out: &mut [f32], around: &mut Surroundings<'_>) -> Option<Sound> {
        if !self.direction.receives() {
            return None;
        }
        let sound = self.inbound.play(now, out);
        self.inbound.count_playout(around.tally);
        sound
    }

    /// Sends what its rendition encoded in this tick.
    pub fn send_shared<'p>(
        &mut self,
        payloads: impl Iterator<Item = &'p [u8]>,
        speakers: &Speakers,
        now: Time,
        outlet: &mut impl Outlet,
        around: &mut Surroundings<'_>,
    ) {
        let Some(to) = self.transport.rtp_destination() else { return };
        for payload in payloads {
            let packets = (&mut self.outbound.packets, &mut self.secrecy);
            send(packets, payload, speakers, (now, to), outlet, around);
        }
    }

    /// Sends what was encoded for it alone in this tick.
    pub fn send_own(
        &mut self,
        speakers: &Speakers,
        now: Time,
        outlet: &mut impl Outlet,
        around: &mut Surroundings<'_>,
    ) {
        let Some(to) = self.transport.rtp_destination() else { return };
        let Outbound { own, packets, .. } = &mut self.outbound;
        for payload in own.payloads() {
            send((&mut *packets, &mut self.secrecy), payload, speakers, (now, to), outlet, around);
        }
    }

    /// Its media in figures.
    pub fn report(&self) -> LegReport {
        let mut report = LegReport { received: self.inbound.report(), sent: self.outbound.packets.report() };
        report.received.talked = TICK * u32::try_from(self.talk.talked()).unwrap_or(u32::MAX);
        report.received.strangers = self.strangers;
        report.received.malformed = self.malformed;
        report.received.unauthentic = self.secrecy.unauthentic;
        report.received.replayed = self.secrecy.replayed;
        report.received.overdue = self.secrecy.overdue();
        quality::estimate(&mut report);
        report
    }
}

/// Should the peer send? One that holds by `sendonly` or `c=0.0.0.0` may play music, and may as well be silent.
const fn talks(direction: Direction) -> bool {
    matches!(direction, Direction::SendRecv)
}

fn send(
    (packets, secrecy): (&mut Packets, &mut Secrecy),
    payload: &[u8],
    speakers: &Speakers,
    (now, to): (Time, SocketAddr),
    outlet: &mut impl Outlet,
    around: &mut Surroundings<'_>,
) {
    let put = |bytes: &[u8]| outlet.send(Component::Rtp, to, bytes);
    let sent = packets.packet(payload, speakers, now, around.datagram, secrecy, put);
    around.tally.packets_out += u64::from(sent);
    around.tally.send_errors += u64::from(!sent && !payload.is_empty());
}
