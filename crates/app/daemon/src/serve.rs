//! `tandem serve`.

use std::process::ExitCode;

use tandem_config::Config;

use crate::exit;

/// Runs until it is told to stop.
pub fn run(config: Config) -> ExitCode {
    tracing::error!(calls = config.sip.max_calls, "this build has no server yet");
    ExitCode::from(exit::INTERNAL)
}
