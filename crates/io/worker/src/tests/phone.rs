use std::collections::VecDeque;
use std::net::SocketAddr;

use tandem_audio::{AudioDecoder, AudioEncoder, MAX_PACKET_SAMPLES};
use tandem_base::{
    AudioFormat, AudioStream, ClockRate, Direction, EventSet, HeaderExtensions, PayloadType, ReceiveFormat,
    SendFormat, Ssrc, TelephoneEvent, Time,
};
use tandem_codec::{EncoderSettings, decoder, encoder};
use tandem_rtp::redundancy::Redundant;
use tandem_rtp::{Header, Kind, Packet, classify, telephone_event};
use tandem_testkit::{sine, tone_dbfs};
use tandem_transport::{SRTP_TRAILER, SrtpContext};

/// The level that phones send tones at, dBFS.
pub const LEVEL: f64 = -18.0;

/// The payload type that phones expect a format to have.
pub fn payload_type(format: AudioFormat) -> PayloadType {
    match format {
        AudioFormat::Pcmu => PayloadType::PCMU,
        AudioFormat::Pcma => PayloadType::PCMA,
        AudioFormat::G722 => PayloadType::G722,
        AudioFormat::Opus(_) => PayloadType::new(96).unwrap(),
    }
}

/// Of telephone events.
pub fn event_payload_type() -> PayloadType {
    PayloadType::new(101).unwrap()
}

/// What offer and answer would settle for a phone at `remote` that speaks `format`.
pub fn stream(format: AudioFormat, ptime_ms: u8, remote: SocketAddr) -> AudioStream {
    let payload_type = payload_type(format);
    AudioStream {
        direction: Direction::SendRecv,
        send: SendFormat { payload_type, format, ptime_ms },
        receive: vec![ReceiveFormat { payload_type, format }],
        telephone_events: vec![TelephoneEvent {
            send_payload_type: event_payload_type(),
            receive_payload_type: event_payload_type(),
            clock_rate: format.clock_rate(),
            events: EventSet::KEYPAD,
        }],
        remote_rtp: remote,
        remote_rtcp: SocketAddr::new(remote.ip(), remote.port() + 1),
        rtcp_mux: false,
        srtp: None,
        extensions: HeaderExtensions::default(),
        redundancy: None,
    }
}

/// A peer that sends a tone and notes what it hears.
pub struct Phone {
    pub address: SocketAddr,
    /// What it sends.
    pub format: AudioFormat,
    /// What it gets.
    pub hears: AudioFormat,
    /// Audio in its packets, ms.
    pub ptime_ms: u8,
    /// What it says, Hz.
    pub tone: Option<f64>,
    /// How loud, dBFS.
    pub loudness: f64,
    /// What it says instead, over and over, at its format's rate.
    pub clip: Vec<f32>,
    pub ssrc: Ssrc,
    pub sequence: u16,
    pub timestamp: u32,
    /// When it sends next.
    pub due: Time,
    spoken: usize,
    encoder: Box<dyn AudioEncoder>,
    decoder: Box<dyn AudioDecoder>,
    /// What it heard, at the rate of its format.
    pub heard: Vec<i16>,
    /// The last packets that it got.
    pub packets: VecDeque<Vec<u8>>,
    /// Headers of what it got.
    pub headers: Vec<Header>,
    /// Contributing sources of the last packet.
    pub csrcs: Vec<Ssrc>,
    /// Packets may come with copies of earlier ones under this number.
    pub redundancy: Option<PayloadType>,
    /// Copies in the last packet.
    pub copies: usize,
    /// RTCP that it got.
    pub rtcp: Vec<Vec<u8>>,
    /// Encrypts what it sends and decrypts what it hears, where it does.
    pub srtp: Option<SrtpContext>,
}

impl Phone {
    pub fn new(n: u16, format: AudioFormat, ptime_ms: u8, tone: Option<f64>) -> Self {
        Phone {
            address: SocketAddr::from(([192, 0, 2, 1], 4_000 + 2 * n)),
            format,
            hears: format,
            ptime_ms,
            tone,
            loudness: LEVEL,
            clip: Vec::new(),
            ssrc: Ssrc(0x1000 + u32::from(n)),
            sequence: 100 * n,
            timestamp: 7_777 * u32::from(n),
            // Each at its own place in the tick.
            due: Time::from_nanos(u64::from(n) * 3_700_000 % 20_000_000),
            spoken: 0,
            encoder: encoder(format, EncoderSettings::default()).unwrap(),
            decoder: decoder(format).unwrap(),
            heard: Vec::new(),
            packets: VecDeque::new(),
            headers: Vec::new(),
            csrcs: Vec::new(),
            redundancy: None,
            copies: 0,
            rtcp: Vec::new(),
            srtp: None,
        }
    }

    pub fn rate(&self) -> ClockRate {
        self.hears.sample_rate()
    }

    /// From now on it gets another format.
    pub fn hear_as(&mut self, format: AudioFormat) {
        self.hears = format;
        self.decoder = decoder(format).unwrap();
        self.heard.clear();
    }

