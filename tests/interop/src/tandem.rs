use std::ffi::OsString;
use std::fs::DirEntry;
use std::net::{Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::OnceLock;
use std::time::Duration;

use crate::{Log, Phone, Process, Scratch, Signal, Transport, address, free_port, until};

/// How long a start or a stop may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// So long a wait for a processor may be heard.
const DISTURBED: Duration = Duration::from_millis(15);

/// What a test changes in the server's configuration.
///
/// The addresses are chosen by [`Tandem::start`]; the log is JSON at level debug.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Further keys of `[media]`, as TOML lines.
    pub media: String,
    /// Whole further sections.
    pub sections: String,
    /// It listens for TLS too, at [`Tandem::at_tls`], with a certificate that it makes itself.
    pub tls: bool,
    /// It listens for WS and WSS too, and on IPv6: see [`Tandem::at_transport`] and [`Tandem::at_ipv6`].
    pub everywhere: bool,
}

/// A running server, reached at a loopback address of its own.
pub struct Tandem {
    at: SocketAddr,
    at_ipv6: Option<SocketAddr>,
    process: Process,
    _scratch: Scratch,
}

impl Tandem {
    /// Starts the program and waits until it answers OPTIONS.
    pub fn start(config: &Config) -> Self {
        let ip = address();
        let at = SocketAddr::from((ip, free_port(ip)));
        let scratch = Scratch::new("tandem");
        let at_ipv6 = config.everywhere.then(free_ipv6);
        let file = scratch.write("tandem.toml", text(at, at_ipv6, config, scratch.path()));
        let mut command = Command::new(binary());
        command.arg("serve").arg("--config").arg(file).env_remove("TANDEM_LOG");
        let mut process = Process::spawn("tandem", "tandem", &mut command);
        until("tandem to be ready", PATIENCE, || {
            let ready = process.log().lines().iter().any(|line| line == "ready");
            assert!(process.is_running(), "tandem has ended");
            ready.then_some(())
        });
        let answer = Phone::new(at, 440.0).options();
        assert_eq!(answer.status(), Some(200), "{}", answer.start);
        Tandem { at, at_ipv6, process, _scratch: scratch }
    }

    /// Where it listens, for UDP and TCP.
    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// Where it listens for TLS, if it does.
    pub fn at_tls(&self) -> SocketAddr {
        SocketAddr::new(self.at.ip(), self.at.port() + 1)
    }

    /// Where it listens for a transport, if it does.
    pub fn at_transport(&self, transport: Transport) -> SocketAddr {
        let offset = match transport {
            Transport::Udp | Transport::Tcp => 0,
            Transport::Tls => 1,
            Transport::Ws => 2,
            Transport::Wss => 3,
        };
        SocketAddr::new(self.at.ip(), self.at.port() + offset)
    }

    /// Where it listens on IPv6 for UDP and TCP, if it does.
    pub fn at_ipv6(&self) -> SocketAddr {
        self.at_ipv6.expect("it was told to")
    }

