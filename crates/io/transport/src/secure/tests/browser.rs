//! Against a whole str0m, as a browser is.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::media::MediaKind;
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpWrite, Ssrc};
use str0m::{Event, Input, Output, Rtc};
use tandem_base::{
    DtlsTransport, Fingerprint, HashFunction, IceCredentials, IcePassword, IceSide, IceUfrag, Time,
};
use tandem_testkit::{Conditions, Network};

use super::rig::{Peer, address, agreement, rtp};
use crate::*;

const OURS: &str = "192.0.2.1:4000";
const THEIRS: &str = "192.0.2.2:5000";

/// One of ours and a browser.
struct Call {
    ours: Peer,
    browser: Rtc,
    begun: Instant,
    now: Time,
    to_browser: Network<Datagram>,
    to_us: Network<Datagram>,
    /// Payloads that the browser heard.
    heard: Vec<Vec<u8>>,
}

impl Call {
    /// The browser has offered: it is in control unless it is lite.
    fn new(lite: bool, client: bool, conditions: Conditions) -> Call {
        let begun = Instant::now();
        let mut call = Call {
            ours: Peer::ice(1, OURS, lite),
            browser: Rtc::builder().set_rtp_mode(true).build(begun),
            begun,
            now: Time::from_millis(1),
            to_browser: Network::new(conditions, 21),
            to_us: Network::new(conditions, 22),
            heard: vec![],
        };
        call.set_up_browser(!client);
        let agreed = call.agreed(client);
        let mut outputs = Vec::new();
        call.ours.transport.negotiate(&agreed, call.now, &mut outputs);
        call.take(outputs);
        call
    }

    fn set_up_browser(&mut self, client: bool) {
        let browser = &mut self.browser;
        let ours: SocketAddr = address(OURS);
        browser.add_local_candidate(str0m::Candidate::host(address(THEIRS), "udp").unwrap());
        browser.add_remote_candidate(str0m::Candidate::host(ours, "udp").unwrap());
        let credentials = &self.ours.side.credentials;
        let print = self.ours.transport.identity().fingerprints()[0].clone();
        let mut api = browser.direct_api();
        api.set_remote_ice_credentials(str0m::IceCreds {
            ufrag: credentials.ufrag.as_str().into(),
            pass: credentials.password.as_str().into(),
        });
        api.set_remote_fingerprint(str0m::config::Fingerprint {
            hash_func: "sha-256".into(),
            bytes: print.digest().to_vec(),
        });
        api.set_ice_controlling(true);
        api.declare_media("0".into(), MediaKind::Audio);
        api.declare_stream_tx(Ssrc::from(2), None, "0".into(), None);
        api.expect_stream_rx(Ssrc::from(1), None, "0".into(), None);
        api.start_dtls(client).unwrap();
    }

    fn agreed(&mut self, client: bool) -> DtlsTransport {
        let api = self.browser.direct_api();
        let credentials = api.local_ice_credentials();
        let print = api.local_dtls_fingerprint().clone();
        let credentials = IceCredentials {
            ufrag: IceUfrag::new(&credentials.ufrag).unwrap(),
            password: IcePassword::new(&credentials.pass).unwrap(),
        };
        let candidates = local_candidates(&[address(THEIRS)], &[]);
        let theirs = IceSide { credentials, candidates, lite: false, trickle: true, complete: false };
        let print = Fingerprint::new(HashFunction::Sha256, &print.bytes).unwrap();
        agreement(Some((&self.ours.side, &theirs)), vec![print], client, false)
    }

    fn take(&mut self, outputs: Vec<SecureOutput>) {
        for output in outputs {
            match output {
                SecureOutput::Datagram(datagram) => self.to_browser.send(datagram, self.now),
                SecureOutput::Event(event) => self.ours.events.push(event),
            }
        }
    }

    fn instant(&self) -> Instant {
        self.begun + Duration::from_nanos(self.now.as_nanos())
    }

    /// One millisecond.
    fn step(&mut self) {
        self.now += Duration::from_millis(1);
        let mut outputs = Vec::new();
        let mut plain = [0; 2_048];
        while let Some((_, datagram)) = self.to_us.receive(self.now) {
            let route = Route { local: datagram.to, remote: datagram.from };
            let opened =
                self.ours.transport.receive(route, &datagram.octets, &mut plain, self.now, &mut outputs);
            if let Opened::Rtp(len) = opened {
                self.ours.heard.push(plain[..len].to_vec());
            }
        }
        if self.ours.transport.deadline().is_some_and(|deadline| deadline <= self.now) {
            self.ours.transport.handle_timeout(self.now, &mut outputs);
        }
        self.take(outputs);
        self.step_browser();
    }

