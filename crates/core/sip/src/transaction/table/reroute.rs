//! Other ways for transactions: the next server for a request (RFC 3263 §4.3), another one for a response whose
//! connection is gone (§5).

use tandem_base::{Sink, Time};

use crate::locate::Destination;
use crate::ua::{Output, Target};

use super::{Place, Side, TransactionId, Transactions};

impl<O: Clone> Transactions<O> {
    /// A name for a request that is not sent yet; [`Transactions::request_as`] sends it.
    pub fn reserve(&mut self) -> TransactionId {
        self.next_id()
    }

    /// Is it alive?
    pub fn contains(&self, id: TransactionId) -> bool {
        self.entries.contains_key(&id)
    }

    /// Leaves the name of a client transaction to one that tries the next server. It lives on under another name for
    /// `owner`, to absorb what its own server still sends.
    pub fn step_aside(&mut self, id: TransactionId, owner: O) {
        let Some(mut entry) = self.entries.remove(&id) else { return };
        let other = self.next_id();
        if let Side::Client { key, .. } = &entry.side {
            self.clients.insert(*key, other);
        }
        if let Some(at) = entry.armed {
            self.timers.remove(&(at, id));
            self.timers.insert((at, other));
        }
        let place = Place::from(&entry.target);
        self.places.remove(&(place, id));
        self.places.insert((place, other));
        entry.owner = owner;
        self.entries.insert(other, entry);
    }

    /// Nothing can be sent to `target`: the server transactions that have another place left, and that place. They
    /// wait for [`Transactions::redirect`] or [`Transactions::strand`].
    pub fn astray(&mut self, target: &Target) -> Vec<(TransactionId, Destination)> {
        let place = Place::from(target);
        let mut astray = Vec::new();
        for id in self.at(place) {
            let Some(entry) = self.entries.get_mut(&id) else { continue };
            let Side::Server { sent_by, .. } = &mut entry.side else { continue };
            if let Some(destination) = sent_by.take() {
                self.places.remove(&(place, id));
                astray.push((id, *destination));
            }
        }
        astray
    }

    /// Responses of a server transaction go to `target` from now on, the last one again.
    pub fn redirect(&mut self, id: TransactionId, target: Target, out: &mut impl Sink<Output>) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        self.places.remove(&(Place::from(&entry.target), id));
        self.places.insert((Place::from(&target), id));
        entry.target = target;
        if let Some(bytes) = entry.machine.last_response() {
            out.emit(Output::Send { target, bytes });
        }
    }

    /// There is no other place: the transport failed. Gives its owner, where that must know.
    pub fn strand(
        &mut self,
        id: TransactionId,
        now: Time,
        out: &mut impl Sink<Output>,
    ) -> Option<(TransactionId, O)> {
        self.fail(id, now, out)
    }
}
