//! How loud a frame is.

/// The quietest level that is told apart, dBFS.
pub const FLOOR_DBFS: f32 = -120.0;

/// Mean of the squares; 0.5 for a full-scale sine.
pub fn mean_square(pcm: &[f32]) -> f32 {
    if pcm.is_empty() {
        return 0.0;
    }
    let (chunks, rest) = pcm.as_chunks::<8>();
    let mut lanes = [0.0f32; 8];
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += x * x;
        }
    }
    let sum = lanes.iter().sum::<f32>() + rest.iter().map(|x| x * x).sum::<f32>();
    sum / pcm.len() as f32
}

/// Largest magnitude.
pub fn peak(pcm: &[f32]) -> f32 {
    let (chunks, rest) = pcm.as_chunks::<8>();
    let mut lanes = [0.0f32; 8];
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane = lane.max(x.abs());
        }
    }
    lanes.iter().chain(rest).fold(0.0, |m, x| m.max(x.abs()))
}

/// RMS level, dBFS: 0 is a full-scale sine, [`FLOOR_DBFS`] is silence.
pub fn rms_dbfs(pcm: &[f32]) -> f32 {
    dbfs_of(mean_square(pcm))
}

/// A mean square in dBFS (0: a full-scale sine).
pub fn dbfs_of(mean_square: f32) -> f32 {
    (10.0 * (mean_square * 2.0).log10()).max(FLOOR_DBFS)
}

/// The level for the RTP header extension, −dBov: 0 is the overload point, 127 is silence (RFC 6464 §3).
///
/// The overload point is a full-scale square wave, so that a full-scale sine is 3 (RFC 6464 §3, RFC 6465 §3).
pub fn dbov(pcm: &[f32]) -> u8 {
    let below = -10.0 * mean_square(pcm).log10();
    // A float cast saturates; infinity (silence) becomes 127.
    below.clamp(0.0, 127.0).round() as u8
}
