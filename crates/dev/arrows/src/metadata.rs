//! What `cargo metadata` tells, as far as it matters here.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, io};

use serde::Deserialize;

/// The workspace.
#[derive(Debug, Default, Deserialize)]
pub struct Metadata {
    /// Every package, also from outside.
    pub packages: Vec<Package>,
    /// Who uses whom.
    pub resolve: Resolve,
    /// Its top folder.
    pub workspace_root: PathBuf,
    /// Ids of its own packages.
    pub workspace_members: Vec<String>,
}

/// One package.
#[derive(Debug, Deserialize)]
pub struct Package {
    /// Unique.
    pub id: String,
    /// As others name it.
    pub name: String,
    /// Its `Cargo.toml`.
    pub manifest_path: PathBuf,
}

/// The graph of packages.
#[derive(Debug, Default, Deserialize)]
pub struct Resolve {
    /// One for each package.
    pub nodes: Vec<Node>,
}

/// A package and what it uses.
#[derive(Debug, Deserialize)]
pub struct Node {
    /// The package.
    pub id: String,
    /// What it uses.
    pub deps: Vec<Dependency>,
}

/// An arrow.
#[derive(Debug, Deserialize)]
pub struct Dependency {
    /// Where it points.
    pub pkg: String,
    /// For which purposes.
    pub dep_kinds: Vec<DependencyKind>,
}

/// A purpose.
#[derive(Debug, Deserialize)]
pub struct DependencyKind {
    /// `None` is the program itself; `dev` and `build` are not.
    pub kind: Option<String>,
}

impl Dependency {
    /// Does it end up in the program?
    pub fn is_normal(&self) -> bool {
        self.dep_kinds.iter().any(|kind| kind.kind.is_none())
    }
}

/// Why there is no metadata.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// cargo cannot be started.
    #[error("cargo metadata cannot be run: {0}")]
    Run(#[from] io::Error),
    /// cargo refused.
    #[error("cargo metadata failed: {0}")]
    Refused(String),
    /// cargo speaks another language.
    #[error("cargo metadata cannot be read: {0}")]
    Json(#[from] serde_json::Error),
}

impl Metadata {
    /// Asks cargo, for the platform that Tandem runs on.
    pub fn ask(folder: &Path) -> Result<Metadata, MetadataError> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let platform = ["--filter-platform", "x86_64-unknown-linux-gnu"];
        let command = ["metadata", "--format-version", "1", "--locked"];
        let output = Command::new(cargo).current_dir(folder).args(command).args(platform).output()?;
        if !output.status.success() {
            return Err(MetadataError::Refused(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}
