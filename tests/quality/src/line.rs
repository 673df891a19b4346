use std::net::SocketAddr;
use std::time::Duration;

use tandem_audio::AudioEncoder;
use tandem_base::{
    AudioFormat, AudioStream, ClockRate, Direction, HeaderExtensions, OpusParams, PayloadType, ReceiveFormat,
    ReceivedReport, SendFormat, Ssrc, Time,
};
use tandem_codec::{EncoderSettings, encoder};
use tandem_rtp::Header;
use tandem_testkit::{Conditions, Network};
use tandem_worker::Receiver;

const TICK: Duration = Duration::from_millis(20);

/// Opus with in-band FEC.
pub fn opus() -> AudioFormat {
    AudioFormat::Opus(OpusParams { inband_fec: true, ..OpusParams::default() })
}

fn payload_type(format: AudioFormat) -> PayloadType {
    match format {
        AudioFormat::Pcmu => PayloadType::PCMU,
        AudioFormat::Pcma => PayloadType::PCMA,
        AudioFormat::G722 => PayloadType::G722,
        AudioFormat::Opus(_) => PayloadType::new(96).expect("below 128"),
    }
}

/// What offer and answer would settle for a peer that speaks `format`.
pub fn stream(format: AudioFormat, ptime_ms: u8) -> AudioStream {
    let (payload_type, nowhere) = (payload_type(format), SocketAddr::from(([192, 0, 2, 1], 4_000)));
    AudioStream {
        direction: Direction::SendRecv,
        send: SendFormat { payload_type, format, ptime_ms },
        receive: vec![ReceiveFormat { payload_type, format }],
        telephone_events: Vec::new(),
        remote_rtp: nowhere,
        remote_rtcp: nowhere,
        rtcp_mux: true,
        srtp: None,
        extensions: HeaderExtensions::default(),
        redundancy: None,
    }
}

/// A peer that says the same again and again, by a clock of its own.
pub struct Talker {
    format: AudioFormat,
    /// Audio in its packets from the next one on, ms.
    pub ptime_ms: u8,
    /// What its packets carry from the next one on. Numbers may be skipped, too.
    pub header: Header,
    encoder: Box<dyn AudioEncoder>,
    pcm: Vec<f32>,
    said: usize,
    /// When the next packet is full, by our clock.
    pub due: Time,
    /// Its clock against ours, parts in a million.
    pub ppm: f64,
}

impl Talker {
    /// Says `pcm`, which is at the format's sampling rate, in packets of `ptime_ms`.
    pub fn new(format: AudioFormat, ptime_ms: u8, pcm: Vec<f32>) -> Self {
        let header = Header {
            marker: false,
            payload_type: payload_type(format),
            // Both wrap soon.
            sequence: 0xffe0,
            timestamp: 0xffff_f000,
            ssrc: Ssrc(1),
        };
        let encoder = encoder(format, EncoderSettings::default()).expect("a codec");
        let due = Time::ZERO + Duration::from_millis(u64::from(ptime_ms));
        Talker { format, ptime_ms, header, encoder, pcm, said: 0, due, ppm: 0.0 }
    }

    /// The next packet.
    pub fn speak(&mut self) -> Vec<u8> {
        let ms = u32::from(self.ptime_ms);
        let n = self.format.sample_rate().ticks_in_ms(ms) as usize;
        let next = self.pcm.iter().cycle().skip(self.said % self.pcm.len());
        let pcm: Vec<f32> = next.take(n).copied().collect();
        self.said += n;
        let mut payload = [0; 1_500];
        let len = self.encoder.encode(&pcm, &mut payload).expect("a packet");
        let packet = self.packet(&payload[..len]);
        self.pass();
        packet
    }

    /// Says nothing for as long as a packet takes: time passes, and no number is used.
    pub fn rest(&mut self) {
        self.said += self.format.sample_rate().ticks_in_ms(u32::from(self.ptime_ms)) as usize;
        self.pass();
    }

