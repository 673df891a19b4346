use tandem_base::PayloadType;

use super::{Block, MAX_COPY, MAX_OFFSET, write};

/// Packets that are remembered.
const DEPTH: usize = 2;

/// What was sent lately, to be sent again within the packets that follow.
#[derive(Clone, Debug)]
pub struct History {
    // The latest is the last.
    sent: [Option<Sent>; DEPTH],
    octets: [Box<[u8; MAX_COPY]>; DEPTH],
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    payload_type: PayloadType,
    timestamp: u32,
    len: usize,
}

impl Default for History {
    fn default() -> Self {
        History::new()
    }
}

impl History {
    /// Nothing yet; allocates 2 KiB, and nothing later.
    pub fn new() -> Self {
        History { sent: [None; DEPTH], octets: [Box::new([0; MAX_COPY]), Box::new([0; MAX_COPY])] }
    }

    /// Takes down a packet that was sent. One that is longer than a copy can be leaves a hole.
    pub fn remember(&mut self, payload_type: PayloadType, timestamp: u32, payload: &[u8]) {
        self.sent.rotate_left(1);
        self.octets.rotate_left(1);
        let (Some(sent), Some(octets)) = (self.sent.last_mut(), self.octets.last_mut()) else { return };
        *sent = octets.get_mut(..payload.len()).map(|octets| {
            octets.copy_from_slice(payload);
            Sent { payload_type, timestamp, len: payload.len() }
        });
    }

    /// Forgets all: what follows does not follow on what was sent.
    pub fn clear(&mut self) {
        self.sent = [None; DEPTH];
    }

    /// Writes a redundant payload with copies of the last `count` packets, fewer where they were long ago or do not fit
    /// into `out`. `None` where there is none to be copied: such a packet is better sent as it is.
    pub fn write(
        &self,
        count: u8,
        (payload_type, timestamp, payload): (PayloadType, u32, &[u8]),
        out: &mut [u8],
    ) -> Option<usize> {
        let most = usize::from(count).min(DEPTH);
        (1..=most).rev().find_map(|count| {
            let copies = self.latest(count, timestamp);
            copies.clone().next()?;
            write(copies, (payload_type, payload), out)
        })
    }

    /// The last `count`, oldest first.
    fn latest(&self, count: usize, timestamp: u32) -> impl Iterator<Item = Block<'_>> + Clone {
        let all = self.sent.iter().zip(&self.octets).skip(DEPTH - count);
        all.filter_map(move |(sent, octets)| {
            let sent = sent.as_ref()?;
            let offset = timestamp.wrapping_sub(sent.timestamp);
            let payload = octets.get(..sent.len)?;
            let block = Block { payload_type: sent.payload_type, offset, payload };
            Some(block).filter(|_| (1..=MAX_OFFSET).contains(&offset))
        })
    }
}
