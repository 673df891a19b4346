use crossbeam_channel::Sender;
use tandem_base::{Attachment, AudioStream, Epoch, Fault, LegId, LocalMedia, MediaTimeouts};

use crate::{MediaEvent, StartError, WorkerMetrics, WorkerOptions};

/// The media threads, seen from outside. Shared by reference; every method may be called from any thread.
///
/// Dropping it shuts the threads down as [`Workers::shutdown`] does.
#[derive(Debug)]
pub struct Workers {}

impl Workers {
    /// Starts the threads. What happens later comes over `events`.
    ///
    /// # Errors
    /// When the address cannot be bound or the kernel gives no threads.
    pub fn start(options: WorkerOptions, events: Sender<MediaEvent>) -> Result<Workers, StartError> {
        let _ = (options, events);
        Ok(Workers {})
    }

    /// Opens ports for a leg, at once and on the caller's thread. Packets may arrive from now on; they are looked at
    /// once the leg is configured. The time-out for set-up counts from the first `configure`.
    ///
    /// # Errors
    /// 503 when ports or command queues are exhausted, 500 when the leg is open already.
    pub fn open(&self, leg: LegId, timeouts: MediaTimeouts) -> Result<LocalMedia, Fault> {
        let _ = (leg, timeouts);
        Err(Fault::new(tandem_base::Blame::Ourselves, 503, "media threads are not there"))
    }

    /// Starts a leg's media or changes them: after each accepted offer/answer, and to move it between attachments.
    ///
    /// Codecs are made on the caller's thread; the change takes effect at the next tick. Waits where the thread's queue
    /// is full, and for a tick where the leg moves to another thread.
    ///
    /// # Errors
    /// 500 when the leg is not open or an encoder or decoder cannot be made; the leg then stays as it was.
    pub fn configure(
        &self,
        leg: LegId,
        epoch: Epoch,
        stream: AudioStream,
        attachment: Attachment,
    ) -> Result<(), Fault> {
        let _ = (leg, epoch, stream, attachment);
        Ok(())
    }

    /// Ends a leg: RTCP BYE, then [`MediaEvent::Closed`]. A leg that is not open is ignored.
    pub fn close(&self, leg: LegId) {
        let _ = leg;
    }

    /// Figures of all threads. Cheap: reads counters, takes no lock that a media thread takes.
    pub fn metrics(&self) -> WorkerMetrics {
        WorkerMetrics::default()
    }

    /// Do all threads run under SCHED_FIFO?
    pub fn is_realtime(&self) -> bool {
        false
    }

    /// Closes all legs (RTCP BYE and [`MediaEvent::Closed`] each) and ends the threads. Returns when they have ended.
    pub fn shutdown(&self) {}
}
