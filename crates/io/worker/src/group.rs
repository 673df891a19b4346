//! Legs that are ticked together: a conference, or the legs of a service.

mod ears;
mod parts;
mod rendition;

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tandem_audio::level::mean_square;
use tandem_audio::tones::Tone;
use tandem_audio::{AudioEncoder, ComfortNoise, Mixer, Selection, Sound};
use tandem_base::{Attachment, Blame, ClockRate, Fault, LossClass, MediaEvent, RoomAudio, Time};
use tandem_transport::Component;

use self::ears::Ears;
use self::parts::{Talker, candidate};
use self::rendition::Rendition;
use crate::encoding::{EncodingKey, frame_len};
use crate::fan::{Annex, Owner, Past};
use crate::leg::{Configuration, Leg, Outbound, Outlet, Received, Treatment};
use crate::packetizer::TICK_MS;
use crate::speakers::Speakers;
use crate::surroundings::Surroundings;

/// In a mix below −40 dBFS a change of encoders is not heard, by whatever codec.
const QUIET: f32 = 5e-5;

const TICKS_A_SECOND: u64 = 1_000 / TICK_MS as u64;

/// A room keeps its rate for so long after the last leg that could hear it has left, s.
const FALLS_AFTER: u32 = 20;

/// What the legs of a group hear.
enum Program {
    /// Each other.
    Mix,
    /// Themselves.
    Echo,
    /// The test tone, by way of a frame at the room's rate.
    Tone(Tone, Vec<f32>),
}

impl Program {
    fn new(attachment: Attachment, room: ClockRate) -> Self {
        match attachment {
            Attachment::Conference(_) => Program::Mix,
            Attachment::Echo => Program::Echo,
            Attachment::Tone => Program::tone(room),
        }
    }

    fn tone(room: ClockRate) -> Self {
        Program::Tone(Tone::test(room), vec![0.0; frame_len(room)])
    }
}

/// Comfort noise, by way of a frame at the room's rate.
struct Noise(ComfortNoise, Vec<f32>);

impl Noise {
    fn new(room: ClockRate) -> Self {
        Noise(ComfortNoise::new(room), vec![0.0; frame_len(room)])
    }
}

/// A leg with its way out.
pub struct Member<O> {
    /// Its media.
    pub leg: Leg,
    /// Its sockets.
    pub outlet: O,
}

/// Where the datagrams of a tick come from.
pub trait Inlet<O> {
    /// Hands a leg the RTP that came for it; true where a report was among it.
    fn read(&mut self, member: &mut Member<O>, around: &mut Surroundings<'_>) -> bool;
}

/// A leg's place in a group.
struct Seat<O> {
    member: Box<Member<O>>,
    // Its own sound of this tick at the room's rate.
    frame: Vec<f32>,
    // What that is like; `None` where there is none.
    sound: Option<Sound>,
    // Is it in the mix of this tick?
    heard: bool,
    // In an annex: what it said of late.
    past: Past,
    // Our own fault ended it: it is skipped until it is closed.
    failed: bool,
}

/// Legs that are ticked together and hear one mix.
pub struct Group<O> {
    program: Program,
    room: ClockRate,
    // The highest rate that any leg can use.
    wanted: ClockRate,
    // The same when it was last looked after; how long the room's has been higher, s; ticks without a sound.
    best: ClockRate,
    excess: u32,
    quiet: u32,
    // As the latest configuration of any leg says.
    audio: RoomAudio,
    mixer: Mixer,
    selection: Selection<Talker>,
    noise: Noise,
    ears: Ears,
    seats: Vec<Option<Seat<O>>>,
    renditions: Vec<Rendition>,
    speakers: Speakers,
    // Ticks run or skipped since the group began.
    ticks: u64,
    // Peers have told what they lose since that was looked at.
    reported: bool,
    // Other parts of the same room; or, where this is one, who mixes.
    annexes: Vec<Annex>,
    owner: Option<Box<Owner>>,
}

impl<O: Outlet> Group<O> {
    /// An empty group. Its room begins at 8 kHz and rises with its legs.
    pub fn new(attachment: Attachment) -> Self {
        let room = ClockRate::HZ_8000;
        Group {
            program: Program::new(attachment, room),
            room,
            wanted: room,
            best: room,
            excess: 0,
            quiet: 0,
            audio: RoomAudio::default(),
            mixer: Mixer::new(frame_len(room)),
            selection: Selection::new(),
            noise: Noise::new(room),
            ears: Ears::default(),
            seats: Vec::new(),
            renditions: Vec::new(),
            speakers: Speakers::new(),
            ticks: 0,
            reported: false,
            annexes: Vec::new(),
            owner: None,
        }
    }

