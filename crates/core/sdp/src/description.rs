use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// A session description of ours, as `application/sdp`.
///
/// `Debug` leaves out the keys of its `a=crypto` and `a=ice-pwd` lines, so that it may be logged; `Display` gives all of it. Dropped, it
/// is wiped from memory.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description(String);

impl From<String> for Description {
    fn from(text: String) -> Self {
        Description(text)
    }
}

impl From<Description> for String {
    fn from(mut description: Description) -> Self {
        std::mem::take(&mut description.0)
    }
}

impl Drop for Description {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Deref for Description {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Description {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<String> for Description {
    fn eq(&self, other: &String) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<&str> = self
            .0
            .lines()
            .map(|line| line.split_once("inline:").map_or(line, |(before, _)| before))
            .map(|line| if line.starts_with("a=ice-pwd:") { "a=ice-pwd:" } else { line })
            .collect();
        lines.fmt(f)
    }
}
