use bytes::Bytes;
use tandem_sip::Message;

use crate::{Outcome, Parsed};

/// What became of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// The final answers.
    pub answers: Vec<Bytes>,
    /// How many requests the application got.
    pub asked: usize,
    /// The connection was closed.
    pub closed: bool,
}

impl Observed {
    /// In the terms of the table.
    pub fn outcome(&self) -> Outcome {
        let statuses: Vec<u16> = self.answers.iter().map(|answer| status(answer)).collect();
        match (statuses[..].first().copied(), self.closed) {
            (None, false) => Outcome::Dropped,
            (None, true) => Outcome::Severed,
            (Some(status), true) => Outcome::Closed(status),
            (Some(status), false) if statuses.len() == 1 && self.asked == 0 => Outcome::Answered(status),
            (Some(_), false) => Outcome::Served(statuses.into()),
        }
    }
}

/// The status of an answer, also of one that is no whole response: what the request lacks, the answer lacks.
///
/// # Panics
/// It is no response.
pub fn status(answer: &[u8]) -> u16 {
    let line = answer.strip_prefix(b"SIP/2.0 ").and_then(|rest| rest.get(..3));
    let status =
        line.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| digits.parse().ok());
    status.unwrap_or_else(|| panic!("no response: {}", String::from_utf8_lossy(answer)))
}

/// What the parser says.
pub fn parsed(octets: &[u8]) -> Parsed {
    match Message::parse(Bytes::copy_from_slice(octets)) {
        Ok(Message::Request(_)) => Parsed::Request,
        Ok(Message::Response(_)) => Parsed::Response,
        Err(error) => match error.response(([192, 0, 2, 9], 5060).into(), "tag") {
            Some(answer) => Parsed::Refused(answer.status.get()),
            None => Parsed::Unreadable,
        },
    }
}
