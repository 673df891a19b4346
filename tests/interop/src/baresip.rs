use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::sipp::Transport;
use crate::{Process, Recording, Scratch, address, free_port, until, wav};

/// A codec as baresip's account names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Opus, one channel.
    Opus,
    /// G.722.
    G722,
    /// G.711 µ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
}

impl Codec {
    fn name(self) -> &'static str {
        match self {
            Codec::Opus => "opus/48000/1",
            Codec::G722 => "G722/16000/1",
            Codec::Pcmu => "PCMU/8000/1",
            Codec::Pcma => "PCMA/8000/1",
        }
    }
}

/// A running baresip, commanded over TCP; it records what it decodes.
pub struct Baresip {
    at: SocketAddr,
    server: SocketAddr,
    transport: Transport,
    control: TcpStream,
    events: Arc<Mutex<Vec<Value>>>,
    process: Process,
    scratch: Scratch,
}

impl Baresip {
    /// Starts it for calls to `server` over UDP, offering just these codecs, in this order.
    ///
    /// It says `hz` at −12 dBFS, for a minute of calls.
    pub fn start(server: SocketAddr, codecs: &[Codec], hz: f64) -> Self {
        Self::start_over(Transport::Udp, server, codecs, hz)
    }

    /// The same with a choice of transport.
    pub fn start_over(transport: Transport, server: SocketAddr, codecs: &[Codec], hz: f64) -> Self {
        Self::start_with(transport, server, codecs, hz, "")
    }

    /// The same with a `mediaenc` for its account: `srtp` offers keys under RTP/AVP, `srtp-mand` under RTP/SAVP,
    /// `srtp-mandf` under RTP/SAVPF.
    pub fn start_encrypted(
        transport: Transport,
        server: SocketAddr,
        codecs: &[Codec],
        hz: f64,
        mediaenc: &str,
    ) -> Self {
        Self::start_with(transport, server, codecs, hz, &format!(";mediaenc={mediaenc}"))
    }

    fn start_with(
        transport: Transport,
        server: SocketAddr,
        codecs: &[Codec],
        hz: f64,
        parameters: &str,
    ) -> Self {
        let ip = address();
        let scratch = Scratch::new("baresip");
        // TLS takes the port after the SIP port, whether wanted or not.
        let (sip, control) = (free_port(ip), free_port(ip));
        scratch.write("config", config(ip, sip, control, &scratch, hz));
        let names: Vec<&str> = codecs.iter().map(|codec| codec.name()).collect();
        let names = names.join(",");
        let account = format!("<sip:phone@{ip}>;regint=0;answermode=auto;audio_codecs={names}{parameters}\n");
        scratch.write("accounts", account);
        scratch.write("contacts", "");
        let mut command = Command::new("baresip");
        command.arg("-f").arg(scratch.path()).arg("-s");
        let process = Process::spawn("baresip", "baresip-core", &mut command);
        process.log().wait_for("baresip to be ready", Duration::from_secs(10), |l| l.contains("is ready"));
        let control = TcpStream::connect((ip, control)).expect("the control port of baresip");
        let events = Arc::new(Mutex::new(Vec::new()));
        let (reader, sink) = (control.try_clone().unwrap(), events.clone());
        std::thread::spawn(move || read_events(reader, &sink));
        Baresip { at: (ip, sip).into(), server, transport, control, events, process, scratch }
    }

    /// Where it answers every call.
    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// Calls `user` and waits until the call stands.
    pub fn call(&mut self, user: &str) {
        self.dial(user);
        self.wait_event("CALL_ESTABLISHED");
    }

    /// Calls `user`.
    pub fn dial(&mut self, user: &str) {
        let transport = match self.transport {
            Transport::Udp => "",
            Transport::Tcp => ";transport=tcp",
            Transport::Tls => ";transport=tls",
            other => panic!("baresip does not speak {}", other.name()),
        };
        let uri = format!("sip:{user}@{}{transport}", self.server);
        self.command("dial", &uri);
    }

    /// Puts the call on hold by a re-INVITE; returns when that is answered.
    pub fn hold(&mut self) {
        self.renegotiate("hold");
    }

    /// Takes it from hold.
    pub fn resume(&mut self) {
        self.renegotiate("resume");
    }

    fn renegotiate(&mut self, command: &str) {
        let before = self.events("CALL_REMOTE_SDP").len();
        self.command(command, "");
        until(command, Duration::from_secs(5), || {
            (self.events("CALL_REMOTE_SDP").len() > before).then_some(())
        });
    }

    /// Presses keys.
    pub fn dial_tones(&mut self, keys: &str) {
        self.command("sndcode", keys);
    }

    /// Hangs up and waits for the end of the call.
    pub fn hang_up(&mut self) {
        self.command("hangup", "");
        self.wait_event("CALL_CLOSED");
    }

    /// Waits for the first event of this type.
    pub fn wait_event(&self, kind: &str) -> Value {
        until(&format!("{kind} of baresip"), Duration::from_secs(10), || self.event(kind))
    }

