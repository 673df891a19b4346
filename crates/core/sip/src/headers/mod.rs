//! Header fields: an ordered list that loses nothing, and typed views of single fields.

mod cseq;
mod error;
mod name;
mod name_addr;
mod params;
mod typed;
mod via;

#[cfg(test)]
mod tests;

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

pub use cseq::CSeq;
pub use error::{HeaderError, HeaderProblem};
pub use name::HeaderName;
pub use name_addr::NameAddr;
pub use params::{Param, Params};
pub use typed::{MediaType, Reason};
pub use via::{Rport, Transport, Via};

use crate::token::{split_outside, trim_bytes};

/// The header fields of a message in their order, values as they came (folded lines unfolded).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headers(Vec<Header>);

/// One header line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// What it is called.
    pub name: HeaderName,
    /// Everything behind the colon, trimmed; holds neither CR nor LF.
    value: Bytes,
}

impl Header {
    /// A header line. CR and LF within the value become spaces, so that no value can add a line of its own.
    pub fn new(name: HeaderName, value: impl Into<Bytes>) -> Self {
        let value = value.into();
        let is_break = |b: &u8| matches!(b, b'\r' | b'\n');
        let value = if value.iter().any(is_break) {
            value.iter().map(|b| if is_break(b) { b' ' } else { *b }).collect()
        } else {
            value
        };
        let trimmed = trim_bytes(&value);
        let value = value.slice_ref(trimmed);
        Header { name, value }
    }

    /// The same of a value that holds neither CR nor LF and is trimmed.
    pub(crate) const fn of_line(name: HeaderName, value: Bytes) -> Self {
        Header { name, value }
    }

    /// The value as raw bytes.
    pub const fn value(&self) -> &Bytes {
        &self.value
    }

    /// The value as text; `None` when it is no UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.value).ok()
    }
}

impl Headers {
    /// None.
    pub const fn new() -> Self {
        Headers(Vec::new())
    }

    /// None, with room for as many as most messages have.
    pub(crate) fn roomy() -> Self {
        Headers(Vec::with_capacity(20))
    }

    /// Number of header lines.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Is there no line?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All lines in order.
    pub fn iter(&self) -> impl Iterator<Item = &Header> {
        self.0.iter()
    }

    /// Is there a line of this name?
    pub fn has(&self, name: &HeaderName) -> bool {
        self.get(name).is_some()
    }

    /// The first line of this name.
    pub fn get(&self, name: &HeaderName) -> Option<&Bytes> {
        self.get_all(name).next()
    }

    /// The first line of this name as text; `None` also when it is no UTF-8.
    pub fn text(&self, name: &HeaderName) -> Option<&str> {
        std::str::from_utf8(self.get(name)?).ok()
    }

    /// All lines of this name in order.
    pub fn get_all(&self, name: &HeaderName) -> impl Iterator<Item = &Bytes> {
        self.0.iter().filter(move |h| h.name == *name).map(Header::value)
    }

    /// All values of a header whose values may share a line, separated by commas (RFC 3261 §7.3.1).
    ///
    /// # Errors
    /// A line is no UTF-8, or a quote or bracket stays open in it.
    pub fn values(&self, name: &HeaderName) -> Result<Vec<&str>, HeaderError> {
        let mut all = Vec::new();
        for line in self.get_all(name) {
            all.extend(split_values(line).ok_or(HeaderError::malformed(name.clone()))?);
        }
        all.retain(|value| !value.is_empty());
        Ok(all)
    }

    /// Adds a line at the end.
    pub fn push(&mut self, name: HeaderName, value: impl Into<Bytes>) {
        self.0.push(Header::new(name, value));
    }

    pub(crate) fn push_line(&mut self, header: Header) {
        self.0.push(header);
    }

    /// Adds a line before all others, as a Via must stand.
    pub fn push_front(&mut self, name: HeaderName, value: impl Into<Bytes>) {
        self.0.insert(0, Header::new(name, value));
    }

    /// Takes all lines of this name away; true when there were any.
    pub fn remove(&mut self, name: &HeaderName) -> bool {
        let before = self.0.len();
        self.0.retain(|h| h.name != *name);
        self.0.len() != before
    }

    /// Puts a new value into the first line of this name, or adds one at the end; further lines stay.
    pub fn replace_first(&mut self, name: HeaderName, value: impl Into<Bytes>) {
        let new = Header::new(name, value);
        match self.0.iter_mut().find(|h| h.name == new.name) {
            Some(header) => *header = new,
            None => self.0.push(new),
        }
    }

    /// One line of this name in place of all there are.
    pub fn set(&mut self, name: HeaderName, value: impl Into<Bytes>) {
        let at = self.0.iter().position(|h| h.name == name).unwrap_or(self.0.len());
        self.remove(&name);
        self.0.insert(at, Header::new(name, value));
    }

    /// Replaces the topmost value of a header with comma-separated values, or takes it away with `None`.
    /// The other values of its line stay as they are.
    ///
    /// # Errors
    /// The header is missing or its first line cannot be split.
    pub fn replace_top_value(&mut self, name: &HeaderName, value: Option<&str>) -> Result<(), HeaderError> {
        let at = self.0.iter().position(|h| h.name == *name);
        let at = at.ok_or(HeaderError::missing(name.clone()))?;
        let Some(header) = self.0.get_mut(at) else {
            return Err(HeaderError::missing(name.clone()));
        };
        let values = split_values(&header.value).ok_or(HeaderError::malformed(name.clone()))?;
        let kept = value.into_iter().chain(values.into_iter().skip(1)).collect::<Vec<_>>().join(", ");
        if kept.is_empty() {
            self.0.remove(at);
        } else {
            *header = Header::new(name.clone(), kept);
        }
        Ok(())
    }

    /// Stamps the topmost Via with where the request really came from; see [`Via::stamp`].
    ///
    /// # Errors
    /// There is no Via that can be understood.
    pub fn stamp_via(&mut self, source: std::net::SocketAddr) -> Result<(), HeaderError> {
        let mut via = self.via()?;
        via.stamp(source);
        self.replace_top_value(&HeaderName::Via, Some(&via.to_string()))
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>, body_length: usize) {
        let mut length_written = false;
        for header in &self.0 {
            if header.name != HeaderName::ContentLength {
                write_line(out, header.name.as_str(), &header.value);
            } else if !std::mem::replace(&mut length_written, true) {
                write_line(out, "Content-Length", body_length.to_string().as_bytes());
            }
        }
        if !length_written {
            write_line(out, "Content-Length", body_length.to_string().as_bytes());
        }
    }
}

impl FromIterator<Header> for Headers {
    fn from_iter<I: IntoIterator<Item = Header>>(headers: I) -> Self {
        Headers(headers.into_iter().collect())
    }
}

fn write_line(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn split_values(line: &[u8]) -> Option<Vec<&str>> {
    split_outside(std::str::from_utf8(line).ok()?, b',')
}

/// Joins folded lines: each fold becomes one space (RFC 3261 §7.3.1).
pub(crate) fn unfold<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Bytes {
    let mut out = BytesMut::new();
    for line in lines {
        if !out.is_empty() {
            out.put_u8(b' ');
        }
        out.put_slice(trim_bytes(line));
    }
    out.freeze()
}
