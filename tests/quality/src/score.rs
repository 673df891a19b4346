use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::wav;

/// Something heard, to be compared with what was said.
pub struct Task {
    /// Of both, Hz: 8,000 is judged as narrow band (ITU-T P.862), 16,000 as wide band (P.862.2).
    pub rate: u32,
    /// What was said.
    pub said: Vec<f32>,
    /// What was heard, from the same moment on.
    pub heard: Vec<f32>,
}

/// How good it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Mean opinion score by PESQ, 1.0 to 4.6.
    pub pesq: f64,
    /// Intelligibility by STOI, 0.0 to 1.0.
    pub stoi: f64,
    /// How much later it was heard than said, mostly, ms.
    pub delay_ms: f64,
}

/// The Python with `pesq` and `pystoi` in it that `scripts/setup --tests` made.
fn python() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    target.join("sound-venv/bin/python3")
}

/// Compares all of them.
pub fn score(tasks: &[Task]) -> Vec<Score> {
    let place = tempfile::tempdir().expect("a place for sound");
    let mut list = String::new();
    for (n, task) in tasks.iter().enumerate() {
        let path = |what: &str| place.path().join(format!("{n}-{what}.wav"));
        let (said, heard) = (path("said"), path("heard"));
        wav::write(&said, task.rate, &task.said).expect("a file");
        wav::write(&heard, task.rate, &task.heard).expect("a file");
        list.push_str(&format!("{}\t{}\t{}\n", task.rate, said.display(), heard.display()));
    }
    let text = judge(&list);
    let scores: Vec<Score> = text.lines().map(parse).collect();
    assert_eq!(scores.len(), tasks.len(), "{text}");
    scores
}

fn judge(list: &str) -> String {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("score.py");
    let mut child = Command::new(python())
        .arg(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{}, see scripts/setup --tests: {e}", python().display()));
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(list.as_bytes()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "score.py failed");
    String::from_utf8(output.stdout).expect("numbers")
}

fn parse(line: &str) -> Score {
    let mut numbers = line.split('\t').map(|n| n.parse().unwrap_or_else(|e| panic!("{line}: {e}")));
    let mut next = || numbers.next().expect("three numbers");
    Score { pesq: next(), stoi: next(), delay_ms: next() }
}
