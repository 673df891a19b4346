use std::fmt::Write;

use sdp_types::Session;
use zeroize::Zeroize;

use crate::RefusalCause;

/// Longest session description, bytes.
pub const MAX_SDP: usize = 32 * 1024;
/// Most m-lines in one.
pub const MAX_MEDIA: usize = 32;
/// Most attributes in one section.
pub const MAX_ATTRIBUTES: usize = 512;

/// Reads a description within bounds, tolerating what phones really send.
///
/// Only the lines that offer/answer looks at (`c=`, `b=`, `a=`, `m=`) are given to the parser, in its own spelling: blanks
/// and line ends put right, lines of other kinds (also the mandatory `o=`, `s=` and `t=`, which are often
/// missing or garbled) left out.
pub(crate) fn parse(bytes: &[u8]) -> Result<Session, RefusalCause> {
    if bytes.len() > MAX_SDP {
        return Err(RefusalCause::TooLarge);
    }
    let text = String::from_utf8_lossy(bytes);
    let lines = text.split(['\n', '\r']).map(str::trim).enumerate().filter(|(_, line)| !line.is_empty());
    let mut normal = Normal::default();
    for (n, line) in lines {
        normal.line(line).map_err(|fault| match fault {
            Unfit::Line => RefusalCause::Malformed(n + 1),
            Unfit::Whole(cause) => cause,
        })?;
    }
    if !normal.begun {
        return Err(RefusalCause::NotSdp);
    }
    let parsed = Session::parse(normal.text.as_bytes()).map_err(|_| RefusalCause::Malformed(1));
    normal.text.zeroize();
    parsed
}

/// Bandwidth lines of one section that are looked at.
const MAX_BANDWIDTHS: usize = 16;

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

enum Unfit {
    Line,
    Whole(RefusalCause),
}

#[derive(Default)]
struct Normal {
    text: String,
    begun: bool,
    media: usize,
    attributes: usize,
    bandwidths: usize,
    connected: bool,
}

impl Normal {
    fn line(&mut self, line: &str) -> Result<(), Unfit> {
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        let value = value.trim();
        match key.trim_end() {
            "v" if !self.begun && value == "0" => {
                self.begun = true;
                self.push(format_args!("v=0"));
            }
            _ if !self.begun => return Err(Unfit::Whole(RefusalCause::NotSdp)),
            "c" => self.connection(value),
            "b" => self.bandwidth(value),
            "a" => self.attribute(value)?,
            "m" => self.media(value)?,
            _ => {}
        }
        Ok(())
    }

    fn push(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing into a String cannot fail.
        let _ = write!(self.text, "{line}\r\n");
    }

    /// The first of a section counts; one that says too little counts as absent.
    fn connection(&mut self, value: &str) {
        let mut fields = value.split_whitespace();
        if let (Some(net), Some(kind), Some(address)) = (fields.next(), fields.next(), fields.next())
            && !self.connected
        {
            self.connected = true;
            self.push(format_args!("c={net} {kind} {address}"));
        }
    }

    /// One that cannot be read says nothing.
    fn bandwidth(&mut self, value: &str) {
        let Some((kind, amount)) = value.split_once(':') else { return };
        let (kind, amount) = (kind.trim(), amount.trim().parse::<u64>());
        if let (true, Ok(amount), 0..MAX_BANDWIDTHS) = (is_token(kind), amount, self.bandwidths) {
            self.bandwidths += 1;
            self.push(format_args!("b={kind}:{amount}"));
        }
    }

    fn attribute(&mut self, value: &str) -> Result<(), Unfit> {
        self.attributes += 1;
        if self.attributes > MAX_ATTRIBUTES {
            return Err(Unfit::Whole(RefusalCause::TooManyAttributes));
        }
        self.push(format_args!("a={value}"));
        Ok(())
    }

    fn media(&mut self, value: &str) -> Result<(), Unfit> {
        self.media += 1;
        if self.media > MAX_MEDIA {
            return Err(Unfit::Whole(RefusalCause::TooManyMedia));
        }
        (self.attributes, self.bandwidths, self.connected) = (0, 0, false);
        let mut fields = value.split_whitespace();
        let (Some(media), Some(port), Some(protocol)) = (fields.next(), fields.next(), fields.next()) else {
            return Err(Unfit::Line);
        };
        let port = port.split('/').next().and_then(|port| port.parse::<u16>().ok()).ok_or(Unfit::Line)?;
        let mut formats = fields.collect::<Vec<_>>().join(" ");
        if formats.is_empty() {
            // The grammar wants one; this one names no codec.
            formats.push('*');
        }
        self.push(format_args!("m={media} {port} {protocol} {formats}"));
        Ok(())
    }
}
