use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The UDP ports that media may use, both ends included: `20000-29999`.
///
/// An even port carries RTP, the odd one above it RTCP (RFC 3550 §11), so a range holds at least one such pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    first: u16,
    last: u16,
}

/// Why a text is no port range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PortRangeError {
    /// Not two port numbers with a hyphen between them.
    #[error("a port range is two numbers from 1024 to 65535 with a hyphen between, like 20000-29999")]
    Syntax,
    /// The first port is above the last, or below 1024.
    #[error("a port range starts at 1024 or above and does not end before it starts")]
    Order,
    /// Not a single even port with the odd one above it.
    #[error("a port range holds at least one even port and the odd port above it")]
    NoPair,
}

impl PortRange {
    /// Checks the bounds.
    ///
    /// # Errors
    /// [`PortRangeError::Order`] and [`PortRangeError::NoPair`].
    pub const fn new(first: u16, last: u16) -> Result<Self, PortRangeError> {
        if first < 1024 || first > last {
            return Err(PortRangeError::Order);
        }
        let range = PortRange { first, last };
        if range.pairs() == 0 { Err(PortRangeError::NoPair) } else { Ok(range) }
    }

    /// The first port.
    pub const fn first(self) -> u16 {
        self.first
    }

    /// The last port.
    pub const fn last(self) -> u16 {
        self.last
    }

    /// How many legs fit: pairs of an even port and the odd one above it.
    pub const fn pairs(self) -> u16 {
        let after_last = self.last as u32 + 1;
        let first_even = self.first as u32 + self.first as u32 % 2;
        if after_last <= first_even { 0 } else { ((after_last - first_even) / 2) as u16 }
    }

    /// The even port of pair `index`, 0 to `pairs() - 1`; `None` beyond.
    pub fn pair(self, index: u16) -> Option<u16> {
        if index >= self.pairs() {
            return None;
        }
        self.first.checked_add(self.first % 2)?.checked_add(index.checked_mul(2)?)
    }
}

impl Default for PortRange {
    /// 20000 to 29999.
    fn default() -> Self {
        PortRange { first: 20_000, last: 29_999 }
    }
}

impl FromStr for PortRange {
    type Err = PortRangeError;

    fn from_str(text: &str) -> Result<Self, PortRangeError> {
        let (first, last) = text.split_once('-').ok_or(PortRangeError::Syntax)?;
        let port = |s: &str| s.trim().parse::<u16>().map_err(|_| PortRangeError::Syntax);
        PortRange::new(port(first)?, port(last)?)
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}
