use tandem_base::ClockRate;

/// Length of a tick, ms.
pub const TICK_MS: u32 = 20;

/// Collects the tick's frames into packets of any packet time.
///
/// All packetizers of a group that have the same packet time are filled in step, from the group's first tick on:
/// whoever changes from one to another finds it at the very same place, so that nothing is sent twice or left out.
#[derive(Clone, Debug)]
pub struct Packetizer {
    packet: usize,
    held: Vec<f32>,
    fill: usize,
    complete: Vec<f32>,
}

impl Packetizer {
    /// For packets of `ptime_ms` at `rate`, in a group that has run for `ticks` ticks.
    pub fn new(rate: ClockRate, ptime_ms: u8, ticks: u64) -> Self {
        let samples = |ms: u32| usize::try_from(rate.ticks_in_ms(ms)).unwrap_or(1).max(1);
        let packet = samples(u32::from(ptime_ms).max(1));
        let frame = samples(TICK_MS);
        let fill = (ticks % packet as u64) as usize * frame % packet;
        Packetizer { packet, held: vec![0.0; packet + frame], fill, complete: vec![0.0; packet] }
    }

    /// Puts in a frame of one tick; whole packets must have been taken out before.
    pub fn push(&mut self, frame: &[f32]) {
        let end = (self.fill + frame.len()).min(self.held.len());
        if let Some(room) = self.held.get_mut(self.fill..end) {
            let n = room.len();
            room.copy_from_slice(frame.get(..n).unwrap_or_default());
        }
        self.fill = end;
    }

    /// Lets a tick of `frame` samples pass in silence.
    pub fn pass(&mut self, frame: usize) {
        let end = (self.fill + frame).min(self.held.len());
        if let Some(room) = self.held.get_mut(self.fill..end) {
            room.fill(0.0);
        }
        self.fill = end;
        while self.take().is_some() {}
    }

    /// The next whole packet. It stays readable as [`Packetizer::last`].
    pub fn take(&mut self) -> Option<&[f32]> {
        let packet = self.held.get(..self.packet).filter(|_| self.fill >= self.packet)?;
        self.complete.copy_from_slice(packet);
        self.held.copy_within(self.packet..self.fill, 0);
        self.fill -= self.packet;
        Some(&self.complete)
    }

    /// The packet taken last; silence before the first.
    pub fn last(&self) -> &[f32] {
        &self.complete
    }

    /// Goes on where `other`, which has the same rate and packet time, is now.
    pub fn continue_from(&mut self, other: &Packetizer) {
        self.fill = other.fill;
        for (to, from) in [(&mut self.held, &other.held), (&mut self.complete, &other.complete)] {
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from;
            }
        }
    }
}

/// How many packets of `ptime_ms` become complete in the tick number `tick` of a group.
pub fn packets_in(tick: u64, ptime_ms: u8) -> u64 {
    let ptime = u64::from(ptime_ms).max(1);
    let tick_ms = u64::from(TICK_MS);
    (tick + 1) * tick_ms / ptime - tick * tick_ms / ptime
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes a ramp of samples and collects what comes out, with the packets per tick.
    fn run(ptime_ms: u8, ticks: u64) -> (Vec<f32>, Vec<u64>) {
        let mut p = Packetizer::new(ClockRate::HZ_8000, ptime_ms, 0);
        let mut out = Vec::new();
        let mut counts = Vec::new();
        for tick in 0..ticks {
            let frame: Vec<f32> = (0..160u64).map(|i| (tick * 160 + i) as f32).collect();
            p.push(&frame);
            let mut count = 0;
            while let Some(packet) = p.take() {
                assert_eq!(packet.len(), usize::from(ptime_ms) * 8);
                out.extend_from_slice(packet);
                count += 1;
            }
            counts.push(count);
        }
        (out, counts)
    }

    #[test]
    fn every_packet_time_keeps_all_samples_in_order() {
        for ptime in [10, 20, 30, 40, 50, 60] {
            let (out, counts) = run(ptime, 60);
            assert!(out.iter().enumerate().all(|(i, x)| *x == i as f32), "{ptime} ms");
            assert_eq!(out.len(), 60 * 160, "{ptime} ms");
            let expected: Vec<u64> = (0..60).map(|t| packets_in(t, ptime)).collect();
            assert_eq!(counts, expected, "{ptime} ms");
        }
    }

    #[test]
    fn one_that_begins_later_is_in_step() {
        for ptime in [10, 20, 30, 40, 50, 60] {
            let mut early = Packetizer::new(ClockRate::HZ_48000, ptime, 0);
            for _ in 0..7 {
                early.pass(960);
            }
            let late = Packetizer::new(ClockRate::HZ_48000, ptime, 7);
            assert_eq!(late.fill, early.fill, "{ptime} ms");
        }
    }
}