    /// No leg is left, nor any elsewhere.
    pub fn is_empty(&self) -> bool {
        self.annexes.is_empty() && self.seats.iter().all(Option::is_none)
    }

    /// Shared encoders.
    pub fn renditions(&self) -> usize {
        self.renditions.iter().filter(|r| r.members > 0).count()
    }

    /// The rate that it mixes at.
    #[cfg(test)]
    pub fn room_rate(&self) -> ClockRate {
        self.room
    }

    /// Takes a leg in; gives its seat.
    pub fn insert(&mut self, member: Box<Member<O>>) -> usize {
        let index = self.seats.iter().position(Option::is_none).unwrap_or(self.seats.len());
        if index == self.seats.len() {
            self.seats.push(None);
        }
        self.audio = member.leg.room_audio();
        self.raise(member.leg.outbound.key().format.sample_rate());
        self.selection.reserve(self.seats.len());
        if matches!(self.program, Program::Mix) {
            self.ears.open();
        }
        let mut seat = Seat::new(member, self.room);
        if self.is_annex() {
            seat.past = Past::new(frame_len(self.room));
        }
        seat.member.leg.enter(self.room, self.ticks);
        let key = seat.member.leg.outbound.key();
        let spare = seat.member.leg.take_spare();
        if let Some(place) = self.seats.get_mut(index) {
            *place = Some(seat);
        }
        self.enter_rendition(key, spare);
        index
    }

    /// Lets a leg out.
    pub fn remove(&mut self, seat: usize) -> Option<Box<Member<O>>> {
        let index = seat;
        let seat = self.seats.get_mut(index)?.take()?;
        self.selection.forget((0, index));
        self.ears.turn_away(index);
        rendition::leave(&mut self.renditions, seat.member.leg.outbound.key());
        Some(seat.member)
    }

    /// The leg at a seat.
    pub fn member(&mut self, seat: usize) -> Option<&mut Member<O>> {
        self.seats.get_mut(seat)?.as_mut().map(|s| &mut *s.member)
    }

    /// Something else is to be done to a leg's sound.
    pub fn adjust(&mut self, seat: usize, treatment: Treatment) {
        if let Some(member) = self.member(seat) {
            member.leg.adjust(treatment);
        }
    }

    /// A leg was negotiated anew.
    pub fn apply(&mut self, seat: usize, configuration: Configuration, now: Time) {
        self.raise(configuration.stream.send.format.sample_rate());
        let (room, ticks) = (self.room, self.ticks);
        let Some(member) = self.member(seat) else { return };
        let before = member.leg.outbound.key();
        member.leg.apply(configuration, room, ticks, now);
        let audio = member.leg.room_audio();
        let (after, spare) = (member.leg.outbound.key(), member.leg.take_spare());
        self.audio = audio;
        if after != before {
            self.enter_rendition(after, spare);
            rendition::leave(&mut self.renditions, before);
        }
    }

    /// Raises the room's rate to `rate`, unless it is as high already or fixed. An annex leaves that to its owner.
    fn raise(&mut self, rate: ClockRate) {
        self.wanted = self.wanted.max(rate);
        let rate = self.audio.rate.unwrap_or(self.wanted.max(self.room));
        if rate != self.room && !self.is_annex() {
            self.set_rate(rate);
        }
    }

    /// Lets the rate fall a while after the last leg that could hear more has left, in a moment when nobody speaks: so
    /// nobody hears it. Where a room is spread over threads it stays.
    fn fall(&mut self) {
        self.quiet = if self.mixer.contributors() == 0 { self.quiet.saturating_add(1) } else { 0 };
        if self.ticks.is_multiple_of(TICKS_A_SECOND) {
            let legs = self.seats.iter().flatten().map(|s| s.member.leg.outbound.key().format.sample_rate());
            let best = legs.max().unwrap_or(self.room);
            let may = matches!(self.program, Program::Mix) && self.audio.rate.is_none() && !self.is_spread();
            self.excess = if may && best < self.room { self.excess + 1 } else { 0 };
            self.best = best;
        }
        if self.excess > FALLS_AFTER && self.quiet > 1 {
            self.excess = 0;
            self.wanted = self.best;
            self.set_rate(self.best);
        }
    }

