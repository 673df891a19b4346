//! `tandem check`, and reading the configuration for both commands.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use tandem_config::{Config, ConfigError};

use crate::{exit, tls};

/// The file, or the built-in configuration without one.
pub fn read(file: Option<&Path>) -> Result<Config, ConfigError> {
    let config = file.map_or_else(Config::embedded, Config::load)?;
    tls::check(
        &file.map_or_else(|| "config/default.toml".to_owned(), |file| file.display().to_string()),
        &config,
    )?;
    Ok(config)
}

/// Says on standard error what is wrong.
pub fn complain(error: &ConfigError) -> ExitCode {
    let count = match error {
        ConfigError::Wrong { problems, .. } if problems.len() > 1 => format!("\n{} errors", problems.len()),
        _ => String::new(),
    };
    // Without a standard error nobody is there to be told; the exit code still says it.
    let _ = writeln!(io::stderr(), "{error}{count}");
    ExitCode::from(exit::USAGE)
}

/// Prints what would run.
pub fn run(file: Option<&Path>) -> ExitCode {
    match read(file) {
        Err(error) => complain(&error),
        Ok(config) => match print(file, &config, &mut io::stdout().lock()) {
            Ok(()) => ExitCode::from(exit::OK),
            Err(_) => ExitCode::from(exit::INTERNAL),
        },
    }
}

fn print(file: Option<&Path>, config: &Config, out: &mut impl Write) -> io::Result<()> {
    match file {
        Some(file) => writeln!(out, "{} is right; it would run:", file.display())?,
        None => writeln!(out, "without --config, the built-in configuration would run:")?,
    }
    writeln!(out, "{}", config.summary())
}
