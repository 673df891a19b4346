//! Session-ID (RFC 7989): one name for a call, whatever back-to-back user agents lie on its way.

use crate::{HeaderName, Headers};

use super::agent::UserAgent;
use super::context::Context;
use super::receive::{Arrival, stateless_tag};
use super::usage::Usage;

/// Where the other side has said nothing yet (RFC 7989 §5).
const NIL: &str = "00000000000000000000000000000000";

/// Both halves, 32 lower-case hexadecimal digits each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SessionId {
    ours: String,
    theirs: Option<String>,
}

impl SessionId {
    pub fn new(theirs: Option<String>, cx: &mut Context<'_>) -> Self {
        SessionId { ours: format!("{}{}", cx.token(), cx.token()), theirs }
    }

    /// The value of the header in requests of ours.
    pub fn text(&self) -> String {
        written(&self.ours, self.theirs.as_deref())
    }

    /// The value in a response to a request of this sender's half: what it says counts for the response, whatever becomes
    /// of it (RFC 7989 §6).
    fn reply(&self, theirs: Option<&str>) -> String {
        written(&self.ours, theirs.or(self.theirs.as_deref()))
    }
}

fn written(ours: &str, theirs: Option<&str>) -> String {
    format!("{ours};remote={}", theirs.unwrap_or(NIL))
}

/// What the sender of these calls the session.
pub(super) fn session_half(headers: &Headers, name: &HeaderName) -> Option<String> {
    half(headers.text(name)?).filter(|half| half != NIL)
}

/// The sender's half; `None` where it breaks the grammar.
fn half(value: &str) -> Option<String> {
    let half = value.split(';').next()?.trim();
    let fits = half.len() == NIL.len() && half.bytes().all(|b| b.is_ascii_hexdigit());
    fits.then(|| half.to_ascii_lowercase())
}

impl UserAgent {
    /// RFC 7989 §6: a peer may learn its half late, and change it when it is transferred.
    pub(super) fn note_session_id(&mut self, id: super::InviteId, theirs: Option<String>) {
        let Some(theirs) = theirs else { return };
        if let Some(known) = self.usages.get_mut(&id).and_then(|usage| usage.session_id.as_mut()) {
            known.theirs = Some(theirs);
        }
    }

    /// Adds the header where the call has such a name.
    pub(super) fn push_session_id(&self, usage: &Usage, headers: &mut Headers) {
        if let Some(known) = &usage.session_id {
            headers.push(self.texts.session_id.clone(), known.text());
        }
    }

    /// The same in a response to a request whose sender called the session so.
    pub(super) fn push_session_reply(&self, usage: &Usage, theirs: Option<&str>, headers: &mut Headers) {
        if let Some(known) = &usage.session_id {
            headers.push(self.texts.session_id.clone(), known.reply(theirs));
        }
    }

    /// The same in a response to a request of the call that `tag` names, or of none: what names its session outside of
    /// calls hears a half of ours that is the same each time.
    pub(super) fn push_session_of(&self, arrival: &Arrival, tag: Option<&str>, headers: &mut Headers) {
        let theirs = arrival.session.as_deref();
        let tag = Some(arrival.to_tag.as_str()).filter(|tag| !tag.is_empty()).or(tag);
        let usage = tag.and_then(|tag| self.usage_of(tag, arrival)).and_then(|id| self.usages.get(&id));
        match (usage, theirs) {
            (Some(usage), _) => self.push_session_reply(usage, theirs, headers),
            (None, Some(theirs)) => {
                let ours = format!("{}{}", arrival.stateless_tag(), stateless_tag(&theirs));
                headers.push(self.texts.session_id.clone(), written(&ours, Some(theirs)));
            }
            (None, None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_read() {
        let good = "AB30317f1a784dc48ff824d0d3715d86";
        assert_eq!(half(good), Some(good.to_ascii_lowercase()));
        assert_eq!(half(&format!(" {good} ;remote={NIL}")), Some(good.to_ascii_lowercase()));
        for wrong in ["", "ab30", ";remote=x", &good.replace('A', "g"), &format!("{good}0")] {
            assert_eq!(half(wrong), None, "{wrong}");
        }
    }
}