    /// Does the room have parts on other threads, or is it one?
    fn is_spread(&self) -> bool {
        self.is_annex() || !self.annexes.is_empty()
    }

    fn set_rate(&mut self, rate: ClockRate) {
        self.room = rate;
        self.mixer = Mixer::new(frame_len(rate));
        self.noise = Noise::new(rate);
        if matches!(self.program, Program::Tone(..)) {
            self.program = Program::tone(rate);
        }
        for seat in self.seats.iter_mut().flatten() {
            seat.member.leg.set_room_rate(rate);
            seat.frame = vec![0.0; frame_len(rate)];
            if self.owner.is_some() {
                seat.past = Past::new(frame_len(rate));
            }
        }
        for rendition in self.renditions.iter_mut() {
            rendition.encoding.set_room_rate(rate);
        }
    }

    /// One more leg hears the rendition of `key`; its `spare` encoder makes one that is lacking.
    fn enter_rendition(&mut self, key: EncodingKey, spare: Option<Box<dyn AudioEncoder>>) {
        let (room, ticks) = (self.room, self.ticks);
        let make = |key| spare.map(|encoder| Rendition::new(key, encoder, room, ticks));
        rendition::enter(&mut self.renditions, key, make);
    }

    /// Takes a datagram that came for the leg at `seat`; says what it was good for.
    pub fn receive(
        &mut self,
        seat: usize,
        component: Component,
        from: Option<SocketAddr>,
        datagram: Option<&[u8]>,
        arrived: Time,
        around: &mut Surroundings<'_>,
    ) -> Option<Received> {
        let seat = self.seats.get_mut(seat)?.as_mut()?;
        let received = seat
            .guard(around, |member, around| member.leg.receive(component, from, datagram, arrived, around));
        self.reported |= received == Some(Received::Report);
        received
    }

    /// Looked after once a second, not with each report: a thousand legs report two hundred times a second.
    fn expect_losses(&mut self) {
        if !self.ticks.is_multiple_of(TICKS_A_SECOND) || !std::mem::take(&mut self.reported) {
            return;
        }
        for rendition in &mut self.renditions {
            rendition.worst = LossClass::Clean;
        }
        for seat in self.seats.iter().flatten() {
            let outbound = &seat.member.leg.outbound;
            let key = outbound.key();
            if let Some(rendition) = self.renditions.iter_mut().find(|r| r.encoding.key() == key) {
                rendition.worst = rendition.worst.max(outbound.loss);
            }
        }
        rendition::expect_losses(&mut self.renditions);
    }

    /// Lets `n` ticks pass that came too late: timestamps run on, so that no delay is left behind.
    pub fn skip(&mut self, n: u64) {
        // An annex keeps its owner's time.
        if !self.is_annex() {
            self.pass(n);
        }
    }

    fn pass(&mut self, n: u64) {
        // More than this is no late thread but a machine that slept: nobody waits for the sound in between.
        for _ in 0..n.min(500) {
            for rendition in self.renditions.iter_mut() {
                rendition.encoding.pass();
            }
            for seat in self.seats.iter_mut().flatten() {
                seat.member.leg.outbound.pause(self.ticks);
            }
            self.ticks += 1;
        }
    }

    /// Ends all legs: a panic left what they share half done.
    pub fn fail(&mut self, around: &mut Surroundings<'_>) {
        for seat in self.seats.iter_mut().flatten().filter(|s| !s.failed) {
            seat.fail(around);
        }
    }

    /// Runs one tick: receive, timers, playout, mix, encode, send.
    ///
    /// All that comes in is done with leg by leg rather than step by step: what one leg touches is still in the cache then.
    pub fn tick(&mut self, now: Time, inlet: &mut impl Inlet<O>, around: &mut Surroundings<'_>) {
        self.raise(self.wanted);
        self.fall();
        for seat in self.seats.iter_mut().flatten() {
            self.reported |= seat.take_in(now, inlet, around);
        }
        self.expect_losses();
        self.hear_annexes(around);
        self.add_up(around);
        if self.is_annex() {
            self.offer(around);
            return self.serve_mixes(now, around);
        }
        self.tell_annexes(around);
        self.serve(now, around);
    }

    /// Encodes and sends what there is to hear.
    fn serve(&mut self, now: Time, around: &mut Surroundings<'_>) {
        self.choose_encodings();
        self.encode_shared(around);
        self.send(now, around);
        self.ticks += 1;
    }

