use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tandem_base::{Srtp, Time};
use tandem_testkit::sine;
use tandem_transport::{SRTP_TRAILER, SrtpContext};

use crate::Recording;
use crate::g711::{ulaw_from, ulaw_to};

const RATE: u32 = 8_000;
/// Samples in a millisecond.
const PER_MS: u32 = RATE / 1_000;
const DTMF: u8 = 101;
/// Two thirds of a second before sequence numbers begin anew, so that a call of a few seconds sees it happen.
const FIRST: u16 = u16::MAX - 33;

/// The sound of a phone: PCMU, 20 ms a packet unless told otherwise, sent by the clock and recorded by RTP
/// timestamp.
pub struct Media {
    socket: Arc<UdpSocket>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    to: Mutex<Option<SocketAddr>>,
    digits: Mutex<Vec<u8>>,
    heard: Mutex<Heard>,
    /// How media are encrypted, if they are.
    srtp: Mutex<Option<SrtpContext>>,
    /// The worst delay of a packet of ours since somebody asked, in microseconds.
    lateness: AtomicU64,
    packet_ms: AtomicU32,
}

/// What has arrived.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// RTP packets of PCMU.
    pub packets: u64,
    /// RTCP packets.
    pub reports: u64,
    /// Steps of the sequence number other than one.
    pub gaps: u64,
    /// Steps of the timestamp other than one frame.
    pub jumps: u64,
    /// Milliseconds of sound in the last packet.
    pub packet_ms: usize,
    /// Packets that are not encrypted as agreed, where that was agreed.
    pub unauthentic: u64,
    /// SSRCs, in order of appearance.
    pub sources: Vec<u32>,
    last: Option<(u16, u32)>,
    samples: Vec<i16>,
}

impl Media {
    pub(super) fn new(ip: IpAddr, hz: f64) -> Self {
        let socket = Arc::new(UdpSocket::bind((ip, 0)).unwrap());
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let shared = Arc::new(Shared { packet_ms: AtomicU32::new(20), ..Shared::default() });
        let (s, m) = (socket.clone(), shared.clone());
        std::thread::spawn(move || send(&s, &m, hz));
        let (s, m) = (socket.clone(), shared.clone());
        std::thread::spawn(move || receive(&s, &m));
        Media { socket, shared }
    }

    /// The RTP port.
    pub fn port(&self) -> u16 {
        self.socket.local_addr().unwrap().port()
    }

    /// Sends the tone there from now on.
    pub fn talk_to(&self, to: SocketAddr) {
        *self.shared.to.lock().unwrap() = Some(to);
    }

    /// Encrypts from now on, and takes nothing else.
    pub fn encrypt(&self, srtp: Srtp) {
        let mut context = SrtpContext::new();
        context.negotiate(Some(&srtp), Time::ZERO).expect("keys that fit");
        *self.shared.srtp.lock().unwrap() = Some(context);
    }

    /// Sends packets of so many milliseconds from now on.
    pub fn set_packet_ms(&self, ms: u32) {
        self.shared.packet_ms.store(ms, Ordering::Relaxed);
    }

    /// Sends nothing from now on.
    pub fn silence(&self) {
        *self.shared.to.lock().unwrap() = None;
    }

    /// Where the tone goes.
    pub fn peer(&self) -> Option<SocketAddr> {
        *self.shared.to.lock().unwrap()
    }

    /// Presses a key for 100 ms (RFC 4733): five packets in place of sound, the last of them thrice.
    pub fn press(&self, event: u8) {
        self.shared.digits.lock().unwrap().push(event);
    }

    /// One packet of any content to the peer.
    pub fn send_raw(&self, bytes: &[u8]) {
        self.socket.send_to(bytes, self.peer().expect("a call stands")).unwrap();
    }

    /// How late its packets went out at worst since this was last asked: what a busy machine does to the
    /// instrument is no fault of what is measured.
    pub fn take_lateness(&self) -> Duration {
        Duration::from_micros(self.shared.lateness.swap(0, Ordering::Relaxed))
    }

    /// All that was heard so far.
    pub fn heard(&self) -> Recording {
        Recording { rate: RATE, samples: self.shared.heard.lock().unwrap().samples.clone() }
    }

    /// The same in figures.
    pub fn counts(&self) -> Heard {
        let heard = self.shared.heard.lock().unwrap();
        Heard { samples: Vec::new(), sources: heard.sources.clone(), ..*heard }
    }
}

impl Drop for Media {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

/// Sequence number and timestamp go on whatever is sent.
struct Sender {
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
}

impl Sender {
    fn packet(&mut self, marker: bool, payload_type: u8, timestamp: u32, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x80, payload_type | if marker { 0x80 } else { 0 }];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(payload);
        self.sequence = self.sequence.wrapping_add(1);
        packet
    }
}

