use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tandem_base::{Blame, CallId, Entropy, Fault, LegId, MediaEvent, Retry, SrtpSuite, Time};
use tandem_call::{Call, Departure, Input, Output, PeerEnding};
use tandem_routing::{Decision, decide};
use tandem_sdp::{OwnKeys, Warning};
use tandem_sip::ua::{Body, Command, EndCause, Event, Flow, InviteId, RequestId};
use tandem_sip::{HeaderName, Headers, Method, Request, StatusCode};
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, error, info, trace, warn};

use crate::active::{ActiveCall, Destination, MediaStage};
use crate::rooms::Rooms;
use crate::{Media, Settings};

/// How long peers get to answer our BYE when Tandem stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// Who warns (RFC 3261 §20.43: a host or a pseudonym): the address a peer knows us by is no business of control.
const WARN_AGENT: &str = "tandem";

/// What control is wired to.
#[derive(Debug)]
pub struct Ports<M, E> {
    /// The media side.
    pub media: M,
    /// What happens there.
    pub media_events: mpsc::Receiver<MediaEvent>,
    /// Commands to signalling.
    pub commands: mpsc::Sender<Command>,
    /// What happens there.
    pub events: mpsc::Receiver<Event>,
    /// Cryptographically strong.
    pub entropy: E,
    /// Told once when Tandem is to stop: every call is hung up, no new one is taken.
    pub stop: oneshot::Receiver<()>,
}

/// The one owner of all calls and rooms.
#[derive(Debug)]
pub struct Control<M, E> {
    settings: Settings,
    media: M,
    entropy: E,
    began: Instant,
    calls: BTreeMap<InviteId, ActiveCall>,
    legs: BTreeMap<LegId, InviteId>,
    rooms: Rooms,
    next: u64,
    stopping: bool,
    /// What signalling is to do after the present event.
    outbox: Vec<Command>,
}

impl<M: Media, E: Entropy> Control<M, E> {
    /// Runs until every call has ended after it is told to stop or signalling is gone.
    pub async fn run(settings: Settings, ports: Ports<M, E>) {
        let Ports { media, mut media_events, commands, mut events, entropy, mut stop } = ports;
        let mut control = Control::new(settings, media, entropy);
        let mut deadline: Option<tokio::time::Instant> = None;
        let mut signaling = true;
        while !(control.stopping && control.calls.is_empty()) {
            tokio::select! {
                event = events.recv(), if signaling => match event {
                    Some(event) => control.on_signaling(event),
                    None => {
                        signaling = false;
                        control.abandon();
                        deadline = Some(tokio::time::Instant::now() + FAREWELL);
                    }
                },
                Some(event) = media_events.recv() => control.on_media(event),
                // A dropped sender means the same as a message: nobody wants us any more.
                _ = &mut stop, if !control.stopping => {
                    control.stop();
                    deadline = Some(tokio::time::Instant::now() + FAREWELL);
                }
                () = sleep_until(deadline) => break,
            }
            for command in control.outbox.drain(..) {
                if commands.send(command).await.is_err() {
                    break;
                }
            }
        }
        control.write_off();
    }

    fn new(settings: Settings, media: M, entropy: E) -> Self {
        Control {
            settings,
            media,
            entropy,
            began: Instant::now(),
            calls: BTreeMap::new(),
            legs: BTreeMap::new(),
            rooms: Rooms::default(),
            next: 0,
            stopping: false,
            outbox: Vec::new(),
        }
    }

    fn now(&self) -> Time {
        Time::ZERO + self.began.elapsed()
    }

    fn stop(&mut self) {
        self.stopping = true;
        info!(calls = self.calls.len(), rooms = self.rooms.len(), "stopping: hanging up every call");
        let all: Vec<InviteId> = self.calls.keys().copied().collect();
        for invite in all {
            self.feed(invite, Input::HangUp(Departure::Normal { text: "the server is shutting down" }));
        }
    }

    /// Signalling is gone: no call can be led any further, nor any peer be told.
    fn abandon(&mut self) {
        self.stopping = true;
        error!(calls = self.calls.len(), "signalling has ended: every call is lost");
        let all: Vec<InviteId> = self.calls.keys().copied().collect();
        for invite in all {
            if let Some(active) = self.calls.get_mut(&invite) {
                active.signaling_over = true;
            }
            let fault = Fault::new(Blame::Ourselves, 500, "signalling has ended");
            self.feed(invite, Input::HangUp(Departure::Fault(fault)));
            self.settle(invite);
        }
    }

