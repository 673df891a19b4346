use std::borrow::Cow;

use bytes::Bytes;
use tandem_base::Time;

use crate::dialog::Dialog;
use crate::transaction::{Backoff, TransactionId};
use crate::{HeaderName, Headers, Method, Response, StatusCode, Uri};

use super::Body;
use super::overtake::Held;
use super::path::{Path, earliest};
use super::reliable::{Early, Sent};
use super::session_id::SessionId;
use super::timer::{SessionTimer, Wish};

/// One INVITE usage (RFC 5057 §4).
#[derive(Debug)]
pub(super) struct Usage {
    pub stage: Stage,
    pub exchange: Exchange,
    pub updating: Updating,
    /// The peer's next offer, which overtook its ACK.
    pub held: Option<Box<Held>>,
    /// What we answered reliably, as its callee.
    pub sent: Option<Box<Sent>>,
    /// What provisional responses set up, as its caller.
    pub early: Vec<Early>,
    pub timer: Option<SessionTimer>,
    pub session_id: Option<SessionId>,
    /// The least session interval that the peer lets pass, in seconds (RFC 4028 §7.4), and how often it said so.
    pub least_interval: u32,
    pub raises: u8,
    /// The peer's Allow names UPDATE.
    pub allows_update: bool,
    /// None only for a caller that was not answered yet.
    pub dialog: Option<Dialog>,
    pub path: Option<Path>,
    pub local_tag: String,
    pub contact_user: String,
    pub contact_parameters: Cow<'static, str>,
    /// We made the call, and so own the Call-ID (RFC 3261 §14.1).
    pub caller: bool,
    /// The alarm that is set.
    pub armed: Option<Time>,
}

/// How far a usage is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stage {
    /// Its first INVITE has no final response.
    Early,
    /// The callee's dialog before the ACK (RFC 3261 §15: no BYE may be sent yet).
    Unconfirmed {
        /// The BYE that waits.
        bye: Option<Headers>,
    },
    /// Both sides know it.
    Confirmed,
    /// Our BYE is under way.
    Ending,
}

/// What becomes of the usage's INVITE or re-INVITE; there is one at a time.
#[derive(Debug)]
pub(super) enum Exchange {
    /// None.
    Idle,
    /// Received, and the application is to answer.
    Serving {
        transaction: TransactionId,
        reply: Box<Reply>,
        /// Then nobody will answer any more.
        until: Time,
    },
    /// Our 2xx is sent and repeated (RFC 3261 §13.3.1.4).
    Confirming {
        transaction: TransactionId,
        response: Bytes,
        cseq: u32,
        /// It made the offer, and the ACK is to answer it.
        offers: bool,
        repeat: Backoff,
        until: Time,
    },
    /// Sent.
    Calling {
        transaction: TransactionId,
        /// It asks the peer to make the offer.
        offerless: bool,
        progress: Progress,
        /// What to repeat after a glare; none for the first INVITE.
        again: Option<Box<Offer>>,
    },
    /// A 2xx made an offer, and the application is to answer in the ACK.
    Acknowledging { transaction: TransactionId, cseq: u32, remote_tag: String, until: Time },
    /// Our re-INVITE met theirs (RFC 3261 §14.1).
    BackingOff { until: Time, again: Box<Offer>, refusal: Box<Response> },
}

/// What becomes of an UPDATE (RFC 3311). It stands beside the INVITE, as it may come while that is pending.
#[derive(Debug)]
pub(super) enum Updating {
    /// None.
    Idle,
    /// The peer's, with an offer; the application is to answer.
    Serving {
        transaction: TransactionId,
        reply: Box<Reply>,
        /// Then nobody will answer any more.
        until: Time,
    },
    /// Ours.
    Asking { transaction: TransactionId, again: Box<Offer> },
}

/// How far an INVITE of ours is.
#[derive(Debug)]
pub(super) enum Progress {
    /// Nothing heard.
    Silent { until: Time },
    /// Nothing heard, and no longer wanted: CANCEL must wait (RFC 3261 §9.1). The transaction ends it.
    Unwanted { reason: Headers },
    /// A provisional response came.
    Provisional { until: Time },
    /// CANCEL is sent. The transaction ends it.
    Cancelled { reason: Headers, expired: bool },
}

impl Progress {
    pub const fn until(&self) -> Option<Time> {
        match self {
            Progress::Silent { until } | Progress::Provisional { until } => Some(*until),
            Progress::Unwanted { .. } | Progress::Cancelled { .. } => None,
        }
    }

    /// Did we take the INVITE back?
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, Progress::Unwanted { .. } | Progress::Cancelled { .. })
    }
}