    /// The first event of this type so far.
    pub fn event(&self, kind: &str) -> Option<Value> {
        self.events(kind).into_iter().next()
    }

    /// All events of this type so far.
    pub fn events(&self, kind: &str) -> Vec<Value> {
        self.events.lock().unwrap().iter().filter(|event| event["type"] == kind).cloned().collect()
    }

    /// What it has decoded up to now. (1.0.0 records up to the first re-INVITE only.)
    pub fn heard_so_far(&self) -> Option<Recording> {
        self.file().and_then(|path| wav::read(&path))
    }

    /// What it heard in the call that has ended.
    pub fn heard(&self) -> Recording {
        until("baresip's finished recording", Duration::from_secs(5), || {
            let path = self.file()?;
            let bytes = fs::read(path).ok()?;
            let size = u32::from_le_bytes(bytes.get(40..44)?.try_into().ok()?) as usize;
            (size > 0 && size + 44 == bytes.len()).then(|| self.heard_so_far())?
        })
    }

    fn file(&self) -> Option<PathBuf> {
        let files = fs::read_dir(self.scratch.path()).ok()?;
        let mut paths = files.filter_map(|entry| Some(entry.ok()?.path()));
        paths.find(|path| path.to_string_lossy().ends_with("-dec.wav"))
    }

    /// How many seconds of sound it has decoded since the last re-INVITE or the start.
    pub fn decoded_seconds(&mut self) -> f64 {
        let before = self.responses("audio_debug").len();
        self.command("audio_debug", "");
        let text = until("an answer to audio_debug", Duration::from_secs(5), || {
            self.responses("audio_debug").get(before).cloned()
        });
        // The second "time =" is that of the receiver.
        let time = text.split("time = ").nth(2).and_then(|t| t.split(' ').next()?.parse().ok());
        time.unwrap_or_else(|| panic!("no receiver in {text}"))
    }

    fn responses(&self, command: &str) -> Vec<String> {
        let events = self.events.lock().unwrap();
        let mine = events.iter().filter(|event| event["token"] == command);
        mine.map(|event| event["data"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Its log, with every SIP message.
    pub fn log(&self) -> &crate::Log {
        self.process.log()
    }

    fn command(&mut self, command: &str, params: &str) {
        let text = json!({ "command": command, "params": params, "token": command }).to_string();
        write!(self.control, "{}:{text},", text.len()).unwrap();
    }
}

fn config(ip: Ipv4Addr, sip: u16, control: u16, scratch: &Scratch, hz: f64) -> String {
    let tone = wav::file(&Recording::tone(hz, -12.0, 48_000, 60));
    let source = scratch.write("tone.wav", tone);
    let source = source.display();
    let modules = "/usr/lib/baresip/modules";
    let path = scratch.path().display();
    format!(
        "poll_method epoll\nsip_listen {ip}:{sip}\nnet_interface {ip}\ncall_max_calls 4\n\
         audio_source aufile,{source}\naudio_player aubridge,sink\naudio_alert aubridge,alert\n\
         ausrc_srate 48000\nauplay_srate 48000\nausrc_channels 1\nauplay_channels 1\n\
         ausrc_format s16\nauplay_format s16\nauenc_format s16\naudec_format s16\n\
         rtp_ports 30000-30099\njitter_buffer_delay 2-10\nmodule_path {modules}\n\
         module srtp.so\nmodule g711.so\nmodule g722.so\nmodule opus.so\nmodule aubridge.so\nmodule aufile.so\n\
         module sndfile.so\nmodule_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n\
         ctrl_tcp_listen {ip}:{control}\nsnd_path {path}\n\
         opus_stereo no\nopus_sprop_stereo no\nopus_bitrate 32000\nopus_inbandfec yes\n"
    )
}

/// Netstrings of JSON, for as long as the connection lives.
fn read_events(mut from: TcpStream, events: &Mutex<Vec<Value>>) {
    let mut pending = Vec::new();
    let mut buffer = [0; 4_096];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        pending.extend(&buffer[..n]);
        while let Some((event, used)) = netstring(&pending) {
            events.lock().unwrap().push(event);
            pending.drain(..used);
        }
    }
}

fn netstring(bytes: &[u8]) -> Option<(Value, usize)> {
    let colon = bytes.iter().position(|b| *b == b':')?;
    let length: usize = std::str::from_utf8(&bytes[..colon]).ok()?.parse().ok()?;
    let text = bytes.get(colon + 1..colon + 1 + length)?;
    bytes.get(colon + 1 + length)?;
    Some((serde_json::from_slice(text).unwrap_or(Value::Null), length + colon + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn netstrings_are_taken_one_by_one() {
        let (event, used) = netstring(b"8:{\"a\": 1},3:").unwrap();
        assert_eq!((event["a"].as_u64(), used), (Some(1), 11));
        assert_eq!(netstring(b"8:{\"a\": 1}"), None);
    }
}
