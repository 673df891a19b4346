use std::fmt;

use serde::{Deserialize, Serialize};
use tandem_base::PayloadType;

/// One decision and its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// The m-line it is about, from 0.
    pub line: usize,
    /// The format it is about; `None` for the m-line as a whole.
    pub payload_type: Option<PayloadType>,
    /// Is it part of what was agreed?
    pub accepted: bool,
    /// A sentence. What the peer wrote stands in it only shortened and in printable ASCII.
    pub text: String,
}

/// What was decided and why, a sentence for each m-line and each of its formats that was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// In the order of the m-lines.
    pub remarks: Vec<Remark>,
}

impl Explanation {
    pub(crate) fn line(&mut self, line: usize, accepted: bool, text: impl Into<String>) {
        self.remarks.push(Remark { line, payload_type: None, accepted, text: text.into() });
    }

    pub(crate) fn format(
        &mut self,
        line: usize,
        number: PayloadType,
        accepted: bool,
        text: impl Into<String>,
    ) {
        self.remarks.push(Remark { line, payload_type: Some(number), accepted, text: text.into() });
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, remark) in self.remarks.iter().enumerate() {
            let separator = if n > 0 { "\n" } else { "" };
            write!(f, "{separator}{remark}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.accepted { '+' } else { '-' };
        write!(f, "{sign} m-line {}", self.line + 1)?;
        if let Some(number) = self.payload_type {
            write!(f, ", format {number}")?;
        }
        write!(f, ": {}", self.text)
    }
}

/// What the peer wrote, fit for logs and headers: printable ASCII without quotes and backslashes, shortened.
pub(crate) fn quotable(text: &str) -> String {
    text.chars().filter(|c| (' '..='~').contains(c) && !matches!(c, '"' | '\\')).take(40).collect()
}