    /// From now on it sends another format.
    pub fn change_format(&mut self, format: AudioFormat) {
        self.format = format;
        self.encoder = encoder(format, EncoderSettings::default()).unwrap();
        self.spoken = 0;
    }

    /// The next packet with a header of its own stream.
    pub fn packet(&mut self, payload_type: PayloadType, payload: &[u8]) -> Vec<u8> {
        let header = Header {
            marker: false,
            payload_type,
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
        };
        self.sequence = self.sequence.wrapping_add(1);
        let mut out = vec![0; 12 + payload.len()];
        header.write(&[], &mut out).unwrap();
        out[12..].copy_from_slice(payload);
        self.seal(out)
    }

    /// Encrypts RTP or RTCP if it does that.
    pub fn seal(&mut self, mut packet: Vec<u8>) -> Vec<u8> {
        let Some(srtp) = &mut self.srtp else { return packet };
        let (len, rtcp) = (packet.len(), classify(&packet) == Kind::Rtcp);
        packet.resize(len + SRTP_TRAILER, 0);
        let sealed =
            if rtcp { srtp.protect_rtcp(&mut packet, len) } else { srtp.protect_rtp(&mut packet, len) };
        packet.truncate(sealed.unwrap());
        packet
    }

    /// Decrypts likewise; what cannot be decrypted fails the test.
    pub fn open(&mut self, datagram: &[u8], now: Time) -> Vec<u8> {
        let Some(srtp) = &mut self.srtp else { return datagram.to_vec() };
        let mut out = vec![0; datagram.len()];
        let opened = if classify(datagram) == Kind::Rtcp {
            srtp.unprotect_rtcp(datagram, &mut out, now)
        } else {
            srtp.unprotect_rtp(datagram, &mut out, now)
        };
        out.truncate(opened.unwrap());
        out
    }

    /// What it says next.
    pub fn speak(&mut self) -> Vec<u8> {
        let rate = self.format.sample_rate();
        let n = rate.ticks_in_ms(u32::from(self.ptime_ms)) as usize;
        let pcm: Vec<f32> = match self.tone {
            _ if !self.clip.is_empty() => {
                (self.spoken..self.spoken + n).map(|i| self.clip[i % self.clip.len()]).collect()
            }
            Some(hz) => {
                let tone = sine(hz, self.loudness, rate.hz(), self.spoken, n);
                tone.iter().map(|s| f32::from(*s) / 32_768.0).collect()
            }
            None => vec![0.0; n],
        };
        self.spoken += n;
        let mut payload = [0; 1_500];
        let len = self.encoder.encode(&pcm, &mut payload).unwrap();
        let packet = self.packet(payload_type(self.format), &payload[..len]);
        let ticks = self.format.clock_rate().ticks_in_ms(u32::from(self.ptime_ms));
        self.timestamp = self.timestamp.wrapping_add(ticks);
        packet
    }

    /// A telephone event packet.
    pub fn event(&mut self, event: u8, end: bool, duration: u16) -> Vec<u8> {
        let payload = telephone_event::Payload { event, end, volume: 10, duration };
        self.packet(event_payload_type(), &payload.to_bytes())
    }

    /// A redundant packet's own sound.
    fn plain<'p>(&mut self, mut packet: Packet<'p>) -> Packet<'p> {
        self.copies = 0;
        if self.redundancy == Some(packet.header.payload_type) {
            let redundant = Redundant::parse(packet.payload).unwrap();
            self.copies = redundant.copies().count();
            packet.header.payload_type = redundant.primary.payload_type;
            packet.payload = redundant.primary.payload;
        }
        packet
    }

    /// Takes what came: sequence numbers and timestamps run without a jump as long as packets come each tick.
    pub fn hear(&mut self, datagram: &[u8]) {
        let packet = self.plain(Packet::parse(datagram).unwrap());
        assert_eq!(packet.header.payload_type, payload_type(self.hears));
        if let Some(last) = self.headers.last() {
            assert_eq!(packet.header.sequence, last.sequence.wrapping_add(1));
            assert_eq!(packet.header.ssrc, last.ssrc);
        }
        self.headers.push(packet.header);
        self.packets.push_back(datagram.to_vec());
        if self.packets.len() > 50 {
            self.packets.pop_front();
        }
        self.csrcs = packet.csrcs().collect();
        let mut pcm = [0.0; MAX_PACKET_SAMPLES];
        let n = self.decoder.decode(packet.payload, &mut pcm).unwrap();
        self.heard.extend(pcm[..n].iter().map(|x| (x * 32_767.0).round() as i16));
    }

    /// The level of a tone in what was heard lately, against the level that phones send.
    pub fn level(&self, hz: f64, ms: usize) -> f64 {
        let n = (self.rate().hz() as usize / 1_000 * ms).min(self.heard.len());
        tone_dbfs(&self.heard[self.heard.len() - n..], hz, self.rate().hz()) - LEVEL
    }

    /// Do timestamps advance by one packet each?
    pub fn timestamps_are_even(&self, packet_ms: u32) -> bool {
        let ticks = self.hears.clock_rate().ticks_in_ms(packet_ms);
        self.headers.windows(2).all(|w| w[1].timestamp.wrapping_sub(w[0].timestamp) == ticks)
    }
}
