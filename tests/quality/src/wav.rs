//! WAV files: 16 bits, mono.

use std::path::Path;
use std::{fs, io};

/// Reads the samples of what [`write`] or sox wrote: everything behind the header of `data`.
pub fn read(path: &Path) -> io::Result<Vec<f32>> {
    let bytes = fs::read(path)?;
    let data = bytes.windows(4).position(|w| w == b"data").map_or(bytes.len(), |at| at + 8);
    let samples = bytes.get(data..).unwrap_or_default().as_chunks::<2>().0;
    Ok(samples.iter().map(|b| f32::from(i16::from_le_bytes(*b)) / 32_768.0).collect())
}

/// Writes samples at `rate` Hz.
pub fn write(path: &Path, rate: u32, pcm: &[f32]) -> io::Result<()> {
    let octets = u32::try_from(pcm.len() * 2).map_err(io::Error::other)?;
    let mut out = Vec::with_capacity(44 + pcm.len() * 2);
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&(36 + octets).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    out.extend_from_slice(&16u32.to_le_bytes());
    out.extend_from_slice(&1u16.to_le_bytes());
    out.extend_from_slice(&1u16.to_le_bytes());
    out.extend_from_slice(&rate.to_le_bytes());
    out.extend_from_slice(&(rate * 2).to_le_bytes());
    out.extend_from_slice(&2u16.to_le_bytes());
    out.extend_from_slice(&16u16.to_le_bytes());
    out.extend_from_slice(b"data");
    out.extend_from_slice(&octets.to_le_bytes());
    for x in pcm {
        out.extend_from_slice(&((x * 32_767.0).round() as i16).to_le_bytes());
    }
    fs::write(path, out)
}
