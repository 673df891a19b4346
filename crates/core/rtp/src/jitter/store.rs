use std::collections::VecDeque;

use tandem_base::{ClockRate, ExtSeq, PayloadType, Time};

use crate::Arrival;

/// Where a packet stands: streams follow each other, numbers within a stream.
pub(super) type Place = (u32, ExtSeq);

/// A packet that waits; its payload lies in the store.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) stream: u32,
    pub(super) sequence: ExtSeq,
    pub(super) arrived: Time,
    pub(super) timestamp: u32,
    pub(super) clock: ClockRate,
    /// Audio in it; zero for a number that carries none.
    pub(super) ticks: u32,
    offset: u32,
    len: u16,
    pub(super) payload_type: PayloadType,
    pub(super) marker: bool,
    /// Does it carry audio at all?
    pub(super) audio: bool,
    /// Is it a copy that came with a later packet?
    pub(super) restored: bool,
}

impl Slot {
    pub(super) fn new(arrival: &Arrival, ticks: u32, audio: bool) -> Self {
        Slot {
            stream: arrival.stream,
            sequence: arrival.sequence,
            arrived: arrival.arrived,
            timestamp: arrival.timestamp,
            clock: arrival.clock,
            ticks,
            offset: 0,
            len: 0,
            payload_type: arrival.payload_type,
            marker: arrival.marker,
            audio,
            restored: false,
        }
    }

    /// The same as a copy that stands in for the packet itself.
    pub(super) fn restored(self) -> Self {
        Slot { restored: true, ..self }
    }

    pub(super) fn place(&self) -> Place {
        (self.stream, self.sequence)
    }
}

/// Packets in order, in memory that never grows.
///
/// Payloads lie one after the other in order of arrival; holes left by packets that were taken are closed when
/// the end is reached, which on a calm path never happens because the store runs empty first.
#[derive(Debug)]
pub(super) struct Store {
    slots: VecDeque<Slot>,
    octets: Box<[u8]>,
    limit: usize,
    end: usize,
    used: usize,
}

impl Store {
    pub(super) fn new(packets: usize, octets: usize) -> Self {
        Store {
            slots: VecDeque::with_capacity(packets),
            octets: vec![0; octets].into_boxed_slice(),
            limit: packets,
            end: 0,
            used: 0,
        }
    }

    pub(super) fn front(&self) -> Option<&Slot> {
        self.slots.front()
    }

    pub(super) fn back(&self) -> Option<&Slot> {
        self.slots.back()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter()
    }

    pub(super) fn contains(&self, place: Place) -> bool {
        // The newest is the likeliest neighbour: look from the back.
        let candidate = self.slots.iter().rev().find(|s| s.place() <= place);
        candidate.is_some_and(|s| s.place() == place)
    }

    pub(super) fn pop(&mut self) -> Option<Slot> {
        let slot = self.slots.pop_front()?;
        self.used -= usize::from(slot.len);
        Some(slot)
    }

    /// The payload of a slot; still there after [`Store::pop`], until the next insertion.
    pub(super) fn payload(&self, slot: &Slot) -> &[u8] {
        let start = usize::try_from(slot.offset).unwrap_or(usize::MAX);
        self.octets.get(start..start.saturating_add(usize::from(slot.len))).unwrap_or(&[])
    }

    pub(super) fn clear(&mut self) {
        self.slots.clear();
        (self.end, self.used) = (0, 0);
    }

    /// Could a payload of `len` octets ever fit?
    pub(super) fn could_hold(&self, len: usize) -> bool {
        len <= self.octets.len() && u16::try_from(len).is_ok()
    }

    /// Is there room for one more packet with `len` octets?
    pub(super) fn has_room(&self, len: usize) -> bool {
        self.slots.len() < self.limit && self.used.saturating_add(len) <= self.octets.len()
    }

    /// Puts a packet at its place; the caller made room. Says whether it worked.
    pub(super) fn insert(&mut self, mut slot: Slot, payload: &[u8]) -> bool {
        if !self.has_room(payload.len()) {
            return false;
        }
        let Some((offset, len)) = self.append(payload) else { return false };
        (slot.offset, slot.len) = (offset, len);
        let at = self.slots.iter().rposition(|s| s.place() < slot.place()).map_or(0, |i| i + 1);
        self.slots.insert(at, slot);
        true
    }

    fn append(&mut self, payload: &[u8]) -> Option<(u32, u16)> {
        let len = u16::try_from(payload.len()).ok()?;
        if self.slots.is_empty() {
            self.end = 0;
        } else if self.end + payload.len() > self.octets.len() {
            self.compact();
        }
        let offset = u32::try_from(self.end).ok()?;
        let end = self.end + payload.len();
        self.octets.get_mut(self.end..end)?.copy_from_slice(payload);
        self.end = end;
        self.used += payload.len();
        Some((offset, len))
    }

    /// Moves all payloads to the front, lowest first, so that none is overwritten before it is moved.
    fn compact(&mut self) {
        let (mut end, mut from) = (0usize, 0u32);
        while let Some(slot) = lowest(&mut self.slots, from) {
            let start = usize::try_from(slot.offset).unwrap_or(usize::MAX);
            let len = usize::from(slot.len);
            from = slot.offset + u32::from(slot.len);
            slot.offset = u32::try_from(end).unwrap_or(0);
            self.octets.copy_within(start..start + len, end);
            end += len;
        }
        self.end = end;
    }
}

/// The slot with the lowest payload at or behind `from`. Slots without payload stay out of it.
fn lowest(slots: &mut VecDeque<Slot>, from: u32) -> Option<&mut Slot> {
    slots.iter_mut().filter(|s| s.len > 0 && s.offset >= from).min_by_key(|s| s.offset)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slot(sequence: u64) -> Slot {
        let arrival = Arrival {
            stream: 0,
            sequence: ExtSeq(sequence),
            timestamp: 0,
            payload_type: PayloadType::PCMU,
            clock: ClockRate::HZ_8000,
            marker: false,
            arrived: Time::ZERO,
        };
        Slot::new(&arrival, 0, true)
    }

    proptest! {
        /// Against a map that grows: same order, same bytes, whatever is put in and taken out.
        #[test]
        fn behaves_as_a_sorted_map(steps in prop::collection::vec((any::<bool>(), 0u64..50, 0usize..40), 1..300)) {
            let mut store = Store::new(8, 100);
            let mut model = std::collections::BTreeMap::new();
            for (n, (put, sequence, len)) in steps.into_iter().enumerate() {
                if put && !model.contains_key(&sequence) {
                    let payload = vec![n.to_le_bytes()[0]; len];
                    prop_assert!(!store.contains((0, ExtSeq(sequence))));
                    if store.insert(slot(sequence), &payload) {
                        model.insert(sequence, payload);
                    } else {
                        let used: usize = model.values().map(Vec::len).sum();
                        prop_assert!(model.len() == 8 || used + len > 100);
                    }
                } else if !put {
                    let taken = store.pop().map(|s| (s.sequence.0, store.payload(&s).to_vec()));
                    prop_assert_eq!(taken, model.pop_first());
                }
                for s in store.iter() {
                    prop_assert_eq!(store.payload(s), &model[&s.sequence.0][..]);
                }
                prop_assert_eq!(store.iter().count(), model.len());
            }
        }
    }
}
