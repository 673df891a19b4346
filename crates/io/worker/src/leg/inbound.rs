use std::time::Duration;

use tandem_audio::{AudioDecoder, DescribedNoise, Sound};
use tandem_base::{
    AudioFormat, AudioStream, ClockRate, ExtSeq, PayloadType, ReceiveFormat, ReceivedReport, TelephoneEvent,
    Time,
};
use tandem_rtp::redundancy::{Block, Redundant};
use tandem_rtp::telephone_event::{self, Key};
use tandem_rtp::{Arrival, JitterBuffer, JitterLimits, Packet, Reception, Verdict, payload};

use super::dormant::Levels;
use super::feed::{Ahead, Decode, Feed, Listening, Pause};
use super::lane::{Lane, Repairs};
use super::treatment::Inward;
use crate::packetizer::TICK_MS;
use crate::surroundings::Tally;

/// Opus packets up to this length say that nothing is sent for a while (RFC 6716 §3.4: no frame, or one of an octet).
const DTX_OCTETS: usize = 2;

/// Packets that a copy may be behind.
const MAX_DISTANCE: u32 = 4;

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

/// What a packet brings.
struct Content<'p> {
    payload_type: PayloadType,
    payload: &'p [u8],
    /// With copies of earlier ones.
    redundant: Option<Redundant<'p>>,
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
    redundancy: Option<PayloadType>,
    events: Vec<TelephoneEvent>,
    keys: telephone_event::Receiver,
    format: Option<AudioFormat>,
    /// See [`Feed::pause`], and behind which packet.
    pause: Option<Pause>,
    paused_at: (u32, ExtSeq),
    stream: Option<u32>,
    latest: ExtSeq,
    room: ClockRate,
    /// What is done to it.
    pub inward: Inward,
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
    let mut jitter = JitterBuffer::new(limits(&stream.receive));
    jitter.expect_fec(repeats(stream));
    jitter
}

/// May packets bring again what was lost before them?
fn repeats(stream: &AudioStream) -> bool {
    let fec = |f: &ReceiveFormat| matches!(f.format, AudioFormat::Opus(o) if o.inband_fec);
    stream.redundancy.is_some() || stream.receive.iter().any(fec)
}

