use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use crate::Score;

/// What a cell scored when the table was written, and what it must not fall below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// When the table was written.
    pub score: Score,
    /// Share of sound that was made up then, 0.0 to 1.0.
    pub made_up: f64,
    /// Least PESQ.
    pub least_pesq: f64,
    /// Least STOI.
    pub least_stoi: f64,
}

impl Row {
    /// What was measured just now with each voice, and bounds a little below.
    pub fn measured(voices: &[(Score, f64)]) -> Self {
        let mean = |of: fn(&(Score, f64)) -> f64| voices.iter().map(of).sum::<f64>() / voices.len() as f64;
        let score =
            Score { pesq: mean(|v| v.0.pesq), stoi: mean(|v| v.0.stoi), delay_ms: mean(|v| v.0.delay_ms) };
        let made_up = mean(|v| v.1);
        Row { score, made_up, least_pesq: score.pesq - 0.1, least_stoi: score.stoi - 0.02 }
    }

    fn parse(cells: &[&str]) -> Option<Self> {
        let number = |n: usize| cells.get(n)?.parse::<f64>().ok();
        let score = Score { pesq: number(1)?, stoi: number(2)?, delay_ms: number(3)? };
        let made_up = number(4)? / 100.0;
        Some(Row { score, made_up, least_pesq: number(5)?, least_stoi: number(6)? })
    }
}

/// The snapshot under `tests/quality`: cells by name.
#[derive(Debug, Default)]
pub struct Table(pub Vec<(String, Row)>);

const HEAD: &str = "\
# How speech sounds after networks of all kinds

Written by `scripts/quality --update`, read by the test `matrix`, which fails where a figure falls below its bound.
Eight seconds each of two synthetic voices in packets of 20 ms go through encoder, network, jitter buffer, playout and resampler
as the media threads run them. Jitter is uniform from zero to the figure, and packets overtake each other. Loss: the
share of packets, and the chance that the next one is lost after one was. PESQ is that of P.862 for PCMU, of P.862.2
for the others; the delay includes 20 ms of packets and 20 ms of path.

| cell | PESQ | STOI | delay, ms | made up, % | least PESQ | least STOI |
|---|---|---|---|---|---|---|
";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("TABLE.md")
}

impl Table {
    /// As it is in the repository.
    pub fn read() -> Self {
        let text = fs::read_to_string(path()).unwrap_or_default();
        let rows = text.lines().filter_map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            Some((cells.first()?.to_string(), Row::parse(&cells)?))
        });
        Table(rows.collect())
    }

    /// The row of a cell.
    pub fn row(&self, name: &str) -> Option<Row> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, row)| *row)
    }

    /// Puts it there.
    pub fn write(&self) {
        let mut text = HEAD.to_owned();
        for (name, row) in &self.0 {
            let Row { score, made_up, least_pesq, least_stoi } = row;
            let Score { pesq, stoi, delay_ms } = score;
            let made_up = made_up * 100.0;
            let _ = writeln!(
                text,
                "| {name} | {pesq:.2} | {stoi:.3} | {delay_ms:.0} | {made_up:.1} | {least_pesq:.2} | {least_stoi:.3} |"
            );
        }
        fs::write(path(), text).expect("the table can be written");
    }
}
