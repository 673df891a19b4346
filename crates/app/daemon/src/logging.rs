//! The log: one event a line on standard error.

use std::io;

use tandem_config::{Log, LogFormat};
use tracing_subscriber::EnvFilter;

/// Overrides `[log] level` for one run.
pub const VARIABLE: &str = "TANDEM_LOG";

/// `TANDEM_LOG` is no level and no list of levels by module.
#[derive(Debug, thiserror::Error)]
#[error(
    "{VARIABLE}={value:?} cannot be read: {source}\n  help: write a level (error, warn, info, debug, trace) or \
     levels by module, such as info,tandem_sip=trace"
)]
pub struct BadFilter {
    value: String,
    source: tracing_subscriber::filter::ParseError,
}

/// Starts logging; to be called once.
///
/// # Errors
/// `TANDEM_LOG` makes no sense.
pub fn start(log: Log) -> Result<(), BadFilter> {
    let filter = filter(log, std::env::var(VARIABLE).ok())?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match log.format {
        LogFormat::Text => lines.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    Ok(())
}

fn filter(log: Log, variable: Option<String>) -> Result<EnvFilter, BadFilter> {
    match variable.filter(|value| !value.trim().is_empty()) {
        Some(value) => EnvFilter::builder().parse(&value).map_err(|source| BadFilter { value, source }),
        None => Ok(EnvFilter::new(log.level.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use tandem_config::LogLevel;

    use super::*;

    const LOG: Log = Log { level: LogLevel::Warn, format: LogFormat::Text };

    #[test]
    fn the_variable_overrides_the_level() {
        let told = |variable: Option<&str>| filter(LOG, variable.map(str::to_owned)).unwrap().to_string();
        assert_eq!(told(None), "warn");
        assert_eq!(told(Some(" ")), "warn");
        assert_eq!(told(Some("debug")), "debug");
        assert_eq!(told(Some("info,tandem_sip=trace")), "tandem_sip=trace,info");
    }

    #[test]
    fn nonsense_in_the_variable_is_refused_with_help() {
        let error = filter(LOG, Some("info,tandem=loud".to_owned())).unwrap_err().to_string();
        assert!(
            error.contains("TANDEM_LOG=\"info,tandem=loud\"") && error.contains("help: write"),
            "{error}"
        );
    }
}
