use std::net::IpAddr;

use tandem_base::{
    Attachment, AudioStream, Epoch, Fault, LegId, LegSound, LocalMedia, MediaTimeouts, RoomAudio,
};

/// The media side, as control needs it.
///
/// What happens there later comes as [`tandem_base::MediaEvent`]s over a channel. No method waits for a packet.
pub trait Media: Send + 'static {
    /// Opens ports for a leg whose peer is at `peer`; the addresses returned are reachable from there.
    ///
    /// # Errors
    /// 503 when there are no more ports or no capacity.
    fn open(&self, leg: LegId, peer: IpAddr, timeouts: MediaTimeouts) -> Result<LocalMedia, Fault>;

    /// Starts a leg's media, changes them, or moves them to another attachment. A room's audio is made as the latest of
    /// its legs' configurations says.
    ///
    /// # Errors
    /// 500 when the leg is not open or its codec cannot be made; the leg then stays as it was.
    fn configure(
        &self,
        leg: LegId,
        epoch: Epoch,
        stream: AudioStream,
        attachment: Attachment,
        audio: RoomAudio,
    ) -> Result<(), Fault>;

    /// Changes what is done to the sound of a leg that is configured, from the next tick on.
    ///
    /// # Errors
    /// 500 when the leg is not configured.
    fn adjust(&self, leg: LegId, sound: LegSound) -> Result<(), Fault>;

    /// Ends a leg's media; [`tandem_base::MediaEvent::Closed`] follows.
    fn close(&self, leg: LegId);
}
