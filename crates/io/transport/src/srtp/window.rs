use serde::{Deserialize, Serialize};

/// Which of the last 128 packets were seen (RFC 3711 §3.3.2 asks for 64 at least).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    top: u64,
    // Bit n is for `top` − n.
    seen: u128,
}

impl Window {
    /// Just `index` was seen.
    pub const fn new(index: u64) -> Self {
        Window { top: index, seen: 1 }
    }

    /// The highest that was seen.
    pub const fn top(self) -> u64 {
        self.top
    }

    /// Was `index` not seen, so that it may be taken? What lies before the window counts as seen.
    pub fn is_new(self, index: u64) -> bool {
        match self.top.checked_sub(index) {
            None => true,
            Some(behind) => {
                u32::try_from(behind).ok().and_then(|n| self.seen.checked_shr(n)).is_some_and(|s| s & 1 == 0)
            }
        }
    }

    /// Takes `index` down as seen; the packet is authentic.
    pub fn insert(&mut self, index: u64) {
        match index.checked_sub(self.top) {
            Some(ahead) => {
                let shifted = u32::try_from(ahead).ok().and_then(|n| self.seen.checked_shl(n));
                (self.top, self.seen) = (index, shifted.unwrap_or(0) | 1);
            }
            None => {
                let bit = u32::try_from(self.top - index).ok().and_then(|n| 1u128.checked_shl(n));
                self.seen |= bit.unwrap_or(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_left_the_window_counts_as_seen() {
        let mut window = Window::new(1_000);
        assert!(!window.is_new(1_000) && window.is_new(999) && window.is_new(873) && !window.is_new(872));
        window.insert(1_127);
        assert!(!window.is_new(1_000) && window.is_new(1_001));
        window.insert(1_128);
        assert!(!window.is_new(1_000) && window.is_new(1_001) && !window.is_new(0));
        window.insert(u64::MAX);
        assert!(!window.is_new(1_128) && window.is_new(u64::MAX - 127));
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_set(indices in proptest::collection::vec(0u64..600, 1..400)) {
            let mut window = Window::new(indices[0]);
            let mut seen = BTreeSet::from([indices[0]]);
            for index in indices {
                let top = *seen.last().unwrap();
                prop_assert_eq!(window.is_new(index), !seen.contains(&index) && index + 128 > top);
                window.insert(index);
                if index + 128 > top {
                    seen.insert(index);
                }
                prop_assert_eq!(window.top(), *seen.last().unwrap());
            }
        }
    }
}
