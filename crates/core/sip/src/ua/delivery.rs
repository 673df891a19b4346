//! Requests and responses whose next hop is a name: looking it up, and trying one server after the other
//! (RFC 3263 §4.3, §5).

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tandem_base::Time;

use crate::locate::{Avoided, Destination, Reach, Search};
use crate::transaction::{OtherAck, SentAck, Tell, TransactionId};
use crate::{HeaderName, NameAddr, Request, Response, StatusCode};

use super::agent::{Owner, UserAgent};
use super::context::Context;
use super::path::{Way, same_socket};
use super::usage::{Exchange, Progress};
use super::{Failure, InviteId, LookupId, Output, Protocol, Target};

/// How long a search may take before nothing is taken to be found.
const SEARCH: Duration = Duration::from_secs(5);
/// Most servers that one request tries.
const MOST_TRIES: u8 = 8;

/// How often an ACK is sent to one server while there is another: until 3.5 s after the 2xx (RFC 3261 §13.3.1.4).
const MOST_ACKS: u8 = 3;

/// A request of ours that may be tried elsewhere.
#[derive(Debug)]
pub(super) struct Delivery {
    /// Without Via; its Contact is written anew for each server.
    request: Request,
    owner: Owner,
    /// Still to be tried, the best first.
    rest: VecDeque<Target>,
    /// Where it went last.
    current: Option<Target>,
    tries: u8,
    /// The present server has sent a provisional response.
    heard: bool,
    /// From then on no other server is tried.
    until: Time,
    /// Where the peer was last heard, should nothing be found.
    last: Option<Target>,
}

/// A search under way.
#[derive(Debug)]
pub(super) struct Lookup {
    purpose: Purpose,
    pub until: Time,
}

#[derive(Debug)]
enum Purpose {
    /// For a request that waits in the deliveries.
    Request(TransactionId),
    /// For the ACK to a 2xx.
    Ack { transaction: TransactionId, remote_tag: String, ack: Box<Request>, last: Option<Target> },
    /// For the responses of a server transaction.
    Response(TransactionId),
}

impl UserAgent {
    /// Looks a request's way up and sends it then. `None` when too much waits already.
    pub(super) fn deliver_to(
        &mut self,
        request: Request,
        destination: Destination,
        last: Option<Target>,
        owner: Owner,
        cx: &mut Context<'_>,
    ) -> Option<TransactionId> {
        if self.deliveries.len() >= self.config.limits.transactions {
            return None;
        }
        let id = self.transactions.reserve();
        let until = cx.now + self.config.limits.ringing;
        let delivery = Delivery {
            request,
            owner,
            rest: VecDeque::new(),
            current: None,
            tries: 0,
            heard: false,
            until,
            last,
        };
        self.deliveries.insert(id, delivery);
        self.look_up(Purpose::Request(id), destination, cx);
        Some(id)
    }

    /// Sends a request to the first of these; to the next where that fails.
    pub(super) fn deliver_by(
        &mut self,
        targets: [Target; 2],
        request: Request,
        owner: Owner,
        cx: &mut Context<'_>,
    ) -> Option<TransactionId> {
        let id = self.transactions.reserve();
        let until = cx.now + self.config.limits.ringing;
        let (rest, current, last) = (VecDeque::from(targets), None, None);
        let delivery = Delivery { request, owner, rest, current, tries: 0, heard: false, until, last };
        self.deliveries.insert(id, delivery);
        self.advance(id, cx).then_some(id)
    }

    /// Sends the ACK for a 2xx and notes it, so that it can be sent again.
    pub(super) fn send_ack(
        &mut self,
        transaction: TransactionId,
        remote_tag: String,
        mut ack: Request,
        way: Way,
        cx: &mut Context<'_>,
    ) {
        self.authorize_ack(transaction, &mut ack);
        match way {
            Way::To(target) => {
                let ack = self.transmit_ack(ack, target, cx);
                self.transactions.note_ack(transaction, SentAck { remote_tag, ack, others: None });
            }
            Way::Locate { destination, last } => {
                let noted = SentAck { remote_tag: remote_tag.clone(), ack: None, others: None };
                self.transactions.note_ack(transaction, noted);
                let ack = Box::new(ack);
                self.look_up(Purpose::Ack { transaction, remote_tag, ack, last }, destination, cx);
            }
        }
    }

    /// Sends an ACK to the first of these; should that fail, it can be sent to the next.
    fn try_ack(
        &mut self,
        transaction: TransactionId,
        remote_tag: String,
        mut others: Box<OtherAck>,
        cx: &mut Context<'_>,
    ) {
        let Some(target) = others.targets.pop_front() else { return };
        others.tries = 1;
        let ack = self.transmit_ack(others.request.clone(), target, cx);
        let others = (!others.targets.is_empty()).then_some(others);
        self.transactions.note_ack(transaction, SentAck { remote_tag, ack, others });
    }

