//! Header extensions of RTP (RFC 8285) and the audio levels in them (RFC 6464, RFC 6465).

use tandem_base::ExtensionId;

use crate::Malformed;

/// A header extension (RFC 3550 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    /// "Defined by profile": `0xbede` for one-byte elements, `0x100x` for two-byte ones.
    pub profile: u16,
    /// What follows the length word.
    pub data: &'a [u8],
}

impl<'a> Extension<'a> {
    pub(crate) fn split(rest: &'a [u8]) -> Result<(Option<Self>, &'a [u8]), Malformed> {
        let ([p0, p1, l0, l1], rest) = rest.split_first_chunk::<4>().ok_or(Malformed::Truncated)?;
        let words = usize::from(u16::from_be_bytes([*l0, *l1]));
        let (data, rest) = rest.split_at_checked(4 * words).ok_or(Malformed::Truncated)?;
        Ok((Some(Extension { profile: u16::from_be_bytes([*p0, *p1]), data }), rest))
    }

    /// The elements of RFC 8285; none where the profile is another, and none after one that lies.
    pub fn elements(&self) -> Elements<'a> {
        let form = match self.profile {
            0xbede => Form::OneByte,
            0x1000..=0x100f => Form::TwoByte,
            _ => return Elements { form: Form::OneByte, rest: &[] },
        };
        Elements { form, rest: self.data }
    }

    /// Data of the first element of that number.
    pub fn find(&self, id: ExtensionId) -> Option<&'a [u8]> {
        self.elements().find(|element| element.id == id.get()).map(|element| element.data)
    }
}

#[derive(Clone, Copy, Debug)]
enum Form {
    OneByte,
    TwoByte,
}

/// One element of a header extension (RFC 8285 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// The number that `a=extmap` gave it: 1 to 14, or to 255 in the two-byte form.
    pub id: u8,
    /// Its data; may be empty in the two-byte form.
    pub data: &'a [u8],
}

/// Iterates over the elements of an extension.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    form: Form,
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    fn head(&self) -> Option<(u8, usize, &'a [u8])> {
        match (self.form, self.rest) {
            // RFC 8285 §4.2: ID 15 ends the processing.
            (Form::OneByte, [first, rest @ ..]) if first >> 4 < 15 => {
                Some((first >> 4, usize::from(first & 0x0f) + 1, rest))
            }
            (Form::TwoByte, [id, len, rest @ ..]) => Some((*id, usize::from(*len), rest)),
            _ => None,
        }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        // RFC 8285 §4.1: a zero octet between elements is padding.
        while let [0, rest @ ..] = self.rest {
            self.rest = rest;
        }
        let (id, len, rest) = self.head()?;
        let (data, rest) = rest.split_at_checked(len).unwrap_or((&[], &[]));
        self.rest = rest;
        (data.len() == len && id != 0).then_some(Element { id, data })
    }
}

/// Octets of the words that say which form it is and how long.
const HEAD: usize = 4;

/// What it says first, and octets in front of each element: in the one-byte form where that can carry all of them
/// (RFC 8285 §4.2: numbers 1 to 14 with 1 to 16 octets), else in the two-byte form.
fn form(elements: &[Element<'_>]) -> (u16, usize) {
    let short = elements.iter().all(|e| (1..15).contains(&e.id) && (1..=16).contains(&e.data.len()));
    if short { (0xbede, 1) } else { (0x1000, 2) }
}

/// Octets of an extension with these elements, in whole words: none for none of them.
pub(crate) fn len(elements: &[Element<'_>]) -> usize {
    let (_, head) = form(elements);
    let data = elements.iter().map(|e| head + e.data.len()).sum::<usize>();
    if elements.is_empty() { 0 } else { HEAD + data.next_multiple_of(4) }
}

/// Writes an extension with these elements and says how long it is.
pub(crate) fn write(elements: &[Element<'_>], out: &mut [u8]) -> Option<usize> {
    let whole = len(elements);
    if whole == 0 {
        return Some(0);
    }
    let (profile, head) = form(elements);
    let (words, mut rest) = out.get_mut(..whole)?.split_first_chunk_mut::<HEAD>()?;
    let ([p0, p1], [l0, l1]) = (profile.to_be_bytes(), u16::try_from(rest.len() / 4).ok()?.to_be_bytes());
    *words = [p0, p1, l0, l1];
    for element in elements {
        let size = u8::try_from(element.data.len()).ok().filter(|_| element.id != 0)?;
        let (place, behind) = rest.split_at_mut_checked(head + element.data.len())?;
        let (place, data) = place.split_at_mut_checked(head)?;
        match place {
            [both] => *both = element.id << 4 | size.wrapping_sub(1),
            [id, len] => (*id, *len) = (element.id, size),
            _ => return None,
        }
        data.copy_from_slice(element.data);
        rest = behind;
    }
    rest.fill(0);
    Some(whole)
}

/// How loud a packet's sound is, by its sender's word (RFC 6464 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioLevel {
    /// In −dBov: 0 is the loudest there can be, 127 silence.
    pub level: u8,
    /// The sender hears a voice in it; of no meaning where `vad=off` was agreed.
    pub voice: bool,
}

impl AudioLevel {
    /// Silence.
    pub const SILENCE: u8 = 127;

    /// As power: 1.0 is that of the overload point, a full-scale square wave; 0.0 is silence.
    pub fn power(self) -> f32 {
        if self.level == Self::SILENCE { 0.0 } else { 10f32.powf(f32::from(self.level) / -10.0) }
    }

    /// The element has one octet; one in the two-byte form may bring more, which say nothing (RFC 6464 §3).
    pub(crate) fn parse(data: &[u8]) -> Option<Self> {
        let octet = *data.first()?;
        Some(AudioLevel { level: octet & 0x7f, voice: octet & 0x80 != 0 })
    }
}

#[cfg(test)]
mod tests;
