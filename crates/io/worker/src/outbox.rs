use std::collections::VecDeque;

use crossbeam_channel::{Sender, TrySendError};
use tandem_base::{MediaEvent, Sink};

/// Events on their way out: none is lost while their receiver lives, and no worker waits for it.
#[derive(Debug)]
pub struct Outbox {
    channel: Sender<MediaEvent>,
    waiting: VecDeque<MediaEvent>,
}

impl Outbox {
    /// Towards `channel`.
    pub fn new(channel: Sender<MediaEvent>) -> Self {
        Outbox { channel, waiting: VecDeque::with_capacity(256) }
    }

    /// Tries again to get rid of what did not fit, in order.
    pub fn flush(&mut self) {
        while let Some(event) = self.waiting.pop_front() {
            if let Err(TrySendError::Full(event)) = self.channel.try_send(event) {
                self.waiting.push_front(event);
                return;
            }
        }
    }

    /// Events that wait for room.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

impl Sink<MediaEvent> for Outbox {
    fn emit(&mut self, event: MediaEvent) {
        self.waiting.push_back(event);
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use tandem_base::LegId;

    use super::*;

    #[test]
    fn a_full_channel_delays_events_and_keeps_their_order() {
        let (sender, receiver) = crossbeam_channel::bounded(2);
        let mut outbox = Outbox::new(sender);
        let digit = |n| MediaEvent::Digit { leg: LegId(n), digit: '1', duration: Default::default() };
        for n in 0..5 {
            outbox.emit(digit(n));
        }
        assert_eq!(outbox.waiting(), 3);
        let mut seen = Vec::new();
        while seen.len() < 5 {
            seen.push(receiver.try_recv().unwrap());
            outbox.flush();
        }
        assert_eq!(seen, (0..5).map(digit).collect::<Vec<_>>());
        drop(receiver);
        outbox.emit(digit(9));
        assert_eq!(outbox.waiting(), 0, "nobody is there to hear it");
    }
}