/// A re-INVITE or UPDATE to be made.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub method: Method,
    pub headers: Headers,
    pub body: Option<Body>,
    /// How often it was refused for glare.
    pub refused: u8,
}

impl Offer {
    /// An UPDATE that offers nothing: the application never hears of it.
    pub fn is_refresh(&self) -> bool {
        self.method == Method::Update && self.body.is_none()
    }
}

/// How far offer and answer came in reliable provisional responses (RFC 3262 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Described {
    /// Not through.
    No,
    /// Both are acknowledged.
    Settled,
}

/// What responses to an INVITE are made of.
#[derive(Debug)]
pub(super) struct Reply {
    /// Via, From, To with our tag, Call-ID, CSeq.
    pub base: Headers,
    pub record_routes: Vec<Bytes>,
    pub cseq: u32,
    /// What its sender calls the session (RFC 7989).
    pub session: Option<String>,
    /// It came with an offer.
    pub offered: bool,
    pub wish: Wish,
    /// Provisional responses are to be acknowledged (RFC 3262).
    pub reliable: bool,
    /// How far offer and answer came before the final response.
    pub described: Described,
    /// The Contact of a re-INVITE; it counts once the re-INVITE is answered (RFC 6141 §4).
    pub target: Option<Uri>,
    /// The refusal when nobody answers in time.
    pub lapse: StatusCode,
    /// The provisional response to repeat so that proxies keep waiting (RFC 3261 §13.3.1.1).
    pub ringing: Option<(StatusCode, Bytes, Time)>,
}

impl Usage {
    /// At its beginning; `early` is its first INVITE.
    pub fn new(exchange: Exchange, local_tag: String, caller: bool) -> Self {
        Usage {
            stage: Stage::Early,
            exchange,
            updating: Updating::Idle,
            held: None,
            sent: None,
            early: Vec::new(),
            timer: None,
            session_id: None,
            least_interval: 0,
            raises: 0,
            allows_update: false,
            dialog: None,
            path: None,
            local_tag,
            contact_user: String::new(),
            contact_parameters: Cow::Borrowed(""),
            caller,
            armed: None,
        }
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Time> {
        let updating = match &self.updating {
            Updating::Serving { until, .. } => Some(*until),
            Updating::Idle | Updating::Asking { .. } => None,
        };
        let timer = self.timer.map(|timer| timer.deadline());
        let sent = self.sent.as_ref().and_then(|sent| sent.deadline());
        let held = self.held.as_ref().map(|held| held.until);
        earliest([self.exchange_deadline(), updating, held, sent, timer])
    }

    /// When something is due of its INVITE.
    pub fn exchange_deadline(&self) -> Option<Time> {
        match &self.exchange {
            Exchange::Idle => None,
            Exchange::Serving { reply, until, .. } => {
                earliest([Some(*until), reply.ringing.as_ref().map(|r| r.2)])
            }
            Exchange::Confirming { repeat, until, .. } => Some(repeat.at.min(*until)),
            Exchange::Calling { progress, .. } => progress.until(),
            Exchange::Acknowledging { until, .. } | Exchange::BackingOff { until, .. } => Some(*until),
        }
    }

    /// May the application send requests in it?
    pub fn is_confirmed(&self) -> bool {
        matches!(self.stage, Stage::Confirmed)
    }

    /// Takes note of what the peer can do, where it says so.
    pub fn note_allow(&mut self, headers: &Headers) {
        if headers.has(&HeaderName::Allow) {
            self.allows_update = headers.allow().is_ok_and(|allow| allow.contains(&Method::Update));
        }
    }

    /// The dialog that requests of ours are sent in.
    pub fn dialog_mut(&mut self) -> Option<&mut Dialog> {
        let early = self.early.iter_mut().rev().find_map(|early| early.dialog.as_mut());
        self.dialog.as_mut().or(early)
    }

    /// Takes the INVITE out that is to be answered finally, where there is one.
    pub fn take_serving(&mut self) -> Option<(TransactionId, Box<Reply>)> {
        match self.take_exchange() {
            Exchange::Serving { transaction, reply, .. } => {
                if let Some(sent) = &mut self.sent {
                    sent.finish();
                }
                Some((transaction, reply))
            }
            other => {
                self.exchange = other;
                None
            }
        }
    }

    /// Takes our offer out that waits after a glare, with what refused it.
    pub fn take_waiting(&mut self) -> Option<(Box<Offer>, Box<Response>)> {
        match self.take_exchange() {
            Exchange::BackingOff { again, refusal, .. } => Some((again, refusal)),
            other => {
                self.exchange = other;
                None
            }
        }
    }

    /// Takes the exchange out, leaving none.
    pub fn take_exchange(&mut self) -> Exchange {
        std::mem::replace(&mut self.exchange, Exchange::Idle)
    }
}
