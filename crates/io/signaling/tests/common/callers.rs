//! An application that answers every call, and callers that measure how long that takes.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's set-up fails as a test does")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tandem_sip::ua::{Command, Event};
use tandem_sip::{Headers, Response};
use tokio::sync::mpsc;

use super::{Datagrams, Stream, request, status};

/// Answers every call at once.
pub async fn answer_all(mut events: mpsc::Receiver<Event>, commands: mpsc::Sender<Command>) {
    while let Some(event) = events.recv().await {
        if let Event::Incoming { invite, .. } = event {
            let answer =
                Command::Answer { invite, contact_parameters: None, headers: Headers::new(), body: None };
            if commands.send(answer).await.is_err() {
                return;
            }
        }
    }
}

/// A caller over UDP or TCP.
pub enum Caller {
    Udp(Datagrams),
    Tcp(Stream),
}

impl Caller {
    pub async fn udp(address: SocketAddr) -> Self {
        Caller::Udp(Datagrams::to(address).await)
    }

    pub async fn tcp(address: SocketAddr) -> Self {
        Caller::Tcp(Stream::to(address).await)
    }

    fn via(&self) -> String {
        match self {
            Caller::Udp(peer) => peer.via(),
            Caller::Tcp(peer) => peer.via(),
        }
    }

    async fn send(&mut self, message: String) {
        match self {
            Caller::Udp(peer) => peer.send(message).await,
            Caller::Tcp(peer) => peer.send(message).await,
        }
    }

    async fn final_response(&mut self) -> Response {
        loop {
            let response = match self {
                Caller::Udp(peer) => peer.receive().await,
                Caller::Tcp(peer) => peer.receive().await,
            };
            if response.status.is_final() {
                return response;
            }
        }
    }

    /// Calls, is answered, and hangs up; how long it took to be answered.
    pub async fn call(&mut self, name: &str) -> Duration {
        let (via, asked) = (self.via(), Instant::now());
        self.send(request("INVITE", &via, name, "")).await;
        let answer = self.final_response().await;
        let took = asked.elapsed();
        assert_eq!(status(&answer), 200, "{answer:?}");
        let tag = answer.headers.to().unwrap().tag().unwrap().to_owned();
        let within = |method: &str, number: u8| {
            request(method, &via, name, "")
                .replace(&format!("z9hG4bK{name}"), &format!("z9hG4bK{name}{method}"))
                .replace("To: <sip:1000@tandem.example>", &format!("To: <sip:1000@tandem.example>;tag={tag}"))
                .replace(&format!("CSeq: 1 {method}"), &format!("CSeq: {number} {method}"))
        };
        self.send(within("ACK", 1)).await;
        self.send(within("BYE", 2)).await;
        assert_eq!(status(&self.final_response().await), 200);
        took
    }
}

/// The 99th percentile of the set-up times of calls by UDP and by TCP while something goes on.
pub async fn p99(udp: SocketAddr, tcp: SocketAddr, calls: usize, name: &str) -> Duration {
    let (mut by_udp, mut by_tcp) = (Caller::udp(udp).await, Caller::tcp(tcp).await);
    let mut took = Vec::new();
    for n in 0..calls {
        took.push(by_udp.call(&format!("{name}u{n}")).await);
        took.push(by_tcp.call(&format!("{name}t{n}")).await);
    }
    took.sort_unstable();
    took[took.len() * 99 / 100]
}
