use std::path::Path;
use std::process::Command;

use crate::wav;

/// Two voices, some sentences each.
const SAID: [(&str, &str); 2] = [
    (
        "en-gb",
        "The meeting begins at a quarter past nine. Would everybody please say who they are? \
         Five ships left the harbour before the fog came in, and the last of them carried fresh peaches.",
    ),
    (
        "en-us+f3",
        "She was waiting at my front door when the bell rang twice. Thick snow covered the whole valley. \
         Check the zinc box for a small key, and shut the gate when you leave.",
    ),
];
/// How long each speaks, s.
const SECONDS: usize = 8;

fn run(command: &mut Command) {
    let output = command.output();
    let output = output.unwrap_or_else(|e| panic!("{command:?}, see scripts/setup --tests: {e}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Eight seconds of speech at `rate` Hz by one of two voices, peaks at −6 dBFS; the same in every run.
pub fn speech(voice: usize, rate: u32) -> Vec<f32> {
    let (name, text) = SAID[voice % SAID.len()];
    let place = tempfile::tempdir().expect("a place for sound");
    let (said, path) = (place.path().join("said.wav"), place.path().join("speech.wav"));
    run(Command::new("espeak-ng").args(["-v", name, "-s", "155", "-w"]).arg(&said).arg(text));
    convert(&said, rate, &path);
    let pcm = wav::read(&path).expect("what sox wrote");
    assert_eq!(pcm.len(), rate as usize * SECONDS);
    pcm
}

fn convert(said: &Path, rate: u32, to: &Path) {
    let (rate, seconds) = (rate.to_string(), SECONDS.to_string());
    // Without dither each run gives the same samples.
    let mut sox = Command::new("sox");
    sox.args(["-D", "-G"]).arg(said).args(["-r", &rate, "-c", "1", "-b", "16"]).arg(to);
    run(sox.args(["norm", "-6", "pad", "0.3", &seconds, "trim", "0", &seconds]));
}
