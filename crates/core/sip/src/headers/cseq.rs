use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Method;
use crate::token::{is_lws, number, trim};

/// Sequence number and method (RFC 3261 §8.1.1.5, §20.16).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CSeq {
    /// Below 2³¹ (RFC 3261 §8.1.1.5).
    pub number: u32,
    /// The request's.
    pub method: Method,
}

impl CSeq {
    /// `None` when it breaks the grammar or the number is 2³¹ or more.
    pub fn parse(text: &str) -> Option<CSeq> {
        let (digits, method) = trim(text).split_once(is_lws)?;
        let number = number(digits).filter(|n| *n < 1 << 31)?;
        Some(CSeq { number, method: Method::parse(trim(method))? })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}
