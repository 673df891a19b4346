use std::time::Duration;

use bytes::Bytes;

use crate::{Method, Request, Response};

use super::{Flow, InviteId, OutgoingId, RequestId};

/// What an application is told.
///
/// Each usage begins with [`Event::Incoming`] or with the command [`super::Command::Invite`] and ends with exactly
/// one [`Event::Ended`]; that stands for all that was still open in it, and nothing is said of it afterwards.
#[derive(Clone, Debug)]
pub enum Event {
    /// Somebody calls. 100 is already sent; `Provisional`, `Answer` or `Reject` are expected.
    Incoming {
        /// The new usage.
        invite: InviteId,
        /// The INVITE; with an offer or without.
        request: Box<Request>,
        /// How it came.
        flow: Flow,
    },
    /// The ACK for our 2xx (to INVITE or re-INVITE) came.
    Confirmed {
        /// Which.
        invite: InviteId,
        /// Its body: the answer where our 2xx made the offer; otherwise mostly empty.
        body: Bytes,
    },
    /// Our INVITE drew a provisional response other than 100.
    Progress {
        /// Which.
        invite: InviteId,
        /// 101 to 199, perhaps with early media.
        response: Box<Response>,
        /// It makes the offer, and its PRACK (RFC 3262) waits for [`super::Command::Ack`] with our answer.
        awaits_prack: bool,
    },
    /// The caller acknowledged a provisional response of ours (RFC 3262).
    Pracked {
        /// Which.
        invite: InviteId,
        /// The answer where our response made the offer; otherwise mostly empty.
        body: Bytes,
    },
    /// Our INVITE was answered.
    Answered {
        /// Which.
        invite: InviteId,
        /// The 2xx.
        response: Box<Response>,
        /// The INVITE had no offer, so the ACK waits for [`super::Command::Ack`] with our answer to theirs.
        awaits_ack: bool,
    },
    /// The peer offers anew; `Answer` or `Reject` are expected.
    ReInvite {
        /// Which.
        invite: InviteId,
        /// The re-INVITE, with an offer or without; or the UPDATE or PRACK with an offer (RFC 3311, RFC 3262 §5), whose answer no
        /// [`Event::Confirmed`] follows and which wants its answer within 5 s.
        request: Box<Request>,
    },
    /// The peer took its unanswered re-INVITE back (487 is sent), or the application let it lie for
    /// [`super::Limits::ringing`] (480 is sent), or an UPDATE for 5 s (504 is sent): what was before stays.
    ReInviteCancelled {
        /// Which.
        invite: InviteId,
    },
    /// Our re-INVITE or UPDATE was answered.
    ReInviteAnswered {
        /// Which.
        invite: InviteId,
        /// The 2xx.
        response: Box<Response>,
        /// The ACK waits for [`super::Command::Ack`].
        awaits_ack: bool,
    },
    /// Our re-INVITE or UPDATE was refused or could not be made: what was before stays.
    ReInviteRejected {
        /// Which.
        invite: InviteId,
        /// Why.
        failure: Failure,
    },
    /// The session is to be refreshed (RFC 4028), and the peer knows no UPDATE: a [`super::Command::ReInvite`] with
    /// the present session description, unchanged, is expected. Without it the call will end in time.
    RefreshDue {
        /// Which.
        invite: InviteId,
    },
    /// Another request that the Allow of our identity names: in a dialog, or (`invite: None`) outside of any.
    /// It must be answered with [`super::Command::Respond`] within 32 s.
    Request {
        /// Its usage.
        invite: Option<InviteId>,
        /// To answer it by.
        id: RequestId,
        /// The request.
        request: Box<Request>,
        /// How it came.
        flow: Flow,
    },
    /// The peer tells by INFO that a key was pressed; 200 is sent.
    Digit {
        /// Which.
        invite: InviteId,
        /// `0` to `9`, `*`, `#`, `A` to `D`.
        digit: char,
        /// How long it was held, 10 s at most.
        duration: Duration,
    },
    /// A [`super::Command::Request`] came to its end.
    Response {
        /// Which.
        invite: InviteId,
        /// The method of the request.
        method: Method,
        /// The final response, or why there is none.
        result: Result<Box<Response>, Failure>,
    },
    /// A [`super::Command::Send`] came to its end.
    Outcome {
        /// Which.
        request: OutgoingId,
        /// The 2xx, or why there is none.
        result: Result<Box<Response>, Failure>,
    },
    /// The usage is over.
    Ended {
        /// Which.
        invite: InviteId,
        /// Why.
        cause: EndCause,
    },
}

/// Why a request of ours came to nothing.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The peer refused it: 300 to 699.
    Rejected(Box<Response>),
    /// Nobody answered in time (RFC 3261 §17.1: timers B and F); like 408.
    Timeout,
    /// It could not be sent (RFC 3261 §8.1.3.1); like 503.
    Unreachable,
    /// It did not fit: a usage in the wrong stage, an address that is none, or one request too many.
    Unfit,
}

/// How a usage ended.
#[derive(Clone, Debug)]
pub enum EndCause {
    /// The caller took the call back before the answer; 487 is sent.
    Cancelled {
        /// The CANCEL's Reason (RFC 3326), value as it came.
        reason: Option<String>,
    },
    /// The peer hung up; 200 is sent.
    Bye {
        /// The BYE's Reason (RFC 3326), value as it came.
        reason: Option<String>,
    },
    /// We did: `Reject`, `Cancel` or `Bye`, and all that had to be said is said.
    Local,
    /// Our INVITE failed.
    Failed(Failure),
    /// The call from outside stayed unanswered for [`super::Limits::ringing`], or past its Expires.
    Unanswered,
    /// Our 2xx was never acknowledged (RFC 3261 §13.3.1.4), or [`super::Command::Ack`] never came; BYE is sent.
    NoAck,
    /// Nobody refreshed the session in time (RFC 4028 §10); BYE is sent.
    Expired,
    /// The peer no longer knows the dialog: 408 or 481 to a request of ours, or none at all (RFC 3261 §12.2.1.2).
    Lost,
}