    /// The 2xx came again: the ACK was lost, or goes where nobody is.
    pub(super) fn repeat_ack(
        &mut self,
        transaction: TransactionId,
        mut sent: SentAck,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let (target, bytes) = sent.ack.clone()?;
        match &mut sent.others {
            Some(others) if others.tries >= MOST_ACKS => {
                self.try_ack(transaction, sent.remote_tag, sent.others.take()?, cx);
                return Some(());
            }
            Some(others) => others.tries += 1,
            None => {}
        }
        cx.send(target, bytes);
        if sent.others.is_some() {
            self.transactions.note_ack(transaction, sent);
        }
        Some(())
    }

    /// Nothing can be sent there: the ACKs that were go elsewhere (§4.3), as far as that is known.
    pub(super) fn send_acks_elsewhere(&mut self, target: &Target, cx: &mut Context<'_>) {
        for (id, SentAck { remote_tag, others, .. }) in self.transactions.acks_to(target) {
            if let Some(others) = others {
                self.avoided.add(target.protocol(), target.remote(), Avoided::SILENT, cx.now);
                self.try_ack(id, remote_tag, others, cx);
            }
        }
    }

    /// Server transactions whose connection is gone and whose peer cannot be connected to: RFC 3263 §5.
    pub(super) fn look_for_strays(&mut self, target: &Target, cx: &mut Context<'_>) {
        for (id, destination) in self.transactions.astray(target) {
            self.look_up(Purpose::Response(id), destination, cx);
        }
    }

    fn look_up(&mut self, purpose: Purpose, destination: Destination, cx: &mut Context<'_>) {
        self.last_lookup += 1;
        let id = LookupId(self.last_lookup);
        self.insert_lookup(id, Lookup { purpose, until: cx.now + SEARCH });
        let search = Box::new(Search::new(destination, self.reach()));
        cx.out.emit(Output::Locate { lookup: id, search });
    }

    /// What we can connect to: nobody connects to WebSocket clients (RFC 7118 §5).
    fn reach(&self) -> Reach {
        let mut reach = Reach::default();
        for listener in &self.config.identity.listeners {
            if matches!(listener.protocol, Protocol::Udp | Protocol::Tcp | Protocol::Tls) {
                reach.add(listener.protocol, listener.local.ip());
            }
        }
        reach
    }

    /// A search came to its end.
    pub(super) fn located(&mut self, id: LookupId, mut targets: Vec<Target>, cx: &mut Context<'_>) {
        let Some(lookup) = self.remove_lookup(id) else { return };
        // A stable sort: those to be avoided last, for they may be all there is.
        targets.sort_by_key(|target| self.avoided.contains(target.protocol(), target.remote(), cx.now));
        match lookup.purpose {
            Purpose::Request(id) => self.request_located(id, targets, cx),
            Purpose::Ack { transaction, remote_tag, ack, last } => {
                let targets = reached_from(targets, last);
                let others = Box::new(OtherAck { request: *ack, targets, tries: 0 });
                self.try_ack(transaction, remote_tag, others, cx);
            }
            Purpose::Response(id) => match targets.first() {
                Some(target) => self.transactions.redirect(id, *target, &mut cx.out),
                // Nobody waits for the fate of a response.
                None => drop(self.transactions.strand(id, cx.now, &mut cx.out)),
            },
        }
    }

    fn request_located(&mut self, id: TransactionId, targets: Vec<Target>, cx: &mut Context<'_>) {
        // None where it was taken back meanwhile.
        let Some(delivery) = self.deliveries.get_mut(&id) else { return };
        delivery.rest = reached_from(targets, delivery.last);
        let owner = delivery.owner.clone();
        if !self.advance(id, cx) {
            self.transaction_failed(id, owner, Tell::TransportFailed, cx);
        }
    }

    /// Sends a request to the next server, in a transaction of its own (§4.3). False when none is left.
    fn advance(&mut self, id: TransactionId, cx: &mut Context<'_>) -> bool {
        loop {
            let Some(delivery) = self.deliveries.get_mut(&id) else { return false };
            let is_over = delivery.tries >= MOST_TRIES || delivery.until <= cx.now;
            let Some(target) = delivery.rest.pop_front().filter(|_| !is_over) else {
                self.deliveries.remove(&id);
                return false;
            };
            delivery.tries += 1;
            delivery.heard = false;
            delivery.current = Some(target);
            let (mut request, owner) = (delivery.request.clone(), delivery.owner.clone());
            self.refresh_contact(&mut request, &target);
            if self.transmit_as(id, request, target, owner, cx).is_some() {
                return true;
            }
        }
    }

    /// A transaction came to nothing. True when it goes on with another server.
    pub(super) fn fails_over(
        &mut self,
        id: TransactionId,
        owner: &Owner,
        tell: Tell,
        cx: &mut Context<'_>,
    ) -> bool {
        let Some(delivery) = self.deliveries.get(&id) else { return false };
        // §4.3: the time-out of a server that was never heard.
        let failed = tell == Tell::TransportFailed || !delivery.heard;
        if let (true, Some(target)) = (failed, delivery.current) {
            self.avoided.add(target.protocol(), target.remote(), Avoided::SILENT, cx.now);
        }
        if !failed {
            self.deliveries.remove(&id);
            return false;
        }
        self.tries_again(id, owner, cx)
    }

