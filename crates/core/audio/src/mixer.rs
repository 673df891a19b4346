use crate::{Fader, Limiter};

/// Sums the frames of one tick once; each listener gets the sum, less its own frame.
///
/// Every tick: [`clear`](Mixer::clear), [`add`](Mixer::add) per contributor, then per listener
/// [`render`](Mixer::render). All frames have the mixer's length and rate.
#[derive(Clone, Debug)]
pub struct Mixer {
    total: Vec<f32>,
    contributors: usize,
}

impl Mixer {
    /// For frames of `frame` samples (20 ms: 160, 320 or 960).
    pub fn new(frame: usize) -> Self {
        Mixer { total: vec![0.0; frame], contributors: 0 }
    }

    /// Samples of one frame.
    pub fn frame_len(&self) -> usize {
        self.total.len()
    }

    /// Begins a tick: silence.
    pub fn clear(&mut self) {
        self.total.fill(0.0);
        self.contributors = 0;
    }

    /// Adds a contributor's frame. Samples beyond the frame are ignored, missing ones are silence.
    pub fn add(&mut self, pcm: &[f32]) {
        self.add_background(pcm);
        self.contributors += 1;
    }

    /// Adds what comes from nobody.
    pub fn add_background(&mut self, pcm: &[f32]) {
        for (sum, x) in self.total.iter_mut().zip(pcm) {
            *sum += x;
        }
    }

    /// Adds what `contributors` made together elsewhere; where they are none, it may still be noise.
    pub fn add_sum(&mut self, pcm: &[f32], contributors: usize) {
        for (sum, x) in self.total.iter_mut().zip(pcm) {
            *sum += x;
        }
        self.contributors += contributors;
    }

    /// How many were added since [`clear`](Mixer::clear).
    pub fn contributors(&self) -> usize {
        self.contributors
    }

    /// The sum of all, unlimited: may exceed full scale.
    pub fn total(&self) -> &[f32] {
        &self.total
    }

    /// The sum less `own`, unlimited. `own` must be the very frame that was added.
    pub fn mix_minus(&self, own: &[f32], out: &mut [f32]) {
        for ((out, sum), own) in out.iter_mut().zip(&self.total).zip(own) {
            *out = sum - own;
        }
    }

    /// What a listener hears: the sum, less `own` where it contributed, within full scale.
    ///
    /// `limiter` belongs to this output (or to the rendition that shares it).
    pub fn render(&self, own: Option<&[f32]>, limiter: &mut Limiter, out: &mut [f32]) {
        self.render_at(&mut Fader::default(), own, limiter, out);
    }

    /// The same at a volume of the listener's own.
    pub fn render_at(&self, volume: &mut Fader, own: Option<&[f32]>, limiter: &mut Limiter, out: &mut [f32]) {
        match own {
            Some(own) => self.mix_minus(own, out),
            None => {
                for (out, sum) in out.iter_mut().zip(&self.total) {
                    *out = *sum;
                }
            }
        }
        if !volume.is_idle() {
            volume.process(out);
        }
        limiter.process(out);
    }
}
