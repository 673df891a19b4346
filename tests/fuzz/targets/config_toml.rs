//! Any text as configuration: right, or wrong at a place that is in the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tandem_config::{Config, ConfigError};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Config::parse("tandem.toml", text) {
        Ok(config) => {
            assert!(!config.sip.listen.is_empty());
            assert!(config.media.ports.pairs() >= 1);
            let _ = config.summary().to_string();
        }
        Err(error) => {
            let _ = error.to_string();
            let ConfigError::Wrong { problems, .. } = error else { panic!("nothing was read") };
            assert!(!problems.is_empty());
            let lines = data.split(|octet| *octet == b'\n').count();
            for problem in problems {
                assert!((1..=lines).contains(&problem.line), "line {} of {lines}", problem.line);
                assert!((1..=data.len() + 1).contains(&problem.column), "column {}", problem.column);
            }
        }
    }
});
