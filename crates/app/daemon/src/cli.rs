//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// What was asked for.
#[derive(Debug, PartialEq, Eq, Parser)]
#[command(
    name = "tandem",
    version = crate::version::LONG,
    about = "A SIP conference server: call a room and talk",
    long_about = LONG_ABOUT,
    after_help = "tandem --help says more.",
    after_long_help = AFTER_HELP,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// `tandem COMMAND`.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Take calls until SIGINT or SIGTERM
    ///
    /// Either signal hangs up every call with BYE and leaves. SIGHUP reads certificates again. The log goes to
    /// standard error.
    Serve {
        /// The configuration; without it, the built-in one (see: tandem check)
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Say what would run, or what is wrong with the configuration
    ///
    /// Binds nothing and calls nobody. Each error names file, line, column and key, and what would be right.
    Check {
        /// The configuration; without it, the built-in one
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

const LONG_ABOUT: &str = "\
Tandem is a SIP conference server. Phones call it, those that dial the same room hear each other, \
each in the codec it likes best: Opus, G.722, G.711.";

const AFTER_HELP: &str = "\
Examples:
  tandem serve                            take calls on port 5060, UDP and TCP
  tandem serve --config /etc/tandem.toml  the same, as the file says
  tandem check --config /etc/tandem.toml  is the file right, and what would it run?
  TANDEM_LOG=debug tandem serve           tell more (error, warn, info, debug, trace)

Then call, with any SIP phone and no account (built-in configuration):
  sip:1000@HOST    a room; so is every number from 1000 to 1999 and every name that begins with room-
  sip:echo@HOST    hear yourself
  sip:tone@HOST    hear 1004 Hz

Files:
  config/default.toml in the sources is the built-in configuration and explains every key.

Environment:
  TANDEM_LOG       level, or levels by module: info,tandem_sip=trace; overrides [log] level
  NOTIFY_SOCKET    set by systemd for Type=notify

Exit codes:
  0   asked to stop, and all is cleaned up; or the configuration is right
  64  wrong command line or configuration
  69  an address is in use or not there
  70  a fault of Tandem's own";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn commands_are_understood() {
        let parse =
            |args: &[&str]| Cli::try_parse_from(args).map(|cli| cli.command).map_err(|error| error.kind());
        let file = || Some(PathBuf::from("x.toml"));
        assert_eq!(parse(&["tandem", "serve"]), Ok(Command::Serve { config: None }));
        assert_eq!(parse(&["tandem", "serve", "--config", "x.toml"]), Ok(Command::Serve { config: file() }));
        assert_eq!(parse(&["tandem", "check", "--config=x.toml"]), Ok(Command::Check { config: file() }));
        assert_eq!(parse(&["tandem", "--version"]), Err(ErrorKind::DisplayVersion));
        assert_eq!(parse(&["tandem", "serv"]), Err(ErrorKind::InvalidSubcommand));
        assert_eq!(parse(&["tandem", "serve", "--confg", "x"]), Err(ErrorKind::UnknownArgument));
    }

    #[test]
    fn help_teaches_every_exit_code() {
        let help = Cli::command().render_long_help().to_string();
        for code in crate::exit::ALL {
            assert!(help.contains(&format!("\n  {code:<4}")), "{code} is missing in:\n{help}");
        }
    }
}
