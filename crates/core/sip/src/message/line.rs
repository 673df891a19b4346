use bytes::Bytes;

use super::Problem;
use crate::headers::unfold;
use crate::limits::{MAX_HEADER_LINE, MAX_HEADERS};
use crate::token::{is_lws, trim_bytes};
use crate::{Header, HeaderName};

/// Where the header section ends: the octet behind the empty line, found from `from` on.
pub(crate) fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    memchr::memmem::find(rest, b"\r\n\r\n").map(|i| from + i + 4)
}

/// Splits a header section into its lines. The datagram's and the stream's reader share it, so that both see the
/// same Content-Length.
pub(crate) struct HeadLines<'a> {
    whole: &'a Bytes,
    rest: &'a [u8],
    seen: usize,
}

impl<'a> HeadLines<'a> {
    /// `head` reaches up to the empty line at least. Gives the start line and the header lines.
    pub(crate) fn new(head: &'a Bytes) -> Option<(&'a [u8], Self)> {
        let (start, rest) = split_line(head)?;
        Some((start, HeadLines { whole: head, rest, seen: 0 }))
    }

    /// The next header, folded lines joined (RFC 3261 §7.3.1); `None` at the empty line.
    pub(crate) fn next(&mut self) -> Result<Option<Header>, Problem> {
        let (first, mut rest) = split_line(self.rest).ok_or(Problem::Truncated)?;
        if first.is_empty() {
            return Ok(None);
        }
        self.seen += 1;
        if self.seen > MAX_HEADERS {
            return Err(Problem::TooManyHeaders);
        }
        let mut folds = Vec::new();
        while let [b' ' | b'\t', ..] = rest {
            let (fold, behind) = split_line(rest).ok_or(Problem::Truncated)?;
            folds.push(fold);
            rest = behind;
        }
        let length = self.rest.len() - rest.len();
        self.rest = rest;
        if length > MAX_HEADER_LINE {
            return Err(Problem::HeaderTooLong);
        }
        self.read(first, &folds).ok_or(Problem::HeaderLine).map(Some)
    }

    fn read(&self, first: &[u8], folds: &[&[u8]]) -> Option<Header> {
        let colon = memchr::memchr(b':', first)?;
        let (name, value) = (first.get(..colon)?, first.get(colon + 1..)?);
        // RFC 3261 §25.1 HCOLON: white space may stand before the colon, but no name begins with it.
        let name = std::str::from_utf8(name).ok()?.trim_end_matches(is_lws);
        let name = HeaderName::parse(name)?;
        let lone_break = |line: &&[u8]| memchr::memchr2(b'\r', b'\n', line).is_some();
        if lone_break(&value) || folds.iter().any(lone_break) {
            return None;
        }
        let value = if folds.is_empty() {
            self.whole.slice_ref(trim_bytes(value))
        } else {
            unfold(std::iter::once(value).chain(folds.iter().copied()))
        };
        Some(Header::of_line(name, value))
    }
}

/// One line up to CRLF and what stands behind it.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut ends = memchr::memchr_iter(b'\r', bytes);
    let end = ends.find(|end| bytes.get(end + 1) == Some(&b'\n'))?;
    Some((bytes.get(..end)?, bytes.get(end + 2..)?))
}