    /// What is left when the time for farewells is over: the records are written all the same.
    fn write_off(&mut self) {
        for (_, mut active) in std::mem::take(&mut self.calls) {
            warn!(call = %active.id, leg = %active.leg, "the peer did not confirm the end of its call");
            if !active.is_over() {
                self.media.close(active.leg);
            }
            if let Some(record) = active.take_record() {
                record.log();
            }
        }
    }

    fn on_signaling(&mut self, event: Event) {
        match event {
            Event::Incoming { invite, request, flow } => self.incoming(invite, &request, &flow),
            Event::Confirmed { invite, body } => self.feed(invite, Input::Acknowledged { sdp: body.into() }),
            Event::ReInvite { invite, request } => self.feed(invite, Input::Reoffered { sdp: request.body.into() }),
            Event::RefreshDue { invite } => self.feed(invite, Input::RefreshDue),
            Event::ReInviteAnswered { invite, response, awaits_ack: false } => {
                self.feed(invite, Input::Reanswered { sdp: response.body.into() });
            }
            Event::Digit { invite, digit, duration } => {
                if let Some(active) = self.calls.get(&invite) {
                    debug!(call = %active.id, leg = %active.leg, %digit, ?duration, "key pressed");
                }
            }
            Event::Request { id, request, .. } if request.method == Method::Info => {
                self.outbox.push(info_response(id, &request));
            }
            Event::Request { id, request, .. } => {
                // Nothing in `Allow` leads here yet; whatever does is refused rather than left to time out.
                debug!(method = %request.method, "request without a use");
                self.outbox.push(Command::Respond {
                    request: id,
                    status: status(501),
                    headers: Headers::new(),
                    body: None,
                });
            }
            Event::Ended { invite, cause } => self.ended(invite, cause),
            Event::ReInviteCancelled { .. }
            | Event::Progress { .. }
            | Event::Pracked { .. }
            | Event::Outcome { .. }
            | Event::Answered { .. }
            | Event::ReInviteAnswered { .. }
            | Event::ReInviteRejected { .. }
            // The event itself is not logged: an SDP in it may hold keys.
            | Event::Response { .. } => trace!("an event without a use"),
        }
    }

    fn on_media(&mut self, event: MediaEvent) {
        let leg = match &event {
            MediaEvent::Timeout { leg, .. }
            | MediaEvent::Digit { leg, .. }
            | MediaEvent::Talk { leg, .. }
            | MediaEvent::Closed { leg, .. }
            | MediaEvent::Failed { leg, .. } => *leg,
        };
        let Some(&invite) = self.legs.get(&leg) else { return };
        match event {
            MediaEvent::Timeout { kind, .. } => self.feed(invite, Input::MediaTimedOut(kind)),
            MediaEvent::Failed { fault, .. } => self.feed(invite, Input::MediaFailed(fault)),
            MediaEvent::Closed { report, .. } => {
                if let Some(active) = self.calls.get_mut(&invite) {
                    active.media = MediaStage::Closed(report);
                }
                self.settle(invite);
            }
            MediaEvent::Talk { talking, .. } => self.note_talk(invite, talking),
            MediaEvent::Digit { digit, duration, .. } => {
                if let Some(active) = self.calls.get(&invite) {
                    debug!(call = %active.id, leg = %leg, %digit, ?duration, "key pressed");
                }
            }
        }
    }

    fn note_talk(&mut self, invite: InviteId, talking: bool) {
        let now = self.now();
        let Some(active) = self.calls.get(&invite) else { return };
        debug!(call = %active.id, leg = %active.leg, talking, "talk");
        if let Destination::Room { name, .. } = &active.destination {
            self.rooms.talk(name, active.leg, talking, now);
        }
    }

