use serde::{Deserialize, Serialize};
use tandem_base::{Blame, Direction, Epoch, Fault, LocalMedia, MediaTimeout, Sink};
use tandem_sdp::{
    Answer, Capabilities, Local, Negotiated, Offer, OwnKeys, Refusal, accept_answer, answer, examine, offer,
};

use crate::{CallEnding, Departure, EndedBy, Input, Output, PeerEnding, Sdp};

/// Where a call stands. Each stage owns just what it needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Stage {
    /// Nothing has come yet.
    New,
    /// Ports are being opened for this offer; an empty one asks for ours.
    Opening {
        /// The peer's offer.
        sdp: Sdp,
    },
    /// Our 200 made an offer; the ACK is to bring the answer (RFC 3261 §13.2.1).
    Offering {
        /// Our ports.
        media: LocalMedia,
        /// What we offered.
        offer: Box<Offer>,
        /// What holds until it is answered; nothing in the first exchange.
        current: Option<Box<Negotiated>>,
    },
    /// Offer and answer are through.
    Agreed {
        /// Our ports.
        media: LocalMedia,
        /// What holds.
        negotiated: Box<Negotiated>,
    },
    /// [`Output::Released`] is said.
    Over,
}

/// A call of one leg that came from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    capabilities: Capabilities,
    session_id: u64,
    keys: OwnKeys,
    epoch: Epoch,
    stage: Stage,
}

impl Call {
    /// `session_id` names our side in SDP and is drawn at random (RFC 8866 §5.2), as are the keys that we encrypt with.
    pub fn new(capabilities: Capabilities, session_id: u64, keys: OwnKeys) -> Self {
        Call { capabilities, session_id, keys, epoch: Epoch(0), stage: Stage::New }
    }

    /// Where it stands.
    pub const fn stage(&self) -> &Stage {
        &self.stage
    }

    /// What holds at present; `None` before the first agreement and after the end.
    pub fn negotiated(&self) -> Option<&Negotiated> {
        match &self.stage {
            Stage::Agreed { negotiated, .. } => Some(negotiated),
            Stage::Offering { current, .. } => current.as_deref(),
            Stage::New | Stage::Opening { .. } | Stage::Over => None,
        }
    }

    /// Takes one input. After [`Output::Released`] nothing has an effect any more.
    pub fn handle(&mut self, input: Input, out: &mut impl Sink<Output>) {
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        self.stage = match (stage, input) {
            (Stage::Over, _) => Stage::Over,
            (Stage::New, Input::Offered { sdp }) => self.offered(sdp, out),
            (Stage::Opening { sdp }, Input::MediaOpened { local }) => self.opened(&sdp, local, out),
            (stage @ (Stage::New | Stage::Opening { .. }), Input::MediaRefused(fault)) => {
                refuse(stage, fault, out)
            }
            (Stage::Agreed { media, negotiated }, Input::Reoffered { sdp }) => {
                self.reoffered(media, negotiated, &sdp, out)
            }
            // One offer at a time (RFC 3264 §4); the peer may try again once it has answered ours.
            (stage @ Stage::Offering { .. }, Input::Reoffered { .. }) => pending(stage, out),
            (Stage::Offering { media, offer, current }, Input::Acknowledged { sdp }) => {
                self.answered(media, &offer, current, &sdp, out)
            }
            (Stage::Agreed { media, negotiated }, Input::RefreshDue) => {
                out.emit(Output::Offer { sdp: negotiated.local_sdp.clone() });
                Stage::Agreed { media, negotiated }
            }
            (Stage::Agreed { media, negotiated }, Input::Reanswered { sdp }) => {
                self.reanswered(media, negotiated, &sdp, out)
            }
            // What was to be refreshed is being negotiated anew.
            (stage @ Stage::Offering { .. }, Input::RefreshDue | Input::Reanswered { .. }) => stage,
            // The ACK for an answer of ours tells nothing new.
            (stage @ Stage::Agreed { .. }, Input::Acknowledged { .. }) => stage,
            (stage, Input::MediaTimedOut(kind)) => leave(stage, EndedBy::Network, &silent(kind), out),
            (stage, Input::MediaFailed(fault)) => leave(stage, EndedBy::Ourselves, &fault, out),
            (stage, Input::HangUp(Departure::Fault(fault))) => leave(stage, EndedBy::Ourselves, &fault, out),
            (stage, Input::HangUp(Departure::Normal { text })) => hang_up(stage, text, out),
            (stage, Input::SignalingEnded(how)) => release(stage, ending(how), out),
            (stage, _) => out_of_place(stage, out),
        };
    }

