/// A source of random bytes: the operating system's in the program, a seeded one in tests.
///
/// Tags, Call-IDs, branches and SSRCs are drawn from it (RFC 3261 §19.3, RFC 3550 §5.1), so the program's
/// source must be cryptographically strong.
pub trait Entropy {
    /// Fills `buffer` with random bytes.
    fn fill(&mut self, buffer: &mut [u8]);

    /// A random 64-bit number.
    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A random 32-bit number.
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }
}

impl<E: Entropy + ?Sized> Entropy for &mut E {
    fn fill(&mut self, buffer: &mut [u8]) {
        (**self).fill(buffer);
    }
}
