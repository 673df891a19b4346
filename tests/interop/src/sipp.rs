use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::g711::{alaw_from, ulaw_from};
use crate::{Process, Recording, Relay, Scratch, address, free_port};

/// What carries SIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP; sipp uses one connection for all calls.
    Tcp,
    /// TLS. Debian builds sipp without: it goes by TCP through a [`Relay`], as with those below.
    Tls,
    /// WebSocket (RFC 7118).
    Ws,
    /// WebSocket within TLS.
    Wss,
}

impl Transport {
    /// As a URI names it.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
            Transport::Ws => "ws",
            Transport::Wss => "wss",
        }
    }

    /// What sipp speaks, as it names it: one socket for all calls.
    fn for_sipp(self) -> &'static str {
        if self == Transport::Udp { "u1" } else { "t1" }
    }
}

/// What sipp is to do.
#[derive(Clone, Debug)]
pub struct SippCalls {
    /// A scenario in this crate's folder `sipp`, without `.xml`.
    pub scenario: &'static str,
    /// The user part that is called.
    pub user: &'static str,
    /// How many calls.
    pub calls: u32,
    /// New calls a second.
    pub rate: u32,
    /// How long a call stands.
    pub talk: Duration,
    /// What carries SIP.
    pub transport: Transport,
    /// What it says where the scenario sends sound: Hz at −12 dBFS.
    pub tone: f64,
}

impl Default for SippCalls {
    fn default() -> Self {
        SippCalls {
            scenario: "silent",
            user: "1000",
            calls: 1,
            rate: 1,
            talk: Duration::from_secs(1),
            transport: Transport::Udp,
            tone: 853.0,
        }
    }
}

/// A running sipp.
pub struct Sipp {
    process: Process,
    scratch: Scratch,
    _relay: Option<Relay>,
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SippOutcome {
    /// Zero: every call went by its scenario.
    pub exit_code: Option<i32>,
    /// Calls that went by the scenario.
    pub successful: u32,
    /// Calls that did not.
    pub failed: u32,
    /// Its trace of unexpected messages.
    pub errors: String,
}

impl Sipp {
    /// Starts it towards `server`, which takes the transport of the calls there.
    pub fn start(server: SocketAddr, calls: &SippCalls) -> Self {
        let itself = matches!(calls.transport, Transport::Udp | Transport::Tcp);
        let relay = (!itself).then(|| Relay::start(calls.transport, server));
        let server = relay.as_ref().map_or(server, Relay::at);
        let scratch = Scratch::new("sipp");
        let ip = address();
        write_tones(&scratch, calls.tone);
        let scenario = folder().join(calls.scenario).with_extension("xml");
        assert!(scenario.exists(), "no scenario {}", scenario.display());
        let mut command = Command::new("sipp");
        command.current_dir(scratch.path());
        command.arg(server.to_string()).arg("-sf").arg(scenario).args(["-s", calls.user]);
        command.args(["-i", &ip.to_string(), "-mi", &ip.to_string()]);
        command.args(["-p", &free_port(ip).to_string()]);
        command.args(["-m", &calls.calls.to_string(), "-r", &calls.rate.to_string()]);
        command.args(["-l", "10000", "-d", &calls.talk.as_millis().to_string()]);
        command.args(["-t", calls.transport.for_sipp()]);
        command.args(["-nostdin", "-trace_err", "-error_file", "errors.log"]);
        command.args(["-trace_stat", "-stf", "statistics.csv", "-fd", "1"]);
        Sipp { process: Process::spawn("sipp", "sip-tester", &mut command), scratch, _relay: relay }
    }

    /// Waits for its end.
    pub fn finish(mut self, within: Duration) -> SippOutcome {
        let exit_code = self.process.wait(within).code();
        let read = |name: &str| fs::read_to_string(self.scratch.path().join(name)).unwrap_or_default();
        let statistics = read("statistics.csv");
        SippOutcome {
            exit_code,
            successful: column(&statistics, "SuccessfulCall(C)"),
            failed: column(&statistics, "FailedCall(C)"),
            errors: read("errors.log").chars().take(4_000).collect(),
        }
    }
}

impl SippOutcome {
    /// Panics unless all `calls` went by the scenario.
    pub fn assert_all(&self, calls: u32) {
        assert_eq!((self.exit_code, self.successful, self.failed), (Some(0), calls, 0), "{}", self.errors);
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sipp")
}

/// sipp plays raw octets of the codec; ten seconds are repeated without a seam.
fn write_tones(scratch: &Scratch, hz: f64) {
    let tone = Recording::tone(hz, -12.0, 8_000, 10).samples;
    scratch.write("tone.ulaw", tone.iter().map(|s| ulaw_from(*s)).collect::<Vec<_>>());
    scratch.write("tone.alaw", tone.iter().map(|s| alaw_from(*s)).collect::<Vec<_>>());
}

/// The last value of a column.
fn column(csv: &str, name: &str) -> u32 {
    let mut lines = csv.lines();
    let at = lines.next().and_then(|line| line.split(';').position(|column| column == name));
    let value = at.and_then(|at| lines.next_back()?.split(';').nth(at)?.parse().ok());
    value.unwrap_or_else(|| panic!("no {name} in the statistics of sipp: {csv}"))
}
