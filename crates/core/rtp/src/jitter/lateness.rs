/// How long a packet that was late is remembered, ns.
const MEMORY: i64 = 10_000_000_000;
/// So many are.
const EVENTS: usize = 4;

/// Packets that came after their turn, of late: what delay would have saved all but one of them.
///
/// One says nothing of the next: a stall of the network, of the sender or of ourselves. A second one does.
#[derive(Debug)]
pub(super) struct Lateness {
    /// When, and what delay it needed, ns.
    events: [Option<(i64, i64)>; EVENTS],
    second: i64,
}

impl Lateness {
    pub(super) const fn new() -> Self {
        Lateness { events: [None; EVENTS], second: 0 }
    }

    /// At `at` a packet came that needed `delay` to be in time. One that came right behind another, `same`, was held up
    /// by the same.
    pub(super) fn note(&mut self, at: i64, delay: i64, same: bool) {
        let newest = self.events.iter_mut().flatten().max_by_key(|(when, _)| *when);
        match newest {
            Some((_, most)) if same => *most = delay.max(*most),
            _ => self.add(at, delay),
        }
        self.settle();
    }

    fn add(&mut self, at: i64, delay: i64) {
        let oldest = self.events.iter_mut().min_by_key(|event| event.map_or(i64::MIN, |(when, _)| when));
        if let Some(place) = oldest {
            *place = Some((at, delay));
        }
    }

    /// Time passes.
    pub(super) fn pass(&mut self, now: i64) {
        for event in &mut self.events {
            *event = event.filter(|(at, _)| now - at < MEMORY);
        }
        self.settle();
    }

    /// The shortest transit time, which all is relative to, is `by` ns shorter now.
    pub(super) fn shift(&mut self, by: i64) {
        for (_, delay) in self.events.iter_mut().flatten() {
            *delay = (*delay + by).max(0);
        }
        self.settle();
    }

    fn settle(&mut self) {
        let (mut first, mut second) = (0, 0);
        for (_, delay) in self.events.iter().flatten() {
            second = second.max(first.min(*delay));
            first = first.max(*delay);
        }
        self.second = second;
    }

    /// The delay that all but one of them needed, ns.
    pub(super) fn needs(&self) -> i64 {
        self.second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000_000;

    #[test]
    fn one_late_packet_says_nothing_and_two_do() {
        let mut late = Lateness::new();
        late.note(S, 90, false);
        late.note(S, 80, true);
        assert_eq!(late.needs(), 0, "one stall");
        late.note(3 * S, 60, false);
        assert_eq!(late.needs(), 60);
        late.note(4 * S, 100, false);
        assert_eq!(late.needs(), 90);
        late.pass(11 * S);
        assert_eq!(late.needs(), 60, "the first is forgotten");
        late.pass(15 * S);
        assert_eq!(late.needs(), 0);
    }

    #[test]
    fn memory_is_bounded() {
        let mut late = Lateness::new();
        for n in 0..100 {
            late.note(n, n, false);
        }
        assert_eq!(late.needs(), 98);
    }
}