    fn incoming(&mut self, invite: InviteId, request: &Request, flow: &Flow) {
        self.next += 1;
        let (id, leg) = (CallId(self.next), LegId(self.next));
        let call_id = request.headers.call_id().unwrap_or_default();
        info!(call = %id, leg = %leg, sip_call_id = %call_id, protocol = %flow.protocol, "call");
        debug!(call = %id, peer = %flow.remote, uri = %request.uri, "invited");
        match self.place(leg, request) {
            Ok(destination) => {
                info!(call = %id, leg = %leg, %destination, "call placed");
                let session_id = self.entropy.next_u64();
                let mut random = [0; OwnKeys::LEN];
                self.entropy.fill(&mut random);
                let call =
                    Call::new(self.settings.capabilities(&destination), session_id, OwnKeys::new(random));
                self.legs.insert(leg, invite);
                let active = ActiveCall {
                    id,
                    leg,
                    call,
                    destination,
                    peer: flow.remote.ip(),
                    answered: None,
                    ended: None,
                    ending: None,
                    srtp: None,
                    media: MediaStage::None,
                    sound: None,
                    signaling_over: false,
                };
                self.calls.insert(invite, active);
                self.feed(invite, Input::Offered { sdp: request.body.clone().into() });
            }
            Err(fault) => {
                info!(call = %id, status = fault.status, cause = &*fault.detail, "call refused");
                self.outbox.push(rejection(invite, &fault, &[]));
            }
        }
    }

    /// Where a new call goes.
    fn place(&mut self, leg: LegId, request: &Request) -> Result<Destination, Fault> {
        if self.stopping {
            return Err(Fault::new(Blame::Policy, 503, "the server is shutting down"));
        }
        if self.calls.len() >= self.settings.max_calls {
            let busy = Fault::new(Blame::Policy, 503, "as many calls as the configuration allows");
            return Err(busy.retry_after(Duration::from_secs(10)));
        }
        let Some(uri) = request.uri.as_sip() else {
            return Err(Fault::new(Blame::Peer, 404, "nobody has a number of this kind"));
        };
        let from = request.headers.from().ok();
        let from_user = from.as_ref().and_then(|f| f.uri.as_sip()).and_then(|u| u.user.clone());
        let wanted = tandem_routing::Request {
            user: uri.user.as_deref().unwrap_or(""),
            host: &uri.host.to_string(),
            from_user: from_user.as_deref().unwrap_or(""),
        };
        match decide(&wanted, &self.settings.table) {
            Decision::Echo => Ok(Destination::Echo),
            Decision::Tone => Ok(Destination::Tone),
            Decision::Reject(fault) => Err(fault),
            Decision::Room { name, .. } => {
                let display_name = from.and_then(|f| f.display).unwrap_or_default();
                let policy = self.settings.policy(&name);
                let conference = self.rooms.join(&name, policy, leg, display_name, self.now())?;
                Ok(Destination::Room { name, conference })
            }
        }
    }

    fn ended(&mut self, invite: InviteId, cause: EndCause) {
        let how = match cause {
            EndCause::Cancelled { reason } => PeerEnding::Cancelled { reason },
            EndCause::Bye { reason } => PeerEnding::Bye { reason },
            EndCause::NoAck => PeerEnding::NoAck,
            EndCause::Lost | EndCause::Expired | EndCause::Failed(_) | EndCause::Unanswered => {
                PeerEnding::Lost
            }
            EndCause::Local => PeerEnding::Ours,
        };
        if let Some(active) = self.calls.get_mut(&invite) {
            active.signaling_over = true;
        }
        self.feed(invite, Input::SignalingEnded(how));
        self.settle(invite);
    }

