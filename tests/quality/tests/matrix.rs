//! Jitter, loss and codec: each cell at least as good as the table says.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

use tandem_quality::{Cell, Row, Score, Table, Task, VOICES, cells, score, speech};

/// Speech at one rate, by voice.
struct Speech(u32, Vec<Vec<f32>>);

fn speak() -> Vec<Speech> {
    let at = |rate| Speech(rate, (0..VOICES).map(|voice| speech(voice, rate)).collect());
    [8_000, 16_000, 48_000].map(at).into()
}

fn run(cell: &Cell, speech: &[Speech]) -> Vec<(Task, f64)> {
    let of = |rate: u32, voice: usize| speech.iter().find(|s| s.0 == rate).unwrap().1[voice].clone();
    let (rate, room) = (cell.format.sample_rate().hz(), cell.room().hz());
    (0..VOICES).map(|voice| cell.run(voice, of(rate, voice), of(room, voice))).collect()
}

fn measure(cells: &[Cell]) -> Vec<Row> {
    let speech = speak();
    let (first, second) = cells.split_at(cells.len() / 2);
    let runs = std::thread::scope(|scope| {
        let first = scope.spawn(|| first.iter().flat_map(|c| run(c, &speech)).collect::<Vec<_>>());
        let second: Vec<_> = second.iter().flat_map(|c| run(c, &speech)).collect();
        let mut all = first.join().unwrap();
        all.extend(second);
        all
    });
    let (tasks, made_up): (Vec<Task>, Vec<f64>) = runs.into_iter().unzip();
    let voices: Vec<(Score, f64)> = score(&tasks).into_iter().zip(made_up).collect();
    voices.chunks(VOICES).map(Row::measured).collect()
}

/// `TANDEM_QUALITY=full` looks at all cells, `update` writes the table anew.
#[test]
fn speech_sounds_as_good_as_it_did() {
    let wish = std::env::var("TANDEM_QUALITY").unwrap_or_default();
    let update = wish == "update";
    let cells = cells(update || wish == "full");
    let rows = cells.iter().map(Cell::name).zip(measure(&cells));
    if update {
        return Table(rows.collect()).write();
    }
    let table = Table::read();
    let mut worse = Vec::new();
    for (name, now) in rows {
        let before = table.row(&name);
        let before = before.unwrap_or_else(|| panic!("{name} is not in the table: scripts/quality --update"));
        if now.score.pesq < before.least_pesq || now.score.stoi < before.least_stoi {
            worse.push(format!("{name}: {:?}, was {:?}", now.score, before.score));
        }
    }
    assert!(worse.is_empty(), "{} of {} are worse:\n{}", worse.len(), cells.len(), worse.join("\n"));
}
