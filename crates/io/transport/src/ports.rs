use std::collections::VecDeque;
use std::time::Duration;

use tandem_base::Time;

use crate::PortRange;

/// How long a port rests after its leg has gone: late packets of the old peer must not reach a new leg.
pub const QUARANTINE: Duration = Duration::from_secs(10);

/// How long it rests at least. In a busy hour, where no port has rested its time, the one that came nearest is taken
/// rather than that a call is refused: a thousand calls a second would have 20,000 ports at rest.
pub const LEAST_QUARANTINE: Duration = Duration::from_secs(2);

/// Which ports are free: pure bookkeeping.
///
/// Ports are handed out in a circle, so that the one freed longest ago comes next.
#[derive(Clone, Debug)]
pub struct Ports {
    range: PortRange,
    free: VecDeque<u16>,
    /// With when each was given back.
    resting: VecDeque<(Time, u16)>,
}

impl Ports {
    /// All ports of `range` are free; the first to be handed out is the pair numbered `start` modulo their count, so
    /// that a restarted program does not begin with the ports that its predecessor's peers still send to.
    pub fn new(range: PortRange, start: u16) -> Self {
        let mut free: VecDeque<u16> = (0..range.pairs()).filter_map(|i| range.pair(i)).collect();
        let turn = usize::from(start) % free.len().max(1);
        free.rotate_left(turn);
        Ports { range, free, resting: VecDeque::new() }
    }

    /// An even port of which nobody else has the use until [`Ports::release`]; `None` when all are in use or were
    /// within [`LEAST_QUARANTINE`].
    pub fn take(&mut self, now: Time) -> Option<u16> {
        self.wake(QUARANTINE, now);
        if self.free.is_empty() {
            self.wake(LEAST_QUARANTINE, now);
        }
        self.free.pop_front()
    }

    /// Gives a port back; it rests for [`QUARANTINE`] where there are others.
    pub fn release(&mut self, port: u16, now: Time) {
        self.resting.push_back((now, port));
    }

    /// Ports that could be handed out now or after their rest.
    pub fn available(&self) -> usize {
        self.free.len() + self.resting.len()
    }

    /// The range given at the start.
    pub fn range(&self) -> PortRange {
        self.range
    }

    fn wake(&mut self, after: Duration, now: Time) {
        while let Some((_, port)) = self.resting.pop_front_if(|(released, _)| *released + after <= now) {
            self.free.push_back(port);
        }
    }
}
