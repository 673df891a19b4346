//! TOML to a checked configuration, with errors that name file, line and key.
//!
//! [`Config::load`] reads a file, [`Config::embedded`] is what runs without one. Every key may be left out and
//! then has the value that `config/default.toml` shows. What is wrong is collected and told in one go.

#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod check;
mod check_audio;
mod check_tls;
mod cross;
mod document;
mod model;
mod nearest;
mod problem;
mod summary;
mod tls;
mod value;

use std::fs;
use std::path::Path;

use tandem_routing::Table;

pub use model::{
    Advertise, Config, Connections, Host, Http, Listener, Log, LogFormat, LogLevel, Media, PortRange,
    Protocol, Room, Rooms, Services, Sip,
};
pub use problem::{ConfigError, Problem, Wrong};
pub use summary::Summary;
pub use tls::{CertificateFiles, ClientCertificates, FileName, Tls, TlsHost};

/// What runs without a configuration file.
pub const DEFAULT_TOML: &str = include_str!("../../../../config/default.toml");

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// The file cannot be read, or is wrong: then with everything that is wrong in it.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        let bytes =
            fs::read(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let file = path.display().to_string();
        match str::from_utf8(&bytes) {
            Ok(text) => Config::parse(&file, text),
            Err(error) => {
                let problems = check::not_utf8(&bytes, error.valid_up_to());
                Err(ConfigError::Wrong { file, problems })
            }
        }
    }

    /// Checks a text; `file` is its name in errors.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(file: &str, text: &str) -> Result<Config, ConfigError> {
        check::config(text).map_err(|problems| ConfigError::Wrong { file: file.to_owned(), problems })
    }

    /// What runs without a configuration file: `config/default.toml` as it was when Tandem was built.
    ///
    /// # Errors
    /// None that a test of this crate would not have found.
    pub fn embedded() -> Result<Config, ConfigError> {
        Config::parse("config/default.toml", DEFAULT_TOML)
    }

    /// Who answers to which name.
    pub fn table(&self) -> Table {
        Table {
            rooms: self.rooms.fixed.iter().map(|room| room.name.clone()).collect(),
            echo: self.services.echo.clone(),
            tone: self.services.tone.clone(),
            ad_hoc: self.rooms.ad_hoc.clone(),
        }
    }

    /// What would run, for `tandem check`.
    pub const fn summary(&self) -> Summary<'_> {
        Summary(self)
    }
}

#[cfg(test)]
mod tests;
