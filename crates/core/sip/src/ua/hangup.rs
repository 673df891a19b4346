//! Ending calls (RFC 3261 §15).

use crate::{Headers, Method, StatusCode};

use super::agent::{Owner, UserAgent};
use super::context::Context;
use super::usage::{Exchange, Stage};
use super::{EndCause, InviteId};

impl UserAgent {
    /// The application hangs up, whatever the stage.
    pub(super) fn hang_up(&mut self, id: InviteId, headers: Headers, cx: &mut Context<'_>) -> Option<()> {
        let usage = self.usages.get_mut(&id)?;
        match (&mut usage.stage, &usage.exchange) {
            (Stage::Early, Exchange::Serving { .. }) => {
                self.reject(id, StatusCode::TEMPORARILY_UNAVAILABLE, None, &headers, cx)
            }
            (Stage::Early, _) => self.cancel(id, headers, cx),
            // §15: the callee waits for the ACK, or for its time to be up.
            (Stage::Unconfirmed { bye }, _) => {
                bye.get_or_insert(headers);
                Some(())
            }
            (Stage::Confirmed, exchange) => {
                let owes_ack = matches!(exchange, Exchange::Acknowledging { .. });
                if owes_ack {
                    self.ack(id, None, cx);
                }
                self.refuse_invite(id, StatusCode::REQUEST_TERMINATED, None, &Headers::new(), cx);
                self.send_bye(id, &headers, cx);
                Some(())
            }
            (Stage::Ending, _) => None,
        }
    }

    /// Sends BYE and waits for what becomes of it; a usage that cannot send one is over.
    pub(super) fn send_bye(&mut self, id: InviteId, headers: &Headers, cx: &mut Context<'_>) {
        if self.bye(id, headers, Owner::Bye(id), cx).is_none() {
            self.end(id, EndCause::Local, cx);
            return;
        }
        if let Some(usage) = self.usages.get_mut(&id) {
            usage.stage = Stage::Ending;
            usage.timer = None;
            let exchange = usage.take_exchange();
            self.abandon(&exchange, cx);
        }
        self.refuse_update(id, StatusCode::REQUEST_TERMINATED, None, &Headers::new(), cx);
        self.refuse_held(id, StatusCode::REQUEST_TERMINATED, cx);
        self.arm(id);
    }

    /// Sends BYE and ends the usage without waiting for what becomes of it.
    pub(super) fn part(&mut self, id: InviteId, headers: &Headers, cause: EndCause, cx: &mut Context<'_>) {
        // Where it cannot be sent, there is nothing left to do either.
        let _ = self.bye(id, headers, Owner::Nobody, cx);
        self.end(id, cause, cx);
    }

    /// The peer does not know the dialog any more (§12.2.1.2). BYE all the same: it may have been a proxy's word.
    pub(super) fn lose(&mut self, id: InviteId, cx: &mut Context<'_>) {
        self.refuse_invite(id, StatusCode::REQUEST_TERMINATED, None, &Headers::new(), cx);
        self.part(id, &Headers::new(), EndCause::Lost, cx);
    }

    /// Nobody waits for an INVITE of ours any more. Its peer answers it when it sees our BYE; if not, time does.
    pub(super) fn abandon(&mut self, exchange: &Exchange, cx: &mut Context<'_>) {
        if let Exchange::Calling { transaction, .. } = exchange {
            self.deliveries.remove(transaction);
            self.transactions.abandon(*transaction, cx.now, &mut cx.out);
        }
    }

    fn bye(&mut self, id: InviteId, headers: &Headers, owner: Owner, cx: &mut Context<'_>) -> Option<()> {
        let (request, target) = self.in_dialog_request(id, Method::Bye, headers, None, cx)?;
        self.transmit(request, target, owner, cx).map(|_| ())
    }
}
