use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use tandem_base::{Entropy, Sink, Time};

use crate::digest::Client;
use crate::locate::Avoided;
use crate::transaction::{Tell, TransactionId, Transactions};
use crate::{HeaderName, Headers, Method, StatusCode};

use super::authenticate::Attempt;
use super::context::Context;
use super::delivery::{Delivery, Lookup};
use super::path::Path;
use super::usage::{Stage, Usage};
use super::{
    Command, Config, EndCause, Event, Failure, Flow, FlowId, Input, InviteId, LookupId, OutgoingId, Output,
    RequestId, Statistics, Target,
};

/// A SIP user agent: both client and server, for any number of calls.
#[derive(Debug)]
pub struct UserAgent {
    pub(super) config: Config,
    pub(super) texts: Texts,
    pub(super) transactions: Transactions<Owner>,
    pub(super) usages: BTreeMap<InviteId, Usage>,
    /// By our tag, which no two dialogs share.
    pub(super) tags: BTreeMap<String, InviteId>,
    pub(super) requests: BTreeMap<RequestId, PendingRequest>,
    pub(super) pending_invites: usize,
    /// Requests of ours that may be tried elsewhere, by their transaction.
    pub(super) deliveries: BTreeMap<TransactionId, Delivery>,
    pub(super) lookups: BTreeMap<LookupId, Lookup>,
    pub(super) avoided: Avoided,
    /// Who answers challenges for the calls that have credentials.
    pub(super) accounts: BTreeMap<InviteId, Client>,
    pub(super) attempts: BTreeMap<(InviteId, TransactionId), Attempt>,
    pub(super) statistics: Statistics,
    pub(super) last_lookup: u64,
    pub(super) last_invite: u64,
    pub(super) last_request: u64,
    connections: BTreeSet<(FlowId, InviteId)>,
    alarms: BTreeSet<(Time, Alarm)>,
}

/// Header values that never change, written once.
#[derive(Debug)]
pub(super) struct Texts {
    pub allow: Bytes,
    pub supported: Bytes,
    /// The same, one by one.
    pub options: Vec<String>,
    pub accept: Bytes,
    pub session_id: HeaderName,
    pub product: Bytes,
}

/// Whose a transaction is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// INVITE or re-INVITE, either way.
    Invite(InviteId),
    /// Our UPDATE.
    Update(InviteId),
    /// Our BYE.
    Bye(InviteId),
    /// Our PRACK, whose fate decides nothing: that of the INVITE does.
    Prack(InviteId),
    /// Another request of ours in a dialog.
    Asked(InviteId, Method),
    /// A request of ours outside of any dialog.
    Sent(OutgoingId),
    /// Nobody waits for its outcome.
    Nobody,
}

/// A request that the application is to answer.
#[derive(Debug)]
pub(super) struct PendingRequest {
    pub transaction: TransactionId,
    /// Via, From, To with our tag, Call-ID, CSeq.
    pub base: Headers,
    pub until: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Alarm {
    Usage(InviteId),
    Request(RequestId),
    Lookup(LookupId),
}

impl UserAgent {
    /// Idle, nothing received.
    pub fn new(config: Config) -> Self {
        let limits = config.limits;
        UserAgent {
            texts: Texts::of(&config),
            transactions: Transactions::new(
                config.timing,
                limits.transactions,
                limits.transactions_per_source,
            ),
            config,
            usages: BTreeMap::new(),
            tags: BTreeMap::new(),
            requests: BTreeMap::new(),
            pending_invites: 0,
            deliveries: BTreeMap::new(),
            lookups: BTreeMap::new(),
            avoided: Avoided::default(),
            accounts: BTreeMap::new(),
            attempts: BTreeMap::new(),
            statistics: Statistics::default(),
            last_lookup: 0,
            last_invite: 0,
            last_request: 0,
            connections: BTreeSet::new(),
            alarms: BTreeSet::new(),
        }
    }

    /// Adds an address that a wildcard listener turned out to have towards some peer, so that flows with it as
    /// their local end are known by it.
    pub fn learn_listener(&mut self, listener: super::Listener) {
        self.config.identity.learn(listener);
    }

    /// Takes one input; everything that follows from it, and all that is due at `now`, is put into `out`.
    pub fn handle(
        &mut self,
        input: Input,
        now: Time,
        entropy: &mut impl Entropy,
        out: &mut impl Sink<Output>,
    ) {
        let cx = &mut Context { now, entropy, out };
        match input {
            Input::Received { flow, bytes } => self.receive(&flow, bytes, cx),
            Input::Unframed { flow, error } => self.unframed(&flow, &error, cx),
            Input::FlowClosed(flow) => self.flow_closed(&flow, cx),
            Input::SendFailed(target) => self.send_failed(&target, cx),
            Input::Located { lookup, targets } => self.located(lookup, targets, cx),
            Input::Command(command) => self.command(command, cx),
            Input::Tick => {}
        }
        self.expire(cx);
    }