    fn add_up(&mut self, around: &mut Surroundings<'_>) {
        self.mixer.clear();
        self.speakers = Speakers::new();
        match &mut self.program {
            Program::Mix => {
                self.note_talk(around);
                self.mix();
                self.comfort();
            }
            Program::Echo => {}
            Program::Tone(tone, frame) => {
                tone.fill(frame);
                self.mixer.add(frame);
            }
        }
    }

    /// Keeps silence from being digital. The noise is there as well while somebody speaks, so that it neither comes nor
    /// goes.
    fn comfort(&mut self) {
        if self.audio.comfort_noise && !self.is_annex() {
            let Noise(noise, frame) = &mut self.noise;
            noise.fill(frame);
            self.mixer.add_background(frame);
        }
    }

    /// Finds out who talks, and tells of changes.
    fn note_talk(&mut self, around: &mut Surroundings<'_>) {
        for (index, seat) in self.seats.iter_mut().enumerate() {
            let Some(seat) = seat.as_mut().filter(|s| !s.failed) else { continue };
            let leg = &mut seat.member.leg;
            match seat.sound {
                Some(sound) if leg.talk.is_in_doubt(sound) => {
                    if let Some(voice) = self.ears.listen(index, &seat.frame, self.room) {
                        leg.talk.judge(voice);
                    }
                }
                Some(_) => {}
                None => self.ears.turn_away(index),
            }
            if let Some(talking) = leg.talk.note(seat.sound) {
                around.events.emit(MediaEvent::Talk { leg: leg.id(), talking });
            }
            if let Some(sound) = &mut seat.sound {
                sound.kind = leg.talk.kind();
            }
        }
    }

    /// Adds up those who are heard.
    fn mix(&mut self) {
        let sounds = self.seats.iter().enumerate().filter_map(|(id, s)| Some((id, s.as_ref()?.sound?)));
        let own = sounds.map(|(seat, sound)| candidate((0, seat), sound));
        let others = self.annexes.iter().flat_map(|a| a.candidates());
        self.selection.select(usize::from(self.audio.loudest), own.chain(others));
        for ((_, index), gain) in self.selection.heard().take_while(|((part, _), _)| *part == 0) {
            let Some(seat) = self.seats.get_mut(index).and_then(Option::as_mut) else { continue };
            seat.heard = true;
            gain.apply(&mut seat.frame);
            self.mixer.add(&seat.frame);
            if let Some(ssrc) = seat.member.leg.remote_ssrc() {
                self.speakers.name(ssrc, seat.sound.unwrap_or_default().level);
            }
        }
        self.mix_annexes();
    }

    /// Who contributes hears what nobody else hears; all others share. A leg that changes goes on where it was.
    fn choose_encodings(&mut self) {
        let echo = matches!(self.program, Program::Echo);
        let silent = self.mixer.contributors() == 0;
        let quiet = mean_square(self.mixer.total()) < QUIET;
        self.renditions.iter_mut().for_each(Rendition::begin);
        for seat in self.seats.iter_mut().flatten().filter(|s| !s.failed) {
            let outbound = &mut seat.member.leg.outbound;
            rendition::follow_loss(&mut self.renditions, outbound, silent);
            let key = outbound.key();
            let Some(rendition) = self.renditions.iter_mut().find(|r| r.encoding.key() == key) else {
                continue;
            };
            let contributes = seat.heard;
            let alone = echo
                || contributes
                || !outbound.volume.is_idle()
                || (!silent && rendition.live && outbound.lingers(quiet));
            match (outbound.alone, alone) {
                (false, true) if !echo => outbound.own.continue_from(&rendition.encoding),
                (true, false) if rendition.live && !silent => rendition.welcome(),
                (true, false) if !rendition.live => rendition.encoding.continue_from(&outbound.own),
                (false, false) if !rendition.live => rendition.encoding.restart(),
                _ => {}
            }
            outbound.choose(alone, contributes);
            if !alone && seat.member.leg.sends() {
                rendition.listeners += 1;
                rendition.live = true;
            }
        }
    }

    fn encode_shared(&mut self, around: &mut Surroundings<'_>) {
        let mixer = &self.mixer;
        for rendition in self.renditions.iter_mut() {
            rendition.live = rendition.listeners > 0;
            if rendition.live {
                let encoded = rendition.encoding.run(|limiter, out| mixer.render(None, limiter, out));
                around.tally.encodes += encoded as u64;
            } else {
                rendition.encoding.pass();
            }
        }
    }

