//! Session-ID (RFC 7989): one name for a call, whatever back-to-back user agents lie on its way.

use crate::Headers;

use super::agent::UserAgent;
use super::context::Context;
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

    /// The value of the header.
    pub fn text(&self) -> String {
        format!("{};remote={}", self.ours, self.theirs.as_deref().unwrap_or(NIL))
    }
}

/// The sender's half; `None` where it breaks the grammar.
fn half(value: &str) -> Option<String> {
    let half = value.split(';').next()?.trim();
    let fits = half.len() == NIL.len() && half.bytes().all(|b| b.is_ascii_hexdigit());
    fits.then(|| half.to_ascii_lowercase())
}

impl UserAgent {
    /// What the sender of these calls the session.
    pub(super) fn session_half(&self, headers: &Headers) -> Option<String> {
        half(headers.text(&self.texts.session_id)?).filter(|half| half != NIL)
    }

    /// RFC 7989 §6: a peer may learn its half late, and change it when it is transferred.
    pub(super) fn note_session_id(&mut self, id: super::InviteId, headers: &Headers) {
        let Some(theirs) = self.session_half(headers) else { return };
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
