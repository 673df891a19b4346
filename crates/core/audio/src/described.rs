/// Most reflection coefficients that are used; a payload may hold more.
const ORDER: usize = 12;

/// Noise as a silent sender describes it (RFC 3389): a level, and the shape of its spectrum.
#[derive(Clone, Debug)]
pub struct DescribedNoise {
    /// Standard deviation of what drives the filter.
    drive: f32,
    reflection: [f32; ORDER],
    order: usize,
    /// State of the lattice.
    backward: [f32; ORDER + 1],
    random: u32,
}

impl Default for DescribedNoise {
    /// Silence.
    fn default() -> Self {
        let random = 0x9e37_79b9;
        DescribedNoise { drive: 0.0, reflection: [0.0; ORDER], order: 0, backward: [0.0; ORDER + 1], random }
    }
}

impl DescribedNoise {
    /// Takes over what a payload says (RFC 3389 §3): level in −dBov in the low seven bits of the first octet, then
    /// quantised reflection coefficients. An empty payload changes nothing.
    pub fn describe(&mut self, payload: &[u8]) {
        let Some((level, coefficients)) = payload.split_first() else { return };
        self.order = coefficients.len().min(ORDER);
        let mut power = 10f32.powf(f32::from(level & 0x7f) / -10.0);
        for (k, index) in self.reflection.iter_mut().zip(coefficients) {
            *k = (f32::from(*index) - 127.0) * 258.0 / 32_768.0;
            *k = k.clamp(-0.98, 0.98);
            // An all-pole lattice amplifies by as much.
            power *= 1.0 - *k * *k;
        }
        self.drive = power.sqrt();
    }

    /// The next samples.
    pub fn fill(&mut self, out: &mut [f32]) {
        for x in out {
            let mut forward = self.noise() * self.drive;
            for i in (0..self.order).rev() {
                let k = self.reflection[i];
                forward -= k * self.backward[i];
                self.backward[i + 1] = self.backward[i] + k * forward;
            }
            self.backward[0] = forward;
            *x = forward;
        }
    }

    /// White noise of power 1: near enough to normal.
    fn noise(&mut self) -> f32 {
        let mut sum = 0.0;
        for _ in 0..3 {
            self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            sum += (self.random >> 8) as f32 / 8_388_608.0 - 1.0;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::mean_square;

    fn second(payload: &[u8]) -> Vec<f32> {
        let mut noise = DescribedNoise::default();
        noise.describe(payload);
        let mut pcm = vec![0.0; 8_000];
        noise.fill(&mut pcm);
        pcm
    }

    #[test]
    fn noise_has_the_level_that_is_said_whatever_its_shape() {
        for level in [20, 45, 60, 78] {
            for shape in [&[][..], &[127], &[200, 90], &[40, 180, 110, 140, 127, 120, 130, 135, 100, 127]] {
                let payload: Vec<u8> = [&[level][..], shape].concat();
                let found = -10.0 * mean_square(&second(&payload)).log10();
                assert!((found - f32::from(level)).abs() < 1.5, "{level} {shape:?}: {found}");
            }
        }
    }

    #[test]
    fn its_spectrum_is_that_of_the_coefficients() {
        // One coefficient of −0.9 makes a low pass: neighbours are alike.
        let likeness = |pcm: &[f32]| {
            let product: f32 = pcm.windows(2).map(|w| w[0] * w[1]).sum();
            product / pcm.iter().map(|x| x * x).sum::<f32>()
        };
        assert!((likeness(&second(&[40, 13])) - 0.9).abs() < 0.05);
        assert!(likeness(&second(&[40])).abs() < 0.05);
        assert!((likeness(&second(&[40, 241])) + 0.9).abs() < 0.05);
    }

    #[test]
    fn any_payload_is_borne() {
        assert!(second(&[]).iter().all(|x| *x == 0.0));
        for octet in [0, 1, 127, 254, 255] {
            let pcm = second(&[&[30][..], &[octet; 300]].concat());
            assert!(pcm.iter().all(|x| x.is_finite() && x.abs() < 10.0), "{octet}");
        }
    }
}