    fn send(&mut self, now: Time, around: &mut Surroundings<'_>) {
        let Group { program, mixer, seats, renditions, speakers, ticks, .. } = self;
        let echo = matches!(program, Program::Echo);
        for seat in seats.iter_mut().flatten() {
            let key = seat.member.leg.outbound.key();
            let shared = renditions.iter().find(|r| r.encoding.key() == key);
            if seat.failed || !seat.member.leg.sends() {
                seat.member.leg.outbound.pause(*ticks);
            } else if seat.member.leg.outbound.alone {
                let mix = Mix { mixer, echo, speakers };
                seat.send_own(&mix, now, around);
            } else if let Some(rendition) = shared {
                seat.send_shared(rendition, speakers, now, around);
            }
        }
    }
}

/// What there is to hear in this tick.
struct Mix<'a> {
    mixer: &'a Mixer,
    echo: bool,
    speakers: &'a Speakers,
}

impl<O: Outlet> Seat<O> {
    fn new(member: Box<Member<O>>, room: ClockRate) -> Self {
        Seat {
            member,
            frame: vec![0.0; frame_len(room)],
            sound: None,
            heard: false,
            past: Past::default(),
            failed: false,
        }
    }

    /// Runs one step of a leg; should it panic, only this leg ends.
    fn guard<R>(
        &mut self,
        around: &mut Surroundings<'_>,
        step: impl FnOnce(&mut Member<O>, &mut Surroundings<'_>) -> R,
    ) -> Option<R> {
        if self.failed {
            return None;
        }
        let member = &mut self.member;
        // Whatever a panic leaves half done belongs to the leg, which is not run again.
        let result = catch_unwind(AssertUnwindSafe(|| step(member, around)));
        if result.is_err() {
            self.fail(around);
        }
        result.ok()
    }

    fn fail(&mut self, around: &mut Surroundings<'_>) {
        self.failed = true;
        self.sound = None;
        self.heard = false;
        around.keys.clear();
        let fault = Fault::new(Blame::Ourselves, 500, "the leg's media broke down");
        around.events.emit(MediaEvent::Failed { leg: self.member.leg.id(), fault });
    }

    /// Receives, minds timers and plays; true where the peer told what it loses.
    fn take_in(&mut self, now: Time, inlet: &mut impl Inlet<O>, around: &mut Surroundings<'_>) -> bool {
        let mut frame = std::mem::take(&mut self.frame);
        let done = self.guard(around, |member, around| {
            let reported = inlet.read(member, around);
            member.leg.pass_time(now, &mut member.outlet, around);
            (reported, member.leg.play(now, &mut frame, around))
        });
        self.frame = frame;
        let (reported, sound) = done.unwrap_or_default();
        self.sound = sound;
        self.heard = false;
        reported
    }

    fn send_own(&mut self, mix: &Mix<'_>, now: Time, around: &mut Surroundings<'_>) {
        let (frame, heard, sounds) = (std::mem::take(&mut self.frame), self.heard, self.sound.is_some());
        let encoded = self.guard(around, |member, _| {
            let Outbound { own, volume, .. } = &mut member.leg.outbound;
            let encoded = own.run(|limiter, out| match mix.echo {
                false => mix.mixer.render_at(volume, Some(&*frame).filter(|_| heard), limiter, out),
                true if sounds => out.copy_from_slice(&frame),
                true => out.fill(0.0),
            });
            member.leg.hears_own();
            encoded
        });
        self.frame = frame;
        around.tally.encodes += encoded.unwrap_or(0) as u64;
        self.send_own_packets(mix, now, around);
    }

    fn send_own_packets(&mut self, mix: &Mix<'_>, now: Time, around: &mut Surroundings<'_>) {
        let others = mix.speakers.without(self.member.leg.remote_ssrc());
        self.guard(around, |member, around| {
            let Member { leg, outlet } = member;
            leg.send_own(&others, now, outlet, around);
        });
    }

    fn send_shared(
        &mut self,
        rendition: &Rendition,
        speakers: &Speakers,
        now: Time,
        around: &mut Surroundings<'_>,
    ) {
        self.guard(around, |member, around| {
            let Member { leg, outlet } = member;
            leg.hears(rendition.encoding.heard());
            leg.send_shared(rendition.encoding.payloads(), speakers, now, outlet, around);
        });
    }
}
