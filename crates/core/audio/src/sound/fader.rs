/// A gain that never jumps: a new one is reached over one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fader {
    present: f32,
    wanted: f32,
}

impl Default for Fader {
    /// Unity.
    fn default() -> Self {
        Fader { present: 1.0, wanted: 1.0 }
    }
}

impl Fader {
    /// The gain to be, as a factor of the amplitude, 0.0 or more: reached with the end of the next frame.
    pub fn set(&mut self, factor: f32) {
        self.wanted = factor;
    }

    /// The gain to be, at once: where nothing was heard before.
    pub fn jump(&mut self, factor: f32) {
        *self = Fader { present: factor, wanted: factor };
    }

    /// It changes nothing, and will not.
    pub fn is_idle(&self) -> bool {
        self.present == 1.0 && self.wanted == 1.0
    }

    /// Silence comes out, and will.
    pub fn is_silent(&self) -> bool {
        self.present == 0.0 && self.wanted == 0.0
    }

    /// Applies it to one frame, in place.
    pub fn process(&mut self, pcm: &mut [f32]) {
        if self.present == self.wanted {
            if self.present != 1.0 {
                pcm.iter_mut().for_each(|x| *x *= self.present);
            }
            return;
        }
        let step = (self.wanted - self.present) / pcm.len().max(1) as f32;
        for (i, x) in pcm.iter_mut().enumerate() {
            *x *= self.present + step * (i + 1) as f32;
        }
        self.present = self.wanted;
    }
}
