//! `application/trickle-ice-sdpfrag`: candidates that come later, in INFO (RFC 8840 §9).

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use tandem_base::{Candidate, DtlsTransport, IceCredentials, IceSide, Mid};

use crate::remote_dtls::{candidates, credentials};
use crate::{Description, MAX_MEDIA, candidate};

/// Longest fragment, bytes.
pub const MAX_FRAGMENT: usize = 16 * 1024;

/// Candidates of one side, as far as it has found them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fragment {
    /// Which ICE run they belong to; `None` where it does not say so.
    pub credentials: Option<IceCredentials>,
    /// At most [`MAX_MEDIA`], with at most [`Candidate::MAX`] candidates together.
    pub sections: Vec<FragmentSection>,
    /// No section will have more.
    pub complete: bool,
}

/// Those of one m-line's transport.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FragmentSection {
    /// The m-line's name; `None` where it does not say so, as for the only one.
    pub mid: Option<Mid>,
    /// All of component 1, as far as they can be used.
    pub candidates: Vec<Candidate>,
    /// It will have no more.
    pub complete: bool,
}

/// Why a fragment cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum FragmentFlaw {
    /// Longer than [`MAX_FRAGMENT`].
    #[error("the fragment is longer than {MAX_FRAGMENT} bytes")]
    TooLarge,
    /// More than [`MAX_MEDIA`] m-lines.
    #[error("the fragment has more than {MAX_MEDIA} m-lines")]
    TooManyMedia,
    /// One of `a=ice-ufrag` and `a=ice-pwd` is missing, or against the grammar.
    #[error("the fragment's ICE credentials cannot be used")]
    Credentials,
    /// Not a line that says anything about candidates.
    #[error("the fragment says nothing of candidates")]
    Empty,
}

impl Fragment {
    /// What our side has to say: all candidates that it has, since each fragment repeats those before (RFC 8840 §4.4).
    pub fn new(side: &IceSide, mid: Option<&Mid>) -> Self {
        let (candidates, complete) = (side.candidates.clone(), side.complete);
        let sections = vec![FragmentSection { mid: mid.cloned(), candidates, complete }];
        Fragment { credentials: Some(side.credentials.clone()), sections, complete: false }
    }

    /// Reads a peer's. Attributes and candidates that are not known are skipped (RFC 8840 §9.2).
    ///
    /// # Errors
    /// A [`FragmentFlaw`].
    pub fn parse(bytes: &[u8]) -> Result<Fragment, FragmentFlaw> {
        if bytes.len() > MAX_FRAGMENT {
            return Err(FragmentFlaw::TooLarge);
        }
        let text = String::from_utf8_lossy(bytes);
        let mut reading = Reading::default();
        for line in text.split(['\n', '\r']).map(str::trim) {
            reading.line(line)?;
        }
        reading.finish()
    }

    /// The body to send.
    pub fn write(&self) -> Description {
        let mut text = String::new();
        // Writing into a String cannot fail.
        if let Some(IceCredentials { ufrag, password }) = &self.credentials {
            let _ = write!(text, "a=ice-ufrag:{ufrag}\r\na=ice-pwd:{}\r\n", password.as_str());
        }
        if self.complete {
            text.push_str("a=end-of-candidates\r\n");
        }
        for section in &self.sections {
            section.write(&mut text);
        }
        text.into()
    }

    /// What of it is for this transport: the candidates, and whether there will be no more. `None` where it belongs to
    /// another ICE run or other m-lines.
    pub fn of(&self, transport: &DtlsTransport) -> Option<(Vec<Candidate>, bool)> {
        let ice = transport.ice.as_ref()?;
        if self.credentials.as_ref().is_some_and(|theirs| theirs.differ_from(&ice.remote.credentials)) {
            return None;
        }
        let ours = |mid: &Mid| transport.mid.as_ref() == Some(mid) || transport.bundle.contains(mid);
        let sections = || self.sections.iter().filter(|s| s.mid.as_ref().is_none_or(ours));
        let complete = self.complete || sections().any(|section| section.complete);
        let found: Vec<_> = sections().flat_map(|section| section.candidates.iter().cloned()).collect();
        (complete || !found.is_empty()).then_some((found, complete))
    }
}

impl FragmentSection {
    /// The m-line stands for its media alone (RFC 8840 §9.2).
    fn write(&self, text: &mut String) {
        text.push_str("m=audio 9 RTP/AVP 0\r\n");
        if let Some(mid) = &self.mid {
            let _ = write!(text, "a=mid:{mid}\r\n");
        }
        for each in &self.candidates {
            let _ = write!(text, "a=candidate:{}\r\n", candidate::write(each));
        }
        if self.complete {
            text.push_str("a=end-of-candidates\r\n");
        }
    }
}

#[derive(Default)]
struct Reading<'a> {
    ufrag: Option<&'a str>,
    password: Option<&'a str>,
    fragment: Fragment,
    candidates: usize,
    in_media: bool,
}

impl<'a> Reading<'a> {
    fn line(&mut self, line: &'a str) -> Result<(), FragmentFlaw> {
        if line.starts_with("m=") {
            self.in_media = true;
            return self.begin(FragmentSection::default());
        }
        let Some(attribute) = line.strip_prefix("a=") else { return Ok(()) };
        let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
        match name.trim() {
            // Of all sections, the same is said (RFC 9143 §9.2): they share one transport.
            "ice-ufrag" => self.ufrag = self.ufrag.or(Some(value.trim())),
            "ice-pwd" => self.password = self.password.or(Some(value.trim())),
            "end-of-candidates" if !self.in_media => self.fragment.complete = true,
            "end-of-candidates" => self.section()?.complete = true,
            "mid" => self.section()?.mid = Mid::new(value.trim()),
            "candidate" => self.candidate(value.trim())?,
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, section: FragmentSection) -> Result<(), FragmentFlaw> {
        if self.fragment.sections.len() >= MAX_MEDIA {
            return Err(FragmentFlaw::TooManyMedia);
        }
        self.fragment.sections.push(section);
        Ok(())
    }

    /// The last one; some have candidates without an m-line.
    fn section(&mut self) -> Result<&mut FragmentSection, FragmentFlaw> {
        if self.fragment.sections.is_empty() {
            self.begin(FragmentSection::default())?;
        }
        self.fragment.sections.last_mut().ok_or(FragmentFlaw::Empty)
    }

    fn candidate(&mut self, value: &str) -> Result<(), FragmentFlaw> {
        let found = candidates(std::iter::once(value));
        let room = Candidate::MAX.saturating_sub(self.candidates);
        self.candidates += found.len().min(room);
        self.section()?.candidates.extend(found.into_iter().take(room));
        Ok(())
    }

    fn finish(self) -> Result<Fragment, FragmentFlaw> {
        let Reading { ufrag, password, mut fragment, .. } = self;
        if ufrag.is_some() || password.is_some() {
            fragment.credentials = Some(credentials(ufrag, password).ok_or(FragmentFlaw::Credentials)?);
        }
        let says_nothing = fragment == Fragment::default();
        if says_nothing { Err(FragmentFlaw::Empty) } else { Ok(fragment) }
    }
}
