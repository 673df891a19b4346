use std::fs;
use std::path::Path;

use crate::Recording;

/// Reads 16-bit mono PCM; a header that was never finished (its writer was killed) reaches to the file's end.
pub fn read(path: &Path) -> Option<Recording> {
    let bytes = fs::read(path).ok()?;
    if bytes.get(..4)? != b"RIFF" || bytes.get(8..12)? != b"WAVE" {
        return None;
    }
    let mut rest = bytes.get(12..)?;
    let mut rate = None;
    loop {
        let size = u32::from_le_bytes(rest.get(4..8)?.try_into().ok()?) as usize;
        let content = rest.get(8..)?;
        match rest.get(..4)? {
            b"fmt " => {
                assert_eq!(content.get(2..4)?, [1, 0], "{}: one channel", path.display());
                assert_eq!(content.get(14..16)?, [16, 0], "{}: 16 bits", path.display());
                rate = Some(u32::from_le_bytes(content.get(4..8)?.try_into().ok()?));
            }
            b"data" => {
                let content = if size == 0 { content } else { content.get(..size).unwrap_or(content) };
                let samples = content.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
                return Some(Recording { rate: rate?, samples });
            }
            _ => {}
        }
        rest = content.get(size + size % 2..)?;
    }
}

/// The file of a recording.
pub fn file(recording: &Recording) -> Vec<u8> {
    let data: Vec<u8> = recording.samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    let length = u32::try_from(data.len()).unwrap();
    let mut out = Vec::with_capacity(data.len() + 44);
    out.extend(b"RIFF");
    out.extend((36 + length).to_le_bytes());
    out.extend(b"WAVEfmt ");
    out.extend(16u32.to_le_bytes());
    out.extend([1, 0, 1, 0]);
    out.extend(recording.rate.to_le_bytes());
    out.extend((recording.rate * 2).to_le_bytes());
    out.extend([2, 0, 16, 0]);
    out.extend(b"data");
    out.extend(length.to_le_bytes());
    out.extend(data);
    out
}