    /// Looks at the offer before any port is opened for it.
    fn offered(&self, sdp: Sdp, out: &mut impl Sink<Output>) -> Stage {
        if !sdp.is_empty()
            && let Err(refusal) = examine(&sdp, &self.capabilities)
        {
            let fault = explain(refusal, out);
            out.emit(Output::Released(CallEnding::fault(EndedBy::Ourselves, &fault)));
            return Stage::Over;
        }
        out.emit(Output::OpenMedia);
        Stage::Opening { sdp }
    }

    fn opened(&mut self, sdp: &Sdp, media: LocalMedia, out: &mut impl Sink<Output>) -> Stage {
        if sdp.is_empty() {
            return self.make_offer(media, None, out);
        }
        match answer(sdp, &self.capabilities, &self.local(media), None) {
            Ok(answer) => self.agree(media, answer, out),
            Err(refusal) => {
                let fault = explain(refusal, out);
                out.emit(Output::CloseMedia);
                out.emit(Output::Released(CallEnding::fault(EndedBy::Ourselves, &fault)));
                Stage::Over
            }
        }
    }

    fn reoffered(
        &mut self,
        media: LocalMedia,
        negotiated: Box<Negotiated>,
        sdp: &Sdp,
        out: &mut impl Sink<Output>,
    ) -> Stage {
        if sdp.is_empty() {
            return self.make_offer(media, Some(negotiated), out);
        }
        match answer(sdp, &self.capabilities, &self.local(media), Some(&negotiated)) {
            Ok(answer) => self.agree(media, answer, out),
            Err(refusal) => {
                // The session stays as it was (RFC 6141 §3.1).
                explain(refusal, out);
                Stage::Agreed { media, negotiated }
            }
        }
    }

    /// The answer to an offer that changed nothing mostly changes nothing either; but the peer may have moved.
    fn reanswered(
        &mut self,
        media: LocalMedia,
        mut negotiated: Box<Negotiated>,
        sdp: &Sdp,
        out: &mut impl Sink<Output>,
    ) -> Stage {
        // What the peer says of its side reads the same in an offer, and names the formats that hold already.
        match answer(sdp, &self.capabilities, &self.local(media), Some(&negotiated)) {
            Ok(answer) if answer.negotiated.stream != negotiated.stream => {
                out.emit(Output::Explain(answer.explanation));
                negotiated.stream = answer.negotiated.stream;
                self.configure(&negotiated, out);
            }
            Ok(_) => {}
            // What was agreed before holds on.
            Err(refusal) => out.emit(Output::Explain(refusal.explanation)),
        }
        Stage::Agreed { media, negotiated }
    }

    fn agree(&mut self, media: LocalMedia, answer: Answer, out: &mut impl Sink<Output>) -> Stage {
        out.emit(Output::Explain(answer.explanation));
        self.configure(&answer.negotiated, out);
        out.emit(Output::Accept { sdp: answer.sdp });
        Stage::Agreed { media, negotiated: Box::new(answer.negotiated) }
    }

    fn make_offer(
        &self,
        media: LocalMedia,
        current: Option<Box<Negotiated>>,
        out: &mut impl Sink<Output>,
    ) -> Stage {
        let offer = offer(&self.capabilities, &self.local(media), current.as_deref());
        out.emit(Output::Accept { sdp: offer.sdp.clone() });
        Stage::Offering { media, offer: Box::new(offer), current }
    }

    fn answered(
        &mut self,
        media: LocalMedia,
        offer: &Offer,
        current: Option<Box<Negotiated>>,
        sdp: &Sdp,
        out: &mut impl Sink<Output>,
    ) -> Stage {
        match (accept_answer(offer, sdp, current.as_deref()), current) {
            (Ok(accepted), _) => {
                out.emit(Output::Explain(accepted.explanation));
                self.configure(&accepted.negotiated, out);
                Stage::Agreed { media, negotiated: Box::new(accepted.negotiated) }
            }
            // An unusable answer to a later offer leaves what was agreed before.
            (Err(refusal), Some(mut negotiated)) => {
                out.emit(Output::Explain(refusal.explanation));
                negotiated.offered_in_vain(offer);
                Stage::Agreed { media, negotiated }
            }
            (Err(refusal), None) => {
                let fault = refusal.fault();
                out.emit(Output::Explain(refusal.explanation));
                let stage = Stage::Offering { media, offer: Box::new(offer.clone()), current: None };
                leave(stage, EndedBy::Ourselves, &fault, out)
            }
        }
    }

