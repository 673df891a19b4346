//! Requests of ours that were refused for want of credentials are sent again with them (RFC 3261 §22.2, §22.3).

use crate::digest::{Client, Credentials};
use crate::transaction::TransactionId;
use crate::{CSeq, HeaderName, Request, Response, StatusCode};

use super::agent::{Owner, UserAgent};
use super::context::Context;
use super::path::Way;
use super::usage::{Exchange, Progress, Updating};
use super::{InviteId, Target};

/// How often one request is sent again: each proxy on the way, and the callee, may ask once.
const MOST_TRIES: u8 = 4;

/// A request of a call that has credentials, while its final response is awaited.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    /// Without Via.
    request: Box<Request>,
    tries: u8,
}

impl Owner {
    /// The call that the request belongs to.
    const fn usage(&self) -> Option<InviteId> {
        match self {
            Owner::Invite(id)
            | Owner::Update(id)
            | Owner::Bye(id)
            | Owner::Prack(id)
            | Owner::Asked(id, _) => Some(*id),
            Owner::Sent(_) | Owner::Nobody => None,
        }
    }
}

impl UserAgent {
    /// The application says who we are in this call.
    pub(super) fn know(&mut self, id: InviteId, credentials: Credentials) -> Option<()> {
        let usage = self.usages.contains_key(&id);
        usage.then(|| drop(self.accounts.insert(id, Client::new(credentials))))
    }

    /// What was asked for in this call before is given at once (RFC 3261 §22.2, §22.3).
    pub(super) fn prepare(&mut self, id: InviteId, request: &mut Request, cx: &mut Context<'_>) {
        if let Some(client) = self.accounts.get_mut(&id) {
            client.prepare(request, cx.entropy);
        }
    }

    /// What must be kept of a request that may be refused for want of credentials.
    pub(super) fn attempt(&self, request: &Request, owner: &Owner) -> Option<Attempt> {
        let known = self.accounts.contains_key(&owner.usage()?);
        known.then(|| Attempt { request: Box::new(request.clone()), tries: 0 })
    }

    /// Keeps it.
    pub(super) fn note_attempt(&mut self, id: TransactionId, owner: &Owner, attempt: Option<Attempt>) {
        if let (Some(usage), Some(attempt)) = (owner.usage(), attempt) {
            self.attempts.insert((usage, id), attempt);
        }
    }

    /// The transaction has its final response, or will have none.
    pub(super) fn take_attempt(&mut self, id: TransactionId, owner: &Owner) -> Option<Attempt> {
        self.attempts.remove(&(owner.usage()?, id))
    }

    /// The call is over.
    pub(super) fn forget_account(&mut self, id: InviteId) {
        if self.accounts.remove(&id).is_some() {
            let all = (id, TransactionId::FIRST)..=(id, TransactionId::LAST);
            let left: Vec<_> = self.attempts.range(all).map(|(key, _)| *key).collect();
            for key in left {
                self.attempts.remove(&key);
            }
        }
    }

    /// A final response came by a transaction that went to `target`. True when it asks for credentials and the request
    /// is under way again with them.
    pub(super) fn authenticates(
        &mut self,
        id: TransactionId,
        owner: &Owner,
        target: Option<Target>,
        response: &Response,
        cx: &mut Context<'_>,
    ) -> bool {
        if response.status.is_provisional() {
            return false;
        }
        let attempt = self.take_attempt(id, owner);
        let asks =
            matches!(response.status, StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED);
        match (attempt, target) {
            (Some(attempt), Some(target)) if asks && attempt.tries < MOST_TRIES && self.is_wanted(owner) => {
                self.try_with_credentials(owner, attempt, target, response, cx).is_some()
            }
            _ => false,
        }
    }

    fn try_with_credentials(
        &mut self,
        owner: &Owner,
        attempt: Attempt,
        target: Target,
        refusal: &Response,
        cx: &mut Context<'_>,
    ) -> Option<()> {
        let Attempt { mut request, tries } = attempt;
        let usage = owner.usage()?;
        let client: &mut Client = self.accounts.get_mut(&usage)?;
        if !client.authorize(&mut request, refusal, cx.entropy) {
            return None;
        }
        let cseq = self.next_cseq(usage, &request)?;
        request.headers.set(HeaderName::CSeq, cseq.to_string());
        let id = self.transmit(*request, Way::To(target), owner.clone(), cx)?;
        if let Some(attempt) = self.attempts.get_mut(&(usage, id)) {
            attempt.tries = tries + 1;
        }
        match owner {
            Owner::Invite(_) => self.calls_again(usage, id, cx),
            Owner::Update(_) => self.updates_again(usage, id),
            _ => {}
        }
        Some(())
    }

    /// RFC 3261 §22.2: one higher than before, in a dialog the dialog's next.
    fn next_cseq(&mut self, usage: InviteId, request: &Request) -> Option<CSeq> {
        let CSeq { number, method } = request.headers.cseq().ok()?;
        let to = request.headers.to().ok()?;
        let Some(tag) = to.tag() else { return Some(CSeq { number: number.saturating_add(1), method }) };
        let usage = self.usages.get_mut(&usage)?;
        let early = usage.early.iter_mut().filter_map(|early| early.dialog.as_mut());
        let dialog = usage.dialog.iter_mut().chain(early).find(|dialog| dialog.remote_tag() == tag)?;
        dialog.local_cseq = dialog.local_cseq.saturating_add(1);
        Some(CSeq { number: dialog.local_cseq, method })
    }

    /// The INVITE is another transaction now. RFC 3261 §9.1 holds for it: no CANCEL before its own provisional response.
    fn calls_again(&mut self, id: InviteId, again: TransactionId, cx: &mut Context<'_>) {
        let fresh = cx.now + self.config.limits.ringing;
        if let Some(usage) = self.usages.get_mut(&id)
            && let Exchange::Calling { transaction, progress, .. } = &mut usage.exchange
        {
            *transaction = again;
            usage.early.clear();
            *progress = Progress::Silent { until: progress.until().unwrap_or(fresh) };
        }
        self.arm(id);
    }

    fn updates_again(&mut self, id: InviteId, again: TransactionId) {
        if let Some(usage) = self.usages.get_mut(&id)
            && let Updating::Asking { transaction, .. } = &mut usage.updating
        {
            *transaction = again;
        }
    }

    /// RFC 3261 §22.1: the ACK to a 2xx carries the credentials of its INVITE.
    pub(super) fn authorize_ack(&self, transaction: TransactionId, ack: &mut Request) {
        let Some(invite) = self.transactions.invite(transaction) else { return };
        for header in invite.headers.iter() {
            if matches!(header.name, HeaderName::Authorization | HeaderName::ProxyAuthorization) {
                ack.headers.push(header.name.clone(), header.value().clone());
            }
        }
    }
}