    /// Gives a call one input and does what it says, until it says no more.
    fn feed(&mut self, invite: InviteId, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let Some(active) = self.calls.get_mut(&invite) else { return };
            let mut outputs = Vec::new();
            active.call.handle(input, &mut outputs);
            for output in outputs {
                inputs.extend(self.perform(invite, output));
            }
        }
    }

    /// Does one thing that a call wants done; what comes of it is an input again.
    fn perform(&mut self, invite: InviteId, output: Output) -> Option<Input> {
        let active = self.calls.get_mut(&invite)?;
        match output {
            Output::OpenMedia => {
                return Some(match self.media.open(active.leg, active.peer, self.settings.timeouts) {
                    Ok(local) => {
                        active.media = MediaStage::Open;
                        Input::MediaOpened { local }
                    }
                    Err(fault) => Input::MediaRefused(fault),
                });
            }
            Output::Explain(explanation) => {
                debug!(call = %active.id, leg = %active.leg, "offer/answer:\n{explanation}");
            }
            Output::ConfigureMedia { epoch, stream } => {
                let (direction, codec) = (stream.direction.as_str(), stream.send.format.name());
                active.srtp = stream.srtp.as_ref().map(|srtp| srtp.suite);
                let srtp = active.srtp.map(SrtpSuite::name);
                info!(call = %active.id, leg = %active.leg, %epoch, codec, direction, srtp, "media agreed");
                let attachment = active.destination.attachment();
                let audio = self.settings.audio(&active.destination);
                if let Err(fault) = self.media.configure(active.leg, epoch, stream, attachment, audio) {
                    return Some(Input::MediaFailed(fault));
                }
                if active.sound.replace(audio.sound).unwrap_or_default() != audio.sound
                    && let Err(fault) = self.media.adjust(active.leg, audio.sound)
                {
                    return Some(Input::MediaFailed(fault));
                }
            }
            Output::Accept { sdp } => {
                active.answered.get_or_insert_with(Instant::now);
                self.outbox.push(Command::Answer {
                    invite,
                    contact_parameters: Some(active.destination.contact_parameters().into()),
                    headers: Headers::new(),
                    body: Some(Body::sdp(String::from(sdp))),
                });
            }
            Output::Offer { sdp } => {
                let body = Some(Body::sdp(String::from(sdp)));
                self.outbox.push(Command::ReInvite { invite, headers: Headers::new(), body });
            }
            Output::Refuse { fault, warnings } => {
                let (status, cause) = (fault.status, &*fault.detail);
                let why: Vec<&str> = warnings.iter().map(|warning| warning.text.as_str()).collect();
                let why = (!why.is_empty()).then(|| why.join("; "));
                info!(call = %active.id, leg = %active.leg, status, cause, why, "refused");
                self.outbox.push(rejection(invite, &fault, &warnings));
            }
            Output::HangUp { reason } => {
                let mut headers = Headers::new();
                headers.push(HeaderName::Reason, reason);
                self.outbox.push(Command::Bye { invite, headers });
            }
            Output::CloseMedia => self.close_media(invite),
            Output::Released(ending) => {
                active.ending = Some(ending);
                active.ended = Some(Instant::now());
                if let Destination::Room { name, .. } = &active.destination {
                    let (name, leg, now) = (name.clone(), active.leg, self.now());
                    self.rooms.leave(&name, leg, now);
                }
                self.settle(invite);
            }
        }
        None
    }

    fn close_media(&mut self, invite: InviteId) {
        if let Some(active) = self.calls.get_mut(&invite)
            && active.media == MediaStage::Open
        {
            active.media = MediaStage::Closing;
            self.media.close(active.leg);
        }
    }

    /// Writes the record once call and media are over, and forgets the call once its signalling is over too.
    fn settle(&mut self, invite: InviteId) {
        let Some(active) = self.calls.get_mut(&invite) else { return };
        if !active.is_over() {
            return;
        }
        if let Some(record) = active.take_record() {
            record.log();
        }
        if active.signaling_over {
            self.legs.remove(&active.leg);
            self.calls.remove(&invite);
        }
    }
}

async fn sleep_until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// A refusal with all that a peer can learn from it.
fn rejection(invite: InviteId, fault: &Fault, warnings: &[Warning]) -> Command {
    let mut headers = Headers::new();
    for warning in warnings {
        headers.push(HeaderName::Warning, warning.header_value(WARN_AGENT));
    }
    if let Retry::After(delay) = fault.retry {
        headers.push(HeaderName::RetryAfter, delay.as_secs().to_string());
    }
    Command::Reject { invite, status: status(fault.status), reason: None, headers }
}

/// RFC 6086 §4.2.2: INFO without a body is a sign of life; of bodies only keys are understood, and those came apart.
fn info_response(request: RequestId, info: &Request) -> Command {
    let mut headers = Headers::new();
    let status = if info.body.is_empty() {
        StatusCode::OK
    } else {
        headers.push(HeaderName::Accept, "application/dtmf-relay, application/dtmf");
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    };
    Command::Respond { request, status, headers, body: None }
}

/// A status from a fault; our own faults name valid ones.
fn status(code: u16) -> StatusCode {
    StatusCode::new(code).unwrap_or(StatusCode::SERVER_INTERNAL_ERROR)
}