    /// When [`Input::Tick`] is due; `None` when nothing is pending.
    pub fn deadline(&self) -> Option<Time> {
        let alarm = self.alarms.first().map(|(at, _)| *at);
        super::path::earliest([alarm, self.transactions.deadline()])
    }

    /// Neither transaction nor usage nor pending request is left.
    pub fn is_idle(&self) -> bool {
        self.transactions.is_empty()
            && self.usages.is_empty()
            && self.tags.is_empty()
            && self.requests.is_empty()
            && self.deliveries.is_empty()
            && self.lookups.is_empty()
            && self.accounts.is_empty()
            && self.attempts.is_empty()
            && self.alarms.is_empty()
            && self.connections.is_empty()
            && self.pending_invites == 0
    }

    /// Usages alive: calls in any stage.
    pub fn usage_count(&self) -> usize {
        self.usages.len()
    }

    /// Transactions alive, those that only absorb retransmissions included.
    pub fn transaction_count(&self) -> usize {
        self.transactions.len()
    }

    /// What was counted so far.
    pub const fn statistics(&self) -> Statistics {
        self.statistics
    }

    fn command(&mut self, command: Command, cx: &mut Context<'_>) {
        let fits = match command {
            Command::Provisional { invite, status, headers, body } => {
                self.provisional(invite, status, &headers, body, cx)
            }
            Command::Answer { invite, contact_parameters, headers, body } => {
                self.answer(invite, contact_parameters, &headers, body, cx)
            }
            Command::Reject { invite, status, reason, headers } => {
                self.reject(invite, status, reason, &headers, cx)
            }
            Command::Invite { invite, call } => self.invite(invite, *call, cx),
            Command::Ack { invite, body } => self.ack(invite, body, cx),
            Command::Cancel { invite, headers } => self.cancel(invite, headers, cx),
            Command::ReInvite { invite, headers, body } => self.reinvite(invite, headers, body, cx),
            Command::Update { invite, headers, body } => self.update(invite, headers, body, cx),
            Command::Bye { invite, headers } => self.hang_up(invite, headers, cx),
            Command::Authenticate { invite, credentials } => self.know(invite, credentials),
            Command::Request { invite, method, headers, body } => {
                self.ask(invite, method, &headers, body, cx)
            }
            Command::Send { request, new } => self.send(request, *new, cx),
            Command::Respond { request, status, headers, body } => {
                self.respond(request, status, &headers, body, cx)
            }
        };
        if fits.is_none() {
            self.statistics.ignored_commands += 1;
        }
    }

    fn expire(&mut self, cx: &mut Context<'_>) {
        loop {
            while let Some((id, owner, tell)) = self.transactions.expire(cx.now, &mut cx.out) {
                self.transaction_failed(id, owner, tell, cx);
            }
            match self.alarms.first().copied() {
                Some((at, alarm)) if at <= cx.now => self.ring(at, alarm, cx),
                _ => return,
            }
        }
    }

    fn ring(&mut self, at: Time, alarm: Alarm, cx: &mut Context<'_>) {
        self.alarms.remove(&(at, alarm));
        match alarm {
            Alarm::Usage(id) => {
                if let Some(usage) = self.usages.get_mut(&id) {
                    usage.armed = None;
                    self.usage_due(id, cx);
                    self.arm(id);
                }
            }
            Alarm::Lookup(id) => self.located(id, Vec::new(), cx),
            // RFC 4320 §4.1: a late answer to a non-INVITE request helps nobody.
            Alarm::Request(id) => {
                if let Some(pending) = self.requests.remove(&id) {
                    self.transactions.forget(pending.transaction);
                }
            }
        }
    }

    pub(super) fn insert_lookup(&mut self, id: LookupId, lookup: Lookup) {
        self.alarms.insert((lookup.until, Alarm::Lookup(id)));
        self.lookups.insert(id, lookup);
    }

    pub(super) fn remove_lookup(&mut self, id: LookupId) -> Option<Lookup> {
        let lookup = self.lookups.remove(&id)?;
        self.alarms.remove(&(lookup.until, Alarm::Lookup(id)));
        Some(lookup)
    }

    /// Sets the alarm of a usage to what is due next in it. To be called after each change of its exchange.
    pub(super) fn arm(&mut self, id: InviteId) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        let deadline = usage.deadline();
        if usage.armed == deadline {
            return;
        }
        if let Some(at) = usage.armed {
            self.alarms.remove(&(at, Alarm::Usage(id)));
        }
        if let Some(at) = deadline {
            self.alarms.insert((at, Alarm::Usage(id)));
        }
        usage.armed = deadline;
    }

