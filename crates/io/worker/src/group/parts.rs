//! A group as a part of a room that runs in several places: see [`crate::fan`].

use tandem_audio::{Candidate, Kind, Sound};

use super::Group;
use crate::fan::{Annex, AnnexId, MOST_CHOSEN, Mix, Offer, Owner};
use crate::leg::Outlet;
use crate::surroundings::Surroundings;

/// Mixes that an annex takes in one tick: it makes up for one that came late.
const MIXES: usize = 2;

/// Who may be heard: a part of the room (0: the owner's own) and a seat there.
pub type Talker = (usize, usize);

pub fn candidate(id: Talker, sound: Sound) -> Candidate<Talker> {
    Candidate { id, level: sound.level, voice: sound.kind != Kind::Other }
}

impl Annex {
    /// Whom the owner may choose of what was offered, by ascending id.
    pub fn candidates(&self) -> impl Iterator<Item = Candidate<Talker>> {
        let part = self.id.part();
        let voices = self.offer.iter().flat_map(|o| o.voices());
        voices.map(move |v| candidate((part, v.seat), v.sound))
    }
}

impl<O: Outlet> Group<O> {
    /// An annex from now on. It has no legs yet.
    pub fn belong(&mut self, owner: Box<Owner>) {
        self.owner = Some(owner);
    }

    /// Does another group mix for it?
    pub fn is_annex(&self) -> bool {
        self.owner.is_some()
    }

    /// Has an annex from now on.
    pub fn tie(&mut self, annex: Annex) {
        let place = self.annexes.partition_point(|a| a.id.part() < annex.id.part());
        self.annexes.insert(place, annex);
        self.selection.reserve(self.seats.len() + self.annexes.len() * 2 * MOST_CHOSEN);
    }

    /// Has it no more.
    pub fn untie(&mut self, id: AnnexId) {
        self.annexes.retain(|a| a.id != id);
    }

    /// Takes what annexes offer for this tick.
    pub(super) fn hear_annexes(&mut self, around: &mut Surroundings<'_>) {
        for annex in &mut self.annexes {
            annex.chosen.clear();
            around.tally.late_frames += annex.offers.catch_up();
            let Some(offer) = annex.offers.next() else { continue };
            self.wanted = self.wanted.max(offer.wanted);
            if offer.rate == self.room {
                annex.offer = Some(offer);
            } else {
                // It has yet to hear of the room's new rate.
                annex.offers.give_back(offer);
            }
        }
    }

    /// Those of annexes whom the selection wants heard.
    pub(super) fn mix_annexes(&mut self) {
        let Group { annexes, selection, mixer, speakers, .. } = self;
        for ((part, seat), gain) in selection.heard().filter(|((part, _), _)| *part > 0) {
            let Some(annex) = annexes.iter_mut().find(|a| a.id.part() == part) else { continue };
            let Some((frame, ssrc, sound)) = annex.offer.as_mut().and_then(|o| o.voice(seat)) else {
                continue;
            };
            gain.apply(frame);
            mixer.add(frame);
            annex.chosen.push((seat, gain));
            if let Some(ssrc) = ssrc {
                speakers.name(ssrc, sound.level);
            }
        }
        let sums = annexes.iter().filter_map(|a| Some(&a.offer.as_ref()?.sum));
        for sum in sums.filter(|s| s.talkers > 0) {
            mixer.add_sum(sum.samples(), sum.talkers);
            speakers.extend(&sum.speakers);
        }
    }

    /// Hands the mix of this tick to the annexes.
    pub(super) fn tell_annexes(&mut self, around: &mut Surroundings<'_>) {
        let Group { annexes, mixer, speakers, ticks, room, .. } = self;
        for annex in annexes {
            let Annex { offers, mixes, offer, chosen, .. } = annex;
            let gave_way = mixes.put(|mix| {
                mix.tick = *ticks;
                mix.offer = offer.as_ref().map(|o| o.number);
                mix.whole = offer.as_ref().is_some_and(|o| o.sum.talkers > 0);
                mix.chosen.clear();
                mix.chosen.extend_from_slice(chosen);
                mix.sum.set(*room, mixer.contributors(), speakers, mixer.total());
            });
            around.tally.late_frames += gave_way;
            if let Some(offer) = offer.take() {
                offers.give_back(offer);
            }
        }
    }

    /// Offers the owner what the mixer has.
    pub(super) fn offer(&mut self, around: &mut Surroundings<'_>) {
        let Group { owner, seats, mixer, speakers, audio, room, wanted, .. } = self;
        let Some(owner) = owner else { return };
        let number = owner.number;
        owner.number += 1;
        let whole = audio.loudest == 0 || usize::from(audio.loudest) > MOST_CHOSEN;
        let heard =
            || seats.iter().enumerate().filter_map(|(n, s)| Some((n, s.as_ref().filter(|s| s.heard)?)));
        let fill = |offer: &mut Offer| {
            offer.begin(number, *room, *wanted);
            if whole {
                return offer.sum.set(*room, mixer.contributors(), speakers, mixer.total());
            }
            for (n, seat) in heard() {
                let sound = seat.sound.unwrap_or_default();
                offer.add(n, seat.member.leg.remote_ssrc(), sound, &seat.frame);
            }
        };
        around.tally.late_frames += owner.offers.put(fill);
        for seat in seats.iter_mut().flatten().filter(|s| s.heard) {
            seat.past.keep(number, &seat.frame);
        }
    }

    /// Hears what the owner mixed, and sends it.
    pub(super) fn serve_mixes(&mut self, now: tandem_base::Time, around: &mut Surroundings<'_>) {
        for _ in 0..MIXES {
            let Some(mix) = self.owner.as_mut().and_then(|o| o.mixes.next()) else { return };
            self.adopt(&mix);
            if let Some(owner) = &mut self.owner {
                owner.next = Some(mix.tick + 1);
                owner.mixes.give_back(mix);
            }
            self.serve(now, around);
        }
    }

    fn adopt(&mut self, mix: &Mix) {
        if let Some(next) = self.owner.as_ref().and_then(|o| o.next) {
            self.pass(mix.tick.saturating_sub(next));
        }
        if mix.sum.rate != self.room {
            self.set_rate(mix.sum.rate);
        }
        self.mixer.clear();
        match mix.sum.talkers {
            0 => self.mixer.add_background(mix.sum.samples()),
            talkers => self.mixer.add_sum(mix.sum.samples(), talkers),
        }
        self.speakers = mix.sum.speakers;
        for seat in self.seats.iter_mut().flatten() {
            let offer = mix.offer.filter(|_| mix.whole && !seat.failed);
            seat.heard = offer.is_some_and(|number| seat.past.recall(number, &mut seat.frame));
        }
        for (seat, gain) in &mix.chosen {
            let Some(seat) = self.seats.get_mut(*seat).and_then(Option::as_mut) else { continue };
            let offer = mix.offer.filter(|_| !seat.failed);
            seat.heard = offer.is_some_and(|number| seat.past.recall(number, &mut seat.frame));
            gain.apply(&mut seat.frame);
        }
    }
}
