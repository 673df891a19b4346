//! The `tandem` program: command line, wiring, binding, notification, drain.

mod check;
mod cli;
mod descriptors;
mod exit;
mod logging;
mod media;
mod memory;
mod ready;
mod serve;
mod tls;
mod translate;
mod version;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(Cli { command: Command::Serve { config } }) => serve(config.as_deref()),
        Ok(Cli { command: Command::Check { config } }) => check::run(config.as_deref()),
        Err(error) => usage(&error),
    }
}

/// Configuration and log first, so that nothing is bound where either is wrong.
fn serve(file: Option<&Path>) -> ExitCode {
    let config = match check::read(file) {
        Ok(config) => config,
        Err(error) => return check::complain(&error),
    };
    if let Err(error) = logging::start(config.log) {
        let _ = writeln!(io::stderr(), "{error}");
        return ExitCode::from(exit::USAGE);
    }
    memory::give_back();
    serve::run(&config)
}

/// Help and version were asked for; anything else is a wrong command line.
fn usage(error: &clap::Error) -> ExitCode {
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    // Without a terminal nobody is there to be told; the exit code still says it.
    let _ = error.print();
    ExitCode::from(if asked { exit::OK } else { exit::USAGE })
}
