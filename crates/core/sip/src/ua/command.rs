use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::digest::Credentials;
use crate::{Headers, Method, StatusCode, Uri};

use super::Target;

/// One INVITE usage (RFC 5057 §4) from its INVITE to its [`super::Event::Ended`]: a call leg as SIP sees it.
///
/// Those of calls from outside are given by the user agent and lie below 2^63; an application that calls out
/// names its own with [`InviteId::outgoing`]. None is used twice in one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InviteId(pub u64);

impl InviteId {
    const OUTGOING: u64 = 1 << 63;

    /// The application's own `n`-th call.
    pub const fn outgoing(n: u64) -> Self {
        InviteId(n | Self::OUTGOING)
    }

    /// Whether the application named it.
    pub const fn is_outgoing(self) -> bool {
        self.0 & Self::OUTGOING != 0
    }
}

impl fmt::Display for InviteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = if self.is_outgoing() { "o" } else { "i" };
        write!(f, "{direction}{}", self.0 & !Self::OUTGOING)
    }
}

/// A request other than INVITE that the application is to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(pub u64);

/// A request of ours outside of any dialog, named by the application; none is used twice in one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OutgoingId(pub u64);

/// A message body with its type. `Debug` tells only its length: an SDP in it may hold keys.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    /// Content-Type.
    pub content_type: Cow<'static, str>,
    /// The bytes.
    pub bytes: Bytes,
}

impl Body {
    /// A session description (RFC 4566).
    pub fn sdp(bytes: impl Into<Bytes>) -> Self {
        Body { content_type: Cow::Borrowed("application/sdp"), bytes: bytes.into() }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({}, {} octets)", self.content_type, self.bytes.len())
    }
}

/// A call to be made.
#[derive(Clone, Debug)]
pub struct NewInvite {
    /// Request-URI, also the To unless `to` says otherwise.
    pub uri: Uri,
    /// Where to send it: an outbound proxy, or the way that a registration came. `None` for where the first Route or
    /// the URI leads (RFC 3263): names are looked up, and the next server is tried where one fails (§4.3) before
    /// the application hears of it.
    pub target: Option<Target>,
    /// From without its tag, as `"Name" <sip:user@host>`.
    pub from: String,
    /// To where it is not the Request-URI, as `"Name" <sip:user@host>`.
    pub to: Option<String>,
    /// User part of the Contact; may be empty.
    pub contact_user: String,
    /// Parameters of the Contact with their leading semicolon (`;isfocus`); see [`Command::Answer`].
    pub contact_parameters: Cow<'static, str>,
    /// Preloaded Route entries (RFC 3261 §8.1.1.1), each as `<sip:…;lr>`.
    pub routes: Vec<String>,
    /// Further header fields.
    pub headers: Headers,
    /// The offer; none asks the callee to make one.
    pub body: Option<Body>,
    /// What answers a 401 or 407, be it to the INVITE or to a later request of the call: that request is then sent
    /// again before the application hears of the refusal (RFC 3261 §22.2).
    pub credentials: Option<Credentials>,
}

/// A request to be made outside of any dialog.
#[derive(Clone, Debug)]
pub struct NewRequest {
    /// REGISTER, MESSAGE, SUBSCRIBE, REFER, PUBLISH, OPTIONS or another; none that belongs to calls.
    pub method: Method,
    /// Request-URI, also the To unless `to` says otherwise.
    pub uri: Uri,
    /// Where to send it; see [`NewInvite::target`].
    pub target: Option<Target>,
    /// From without its tag.
    pub from: String,
    /// To where it is not the Request-URI.
    pub to: Option<String>,
    /// Preloaded Route entries, each as `<sip:…;lr>`.
    pub routes: Vec<String>,
    /// The same for all requests to one registrar (RFC 3261 §10.2.4); `None` draws one.
    pub call_id: Option<String>,
    /// Below 2^31, and growing under one Call-ID.
    pub cseq: u32,
    /// User part of a Contact of ours; `None` leaves Contact out.
    pub contact_user: Option<String>,
    /// Further header fields.
    pub headers: Headers,
    /// Its body.
    pub body: Option<Body>,
}

