//! CPU for a whole call as its callee: INVITE, 100, 200, ACK, BYE, 200, and the timers that clear up after it.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use tandem_base::Time;
use tandem_sip::ua::*;
use tandem_sip::{Headers, Host, Method};
use tandem_testkit::Seeded;

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n\
    m=audio 40000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n";

fn agent() -> UserAgent {
    let local = "192.0.2.2:5060".parse().unwrap_or_else(|_| unreachable!());
    let listener =
        Listener { protocol: Protocol::Udp, local, host: Host::from(local.ip()), port: Some(5060) };
    UserAgent::new(Config {
        identity: Identity {
            listeners: vec![listener],
            product: "Tandem".to_owned(),
            allow: vec![Method::Invite, Method::Ack, Method::Bye, Method::Cancel, Method::Options],
            supported: Vec::new(),
            demanded: Vec::new(),
            security: Vec::new(),
            accept: vec!["application/sdp".to_owned()],
        },
        timing: tandem_sip::transaction::Timing::default(),
        limits: Limits::default(),
    })
}

fn request(method: &str, n: u64, cseq: u32, tag: &str, body: &str) -> Bytes {
    let content = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    Bytes::from(format!(
        "{method} sip:1000@192.0.2.2:5060 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK-{method}-{n};rport\r\n\
         From: sipp <sip:sipp@198.51.100.7:5060>;tag=from{n}\r\nTo: <sip:1000@192.0.2.2:5060>{tag}\r\n\
         Call-ID: {n}-1@198.51.100.7\r\nCSeq: {cseq} {method}\r\nContact: sip:sipp@198.51.100.7:5060\r\n\
         Max-Forwards: 70\r\nUser-Agent: caller\r\n{content}Content-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

struct Bench {
    ua: UserAgent,
    entropy: Seeded,
    now: Time,
    n: u64,
    out: Vec<Output>,
}

impl Bench {
    fn input(&mut self, input: Input) {
        self.out.clear();
        self.ua.handle(input, self.now, &mut self.entropy, &mut self.out);
    }

    fn receive(&mut self, bytes: Bytes) {
        let (local, remote) = ("192.0.2.2:5060".parse(), "198.51.100.7:5060".parse());
        let (Ok(local), Ok(remote)) = (local, remote) else { return };
        let flow = Flow { id: FlowId(1), protocol: Protocol::Udp, local, remote };
        self.input(Input::Received { flow, bytes });
    }

    fn call(&mut self) {
        self.n += 1;
        // 200 calls a second, so that some 6,400 transactions of each kind linger.
        self.now += Duration::from_millis(5);
        self.receive(request("INVITE", self.n, 1, "", SDP));
        let invite = InviteId(self.n);
        let (headers, body) = (Headers::new(), Some(Body::sdp(Bytes::from_static(SDP.as_bytes()))));
        self.input(Input::Command(Command::Answer { invite, contact_parameters: None, headers, body }));
        let tag = match self.out.first() {
            Some(Output::Send { bytes, .. }) => tag_of(bytes),
            _ => String::new(),
        };
        self.receive(request("ACK", self.n, 1, &tag, ""));
        self.receive(request("BYE", self.n, 2, &tag, ""));
        assert!(self.out.iter().any(|o| matches!(o, Output::Event(Event::Ended { .. }))));
    }
}

fn tag_of(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let to = text.lines().find(|line| line.starts_with("To:")).unwrap_or_default();
    to.split_once(";tag=").map(|(_, tag)| format!(";tag={tag}")).unwrap_or_default()
}

fn calls(criterion: &mut Criterion) {
    let mut bench = Bench { ua: agent(), entropy: Seeded::new(1), now: Time::ZERO, n: 0, out: Vec::new() };
    for _ in 0..10_000 {
        bench.call();
    }
    criterion.bench_function("call as callee, 12,800 transactions lingering", |b| {
        b.iter(|| black_box(&mut bench).call());
    });
}

criterion_group!(benches, calls);
criterion_main!(benches);