    /// Its log.
    pub fn log(&self) -> &Log {
        self.process.log()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits for a line of its log with all these words.
    pub fn wait_log(&self, words: &[&str], within: Duration) -> String {
        let what = format!("{words:?}");
        self.log().wait_for(&what, within, |line| words.iter().all(|word| line.contains(word)))
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait(PATIENCE)
    }

    /// How long each of its threads has been ready to run and had to wait for a processor, all its life.
    fn waits(&self) -> Vec<(OsString, Duration)> {
        let folder = format!("/proc/{}/task", self.id());
        let Ok(threads) = std::fs::read_dir(folder) else { return Vec::new() };
        let wait = |thread: DirEntry| {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            let nanos = text.split(' ').nth(1)?.parse().ok()?;
            Some((thread.file_name(), Duration::from_nanos(nanos)))
        };
        threads.filter_map(|thread| wait(thread.ok()?)).collect()
    }

    /// Measures what a busy machine can spoil, and what the playout may do rarely: adapt its delay, which is seen
    /// in the tone for a moment, some seconds after packets came late.
    ///
    /// Fails when `attempt` fails thrice in a row while nothing disturbed it: while no thread of the server had to
    /// wait for a processor, and no packet of `talkers` went out late.
    ///
    /// # Panics
    /// With the error of the attempts that nobody disturbed, or when most were disturbed.
    pub fn measure<T>(&self, talkers: &[&Phone], mut attempt: impl FnMut() -> Result<T, String>) -> T {
        let mut undisturbed = 0;
        let mut errors = Vec::new();
        for _ in 0..8 {
            let before = self.waits();
            for talker in talkers {
                talker.media().take_lateness();
            }
            match attempt() {
                Ok(measured) => return measured,
                Err(error) => errors.push(error),
            }
            let late = talkers.iter().map(|talker| talker.media().take_lateness()).max().unwrap_or_default();
            let waited = longest_wait(&before, &self.waits());
            undisturbed = if late.max(waited) > DISTURBED { 0 } else { undisturbed + 1 };
            assert!(undisturbed < 3, "{errors:?}");
        }
        panic!("this machine is too busy to measure: {errors:?}");
    }

    /// Panics when it is gone, or when it has printed of a panic.
    pub fn assert_sound(&mut self) {
        assert!(self.process.is_running(), "tandem has ended:\n{}", self.log());
        let panicked = self.log().lines().into_iter().find(|line| line.contains("panicked"));
        assert_eq!(panicked, None, "tandem panicked");
    }
}

fn longest_wait(before: &[(OsString, Duration)], after: &[(OsString, Duration)]) -> Duration {
    let of = |id: &OsString| before.iter().find(|(other, _)| other == id).map_or(Duration::ZERO, |(_, w)| *w);
    after.iter().map(|(id, wait)| wait.saturating_sub(of(id))).max().unwrap_or_default()
}

/// A port of the one IPv6 address of loopback that nobody listens on.
fn free_ipv6() -> SocketAddr {
    TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).unwrap()
}

fn text(at: SocketAddr, at_ipv6: Option<SocketAddr>, config: &Config, folder: &Path) -> String {
    let Config { media, sections, tls, everywhere } = config;
    let (ip, port, folder) = (at.ip(), at.port(), folder.display());
    let mut listen = vec![format!("udp:{at}"), format!("tcp:{at}")];
    if *tls || *everywhere {
        listen.push(format!("tls:{ip}:{}", port + 1));
    }
    if *everywhere {
        listen.extend([format!("ws:{ip}:{}", port + 2), format!("wss:{ip}:{}", port + 3)]);
    }
    if let Some(at) = at_ipv6 {
        listen.extend([format!("udp:{at}"), format!("tcp:{at}")]);
    }
    // Media of both families through the same sockets; the ports keep away from those of others.
    let (address, ports) = match at_ipv6 {
        Some(_) => ("::".to_owned(), "22000-22999"),
        None => (ip.to_string(), "20000-21999"),
    };
    format!(
        "[sip]\nlisten = {listen:?}\n\n[tls]\ndirectory = \"{folder}\"\n\n[media]\naddress = \"{address}\"\n\
         ports = \"{ports}\"\n{media}\n\n[log]\nlevel = \"debug\"\nformat = \"json\"\n\n{sections}\n"
    )
}

/// The program: `TANDEM_BIN`, or else the one of this workspace, brought up to date first.
pub fn binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| std::env::var_os("TANDEM_BIN").map_or_else(build, PathBuf::from)).clone()
}

/// Builds it by the profile and into the folder that this test was built by and lies in.
fn build() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).expect("target/PROFILE/deps/test");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "-p", "tandem", "--manifest-path"]);
    cargo.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"));
    cargo.arg("--target-dir").arg(profile.parent().unwrap());
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().unwrap().success(), "cargo build -p tandem failed");
    profile.join("tandem")
}