/// What an application can ask for. A command for a usage or request that is over is ignored and counted: the
/// two may cross.
///
/// The header fields that SIP itself needs (Via, From, To, Call-ID, CSeq, Contact, Content-Length, …) are the
/// user agent's and never belong into `headers`.
#[derive(Clone, Debug)]
pub enum Command {
    /// Answer the pending INVITE with 101 to 199, any number of times. A caller that knows reliable provisional
    /// responses (RFC 3262) gets them so, one after the other, and [`super::Event::Pracked`] follows each; a 2xx waits
    /// until a body before it is acknowledged.
    Provisional {
        /// Which.
        invite: InviteId,
        /// 180, 183, …
        status: StatusCode,
        /// Further header fields.
        headers: Headers,
        /// Early media.
        body: Option<Body>,
    },
    /// Answer the pending INVITE or re-INVITE with 200; [`super::Event::Confirmed`] follows. Or the pending UPDATE;
    /// where both are pending, what has a body is for the UPDATE.
    Answer {
        /// Which.
        invite: InviteId,
        /// Parameters of the Contact with their leading semicolon (`;isfocus`). They stay for the usage's life;
        /// `None` leaves those of before.
        contact_parameters: Option<Cow<'static, str>>,
        /// Further header fields.
        headers: Headers,
        /// The answer, or the offer where the INVITE had none.
        body: Option<Body>,
    },
    /// Refuse the pending UPDATE or re-INVITE (that does not end the usage) or else INVITE (that does).
    Reject {
        /// Which.
        invite: InviteId,
        /// 300 to 699.
        status: StatusCode,
        /// Its words where the standard ones do not do.
        reason: Option<Cow<'static, str>>,
        /// Warning, Retry-After, Contact of a 3xx, …
        headers: Headers,
    },
    /// Call out. [`super::Event::Progress`], then `Answered` or `Ended` follow.
    Invite {
        /// Must be [`InviteId::outgoing`] and fresh.
        invite: InviteId,
        /// Whom and how.
        call: Box<NewInvite>,
    },
    /// Acknowledge a 2xx that [`super::Event::Answered`] or `ReInviteAnswered` said waits for it, or a provisional
    /// response of which [`super::Event::Progress`] said so.
    Ack {
        /// Which.
        invite: InviteId,
        /// The answer to the offer that the 2xx made.
        body: Option<Body>,
    },
    /// Give up our unanswered INVITE. Sent as soon as the rules let it (RFC 3261 §9.1); should the call have been
    /// answered meanwhile, it is hung up. `Ended` follows either way. Our unanswered re-INVITE is given up alike
    /// with `ReInviteRejected` following.
    Cancel {
        /// Which.
        invite: InviteId,
        /// Reason (RFC 3326).
        headers: Headers,
    },
    /// Offer anew in the dialog. A glare (491) is retried as RFC 3261 §14.1 has it.
    ReInvite {
        /// Which.
        invite: InviteId,
        /// Further header fields.
        headers: Headers,
        /// The offer; none asks the peer to make one.
        body: Option<Body>,
    },
    /// Offer anew by UPDATE (RFC 3311): nobody may be asked for consent on the other side, and there is no ACK. Glare
    /// is retried as with re-INVITE, and the same events follow. Without a body it only refreshes the dialog, and
    /// nothing is heard of it.
    Update {
        /// Which.
        invite: InviteId,
        /// Further header fields.
        headers: Headers,
        /// The offer.
        body: Option<Body>,
    },
    /// Hang up, whatever the stage: BYE; for a call from outside that is not answered yet 480 (or the status that
    /// [`Command::Reject`] would have been right for); for one of ours CANCEL. Where the callee must still wait for
    /// the ACK (RFC 3261 §15), the BYE goes out once it is there.
    Bye {
        /// Which.
        invite: InviteId,
        /// Reason (RFC 3326).
        headers: Headers,
    },
    /// What answers a 401 or 407 to requests of ours in this call from now on, whoever called whom; in place of what was
    /// given before. See [`NewInvite::credentials`].
    Authenticate {
        /// Which.
        invite: InviteId,
        /// Who we are.
        credentials: Credentials,
    },
    /// Send another request in the dialog (INFO, MESSAGE, …). [`super::Event::Response`] follows.
    Request {
        /// Which.
        invite: InviteId,
        /// Neither INVITE, ACK, BYE, CANCEL, PRACK nor UPDATE.
        method: Method,
        /// Further header fields.
        headers: Headers,
        /// Its body.
        body: Option<Body>,
    },
    /// Send a request outside of any dialog. [`super::Event::Outcome`] follows.
    Send {
        /// Its name.
        request: OutgoingId,
        /// What.
        new: Box<NewRequest>,
    },
    /// Answer [`super::Event::Request`].
    Respond {
        /// Which.
        request: RequestId,
        /// 200 to 699.
        status: StatusCode,
        /// Further header fields.
        headers: Headers,
        /// Its body.
        body: Option<Body>,
    },
}
