use tandem_base::Ssrc;
use tandem_rtp::{AudioLevel, Header};

/// Those whom a packet names as being in its mix: contributing sources (RFC 3550 §5.1), and how loud each is
/// (RFC 6465). No more than fit.
#[derive(Clone, Copy, Debug)]
pub struct Speakers {
    ssrcs: [Ssrc; Header::MAX_CSRCS],
    levels: [u8; Header::MAX_CSRCS],
    count: usize,
}

/// By how much a full-scale sine lies below the overload point, dB (RFC 6465 §3).
const SINE: f32 = 3.0;

impl Speakers {
    /// Nobody.
    pub const fn new() -> Self {
        Speakers {
            ssrcs: [Ssrc(0); Header::MAX_CSRCS],
            levels: [AudioLevel::SILENCE; Header::MAX_CSRCS],
            count: 0,
        }
    }

    /// Names one more who is so loud, dBFS.
    pub fn name(&mut self, ssrc: Ssrc, dbfs: f32) {
        // A float cast saturates, and what is no number is 0.
        self.push(ssrc, (SINE - dbfs).round().clamp(0.0, f32::from(AudioLevel::SILENCE)) as u8);
    }

    fn push(&mut self, ssrc: Ssrc, level: u8) {
        if let (Some(to), Some(loud)) = (self.ssrcs.get_mut(self.count), self.levels.get_mut(self.count)) {
            (*to, *loud) = (ssrc, level);
            self.count += 1;
        }
    }

    /// Names others too.
    pub fn extend(&mut self, others: &Speakers) {
        for (ssrc, level) in others.ssrcs().iter().zip(others.levels()) {
            self.push(*ssrc, *level);
        }
    }

    /// All but this one.
    pub fn without(&self, ssrc: Option<Ssrc>) -> Speakers {
        let mut rest = Speakers::new();
        for (other, level) in
            self.ssrcs().iter().zip(self.levels()).filter(|(other, _)| Some(**other) != ssrc)
        {
            rest.push(*other, *level);
        }
        rest
    }

    /// Their sources.
    pub fn ssrcs(&self) -> &[Ssrc] {
        self.ssrcs.get(..self.count).unwrap_or_default()
    }

    /// In the same order how loud they are, −dBov.
    pub fn levels(&self) -> &[u8] {
        self.levels.get(..self.count).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_named_as_fit_with_their_levels() {
        let mut speakers = Speakers::new();
        for (n, dbfs) in
            (0u8..20).zip([0.0, -10.4, 9.0, -200.0, f32::NEG_INFINITY, f32::NAN].into_iter().cycle())
        {
            speakers.name(Ssrc(n.into()), dbfs);
        }
        assert_eq!(speakers.ssrcs().len(), 15);
        assert_eq!(speakers.levels()[..6], [3, 13, 0, 127, 127, 0]);
        let rest = speakers.without(Some(Ssrc(1)));
        assert_eq!((rest.ssrcs()[1], rest.levels()[1], rest.ssrcs().len()), (Ssrc(2), 0, 14));
        let mut more = Speakers::new();
        more.name(Ssrc(99), -20.0);
        more.extend(&speakers);
        assert_eq!((more.ssrcs().len(), more.levels()[1]), (15, 3));
    }
}
