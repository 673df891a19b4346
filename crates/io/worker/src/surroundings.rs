use tandem_base::{MediaEvent, Sink};
use tandem_rtp::WallClock;
use tandem_rtp::telephone_event::Key;

use crate::leg::MAX_DATAGRAM;

/// What is counted while a worker runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// RTP packets accepted.
    pub packets_in: u64,
    /// RTP packets sent.
    pub packets_out: u64,
    /// RTP packets that the kernel refused.
    pub send_errors: u64,
    /// Datagrams of strangers.
    pub strangers: u64,
    /// Datagrams that made no sense.
    pub malformed: u64,
    /// Datagrams to encrypted legs that were plain, forged or under another key.
    pub unauthentic: u64,
    /// Datagrams to encrypted legs that came before.
    pub replayed: u64,
    /// Packets encoded.
    pub encodes: u64,
    /// Frames of legs that were played, made up or not, and how long what they were made of had waited, in sum.
    pub played_ticks: u64,
    /// See above, µs.
    pub playout_delay_us: u64,
    /// Sound made up, µs.
    pub concealed_us: u64,
    /// Sound that FEC or redundancy brought back, µs.
    pub recovered_us: u64,
    /// Frames between the parts of a big room that came too late.
    pub late_frames: u64,
}

/// What a worker lends to whatever it runs at the moment.
pub struct Surroundings<'a> {
    /// Ties time to the wall clock, for RTCP.
    pub wall: WallClock,
    /// Counts.
    pub tally: &'a mut Tally,
    /// Where events go.
    pub events: &'a mut dyn Sink<MediaEvent>,
    /// Scratch for key presses; empty between uses.
    pub keys: &'a mut Vec<Key>,
    /// Scratch for the packet being sent.
    pub datagram: &'a mut [u8; MAX_DATAGRAM],
}
