use std::collections::BTreeMap;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tandem_base::{Entropy, Time};

use super::algorithm::{from_hex, hex};

/// Nonces that a server gives out and knows again without having kept them: the time, a random number, and a
/// message authentication code over both. Only those that were used with success take memory.
pub(super) struct Nonces {
    key: [u8; 64],
    lifetime: Duration,
    capacity: usize,
    used: BTreeMap<Name, Uses>,
    /// What is not later is taken for stale: some of it may have been used and forgotten.
    forgotten: Option<Name>,
}

/// What tells a nonce from others: when it was made, and a random number.
type Name = (Time, u64);

/// Counts that were used: the highest, and which of the 64 up to it.
#[derive(Clone, Copy, Debug, Default)]
struct Uses {
    highest: u32,
    window: u64,
}

impl Nonces {
    pub fn new(lifetime: Duration, capacity: usize, entropy: &mut (impl Entropy + ?Sized)) -> Self {
        let mut key = [0; 64];
        entropy.fill(&mut key);
        Nonces { key, lifetime, capacity: capacity.max(1), used: BTreeMap::new(), forgotten: None }
    }

    /// 64 hexadecimal digits.
    pub fn issue(&self, now: Time, entropy: &mut (impl Entropy + ?Sized)) -> String {
        let mut name = [0; 16];
        for (to, from) in name.iter_mut().zip(now.as_nanos().to_be_bytes().into_iter().chain([0; 8])) {
            *to = from;
        }
        if let Some(random) = name.get_mut(8..) {
            entropy.fill(random);
        }
        let tag = self.mac(&name).finalize().into_bytes();
        hex(&name) + &hex(tag.get(..16).unwrap_or_default())
    }

    /// Uses a count of a nonce up. False when the nonce is not ours or too old, or the count was used before or may
    /// have been.
    pub fn use_up(&mut self, nonce: &str, count: u32, now: Time) -> bool {
        self.forget_expired(now);
        let Some(name) = self.read(nonce).filter(|(made, _)| now.since(*made) <= self.lifetime) else {
            return false;
        };
        let is_known = self.used.contains_key(&name);
        if !is_known && self.forgotten.is_some_and(|forgotten| name <= forgotten) {
            return false;
        }
        let fits = self.used.entry(name).or_default().use_up(count);
        if self.used.len() > self.capacity {
            self.forgotten = self.used.pop_first().map(|(name, _)| name).max(self.forgotten);
        }
        fits
    }

    fn forget_expired(&mut self, now: Time) {
        while let Some(first) = self.used.first_entry()
            && now.since(first.key().0) > self.lifetime
        {
            first.remove();
        }
    }

    fn read(&self, nonce: &str) -> Option<Name> {
        let mut bytes = [0; 32];
        from_hex(nonce, &mut bytes)?;
        let (name, tag) = bytes.split_at_checked(16)?;
        // In constant time.
        self.mac(name).verify_truncated_left(tag).ok()?;
        let (time, random) = name.split_at_checked(8)?;
        let time = Time::from_nanos(u64::from_be_bytes(time.try_into().ok()?));
        Some((time, u64::from_be_bytes(random.try_into().ok()?)))
    }

    fn mac(&self, name: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new(&self.key.into());
        mac.update(name);
        mac
    }
}

impl Uses {
    /// RFC 7616 §3.4: each count once. A request may overtake another, so those before the highest count too.
    fn use_up(&mut self, count: u32) -> bool {
        if count == 0 {
            return false;
        }
        let ahead = count.saturating_sub(self.highest);
        if ahead > 0 {
            self.window = self.window.checked_shl(ahead).unwrap_or(0) | 1;
            self.highest = count;
            return true;
        }
        let bit = 1u64.checked_shl(self.highest - count).unwrap_or(0);
        let fits = bit != 0 && self.window & bit == 0;
        self.window |= bit;
        fits
    }
}

impl std::fmt::Debug for Nonces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nonces").field("used", &self.used.len()).finish_non_exhaustive()
    }
}
