//! `tandem serve`: binds, wires signalling, control and media together, and drains.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tandem_base::MediaEvent;
use tandem_config::Config;
use tandem_control::{Control, Ports, Settings};
use tandem_signaling::tls::{Tls, TlsError};
use tandem_signaling::{BindError, OsEntropy, Signaling};
use tandem_worker::{StartError, WorkerMetrics, Workers};
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, error, info, warn};

use crate::media::MediaThreads;
use crate::{descriptors, exit, ready, tls, translate};

/// Threads of tokio. Each message goes through reader, user agent and control in turn: on two threads they would mostly
/// wake each other, which costs more than it gains.
const TOKIO_THREADS: usize = 1;
/// Commands and events that may wait between signalling, control and media.
const QUEUE: usize = 1_024;
/// How long peers get to answer the last messages once every call is hung up.
const DRAIN: Duration = Duration::from_secs(2);

/// Why Tandem does not start.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}\n  help: stop what uses the address, or change [sip] listen")]
    Sip(#[from] BindError),
    #[error("{0}\n  help: change [media] address or ports")]
    Media(#[from] StartError),
    #[error("{0}\n  help: {help}", help = .0.help())]
    Tls(#[from] TlsError),
    #[error("the operating system refuses: {0}")]
    System(#[from] io::Error),
}

impl Failure {
    const fn exit_code(&self) -> u8 {
        match self {
            Failure::Tls(_) => exit::USAGE,
            Failure::Sip(_) | Failure::Media(_) => exit::UNAVAILABLE,
            Failure::System(_) => exit::INTERNAL,
        }
    }
}

/// Runs until it is told to stop.
pub fn run(config: &Config) -> ExitCode {
    match start(config) {
        Ok(()) => ExitCode::from(exit::OK),
        Err(failure) => {
            error!(%failure, "cannot start");
            // The log may be off or elsewhere; whoever started this must see it.
            let _ = writeln!(io::stderr(), "tandem: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn start(config: &Config) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(TOKIO_THREADS)
        .thread_name("tokio-sip")
        .enable_all()
        .build()?;
    runtime.block_on(serve(config))
}

async fn serve(config: &Config) -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    descriptors::raise(config);
    let certificates = Arc::new(Tls::load(tls::translate(config))?);
    let signaling = Signaling::bind(translate::signaling(config, certificates.clone()))?;
    let (media_tell, media_told) = crossbeam_channel::bounded(QUEUE);
    let workers = Arc::new(Workers::start(translate::workers(config), media_tell)?);
    let media_events = forward(media_told)?;
    if !workers.is_realtime() {
        warn!("media threads run without real-time priority: give the service LimitRTPRIO or CAP_SYS_NICE");
    }

    let (commands, obey) = mpsc::channel(QUEUE);
    let (tell, events) = mpsc::channel(QUEUE);
    let (stop, stopped) = oneshot::channel();
    let ports = Ports {
        media: MediaThreads(workers.clone()),
        media_events,
        commands,
        events,
        entropy: OsEntropy::new()?,
        stop: stopped,
    };
    ready::announce(config, &signaling.local_addresses());
    let figures = tokio::spawn(tell_figures(workers.clone()));
    let fresh = tokio::spawn(tls::keep_fresh(certificates, Signals::hangup()?));
    let drain = signaling.stop();
    let network = tokio::spawn(signaling.run(obey, tell));
    let mut control = tokio::spawn(Control::run(Settings::new(config), ports));
    notify(&[sd_notify::NotifyState::Ready]);

    // Control ends by itself only when signalling is gone, which is a fault to be told.
    let ended = tokio::select! {
        signal = signals.next() => {
            info!(signal, "asked to stop");
            None
        }
        ended = &mut control => Some(ended),
    };
    notify(&[sd_notify::NotifyState::Stopping]);
    drop(stop);
    match ended {
        Some(ended) => error!(?ended, "control ended unasked"),
        None => drop(control.await),
    }
    fresh.abort();
    figures.abort();
    drain.drain(DRAIN);
    let _ = network.await;
    // Waits for threads, which no task of tokio's may.
    let ended = tokio::task::spawn_blocking(move || {
        workers.shutdown();
        workers.metrics()
    });
    if let Ok(m) = ended.await {
        sum_up(&m);
    }
    info!("stopped");
    Ok(())
}

/// Once a minute, what the media threads do; for whoever turns the log up.
async fn tell_figures(workers: Arc<Workers>) {
    let mut minutes = tokio::time::interval(Duration::from_secs(60));
    loop {
        minutes.tick().await;
        let m = workers.metrics();
        debug!(
            legs = m.legs,
            conferences = m.conferences,
            annexes = m.annexes,
            renditions = m.renditions,
            ticks = m.ticks,
            missed = m.missed,
            late_p50_us = m.lateness.p50.as_micros(),
            late_p99_us = m.lateness.p99.as_micros(),
            late_max_us = m.lateness.max.as_micros(),
            encodes = m.encodes,
            packets_in = m.packets_in,
            packets_out = m.packets_out,
            send_errors = m.send_errors,
            played_s = m.played.as_secs(),
            concealed_ms = m.concealed.as_millis(),
            recovered_ms = m.recovered.as_millis(),
            playout_delay_ms = m.playout_delay.as_millis(),
            strangers = m.strangers,
            malformed = m.malformed,
            unauthentic = m.unauthentic,
            replayed = m.replayed,
            events_waiting = m.events_waiting,
            "media threads"
        );
    }
}

/// What the media threads did in their life.
fn sum_up(m: &WorkerMetrics) {
    info!(
        threads = m.threads,
        ticks = m.ticks,
        missed = m.missed,
        late_p99_us = m.lateness.p99.as_micros(),
        late_max_us = m.lateness.max.as_micros(),
        late_frames = m.late_frames,
        packets_in = m.packets_in,
        packets_out = m.packets_out,
        send_errors = m.send_errors,
        "media threads ended"
    );
}

/// Carries events from the media threads' channel, which must not know tokio, to control's.
fn forward(from: crossbeam_channel::Receiver<MediaEvent>) -> io::Result<mpsc::Receiver<MediaEvent>> {
    let (to, events) = mpsc::channel(QUEUE);
    std::thread::Builder::new().name("media-events".to_owned()).spawn(move || {
        for event in from {
            // Control may be gone already while the last legs close: what is left is read and let go.
            let _ = to.blocking_send(event);
        }
    })?;
    Ok(events)
}

/// Tells systemd, where it asked to be told; elsewhere nobody listens.
fn notify(state: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        warn!(%error, "systemd cannot be told");
    }
}

/// SIGINT and SIGTERM.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// SIGHUP, from now on: it ends the program no more.
    fn hangup() -> io::Result<tokio::signal::unix::Signal> {
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}
