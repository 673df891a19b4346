//! Checks the layers: who may use whom, what each layer must never know, and how long a file may be.
//!
//! Exit 0: all is well. Exit 1: what is not is printed, one line each.

mod check;
mod metadata;
mod rules;
mod sources;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::metadata::{Metadata, MetadataError};

#[derive(Debug, thiserror::Error)]
enum ArrowsError {
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    #[error("the sources cannot be read: {0}")]
    Sources(#[from] io::Error),
}

fn main() -> ExitCode {
    match broken() {
        Ok(lines) if lines.is_empty() => {
            let _ = writeln!(io::stdout(), "the layers hold");
            ExitCode::SUCCESS
        }
        Ok(lines) => {
            let _ = writeln!(io::stdout(), "{}", lines.join("\n"));
            ExitCode::FAILURE
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "arrows: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One line for each rule that is broken.
fn broken() -> Result<Vec<String>, ArrowsError> {
    let metadata = Metadata::ask(&env::current_dir()?)?;
    let sources = sources::read(&metadata.workspace_root)?;
    let arrows = check::violations(&metadata).into_iter().map(|violation| violation.to_string());
    let texts = sources::findings(&sources).into_iter().map(|finding| finding.to_string());
    Ok(arrows.chain(texts).collect())
}

#[cfg(test)]
mod tests;
