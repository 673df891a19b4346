use std::time::Duration;

use tandem_base::{AudioFormat, ClockRate};
use tandem_testkit::{Conditions, Network};

use crate::{Line, Talker, Task, opus};

/// One codec over one kind of network.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// What the peer speaks.
    pub format: AudioFormat,
    /// How much longer than the shortest some packets take, ms; they overtake each other.
    pub jitter_ms: u64,
    /// Packets lost, percent.
    pub loss: u32,
    /// Once one is lost, the chance that the next is lost too, percent.
    pub burst: u32,
}

/// Voices that speak in each cell.
pub const VOICES: usize = 2;

type Axes = (&'static [u64], &'static [(u32, u32)]);
const SMALL: Axes = (&[0, 30, 90], &[(0, 0), (5, 0), (5, 50)]);
const FULL: Axes = (&[0, 10, 30, 90, 150], &[(0, 0), (1, 0), (5, 0), (15, 0), (5, 50), (10, 70)]);

/// The cells of the matrix: those that are always looked at, or `full`y all.
pub fn cells(full: bool) -> Vec<Cell> {
    let (jitters, losses) = if full { FULL } else { SMALL };
    let mut cells = Vec::new();
    for format in [AudioFormat::Pcmu, AudioFormat::G722, opus()] {
        for &jitter_ms in jitters {
            cells.extend(losses.iter().map(|&(loss, burst)| Cell { format, jitter_ms, loss, burst }));
        }
    }
    cells
}

impl Cell {
    /// Its name in the table.
    pub fn name(&self) -> String {
        let Cell { format, jitter_ms, loss, burst, .. } = self;
        format!("{format}, jitter {jitter_ms} ms, loss {loss} % / {burst} %")
    }

    /// PCMU is judged in narrow band, the others in wide band.
    pub fn room(&self) -> ClockRate {
        self.format.sample_rate().min(ClockRate::HZ_16000)
    }

    /// Runs a voice through it, which is at the format's rate in `source` and at the room's in `said`; gives what is to
    /// be compared, and the share of the time that was made up.
    pub fn run(&self, voice: usize, source: Vec<f32>, said: Vec<f32>) -> (Task, f64) {
        let conditions = Conditions {
            loss: f64::from(self.loss) / 100.0,
            burst: f64::from(self.burst) / 100.0,
            delay: Duration::from_millis(20),
            jitter: Duration::from_millis(self.jitter_ms),
            reorder: true,
            ..Conditions::default()
        };
        let network = Network::new(conditions, 1 + voice as u64);
        let talker = Talker::new(self.format, 20, source);
        let mut line = Line::new(talker, self.room(), network, Duration::from_millis(7));
        let length = Duration::from_secs_f64(said.len() as f64 / f64::from(self.room().hz()));
        line.run(length + Duration::from_millis(500));
        let made_up = line.report().concealed.as_secs_f64() / length.as_secs_f64();
        (Task { rate: self.room().hz(), said, heard: line.heard.pcm }, made_up)
    }
}