    fn step_browser(&mut self) {
        let at = self.instant();
        self.browser.handle_input(Input::Timeout(at)).unwrap();
        while let Some((_, datagram)) = self.to_browser.receive(self.now) {
            let Datagram { from, to, octets } = &datagram;
            if let Ok(received) = Receive::new(Protocol::Udp, *from, *to, octets) {
                self.browser.handle_input(Input::Receive(at, received)).unwrap();
            }
            self.drain_browser();
        }
        self.drain_browser();
    }

    fn drain_browser(&mut self) {
        loop {
            match self.browser.poll_output().unwrap() {
                Output::Timeout(_) => return,
                Output::Transmit(sent) => {
                    let (from, to) = (sent.source, sent.destination);
                    self.to_us.send(Datagram { from, to, octets: sent.contents.to_vec() }, self.now);
                }
                Output::Event(Event::RtpPacket(packet)) => self.heard.push(packet.payload.to_vec()),
                Output::Event(_) => {}
            }
        }
    }

    fn run(&mut self, limit: Duration, done: impl Fn(&Call) -> bool) -> bool {
        let end = self.now + limit;
        while self.now < end {
            self.step();
            if done(self) {
                return true;
            }
        }
        false
    }

    fn is_ready(&self) -> bool {
        self.ours.is_ready() && self.browser.is_connected()
    }

    /// Ten packets each way.
    fn talk(&mut self) {
        let opus = self.browser.codec_config().find(|p| p.spec().codec == str0m::format::Codec::Opus);
        let pt = opus.unwrap().pt();
        for n in 0..10_u16 {
            let mut packet = rtp(1, 100 + n);
            packet[1] = *pt;
            let len = packet.len();
            packet.resize(len + SRTP_TRAILER, 0);
            let len = self.ours.transport.srtp().protect_rtp(&mut packet, len).unwrap();
            packet.truncate(len);
            let Route { local, remote } = self.ours.transport.destination().unwrap();
            self.to_browser.send(Datagram { from: local, to: remote, octets: packet }, self.now);
            let at = self.instant();
            let mut api = self.browser.direct_api();
            let stream = api.stream_tx(&Ssrc::from(2)).unwrap();
            stream.write_rtp(RtpWrite::new(pt, u64::from(n).into(), u32::from(n) * 960, at, vec![0x77; 40]));
            self.run(Duration::from_millis(20), |_| false);
        }
        self.run(Duration::from_millis(300), |_| false);
        assert_eq!(self.heard.len(), 10);
        assert!(self.heard.iter().all(|payload| *payload == [0x5a; 80]));
        let heard = self.ours.heard.iter().filter(|packet| packet.ends_with(&[0x77; 40])).count();
        assert_eq!(heard, 10);
    }
}

fn clean() -> Conditions {
    Conditions { delay: Duration::from_millis(5), ..Default::default() }
}

#[test]
fn a_browser_and_we_talk_whoever_begins_the_handshake_full_and_lite() {
    for (lite, client) in [(false, true), (false, false), (true, true), (true, false)] {
        let mut call = Call::new(lite, client, clean());
        assert!(call.run(Duration::from_secs(5), Call::is_ready), "lite {lite}, client {client}");
        call.talk();
        assert_eq!(call.ours.transport.drops().unauthentic, 0);
    }
}

#[test]
fn a_fifth_of_all_packets_lost_only_delays_a_browser() {
    let rough = Conditions { loss: 0.2, jitter: Duration::from_millis(40), reorder: true, ..clean() };
    let mut call = Call::new(false, false, rough);
    assert!(call.run(Duration::from_secs(30), Call::is_ready));
    call.to_browser.set_conditions(clean());
    call.to_us.set_conditions(clean());
    call.run(Duration::from_secs(1), |_| false);
    call.talk();
}

#[test]
fn a_browser_consents_for_minutes_and_its_silence_is_noticed() {
    let mut call = Call::new(true, false, clean());
    assert!(call.run(Duration::from_secs(5), Call::is_ready));
    assert!(!call.run(Duration::from_secs(90), |call| !call.ours.is_ready()), "consent is kept fresh");
    call.to_us.set_conditions(Conditions { loss: 1.0, ..clean() });
    assert!(call.run(Duration::from_secs(31), |call| call.ours.events.contains(&SecureEvent::Lost)));
    assert_eq!(call.ours.transport.destination(), None);
}
