use std::fmt;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

use crate::until;

/// The lines that a process has printed so far, both streams in one.
#[derive(Clone, Default)]
pub struct Log(Arc<(Mutex<Vec<String>>, Condvar)>);

impl Log {
    fn follow(&self, stream: impl Read + Send + 'static) {
        let log = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                log.0.0.lock().unwrap().push(String::from_utf8_lossy(&line).into_owned());
                log.0.1.notify_all();
            }
        });
    }

    /// All of them.
    pub fn lines(&self) -> Vec<String> {
        self.0.0.lock().unwrap().clone()
    }

    /// The first line that satisfies `wanted`, be it there already or still to come.
    ///
    /// # Panics
    /// When there is none after `within`, with the last lines that were printed.
    pub fn wait_for(&self, what: &str, within: Duration, wanted: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + within;
        let mut lines = self.0.0.lock().unwrap();
        loop {
            if let Some(line) = lines.iter().find(|line| wanted(line)) {
                return line.clone();
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(lines);
                panic!("waited {within:?} in vain for {what} in the log:\n{self}");
            }
            lines = self.0.1.wait_timeout(lines, left).unwrap().0;
        }
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines();
        lines.iter().skip(lines.len().saturating_sub(60)).try_for_each(|line| writeln!(f, "  | {line}"))
    }
}

/// A child process with its output captured: killed, by its own handle, when this is dropped.
pub struct Process {
    name: String,
    child: Child,
    log: Log,
}

impl Process {
    /// Starts it; `package` is what to install where the program is missing.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn spawn(name: &str, package: &str, command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = match command.spawn() {
            Err(error) if error.kind() == ErrorKind::NotFound => panic!(
                "{} is not installed: this test needs the Debian package `{package}`",
                command.get_program().display()
            ),
            other => other.expect("the process starts"),
        };
        let log = Log::default();
        log.follow(child.stdout.take().unwrap());
        log.follow(child.stderr.take().unwrap());
        Process { name: name.to_owned(), child, log }
    }

    /// What it has printed.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Is it still there?
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it is still running after `within`.
    pub fn wait(&mut self, within: Duration) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        until(&what, within, || self.child.try_wait().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the last of {}:\n{}", self.name, self.log);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "needs the Debian package `baresip-core`")]
    fn a_missing_program_names_its_package() {
        Process::spawn("baresip", "baresip-core", &mut Command::new("/nowhere/baresip"));
    }

    #[test]
    fn a_dropped_process_is_gone_and_its_output_was_read() {
        let process =
            Process::spawn("sh", "dash", Command::new("sh").args(["-c", "echo here >&2; exec sleep 60"]));
        process.log().wait_for("its word", Duration::from_secs(5), |line| line == "here");
        let id = Pid::from_child(&process.child);
        drop(process);
        assert!(rustix::process::test_kill_process(id).is_err());
    }
}
