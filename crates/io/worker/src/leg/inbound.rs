use std::time::Duration;

use tandem_audio::AudioDecoder;
use tandem_base::{
    AudioFormat, AudioStream, ClockRate, ExtSeq, ReceiveFormat, ReceivedReport, TelephoneEvent, Time,
};
use tandem_rtp::telephone_event::{self, Key};
use tandem_rtp::{Arrival, JitterBuffer, JitterLimits, Packet, Reception, Verdict, payload};

use super::dormant::Levels;
use super::feed::{Ahead, Decode, Feed, Listening};
use super::lane::{Lane, Repairs, Sound};
use crate::packetizer::TICK_MS;

/// What became of an RTP packet of the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It belongs to the stream.
    Accepted,
    /// The same; it is the very next and lasts until the next tick.
    Due,
    /// Another source, a copy, or far out of sequence: Reception counts it.
    Refused,
    /// No such payload type was agreed, or the payload cannot be of its format.
    Malformed,
}

/// From the peer's packets to frames for the room.
pub struct Inbound {
    /// Sequence numbers and the books for our reports.
    pub reception: Reception,
    jitter: JitterBuffer,
    limits: JitterLimits,
    decodes: Vec<Decode>,
    lanes: Vec<Lane>,
    current: usize,
    ahead: Ahead,
    levels: Levels,
    events: Vec<TelephoneEvent>,
    keys: telephone_event::Receiver,
    format: Option<AudioFormat>,
    stream: Option<u32>,
    latest: ExtSeq,
    room: ClockRate,
    // Of lanes of former configurations.
    repairs: Repairs,
    // What came too late for jitter buffers of former configurations.
    late: u64,
}

fn limits(receive: &[ReceiveFormat]) -> JitterLimits {
    let wide = receive.iter().any(|f| matches!(f.format, AudioFormat::Opus(_)));
    if wide { JitterLimits::WIDE } else { JitterLimits::NARROW }
}

fn jitter(stream: &AudioStream) -> JitterBuffer {
    let fec = |f: &ReceiveFormat| matches!(f.format, AudioFormat::Opus(o) if o.inband_fec);
    let mut jitter = JitterBuffer::new(limits(&stream.receive));
    jitter.expect_fec(stream.receive.iter().any(fec));
    jitter
}

impl Inbound {
    /// For what `stream` says, with one decoder per format that it receives.
    pub fn new(
        stream: &AudioStream,
        decoders: Vec<(ReceiveFormat, Box<dyn AudioDecoder>)>,
        room: ClockRate,
    ) -> Self {
        let limits = limits(&stream.receive);
        let mut inbound = Inbound {
            reception: Reception::new(),
            jitter: jitter(stream),
            limits,
            decodes: Vec::new(),
            lanes: Vec::new(),
            current: 0,
            ahead: Ahead::default(),
            levels: Levels::new(stream.extensions.client_level),
            events: stream.telephone_events.clone(),
            keys: telephone_event::Receiver::new(),
            format: None,
            stream: None,
            latest: ExtSeq(0),
            room,
            repairs: Repairs::default(),
            late: 0,
        };
        inbound.set_decoders(decoders);
        inbound
    }

    /// A new negotiation: formats that stay keep their decoder and their playout.
    pub fn apply(&mut self, stream: &AudioStream, decoders: Vec<(ReceiveFormat, Box<dyn AudioDecoder>)>) {
        self.events.clone_from(&stream.telephone_events);
        self.levels = Levels::new(stream.extensions.client_level);
        let limits = limits(&stream.receive);
        if limits != self.limits {
            self.limits = limits;
            self.late += self.jitter.counts().late;
            self.jitter = jitter(stream);
        }
        let unchanged = self.decodes.len() == decoders.len()
            && self.decodes.iter().zip(&decoders).all(|(old, (new, _))| old.accepts == *new);
        if !unchanged {
            self.set_decoders(decoders);
        }
    }

    fn set_decoders(&mut self, decoders: Vec<(ReceiveFormat, Box<dyn AudioDecoder>)>) {
        let current = self.decodes.get(self.current).map(|d| d.accepts);
        let mut old = std::mem::take(&mut self.decodes);
        let mut lanes = std::mem::take(&mut self.lanes);
        self.ahead.format = None;
        for (accepts, fresh) in decoders {
            let kept = old.iter().position(|d| d.accepts == accepts).map(|i| old.swap_remove(i).decoder);
            let decoder = kept.unwrap_or(fresh);
            let lane = self.lane(decoder.sample_rate(), &mut lanes);
            self.decodes.push(Decode { accepts, decoder, lane });
        }
        for lane in &lanes {
            self.repairs += lane.repairs();
        }
        let kept = current.and_then(|c| self.decodes.iter().position(|d| d.accepts == c));
        self.current = kept.unwrap_or(0);
    }

    /// The lane for `rate`: there already, taken over from `old`, or new.
    fn lane(&mut self, rate: ClockRate, old: &mut Vec<Lane>) -> usize {
        if let Some(i) = self.lanes.iter().position(|l| l.rate() == rate) {
            return i;
        }
        let kept = old.iter().position(|l| l.rate() == rate).map(|i| old.swap_remove(i));
        self.lanes.push(kept.unwrap_or_else(|| Lane::new(rate, self.room)));
        self.lanes.len() - 1
    }

