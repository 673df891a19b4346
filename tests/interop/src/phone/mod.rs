//! A phone of plain sockets: PCMU over RTP or SRTP, SIP over any transport, and no manners of its own.

mod keys;
mod line;
mod media;
mod message;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use keys::Keys;
use line::Line;
pub(crate) use line::next_message;
pub use media::Heard;
use media::Media;
pub use message::Message;

use crate::{Recording, Transport, address, until};

/// How long an answer may take on loopback, retransmissions included.
const ANSWER: Duration = Duration::from_secs(5);

const PAYLOAD_TYPES: &str = "0 101";
const ATTRIBUTES: &str = "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n";

/// One phone with at most one call at a time.
pub struct Phone {
    ip: IpAddr,
    server: SocketAddr,
    line: Arc<Line>,
    inbox: Receiver<Message>,
    stop: Arc<AtomicBool>,
    deaf: Arc<AtomicBool>,
    media: Media,
    keys: Keys,
    dialog: Dialog,
}

/// What a request within the call is made of.
#[derive(Clone, Default)]
struct Dialog {
    call_id: String,
    branch: String,
    target: String,
    /// In the order in which requests are to take them.
    routes: Vec<String>,
    to: String,
    cseq: u32,
    sdp_version: u32,
}

fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{}x{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Phone {
    /// A phone that sends `hz` at −12 dBFS once a call stands.
    pub fn new(server: SocketAddr, hz: f64) -> Self {
        Self::over(Transport::Udp, server, hz)
    }

    /// The same over another transport; `server` is where that is taken. It lives on IPv4 or IPv6 as `server` does.
    pub fn over(transport: Transport, server: SocketAddr, hz: f64) -> Self {
        let ip = if server.is_ipv4() { address().into() } else { Ipv6Addr::LOCALHOST.into() };
        let line = Arc::new(Line::new(ip, transport, server));
        let (stop, deaf) = <(Arc<AtomicBool>, Arc<AtomicBool>)>::default();
        let (to_inbox, inbox) = channel();
        let media = Media::new(ip, hz);
        let sdp = sdp(ip, media.port(), 1, "sendrecv", PAYLOAD_TYPES, ATTRIBUTES);
        let listening = Listening { line: line.clone(), stop: stop.clone(), deaf: deaf.clone(), sdp };
        std::thread::spawn(move || listening.run(&to_inbox));
        let (keys, dialog) = (Keys::default(), Dialog::default());
        Phone { ip, server, line, inbox, stop, deaf, media, keys, dialog }
    }

    /// Hears and answers no SIP from now on, as if its cable was pulled; its sound goes on.
    pub fn go_deaf(&self) {
        self.deaf.store(true, Ordering::Relaxed);
    }

    /// What it hears and sends.
    pub fn media(&self) -> &Media {
        &self.media
    }

    /// Its SIP address.
    pub fn contact(&self) -> SocketAddr {
        self.line.local()
    }

    /// An offer of PCMU and telephone events.
    pub fn offer(&self, direction: &str) -> String {
        self.offer_of(direction, PAYLOAD_TYPES, ATTRIBUTES)
    }

    /// An offer of one audio stream with these payload types and attributes.
    pub fn offer_of(&self, direction: &str, payload_types: &str, attributes: &str) -> String {
        let (port, version) = (self.media.port(), self.dialog.sdp_version);
        sdp(self.ip, port, version, direction, payload_types, attributes)
    }

    /// Calls `user`; panics unless the call is answered. Sound flows when this returns.
    pub fn call(&mut self, user: &str) -> Message {
        let answer = self.invite(user, &self.offer("sendrecv"));
        assert_eq!(answer.status(), Some(200), "calling {user}: {}", answer.start);
        self.media.talk_to(answer.rtp_address());
        answer
    }

    /// The same with keys in the SDP (RFC 4568): its sound is encrypted, and what is not encrypted for it is not heard.
    pub fn call_encrypted(&mut self, user: &str) -> Message {
        let answer = self.invite(user, &self.encrypted_offer());
        assert_eq!(answer.status(), Some(200), "calling {user}: {}", answer.start);
        self.media.encrypt(self.keys.with(&answer.body));
        self.media.talk_to(answer.rtp_address());
        answer
    }

    /// An offer of PCMU under RTP/SAVP.
    pub fn encrypted_offer(&self) -> String {
        let attributes = format!("a=rtpmap:0 PCMU/8000\r\n{}\r\n", self.keys.attribute());
        self.offer_of("sendrecv", "0", &attributes).replace("RTP/AVP", "RTP/SAVP")
    }

    /// A request within the call with these header lines; its final response.
    pub fn ask(&mut self, method: &str, headers: &str) -> Message {
        self.dialog.cseq += 1;
        self.request(method, headers, "");
        self.final_response(method)
    }

    /// An INVITE outside any dialog and its final response, which is acknowledged.
    pub fn invite(&mut self, user: &str, sdp: &str) -> Message {
        self.send_invite(user, sdp);
        let answer = self.final_response("INVITE");
        self.ack(&answer);
        answer
    }

    /// Just sends the INVITE.
    pub fn send_invite(&mut self, user: &str, sdp: &str) {
        let target = format!("sip:{user}@{}", self.server);
        self.dialog = Dialog {
            call_id: format!("{}@{}", unique(), self.ip),
            to: format!("<{target}>"),
            target,
            ..Dialog::default()
        };
        self.dialog.cseq = 1;
        self.request("INVITE", "Content-Type: application/sdp\r\n", sdp);
    }

    /// Acknowledges the final response to the last INVITE (RFC 3261 §13.2.2.4 and §17.1.1.3).
    pub fn ack(&mut self, answer: &Message) {
        let is_first = !self.dialog.to.contains(";tag=");
        self.dialog.to = answer.header("To").unwrap_or_default().to_owned();
        if answer.status() == Some(200) {
            if let Some(contact) = answer.contact() {
                self.dialog.target = contact;
            }
            // RFC 3261 §12.1.2; §12.2 leaves them alone later on.
            if is_first {
                self.dialog.routes = answer.all("Record-Route").rev().map(ToOwned::to_owned).collect();
            }
            self.dialog.branch = unique();
        }
        self.transmit("ACK", "", "");
    }

    /// A re-INVITE with this direction; its final response, acknowledged.
    pub fn reinvite(&mut self, direction: &str) -> Message {
        self.dialog.sdp_version += 1;
        let sdp = self.offer(direction);
        self.reinvite_with(&sdp)
    }

    /// A re-INVITE with this offer; its final response, acknowledged.
    pub fn reinvite_with(&mut self, sdp: &str) -> Message {
        self.dialog.cseq += 1;
        self.request("INVITE", "Content-Type: application/sdp\r\n", sdp);
        let answer = self.final_response("INVITE");
        self.ack(&answer);
        answer
    }

    /// Cancels the INVITE that is under way; the response to the CANCEL itself.
    pub fn cancel(&mut self) -> Message {
        self.send_cancel();
        self.final_response("CANCEL")
    }

    /// Just sends the CANCEL.
    pub fn send_cancel(&self) {
        self.transmit("CANCEL", "", "");
    }

    /// Hangs up.
    pub fn bye(&mut self) -> Message {
        self.media.silence();
        self.dialog.cseq += 1;
        self.request("BYE", "", "");
        self.final_response("BYE")
    }

    /// Asks for the server's capabilities.
    pub fn options(&mut self) -> Message {
        let target = format!("sip:{}", self.server);
        self.dialog =
            Dialog { call_id: unique(), to: format!("<{target}>"), target, cseq: 1, ..Dialog::default() };
        self.request("OPTIONS", "", "");
        self.final_response("OPTIONS")
    }

    /// Anything at all, from the SIP socket.
    pub fn send_raw(&self, bytes: &[u8]) {
        self.line.send(bytes);
    }

    /// The next BYE from the server (it has been answered already).
    pub fn wait_bye(&self, within: Duration) -> Message {
        self.wait_for("a BYE", within, |m| m.method() == Some("BYE"))
    }

    /// The next request with this method (it has been answered already).
    pub fn wait_request(&self, method: &str) -> Message {
        self.wait_for(method, ANSWER, |m| m.method() == Some(method))
    }

    /// The final response to `method`.
    pub fn final_response(&self, method: &str) -> Message {
        let what = format!("the final response to {method}");
        self.wait_for(&what, ANSWER, |m| {
            m.status().is_some_and(|s| s >= 200)
                && m.header("Call-ID") == Some(&self.dialog.call_id)
                && m.header("CSeq").is_some_and(|c| c == format!("{} {method}", self.dialog.cseq))
        })
    }

    /// The next message that is `wanted`; others are dropped.
    pub fn wait_for(&self, what: &str, within: Duration, wanted: impl Fn(&Message) -> bool) -> Message {
        let end = Instant::now() + within;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.inbox.recv_timeout(left) {
                Ok(message) if wanted(&message) => return message,
                Ok(_) => {}
                Err(_) => panic!("the phone at {} waited {within:?} in vain for {what}", self.contact()),
            }
        }
    }

    /// Waits until the last half second holds all these tones.
    pub fn wait_to_hear(&self, hz: &[f64], within: Duration) {
        let what = format!("the phone to hear {hz:?} Hz");
        until(&what, within, || self.media.heard().ends_with(0.5, hz).then_some(()));
    }

    /// Waits until the playout at the other end has settled: for three seconds there was nothing but these tones.
    /// Until then it is allowed to learn how much delay it needs.
    pub fn wait_to_hear_purely(&self, hz: &[f64], within: Duration) {
        let what = format!("the phone to hear {hz:?} Hz and nothing else");
        until(&what, within, || {
            let recent = self.media.heard().last(3.0);
            (recent.ends_with(3.0, hz) && recent.pure(hz).is_ok()).then_some(())
        });
    }

    /// What arrives from now on, `seconds` of it.
    pub fn record(&self, seconds: f64) -> Recording {
        let start = self.media.heard().seconds();
        let within = Duration::from_secs_f64(seconds * 2.0 + 3.0);
        until("enough sound to record", within, || {
            let heard = self.media.heard();
            (heard.seconds() >= start + seconds).then(|| heard.part(start, start + seconds))
        })
    }

    fn request(&mut self, method: &str, headers: &str, body: &str) {
        self.dialog.branch = unique();
        self.transmit(method, headers, body);
    }

    fn transmit(&self, method: &str, headers: &str, body: &str) {
        let (d, here, contact) = (&self.dialog, self.line.host(), self.line.contact());
        let transport = self.line.transport().name().to_ascii_uppercase();
        let routes: String = d.routes.iter().map(|route| format!("Route: {route}\r\n")).collect();
        let message = format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/{transport} {here};rport;branch=z9hG4bK{branch}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:phone@{here}>;tag=t{tag}\r\nTo: {to}\r\n\
             Call-ID: {call_id}\r\nCSeq: {cseq} {method}\r\nContact: <{contact}>\r\n\
             {routes}{headers}Content-Length: {length}\r\n\r\n{body}",
            target = d.target,
            branch = d.branch,
            // A token, which knows no @; proxies put it into their URIs.
            tag = d.call_id.replace('@', "."),
            to = d.to,
            call_id = d.call_id,
            cseq = d.cseq,
            length = body.len(),
        );
        self.send_raw(message.as_bytes());
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn sdp(ip: IpAddr, port: u16, version: u32, direction: &str, types: &str, attributes: &str) -> String {
    let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
    format!(
        "v=0\r\no=- 17 {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP {types}\r\n{attributes}a={direction}\r\n"
    )
}

/// The end of a phone that answers by itself.
struct Listening {
    line: Arc<Line>,
    stop: Arc<AtomicBool>,
    deaf: Arc<AtomicBool>,
    /// What a re-INVITE is answered with.
    sdp: String,
}

impl Listening {
    fn run(&self, inbox: &Sender<Message>) {
        while !self.stop.load(Ordering::Relaxed) {
            let Some((message, from)) = self.line.receive() else { continue };
            if self.deaf.load(Ordering::Relaxed) {
                continue;
            }
            if let Some(answer) = self.answer(&message) {
                self.line.answer(answer.as_bytes(), from);
            }
            if inbox.send(message).is_err() {
                return;
            }
        }
    }

    fn answer(&self, message: &Message) -> Option<String> {
        match message.method()? {
            "ACK" => None,
            // Media is left as it is: the answer repeats what was agreed, mirrored.
            "INVITE" => {
                let direction = match message.direction() {
                    Some("sendonly") => "recvonly",
                    Some("recvonly") => "sendonly",
                    Some("inactive") => "inactive",
                    _ => "sendrecv",
                };
                let sdp = self.sdp.replace("a=sendrecv", &format!("a={direction}"));
                Some(message.ok_with(&self.line.contact(), &sdp))
            }
            _ => Some(message.ok()),
        }
    }
}
