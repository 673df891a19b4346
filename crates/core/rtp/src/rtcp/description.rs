use tandem_base::Ssrc;

use crate::Malformed;

/// An SDES: what sources say about themselves (RFC 3550 §6.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceDescription<'a> {
    chunks: u8,
    body: &'a [u8],
}

impl<'a> SourceDescription<'a> {
    pub(super) fn checked(chunks: u8, body: &'a [u8]) -> Result<Self, Malformed> {
        let description = SourceDescription { chunks, body };
        let mut items = description.items();
        while items.step()?.is_some() {}
        Ok(description)
    }

    /// The items of all its chunks.
    pub fn items(&self) -> Items<'a> {
        Items { chunks: self.chunks, source: None, len: self.body.len(), rest: self.body }
    }
}

/// One item of an SDES.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// Whom it describes.
    pub ssrc: Ssrc,
    /// Its type: [`CNAME`](super::CNAME) and others (RFC 3550 §12.2).
    pub kind: u8,
    /// Its text, 0 to 255 octets, meant to be UTF-8.
    pub text: &'a [u8],
}

/// Iterates over the items of an SDES.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    chunks: u8,
    source: Option<Ssrc>,
    len: usize,
    rest: &'a [u8],
}

impl<'a> Items<'a> {
    fn step(&mut self) -> Result<Option<Item<'a>>, Malformed> {
        loop {
            match self.source {
                None if self.chunks == 0 => return Ok(None),
                None => self.open_chunk()?,
                Some(ssrc) => match *self.rest {
                    // An end that is not marked ends the chunk all the same.
                    [] => self.source = None,
                    [0, ..] => self.close_chunk(),
                    [kind, len, ref rest @ ..] => return self.item(ssrc, kind, len, rest).map(Some),
                    [_] => return Err(Malformed::Truncated),
                },
            }
        }
    }

    fn open_chunk(&mut self) -> Result<(), Malformed> {
        let (word, rest) = self.rest.split_first_chunk().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        self.chunks -= 1;
        self.source = Some(Ssrc(u32::from_be_bytes(*word)));
        Ok(())
    }

    /// Null octets fill up to the next word (RFC 3550 §6.5).
    fn close_chunk(&mut self) {
        let read = self.len - self.rest.len();
        self.rest = self.rest.get(4 - read % 4..).unwrap_or(&[]);
        self.source = None;
    }

    fn item(&mut self, ssrc: Ssrc, kind: u8, len: u8, rest: &'a [u8]) -> Result<Item<'a>, Malformed> {
        let (text, rest) = rest.split_at_checked(usize::from(len)).ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(Item { ssrc, kind, text })
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        self.step().ok().flatten()
    }
}