    /// A packet of its own with any payload, at the present timestamp.
    pub fn packet(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0; 12 + payload.len()];
        self.header.write(&[], &mut packet).expect("room");
        packet[12..].copy_from_slice(payload);
        self.header.sequence = self.header.sequence.wrapping_add(1);
        packet
    }

    fn pass(&mut self) {
        let ms = u32::from(self.ptime_ms);
        self.header.timestamp = self.header.timestamp.wrapping_add(self.format.clock_rate().ticks_in_ms(ms));
        self.due += Duration::from_millis(u64::from(ms)).mul_f64(1.0 / (1.0 + self.ppm * 1e-6));
    }
}

/// What came out of a line.
#[derive(Default)]
pub struct Heard {
    /// Sound at the room's rate from time zero on.
    pub pcm: Vec<f32>,
    /// The receiver's figures after each tick.
    pub reports: Vec<ReceivedReport>,
}

impl Heard {
    /// Sound that was made up from one tick (included) to another, by number.
    pub fn concealed(&self, from: usize, to: usize) -> Duration {
        let at = |tick: usize| tick.checked_sub(1).and_then(|t| self.reports.get(t)).map(|r| r.concealed);
        at(to.min(self.reports.len())).unwrap_or_default() - at(from).unwrap_or_default()
    }

    /// The most that was made up in one tick, from one on.
    pub fn longest_gap(&self, from: usize) -> Duration {
        (from..self.reports.len()).map(|n| self.concealed(n, n + 1)).max().unwrap_or_default()
    }
}

/// One talker, a network and one receiver.
pub struct Line {
    /// Who speaks.
    pub talker: Talker,
    /// On the way.
    pub network: Network<Vec<u8>>,
    receiver: Receiver,
    frame: Vec<f32>,
    /// The next tick.
    pub now: Time,
    /// Is each tick's report kept?
    pub watches: bool,
    /// What was heard.
    pub heard: Heard,
}

impl Line {
    /// From `talker` through `network` to a room at `room`, whose ticks are `phase` behind the talker's packets.
    pub fn new(talker: Talker, room: ClockRate, network: Network<Vec<u8>>, phase: Duration) -> Self {
        let stream = stream(talker.format, talker.ptime_ms);
        Line {
            receiver: Receiver::new(&stream, room).expect("codecs"),
            frame: vec![0.0; room.ticks_in_ms(20) as usize],
            now: Time::ZERO + phase,
            talker,
            network,
            watches: true,
            heard: Heard::default(),
        }
    }

    /// The plainest: 20 ms packets over a path without faults, ticks 5 ms behind, the room at the codec's rate.
    pub fn clean(format: AudioFormat, pcm: Vec<f32>) -> Self {
        let conditions = Conditions { delay: Duration::from_millis(10), ..Conditions::default() };
        let talker = Talker::new(format, 20, pcm);
        Line::new(talker, format.sample_rate(), Network::new(conditions, 1), Duration::from_millis(5))
    }

    /// Lets so much time pass; gives the number of the next tick.
    pub fn run(&mut self, time: Duration) -> usize {
        self.run_with(time, |line| Some(line.talker.speak()))
    }

    /// The same, with a talker that is asked for its packets one by one: `None` where it sends nothing.
    pub fn run_with(&mut self, time: Duration, mut speak: impl FnMut(&mut Line) -> Option<Vec<u8>>) -> usize {
        let end = self.now + time;
        while self.now < end {
            while self.talker.due <= self.now {
                let sent = self.talker.due;
                if let Some(packet) = speak(self) {
                    self.network.send(packet, sent);
                }
            }
            self.tick();
        }
        self.ticks()
    }

    /// Ticks so far.
    pub fn ticks(&self) -> usize {
        self.heard.reports.len()
    }

    fn tick(&mut self) {
        while let Some((arrived, packet)) = self.network.receive(self.now) {
            self.receiver.take(&packet, arrived);
        }
        if !self.receiver.play(self.now, &mut self.frame) {
            self.frame.fill(0.0);
        }
        self.heard.pcm.extend_from_slice(&self.frame);
        if self.watches {
            self.heard.reports.push(self.receiver.report());
        }
        self.now += TICK;
    }

    /// The receiver's figures.
    pub fn report(&self) -> ReceivedReport {
        self.receiver.report()
    }
}
