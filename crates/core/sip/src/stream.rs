//! Cutting a byte stream into messages (RFC 3261 §7.5, §18.3).

use bytes::{Bytes, BytesMut};

use crate::limits::MAX_MESSAGE;
use crate::message::{HeadLines, head_end};
use crate::{HeaderError, HeaderName, Headers, Message, ParseError, Problem};

#[cfg(test)]
mod tests;

/// What a stream carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// One whole message, for [`Message::parse`].
    Message(Bytes),
    /// A keep-alive ping, CRLF CRLF: answer with one CRLF (RFC 5626 §4.4.1).
    Ping,
}

/// Cuts a stream into messages, however it was split into segments.
///
/// Feed it with [`StreamFramer::push`], then call [`StreamFramer::next_frame`] until it gives `None`. An error is
/// final: nobody can tell where the next message begins, so the connection must be closed.
#[derive(Debug, Default)]
pub struct StreamFramer {
    buffer: BytesMut,
    /// The end of the header section is not before this.
    searched: usize,
    /// Length of the whole message at the front, once its head was read.
    whole: Option<usize>,
    broken: Option<ParseError>,
}

impl StreamFramer {
    /// At the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what was received. Drain the frames before the next call: memory is then bounded by one message and
    /// one `bytes`.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.broken.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Is a message there in part? A connection that ends now has cut it off.
    pub fn is_mid_message(&self) -> bool {
        // Line breaks between messages are none.
        self.buffer.iter().any(|b| !matches!(b, b'\r' | b'\n'))
    }

    /// The next frame; `None` until more is received.
    ///
    /// # Errors
    /// No Content-Length, one that cannot be read, several that disagree, or a message over the limits. The error
    /// may offer an answer to send before the connection is closed; it is given again at every further call.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, ParseError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let frame = self.cut();
        if let Err(error) = &frame {
            self.broken = Some(error.clone());
            self.buffer = BytesMut::new();
        }
        frame
    }

    fn cut(&mut self) -> Result<Option<Frame>, ParseError> {
        if self.skip_line_breaks()? {
            return Ok(Some(Frame::Ping));
        }
        if self.whole.is_none() {
            self.whole = self.find_end()?;
        }
        match self.whole {
            Some(length) if self.buffer.len() >= length => {
                (self.whole, self.searched) = (None, 0);
                // Nothing is held of a message that is passed on: a silent connection costs next to nothing.
                let message = match self.buffer.len() == length {
                    true => std::mem::take(&mut self.buffer),
                    false => self.buffer.split_to(length),
                };
                Ok(Some(Frame::Message(message.freeze())))
            }
            _ => Ok(None),
        }
    }

    /// Skips CRLFs between messages; true for a ping. A single CRLF at the end waits: it may be half a ping.
    fn skip_line_breaks(&mut self) -> Result<bool, ParseError> {
        loop {
            match &self.buffer[..] {
                [b'\r', b'\n', b'\r', b'\n', ..] => {
                    let _ = self.buffer.split_to(4);
                    return Ok(true);
                }
                [] | [b'\r'] | [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] => return Ok(false),
                [b'\r', b'\n', b'\r', ..] => return Err(ParseError::new(Problem::NotSip, None)),
                [b'\r', b'\n', ..] => drop(self.buffer.split_to(2)),
                [b'\r', ..] => return Err(ParseError::new(Problem::NotSip, None)),
                _ => return Ok(false),
            }
        }
    }

    /// The length of the whole message, once its head is there.
    fn find_end(&mut self) -> Result<Option<usize>, ParseError> {
        let Some(head) = head_end(&self.buffer, self.searched) else {
            if self.buffer.len() > MAX_MESSAGE {
                return Err(ParseError::new(Problem::TooLarge, None));
            }
            self.searched = self.buffer.len().saturating_sub(3);
            return Ok(None);
        };
        let bytes = Bytes::copy_from_slice(self.buffer.get(..head).unwrap_or_default());
        match body_length(&bytes) {
            Ok(body) if head.saturating_add(body) <= MAX_MESSAGE => Ok(Some(head + body)),
            Ok(_) => Err(answerable(bytes, Problem::TooLarge)),
            Err(problem) => Err(answerable(bytes, problem)),
        }
    }
}

/// RFC 3261 §18.3: on a stream, Content-Length alone says where a message ends.
fn body_length(head: &Bytes) -> Result<usize, Problem> {
    let (_, mut lines) = HeadLines::new(head).ok_or(Problem::NotSip)?;
    let mut lengths = Headers::new();
    while let Some(header) = lines.next()? {
        if header.name == HeaderName::ContentLength {
            lengths.push(header.name.clone(), header.value().clone());
        }
    }
    lengths.content_length()?.ok_or(HeaderError::missing(HeaderName::ContentLength).into())
}

/// Wraps a problem with the stream, with the means to answer where the head alone suffices for it.
fn answerable(head: Bytes, problem: Problem) -> ParseError {
    ParseError::new(problem, Message::salvage(head))
}