    /// The room changed its rate.
    pub fn set_room_rate(&mut self, room: ClockRate) {
        self.room = room;
        for lane in &mut self.lanes {
            lane.set_room_rate(room);
        }
    }

    /// Drops what waits: the peer is not to be heard now (hold), or comes back.
    pub fn restart(&mut self) {
        self.jitter.clear();
        self.ahead.format = None;
        for lane in &mut self.lanes {
            lane.restart();
        }
    }

    /// Is the payload type one that was agreed?
    pub fn knows(&self, packet: &Packet<'_>) -> bool {
        self.clock(packet).is_some()
    }

    fn event(&self, packet: &Packet<'_>) -> Option<&TelephoneEvent> {
        self.events.iter().find(|e| e.receive_payload_type == packet.header.payload_type)
    }

    fn format_of(&self, packet: &Packet<'_>) -> Option<AudioFormat> {
        let found = self.decodes.iter().find(|d| d.accepts.payload_type == packet.header.payload_type);
        found.map(|d| d.accepts.format)
    }

    fn clock(&self, packet: &Packet<'_>) -> Option<ClockRate> {
        let audio = self.format_of(packet).map(AudioFormat::clock_rate);
        audio.or_else(|| self.event(packet).map(|e| e.clock_rate))
    }

    /// Takes a packet of the peer; key presses that it completes go to `keys`. `audible`: the peer is to be heard now.
    pub fn take(&mut self, packet: &Packet<'_>, arrived: Time, audible: bool, keys: &mut Vec<Key>) -> Taken {
        let Some(clock) = self.clock(packet) else { return Taken::Malformed };
        let audio = self.format_of(packet).map(|f| (f, payload::ticks(f, packet.payload)));
        if matches!(audio, Some((_, None))) {
            return Taken::Malformed;
        }
        let verdict = self.reception.receive(&packet.header, packet.payload.len(), clock, arrived);
        let Verdict::Accepted(arrival) = verdict else { return Taken::Refused };
        let next = ExtSeq(self.latest.0.saturating_add(1)) == arrival.sequence;
        self.latest = arrival.sequence;
        let Some((format, Some(ticks))) = audio else {
            return self.take_event(packet, &arrival, clock, keys);
        };
        self.levels.note(arrival.sequence, packet);
        self.take_audio(format, &arrival, ticks, packet.payload, audible);
        let lasts = ticks >= clock.ticks_in_ms(TICK_MS);
        if next && lasts { Taken::Due } else { Taken::Accepted }
    }

    fn take_audio(
        &mut self,
        format: AudioFormat,
        arrival: &Arrival,
        ticks: u32,
        payload: &[u8],
        audible: bool,
    ) {
        self.format = Some(format);
        if self.stream.replace(arrival.stream).is_some_and(|s| s != arrival.stream) {
            for decode in &mut self.decodes {
                decode.decoder.reset();
            }
        }
        if audible {
            self.jitter.push(arrival, ticks, payload);
        }
    }

    fn take_event(
        &mut self,
        packet: &Packet<'_>,
        arrival: &Arrival,
        clock: ClockRate,
        keys: &mut Vec<Key>,
    ) -> Taken {
        self.jitter.skip(arrival);
        let Some(event) = telephone_event::Payload::parse(packet.payload) else { return Taken::Malformed };
        self.keys.receive(packet.header.timestamp, &event, clock, arrival.arrived, keys);
        Taken::Accepted
    }

    /// Completes a key whose end never came.
    pub fn expire_keys(&mut self, now: Time, keys: &mut Vec<Key>) {
        if self.keys.deadline().is_some_and(|at| at <= now) {
            self.keys.expire(now, keys);
        }
    }

    /// Plays one tick into `out` at the room's rate; `None`: nothing to add to the mix, `out` was left alone.
    pub fn play(&mut self, now: Time, out: &mut [f32]) -> Option<Sound> {
        if let Some(format) = self.ahead.format {
            self.current = format;
        }
        let Inbound { jitter, decodes, lanes, current, ahead, levels, .. } = self;
        let lane = decodes.get(*current).and_then(|d| lanes.get_mut(d.lane))?;
        lane.play(Feed { jitter, decodes, current, ahead, levels, listening: Listening::default(), now }, out)
    }

    /// What is heard at present is delayed by this much here.
    pub fn delay(&self) -> Duration {
        let lane = self.decodes.get(self.current).and_then(|d| self.lanes.get(d.lane));
        lane.map_or(Duration::ZERO, Lane::delay)
    }

    /// In figures; the caller adds what it knows of strangers and malformed packets.
    pub fn report(&self) -> ReceivedReport {
        let statistics = self.reception.statistics();
        let mut repairs = self.repairs;
        for lane in &self.lanes {
            repairs += lane.repairs();
        }
        ReceivedReport {
            format: self.format,
            packets: statistics.packets,
            octets: statistics.octets,
            lost: statistics.lost,
            late: self.late + self.jitter.counts().late,
            duplicates: statistics.duplicates,
            jitter: statistics.jitter,
            concealed: repairs.concealed,
            recovered: repairs.recovered,
            shortened: repairs.shortened,
            lengthened: repairs.lengthened,
            playout_delay: self.delay(),
            playout_target: self.jitter.target(),
            drift: self.jitter.drift().map(|ppm| ppm as f32),
            ..ReceivedReport::default()
        }
    }
}