    pub(super) fn insert_request(&mut self, id: RequestId, pending: PendingRequest) {
        self.alarms.insert((pending.until, Alarm::Request(id)));
        self.requests.insert(id, pending);
    }

    pub(super) fn remove_request(&mut self, id: RequestId) -> Option<PendingRequest> {
        let pending = self.requests.remove(&id)?;
        self.alarms.remove(&(pending.until, Alarm::Request(id)));
        Some(pending)
    }

    /// Notes how the peer was heard last.
    pub(super) fn set_path(&mut self, id: InviteId, path: Path) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        if usage.path == Some(path) {
            return;
        }
        if let Some(old) = usage.path.replace(path) {
            self.connections.remove(&(old.flow().id, id));
        }
        if path.flow().protocol.is_reliable() {
            self.connections.insert((path.flow().id, id));
        }
    }

    pub(super) fn insert_usage(&mut self, id: InviteId, usage: Usage) {
        if usage.stage == Stage::Early && !usage.caller {
            self.pending_invites += 1;
        }
        self.tags.insert(usage.local_tag.clone(), id);
        self.usages.insert(id, usage);
    }

    /// The first INVITE of a usage got its final response.
    pub(super) fn leave_early(&mut self, id: InviteId, next: Stage) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        let early = std::mem::replace(&mut usage.stage, next) == Stage::Early;
        if early && !usage.caller {
            self.pending_invites = self.pending_invites.saturating_sub(1);
        }
    }

    /// Forgets a usage and tells the application.
    pub(super) fn end(&mut self, id: InviteId, cause: EndCause, cx: &mut Context<'_>) -> Option<Usage> {
        self.leave_early(id, Stage::Ending);
        self.refuse_update(id, StatusCode::REQUEST_TERMINATED, None, &Headers::new(), cx);
        self.refuse_held(id, StatusCode::REQUEST_TERMINATED, cx);
        let usage = self.usages.remove(&id)?;
        if let Some(at) = usage.armed {
            self.alarms.remove(&(at, Alarm::Usage(id)));
        }
        if let Some(path) = &usage.path {
            self.connections.remove(&(path.flow().id, id));
        }
        self.tags.remove(&usage.local_tag);
        self.forget_account(id);
        self.abandon(&usage.exchange, cx);
        cx.ended(id, cause);
        Some(usage)
    }

    fn flow_closed(&mut self, flow: &Flow, cx: &mut Context<'_>) {
        let range = (flow.id, InviteId(0))..=(flow.id, InviteId(u64::MAX));
        let ids: Vec<InviteId> = self.connections.range(range).map(|(_, id)| *id).collect();
        for id in ids {
            self.connections.remove(&(flow.id, id));
            if let Some(path) = self.usages.get_mut(&id).and_then(|u| u.path.as_mut()) {
                path.close();
            }
        }
        for (id, owner) in self.transactions.flow_closed(flow, cx.now, &mut cx.out) {
            self.transaction_failed(id, owner, Tell::TransportFailed, cx);
        }
    }

    fn send_failed(&mut self, target: &Target, cx: &mut Context<'_>) {
        self.look_for_strays(target, cx);
        self.send_acks_elsewhere(target, cx);
        for (id, owner) in self.transactions.target_failed(target, cx.now, &mut cx.out) {
            self.transaction_failed(id, owner, Tell::TransportFailed, cx);
        }
    }

    pub(super) fn transaction_failed(
        &mut self,
        id: TransactionId,
        owner: Owner,
        tell: Tell,
        cx: &mut Context<'_>,
    ) {
        if self.fails_over(id, &owner, tell, cx) {
            return;
        }
        self.take_attempt(id, &owner);
        let failure = if tell == Tell::Timeout { Failure::Timeout } else { Failure::Unreachable };
        match owner {
            Owner::Invite(invite) => self.invite_failed(invite, id, failure, cx),
            Owner::Update(invite) => self.update_failed(invite, id, failure, cx),
            // RFC 3261 §15.1.1: a BYE that nobody answers ends the session all the same.
            Owner::Bye(invite) => drop(self.end(invite, EndCause::Local, cx)),
            Owner::Asked(invite, method) => {
                if self.usages.contains_key(&invite) {
                    let lost = matches!(failure, Failure::Timeout);
                    cx.event(Event::Response { invite, method, result: Err(failure) });
                    if lost {
                        self.lose(invite, cx);
                    }
                }
            }
            Owner::Sent(request) => cx.event(Event::Outcome { request, result: Err(failure) }),
            Owner::Prack(_) | Owner::Nobody => {}
        }
    }
}
