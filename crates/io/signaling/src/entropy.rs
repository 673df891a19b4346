use tandem_base::Entropy;

const BUFFER: usize = 1_024;

/// The operating system's random source, fetched a kilobyte at a time.
#[derive(Debug)]
pub struct OsEntropy {
    fresh: [u8; BUFFER],
    used: usize,
}

impl OsEntropy {
    /// With the first kilobyte.
    ///
    /// # Errors
    /// The operating system has no randomness to give.
    pub fn new() -> std::io::Result<Self> {
        let mut fresh = [0; BUFFER];
        getrandom::fill(&mut fresh).map_err(std::io::Error::from)?;
        Ok(OsEntropy { fresh, used: 0 })
    }

    fn next_byte(&mut self) -> u8 {
        if self.used >= BUFFER {
            // It gave before, so it gives again (getrandom(2) cannot fail once the pool is initialised). Should it
            // not, guessable tags would be worse than no service.
            if getrandom::fill(&mut self.fresh).is_err() {
                std::process::abort();
            }
            self.used = 0;
        }
        let byte = self.fresh.get_mut(self.used).map_or(0, std::mem::take);
        self.used += 1;
        byte
    }
}

impl Entropy for OsEntropy {
    fn fill(&mut self, buffer: &mut [u8]) {
        buffer.fill_with(|| self.next_byte());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_comes_twice() {
        let mut entropy = OsEntropy::new().unwrap();
        let mut seen: Vec<u64> = (0..1_000).map(|_| entropy.next_u64()).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 1_000);
    }
}
