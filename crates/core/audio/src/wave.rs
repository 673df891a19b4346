//! Waveform arithmetic that concealment and stretching share: similarity search and cross-fades.

use tandem_base::ClockRate;

/// Samples at 8 kHz that a search looks at: 25 ms and some.
const COARSE: usize = 256;
/// Below this mean square (−53 dBFS) nobody hears where a cut is.
const QUIET: f32 = 2.5e-6;

/// Spans in samples at one rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spans {
    /// Shortest and longest pitch period: 2.5 and 15 ms (400 and 67 Hz).
    pub(crate) shortest: usize,
    pub(crate) longest: usize,
    /// What is compared to find a period, and what is blended: 8 ms.
    pub(crate) window: usize,
    /// Sound kept behind the playing point: enough to find a period in.
    pub(crate) history: usize,
    decimation: usize,
}

impl Spans {
    pub(crate) fn new(rate: ClockRate) -> Self {
        let per_ms = usize::try_from(rate.hz() / 1_000).unwrap_or(8).max(1);
        Spans {
            shortest: per_ms * 5 / 2,
            longest: per_ms * 15,
            window: per_ms * 8,
            history: per_ms * 24,
            decimation: (per_ms / 8).max(1),
        }
    }
}

/// Where in `candidates` the `reference` fits best, and how well.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Match {
    pub(crate) offset: usize,
    /// Normalised correlation, −1.0 to 1.0; 0.0 where there is no sound.
    pub(crate) similarity: f32,
}

pub(crate) fn is_quiet(pcm: &[f32]) -> bool {
    crate::level::mean_square(pcm) < QUIET
}

/// Sum of products, in lanes that the compiler makes vectors of.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    let mut lanes = [0.0f32; 8];
    for (x, y) in a8.iter().zip(b8) {
        for (lane, (x, y)) in lanes.iter_mut().zip(x.iter().zip(y)) {
            *lane += x * y;
        }
    }
    lanes.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum::<f32>()
}

/// Searches coarsely at 8 kHz, then finely around the best place.
pub(crate) fn search(reference: &[f32], candidates: &[f32], spans: Spans) -> Match {
    let last = candidates.len().saturating_sub(reference.len());
    let by = spans.decimation;
    if by == 1 {
        return best_of(reference, candidates, 0, last);
    }
    let (mut coarse_reference, mut coarse) = ([0.0; COARSE], [0.0; COARSE]);
    let reference_len = decimate(reference, by, &mut coarse_reference);
    let len = decimate(candidates, by, &mut coarse);
    let coarse_last = len.saturating_sub(reference_len);
    let found = best_of(&coarse_reference[..reference_len], &coarse[..len], 0, coarse_last);
    let about = found.offset * by;
    best_of(reference, candidates, about.saturating_sub(by).min(last), (about + by).min(last))
}

fn decimate(pcm: &[f32], by: usize, out: &mut [f32; COARSE]) -> usize {
    let mut n = 0;
    for (out, block) in out.iter_mut().zip(pcm.chunks_exact(by)) {
        *out = block.iter().sum();
        n += 1;
    }
    n
}

/// The best offset of `first..=last`, by the normalised correlation.
fn best_of(reference: &[f32], candidates: &[f32], first: usize, last: usize) -> Match {
    let n = reference.len();
    let reference_energy = dot(reference, reference);
    let mut best = Match { offset: first, similarity: f32::MIN };
    for offset in first..=last {
        let Some(candidate) = candidates.get(offset..offset + n) else { break };
        let energy = dot(candidate, candidate) * reference_energy;
        let similarity = if energy > 1e-18 { dot(reference, candidate) / energy.sqrt() } else { 0.0 };
        if similarity > best.similarity {
            best = Match { offset, similarity };
        }
    }
    best.similarity = best.similarity.clamp(-1.0, 1.0);
    best
}

/// How much of the later wave there is `i` samples into a cross-fade of `n`, and the gain that keeps the
/// power even where the two waves are alike by `similarity`.
pub(crate) fn weights(i: usize, n: usize, similarity: f32) -> (f32, f32) {
    let w = (i + 1) as f32 / (n + 1) as f32;
    let v = 1.0 - w;
    let gain = 1.0 / (w * w + v * v + 2.0 * w * v * similarity.clamp(0.0, 1.0)).sqrt();
    (v * gain, w * gain)
}

/// Fades `later` in over what `earlier` goes on with; `later` holds the result.
pub(crate) fn crossfade(earlier: &[f32], later: &mut [f32], similarity: f32) {
    let n = earlier.len().min(later.len());
    for (i, (x, y)) in earlier.iter().zip(later.iter_mut()).enumerate() {
        let (v, w) = weights(i, n, similarity);
        *y = x * v + *y * w;
    }
}
