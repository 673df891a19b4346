use tandem_base::Entropy;

use crate::sys::wall_nanos;

/// The operating system's random bytes.
#[derive(Clone, Copy, Debug)]
pub struct System;

impl Entropy for System {
    fn fill(&mut self, buffer: &mut [u8]) {
        if getrandom::fill(buffer).is_err() {
            // A kernel without random bytes still gets calls: they differ, though they can be guessed.
            Spread::new(wall_nanos()).fill(buffer);
        }
    }
}

/// A cheap source (SplitMix64) for what needs no secrecy: spreading reports over time without a system call.
#[derive(Clone, Debug)]
pub struct Spread(u64);

impl Spread {
    /// Equal seeds give equal sequences.
    pub fn new(seed: u64) -> Self {
        Spread(seed)
    }

    fn step(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Entropy for Spread {
    fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            for (to, from) in chunk.iter_mut().zip(self.step().to_le_bytes()) {
                *to = from;
            }
        }
    }
}