    fn configure(&mut self, negotiated: &Negotiated, out: &mut impl Sink<Output>) {
        self.epoch = Epoch(self.epoch.0.wrapping_add(1));
        out.emit(Output::ConfigureMedia { epoch: self.epoch, stream: negotiated.stream.clone() });
    }

    fn local(&self, media: LocalMedia) -> Local {
        let (session_id, keys) = (self.session_id, self.keys.clone());
        Local { session_id, media, direction: Direction::SendRecv, keys, dtls: None }
    }
}

impl Stage {
    /// Is the INVITE still unanswered?
    const fn is_early(&self) -> bool {
        matches!(self, Stage::New | Stage::Opening { .. })
    }

    /// Are ports open?
    const fn has_media(&self) -> bool {
        matches!(self, Stage::Offering { .. } | Stage::Agreed { .. })
    }
}

/// Says why there is no agreement.
fn explain(refusal: Refusal, out: &mut impl Sink<Output>) -> Fault {
    let fault = refusal.fault();
    out.emit(Output::Explain(refusal.explanation));
    out.emit(Output::Refuse { fault: fault.clone(), warnings: refusal.warnings });
    fault
}

fn refuse(stage: Stage, fault: Fault, out: &mut impl Sink<Output>) -> Stage {
    let ending = CallEnding::fault(EndedBy::Ourselves, &fault);
    out.emit(Output::Refuse { fault, warnings: Vec::new() });
    release(stage, ending, out)
}

fn leave(stage: Stage, by: EndedBy, fault: &Fault, out: &mut impl Sink<Output>) -> Stage {
    if stage.is_early() {
        return refuse(stage, fault.clone(), out);
    }
    let ending = CallEnding::fault(by, fault);
    out.emit(Output::HangUp { reason: ending.reason_value() });
    release(stage, ending, out)
}

fn hang_up(stage: Stage, text: &'static str, out: &mut impl Sink<Output>) -> Stage {
    if stage.is_early() {
        return refuse(stage, Fault::new(Blame::Policy, 480, text), out);
    }
    let ending = CallEnding::normal(EndedBy::Ourselves, text);
    out.emit(Output::HangUp { reason: ending.reason_value() });
    release(stage, ending, out)
}

fn release(stage: Stage, ending: CallEnding, out: &mut impl Sink<Output>) -> Stage {
    if stage.has_media() {
        out.emit(Output::CloseMedia);
    }
    out.emit(Output::Released(ending));
    Stage::Over
}

fn pending(stage: Stage, out: &mut impl Sink<Output>) -> Stage {
    let fault = Fault::new(Blame::Peer, 491, "our offer still waits for its answer");
    out.emit(Output::Refuse { fault, warnings: Vec::new() });
    stage
}

/// The shell and the SIP layer see to the order of things; if they ever do not, the call ends, and says so.
fn out_of_place(stage: Stage, out: &mut impl Sink<Output>) -> Stage {
    let fault = Fault::new(Blame::Ourselves, 500, "offer and answer came out of order");
    leave(stage, EndedBy::Ourselves, &fault, out)
}

fn silent(kind: MediaTimeout) -> Fault {
    let detail = match kind {
        MediaTimeout::Setup => "no media ever arrived",
        MediaTimeout::Talk => "media stopped arriving",
        MediaTimeout::Hold => "nothing arrived while on hold",
    };
    Fault::new(Blame::Network, 408, detail)
}

fn ending(how: PeerEnding) -> CallEnding {
    match how {
        PeerEnding::Bye { reason } => CallEnding::by_peer(200, reason.as_deref(), "hung up"),
        PeerEnding::Cancelled { reason } => {
            CallEnding::by_peer(487, reason.as_deref(), "cancelled before the answer")
        }
        PeerEnding::NoAck => lost("the answer was never acknowledged"),
        PeerEnding::Lost => lost("the peer no longer knows the call"),
        PeerEnding::Ours => CallEnding::normal(EndedBy::Ourselves, "ended"),
    }
}

fn lost(detail: &'static str) -> CallEnding {
    CallEnding::fault(EndedBy::Network, &Fault::new(Blame::Network, 408, detail))
}