    /// A response came. True when it is a 503 and the request goes on with another server.
    pub(super) fn passes_on(&mut self, id: TransactionId, response: &Response, cx: &mut Context<'_>) -> bool {
        let Some(delivery) = self.deliveries.get_mut(&id) else { return false };
        let owner = delivery.owner.clone();
        let current = delivery.current;
        if response.status.is_provisional() {
            delivery.heard = true;
        } else if response.status != StatusCode::SERVICE_UNAVAILABLE {
            self.deliveries.remove(&id);
        } else {
            self.note_refusal(current, response, cx);
            let goes_on = self.has_another(id, &owner);
            if goes_on {
                // §17.1.1.2: what was refused absorbs repetitions of the refusal.
                self.transactions.step_aside(id, Owner::Nobody);
            }
            return self.tries_again(id, &owner, cx);
        }
        if let Some(target) = current {
            self.avoided.clear(target.protocol(), target.remote());
        }
        false
    }

    /// RFC 3261 §21.5.4: without Retry-After the server may be asked again at once.
    fn note_refusal(&mut self, target: Option<Target>, response: &Response, cx: &mut Context<'_>) {
        let seconds = response.headers.text(&HeaderName::RetryAfter).and_then(leading_number);
        if let (Some(target), Some(seconds)) = (target, seconds) {
            self.avoided.add(target.protocol(), target.remote(), Duration::from_secs(seconds), cx.now);
        }
    }

    fn has_another(&self, id: TransactionId, owner: &Owner) -> bool {
        let more = self.deliveries.get(&id).is_some_and(|delivery| !delivery.rest.is_empty());
        more && self.is_wanted(owner)
    }

    fn tries_again(&mut self, id: TransactionId, owner: &Owner, cx: &mut Context<'_>) -> bool {
        let goes_on = self.has_another(id, owner) && self.advance(id, cx);
        if goes_on {
            self.statistics.fail_overs += 1;
            self.begin_again(owner, cx);
        } else {
            self.deliveries.remove(&id);
        }
        goes_on
    }

    /// An INVITE that was taken back must not be sent again.
    pub(super) fn is_wanted(&self, owner: &Owner) -> bool {
        let Owner::Invite(id) = owner else { return true };
        match self.usages.get(id).map(|usage| &usage.exchange) {
            Some(Exchange::Calling { progress, .. }) => !progress.is_cancelled(),
            _ => false,
        }
    }

    /// §9.1 of RFC 3261 holds for each branch: before its own provisional response no CANCEL.
    fn begin_again(&mut self, owner: &Owner, cx: &mut Context<'_>) {
        let Owner::Invite(id) = owner else { return };
        let fresh = cx.now + self.config.limits.ringing;
        if let Some(usage) = self.usages.get_mut(id)
            && let Exchange::Calling { progress, .. } = &mut usage.exchange
        {
            *progress = Progress::Silent { until: progress.until().unwrap_or(fresh) };
            // What the failed server began to set up is gone with it.
            usage.early.clear();
        }
        self.arm(*id);
    }

    /// Takes an INVITE back that was not sent yet.
    pub(super) fn take_back(&mut self, id: InviteId, cx: &mut Context<'_>) {
        let Some(Exchange::Calling { transaction, .. }) = self.usages.get(&id).map(|usage| &usage.exchange)
        else {
            return;
        };
        let transaction = *transaction;
        if !self.transactions.contains(transaction) && self.deliveries.remove(&transaction).is_some() {
            self.invite_failed(id, transaction, Failure::Unreachable, cx);
        }
    }

    /// The Contact of a request must carry the address that this server can reach, and its transport.
    fn refresh_contact(&self, request: &mut Request, target: &Target) {
        let Ok(Some(NameAddr { uri, params, .. })) = request.headers.first_contact() else { return };
        let user = uri.user_text().unwrap_or_default();
        let contact = self.contact(&user, &params.to_string(), uri.scheme() == "sips", target);
        if let Some(contact) = contact {
            request.headers.replace_first(HeaderName::Contact, contact);
        }
    }

    /// A target to write a request for before its way is known.
    pub(super) fn stand_in(&self, way: &Way) -> Target {
        let (transport, last) = match way {
            Way::To(target) => return *target,
            Way::Locate { destination, last } => (destination.transport, *last),
        };
        last.unwrap_or_else(|| {
            let first = self.config.identity.listeners.first().map_or(Protocol::Udp, |l| l.protocol);
            let remote = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
            Target::Address { protocol: transport.unwrap_or(first), remote }
        })
    }
}

/// What was found, by UDP from the socket that the peer knows; nothing but where it was heard last, where nothing was.
fn reached_from(targets: Vec<Target>, last: Option<Target>) -> VecDeque<Target> {
    let known = |target| last.map_or(target, |last| same_socket(target, &last));
    match targets.is_empty() {
        true => last.into_iter().collect(),
        false => targets.into_iter().map(known).collect(),
    }
}

/// Retry-After may go on with a comment or parameters (RFC 3261 §20.33).
fn leading_number(text: &str) -> Option<u64> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}
