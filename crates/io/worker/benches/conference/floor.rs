//! What a conference must cost: a bare loop over plain sockets that receives, mixes and sends PCMU, with no jitter
//! buffer, no checks, no reports.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tandem_base::AudioFormat;
use tandem_codec::{EncoderSettings, decoder, encoder};
use tandem_rtp::Packet;

const SAMPLES: usize = 160;
const HEADER: usize = 12;

/// The loop; it ends when this is dropped.
pub struct Floor {
    /// Where each leg takes its packets.
    pub addresses: Vec<SocketAddr>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Floor {
    /// For `legs` legs, of which the first `talkers` are mixed.
    pub fn start(legs: usize, talkers: usize) -> Self {
        let sockets: Vec<UdpSocket> = (0..legs).map(|_| socket()).collect();
        let addresses = sockets.iter().map(|s| s.local_addr().expect("bound")).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let body = move || run(&sockets, talkers, &stopped);
        let thread = thread::Builder::new().name("floor".to_owned()).spawn(body).expect("a thread");
        Floor { addresses, stop, thread: Some(thread) }
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    socket.set_nonblocking(true).expect("a flag");
    socket
}

fn run(sockets: &[UdpSocket], talkers: usize, stopped: &AtomicBool) {
    let mut decoder = decoder(AudioFormat::Pcmu).expect("there is a decoder");
    let mut encoder = encoder(AudioFormat::Pcmu, EncoderSettings::default()).expect("there is an encoder");
    let mut peers = vec![None; sockets.len()];
    let mut frames = vec![[0.0f32; SAMPLES]; sockets.len()];
    let mut packet = [0u8; HEADER + SAMPLES];
    packet[0] = 0x80;
    let mut due = Instant::now();
    for tick in 0u16.. {
        due += Duration::from_millis(20);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if stopped.load(Ordering::Relaxed) {
            return;
        }
        let mut sum = [0.0f32; SAMPLES];
        let mut buffer = [0; 2_048];
        for (n, socket) in sockets.iter().enumerate() {
            if let Ok((len, from)) = socket.recv_from(&mut buffer) {
                peers[n] = Some(from);
                let packet = Packet::parse(&buffer[..len]).expect("ours");
                decoder.decode(packet.payload, &mut frames[n]).expect("whole");
                let loud = if n < talkers { 1.0 } else { 0.0 };
                sum.iter_mut().zip(&frames[n]).for_each(|(s, x)| *s += x * loud);
            }
        }
        packet[2..4].copy_from_slice(&tick.to_be_bytes());
        packet[4..8].copy_from_slice(&(u32::from(tick) * 160).to_be_bytes());
        encoder.encode(&sum, &mut packet[HEADER..]).expect("there is room");
        for (n, socket) in sockets.iter().enumerate() {
            if n < talkers {
                let mut mix = [0.0; SAMPLES];
                mix.iter_mut().zip(sum.iter().zip(&frames[n])).for_each(|(m, (s, x))| *m = s - x);
                encoder.encode(&mix, &mut packet[HEADER..]).expect("there is room");
            } else if n == talkers {
                encoder.encode(&sum, &mut packet[HEADER..]).expect("there is room");
            }
            packet[8..12].copy_from_slice(&(n as u32).to_be_bytes());
            if let Some(peer) = peers[n] {
                socket.send_to(&packet, peer).expect("loopback takes it");
            }
        }
    }
}