/// How many packets before its own a copy was sent first, by its offset; `None` where that is no whole number, or more
/// than anybody repeats: then there was a pause in between.
fn distance(copy: &Block<'_>, ticks: u32) -> Option<u64> {
    let packets = copy.offset.checked_div(ticks).filter(|n| n * ticks == copy.offset)?;
    (1..=MAX_DISTANCE).contains(&packets).then_some(packets.into())
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
            redundancy: stream.redundancy.map(|r| r.receive_payload_type),
            events: stream.telephone_events.clone(),
            keys: telephone_event::Receiver::new(),
            format: None,
            pause: None,
            paused_at: (0, ExtSeq(0)),
            stream: None,
            latest: ExtSeq(0),
            room,
            inward: Inward::default(),
            repairs: Repairs::default(),
            late: 0,
        };
        inbound.set_decoders(decoders);
        inbound
    }

    /// A new negotiation: formats that stay keep their decoder and their playout.
    pub fn apply(&mut self, stream: &AudioStream, decoders: Vec<(ReceiveFormat, Box<dyn AudioDecoder>)>) {
        self.events.clone_from(&stream.telephone_events);
        self.redundancy = stream.redundancy.map(|r| r.receive_payload_type);
        self.jitter.expect_fec(repeats(stream));
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
        self.pause = None;
        self.ahead.format = None;
        for lane in &mut self.lanes {
            lane.restart();
        }
    }

    /// Is the payload type one that was agreed?
    pub fn knows(&self, packet: &Packet<'_>) -> bool {
        self.content(packet).is_some_and(|content| self.clock(content.payload_type).is_some())
    }

    /// `None` for a redundant packet whose lengths lie.
    fn content<'p>(&self, packet: &Packet<'p>) -> Option<Content<'p>> {
        let Packet { header, payload, .. } = *packet;
        if self.redundancy != Some(header.payload_type) {
            return Some(Content { payload_type: header.payload_type, payload, redundant: None });
        }
        let redundant = Redundant::parse(payload).ok()?;
        let Block { payload_type, payload, .. } = redundant.primary;
        Some(Content { payload_type, payload, redundant: Some(redundant) })
    }

    fn event(&self, payload_type: PayloadType) -> Option<&TelephoneEvent> {
        self.events.iter().find(|e| e.receive_payload_type == payload_type)
    }

    fn format_of(&self, payload_type: PayloadType) -> Option<AudioFormat> {
        let found = self.decodes.iter().find(|d| d.accepts.payload_type == payload_type);
        found.map(|d| d.accepts.format)
    }

    fn clock(&self, payload_type: PayloadType) -> Option<ClockRate> {
        let audio = self.format_of(payload_type).map(AudioFormat::clock_rate);
        let event = || self.event(payload_type).map(|e| e.clock_rate);
        audio.or_else(event).or_else(|| self.describes_noise(payload_type).then_some(ClockRate::HZ_8000))
    }

    /// Comfort noise (RFC 3389) has a number of its own, and phones send it though nobody agreed to it. It belongs to
    /// codecs with its clock.
    fn describes_noise(&self, payload_type: PayloadType) -> bool {
        let present = self.decodes.get(self.current).map(|d| d.accepts.format.clock_rate());
        payload_type == PayloadType::CN && present == Some(ClockRate::HZ_8000)
    }

    /// Takes a packet of the peer; key presses that it completes go to `keys`. `audible`: the peer is to be heard now.
    pub fn take(&mut self, packet: &Packet<'_>, arrived: Time, audible: bool, keys: &mut Vec<Key>) -> Taken {
        let Some(Content { payload_type, payload, redundant }) = self.content(packet) else {
            return Taken::Malformed;
        };
        let Some(clock) = self.clock(payload_type) else { return Taken::Malformed };
        let audio = self.format_of(payload_type).map(|f| (f, payload::ticks(f, payload)));
        if matches!(audio, Some((_, None))) {
            return Taken::Malformed;
        }
        let verdict = self.reception.receive(&packet.header, packet.payload.len(), clock, arrived);
        let Verdict::Accepted(arrival) = verdict else { return Taken::Refused };
        let arrival = Arrival { payload_type, ..arrival };
        let next = ExtSeq(self.latest.0.saturating_add(1)) == arrival.sequence;
        self.latest = arrival.sequence;
        let Some((format, Some(ticks))) = audio else {
            return match self.event(payload_type) {
                Some(_) => self.take_event(&arrival, payload, keys),
                None => self.take_noise(&arrival, payload),
            };
        };
        self.levels.note(arrival.sequence, packet);
        self.take_audio(format, &arrival, ticks, payload, audible);
        if let Some(redundant) = redundant.filter(|_| audible) {
            self.restore(&redundant, &arrival);
        }
        let lasts = ticks >= clock.ticks_in_ms(TICK_MS);
        if next && lasts { Taken::Due } else { Taken::Accepted }
    }

    /// Copies of earlier packets stand in for those that did not come.
    fn restore(&mut self, redundant: &Redundant<'_>, arrival: &Arrival) {
        // The last is the nearest.
        let behind = (1..=redundant.copies().count() as u64).rev();
        for (copy, order) in redundant.copies().zip(behind) {
            let format = self.format_of(copy.payload_type).filter(|f| f.clock_rate() == arrival.clock);
            let Some(ticks) = format.and_then(|f| payload::ticks(f, copy.payload)) else { continue };
            let behind = distance(&copy, ticks).unwrap_or(order);
            let earlier = Arrival {
                sequence: ExtSeq(arrival.sequence.0.saturating_sub(behind)),
                timestamp: arrival.timestamp.wrapping_sub(copy.offset),
                payload_type: copy.payload_type,
                marker: false,
                ..*arrival
            };
            self.jitter.restore(&earlier, ticks, copy.payload);
        }
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
        let rests = matches!(format, AudioFormat::Opus(_)) && payload.len() <= DTX_OCTETS;
        self.note_pause(arrival, rests.then_some(Pause::Decoder));
        if audible {
            self.jitter.push(arrival, ticks, payload);
        }
    }

    fn note_pause(&mut self, arrival: &Arrival, pause: Option<Pause>) {
        if (arrival.stream, arrival.sequence) >= self.paused_at {
            self.paused_at = (arrival.stream, arrival.sequence);
            self.pause = pause;
        }
    }

    fn take_noise(&mut self, arrival: &Arrival, payload: &[u8]) -> Taken {
        self.jitter.skip(arrival);
        if (arrival.stream, arrival.sequence) < self.paused_at {
            return Taken::Accepted;
        }
        let mut noise = match self.pause.take() {
            Some(Pause::Described(noise)) => noise,
            _ => DescribedNoise::default(),
        };
        noise.describe(payload);
        self.note_pause(arrival, Some(Pause::Described(noise)));
        Taken::Accepted
    }

    fn take_event(&mut self, arrival: &Arrival, payload: &[u8], keys: &mut Vec<Key>) -> Taken {
        self.jitter.skip(arrival);
        let Some(event) = telephone_event::Payload::parse(payload) else { return Taken::Malformed };
        self.keys.receive(arrival.timestamp, &event, arrival.clock, arrival.arrived, keys);
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
        let Inbound { jitter, decodes, lanes, current, ahead, pause, levels, inward, .. } = self;
        let lane = decodes.get(*current).and_then(|d| lanes.get_mut(d.lane))?;
        let listening = Listening::default();
        let feed = Feed { jitter, decodes, current, ahead, pause, levels, listening, now };
        lane.play(feed, inward, out)
    }

    /// Counts what the last tick was made of.
    pub fn count_playout(&self, tally: &mut Tally) {
        let lane = self.decodes.get(self.current).and_then(|d| self.lanes.get(d.lane));
        let Some((lane, pulled)) = lane.map(|l| (l, l.pulled())).filter(|(_, p)| !p.idle) else { return };
        let micros = |samples: usize| samples as u64 * 1_000_000 / u64::from(lane.rate().hz());
        tally.played_ticks += 1;
        tally.playout_delay_us += micros(pulled.delay);
        tally.concealed_us += micros(pulled.concealed);
        tally.recovered_us += micros(pulled.recovered);
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