fn send(socket: &UdpSocket, shared: &Shared, hz: f64) {
    let ssrc = u32::from(socket.local_addr().unwrap().port()) << 8 | 0x55;
    let mut sender = Sender { sequence: FIRST, timestamp: 0, ssrc };
    let mut due = Instant::now();
    let mut digit: Option<Press> = None;
    while !shared.stop.load(Ordering::Relaxed) {
        let ms = shared.packet_ms.load(Ordering::Relaxed);
        due += Duration::from_millis(ms.into());
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let late = u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX);
        shared.lateness.fetch_max(late, Ordering::Relaxed);
        let (start, samples) = (sender.timestamp, ms * PER_MS);
        sender.timestamp = start.wrapping_add(samples);
        let Some(to) = *shared.to.lock().unwrap() else { continue };
        let next = || Some(Press { event: shared.digits.lock().unwrap().pop()?, packets: 0, since: start });
        digit = digit.filter(|press| press.packets < Press::PACKETS).or_else(next);
        let packets = match &mut digit {
            Some(press) => press.packets_of(&mut sender, samples),
            None => {
                let tone = sine(hz, -12.0, RATE, start as usize, samples as usize);
                let payload: Vec<u8> = tone.into_iter().map(ulaw_from).collect();
                vec![sender.packet(false, 0, start, &payload)]
            }
        };
        for packet in packets {
            let _ = socket.send_to(&shared.protect(packet), to);
        }
    }
}

/// A key held down.
struct Press {
    event: u8,
    packets: u16,
    since: u32,
}

impl Press {
    const PACKETS: u16 = 5;

    fn packets_of(&mut self, sender: &mut Sender, samples: u32) -> Vec<Vec<u8>> {
        self.packets += 1;
        let [high, low] = (self.packets * samples as u16).to_be_bytes();
        let end = self.packets == Self::PACKETS;
        let payload = [self.event, if end { 0x8a } else { 0x0a }, high, low];
        let copies = if end { 3 } else { 1 };
        (0..copies).map(|_| sender.packet(self.packets == 1, DTMF, self.since, &payload)).collect()
    }
}

fn receive(socket: &UdpSocket, shared: &Shared) {
    let mut buffer = [0; 2_048];
    while !shared.stop.load(Ordering::Relaxed) {
        let Ok((n, _)) = socket.recv_from(&mut buffer) else { continue };
        match shared.unprotect(&buffer[..n]) {
            Some(packet) => shared.heard.lock().unwrap().take(&packet),
            None => shared.heard.lock().unwrap().unauthentic += 1,
        }
    }
}

impl Shared {
    fn protect(&self, mut packet: Vec<u8>) -> Vec<u8> {
        let mut srtp = self.srtp.lock().unwrap();
        let Some(srtp) = srtp.as_mut() else { return packet };
        let plain = packet.len();
        packet.resize(plain + SRTP_TRAILER, 0);
        let length = srtp.protect_rtp(&mut packet, plain).expect("a packet to encrypt");
        packet.truncate(length);
        packet
    }

    /// `None`: it is not what was agreed.
    fn unprotect(&self, packet: &[u8]) -> Option<Vec<u8>> {
        let mut srtp = self.srtp.lock().unwrap();
        let Some(srtp) = srtp.as_mut() else { return Some(packet.to_vec()) };
        let mut out = vec![0; packet.len()];
        let is_report = packet.get(1).is_some_and(|kind| (192..=223).contains(kind));
        let length = match is_report {
            true => srtp.unprotect_rtcp(packet, &mut out, Time::ZERO),
            false => srtp.unprotect_rtp(packet, &mut out, Time::ZERO),
        };
        out.truncate(length.ok()?);
        Some(out)
    }
}

impl Heard {
    fn take(&mut self, packet: &[u8]) {
        let [_, kind, s1, s2, t1, t2, t3, t4, c1, c2, c3, c4, payload @ ..] = packet else { return };
        if (192..=223).contains(kind) {
            self.reports += 1;
            return;
        }
        if kind & 0x7f != 0 {
            return;
        }
        let source = u32::from_be_bytes([*c1, *c2, *c3, *c4]);
        if !self.sources.contains(&source) {
            self.sources.push(source);
            self.last = None;
        }
        self.packets += 1;
        let (sequence, timestamp) =
            (u16::from_be_bytes([*s1, *s2]), u32::from_be_bytes([*t1, *t2, *t3, *t4]));
        let csrcs = usize::from(packet[0] & 0x0f) * 4;
        let payload = payload.get(csrcs..).unwrap_or_default();
        if let Some((last_sequence, last_timestamp)) = self.last {
            self.gaps += u64::from(sequence != last_sequence.wrapping_add(1));
            let step = timestamp.wrapping_sub(last_timestamp);
            let length = u32::try_from(self.packet_ms).unwrap_or(0) * PER_MS;
            self.jumps += u64::from(step != length);
            // A pause of the sender is heard as silence; a jump beyond ten seconds is not a pause.
            if (length..RATE * 10).contains(&step) {
                self.samples.resize(self.samples.len() + (step - length) as usize, 0);
            }
        }
        self.last = Some((sequence, timestamp));
        self.packet_ms = payload.len() / PER_MS as usize;
        self.samples.extend(payload.iter().map(|octet| ulaw_to(*octet)));
    }
}
